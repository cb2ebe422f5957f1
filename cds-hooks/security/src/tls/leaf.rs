//! What the certificate of the service says, and what of it clients would not take.

use std::net::IpAddr;
use std::path::Path;

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::check::Problems;

/// How long before its end a certificate is spoken of, in seconds: 30 days.
const SOON: i64 = 30 * DAY;

const DAY: i64 = 24 * 60 * 60;

/// What a certificate says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The names and addresses that it is for.
    pub names: Vec<String>,
    /// From when, in seconds since 1970.
    pub not_before: i64,
    /// Until when, in seconds since 1970.
    pub not_after: i64,
}

/// Reads the chain; what a client would refuse is a warning, since only clients know what they trust.
pub(super) fn look(
    path: &Path,
    chain: &[CertificateDer<'static>],
    hosts: &[String],
    now: i64,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) -> Facts {
    let file = path.display();
    let mut read = vec![];
    for (index, der) in chain.iter().enumerate() {
        match X509Certificate::from_der(der) {
            Ok((_, certificate)) => read.push(certificate),
            Err(_) => problems.add(
                "tls.certificate",
                format!("{file}: certificate {} is damaged", index + 1),
            ),
        }
    }
    let Some(leaf) = read.first() else {
        return Facts::default();
    };
    let facts = Facts {
        names: names(leaf),
        not_before: leaf.validity().not_before.timestamp(),
        not_after: leaf.validity().not_after.timestamp(),
    };
    let left = facts.not_after - now;
    if left < 0 {
        let days = -left / DAY;
        warnings.push(format!(
            "{file}: the certificate expired {days} days ago: clients will refuse it"
        ));
    } else if left < SOON {
        let days = left / DAY;
        warnings.push(format!("{file}: the certificate expires in {days} days"));
    }
    if facts.not_before > now {
        warnings.push(format!(
            "{file}: the certificate is not valid yet: clients will refuse it"
        ));
    }
    if leaf.is_ca() {
        warnings.push(format!(
            "{file}: the first certificate is that of an authority: the one of the service has to stand first"
        ));
    }
    for (number, pair) in read.windows(2).enumerate() {
        if let [one, next] = pair
            && one.issuer().as_raw() != next.subject().as_raw()
        {
            let (one, next) = (number + 1, number + 2);
            warnings.push(format!(
                "{file}: certificate {next} did not issue certificate {one}: each has to stand before the one of its issuer"
            ));
        }
    }
    for host in hosts {
        if !facts.names.iter().any(|name| is_for(name, host)) {
            warnings.push(format!(
                "{file}: the certificate is not for `{host}`, by which clients call: they will refuse it"
            ));
        }
    }
    facts
}

fn names(leaf: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = leaf.subject_alternative_name() else {
        return vec![];
    };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => Some(IpAddr::from(<[u8; 4]>::try_from(*bytes).ok()?).to_string()),
            _ => Some(IpAddr::from(<[u8; 16]>::try_from(*bytes).ok()?).to_string()),
        },
        _ => None,
    };
    names.value.general_names.iter().filter_map(name).collect()
}

/// RFC 9525 §6.3: `*` stands for one label, the first.
fn is_for(name: &str, host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match name.strip_prefix("*.") {
        Some(rest) => host
            .split_once('.')
            .is_some_and(|(_, domain)| domain.eq_ignore_ascii_case(rest)),
        None => name.eq_ignore_ascii_case(host),
    }
}
