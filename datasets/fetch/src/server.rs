//! The server: its address, the login, and how it is asked.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::Agent;
use ureq::config::RedirectAuthHeaders;
use ureq::http::{Response, StatusCode};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use crate::answer::{outcome, said};
use crate::error::FetchError;

/// A user and a key. It shows itself without the key.
#[derive(Clone)]
pub struct Login {
    /// The user; VSAC wants `apikey`.
    pub user: String,
    /// The key, or the password.
    pub key: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// How a server is asked.
pub struct Options {
    /// Sent with every request, over encrypted connections only (or to this machine).
    pub login: Option<Login>,
    /// The certificates to trust (PEM) instead of the usual ones: for servers with a hospital's own.
    pub roots: Option<Vec<u8>>,
    /// Codes on a page.
    pub page: usize,
    /// How long one answer may take.
    pub timeout: Duration,
    /// How often one page is asked for.
    pub tries: u32,
    /// The longest that a server may ask to wait between two tries.
    pub longest_wait: Duration,
    /// Waits.
    pub wait: Box<dyn Fn(Duration) + Send + Sync>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            login: None,
            roots: None,
            page: 1000,
            timeout: Duration::from_secs(120),
            tries: 5,
            longest_wait: Duration::from_secs(300),
            wait: Box::new(std::thread::sleep),
        }
    }
}

/// The most bytes of one answer.
const LARGEST: u64 = 256 << 20;

/// A FHIR terminology server.
pub struct Server {
    /// Without a stroke at the end.
    base: String,
    agent: Agent,
    authorization: Option<String>,
    pub(crate) options: Options,
}

