//! A terminology server of ours that pages, refuses, truncates, hangs and answers nonsense, and what comes
//! of it. It answers for real, over HTTP.
#![cfg(test)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use engine_patient::terminology::{TerminologyBuilder, TerminologyProvider};
use serde_json::{Value, json};
use terminology_fetch::{Asked, FetchError, Folder, LIST, Login, Options, Server};

/// What the server did.
#[derive(Default)]
struct Seen {
    /// Of each request: its query.
    queries: Vec<BTreeMap<String, String>>,
    authorizations: Vec<Option<String>>,
}

type Shared = Arc<Mutex<Seen>>;
type Asking = BTreeMap<String, String>;

fn outcome(code: &str, text: &str) -> String {
    json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code, "diagnostics": text}]})
        .to_string()
}

fn fhir(value: &Value) -> Response {
    (
        [(header::CONTENT_TYPE, "application/fhir+json")],
        value.to_string(),
    )
        .into_response()
}

fn codes(from: usize, to: usize) -> Vec<Value> {
    (from..to)
        .map(|n| json!({"system": "http://loinc.org", "code": format!("{n}-0")}))
        .collect()
}

/// A page of `total` codes.
fn page(url: &str, version: &str, asking: &Asking, total: usize) -> Value {
    let number = |name: &str| asking.get(name).and_then(|n| n.parse::<usize>().ok());
    let offset = number("offset").unwrap_or(0).min(total);
    let end = (offset + number("count").unwrap_or(total)).min(total);
    json!({"resourceType": "ValueSet", "url": url, "version": version, "status": "active", "expansion": {
        "timestamp": "2026-01-01", "total": total, "offset": offset,
        "parameter": [{"name": "count", "valueInteger": number("count")}],
        "contains": codes(offset, end)}})
}

/// `name=value&…` with `%20` and the like.
fn decoded(query: &str) -> Asking {
    let plain = |text: &str| {
        let mut bytes = vec![];
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'%' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                b'+' => b' ',
                byte => byte,
            });
        }
        String::from_utf8(bytes).unwrap()
    };
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (plain(name), plain(value)))
        .collect()
}

fn sent_on(to: &str) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, to.to_owned())]).into_response()
}

/// The same value set of this server under another name of it: `localhost` is not what was asked.
fn other_host(headers: &HeaderMap, scheme: &str, set: &str) -> String {
    let here = headers.get(header::HOST).unwrap().to_str().unwrap();
    let port = here.rsplit(':').next().unwrap();
    format!("{scheme}://localhost:{port}/fhir/ValueSet/$expand?arrived=1&url=http://x/{set}")
}

