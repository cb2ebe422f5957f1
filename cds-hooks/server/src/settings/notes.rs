//! What may be written so, and is seldom meant so: told at `--check` and at the start.

use url::{Host, Url};

use super::{FhirServer, Settings, usual_roles};

impl Settings {
    /// All of it, a line each.
    pub(crate) fn notes(&self) -> Vec<String> {
        let (mut notes, server) = (vec![], &self.server);
        if server.tls.is_none() && !server.listen.ip().is_loopback() {
            notes.push(format!(
                "{} speaks plain HTTP: tokens and data of patients go in the clear unless a proxy before it does TLS ([server.tls])",
                server.listen
            ));
        }
        if self.clients.is_empty() {
            return notes;
        }
        if self.store.is_none() {
            notes.push("there is no [store]: feedback is answered with 200 and kept nowhere, there are no reports and no audit log, and which tokens were used is known to this server only, until it ends".to_owned());
        }
        for client in &self.clients {
            if client.roles.is_empty() && client.role_claim.is_none() {
                notes.push(format!(
                    "client {:?} has no role, so that every call of it is refused (403): without the line `roles` it has the role ehr",
                    client.name
                ));
            }
        }
        notes.extend(self.replaced_roles());
        let asked = |server: &FhirServer| {
            let mut named = self.clients.iter().flat_map(|client| &client.fhir_servers);
            named.any(|name| *name == server.name)
        };
        for server in &self.fhir_servers {
            let name = &server.name;
            if !asked(server) {
                notes.push(format!(
                    "fhir_server {name:?} is in `fhir_servers` of no client, so that it is never asked"
                ));
            }
            if server.ranges.is_empty() && is_inside(&server.url) {
                notes.push(format!(
                    "fhir_server {name:?}: {INSIDE}, and without `private_ranges` only public addresses are called"
                ));
            }
        }
        if self.outbound.key_ranges.is_empty() {
            let inside = |client: &&super::Client| client.key_urls.iter().any(is_inside);
            for client in self.clients.iter().filter(inside) {
                notes.push(format!(
                    "client {:?}, jku: {INSIDE}, and without `key_set_private_ranges` in [outbound] only public addresses are called",
                    client.name
                ));
            }
        }
        notes
    }

    /// A role of the file that has the name of one that there always is can do less than that.
    fn replaced_roles(&self) -> Vec<String> {
        let mut notes = vec![];
        for usual in usual_roles() {
            let own = self.roles.iter().find(|role| role.name == usual.name);
            let Some(own) = own else { continue };
            let lacks = usual
                .permissions
                .iter()
                .filter(|p| !own.permissions.contains(p));
            let lacks: Vec<&str> = lacks.map(|permission| permission.as_str()).collect();
            if lacks.is_empty() {
                continue;
            }
            let whose = match usual.name.as_str() {
                "ehr" => ", also for clients without the line `roles`",
                _ => "",
            };
            notes.push(format!(
                "[[role]] {:?} takes the place of the one that there always is, and lacks {}{whose}",
                usual.name,
                lacks.join(", ")
            ));
        }
        notes
    }

    /// What a check of the settings does not look at, since it opens nothing.
    pub fn not_looked_at(&self) -> Vec<String> {
        let mut all = vec![format!("whether {} is free", self.server.listen)];
        if self.store.is_some() {
            all.push(
                "[store]: whether the database is there, lets this user in and can be written to"
                    .to_owned(),
            );
        }
        if self
            .clients
            .iter()
            .any(|client| !client.key_urls.is_empty())
        {
            all.push("`jku`: whether the key sets can be fetched".to_owned());
        }
        if !self.fhir_servers.is_empty() {
            all.push("[[fhir_server]]: whether they answer".to_owned());
        }
        all
    }
}

const INSIDE: &str = "its host looks like one of a private network";

