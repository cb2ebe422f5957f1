//! A server that answers what it is told to, and misbehaves where it is told to. Other tests can take this
//! file by `#[path]`: it needs axum, futures, serde_json and tokio.

#![allow(dead_code, reason = "each binary of tests uses a part of it")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures::StreamExt;
use futures::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A request that came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    /// As it came, without `?`.
    pub query: String,
    pub headers: HeaderMap,
    pub body: String,
    /// The connection it came on.
    pub peer: SocketAddr,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// The values of a parameter, of the query and of a form, decoded.
    pub fn values(&self, name: &str) -> Vec<String> {
        let both = [self.query.as_str(), self.body.as_str()];
        let all = both.iter().flat_map(|text| text.split('&'));
        let pairs = all.filter_map(|pair| pair.split_once('='));
        pairs
            .filter(|(n, _)| *n == name)
            .map(|(_, v)| decoded(v))
            .collect()
    }

    pub fn value(&self, name: &str) -> Option<String> {
        self.values(name).into_iter().next()
    }
}

fn decoded(text: &str) -> String {
    let (mut out, mut bytes) = (vec![], text.bytes());
    while let Some(byte) = bytes.next() {
        let hex = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16)).unwrap_or(0) as u8;
        match byte {
            b'%' => out.push(hex(bytes.next()) * 16 + hex(bytes.next())),
            b'+' => out.push(b' '),
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).unwrap()
}

/// What to answer.
#[derive(Clone)]
pub enum Reply {
    /// As `application/fhir+json`.
    Fhir(u16, Value),
    Raw {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// Nothing, for so long; then the answer.
    Late(Duration, Box<Reply>),
    /// The head at once, and then a byte each of these times, for ever.
    Drip(Duration),
    /// The head and the start of a body, and nothing more.
    Half,
    /// The head and the start of a body, and then the connection is broken off.
    Broken,
    /// This many bytes of a body whose end is not announced.
    Huge(usize),
    /// A body without end, compressed as it says.
    Bomb,
}

impl Reply {
    pub fn ok(value: Value) -> Reply {
        Reply::Fhir(200, value)
    }

