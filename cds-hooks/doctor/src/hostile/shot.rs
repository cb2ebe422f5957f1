//! The requests of an attack: their kinds, and one of a kind from its number.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};

use super::mutate;
use super::wire::Target;
use crate::judge::discovery::Service;
use crate::play::ACCESS_TOKEN;
use crate::random::Random;
use crate::token::{Claims, Flaw, Signer};

/// How bytes are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Manner {
    Whole,
    /// In pieces, with pauses.
    InDrops,
    /// Nothing more will come.
    HalfClosed,
    /// And the connection is closed at once.
    GoesAway,
}

/// A request, or several on one connection.
pub(super) struct Shot {
    pub(super) kind: &'static str,
    pub(super) bytes: Vec<u8>,
    pub(super) manner: Manner,
    /// Answers that are waited for.
    pub(super) answers: usize,
    /// Whether it must not be answered 2xx.
    pub(super) must_refuse: bool,
}

/// What shots are made of.
pub(super) struct Ammunition {
    /// Services with a good call for each.
    pub(super) calls: Vec<(Service, String)>,
    pub(super) trap: SocketAddr,
    pub(super) target: Target,
    pub(super) signer: Option<Signer>,
    pub(super) clock: Arc<dyn Fn() -> i64 + Send + Sync>,
}

/// What goes into the head of a request.
struct Head<'h> {
    method: &'h str,
    rest: &'h str,
    headers: Vec<(String, String)>,
}

const JSON: (&str, &str) = ("content-type", "application/json");

impl Ammunition {
    /// The shot of this number.
    pub(super) fn shot(&self, number: u64, random: &mut Random) -> Shot {
        match number % 20 {
            0..=3 => self.changed_value(random),
            4 | 5 => self.changed_bytes(random),
            6 => self.odd_text(random),
            7 => self.each_member(number / 20, random),
            8 => self.led_astray(random),
            9 => self.next_page(random),
            10 => self.bad_token(random),
            11 => self.key_set(random),
            12 => self.replay(random),
            13 => self.lengths(random),
            14 => self.chunks(random),
            15 => self.heads(random),
            16 => self.feedback(random),
            17 => self.addresses(random),
            18 => self.pipelined(random),
            _ => match random.below(12) {
                0 => self.huge(random),
                1..=5 => self.slow(random),
                _ => self.media(random),
            },
        }
    }

    /// A good call.
    pub(super) fn good(&self, random: &mut Random) -> Shot {
        let (service, body) = self.pick(random);
        let path = format!("/{}", service.id);
        let bytes = self.post(&path, body.as_bytes(), random);
        shot("good call", bytes)
    }

    fn pick(&self, random: &mut Random) -> (&Service, String) {
        // There is at least one.
        let at = random.below(self.calls.len());
        match self.calls.get(at).or(self.calls.first()) {
            Some((service, body)) => {
                let instance = random.uuid();
                let body = serde_json::from_str::<Value>(body).map(|mut body| {
                    if let Some(members) = body.as_object_mut() {
                        members.insert("hookInstance".to_owned(), json!(instance));
                    }
                    body.to_string()
                });
                (service, body.unwrap_or_default())
            }
            None => (&NOBODY, String::new()),
        }
    }

    fn token(&self, rest: &str, random: &mut Random) -> Option<String> {
        let signer = self.signer.as_ref()?;
        let audience = format!("{}/cds-services{rest}", self.target.base);
        signer.token(&Claims {
            audience: &audience,
            now: (self.clock)(),
            id: random.uuid(),
        })
    }

