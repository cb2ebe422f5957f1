//! The guarded client: the one way out.

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue,
    LOCATION, RETRY_AFTER,
};
use url::Url;

use crate::allowed::Allowed;
use crate::body::{self, Budget, Stopped};
use crate::counters::{Counters, Counts};
use crate::failure::{Failure, Family};
use crate::limits::Limits;
use crate::resolve::{NoAddress, RefusedAddress, Resolver};
use crate::secret::Secret;
use crate::site::Site;
use crate::tls_words;
use crate::trust::Machine;

/// Calls origins that were configured, and nothing else.
///
/// - An origin is compared as a whole: scheme, host and port. User information in a URL is refused.
/// - Each connection looks its name up and checks all addresses of the answer; the address that was
///   checked is the one connected to. A host that is written as an address, in whatever spelling, is
///   checked, too.
/// - No proxy of the environment, no cookies, no referrer, no redirect but those that an origin was
///   allowed to make to itself, no decompression, HTTP/1.1 only.
/// - Connections are kept for the next call; a token is part of one request only.
///
/// Cheap to clone; the clones share connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    sites: HashMap<String, Site>,
    limits: Limits,
    /// Bytes that answers may still have.
    buffer: AtomicUsize,
    /// Of calls to no origin that is configured.
    elsewhere: Counters,
}

/// One request, other than a plain GET.
pub(crate) struct Request<'a> {
    pub(crate) url: Url,
    pub(crate) accept: &'static str,
    pub(crate) bearer: Option<&'a Secret>,
    /// Sent as `application/x-www-form-urlencoded`, by POST.
    pub(crate) form: Option<String>,
    /// A redirect must stay under this path.
    pub(crate) under: &'a str,
    pub(crate) max_bytes: usize,
    pub(crate) budget: Option<&'a Budget<'a>>,
    pub(crate) deadline: Instant,
}

