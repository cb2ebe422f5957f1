//! First contact: discovery.

use reqwest::Method;

use super::Doctor;
use crate::check::{DISCOVERY, DISCOVERY_MEDIA, ENCRYPTED, HEAD_DISCOVERY, STRICT_JSON};
use crate::http::{Came, told};
use crate::json;
use crate::judge::{self, discovery::Service};

const PLACE: &str = "GET /cds-services";

impl Doctor<'_> {
    /// Reads discovery; gives the services that can be called.
    pub(crate) async fn first_contact(&mut self) -> Vec<Service> {
        self.encrypted();
        let address = self.address("");
        let came = self.send(Method::GET, &address, &[], vec![]).await;
        let exchange = match &came {
            Ok(exchange) if exchange.status == 200 => exchange,
            _ => {
                let remedy = remedy(&came, &self.base, self.options.signer.is_some());
                let what = told(&came);
                self.book.fail_otherwise(&DISCOVERY, PLACE, what, remedy);
                return vec![];
            }
        };
        let media = || exchange.header("content-type").to_owned();
        self.book
            .judge(&DISCOVERY_MEDIA, exchange.is_json(), PLACE, media);
        let services = match json::read(&exchange.body) {
            Ok(document) => {
                judge::document(&mut self.book, &document, false, PLACE);
                judge::discovery::services(&mut self.book, &document)
            }
            Err(why) => {
                self.book.fail(&STRICT_JSON, PLACE, why.clone());
                self.book.fail(&DISCOVERY, PLACE, why);
                vec![]
            }
        };
        let head = self.send(Method::HEAD, &address, &[], vec![]).await;
        let fits = head
            .as_ref()
            .is_ok_and(|h| h.status == 200 && h.body.is_empty());
        self.book
            .judge(&HEAD_DISCOVERY, fits, "HEAD /cds-services", || told(&head));
        services
    }

    fn encrypted(&mut self) {
        let url = url::Url::parse(&self.base).ok();
        let local = url.as_ref().is_some_and(|url| match url.host() {
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        });
        let https = self.base.starts_with("https://");
        let base = self.base.clone();
        match https || !local {
            true => self
                .book
                .judge(&ENCRYPTED, https, &base, || "http".to_owned()),
            false => self.book.skip(
                &ENCRYPTED,
                "the service is on this machine, and is called with http",
            ),
        }
    }
}

/// What to do where nothing could begin. What the network says is known by its words only.
fn remedy(came: &Came, base: &str, has_key: bool) -> Option<&'static str> {
    let is_https = base.starts_with("https:");
    let why = match came {
        Ok(exchange) => {
            return match (exchange.status, has_key) {
                (401, false) => Some(
                    "it wants a token: give the key of a client that it knows with --token-key, --iss and --kid (and --client-cert where it wants a certificate)",
                ),
                (401, true) => Some(
                    "the token is refused: the log of the service has the reason; `iss`, `kid`, `jku` and `tenant` are those of the options, `aud` is the address that is called",
                ),
                (403, _) => {
                    Some("it knows who calls, and lets them do nothing: give the client a role")
                }
                (404, _) => Some(
                    "mend --url: it is what stands before /cds-services, with the path that a proxy may have before it",
                ),
                (400, _) if !is_https => Some("where it speaks TLS, write --url https://…"),
                _ => None,
            };
        }
        Err(why) => why.to_ascii_lowercase(),
    };
    let says = |words: &[&str]| words.iter().any(|word| why.contains(word));
    Some(match is_https {
        _ if says(&["refused"]) => "nothing listens there: start the service, or mend --url",
        _ if says(&["dns error", "failed to lookup"]) => "nobody knows this host: mend --url",
        true if says(&["corrupt message", "invalidcontenttype"]) => {
            "it does not speak TLS there: write --url http://…"
        }
        true if says(&["certificate"]) => {
            "the certificate is not accepted: give the authority that signed it with --ca, call the host that it is for; for a trial --insecure"
        }
        false if !says(&["timed out"]) => "where it speaks TLS, write --url https://…",
        _ => {
            "it does not answer: is it the right address, and is nothing between that swallows calls?"
        }
    })
}