/// The value sets of the server are called as they behave.
async fn expand(
    State(seen): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let asking = decoded(&query.unwrap_or_default());
    let url = asking.get("url").cloned().unwrap_or_default();
    let offset = asking.get("offset").cloned().unwrap_or_default();
    let before = {
        let mut seen = seen.lock().unwrap();
        let before = seen
            .queries
            .iter()
            .filter(|q| q.get("url") == Some(&url))
            .count();
        seen.queries.push(asking.clone());
        let login = headers
            .get(header::AUTHORIZATION)
            .map(|v| v.to_str().unwrap().to_owned());
        seen.authorizations.push(login);
        before
    };
    let kind = url.rsplit(['/', ':']).next().unwrap_or_default();
    let login = headers
        .get(header::AUTHORIZATION)
        .is_some_and(|v| v == "Basic YXBpa2V5OnMzY3JldA==");
    let refuse =
        |status: u16, body: String| (StatusCode::from_u16(status).unwrap(), body).into_response();
    match kind {
        "pages" | "1.2.3" => fhir(&page(&url, "2026", &asking, 2345)),
        "login" if login => fhir(&page(&url, "1", &asking, 3)),
        "login" => refuse(401, "<html>Unauthorized</html>".into()),
        "versions" => {
            let version = asking.get("valueSetVersion").map_or("7", String::as_str);
            match version {
                "6" | "7" => fhir(&page(&url, version, &asking, 1500)),
                _ => refuse(404, outcome("not-found", "no such version")),
            }
        }
        "changes" if offset == "0" => fhir(&page(&url, "7", &asking, 1500)),
        "changes" => fhir(&page(&url, "8", &asking, 1500)),
        "grows" => fhir(&page(&url, "7", &asking, 1500 + before)),
        "overlaps" => {
            let mut answer = page(&url, "7", &asking, 1500);
            if offset != "0" {
                answer["expansion"]["contains"] = json!(codes(500, 1000));
            }
            fhir(&answer)
        }
        "cut" => {
            let mut answer = page(&url, "7", &asking, 1500);
            if offset != "0" {
                answer["expansion"]["contains"] = json!([]);
            }
            fhir(&answer)
        }
        "stuck" => {
            let mut answer = page(&url, "7", &asking, 1500);
            answer["expansion"]["contains"] = json!(codes(0, 1000));
            answer["expansion"]
                .as_object_mut()
                .unwrap()
                .remove("offset");
            fhir(&answer)
        }
        "limited" => {
            let mut answer = page(&url, "7", &asking, 5);
            answer["expansion"]["extension"] = json!([{"url": "http://hl7.org/fhir/StructureDefinition/valueset-toocostly", "valueBoolean": true}]);
            fhir(&answer)
        }
        "untold" => {
            let mut answer = page(&url, "7", &asking, 2000);
            let expansion = answer["expansion"].as_object_mut().unwrap();
            expansion.remove("total");
            fhir(&answer)
        }
        "unpaged" => {
            let mut answer = page(&url, "7", &Asking::new(), 2500);
            let expansion = answer["expansion"].as_object_mut().unwrap();
            expansion.remove("total");
            expansion.remove("offset");
            fhir(&answer)
        }
        "unpaged-1000" => {
            let mut answer = page(&url, "7", &Asking::new(), 1000);
            let expansion = answer["expansion"].as_object_mut().unwrap();
            expansion.remove("total");
            expansion.remove("offset");
            fhir(&answer)
        }
        "capped" | "capped-unpaged" => {
            // Never more than 500, whatever is asked for, and no total.
            let mut asking = asking;
            asking.insert("count".into(), "500".into());
            if kind == "capped-unpaged" {
                asking.remove("offset");
            }
            let mut answer = page(&url, "7", &asking, 2000);
            let expansion = answer["expansion"].as_object_mut().unwrap();
            expansion.remove("total");
            if kind == "capped-unpaged" {
                expansion.remove("offset");
            }
            fhir(&answer)
        }
        "codeless" => fhir(
            &json!({"resourceType": "ValueSet", "url": url, "expansion": {"contains": [{"display": "x"}]}}),
        ),
        "unsaid" | "said" => {
            let mut answer = page(&url, "7", &asking, 3);
            answer.as_object_mut().unwrap().remove("version");
            if kind == "said" {
                answer["expansion"]["parameter"] =
                    json!([{"name": "used-valueset", "valueUri": format!("{url}|6")}]);
            }
            fhir(&answer)
        }
        "moved" => (
            StatusCode::TEMPORARY_REDIRECT,
            [(
                header::LOCATION,
                "/fhir/ValueSet/$expand?url=http://x/pages",
            )],
        )
            .into_response(),
        kind if kind.starts_with("moved-") && asking.contains_key("arrived") => {
            fhir(&page(&url, "1", &asking, 3))
        }
        "moved-here" => sent_on("$expand?arrived=1&url=http://x/moved-here"),
        "moved-round" => sent_on("$expand?url=http://x/moved-round"),
        "moved-nowhere" => StatusCode::FOUND.into_response(),
        "moved-away" => sent_on(&other_host(&headers, "http", kind)),
        "moved-to-tls" => sent_on(&other_host(&headers, "https", kind)),
        "nested" => fhir(
            &json!({"resourceType": "ValueSet", "url": url, "expansion": {"total": 3, "contains": [
            {"display": "group", "abstract": true, "contains": [
                {"system": "http://loinc.org", "code": "1-0"}, {"system": "http://loinc.org", "code": "2-0"}]}]}}),
        ),
        "busy" if before < 2 => (
            StatusCode::TOO_MANY_REQUESTS,
            [("Retry-After", "7")],
            outcome("throttled", "slow down"),
        )
            .into_response(),
        "busy" => fhir(&page(&url, "7", &asking, 3)),
        "away" => (
            StatusCode::SERVICE_UNAVAILABLE,
            [("Retry-After", "3600")],
            "",
        )
            .into_response(),
        "broken" => refuse(500, outcome("exception", "null\npointer \u{1b}[31m")),
        "costly" => refuse(422, outcome("too-costly", "1,000,000 codes")),
        "empty" => fhir(&page(&url, "7", &asking, 0)),
        "other" => fhir(&page("http://x/another", "7", &asking, 3)),
        "html" => "<html>Sign in</html>".into_response(),
        "json" => "{\"resourceType\": \"ValueSet\", \"expan".into_response(),
        "patient" => fhir(&json!({"resourceType": "Patient"})),
        "unexpanded" => fhir(&json!({"resourceType": "ValueSet", "url": url})),
        "error-200" => outcome("too-costly", "many").into_response(),
        "wrong-code" => fhir(
            &json!({"resourceType": "ValueSet", "url": url, "expansion": {"total": 1, "contains": [{"system": "s", "code": 7}]}}),
        ),
        "hangs" => {
            tokio::time::sleep(Duration::from_secs(30)).await;
            "".into_response()
        }
        _ => refuse(404, outcome("not-found", "no such value set")),
    }
}

