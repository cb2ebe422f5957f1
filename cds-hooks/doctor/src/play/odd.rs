//! A client that sends what is no request at all: broken JSON, other media types, other methods, other
//! addresses, and very much.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Doctor, as_found, is_answered, is_failure, is_known_or_unknown, is_refusal};
use crate::chart::kind;
use crate::check::{BIG_BODY, DEEP, MEDIA_TYPES, MEDIA_WRONG, METHODS, NOT_JSON, UNKNOWN_SERVICE};
use crate::http::{status, told};
use crate::judge::discovery::Service;

/// Resources of a large call.
const MANY: usize = 3000;

/// Bytes of a body that is larger than any call.
const HUGE: usize = 40 << 20;

impl Doctor<'_> {
    /// All of it, for one service.
    pub(crate) async fn odd_client(&mut self, service: &Service) {
        self.not_json(service).await;
        self.deep(service).await;
        self.media_types(service).await;
        self.methods(service).await;
        self.big(service).await;
    }

    async fn not_json(&mut self, service: &Service) {
        let good = self.call(service, &as_found).body.to_string();
        let half = good.get(..good.len() / 2).unwrap_or_default().to_owned();
        let cases: Vec<(&str, Vec<u8>)> = vec![
            ("no body", vec![]),
            ("white space", b"  \n".to_vec()),
            ("half a call", half.into_bytes()),
            (
                "a comma too many",
                b"{\"hook\": \"patient-view\",}".to_vec(),
            ),
            ("a list", b"[]".to_vec()),
            ("null", b"null".to_vec()),
            ("a text", b"\"patient-view\"".to_vec()),
            ("a number", b"1".to_vec()),
            ("a form", b"hook=patient-view&hookInstance=1".to_vec()),
            ("XML", b"<hook>patient-view</hook>".to_vec()),
            (
                "bytes that are no UTF-8",
                b"{\"hook\": \"\xff\xfe\"}".to_vec(),
            ),
            ("two documents", b"{} {}".to_vec()),
        ];
        for (what, body) in cases {
            let came = self.post_bytes(&format!("/{}", service.id), body).await;
            let place = format!("POST {}: {what}", service.id);
            self.book
                .judge(&NOT_JSON, is_refusal(&came), &place, || told(&came));
        }
    }

    async fn deep(&mut self, service: &Service) {
        let good = self.call(service, &as_found).body.to_string();
        let with = |member: &str| good.replacen('{', &format!("{{{member},"), 1).into_bytes();
        let nested = |n: usize| format!("\"deep\":{}{}", "[".repeat(n), "]".repeat(n));
        let objects = |n: usize| format!("\"deep\":{}1{}", "{\"a\":".repeat(n), "}".repeat(n));
        let cases: Vec<(&str, Vec<u8>)> = vec![
            ("100,000 lists in each other", with(&nested(100_000))),
            ("100,000 objects in each other", with(&objects(100_000))),
            ("200 lists in each other", with(&nested(200))),
            (
                "a number of 10,000 digits",
                with(&format!("\"n\":{}", "9".repeat(10_000))),
            ),
            ("the number 1e999999", with("\"n\":1e999999")),
            ("half of a surrogate pair", with(r#""s":"\ud800""#)),
            ("a text with U+0000", with(r#""s":"\u0000""#)),
            ("a member that occurs twice", with(r#""x":1,"x":2"#)),
            (
                "`hook` twice",
                with(&format!("\"hook\":{}", json!(service.hook))),
            ),
            (
                "a name of 100,000 characters",
                with(&format!("\"{}\":1", "n".repeat(100_000))),
            ),
            (
                "a byte order mark",
                [b"\xef\xbb\xbf", good.as_bytes()].concat(),
            ),
        ];
        for (what, body) in cases {
            let came = self.post_bytes(&format!("/{}", service.id), body).await;
            let place = format!("POST {}: {what}", service.id);
            self.book
                .judge(&DEEP, !is_failure(&came), &place, || told(&came));
        }
    }

    async fn media_types(&mut self, service: &Service) {
        let address = self.address(&format!("/{}", service.id));
        for kind in [
            "application/json; charset=utf-8",
            "Application/JSON",
            "application/json;charset=UTF-8",
        ] {
            let call = self.call(service, &as_found);
            let headers = [("content-type", kind), ("accept", "application/json")];
            let body = call.body.to_string().into_bytes();
            let came = self.send(Method::POST, &address, &headers, body).await;
            let fits = is_answered(&came) || (!call.whole && status(&came) == 412);
            self.book.judge(&MEDIA_TYPES, fits, kind, || told(&came));
        }
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/xml",
            "nonsense",
        ] {
            let body = self.call(service, &as_found).body.to_string().into_bytes();
            let headers = [("content-type", kind)];
            let came = self.send(Method::POST, &address, &headers, body).await;
            self.book
                .judge(&MEDIA_WRONG, is_refusal(&came), kind, || told(&came));
        }
    }

    async fn methods(&mut self, service: &Service) {
        let address = self.address(&format!("/{}", service.id));
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
            let place = format!("{method} {}", service.id);
            let came = self.send(method, &address, &[], vec![]).await;
            self.book
                .judge(&METHODS, is_refusal(&came), &place, || told(&came));
        }
        let discovery = self.address("");
        let came = self
            .send(Method::POST, &discovery, &[], b"{}".to_vec())
            .await;
        self.book
            .judge(&METHODS, is_refusal(&came), "POST /cds-services", || {
                told(&came)
            });
        for address in [address, discovery] {
            let came = self.send(Method::OPTIONS, &address, &[], vec![]).await;
            let place = format!("OPTIONS {address}");
            self.book
                .judge(&METHODS, !is_failure(&came), &place, || told(&came));
        }
    }

    /// A call with thousands of resources.
    async fn big(&mut self, service: &Service) {
        let many = |template: &str, found: Value| {
            if !template.contains('?') {
                return Some(found);
            }
            let entries = found.get("entry").and_then(Value::as_array).cloned();
            let entries = entries.unwrap_or_default();
            let mut all = vec![];
            for (n, entry) in entries.iter().cycle().take(MANY).enumerate() {
                let mut entry = entry.clone();
                // Copies of what is there, each with its own id.
                if n >= entries.len()
                    && let Some(resource) = entry.get_mut("resource")
                    && kind(resource) != "Medication"
                    && let Some(members) = resource.as_object_mut()
                {
                    members.insert("id".to_owned(), json!(format!("doctor-many-{n}")));
                }
                if n < entries.len() || !entry.to_string().contains("\"Medication\"") {
                    all.push(entry);
                }
            }
            let mut bundle = json!({"resourceType": "Bundle", "type": "searchset"});
            if let (Some(members), false) = (bundle.as_object_mut(), all.is_empty()) {
                members.insert("entry".to_owned(), Value::Array(all));
            }
            Some(bundle)
        };
        let call = self.call(service, &many);
        let place = format!("POST {}: {} bytes", service.id, call.body.to_string().len());
        let (came, _) = self.cards(&call, &place).await;
        let fits = is_known_or_unknown(&came) || status(&came) == 413;
        self.book.judge(&BIG_BODY, fits, &place, || told(&came));
    }

    /// A body that is larger than any call.
    pub(crate) async fn huge(&mut self, service: &Service) {
        let mut body = self.call(service, &as_found).body.to_string().into_bytes();
        body.extend(std::iter::repeat_n(b' ', HUGE));
        let came = self.post_bytes(&format!("/{}", service.id), body).await;
        // Who refuses early may end the connection before all is sent: that is no failure.
        let cut = came
            .as_ref()
            .err()
            .is_some_and(|why| !why.contains("timed out"));
        let fits = cut || !is_failure(&came) || status(&came) == 503;
        let place = format!("POST {}: {} MiB", service.id, HUGE >> 20);
        self.book.judge(&BIG_BODY, fits, &place, || told(&came));
    }

    /// Services that are not there.
    pub(crate) async fn wrong_addresses(&mut self, service: &Service) {
        let call = self.call(service, &as_found).body;
        for rest in [
            "/doctor-no-such-service",
            "/doctor-no-such-service/feedback",
            "/%2e%2e%2fetc%2fpasswd",
            "/%ff",
            "/doctor%00",
        ] {
            let came = self.post(rest, &call).await;
            let place = format!("POST /cds-services{rest}");
            let fits = match rest.contains('%') {
                true => is_refusal(&came),
                false => status(&came) == 404,
            };
            self.book
                .judge(&UNKNOWN_SERVICE, fits, &place, || told(&came));
        }
    }
}
