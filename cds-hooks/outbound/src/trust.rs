//! Whose certificates are believed.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// TLS for one origin: its own authorities where it has some, else those of the machine.
///
/// # Errors
///
/// In plain words: no authority is there, or the PEM text is none.
pub(crate) fn config(own: Option<&str>, machine: &Machine) -> Result<ClientConfig, String> {
    let roots = match own {
        Some(pem) => named(pem)?,
        None => machine.roots()?,
    };
    with(roots)
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

fn named(pem: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
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
    if roots.is_empty() {
        return Err(
            "no certificate in its authorities: PEM with `-----BEGIN CERTIFICATE-----` is expected"
                .to_owned(),
        );
    }
    Ok(roots)
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
            return Err("no certificate authority is installed on this machine: install `ca-certificates`, or name the authorities of this origin".to_owned());
        }
        Ok(roots.clone())
    }
}
