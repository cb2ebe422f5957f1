//! Whom the server itself may call: the FHIR servers and key sets of the settings, nobody else.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;
use outbound::{Allowed, Client, Limits, System};
use url::Url;

use crate::settings::Settings;

/// A client for these origins. Several addresses of one origin share what is allowed there.
///
/// # Errors
/// All that is wrong with them.
pub fn client(settings: &Settings) -> Result<Client, Vec<String>> {
    let mut origins: BTreeMap<String, Vec<IpNet>> = BTreeMap::new();
    let mut add = |url: &Url, ranges: &[IpNet]| {
        let origin = url.origin().ascii_serialization();
        let known = origins.entry(origin).or_default();
        for range in ranges
            .iter()
            .filter(|range| !known.contains(range))
            .collect::<Vec<_>>()
        {
            known.push(*range);
        }
    };
    for server in &settings.fhir_servers {
        add(&server.url, &server.ranges);
    }
    for url in settings.clients.iter().flat_map(|client| &client.key_urls) {
        add(url, &settings.outbound.key_ranges);
    }
    let allowed: Vec<Allowed> = origins
        .into_iter()
        .map(|(origin, networks)| Allowed {
            plain_http: settings.outbound.plain_http && origin.starts_with("http:"),
            networks,
            ..Allowed::new(origin)
        })
        .collect();
    let limits = Limits {
        connect: settings.outbound.connect_timeout,
        ..Limits::default()
    };
    Client::new(&allowed, limits, Arc::new(System::default()))
}
