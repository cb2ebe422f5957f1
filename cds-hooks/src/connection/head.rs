//! What the head of a request must be, beside what hyper sees to.

use axum::http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderValue, Version};

use super::phase::Connection;
use crate::refusal::Refusal;
use std::sync::atomic::Ordering;

/// One valid `Host` from HTTP/1.1 on (RFC 9112 §3.2), and one way only to tell where the body ends
/// (§6.3: a proxy before us may have taken the other, and what is a body to it a request to us).
pub(super) fn check(
    version: Version,
    headers: &HeaderMap,
    connection: &Connection,
) -> Result<(), Refusal> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if version < Version::HTTP_11 => {}
        (None, _) => return Err(Refusal::Http("there is no `Host` header")),
        (Some(_), Some(_)) => return Err(Refusal::Http("there are several `Host` headers")),
        (Some(host), None) if is_host(host.as_bytes()) => {}
        (Some(_), None) => return Err(Refusal::Http("the `Host` header is not valid")),
    }
    // hyper takes the chunks and forgets the length.
    let both = connection.length_seen.load(Ordering::Relaxed);
    if headers.contains_key(TRANSFER_ENCODING) && both {
        return Err(Refusal::Http(
            "there are both `Content-Length` and `Transfer-Encoding`",
        ));
    }
    Ok(())
}

/// Whether the answer ends the connection: after chunks nothing is taken as a further request, so
/// that nobody can hide one behind a `Content-Length` that we did not see.
pub(super) fn ends(headers: &HeaderMap) -> Option<(axum::http::HeaderName, HeaderValue)> {
    let chunked = headers.contains_key(TRANSFER_ENCODING);
    chunked.then(|| (CONNECTION, HeaderValue::from_static("close")))
}

/// `uri-host [ ":" port ]` (RFC 9110 §7.2, RFC 3986 §3.2.2). Not empty: our URLs have a host.
fn is_host(host: &[u8]) -> bool {
    let name = |b: &u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(b);
    let address = |b: &u8| b.is_ascii_alphanumeric() || b":.".contains(b);
    let (fits, port) = match host.strip_prefix(b"[") {
        Some(rest) => {
            let end = rest.iter().position(|b| *b == b']').unwrap_or(0);
            let (inside, after) = rest.split_at_checked(end).unwrap_or_default();
            let after = after.strip_prefix(b"]").unwrap_or(b"?");
            let port = match after {
                [] => &b""[..],
                [b':', port @ ..] => port,
                _ => b"?",
            };
            (!inside.is_empty() && inside.iter().all(address), port)
        }
        None => {
            let end = host.iter().position(|b| *b == b':');
            let (inside, port) = match end.and_then(|at| host.split_at_checked(at)) {
                Some((inside, port)) => (inside, port.get(1..).unwrap_or_default()),
                None => (host, &b""[..]),
            };
            (!inside.is_empty() && inside.iter().all(name), port)
        }
    };
    fits && port.len() <= 5 && port.iter().all(u8::is_ascii_digit)
}

/// Looks for a `Content-Length` line in the bytes of heads as they come, in whatever pieces.
#[derive(Default, Debug)]
pub(super) struct LengthSeen {
    /// How much of [`NAME`] came last.
    matched: usize,
}

const NAME: &[u8] = b"\ncontent-length";

impl LengthSeen {
    /// True once the whole name came.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            let wanted = NAME.get(self.matched);
            self.matched = match wanted {
                Some(wanted) if byte.eq_ignore_ascii_case(wanted) => self.matched + 1,
                _ => usize::from(*byte == b'\n'),
            };
            if self.matched == NAME.len() {
                self.matched = 0;
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for host in [
            "x",
            "localhost:8080",
            "ehr.example.org",
            "10.0.0.1:80",
            "[::1]:8080",
            "[fe80::1]",
            "x:",
            "a_b%41",
        ] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in [
            "", ":80", "a b", "a/b", "u@h", "x:80a", "x:123456", "[::1", "[]", "[::1]x", "::1",
            "x,y:1,2", "é", "x#", "x?y", "http://x",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn a_length_is_seen_in_whatever_pieces() {
        let head = b"POST / HTTP/1.1\r\nHost: x\r\ncOntent-lenGth: 3\r\n";
        for at in 0..head.len() {
            let mut seen = LengthSeen::default();
            let (a, b) = head.split_at(at);
            assert!(seen.feed(a) | seen.feed(b), "{at}");
        }
        assert!(!LengthSeen::default().feed(b"\r\nx-content-length: 1\r\n\ncontent\n-length"));
        assert!(LengthSeen::default().feed(b"\n\ncontent-length"));
    }
}
