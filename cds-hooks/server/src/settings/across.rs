//! What can only be told of the settings as a whole: names that refer to each other, and what one
//! section needs of another.

use std::collections::HashSet;

use engine_patient::finding::did_you_mean;

use super::read::table::Table;
use super::{Client, FhirServer, Settings, Tenant};

/// The lists of the file, in its order; nothing where one could not be read.
pub(super) struct Lists {
    pub(super) tenants: Vec<Option<Tenant>>,
    pub(super) clients: Vec<Option<Client>>,
    pub(super) fhir_servers: Vec<Option<FhirServer>>,
    /// Their names.
    pub(super) roles: Vec<Option<String>>,
}

/// `settings` without the lists.
pub(super) fn check(settings: &Settings, lists: &Lists, root: &Table<'_>) {
    let names = |name: Option<&str>| name.map(str::to_owned);
    twice(
        root,
        "tenant",
        lists
            .tenants
            .iter()
            .map(|t| names(t.as_ref().map(|t| &*t.name))),
    );
    twice(
        root,
        "client",
        lists
            .clients
            .iter()
            .map(|c| names(c.as_ref().map(|c| &*c.name))),
    );
    let servers = lists.fhir_servers.iter();
    twice(
        root,
        "fhir_server",
        servers.map(|s| names(s.as_ref().map(|s| &*s.name))),
    );
    twice(root, "role", lists.roles.iter().cloned());
    if let Some(url) = &settings.server.public_url {
        let is_here = match url.host() {
            Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if !is_here {
            let server = root.section("server");
            https(settings, &server, "public_url", url);
        }
    }
    let clients = lists.clients.iter().flatten();
    let issuers = clients.filter_map(|c| c.issuer.as_deref());
    let mut seen = HashSet::new();
    for issuer in issuers {
        if !seen.insert(issuer) {
            let message =
                format!("two clients have the `iss` {issuer:?}: a token could be of either");
            root.file.wrong(root.place_of("client"), message, None);
        }
    }
    let tenants: Vec<&str> = lists.tenants.iter().flatten().map(|t| &*t.name).collect();
    let roles: Vec<&str> = settings.roles.iter().map(|r| &*r.name).collect();
    // One of which something else is wrong is there all the same.
    let servers = root.again("fhir_server").into_iter();
    let servers: Vec<&str> = servers.filter_map(|table| table.written("name")).collect();
    // It is told once; what is there and wrong is not missing.
    let mut has_url = root.section("server").has("public_url");
    for (client, table) in lists.clients.iter().zip(root.again("client")) {
        let Some(client) = client else { continue };
        known(&table, "tenants", &client.tenants, &tenants, "[[tenant]]");
        known(&table, "roles", &client.roles, &roles, "[[role]]");
        known(
            &table,
            "fhir_servers",
            &client.fhir_servers,
            &servers,
            "[[fhir_server]]",
        );
        for url in &client.key_urls {
            https(settings, &table, "jku", url);
        }
        if !has_url && client.issuer.is_some() {
            has_url = true;
            let message = format!(
                "`server.public_url` is missing: `aud` of tokens, as those of client `{}`, is compared with it",
                client.name
            );
            let help = "write the base URL as clients call it, as in public_url = \"https://cds.example.org\"";
            root.file
                .wrong(root.place_of("server"), message, Some(help.to_owned()));
        }
        let claimed = client.role_claim.iter().flat_map(|claim| &claim.map);
        let claimed: Vec<String> = claimed.map(|(_, role)| role.clone()).collect();
        known(&table, "role_claim", &claimed, &roles, "[[role]]");
        if client.certificate.is_some()
            && settings
                .server
                .tls
                .as_ref()
                .is_none_or(|tls| tls.client_ca.is_none())
        {
            table.wrong(
                "certificate",
                "no client certificate is ever seen without `client_ca` in [server.tls]",
                None,
            );
        }
    }
    for (server, table) in lists.fhir_servers.iter().zip(root.again("fhir_server")) {
        if let Some(server) = server {
            https(settings, &table, "url", &server.url);
        }
    }
}

fn https(settings: &Settings, table: &Table<'_>, name: &str, url: &url::Url) {
    if url.scheme() != "https" && !settings.outbound.plain_http {
        table.wrong(
            name,
            "is not https: tokens and data of patients would go in the clear",
            Some("for rehearsals on one machine, set plain_http = true in [outbound]".to_owned()),
        );
    }
}

/// A name that two have.
fn twice(root: &Table<'_>, list: &'static str, names: impl Iterator<Item = Option<String>>) {
    let mut seen = HashSet::new();
    for (name, table) in names.zip(root.again(list)) {
        if name.is_some_and(|name| !seen.insert(name)) {
            table.wrong("name", "another one has this name", None);
        }
    }
}

/// Names that have to be those of something else in the file.
fn known(table: &Table<'_>, name: &str, given: &[String], there: &[&str], what: &str) {
    for word in given.iter().filter(|word| !there.contains(&word.as_str())) {
        let help = match (did_you_mean(word, there.iter().copied()), there.is_empty()) {
            (Some(near), _) => format!("did you mean {near:?}?"),
            (None, true) => format!("the file has no {what}"),
            (None, false) => format!("there are: {}", there.join(", ")),
        };
        table.wrong(
            name,
            &format!("there is no {what} of the name {word:?}"),
            Some(help),
        );
    }
}
