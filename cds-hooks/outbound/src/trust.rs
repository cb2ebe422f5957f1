//! Whose certificates are believed.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// TLS for one origin: the authorities of the machine, and its own where it has some.
///
/// # Errors
///
/// In plain words: no authority is there, or the PEM text is none.
pub(crate) fn config(own: Option<&str>, machine: &Machine) -> Result<ClientConfig, String> {
    let Some(pem) = own else {
        return with(machine.roots()?);
    };
    // A machine without any has these, and that is enough.
    let mut roots = machine.roots().unwrap_or_else(|_| RootCertStore::empty());
    add(&mut roots, pem)?;
    with(roots)
}

/// How many authorities a text has (PEM).
///
/// # Errors
///
/// In plain words: it has none, or one that cannot be read.
pub fn authorities(pem: &str) -> Result<usize, String> {
    add(&mut RootCertStore::empty(), pem)
}

fn with(roots: RootCertStore) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("TLS cannot be used: {e}"))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// For an origin without TLS: nobody is believed.
pub(crate) fn none() -> Result<ClientConfig, String> {
    with(RootCertStore::empty())
}

fn add(roots: &mut RootCertStore, pem: &str) -> Result<usize, String> {
    let before = roots.len();
    for (number, certificate) in CertificateDer::pem_slice_iter(pem.as_bytes()).enumerate() {
        certificate
            .map_err(|e| e.to_string())
            .and_then(|c| roots.add(c).map_err(|e| e.to_string()))
            .map_err(|e| {
                format!(
                    "certificate {} of its authorities cannot be read: {e}",
                    number + 1
                )
            })?;
    }
    match roots.len() - before {
        0 => Err(
            "no certificate in its authorities: PEM with `-----BEGIN CERTIFICATE-----` is expected"
                .to_owned(),
        ),
        added => Ok(added),
    }
}

/// The authorities of the machine, read when they are first needed.
#[derive(Default)]
pub(crate) struct Machine(std::sync::OnceLock<RootCertStore>);

impl Machine {
    fn roots(&self) -> Result<RootCertStore, String> {
        let roots = self.0.get_or_init(|| {
            let mut roots = RootCertStore::empty();
            // One that cannot be read is trusted less, not more.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots
        });
        if roots.is_empty() {
            return Err("no certificate authority is installed on this machine: install `ca-certificates`, or name authorities (PEM), `ca` in [outbound]".to_owned());
        }
        Ok(roots.clone())
    }
}
