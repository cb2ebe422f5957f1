//! From files to what a TLS library takes; all that is wrong with them at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{Error, RootCertStore, ServerConfig};
use serde::Deserialize;

use super::leaf::{Facts, look};
use crate::check::{Problem, Problems};

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// Where certificates and keys are: PEM files.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The certificate of the service, and those between it and an authority that clients trust, in this
    /// order.
    pub certificate: PathBuf,
    /// Its private key (PKCS#8, SEC 1 or PKCS#1), not encrypted.
    pub key: PathBuf,
    /// The authorities whose certificates clients may show; left out, none is asked for.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
    /// Whether a client has to show one.
    #[serde(default)]
    pub client_certificates: ClientCertificates,
}

/// Whether a client has to show a certificate, where `client_ca` is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCertificates {
    /// No connection without a valid one.
    #[default]
    Required,
    /// One that is shown has to be valid. Clients that are bound to one have to show it with each call.
    Optional,
}

/// What was read.
pub(super) struct Read {
    pub(super) config: Arc<ServerConfig>,
    pub(super) facts: Facts,
    pub(super) warnings: Vec<String>,
}

/// Reads all files. `hosts` are the names under which clients call; `now` is in seconds since 1970.
pub(super) fn read(files: &TlsFiles, hosts: &[String], now: i64) -> Result<Read, Vec<Problem>> {
    let mut problems = Problems::default();
    let mut warnings = vec![];
    let chain = certificates("tls.certificate", &files.certificate, &mut problems);
    let key = key(&files.key, &mut problems, &mut warnings);
    let authorities = files.client_ca.as_ref().map(|path| {
        let authorities = certificates("tls.client_ca", path, &mut problems);
        verifier(authorities, files.client_certificates, path, &mut problems)
    });
    let facts = look(
        &files.certificate,
        &chain,
        hosts,
        now,
        &mut problems,
        &mut warnings,
    );
    // With a file missing the rest would only repeat that.
    let (Some(key), true) = (key, problems.0.is_empty()) else {
        return Err(problems.0);
    };
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12]);
    let built = builder.and_then(|builder| {
        let builder = match authorities.flatten() {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        builder.with_single_cert(chain, key)
    });
    match built {
        Ok(mut config) => {
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            if files.client_ca.is_some() {
                // A connection that goes on from an earlier one would go on with its certificate, too,
                // whatever became of that in between.
                config.session_storage = Arc::new(NoServerSessionStorage {});
                config.send_tls13_tickets = 0;
            }
            Ok(Read {
                config: Arc::new(config),
                facts,
                warnings,
            })
        }
        Err(error) => {
            let text = match error {
                Error::InconsistentKeys(_) => format!(
                    "{} is not the key of the certificate in {}",
                    files.key.display(),
                    files.certificate.display()
                ),
                other => format!("{} cannot be used: {other}", files.key.display()),
            };
            problems.add("tls.key", text);
            Err(problems.0)
        }
    }
}

/// All certificates of a file.
fn certificates(at: &str, path: &Path, problems: &mut Problems) -> Vec<CertificateDer<'static>> {
    let Some(bytes) = bytes(at, path, problems) else {
        return vec![];
    };
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let why = match read {
        Ok(read) if !read.is_empty() => return read,
        Err(_) => "has a part that is damaged: between its BEGIN and END lines is no base64",
        Ok(_) if has(&bytes, "PRIVATE KEY-----") => "holds a private key and no certificate",
        Ok(_) => "holds no certificate in PEM (`-----BEGIN CERTIFICATE-----`)",
    };
    problems.add(at, format!("{} {why}", path.display()));
    vec![]
}

fn key(
    path: &Path,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) -> Option<PrivateKeyDer<'static>> {
    let bytes = bytes("tls.key", path, problems)?;
    if readable_by_others(path) {
        let file = path.display();
        warnings.push(format!(
            "{file} can be read by other users: `chmod 600 {file}`"
        ));
    }
    let mut keys = PrivateKeyDer::pem_slice_iter(&bytes);
    let why = match (keys.next(), keys.next()) {
        (Some(Ok(key)), None) => return Some(key),
        (Some(Ok(_)), Some(_)) => "holds several keys: leave the one of the certificate",
        (Some(Err(_)), _) => "is damaged: between its BEGIN and END lines is no base64",
        (None, _) if has(&bytes, "ENCRYPTED") => {
            "is encrypted, and this service asks for no passphrase: decrypt it (`openssl pkey -in FILE -out NEW`), and let nobody else read it"
        }
        (None, _) if has(&bytes, "BEGIN CERTIFICATE") => "holds a certificate and no private key",
        (None, _) => "holds no private key in PEM (`-----BEGIN PRIVATE KEY-----`)",
    };
    problems.add("tls.key", format!("{} {why}", path.display()));
    None
}

fn verifier(
    authorities: Vec<CertificateDer<'static>>,
    needed: ClientCertificates,
    path: &Path,
    problems: &mut Problems,
) -> Option<Arc<dyn ClientCertVerifier>> {
    if authorities.is_empty() {
        return None;
    }
    let mut roots = RootCertStore::empty();
    for (index, authority) in authorities.into_iter().enumerate() {
        if let Err(error) = roots.add(authority) {
            let number = index + 1;
            let text = format!(
                "{}: certificate {number} cannot be used: {error}",
                path.display()
            );
            problems.add("tls.client_ca", text);
        }
    }
    let provider = Arc::new(ring::default_provider());
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = match needed {
        ClientCertificates::Required => builder,
        ClientCertificates::Optional => builder.allow_unauthenticated(),
    };
    match builder.build() {
        Ok(verifier) => Some(verifier),
        Err(error) => {
            problems.add(
                "tls.client_ca",
                format!("{} cannot be used: {error}", path.display()),
            );
            None
        }
    }
}

fn bytes(at: &str, path: &Path, problems: &mut Problems) -> Option<Vec<u8>> {
    let size = std::fs::metadata(path).map(|about| about.len());
    let read = match size {
        Ok(size) if size > MAX_FILE => {
            problems.add(
                at,
                format!("{} is larger than {MAX_FILE} bytes", path.display()),
            );
            return None;
        }
        Ok(_) => std::fs::read(path),
        Err(error) => Err(error),
    };
    match read {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            problems.add(at, format!("{} cannot be read: {error}", path.display()));
            None
        }
    }
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

/// Whether users that own nothing of it may read a file.
fn readable_by_others(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let about = std::fs::metadata(path);
        about.is_ok_and(|about| about.permissions().mode() & 0o004 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}
