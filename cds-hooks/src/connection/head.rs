//! What the head of a request must be, beside what hyper sees to.

use std::sync::atomic::Ordering;

use axum::http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderValue, Version};

use super::phase::Connection;
use crate::host::is_host;
use crate::refusal::Refusal;

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
