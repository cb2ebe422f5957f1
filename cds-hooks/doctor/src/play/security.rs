//! Clients with good tokens, with bad ones, with one that was used, and with none.

use reqwest::Method;
use serde_json::json;

use super::{Doctor, Trap, as_found};
use crate::chart::moment;
use crate::check::{
    JKU_GUARD, TOKEN_ARRAY, TOKEN_BAD, TOKEN_LONG, TOKEN_NEEDED, TOKEN_REPLAY, TOKEN_SILENT,
    TOKEN_TAKEN,
};
use crate::http::{Came, status, told};
use crate::judge::discovery::Service;
use crate::token::{Claims, Flaw};

impl Doctor<'_> {
    /// All of it, where there is a key.
    pub(crate) async fn security(&mut self, service: &Service) {
        if self.options.signer.is_none() {
            let why = "give the key of a client that the service knows with --token-key";
            for check in [
                &TOKEN_TAKEN,
                &TOKEN_ARRAY,
                &TOKEN_NEEDED,
                &TOKEN_BAD,
                &TOKEN_REPLAY,
                &TOKEN_LONG,
                &TOKEN_SILENT,
                &JKU_GUARD,
            ] {
                self.book.skip(check, why);
            }
            return;
        }
        let call = self.call(service, &as_found).body;
        let feedback = json!({"feedback": [{"card": self.uuid(), "outcome": "overridden",
            "outcomeTimestamp": moment((self.options.clock)())}]});
        let addresses = [
            (Method::GET, self.address(""), vec![]),
            (
                Method::POST,
                self.address(&format!("/{}", service.id)),
                call.to_string().into_bytes(),
            ),
            (
                Method::POST,
                self.address(&format!("/{}/feedback", service.id)),
                feedback.to_string().into_bytes(),
            ),
        ];
        for (method, address, body) in addresses {
            self.tokens(method, &address, body).await;
        }
        // What is not there must not be told to strangers.
        let nowhere = self.address("/doctor-no-such-service");
        let came = self.try_token(&Method::POST, &nowhere, b"{}", None).await;
        let fits = status(&came) == 401;
        self.book
            .judge(&TOKEN_NEEDED, fits, &nowhere, || told(&came));
        self.key_sets().await;
    }

    fn claims<'a>(&mut self, address: &'a str) -> Claims<'a> {
        Claims {
            audience: address,
            now: (self.options.clock)(),
            id: self.uuid(),
        }
    }

    async fn try_token(
        &mut self,
        method: &Method,
        address: &str,
        body: &[u8],
        token: Option<String>,
    ) -> Came {
        let headers = [("content-type", "application/json")];
        self.send_with(method.clone(), address, &headers, body.to_vec(), token)
            .await
    }

    async fn tokens(&mut self, method: Method, address: &str, body: Vec<u8>) {
        let Some(signer) = self.options.signer.clone() else {
            return;
        };
        let place = format!("{method} {address}");
        let good = |came: &Came| (200..300).contains(&status(came)) || status(came) == 412;
        let came = self.try_token(&method, address, &body, None).await;
        self.book
            .judge(&TOKEN_NEEDED, status(&came) == 401, &place, || told(&came));
        self.silent(&came, &place);
        for token in ["garbage", "a.b.c", "", "..", "e30.e30.e30"] {
            let came = self
                .try_token(&method, address, &body, Some(token.to_owned()))
                .await;
            let place = format!("{place}: the token `{token}`");
            self.book
                .judge(&TOKEN_BAD, status(&came) == 401, &place, || told(&came));
        }
        let claims = self.claims(address);
        let token = signer.token(&claims);
        let came = self.try_token(&method, address, &body, token.clone()).await;
        self.book
            .judge(&TOKEN_TAKEN, good(&came), &place, || told(&came));
        let came = self.try_token(&method, address, &body, token).await;
        self.book
            .judge(&TOKEN_REPLAY, status(&came) == 401, &place, || told(&came));
        self.silent(&came, &place);
        let claims = self.claims(address);
        let came = self
            .try_token(&method, address, &body, signer.for_a_list(&claims))
            .await;
        self.book
            .judge(&TOKEN_ARRAY, good(&came), &place, || told(&came));
        for flaw in Flaw::REFUSED {
            let claims = self.claims(address);
            let token = signer.flawed(&claims, flaw);
            let came = self.try_token(&method, address, &body, token).await;
            let place = format!("{place}: a token {}", flaw.as_str());
            self.book
                .judge(&TOKEN_BAD, status(&came) == 401, &place, || told(&came));
            self.silent(&came, &place);
        }
        let claims = self.claims(address);
        let came = self
            .try_token(&method, address, &body, signer.flawed(&claims, Flaw::ADay))
            .await;
        self.book
            .judge(&TOKEN_LONG, status(&came) == 401, &place, || told(&came));
    }

    /// What a refusal says of the reason.
    fn silent(&mut self, came: &Came, place: &str) {
        let Ok(exchange) = came else { return };
        if exchange.status != 401 {
            return;
        }
        let said = format!(
            "{} {}",
            exchange.text(),
            exchange.header("www-authenticate")
        );
        let said = said.to_ascii_lowercase();
        const REASONS: [&str; 10] = [
            "expired",
            "signature",
            "jti",
            "audience",
            "issuer",
            "replay",
            "algorithm",
            "kid",
            "jku",
            "nbf",
        ];
        let told = REASONS.iter().find(|reason| said.contains(**reason));
        let came = || crate::check_text(&said);
        self.book.judge(&TOKEN_SILENT, told.is_none(), place, came);
    }

    /// Key sets at addresses that nobody has listed.
    async fn key_sets(&mut self) {
        let Some(signer) = self.options.signer.clone() else {
            return;
        };
        let Ok(trap) = Trap::set().await else {
            self.book.skip(&JKU_GUARD, "no port is free to listen at");
            return;
        };
        let address = self.address("");
        let port = trap.at.port();
        for host in [
            "127.0.0.1",
            "localhost",
            "user@127.0.0.1",
            "[::ffff:127.0.0.1]",
        ] {
            for scheme in ["http", "https"] {
                let key_set = format!("{scheme}://{host}:{port}/jwks.json");
                let claims = self.claims(&address);
                let token = signer.with_key_set(&claims, &key_set);
                let came = self.try_token(&Method::GET, &address, &[], token).await;
                let place = format!("GET {address}: jku {key_set}");
                self.book
                    .judge(&TOKEN_BAD, status(&came) == 401, &place, || told(&came));
            }
        }
        let came = trap.came();
        self.book.judge(&JKU_GUARD, came == 0, &address, || {
            format!("{came} connections came from the service")
        });
    }
}