    pub fn raw(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Reply {
        Reply::Raw {
            status,
            headers: vec![("content-type", content_type.to_owned())],
            body: body.into(),
        }
    }

    pub fn with(self, name: &'static str, value: &str) -> Reply {
        match self {
            Reply::Raw {
                status,
                mut headers,
                body,
            } => {
                headers.push((name, value.to_owned()));
                Reply::Raw {
                    status,
                    headers,
                    body,
                }
            }
            Reply::Fhir(status, json) => {
                Reply::raw(status, "application/fhir+json", json.to_string()).with(name, value)
            }
            other => other,
        }
    }

    /// An OperationOutcome, with a name in it that must not be repeated.
    pub fn outcome(status: u16, code: &str) -> Reply {
        let issue = json!({"severity": "error", "code": code, "diagnostics": "Smith, John"});
        Reply::Fhir(
            status,
            json!({"resourceType": "OperationOutcome", "issue": [issue]}),
        )
    }

    async fn respond(self) -> Response {
        match self {
            Reply::Fhir(status, json) => fhir_json(status, Body::from(json.to_string())),
            Reply::Raw {
                status,
                headers,
                body,
            } => {
                let mut response = fhir_json(status, Body::from(body));
                response.headers_mut().remove("content-type");
                for (name, value) in headers {
                    response.headers_mut().append(name, value.parse().unwrap());
                }
                response
            }
            Reply::Late(time, then) => {
                tokio::time::sleep(time).await;
                Box::pin(then.respond()).await
            }
            Reply::Drip(every) => {
                let drops = stream::repeat(()).then(move |()| async move {
                    tokio::time::sleep(every).await;
                    Ok::<_, std::io::Error>(Bytes::from_static(b" "))
                });
                fhir_json(200, Body::from_stream(drops))
            }
            Reply::Half => fhir_json(200, Body::from_stream(start().chain(stream::pending()))),
            Reply::Broken => {
                // A moment, so that the start goes out.
                let end = stream::once(async {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Err(std::io::Error::other("broken off"))
                });
                fhir_json(200, Body::from_stream(start().chain(end)))
            }
            Reply::Huge(bytes) => {
                let chunk = Bytes::from(vec![b' '; 64 << 10]);
                let all = stream::iter(vec![chunk; bytes / (64 << 10)]);
                fhir_json(200, Body::from_stream(all.map(Ok::<_, std::io::Error>)))
            }
            Reply::Bomb => {
                let head = Bytes::from_static(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
                let zeros = stream::repeat(Bytes::from(vec![0u8; 64 << 10]));
                let all = stream::iter([head]).chain(zeros);
                let body = Body::from_stream(all.map(Ok::<_, std::io::Error>));
                let mut response = fhir_json(200, body);
                let gzip = "gzip".parse().unwrap();
                response.headers_mut().insert("content-encoding", gzip);
                response
            }
        }
    }
}

fn start() -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> {
    stream::iter([Ok(Bytes::from_static(b"{\"resourceType\":"))])
}

fn fhir_json(status: u16, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    let kind = "application/fhir+json".parse().unwrap();
    response.headers_mut().insert("content-type", kind);
    response
}

/// A server on a port of its own on 127.0.0.1. It ends when it is dropped.
pub struct Server {
    pub port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    most_at_once: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub async fn start(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (answer, log, peak) = (Arc::new(answer), Arc::clone(&seen), Arc::clone(&most));
        let handle = move |ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request| {
            let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
            let (now, peak) = (Arc::clone(&now), Arc::clone(&peak));
            async move {
                peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let _one = Less(now);
                let (head, body) = request.into_parts();
                let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
                let seen = Seen {
                    method: head.method.to_string(),
                    path: head.uri.path().to_owned(),
                    query: head.uri.query().unwrap_or("").to_owned(),
                    headers: head.headers,
                    body: String::from_utf8(body.to_vec()).unwrap(),
                    peer,
                };
                log.lock().unwrap().push(seen.clone());
                answer(&seen).respond().await
            }
        };
        let app = Router::new().fallback(handle);
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Server {
            port,
            seen,
            most_at_once: most,
            task,
        }
    }

    /// `http://127.0.0.1:PORT`
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What came so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Methods, paths and queries of what came so far.
    pub fn lines(&self) -> Vec<String> {
        let line = |seen: &Seen| match seen.query.as_str() {
            "" => format!("{} {}", seen.method, seen.path),
            query => format!("{} {}?{query}", seen.method, seen.path),
        };
        self.seen().iter().map(line).collect()
    }

    /// How many requests were under way at once at most.
    pub fn most_at_once(&self) -> usize {
        self.most_at_once.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Less(Arc<AtomicUsize>);

impl Drop for Less {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A port on 127.0.0.1 that takes connections and resets each as soon as something comes on it; and how many
/// there were.
pub async fn resetting() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            // What came and was not read makes the kernel reset the connection.
            let _ = stream.readable().await;
            drop(stream);
        }
    });
    (port, count)
}

/// A FHIR server with these resources at `/fhir`: reads, and searches by patient, code and `_include`, in
/// pages of `page` entries.
pub fn fhir(resources: Vec<Value>, page: usize) -> impl Fn(&Seen) -> Reply + Send + Sync + 'static {
    move |seen| {
        let base = format!("http://{}/fhir", seen.header("host").unwrap_or(""));
        let path = seen.path.trim_start_matches("/fhir/");
        let parts: Vec<&str> = path.split('/').collect();
        let (ty, id) = match parts.as_slice() {
            [ty] | [ty, "_search"] => (*ty, None),
            [ty, id] => (*ty, Some(*id)),
            _ => return Reply::outcome(404, "not-found"),
        };
        let mut of_type = resources.iter().filter(|r| text(r, "resourceType") == ty);
        match id {
            None => Reply::ok(found(
                &resources,
                &of_type.collect::<Vec<_>>(),
                seen,
                &base,
                page,
            )),
            Some(id) => match of_type.find(|r| text(r, "id") == id) {
                Some(resource) => Reply::ok(resource.clone()),
                None => Reply::outcome(404, "not-found"),
            },
        }
    }
}

fn found(all: &[Value], of_type: &[&Value], seen: &Seen, base: &str, page: usize) -> Value {
    let full = |r: &Value| format!("{base}/{}/{}", text(r, "resourceType"), text(r, "id"));
    let entry = |r: &Value, mode: &str| json!({"fullUrl": full(r), "resource": r, "search": {"mode": mode}});
    let matches: Vec<&&Value> = of_type.iter().filter(|r| is_match(r, seen)).collect();
    let start = seen.value("_page").map_or(0, |p| p.parse().unwrap());
    let asked = seen.value("_count").map(|c| c.parse().unwrap());
    let count = asked.unwrap_or(page);
    let of_page: Vec<&&Value> = matches.iter().skip(start).take(count).copied().collect();
    let mut entries: Vec<Value> = of_page.iter().map(|r| entry(r, "match")).collect();
    for include in seen.values("_include") {
        let element = match include.split(':').nth(1).unwrap_or("") {
            "medication" => "medicationReference".to_owned(),
            other => other.to_owned(),
        };
        for resource in &of_page {
            let named = resource[&element]["reference"].as_str().unwrap_or("?");
            let suffix = format!("/{named}");
            entries.extend(
                all.iter()
                    .filter(|r| full(r).ends_with(&suffix))
                    .map(|r| entry(r, "include")),
            );
        }
    }
    let own = match seen.query.as_str() {
        "" => seen.body.as_str(),
        query => query,
    };
    let bare: Vec<&str> = own
        .split('&')
        .filter(|p| !p.starts_with("_page="))
        .collect();
    let ty = seen
        .path
        .trim_start_matches("/fhir/")
        .trim_end_matches("/_search");
    let own = format!("{base}/{ty}?{}", bare.join("&"));
    let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "self", "url": own}]});
    let next = start + count;
    if asked.is_none() {
        bundle["total"] = matches.len().into();
        if next < matches.len() {
            let link = json!({"relation": "next", "url": format!("{own}&_page={next}")});
            bundle["link"].as_array_mut().unwrap().push(link);
        }
    }
    if !entries.is_empty() {
        bundle["entry"] = entries.into();
    }
    bundle
}

