//! Whether a request to a loopback address is this machine's own.
//!
//! Who can connect to a loopback address need not be who asks: a page in a browser on this machine can be
//! anybody's (it may even have a name that leads here), and a proxy on this machine passes on what the world
//! sends.

use std::net::IpAddr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;

/// What proxies add to what they pass on.
const OF_PROXIES: [&str; 5] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
];

/// Whether nothing shows that somebody else stands behind it.
pub(super) fn is_own(head: &Parts) -> bool {
    let headers = &head.headers;
    let is_page = headers.contains_key(ORIGIN)
        || headers
            .get("sec-fetch-site")
            .is_some_and(|site| site != "none" && site != "same-origin");
    let is_passed_on = OF_PROXIES.iter().any(|name| headers.contains_key(*name));
    let names_us = headers
        .get(HOST)
        .is_none_or(|host| host.to_str().is_ok_and(is_here));
    !is_page && !is_passed_on && names_us
}

/// Whether a host, perhaps with a port, is this machine by whatever resolver.
fn is_here(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let address = name.parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(headers: &[(&str, &str)]) -> bool {
        let mut request = axum::http::Request::get("/metrics");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        is_own(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn what_shows_that_somebody_else_asks() {
        for host in [
            "127.0.0.1:8080",
            "localhost",
            "LOCALHOST:1",
            "[::1]:8080",
            "127.9.9.9",
        ] {
            assert!(own(&[("host", host)]), "{host}");
        }
        assert!(own(&[]));
        // A person who types the address into a browser.
        assert!(own(&[
            ("host", "localhost:8080"),
            ("sec-fetch-site", "none")
        ]));
        for host in [
            "evil.example:8080",
            "localhost.evil.example",
            "10.0.0.1",
            "[::2]",
            "127.0.0.1.evil.example",
        ] {
            assert!(!own(&[("host", host)]), "{host}");
        }
        for other in [
            ("origin", "http://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("x-forwarded-for", "192.0.2.1"),
            ("forwarded", "for=192.0.2.1"),
            ("via", "1.1 proxy"),
            ("x-real-ip", "192.0.2.1"),
        ] {
            assert!(!own(&[("host", "127.0.0.1:8080"), other]), "{other:?}");
        }
    }
}
