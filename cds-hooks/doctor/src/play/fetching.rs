//! A client that sends no prefetch but an address and a token; and one that leads the service astray.

use serde_json::{Value, json};

use super::{Doctor, Trap, as_found, empty_searches};
use crate::chart::failure;
use crate::check::{FETCH_QUERY, FETCHES, NOT_FETCHED_AGAIN, SSRF};
use crate::http::{status, told};
use crate::judge::discovery::Service;

const SCOPE: &str = "patient/*.rs user/*.rs";

impl Doctor<'_> {
    /// All of it, for one service.
    pub(crate) async fn fetching(&mut self, service: &Service) {
        self.astray(service).await;
        let Some(base) = self.server.as_ref().map(|server| server.base.clone()) else {
            let why = "give --fhir-server, and let the service ask it";
            for check in [&FETCHES, &FETCH_QUERY, &NOT_FETCHED_AGAIN] {
                self.book.skip(check, why);
            }
            return;
        };
        if service.prefetch.is_empty() {
            return;
        }
        let place = format!("POST {}: no prefetch, but {base}", service.id);
        let none = |_: &str, _: Value| None;
        self.asked();
        let (came, cards) = self.fetched(service, &base, &none, &place).await;
        let asked = self.asked();
        let with_token = !asked.is_empty() && asked.iter().all(|a| a.with_token);
        let what = match (asked.is_empty(), with_token) {
            (true, _) => format!("{base} was not asked; answered {}", told(&came)),
            (false, false) => "asked without the token".to_owned(),
            _ => told(&came),
        };
        let fits = with_token && (cards || status(&came) == 412);
        self.book.judge(&FETCHES, fits, &place, || what);
        for query in asked.iter().map(|a| a.query.as_str()) {
            let whole = !query.contains("{{") && !query.contains("%7B%7B");
            let empty = query
                .split(['?', '&'])
                .any(|p| p.ends_with('=') || p == "subject=Patient/" || p == "patient=Patient/");
            self.book
                .judge(&FETCH_QUERY, whole && !empty, &place, || query.to_owned());
        }
        // What was answered is not asked for again.
        let nulls = |template: &str, found: Value| {
            Some(if template.contains('?') {
                Value::Null
            } else {
                found
            })
        };
        let failed = |template: &str, found: Value| {
            Some(if template.contains('?') {
                failure()
            } else {
                found
            })
        };
        let states: [(&str, super::Fill<'_>); 4] = [
            ("everything sent", &as_found),
            ("empty Bundles", &empty_searches),
            ("null", &nulls),
            ("an OperationOutcome", &failed),
        ];
        for (what, fill) in states {
            let place = format!("POST {}: {what}", service.id);
            let call = self.call(service, fill);
            if !call.whole {
                continue;
            }
            let _ = self.fetched(service, &base, fill, &place).await;
            let asked = self.asked();
            self.book
                .judge(&NOT_FETCHED_AGAIN, asked.is_empty(), &place, || {
                    asked
                        .iter()
                        .take(3)
                        .map(|a| a.query.clone())
                        .collect::<Vec<_>>()
                        .join(", ")
                });
        }
    }

    fn asked(&self) -> Vec<crate::chart::server::Asked> {
        self.server
            .as_ref()
            .map_or_else(Vec::new, |server| server.asked())
    }

    /// A call that names a FHIR server.
    async fn fetched(
        &mut self,
        service: &Service,
        base: &str,
        fill: super::Fill<'_>,
        place: &str,
    ) -> (crate::http::Came, bool) {
        let token = self.authorization_of(SCOPE);
        let call = self.call(service, fill);
        let call = call
            .with("fhirServer", json!(base))
            .with("fhirAuthorization", token);
        let (came, cards) = self.cards(&call, place).await;
        (came, cards.is_some())
    }

    /// Addresses that nobody has allowed, written in every way that leads to this machine.
    async fn astray(&mut self, service: &Service) {
        let Ok(trap) = Trap::set().await else {
            self.book.skip(&SSRF, "no port is free to listen at");
            return;
        };
        let port = trap.at.port();
        let hosts = [
            "127.0.0.1",
            "localhost",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "[::ffff:127.0.0.1]",
            "ehr.example@127.0.0.1",
            "127.0.0.1.",
            "0.0.0.0",
        ];
        let none = |_: &str, _: Value| None;
        for host in hosts {
            let base = format!("http://{host}:{port}/fhir");
            let place = format!("POST {}: fhirServer {base}", service.id);
            let _ = self.fetched(service, &base, &none, &place).await;
        }
        // A Bundle may lead there, too.
        let next = json!([{"relation": "next", "url": format!("http://127.0.0.1:{port}/page2")}]);
        let paged = move |template: &str, mut found: Value| {
            if template.contains('?')
                && let Some(members) = found.as_object_mut()
            {
                members.insert("link".to_owned(), next.clone());
            }
            Some(found)
        };
        let server = "https://ehr.example/fhir";
        let place = format!("POST {}: a next page elsewhere", service.id);
        let _ = self.fetched(service, server, &paged, &place).await;
        let came = trap.came();
        let place = format!("POST {}", service.id);
        self.book.judge(&SSRF, came == 0, &place, || {
            format!("{came} connections came from the service")
        });
    }
}