/// The server, until the test ends.
struct Running {
    address: String,
    seen: Shared,
    waits: Arc<Mutex<Vec<u64>>>,
    _runtime: tokio::runtime::Runtime,
}

impl Running {
    fn start() -> Running {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let seen = Shared::default();
        let routes = Router::new()
            .route("/fhir/ValueSet/$expand", get(expand))
            .with_state(Arc::clone(&seen));
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let address = format!("http://{}/fhir/", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, routes).await });
        Running {
            address,
            seen,
            waits: Arc::default(),
            _runtime: runtime,
        }
    }

    fn options(&self) -> Options {
        let waits = Arc::clone(&self.waits);
        Options {
            timeout: Duration::from_millis(1500),
            tries: 3,
            wait: Box::new(move |wait| waits.lock().unwrap().push(wait.as_secs())),
            ..Options::default()
        }
    }

    fn server(&self) -> Server {
        Server::new(&self.address, self.options()).unwrap()
    }

    fn error(&self, canonical: &str) -> FetchError {
        self.server().expand(&Asked::of(canonical)).unwrap_err()
    }
}

#[test]
fn pages_become_one_value_set() {
    let running = Running::start();
    for (url, wanted, pages) in [
        ("http://x/pages", 2345, 3),
        ("http://x/untold", 2000, 3),
        ("http://x/unpaged", 2500, 1),
        ("http://x/capped", 2000, 5),
        ("http://x/nested", 2, 1),
    ] {
        let expansion = running.server().expand(&Asked::of(url)).unwrap();
        assert_eq!((expansion.codes, expansion.pages), (wanted, pages), "{url}");
        let text = expansion.resource.to_string();
        let mut builder = TerminologyBuilder::new();
        builder.add_json("f.json", text.as_bytes());
        let (store, issues) = builder.build();
        assert_eq!(issues, [], "{url}");
        let set = store.value_set(url).unwrap();
        assert_eq!((set.len(), set.hash()), (wanted, expansion.hash));
    }
    let seen = running.seen.lock().unwrap();
    assert_eq!(seen.queries[0]["count"], "1000");
    // The version of the first page is asked for with the others.
    assert_eq!(seen.queries[0].get("valueSetVersion"), None);
    assert_eq!(seen.queries[1]["valueSetVersion"], "2026");
    assert_eq!(
        (&*seen.queries[1]["offset"], &*seen.queries[2]["offset"]),
        ("1000", "2000")
    );
}