/// An answer that came in full, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case, without parameters; empty where there is none.
    pub(crate) content_type: String,
    /// Seconds. A date there is passed over.
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// A client for these origins. The look-up of names is [`crate::System`] but in tests.
    ///
    /// # Errors
    ///
    /// All that is wrong with the origins, in plain words, one text each with the origin in front.
    pub fn new(
        allowed: &[Allowed],
        limits: Limits,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self, Vec<String>> {
        let (mut sites, mut wrong) = (HashMap::new(), vec![]);
        let machine = Machine::default();
        for origin in allowed {
            match Site::new(origin, &limits, Arc::clone(&resolver), &machine) {
                Ok(site) => {
                    let name = site.origin.clone();
                    if sites.insert(name, site).is_some() {
                        wrong.push(format!("`{}`: named twice", origin.origin));
                    }
                }
                Err(what) => wrong.push(format!("`{}`: {what}", origin.origin)),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Client(Arc::new(Inner {
            sites,
            buffer: AtomicUsize::new(limits.max_buffered),
            limits,
            elsewhere: Counters::default(),
        })))
    }

    /// What became of the calls so far, by origin, in their order; then of those to other addresses, under the
    /// name `other`.
    pub fn counts(&self) -> Vec<(String, Counts)> {
        let sites = self.0.sites.iter();
        let mut all: Vec<_> = sites
            .map(|(name, site)| (name.clone(), site.counters.read()))
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all.push(("other".to_owned(), self.0.elsewhere.read()));
        all
    }

    /// Whether a URL could be called: it is one, and its origin is configured.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn check(&self, url: &str) -> Result<(), Failure> {
        let url = self.parse(url)?;
        self.site(&url)?.check_literal(&url)
    }

    /// The body of a GET that was answered with 200, such as a key set.
    ///
    /// # Errors
    ///
    /// The address is not allowed, the server not reached, late (`deadline`), answered otherwise, or with
    /// more than `max_bytes`.
    pub async fn get_bytes(
        &self,
        url: &str,
        deadline: Instant,
        max_bytes: usize,
    ) -> Result<Bytes, Failure> {
        let url = self
            .parse(url)
            .inspect_err(|failure| self.0.elsewhere.add(Some(failure.family)))?;
        let answer = self
            .send(Request {
                url: url.clone(),
                accept: "application/json",
                bearer: None,
                form: None,
                under: "/",
                max_bytes,
                budget: None,
                deadline,
            })
            .await?;
        if answer.status != 200 {
            let origin = url.origin().ascii_serialization();
            let family = Family::Status(answer.status);
            return Err(Failure::at(&origin, family, status_text(answer.status)));
        }
        Ok(answer.body.into())
    }

    /// A URL as text. What the parser would mend in silence is refused.
    pub(crate) fn parse(&self, text: &str) -> Result<Url, Failure> {
        let refuse = |why: &str| Failure::new(Family::NotAllowed, format!("the address {why}"));
        if text.len() > self.0.limits.max_url {
            return Err(refuse("is too long"));
        }
        let odd = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
        if text.contains(odd) {
            return Err(refuse(
                "has white space, a control character or a backslash in it",
            ));
        }
        let mut url = Url::parse(text).map_err(|e| refuse(&format!("is no absolute URL ({e})")))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(refuse("is neither `https` nor `http`"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("has user information in it"));
        }
        url.set_fragment(None);
        Ok(url)
    }

    /// A budget of this many bytes, as far as there are any left.
    pub(crate) fn budget(&self, bytes: usize) -> Budget<'_> {
        Budget::new(bytes, &self.0.buffer)
    }

    fn site(&self, url: &Url) -> Result<&Site, Failure> {
        let origin = url.origin().ascii_serialization();
        self.0.sites.get(&origin).ok_or_else(|| {
            let origin: String = origin.chars().take(100).collect();
            let text = "is none of the origins that may be called";
            Failure::new(Family::NotAllowed, format!("{origin} {text}"))
        })
    }

    /// Sends a request; counts what becomes of it.
    pub(crate) async fn send(&self, request: Request<'_>) -> Result<Answer, Failure> {
        let site = self
            .site(&request.url)
            .inspect_err(|failure| self.0.elsewhere.add(Some(failure.family)))?;
        let end = self.follow(site, request).await;
        let family = match &end {
            Ok(answer) if answer.status == 200 => None,
            Ok(answer) => Some(Family::Status(answer.status)),
            Err(failure) => Some(failure.family),
        };
        site.counters.add(family);
        end
    }

    /// Sends, and follows redirects on the origin as far as that is allowed there.
    async fn follow(&self, site: &Site, mut request: Request<'_>) -> Result<Answer, Failure> {
        site.check_literal(&request.url)?;
        let _turn = site.turn(request.deadline).await?;
        let mut left = site.redirects;
        loop {
            let answer = self.once(site, &request).await?;
            let status = answer.status().as_u16();
            let moved = matches!(status, 301 | 302 | 303 | 307 | 308);
            if !moved || left == 0 || request.form.is_some() {
                return self.finish(site, &request, answer).await;
            }
            left -= 1;
            request.url = target(site, &request, answer.headers())?;
        }
    }

    /// The head of one answer.
    async fn once(&self, site: &Site, request: &Request<'_>) -> Result<reqwest::Response, Failure> {
        let method = match request.form {
            Some(_) => Method::POST,
            None => Method::GET,
        };
        // A connection that was kept may have been closed while we wrote. A read may be repeated.
        let mut again = true;
        loop {
            let mut call = site
                .http
                .request(method.clone(), request.url.clone())
                .header(ACCEPT, request.accept)
                .header(ACCEPT_ENCODING, "identity");
            if let Some(secret) = request.bearer {
                call = call.header(AUTHORIZATION, bearer(site, secret)?);
            }
            if let Some(form) = &request.form {
                call = call
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(form.clone());
            }
            let sent = tokio::time::timeout_at(request.deadline.into(), call.send()).await;
            match sent {
                Err(_) => return Err(late(site)),
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error))
                    if again
                        && error.is_request()
                        && !error.is_connect()
                        && !error.is_timeout() =>
                {
                    again = false;
                }
                Ok(Err(error)) => return Err(broken(site, &error)),
            }
        }
    }

    async fn finish(
        &self,
        site: &Site,
        request: &Request<'_>,
        answer: reqwest::Response,
    ) -> Result<Answer, Failure> {
        let headers = answer.headers();
        let text = |name| {
            headers
                .get(name)
                .and_then(|v: &HeaderValue| v.to_str().ok())
        };
        let encoding = text(CONTENT_ENCODING).unwrap_or("identity");
        if !encoding.eq_ignore_ascii_case("identity") {
            let why = "the answer is compressed, which we had not asked for";
            return Err(Failure::at(&site.origin, Family::NotJson, why));
        }
        let content_type = text(CONTENT_TYPE).unwrap_or("");
        let content_type = content_type.split(';').next().unwrap_or("");
        let content_type = content_type.trim().to_ascii_lowercase();
        let retry_after = text(RETRY_AFTER).and_then(|s| s.trim().parse().ok());
        let status = answer.status().as_u16();
        let body = body::read(answer, &site.origin, request.max_bytes, request.budget);
        let body = match tokio::time::timeout_at(request.deadline.into(), body).await {
            Err(_) => return Err(late(site)),
            Ok(Err(Stopped::TooMuch(failure))) => return Err(failure),
            Ok(Err(Stopped::Broken(error))) => return Err(broken(site, &error)),
            Ok(Ok(body)) => body,
        };
        Ok(Answer {
            status,
            content_type,
            retry_after,
            body,
        })
    }
}

