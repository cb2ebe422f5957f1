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
    if !headers.contains_key(TRANSFER_ENCODING) {
        return Ok(());
    }
    // hyper takes the chunks and forgets the length.
    if connection.both_lengths.load(Ordering::Relaxed) {
        return Err(Refusal::Http(
            "there are both `Content-Length` and `Transfer-Encoding`",
        ));
    }
    codings(headers)
}

/// `chunked`, once, and nothing else (RFC 9112 §6.1 and §7).
fn codings(headers: &HeaderMap) -> Result<(), Refusal> {
    let (mut chunked, mut others) = (0, false);
    for value in headers.get_all(TRANSFER_ENCODING) {
        for coding in value.as_bytes().split(|b| *b == b',') {
            match coding.trim_ascii() {
                [] => {}
                coding if coding.eq_ignore_ascii_case(b"chunked") => chunked += 1,
                _ => others = true,
            }
        }
    }
    match (chunked, others) {
        (1, false) => Ok(()),
        (1, true) => Err(Refusal::Coding),
        _ => Err(Refusal::Http(
            "`Transfer-Encoding` must have `chunked` once, as the last",
        )),
    }
}

/// Whether the answer ends the connection: after chunks nothing is taken as a further request, so
/// that nobody can hide one behind a `Content-Length` that we did not see.
pub(super) fn ends(headers: &HeaderMap) -> Option<(axum::http::HeaderName, HeaderValue)> {
    let chunked = headers.contains_key(TRANSFER_ENCODING);
    chunked.then(|| (CONNECTION, HeaderValue::from_static("close")))
}
