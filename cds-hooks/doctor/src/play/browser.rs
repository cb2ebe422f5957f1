//! A browser: preflights without a token, and answers that name the origin.

use reqwest::Method;

use super::{Doctor, as_found};
use crate::check::{CORS_ALLOWED, CORS_ANSWERS, CORS_CLOSED, PREFLIGHT};
use crate::http::{Exchange, told};
use crate::judge::discovery::Service;

/// An origin that no service knows.
const STRANGER: &str = "https://stranger.example";

impl Doctor<'_> {
    /// All of it.
    pub(crate) async fn browser(&mut self, service: &Service) {
        let feedback = format!("/{}/feedback", service.id);
        let path = format!("/{}", service.id);
        let addresses = [
            ("", "GET"),
            (path.as_str(), "POST"),
            (feedback.as_str(), "POST"),
        ];
        let origin = self.options.origin.clone();
        let asking = origin.as_deref().unwrap_or(STRANGER);
        for (rest, method) in addresses {
            let address = self.address(rest);
            let headers = [
                ("origin", asking),
                ("access-control-request-method", method),
                (
                    "access-control-request-headers",
                    "authorization,content-type",
                ),
            ];
            let came = self
                .send_with(Method::OPTIONS, &address, &headers, vec![], None)
                .await;
            let place = format!("OPTIONS /cds-services{rest}");
            let answered = came.as_ref().is_ok_and(|e| (200..300).contains(&e.status));
            self.book
                .judge(&PREFLIGHT, answered, &place, || told(&came));
            if let (Ok(exchange), Some(origin), true) = (&came, &origin, answered) {
                let lacking = lacking(exchange, origin, method);
                self.book
                    .judge(&CORS_ALLOWED, lacking.is_none(), &place, || {
                        lacking.unwrap_or_default()
                    });
            }
            if let Ok(exchange) = &came
                && origin.is_none()
            {
                self.closed(exchange, &place);
            }
        }
        let Some(origin) = origin else {
            let why = "give the origin of a browser client with --origin";
            self.book.skip(&CORS_ALLOWED, why);
            self.book.skip(&CORS_ANSWERS, why);
            return;
        };
        self.answers(service, &origin).await;
        let address = self.address("");
        let headers = [("origin", STRANGER)];
        let came = self.send(Method::GET, &address, &headers, vec![]).await;
        if let Ok(exchange) = &came {
            self.closed(exchange, "GET /cds-services");
        }
    }

    async fn answers(&mut self, service: &Service, origin: &str) {
        let address = self.address(&format!("/{}", service.id));
        let body = self.call(service, &as_found).body.to_string().into_bytes();
        let nowhere = self.address("/doctor-no-such-service");
        let discovery = self.address("");
        let json = ("content-type", "application/json");
        let with_origin = ("origin", origin);
        let requests = [
            (Method::GET, &discovery, vec![with_origin], vec![]),
            (Method::POST, &address, vec![with_origin, json], body),
            (
                Method::POST,
                &address,
                vec![with_origin, json],
                b"{".to_vec(),
            ),
            (
                Method::POST,
                &nowhere,
                vec![with_origin, json],
                b"{}".to_vec(),
            ),
            (Method::GET, &address, vec![with_origin], vec![]),
        ];
        for (method, address, headers, body) in requests {
            let place = format!("{method} {address}");
            let came = self.send(method, address, &headers, body).await;
            let fits = came.as_ref().is_ok_and(|e| allows(e, origin));
            self.book
                .judge(&CORS_ANSWERS, fits, &place, || match &came {
                    Ok(e) => format!(
                        "{} with `Access-Control-Allow-Origin: {}`",
                        e.status,
                        e.header("access-control-allow-origin")
                    ),
                    Err(why) => why.clone(),
                });
        }
    }

    /// That a stranger gets no credentials.
    fn closed(&mut self, exchange: &Exchange, place: &str) {
        let allowed = exchange.header("access-control-allow-origin");
        let credentials = exchange.header("access-control-allow-credentials") == "true";
        let open = credentials && (allowed == STRANGER || allowed == "*");
        self.book.judge(&CORS_CLOSED, !open, place, || {
            format!("`{STRANGER}` is let in, with credentials")
        });
    }
}

fn allows(exchange: &Exchange, origin: &str) -> bool {
    let allowed = exchange.header("access-control-allow-origin");
    allowed == "*" || allowed == origin
}

/// What a preflight's answer does not allow.
fn lacking(exchange: &Exchange, origin: &str, method: &str) -> Option<String> {
    let list = |name: &str| -> Vec<String> {
        let values = exchange.headers.get_all(name).iter();
        let texts = values.filter_map(|v| v.to_str().ok());
        texts
            .flat_map(|text| text.split(','))
            .map(|item| item.trim().to_ascii_lowercase())
            .collect()
    };
    if !allows(exchange, origin) {
        let allowed = exchange.header("access-control-allow-origin");
        return Some(format!(
            "`Access-Control-Allow-Origin: {allowed}` for `{origin}`"
        ));
    }
    let methods = list("access-control-allow-methods");
    // GET and POST need no permission of their own.
    let simple = matches!(method, "GET" | "POST");
    if !simple && !methods.contains(&method.to_ascii_lowercase()) {
        return Some(format!("methods {methods:?}, not {method}"));
    }
    let headers = list("access-control-allow-headers");
    let has = |name: &str| headers.iter().any(|h| h == name);
    if !has("authorization") || !(has("content-type") || has("*")) {
        return Some(format!(
            "headers {headers:?}: authorization and content-type are needed"
        ));
    }
    None
}