/// The longest access token, in bytes: no server takes a header of more. Each request has its own copy.
const MAX_TOKEN: usize = 64 << 10;

fn bearer(site: &Site, secret: &Secret) -> Result<HeaderValue, Failure> {
    if secret.reveal().len() > MAX_TOKEN {
        let why = format!("the access token has more than {MAX_TOKEN} bytes");
        return Err(Failure::at(&site.origin, Family::NotAsked, why));
    }
    let value = HeaderValue::from_str(&format!("Bearer {}", secret.reveal()));
    let mut value = value.map_err(|_| {
        let why = "the access token has characters that no header can have";
        Failure::at(&site.origin, Family::NotAsked, why)
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Where a redirect leads: on the same origin, under the same path.
fn target(site: &Site, request: &Request<'_>, headers: &HeaderMap) -> Result<Url, Failure> {
    let location = headers.get(LOCATION).and_then(|v| v.to_str().ok());
    let url = location.and_then(|l| request.url.join(l).ok());
    let same = url.filter(|url| {
        url.origin() == request.url.origin()
            && url.path().starts_with(request.under)
            && url.username().is_empty()
            && url.password().is_none()
    });
    same.ok_or_else(|| {
        let why = "it redirects to another place, which is not followed";
        Failure::at(&site.origin, Family::NotAllowed, why)
    })
}

fn late(site: &Site) -> Failure {
    let why = "no full answer by the deadline";
    Failure::at(&site.origin, Family::TimedOut, why)
}

/// What broke a call, in our words: those of the libraries may hold the URL.
fn broken(site: &Site, error: &reqwest::Error) -> Failure {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    let mut why: Option<String> = None;
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<RefusedAddress>() {
            return Failure::at(&site.origin, Family::NotAllowed, refused);
        }
        if let Some(nothing) = error.downcast_ref::<NoAddress>() {
            why = Some(nothing.to_string());
        } else if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            why = Some(tls_words::said(tls));
        } else if let Some(io) = error.downcast_ref::<io::Error>() {
            why = why.or_else(|| io_text(io.kind()));
            // What an `io::Error` wraps is not its `source`.
            cause = io.get_ref().map(|inner| inner as &(dyn Error + 'static));
            continue;
        }
        cause = error.source();
    }
    if error.is_timeout() {
        return Failure::at(&site.origin, Family::TimedOut, "no connection in time");
    }
    let other = if error.is_connect() {
        "no connection could be made"
    } else {
        "the connection broke before the end of the answer"
    };
    let why = why.unwrap_or_else(|| other.to_owned());
    Failure::at(&site.origin, Family::Unreachable, why)
}

fn io_text(kind: io::ErrorKind) -> Option<String> {
    let text = match kind {
        io::ErrorKind::ConnectionRefused => "it refuses connections",
        io::ErrorKind::ConnectionReset => "it broke off the connection",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "no way leads to it",
        _ => return None,
    };
    Some(text.to_owned())
}

/// What a status means for whoever runs the service.
pub(crate) fn status_text(status: u16) -> String {
    let meaning = match status {
        301 | 302 | 303 | 307 | 308 => " (a redirect, which is not followed)",
        400 => " (it does not understand the request)",
        401 => " (the access token is not accepted)",
        403 => " (the access token does not allow it)",
        404 => " (not found)",
        410 => " (deleted)",
        429 => " (too many requests)",
        500..=599 => " (an error of the server)",
        _ => "",
    };
    format!("answered with status {status}{meaning}")
}