/// Where the server sends on: to an address that is written in short, in a circle, nowhere, to another host
/// without the key, to an encrypted address.
#[test]
fn redirects() {
    let running = Running::start();
    let login = || Login {
        user: "apikey".into(),
        key: "s3cret".into(),
    };
    let with_login = |url: &str| {
        let options = Options {
            login: Some(login()),
            ..running.options()
        };
        let server = Server::new(&running.address, options).unwrap();
        server.expand(&Asked::of(url))
    };
    let asked = |url: &str| {
        let seen = running.seen.lock().unwrap();
        let all = seen.queries.iter().zip(&seen.authorizations);
        let of = all.filter(|(query, _)| query.get("url").is_some_and(|u| u == url));
        of.map(|(_, login)| login.is_some()).collect::<Vec<_>>()
    };
    assert_eq!(with_login("http://x/moved-here").unwrap().codes, 3);
    assert_eq!(asked("http://x/moved-here").len(), 2);

    // Another host is asked, and does not see the key.
    assert_eq!(with_login("http://x/moved-away").unwrap().codes, 3);
    assert_eq!(asked("http://x/moved-away"), [true, false]);

    let error = with_login("http://x/moved-round").unwrap_err();
    assert!(matches!(error, FetchError::Refused(_)), "{error:?}");
    assert!(error.to_string().contains("without an end"), "{error}");
    // Once round, and not again and again.
    assert!(asked("http://x/moved-round").len() <= 11);

    let error = with_login("http://x/moved-nowhere").unwrap_err();
    assert!(error.to_string().contains("location"), "{error}");
    assert_eq!(asked("http://x/moved-nowhere").len(), 1);

    // There is no such server here: what went wrong is told, without the key.
    let error = with_login("http://x/moved-to-tls").unwrap_err();
    assert!(!error.to_string().contains("s3cret"), "{error}");
    assert!(!asked("http://x/moved-to-tls").is_empty());
}

#[test]
fn versions_are_pinned() {
    let running = Running::start();
    let six = running
        .server()
        .expand(&Asked::of("http://x/versions|6"))
        .unwrap();
    assert_eq!(six.version.as_deref(), Some("6"));
    let newest = running
        .server()
        .expand(&Asked::of("http://x/versions"))
        .unwrap();
    assert_eq!(newest.version.as_deref(), Some("7"));
    let said = running.server().expand(&Asked::of("http://x/said|6"));
    assert_eq!(said.unwrap().version.as_deref(), Some("6"));
    let unsaid = running.server().expand(&Asked::of("http://x/unsaid"));
    assert_eq!(unsaid.unwrap().version, None);
    let none = running.error("http://x/versions|5");
    assert!(
        matches!(&none, FetchError::Unknown(text) if text.contains("no such version")),
        "{none:?}"
    );
}

/// An OID by either of its names, and the file under the one that is looked for.
#[test]
fn an_oid_has_two_names() {
    let running = Running::start();
    for url in [
        "urn:oid:1.2.3",
        "http://cts.nlm.nih.gov/fhir/ValueSet/1.2.3",
    ] {
        let expansion = running.server().expand(&Asked::of(url)).unwrap();
        assert_eq!(expansion.resource["url"], url);
    }
    let unknown = running.error("urn:oid:9.9.9");
    assert!(matches!(unknown, FetchError::Unknown(_)), "{unknown:?}");
    assert_eq!(running.seen.lock().unwrap().queries.len(), 8);
}

