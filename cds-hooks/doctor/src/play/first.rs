//! First contact: discovery.

use reqwest::Method;

use super::Doctor;
use crate::check::{DISCOVERY, DISCOVERY_MEDIA, ENCRYPTED, HEAD_DISCOVERY, STRICT_JSON};
use crate::http::{status, told};
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
                let mut what = told(&came);
                if status(&came) == 401 && self.options.signer.is_none() {
                    what.push_str("; it wants a token: give a key with --token-key");
                }
                self.book.fail(&DISCOVERY, PLACE, what);
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
