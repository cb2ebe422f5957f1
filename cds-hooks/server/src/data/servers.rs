//! Which FHIR servers may be asked for whom.

use std::collections::HashMap;

use url::Url;

use crate::settings::Settings;

/// FHIR servers by client. Who calls without being known (a service that is open) may name any of them; a
/// client only its own.
pub(super) struct Servers {
    all: Vec<Url>,
    by_client: HashMap<String, Vec<Url>>,
}

impl Servers {
    /// Those of the settings.
    pub(super) fn of(settings: &Settings) -> Self {
        let named = |name: &String| {
            let server = settings.fhir_servers.iter().find(|s| s.name == *name);
            server.map(|server| server.url.clone())
        };
        let of_client = settings.clients.iter().map(|client| {
            let urls = client.fhir_servers.iter().filter_map(named);
            (client.name.clone(), urls.collect())
        });
        Servers {
            all: settings
                .fhir_servers
                .iter()
                .map(|s| s.url.clone())
                .collect(),
            by_client: of_client.collect(),
        }
    }

    /// Whether this client may have this server asked: one of its base URLs, or one below it.
    pub(super) fn may(&self, client: Option<&str>, server: &str) -> bool {
        let known = match client {
            None => Some(&self.all),
            Some(client) => self.by_client.get(client),
        };
        let Ok(server) = Url::parse(server) else {
            return false;
        };
        known.is_some_and(|known| known.iter().any(|base| is_under(base, &server)))
    }

    /// Which it may have asked, for the operators.
    pub(super) fn listed(&self, client: Option<&str>) -> String {
        let known = match client {
            None => Some(&self.all),
            Some(client) => self.by_client.get(client),
        };
        let known: Vec<&str> = known.into_iter().flatten().map(Url::as_str).collect();
        let whose = match client {
            Some(_) => "its `fhir_servers`",
            None => "[[fhir_server]]",
        };
        match known.as_slice() {
            [] => format!("{whose} has none"),
            [one] => format!("{whose} has {one} only"),
            all => format!("{whose} has {} only", all.join(", ")),
        }
    }
}

/// Where an address is, for the operators: no path, no query, and not more than a line has room for.
pub(super) fn origin(server: &str) -> String {
    match Url::parse(server) {
        Ok(url) => url
            .origin()
            .ascii_serialization()
            .chars()
            .take(100)
            .collect(),
        Err(_) => "what is no absolute URL".to_owned(),
    }
}

/// Paths are compared by segment: `/fhir` is not the beginning of `/fhir-test`.
fn is_under(base: &Url, server: &Url) -> bool {
    let with_slash = |url: &Url| format!("{}/", url.path().trim_end_matches('/'));
    base.origin() == server.origin() && with_slash(server).starts_with(&with_slash(base))
}