fn text<'v>(resource: &'v Value, member: &str) -> &'v str {
    resource[member].as_str().unwrap_or("")
}

/// By `patient` or another reference to it, and by codes.
fn is_match(resource: &Value, seen: &Seen) -> bool {
    let of = ["patient", "subject", "beneficiary"];
    let id = of.iter().find_map(|p| seen.value(p)).unwrap_or_default();
    let patient = format!("Patient/{}", id.trim_start_matches("Patient/"));
    let named = of
        .iter()
        .any(|m| resource[*m]["reference"] == patient.as_str());
    let coded = [
        ("code", "code"),
        ("code", "medicationCodeableConcept"),
        ("medication", "medicationCodeableConcept"),
        ("vaccine-code", "vaccineCode"),
    ];
    let by_code: Vec<(String, &str)> = coded
        .iter()
        .filter_map(|(p, m)| seen.value(p).map(|v| (v, *m)))
        .collect();
    let fits = |(wanted, member): &(String, &str)| {
        let codings = resource[*member]["coding"].as_array();
        codings.into_iter().flatten().any(|c| {
            let token = format!("{}|{}", text(c, "system"), text(c, "code"));
            wanted.split(',').any(|w| w == token)
        })
    };
    named && (by_code.is_empty() || by_code.iter().any(fits))
}