    /// Headers of a good request: JSON, and a token where there is a key.
    fn good_headers(&self, rest: &str, random: &mut Random) -> Vec<(String, String)> {
        let mut headers = vec![own(JSON)];
        if let Some(token) = self.token(rest, random) {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        headers
    }

    fn post(&self, rest: &str, body: &[u8], random: &mut Random) -> Vec<u8> {
        let headers = self.good_headers(rest, random);
        let head = Head {
            method: "POST",
            rest,
            headers,
        };
        self.request(&head, body, true)
    }

    /// A request with its length; `close` where it is the last of the connection.
    fn request(&self, head: &Head<'_>, body: &[u8], close: bool) -> Vec<u8> {
        let mut text = self.start(head);
        text.push_str(&format!("content-length: {}\r\n", body.len()));
        if close {
            text.push_str("connection: close\r\n");
        }
        text.push_str("\r\n");
        let mut out = text.into_bytes();
        out.extend_from_slice(body);
        out
    }

    /// The request line and headers.
    fn start(&self, head: &Head<'_>) -> String {
        let (path, host) = (&self.target.path, &self.target.host);
        let mut text = format!(
            "{} {path}/cds-services{} HTTP/1.1\r\nhost: {host}\r\n",
            head.method, head.rest
        );
        for (name, value) in &head.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text
    }

    fn changed_value(&self, random: &mut Random) -> Shot {
        let (service, body) = self.pick(random);
        let body = mutate::value(&body, random);
        shot(
            "changed values",
            self.post(&format!("/{}", service.id), body.as_bytes(), random),
        )
    }

    fn changed_bytes(&self, random: &mut Random) -> Shot {
        let (service, body) = self.pick(random);
        let body = mutate::bytes(&body, random);
        shot(
            "changed bytes",
            self.post(&format!("/{}", service.id), &body, random),
        )
    }

    fn odd_text(&self, random: &mut Random) -> Shot {
        let (service, body) = self.pick(random);
        let body = mutate::odd(&body, random);
        shot(
            "odd JSON",
            self.post(&format!("/{}", service.id), &body, random),
        )
    }

    /// Each member of the request and of its context in turn, with each type in turn.
    fn each_member(&self, number: u64, random: &mut Random) -> Shot {
        const MEMBERS: [&str; 19] = [
            "hook",
            "hookInstance",
            "fhirServer",
            "fhirAuthorization",
            "context",
            "prefetch",
            "extension",
            "context.userId",
            "context.patientId",
            "context.encounterId",
            "context.selections",
            "context.draftOrders",
            "context.medications",
            "context.dispatchedOrders",
            "context.performer",
            "context.appointments",
            "context.conditions",
            "context.allergyIntolerance",
            "context.medication",
        ];
        let values = [
            json!(null),
            json!(true),
            json!(-1),
            json!(1.5),
            json!(""),
            json!("x"),
            json!([]),
            json!([[]]),
            json!({}),
            json!({"resourceType": 1}),
            json!({"resourceType": "Bundle", "entry": {"resource": []}}),
            json!(["a", 1, null]),
        ];
        let at = usize::try_from(number).unwrap_or(0);
        let (service, body) = self.pick(random);
        let mut body: Value = serde_json::from_str(&body).unwrap_or_default();
        let name = MEMBERS.get(at % MEMBERS.len()).copied().unwrap_or("hook");
        let value = values
            .get(at / MEMBERS.len() % values.len())
            .cloned()
            .unwrap_or_default();
        let (parent, name) = match name.split_once('.') {
            Some((parent, name)) => (body.get_mut(parent), name),
            None => (Some(&mut body), name),
        };
        if let Some(members) = parent.and_then(Value::as_object_mut) {
            members.insert(name.to_owned(), value);
        }
        let body = body.to_string();
        shot(
            "each member, each type",
            self.post(&format!("/{}", service.id), body.as_bytes(), random),
        )
    }

    /// A FHIR server that nobody has allowed, with data missing that it could be asked for.
    fn led_astray(&self, random: &mut Random) -> Shot {
        let port = self.trap.port();
        let host = match random.below(22) {
            0 => format!("127.0.0.1:{port}"),
            1 => format!("localhost:{port}"),
            2 => format!("127.1:{port}"),
            3 => format!("2130706433:{port}"),
            4 => format!("0x7f000001:{port}"),
            5 => format!("0177.0.0.1:{port}"),
            6 => format!("[::ffff:127.0.0.1]:{port}"),
            7 => format!("[::ffff:7f00:1]:{port}"),
            8 => format!("[::1]:{port}"),
            9 => format!("ehr.example@127.0.0.1:{port}"),
            10 => format!("ehr.example:x@127.0.0.1:{port}"),
            11 => format!("127.0.0.1.:{port}"),
            12 => format!("0.0.0.0:{port}"),
            13 => format!("①②⑦.⓪.⓪.①:{port}"),
            14 => format!("127.0.0.1:{port}#@ehr.example"),
            15 => format!("127.0.0.1:{port}\\@ehr.example"),
            16 => format!("ehr.example\r\nhost: 127.0.0.1:{port}"),
            17 => "169.254.169.254/latest/meta-data".to_owned(),
            18 => "[fd00:ec2::254]".to_owned(),
            19 => "metadata.google.internal".to_owned(),
            20 => "10.0.0.1".to_owned(),
            _ => format!("127.000.000.001:{port}"),
        };
        let scheme = random
            .pick(&["http", "https", "HTTP", "file", "gopher", "ftp"])
            .unwrap_or("http");
        let (service, body) = self.pick(random);
        let mut body: Value = serde_json::from_str(&body).unwrap_or_default();
        if let Some(members) = body.as_object_mut() {
            members.insert(
                "fhirServer".to_owned(),
                json!(format!("{scheme}://{host}/fhir")),
            );
            members.insert("fhirAuthorization".to_owned(), authorization());
            if random.once_in(2) {
                members.remove("prefetch");
            } else if let Some(prefetch) =
                members.get_mut("prefetch").and_then(Value::as_object_mut)
            {
                let keys: Vec<String> = prefetch.keys().cloned().collect();
                prefetch.retain(|key, _| Some(key) == keys.first());
            }
        }
        let body = body.to_string();
        shot(
            "fhirServer elsewhere",
            self.post(&format!("/{}", service.id), body.as_bytes(), random),
        )
    }

    /// Bundles that say that they go on elsewhere, and references to elsewhere.
    fn next_page(&self, random: &mut Random) -> Shot {
        let url = format!(
            "http://127.0.0.1:{}/page?{}",
            self.trap.port(),
            random.below(9)
        );
        let (service, body) = self.pick(random);
        let mut body: Value = serde_json::from_str(&body).unwrap_or_default();
        if let Some(members) = body.as_object_mut() {
            if random.once_in(2) {
                members.insert("fhirServer".to_owned(), json!("https://ehr.example/fhir"));
                members.insert("fhirAuthorization".to_owned(), authorization());
            }
            let prefetch = members.get_mut("prefetch").and_then(Value::as_object_mut);
            for value in prefetch.into_iter().flat_map(|p| p.values_mut()) {
                if let Some(bundle) = value.as_object_mut() {
                    bundle.insert(
                        "link".to_owned(),
                        json!([
                        {"relation": "next", "url": url}, {"relation": "self", "url": url}]),
                    );
                    bundle.insert("total".to_owned(), json!(100_000));
                }
            }
        }
        let body = body.to_string();
        shot(
            "next page elsewhere",
            self.post(&format!("/{}", service.id), body.as_bytes(), random),
        )
    }

    /// Tokens that are none. Where a client's key is known nothing else may be answered than 401.
    fn bad_token(&self, random: &mut Random) -> Shot {
        let (service, body) = self.pick(random);
        let rest = match random.below(3) {
            0 => String::new(),
            1 => format!("/{}/feedback", service.id),
            _ => format!("/{}", service.id),
        };
        let garbage = |random: &mut Random, n: usize| -> String {
            const LETTERS: &[&str] = &["A", "z", "0", "-", "_", ".", "=", "~", "e30", "eyJ", " "];
            (0..n).filter_map(|_| random.pick(LETTERS)).collect()
        };
        let audience = format!("{}/cds-services{rest}", self.target.base);
        let claims = Claims {
            audience: &audience,
            now: (self.clock)(),
            id: random.uuid(),
        };
        let flaw = Flaw::REFUSED
            .get(random.below(Flaw::REFUSED.len()))
            .copied();
        let flawed = self
            .signer
            .as_ref()
            .zip(flaw)
            .and_then(|(s, flaw)| s.flawed(&claims, flaw));
        let n = random.below(200);
        let value = match random.below(11) {
            0 => "Bearer".to_owned(),
            1 => format!("Bearer {}", garbage(random, n)),
            2 => format!("Basic {}", garbage(random, 20)),
            3 => format!("Bearer {}", "a".repeat(random.below(60_000))),
            4 => "Bearer eyJhbGciOiJub25lIn0.e30.".to_owned(),
            5 => "Bearer eyJhbGciOiJIUzI1NiJ9.e30.AAAA".to_owned(),
            6 => format!("Bearer {}", "eyJ.".repeat(random.below(2000))),
            7 => "Bearer \u{e9}\u{fc}".to_owned(),
            _ => format!("Bearer {}", flawed.unwrap_or_else(|| garbage(random, 80))),
        };
        let mut headers = vec![own(JSON), ("authorization".to_owned(), value.clone())];
        if random.once_in(5) {
            headers.push(("authorization".to_owned(), value));
        }
        let method = if rest.is_empty() { "GET" } else { "POST" };
        let bytes = self.request(
            &Head {
                method,
                rest: &rest,
                headers,
            },
            body.as_bytes(),
            true,
        );
        Shot {
            must_refuse: self.signer.is_some(),
            ..shot("bad token", bytes)
        }
    }

    /// Key sets that nobody has listed.
    fn key_set(&self, random: &mut Random) -> Shot {
        let port = self.trap.port();
        let url = match random.below(6) {
            0 => format!("http://127.0.0.1:{port}/jwks.json"),
            1 => format!("https://127.0.0.1:{port}/jwks.json"),
            2 => format!("http://user@127.0.0.1:{port}/"),
            3 => format!("http://[::ffff:127.0.0.1]:{port}/"),
            4 => "file:///etc/passwd".to_owned(),
            _ => "http://169.254.169.254/latest/meta-data/iam".to_owned(),
        };
        let address = format!("{}/cds-services", self.target.base);
        let claims = Claims {
            audience: &address,
            now: (self.clock)(),
            id: random.uuid(),
        };
        let signed = self
            .signer
            .as_ref()
            .and_then(|s| s.with_key_set(&claims, &url));
        let token = signed.unwrap_or_else(|| "eyJhbGciOiJFUzM4NCJ9.e30.AAAA".to_owned());
        let headers = vec![("authorization".to_owned(), format!("Bearer {token}"))];
        let bytes = self.request(
            &Head {
                method: "GET",
                rest: "",
                headers,
            },
            b"",
            true,
        );
        Shot {
            must_refuse: self.signer.is_some(),
            ..shot("jku elsewhere", bytes)
        }
    }

    /// The same request twice, token and all.
    fn replay(&self, random: &mut Random) -> Shot {
        let (service, body) = self.pick(random);
        let rest = format!("/{}", service.id);
        let headers = self.good_headers(&rest, random);
        let head = Head {
            method: "POST",
            rest: &rest,
            headers,
        };
        let mut bytes = self.request(&head, body.as_bytes(), false);
        bytes.extend(self.request(&head, body.as_bytes(), true));
        Shot {
            answers: 2,
            ..shot("replay", bytes)
        }
    }

    /// Lengths that are not what comes.
    fn lengths(&self, random: &mut Random) -> Shot {
        let (service, body) = self.pick(random);
        let rest = format!("/{}", service.id);
        let headers = self.good_headers(&rest, random);
        let start = self.start(&Head {
            method: "POST",
            rest: &rest,
            headers,
        });
        let n = body.len();
        let (length, manner) = match random.below(10) {
            0 => (format!("content-length: {}", n * 2), Manner::HalfClosed),
            1 => (format!("content-length: {}", n / 2), Manner::Whole),
            2 => ("content-length: -1".to_owned(), Manner::Whole),
            3 => (
                format!("content-length: {n}\r\ncontent-length: {}", n + 1),
                Manner::Whole,
            ),
            4 => (
                format!("content-length: {n}\r\ntransfer-encoding: chunked"),
                Manner::HalfClosed,
            ),
            5 => (
                "content-length: 99999999999999999999999".to_owned(),
                Manner::Whole,
            ),
            6 => ("content-length: 0x10".to_owned(), Manner::Whole),
            7 => (format!("content-length: +{n}"), Manner::Whole),
            8 => (
                "expect: 100-continue\r\ncontent-length: 5".to_owned(),
                Manner::Whole,
            ),
            _ => (format!("content-length: {}", n + 10), Manner::GoesAway),
        };
        let bytes = format!("{start}{length}\r\nconnection: close\r\n\r\n{body}").into_bytes();
        Shot {
            manner,
            ..shot("lengths", bytes)
        }
    }

    /// Chunks that are none.
    fn chunks(&self, random: &mut Random) -> Shot {
        let (service, body) = self.pick(random);
        let rest = format!("/{}", service.id);
        let headers = self.good_headers(&rest, random);
        let start = self.start(&Head {
            method: "POST",
            rest: &rest,
            headers,
        });
        let size = format!("{:x}", body.len());
        let chunks = match random.below(11) {
            0 => format!("{size}\r\n{body}\r\n0\r\n\r\n"),
            1 => format!("ffffffffffffffff\r\n{body}"),
            2 => format!("{size}{}\r\n{body}\r\n0\r\n\r\n", "0".repeat(40)),
            3 => format!("zz\r\n{body}\r\n0\r\n\r\n"),
            4 => format!(
                "{size};{}\r\n{body}\r\n0\r\n\r\n",
                "x=y;".repeat(random.below(20_000))
            ),
            5 => format!("{size}\r\n{body}0\r\n\r\n"),
            6 => format!("{size}\n{body}\n0\n\n"),
            7 => format!(
                "{size}\r\n{body}\r\n0\r\n{}\r\n",
                "a: b\r\n".repeat(random.below(2000))
            ),
            8 => {
                body.bytes()
                    .take(3000)
                    .map(|b| format!("1\r\n{}\r\n", char::from(b)))
                    .collect::<String>()
                    + "0\r\n\r\n"
            }
            9 => format!("-{size}\r\n{body}\r\n0\r\n\r\n"),
            _ => body,
        };
        let coding = random.pick(&[
            "chunked",
            "gzip, chunked",
            "chunked, chunked",
            "identity",
            "xchunked",
        ]);
        let coding = coding.unwrap_or("chunked");
        let bytes =
            format!("{start}transfer-encoding: {coding}\r\nconnection: close\r\n\r\n{chunks}");
        Shot {
            manner: Manner::HalfClosed,
            ..shot("chunks", bytes.into_bytes())
        }
    }

    /// Heads that are none, or too many.
    fn heads(&self, random: &mut Random) -> Shot {
        let (service, body) = self.pick(random);
        let (host, path) = (&self.target.host, &self.target.path);
        let line = format!("POST {path}/cds-services/{} HTTP/1.1", service.id);
        let rest = format!(
            "content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let n = 1 + random.below(400);
        let text = match random.below(14) {
            0 => format!("{line}\r\n{rest}"),
            1 => format!("{line}\r\nhost: {host}\r\nhost: other\r\n{rest}"),
            2 => format!("{line}\r\nhost: {host}\r\n{}{rest}", "x-a: b\r\n".repeat(n)),
            3 => format!(
                "{line}\r\nhost: {host}\r\nx-long: {}\r\n{rest}",
                "y".repeat(n * 300)
            ),
            4 => format!("{line}\r\nhost: {host}\r\nx-nul: a\0b\r\n{rest}"),
            5 => format!("{line}\r\nhost : {host}\r\n{rest}"),
            6 => format!("{line}\r\nhost: {host}\r\n folded\r\n{rest}"),
            7 => format!(
                "POST {path}/cds-services/{} HTTP/9.9\r\nhost: {host}\r\n{rest}",
                "z".repeat(n * 200)
            ),
            8 => format!(
                "{} {path}/cds-services HTTP/1.1\r\nhost: {host}\r\n\r\n",
                "M".repeat(n)
            ),
            9 => format!("GET {path}/cds-services\r\n\r\n"),
            10 => "\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n".to_owned(),
            11 => "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}".to_owned() + &"\0".repeat(n),
            12 => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
            _ => format!(
                "GET http://169.254.169.254/ HTTP/1.1\r\nhost: 169.254.169.254\r\nx-forwarded-host: {host}\r\nconnection: close\r\n\r\n"
            ),
        };
        Shot {
            manner: Manner::HalfClosed,
            ..shot("heads", text.into_bytes())
        }
    }

    fn feedback(&self, random: &mut Random) -> Shot {
        let (service, _) = self.pick(random);
        let entry = |random: &mut Random| {
            json!({"card": random.uuid(), "outcome": "accepted",
            "outcomeTimestamp": "2026-11-30T12:00:00Z", "acceptedSuggestions": [{"id": random.uuid()}],
            "overrideReason": {"reason": {"code": "a", "system": "b"}, "userComment": "c"}})
        };
        let many = 1 + random.below(30);
        let entries: Vec<Value> = (0..many).map(|_| entry(random)).collect();
        let body = json!({"feedback": entries}).to_string();
        let body = match random.below(3) {
            0 => mutate::bytes(&body, random),
            1 => mutate::odd(&body, random),
            _ => mutate::value(&body, random).into_bytes(),
        };
        shot(
            "feedback",
            self.post(&format!("/{}/feedback", service.id), &body, random),
        )
    }

    /// Addresses that are not there, or should not be open.
    fn addresses(&self, random: &mut Random) -> Shot {
        let long = "a".repeat(random.below(9000));
        let own = format!("/{}/explain/{}", self.pick(random).0.id, random.uuid());
        let all: [&str; 16] = [
            "/../../../etc/passwd",
            "/%2e%2e%2f%2e%2e%2f",
            "/%00",
            "/%ff%fe",
            "/..;/admin",
            "//",
            "/?",
            "/%",
            "/a%0d%0ax: y",
            "/\u{1f600}",
            "/explain",
            "/../admin/reload",
            "/../metrics",
            "/x/feedback/../..",
            &long,
            &own,
        ];
        let rest = random.pick(&all).unwrap_or("/");
        let method = random.pick(&[
            "GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "HEAD",
        ]);
        let headers = match random.once_in(2) {
            true => self.good_headers(rest, random),
            false => vec![],
        };
        let head = Head {
            method: method.unwrap_or("GET"),
            rest,
            headers,
        };
        let bytes = self.request(&head, b"{}", true);
        Shot {
            manner: Manner::HalfClosed,
            ..shot("addresses", bytes)
        }
    }

    /// Several requests before the first answer is read.
    fn pipelined(&self, random: &mut Random) -> Shot {
        let many = 2 + random.below(30);
        let mut bytes = vec![];
        for n in 0..many {
            let (service, body) = self.pick(random);
            let rest = format!("/{}", service.id);
            let headers = self.good_headers(&rest, random);
            let body = match random.once_in(3) {
                true => mutate::bytes(&body, random),
                false => body.into_bytes(),
            };
            let head = Head {
                method: "POST",
                rest: &rest,
                headers,
            };
            bytes.extend(self.request(&head, &body, n + 1 == many));
        }
        Shot {
            answers: many,
            manner: Manner::HalfClosed,
            ..shot("pipelined", bytes)
        }
    }

    /// A body of megabytes.
    fn huge(&self, random: &mut Random) -> Shot {
        let (service, body) = self.pick(random);
        let size = (1 + random.below(24)) << 20;
        let filler = match random.below(3) {
            0 => " ".repeat(size),
            1 => format!("\"big\":\"{}\",", "x".repeat(size)),
            _ => format!("\"big\":[{}1],", "1,".repeat(size / 2)),
        };
        let body = match filler.starts_with(' ') {
            true => format!("{body}{filler}"),
            false => body.replacen('{', &format!("{{{filler}"), 1),
        };
        shot(
            "huge body",
            self.post(&format!("/{}", service.id), body.as_bytes(), random),
        )
    }

    /// Bytes that come slowly, or not to the end.
    fn slow(&self, random: &mut Random) -> Shot {
        let (service, body) = self.pick(random);
        let mut bytes = self.post(&format!("/{}", service.id), body.as_bytes(), random);
        let manner = match random.below(3) {
            0 => {
                bytes.truncate(random.below(bytes.len()));
                Manner::GoesAway
            }
            1 => {
                bytes.truncate(random.below(bytes.len()));
                Manner::HalfClosed
            }
            _ => Manner::InDrops,
        };
        Shot {
            manner,
            ..shot("slow or cut short", bytes)
        }
    }

    /// Media types and codings that are not JSON.
    fn media(&self, random: &mut Random) -> Shot {
        let (service, body) = self.pick(random);
        let rest = format!("/{}", service.id);
        let kind = random.pick(&[
            "text/plain",
            "application/xml",
            "multipart/form-data; boundary=x",
            "application/json; charset=utf-16",
            "application/json;;;=",
            "",
            "application/fhir+json",
            "*/*",
            "application/json, text/html",
        ]);
        let coding = random
            .pick(&["identity", "gzip", "deflate, gzip", "br", "x"])
            .unwrap_or("gzip");
        let mut headers = vec![(
            "content-type".to_owned(),
            kind.unwrap_or_default().to_owned(),
        )];
        if random.once_in(2) {
            headers.push(("content-encoding".to_owned(), coding.to_owned()));
        }
        if let Some(token) = self.token(&rest, random) {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        let head = Head {
            method: "POST",
            rest: &rest,
            headers,
        };
        shot("media types", self.request(&head, body.as_bytes(), true))
    }
}

/// For a list of services that is never empty.
static NOBODY: Service = Service {
    id: String::new(),
    hook: String::new(),
    prefetch: Vec::new(),
};

fn shot(kind: &'static str, bytes: Vec<u8>) -> Shot {
    Shot {
        kind,
        bytes,
        manner: Manner::Whole,
        answers: 1,
        must_refuse: false,
    }
}

fn own((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn authorization() -> Value {
    json!({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 300,
        "scope": "patient/*.rs", "subject": "doctor", "patient": "doctor-p1"})
}