/// Whether a name is one that public DNS does not have (RFC 6761, 6762, 8375, `internal` of ICANN), or has no dot.
fn is_inside(url: &Url) -> bool {
    const LAST: [&str; 8] = [
        "localhost",
        "local",
        "internal",
        "intranet",
        "lan",
        "home",
        "corp",
        "private",
    ];
    let Some(Host::Domain(name)) = url.host() else {
        return false;
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    !name.contains('.') || LAST.contains(&last) || name.ends_with(".home.arpa")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Machine;
    use super::*;

    fn settings(text: &str) -> Settings {
        let text = format!(
            "[server]\npublic_url = \"https://cds.example\"\n{text}\n[[client]]\nname = \"ehr\"\niss = \"i\"\njku = [\"https://ehr.example/keys\"]\nfhir_servers = [\"north\"]\n[[fhir_server]]\nname = \"north\"\nurl = \"https://fhir.example\"\n"
        );
        let read = Settings::read(&text, Path::new("t.toml"), &Machine);
        read.unwrap_or_else(|e| panic!("{e}"))
    }

    const STORE: &str = "[store]\nurl = \"sqlite:t.db\"";

    /// Each is told for what it is about, and nothing where all is as it is meant.
    #[test]
    fn what_is_seldom_meant_is_told() {
        assert_eq!(settings(STORE).notes(), [""; 0]);
        for (more, said) in [
            (
                "",
                "there is no [store]: feedback is answered with 200 and kept nowhere",
            ),
            (
                "[[client]]\nname = \"idle\"\niss = \"j\"\njku = [\"https://j.example\"]\nroles = []",
                "client \"idle\" has no role",
            ),
            (
                "[[fhir_server]]\nname = \"south\"\nurl = \"https://south.example\"",
                "\"south\" is in `fhir_servers` of no client",
            ),
            (
                "[[role]]\nname = \"ehr\"\npermissions = [\"call\"]",
                "\"ehr\" takes the place of the one that there always is, and lacks feedback, also for clients without",
            ),
            (
                "[[role]]\nname = \"operator\"\npermissions = [\"metrics\"]",
                "\"operator\" takes the place of the one that there always is, and lacks admin",
            ),
        ] {
            let store = if more.is_empty() { "" } else { STORE };
            let notes = settings(&format!("{store}\n{more}")).notes();
            assert!(
                notes.len() == 1 && notes[0].contains(said),
                "{said}: {notes:?}"
            );
        }
        assert_eq!(
            Settings::default().notes(),
            [""; 0],
            "a trial has no store, and is told so by nobody"
        );
    }

    #[test]
    fn plain_http_for_other_machines_is_told() {
        let mut settings = settings(STORE);
        settings.server.listen = "0.0.0.0:8080".parse().unwrap();
        let notes = settings.notes();
        assert!(
            notes.len() == 1 && notes[0].contains("0.0.0.0:8080 speaks plain HTTP"),
            "{notes:?}"
        );
    }

    #[test]
    fn hosts_of_private_networks() {
        for (url, is) in [
            ("https://localhost:1", true),
            ("https://fhir", true),
            ("https://fhir.hospital.local/r4", true),
            ("https://fhir.ad.internal", true),
            ("https://x.home.arpa", true),
            ("https://fhir.example.org", false),
            ("https://local.example.org", false),
            ("https://10.0.0.1", false),
        ] {
            assert_eq!(is_inside(&url.parse().unwrap()), is, "{url}");
        }
        let mut settings = settings(STORE);
        settings.fhir_servers[0].url = "https://fhir.lan".parse().unwrap();
        settings.clients[0].key_urls = vec!["https://ehr.local/keys".parse().unwrap()];
        let notes = settings.notes().join("\n");
        assert!(
            notes.contains("`private_ranges`") && notes.contains("`key_set_private_ranges`"),
            "{notes}"
        );
    }

    #[test]
    fn what_is_not_looked_at_is_said() {
        let all = settings(STORE).not_looked_at().join("\n");
        for what in ["is free", "[store]", "`jku`", "[[fhir_server]]"] {
            assert!(all.contains(what), "{what}: {all}");
        }
        assert_eq!(Settings::default().not_looked_at().len(), 1);
    }
}
