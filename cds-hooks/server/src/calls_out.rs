//! Whom the server itself may call: the FHIR servers and key sets of the settings, nobody else.

use std::collections::BTreeMap;
use std::path::Path;
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
    let authorities = authorities(settings.outbound.authorities.as_deref())?;
    let allowed: Vec<Allowed> = origins
        .into_iter()
        .map(|(origin, networks)| Allowed {
            plain_http: settings.outbound.plain_http && origin.starts_with("http:"),
            networks,
            authorities: authorities.clone(),
            ..Allowed::new(origin)
        })
        .collect();
    let limits = Limits {
        connect: settings.outbound.connect_timeout,
        ..Limits::default()
    };
    Client::new(&allowed, limits, Arc::new(System::default()))
}

/// The authorities of the settings, which are told of once, and not once for each origin.
fn authorities(file: Option<&Path>) -> Result<Option<String>, Vec<String>> {
    let Some(file) = file else { return Ok(None) };
    let wrong = |why: String| vec![format!("[outbound] ca, {}: {why}", file.display())];
    let pem = std::fs::read_to_string(file);
    let pem = pem.map_err(|e| wrong(format!("it cannot be read: {e}")))?;
    outbound::authorities(&pem).map_err(wrong)?;
    Ok(Some(pem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Machine;

    fn made(folder: &Path, outbound: &str) -> Result<Client, Vec<String>> {
        let text = format!(
            "[outbound]\n{outbound}\n[[fhir_server]]\nname = \"a\"\nurl = \"https://a.example\"\n[[fhir_server]]\nname = \"b\"\nurl = \"https://b.example\"\n"
        );
        let settings = Settings::read(&text, &folder.join("tandem.toml"), &Machine);
        client(&settings.unwrap_or_else(|e| panic!("{e}")))
    }

    /// A hospital's servers have certificates of the hospital's own authority.
    #[test]
    fn authorities_of_ones_own() {
        let folder = tempfile::tempdir().unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let own = rcgen::CertificateParams::new(vec![]).unwrap();
        let pem = own.self_signed(&key).unwrap().pem();
        std::fs::write(folder.path().join("own.pem"), pem).unwrap();
        std::fs::write(folder.path().join("key.pem"), key.serialize_pem()).unwrap();
        made(folder.path(), "ca = \"own.pem\"").unwrap_or_else(|e| panic!("{e:?}"));
        for (file, said) in [
            ("none.pem", "none.pem: it cannot be read"),
            ("key.pem", "key.pem: no certificate in its authorities"),
        ] {
            let wrong = made(folder.path(), &format!("ca = \"{file}\""))
                .err()
                .unwrap();
            // Once, however many origins there are.
            assert!(wrong.len() == 1 && wrong[0].contains(said), "{wrong:?}");
        }
    }
}