#[test]
fn what_is_cut_or_changes_is_refused() {
    let running = Running::start();
    for (kind, wanted) in [
        (
            "cut",
            "it says 1500 codes and gives 1000: the expansion is cut off",
        ),
        (
            "stuck",
            "it says 1500 codes, and gives the same 1000 again: the expansion is cut off",
        ),
        (
            "capped-unpaged",
            "it gives the same page again, and no total: whether its 500 codes are all cannot be told",
        ),
        (
            "codeless",
            "it gives entries without codes, page after page",
        ),
        (
            "unsaid|6",
            "version 6 was asked for, and it does not say which one it gives",
        ),
        ("unpaged-1000", "it gives the same page again, and no total"),
        ("limited", "valueset-toocostly"),
        ("changes", "the version changed while its pages were read"),
        (
            "grows",
            "the number of codes changed while its pages were read",
        ),
        ("overlaps", "its pages overlap in 500 codes"),
        ("empty", "it has no codes"),
        (
            "other",
            "it answers with another value set: `http://x/another`",
        ),
        ("html", "is the address that of the FHIR service?"),
        ("json", "the answer is not JSON, or was cut off"),
        ("patient", "another resource than a ValueSet"),
        ("unexpanded", "a ValueSet without an expansion"),
        (
            "error-200",
            "it has more codes than the server expands (many)",
        ),
        (
            "wrong-code",
            "it cannot be used: expected text, found a number",
        ),
    ] {
        let error = running.error(&format!("http://x/{kind}"));
        assert!(
            matches!(&error, FetchError::Answer(text) if text.contains(wanted)),
            "{kind}: {error}"
        );
        assert!(!error.ends_all());
    }
}

#[test]
fn refusals_in_plain_words() {
    let running = Running::start();
    let costly = running.error("http://x/costly");
    let text = "it has more codes than the server expands (1,000,000 codes)";
    assert!(
        matches!(&costly, FetchError::Refused(t) if t.contains(text)),
        "{costly:?}"
    );
    let missing = running.error("http://x/nothing");
    assert!(
        matches!(&missing, FetchError::Unknown(t) if t.contains("no such value set")),
        "{missing:?}"
    );
    let broken = running.error("http://x/broken");
    let text = "no answer after 3 tries: 500 Internal Server Error: null pointer [31m";
    assert!(
        matches!(&broken, FetchError::Failing(t) if t.contains(text)),
        "{broken:?}"
    );
    // Another value set may go well.
    assert!(!broken.ends_all());
}

#[test]
fn it_waits_as_it_is_asked_to() {
    let running = Running::start();
    let done = running
        .server()
        .expand(&Asked::of("http://x/busy"))
        .unwrap();
    assert_eq!(
        (done.codes, running.waits.lock().unwrap().as_slice()),
        (3, &[7, 7][..])
    );
    let away = running.error("http://x/away");
    assert!(
        matches!(&away, FetchError::Busy(t) if t.contains("wait for 3600 seconds")),
        "{away:?}"
    );
    running.waits.lock().unwrap().clear();
    let hangs = running.error("http://x/hangs");
    assert!(
        matches!(&hangs, FetchError::Busy(t) if t.contains("no answer after 3 tries")),
        "{hangs:?}"
    );
    assert_eq!(running.waits.lock().unwrap().as_slice(), [1, 2]);
    let nobody = Server::new("http://127.0.0.1:1/fhir", running.options()).unwrap();
    let nobody = nobody.expand(&Asked::of("http://x/pages")).unwrap_err();
    assert!(matches!(nobody, FetchError::Busy(_)), "{nobody:?}");
}

