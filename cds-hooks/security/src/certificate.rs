//! A client's certificate: who it is for, and which client is bound to it.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::client::CertificateBinding;

/// The attributes of a subject that a binding may name, by their object identifiers (RFC 4519).
pub(crate) const ATTRIBUTES: [(&str, &str); 7] = [
    ("CN", "2.5.4.3"),
    ("serialNumber", "2.5.4.5"),
    ("C", "2.5.4.6"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
];

/// What a certificate says of whom it was given to. That its chain ends at an authority that is trusted
/// for clients, that it is valid now, and that the client has its key, is seen to in the TLS handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    /// SHA-256 of it, 64 small hexadecimal digits.
    pub fingerprint: String,
    /// `dns:…`, in small letters, and `uri:…`.
    pub sans: Vec<String>,
    /// Attributes of the subject, as often as they stand there.
    pub subject: Vec<(String, String)>,
}

impl PeerCertificate {
    /// Of a certificate (X.509, DER).
    ///
    /// # Errors
    /// Where it is none.
    pub fn of(der: &[u8]) -> Result<Self, String> {
        let unread = || "the certificate cannot be read".to_owned();
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| unread())?;
        let mut sans = vec![];
        let names = certificate.subject_alternative_name();
        if let Some(names) = names.map_err(|_| unread())? {
            for name in &names.value.general_names {
                match name {
                    GeneralName::DNSName(name) => {
                        sans.push(format!("dns:{}", name.to_ascii_lowercase()))
                    }
                    GeneralName::URI(uri) => sans.push(format!("uri:{uri}")),
                    _ => {}
                }
            }
        }
        let mut subject = vec![];
        for attribute in certificate.subject().iter_attributes() {
            let id = attribute.attr_type().to_id_string();
            let known = ATTRIBUTES.iter().find(|(_, known)| *known == id);
            if let (Some((name, _)), Ok(value)) = (known, attribute.as_str()) {
                subject.push(((*name).to_owned(), value.to_owned()));
            }
        }
        Ok(PeerCertificate {
            fingerprint: hex(&Sha256::digest(der)),
            sans,
            subject,
        })
    }

    /// Whether one of these fits.
    pub(crate) fn fits_one(&self, bindings: &[CertificateBinding]) -> bool {
        bindings.iter().any(|binding| self.fits(binding))
    }

    /// Whether all that a binding says fits. One that says nothing fits nothing.
    fn fits(&self, binding: &CertificateBinding) -> bool {
        let CertificateBinding {
            fingerprint,
            san,
            subject,
        } = binding;
        let says = fingerprint.is_some() || san.is_some() || !subject.is_empty();
        let same = |wanted: &String| fingerprint_of(wanted).as_ref() == Some(&self.fingerprint);
        says && fingerprint.as_ref().is_none_or(same)
            && san.as_ref().is_none_or(|san| self.is_named(san))
            && self.has(subject)
    }

    fn is_named(&self, wanted: &str) -> bool {
        self.sans.iter().any(|san| match wanted.split_once(':') {
            Some(("dns", _)) => san.eq_ignore_ascii_case(wanted),
            _ => san == wanted,
        })
    }

    fn has(&self, wanted: &BTreeMap<String, String>) -> bool {
        wanted.iter().all(|(name, value)| {
            let mut there = self.subject.iter().filter(|(n, _)| n == name);
            matches!((there.next(), there.next()), (Some((_, v)), None) if v == value)
        })
    }
}

/// A fingerprint as people write it, in small digits without colons; `None` where it is none.
pub(crate) fn fingerprint_of(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    let whole = digits.len() == 64 && digits.chars().all(|c| c.is_ascii_hexdigit());
    whole.then(|| digits.to_ascii_lowercase())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
