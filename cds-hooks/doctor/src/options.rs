//! What the doctor is told. It reads no clock, file or environment itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::token::Signer;

/// How to examine.
pub struct Options {
    /// The base URL of the service, without `/cds-services`; one with it is taken, too.
    pub url: String,
    /// Signs a token for each request; without it none is sent, and security is not checked.
    pub signer: Option<Signer>,
    /// The origin of a browser client that is configured to be let in.
    pub origin: Option<String>,
    /// A FHIR Bundle with the data of one patient, instead of the patient that is built in.
    pub patient: Option<serde_json::Value>,
    /// Where to listen as a FHIR server that the service may ask; for `None` there is none.
    pub fhir_server: Option<SocketAddr>,
    /// Take any certificate.
    pub insecure: bool,
    /// PEM of certificates to trust beside those of the system.
    pub ca: Option<Vec<u8>>,
    /// PEM of a certificate and its key, for mutual TLS.
    pub identity: Option<Vec<u8>>,
    /// Examine each service with all cases, not only the first of each hook.
    pub every_service: bool,
    /// Within what time 99 of 100 calls are to be answered: 500 ms, which the specification recommends.
    pub good_within: Duration,
    /// Within what time every call has to be answered: 5 s, as Da Vinci CRD has it.
    pub all_within: Duration,
    /// The time in seconds since 1970: of tokens, and of the built-in patient's data.
    pub clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// What the UUIDs of calls and tokens are made from. Another for each run: a service may keep them.
    pub seed: u64,
}

impl Options {
    /// A base URL and nothing else.
    pub fn new(url: &str, clock: Arc<dyn Fn() -> i64 + Send + Sync>, seed: u64) -> Self {
        Options {
            url: url.to_owned(),
            signer: None,
            origin: None,
            patient: None,
            fhir_server: None,
            insecure: false,
            ca: None,
            identity: None,
            every_service: false,
            good_within: Duration::from_millis(500),
            all_within: Duration::from_secs(5),
            clock,
            seed,
        }
    }

    /// The base URL without a slash at its end.
    pub(crate) fn base(&self) -> Result<String, DoctorError> {
        let wrong = || DoctorError::Url(self.url.clone());
        let url = url::Url::parse(self.url.trim()).map_err(|_| wrong())?;
        let plain = url.username().is_empty() && url.password().is_none();
        let bare = url.query().is_none() && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !plain || !bare {
            return Err(wrong());
        }
        let text = url.as_str().trim_end_matches('/');
        let text = text.strip_suffix("/cds-services").unwrap_or(text);
        Ok(text.trim_end_matches('/').to_owned())
    }
}

/// Why there can be no examination.
#[derive(Debug, Error)]
pub enum DoctorError {
    /// The URL.
    #[error(
        "`{0}` is no base URL: write http or https, a host and perhaps a path, as in https://cds.example/r4"
    )]
    Url(String),
    /// A PEM file.
    #[error("{0} has no such PEM: `-----BEGIN …-----`")]
    Pem(&'static str),
    /// A key that signs nothing.
    #[error(
        "the key of tokens is not a private key in PEM: EC (P-384, P-256) or RSA of 2,048 bits or more, PKCS#8 (`BEGIN PRIVATE KEY`)"
    )]
    Key,
    /// The patient.
    #[error("the patient is not a FHIR Bundle with one Patient among its entries")]
    Patient,
    /// The FHIR server of the doctor.
    #[error("cannot listen at {0} as a FHIR server: {1}")]
    Listen(SocketAddr, String),
    /// A service over TLS, where bytes are sent as they are.
    #[error(
        "`{0}`: hostile requests are sent over plain HTTP only; call the service behind its proxy"
    )]
    PlainOnly(String),
    /// Nothing to attack.
    #[error("`{0}` lists no service that could be called: examine it first, without --hostile")]
    NoService(String),
    /// The HTTP client.
    #[error("no HTTP client: {0}")]
    Client(String),
}
