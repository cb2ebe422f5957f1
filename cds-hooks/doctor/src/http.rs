//! One exchange over HTTP, as a client sees it.

use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Certificate, Identity, Method, redirect};

use crate::options::{DoctorError, Options};

/// How long an answer may take before it counts as none.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of an answer that are read.
const LARGEST: usize = 32 << 20;

/// A client of one service.
pub(crate) struct Client {
    inner: reqwest::Client,
}

/// A request.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What came back.
pub(crate) struct Exchange {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) elapsed: Duration,
}

/// An answer, or in words why there is none.
pub(crate) type Came = Result<Exchange, String>;

impl Exchange {
    /// The value of a header; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether it is `application/json`, or another `+json`.
    pub(crate) fn is_json(&self) -> bool {
        let kind = self.header("content-type").to_ascii_lowercase();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_owned();
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
    }

    /// The status and the beginning of the body.
    pub(crate) fn told(&self) -> String {
        let text = crate::check_text(&self.text());
        match text.is_empty() {
            true => self.status.to_string(),
            false => format!("{}: {text}", self.status),
        }
    }
}

/// The status, or 0 where nothing came.
pub(crate) fn status(came: &Came) -> u16 {
    came.as_ref().map_or(0, |exchange| exchange.status)
}

/// What came, in words.
pub(crate) fn told(came: &Came) -> String {
    match came {
        Ok(exchange) => exchange.told(),
        Err(why) => format!("no answer: {why}"),
    }
}

impl Client {
    pub(crate) fn new(options: &Options) -> Result<Self, DoctorError> {
        // Where another part of the program has chosen one, that is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = reqwest::Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(PATIENCE)
            .connect_timeout(Duration::from_secs(10))
            .http1_only()
            .user_agent(concat!("cds-doctor/", env!("CARGO_PKG_VERSION")))
            .tls_danger_accept_invalid_certs(options.insecure);
        if let Some(pem) = &options.ca {
            let certificates = Certificate::from_pem_bundle(pem)
                .map_err(|_| DoctorError::Pem("the file of certificates (--ca)"))?;
            if certificates.is_empty() {
                return Err(DoctorError::Pem("the file of certificates (--ca)"));
            }
            client = client.tls_certs_merge(certificates);
        }
        if let Some(pem) = &options.identity {
            let identity = Identity::from_pem(pem).map_err(|_| {
                DoctorError::Pem("the client's certificate and key (--client-cert)")
            })?;
            client = client.identity(identity);
        }
        let inner = client.build().map_err(|e| DoctorError::Client(chain(&e)))?;
        Ok(Client { inner })
    }

    pub(crate) async fn send(&self, request: Request) -> Came {
        let start = Instant::now();
        let mut sent = self.inner.request(request.method, &request.url);
        for (name, value) in &request.headers {
            sent = sent.header(name, value);
        }
        let sent = sent.body(request.body).send();
        let mut answer = sent.await.map_err(|e| chain(&e.without_url()))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let mut body = vec![];
        while let Some(piece) = answer.chunk().await.map_err(|e| chain(&e.without_url()))? {
            if body.len() + piece.len() > LARGEST {
                return Err(format!("an answer of more than {LARGEST} bytes"));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Exchange {
            status,
            headers,
            body,
            elapsed: start.elapsed(),
        })
    }
}

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