impl Server {
    /// A server at an address, as in `https://cts.nlm.nih.gov/fhir`.
    ///
    /// # Errors
    /// Where the address cannot be used, or a login would be sent for all to read.
    pub fn new(address: &str, options: Options) -> Result<Server, FetchError> {
        let base = address.trim_end_matches('/').to_owned();
        // What may be a login or a key is shown in no text, whatever else is wrong.
        if base.contains('@') {
            let why = "a login does not belong into the address, where others can read it: use --user, and --key-env or --key-file";
            return Err(FetchError::Address(format!(
                "the address of the server: {why}"
            )));
        }
        let shown = base.split(['?', '#']).next().unwrap_or_default();
        let wrong = |why: &str| FetchError::Address(format!("{shown}: {why}"));
        if shown.len() < base.len() {
            return Err(wrong("the address ends before the `?` or `#`"));
        }
        let uri: ureq::http::Uri = base
            .parse()
            .map_err(|_| wrong("this is no address of a server"))?;
        let host = uri.host().unwrap_or_default();
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if options.login.is_some() && !is_this_machine(host) => {
                return Err(wrong(
                    "the key would be sent for all to read; write https://",
                ));
            }
            Some("http") => {}
            _ => return Err(wrong("write the address as https://…")),
        }
        let mut tls = TlsConfig::builder();
        if let Some(pem) = &options.roots {
            tls = tls.root_certs(RootCerts::new_with_certs(&certificates(pem)?));
        }
        let config = Agent::config_builder()
            .tls_config(tls.build())
            .timeout_global(Some(options.timeout))
            .http_status_as_error(false)
            // Never on to an unencrypted address, and the key to no other host.
            .https_only(uri.scheme_str() == Some("https"))
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
            .user_agent(concat!("tandem/", env!("CARGO_PKG_VERSION")))
            .build();
        let authorization = options.login.as_ref().map(|login| {
            let text = format!("{}:{}", login.user, login.key);
            format!("Basic {}", STANDARD.encode(text))
        });
        Ok(Server {
            base,
            agent: Agent::new_with_config(config),
            authorization,
            options,
        })
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.base
    }

    /// Asks once, and again where the server asks for it or the connection breaks.
    pub(crate) fn get(&self, path: &str, query: &[(&str, String)]) -> Result<String, FetchError> {
        let mut pause = Duration::from_secs(1);
        let mut tries = 1;
        loop {
            let (why, asked, of_one) = match self.ask(path, query) {
                Ok(response) => match response.status() {
                    StatusCode::OK => return self.body(response),
                    status if is_passing(status) => {
                        let asked = retry_after(&response);
                        let of_one = matches!(status.as_u16(), 500 | 502 | 504);
                        let why = format!("{status}{}", self.outcome(response));
                        (why, asked, of_one)
                    }
                    status => return Err(self.refused(status, response)),
                },
                Err(e) if is_of_connection(&e) => (said(&e.to_string()), None, false),
                // Its text has the address that was gone on to, and so what was asked with.
                Err(ureq::Error::RequireHttpsOnly(_)) => {
                    let text = "it sends on to an address without encryption: refused";
                    return Err(FetchError::Address(self.about(text)));
                }
                Err(ureq::Error::TooManyRedirects) => {
                    let text = "it sends on from address to address without an end: refused";
                    return Err(FetchError::Refused(self.about(text)));
                }
                Err(e) => return Err(FetchError::Busy(self.about(&said(&e.to_string())))),
            };
            if tries >= self.options.tries {
                let text = self.about(&format!("no answer after {tries} tries: {why}"));
                return Err(match of_one {
                    true => FetchError::Failing(text),
                    false => FetchError::Busy(text),
                });
            }
            let wait = asked.unwrap_or(pause);
            if wait > self.options.longest_wait {
                let text = format!(
                    "{why}; it asks to wait for {} seconds: try again later",
                    wait.as_secs()
                );
                return Err(FetchError::Busy(self.about(&text)));
            }
            (self.options.wait)(wait);
            pause = (pause * 2).min(self.options.longest_wait);
            tries += 1;
        }
    }

    fn ask(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<Response<ureq::Body>, ureq::Error> {
        let mut request = self.agent.get(format!("{}/{path}", self.base));
        for (name, value) in query {
            request = request.query(*name, value);
        }
        request = request.header("Accept", "application/fhir+json");
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        request.call()
    }

    fn body(&self, mut response: Response<ureq::Body>) -> Result<String, FetchError> {
        let body = response
            .body_mut()
            .with_config()
            .limit(LARGEST)
            .read_to_string();
        body.map_err(|e| {
            let text = format!("the answer cannot be read: {}", said(&e.to_string()));
            FetchError::Answer(self.about(&text))
        })
    }

    /// What the server says of its own, after a colon.
    fn outcome(&self, mut response: Response<ureq::Body>) -> String {
        let body = response
            .body_mut()
            .with_config()
            .limit(1 << 20)
            .read_to_string();
        let text = body.ok().and_then(|body| outcome(&body));
        text.map_or(String::new(), |text| format!(": {text}"))
    }

    fn refused(&self, status: StatusCode, response: Response<ureq::Body>) -> FetchError {
        let own = self.outcome(response);
        let text = self.about(&format!("{status}{own}"));
        match status.as_u16() {
            401 | 403 => FetchError::Login(match self.authorization {
                Some(_) => format!(
                    "{text}; the server does not take this login: VSAC wants the user `apikey` and the API key of your UMLS profile"
                ),
                None => format!(
                    "{text}; the server wants a login: name the environment variable (--key-env) or file (--key-file) with the key"
                ),
            }),
            404 | 410 => FetchError::Unknown(text),
            _ => FetchError::Refused(text),
        }
    }

    fn about(&self, text: &str) -> String {
        format!("{}: {text}", self.base)
    }
}

/// What passes if one waits.
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// What may go well another time.
fn is_of_connection(error: &ureq::Error) -> bool {
    use ureq::Error::{ConnectionFailed, HostNotFound, Io, Timeout};
    matches!(error, ConnectionFailed | HostNotFound | Io(_) | Timeout(_))
}

/// The seconds of `Retry-After`; a date is left to our own pauses.
fn retry_after(response: &Response<ureq::Body>) -> Option<Duration> {
    let value = response.headers().get("Retry-After")?;
    let seconds = value.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn is_this_machine(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, FetchError> {
    let mut all = vec![];
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => all.push(certificate),
            Ok(_) => {}
            Err(e) => {
                return Err(FetchError::Address(format!(
                    "the certificates cannot be read: {e}"
                )));
            }
        }
    }
    match all.is_empty() {
        true => Err(FetchError::Address(
            "there is no certificate in the file (PEM: -----BEGIN CERTIFICATE-----)".into(),
        )),
        false => Ok(all),
    }
}