#[test]
fn the_key_is_sent_and_never_shown() {
    let running = Running::start();
    let with = |key: &str| {
        let login = Login {
            user: "apikey".into(),
            key: key.into(),
        };
        assert!(!format!("{login:?}").contains(key));
        let options = Options {
            login: Some(login),
            ..running.options()
        };
        Server::new(&running.address, options).unwrap()
    };
    assert_eq!(
        with("s3cret")
            .expand(&Asked::of("http://x/login"))
            .unwrap()
            .codes,
        3
    );
    for server in [with("wr0ng"), running.server()] {
        let error = server.expand(&Asked::of("http://x/login")).unwrap_err();
        assert!(
            matches!(&error, FetchError::Login(t) if t.contains("401")),
            "{error:?}"
        );
        assert!(!format!("{error:?}").contains("wr0ng") && error.ends_all());
    }
    let login = Some(Login {
        user: "apikey".into(),
        key: "s3cret".into(),
    });
    let options = || Options {
        login: login.clone(),
        ..Options::default()
    };
    for (address, wanted) in [
        ("http://terminology.example/fhir", "for all to read"),
        ("ftp://x/fhir", "https://"),
        ("terminology.example", "https://"),
        (
            "https://user:s3cret@x/fhir",
            "does not belong into the address",
        ),
        ("https://x/fhir?apikey=s3cret", "before the `?`"),
        ("http://x/fhir?apikey=s3cret", "before the `?`"),
        ("x/fhir?apikey=s3cret", "before the `?`"),
        ("https://x/fhir#s3cret", "before the `?` or `#`"),
        ("apikey:s3cret@x/fhir", "does not belong into the address"),
        (
            "http://apikey:s3cret@x/fhir",
            "does not belong into the address",
        ),
        (
            "https://apikey:s3c ret/s3cret@x/fhir",
            "does not belong into the address",
        ),
    ] {
        let error = Server::new(address, options()).err().unwrap();
        assert!(
            matches!(&error, FetchError::Address(t) if t.contains(wanted)),
            "{error:?}"
        );
        assert!(!error.to_string().contains("s3cret"));
    }
}

#[test]
fn files_are_kept_and_not_fetched_again() {
    let running = Running::start();
    let dir = tempfile::tempdir().unwrap();
    let asked = [
        Asked::of("http://x/pages"),
        Asked::of("http://y/pages"),
        Asked::of("http://x/versions|6"),
    ];
    let mut folder = Folder::open(dir.path()).unwrap();
    for one in &asked {
        assert_eq!(folder.has(one), None);
        let expansion = running.server().expand(one).unwrap();
        folder
            .keep(one, &expansion, &running.address, "2026-11-29T00:00:00Z")
            .unwrap();
    }
    let again = Folder::open(dir.path()).unwrap();
    let files: Vec<&str> = asked
        .iter()
        .map(|one| again.has(one).unwrap().file.as_str())
        .collect();
    assert_eq!(
        files,
        ["pages-2026.json", "pages-2026-2.json", "versions-6.json"]
    );
    assert_eq!(again.kept().len(), 3);
    assert_eq!(again.kept()[1].at, "2026-11-29T00:00:00Z");
    // A file that was changed is no longer what was fetched.
    let path = dir.path().join("versions-6.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"0-0\"", "\"x\"", 1)).unwrap();
    assert_eq!(again.has(&asked[2]), None);
    // Another version in its place, and no file of the one before.
    let seven = Asked::of("http://x/versions");
    let mut folder = Folder::open(dir.path()).unwrap();
    let mut expansion = running.server().expand(&seven).unwrap();
    folder.keep(&seven, &expansion, "s", "t").unwrap();
    expansion.version = Some("8".into());
    folder.keep(&seven, &expansion, "s", "t").unwrap();
    assert!(!dir.path().join("versions-7.json").exists());
    assert!(dir.path().join("versions-8.json").exists() && path.exists());
    // What is not ours stays.
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("pages-2026.json"), "mine").unwrap();
    let expansion = running.server().expand(&asked[0]).unwrap();
    let mut folder = Folder::open(other.path()).unwrap();
    let error = folder.keep(&asked[0], &expansion, "s", "t").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("was not fetched by this command"),
        "{error}"
    );
    assert_eq!(
        std::fs::read_to_string(other.path().join("pages-2026.json")).unwrap(),
        "mine"
    );
    std::fs::write(other.path().join(LIST), "[]").unwrap();
    assert!(
        Folder::open(other.path())
            .unwrap_err()
            .to_string()
            .contains("not the list of a fetch")
    );
}
