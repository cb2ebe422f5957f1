//! The token of a request: what its `Authorization` header holds.

use crate::denied::{Denied, Reason};

/// The token (RFC 6750 §2.1) among the values of all `Authorization` headers of a request; `None` where
/// there are none. The scheme is read in any case (RFC 9110 §11.1).
///
/// # Errors
/// Where there are several, or one that is no bearer token: of characters that no token has, or of
/// more than `most` bytes.
pub fn bearer<'a>(
    headers: impl IntoIterator<Item = &'a [u8]>,
    most: usize,
) -> Result<Option<&'a str>, Denied> {
    let malformed = |text: &str| Err(Denied::new(Reason::Malformed, text));
    let mut headers = headers.into_iter();
    let value = match (headers.next(), headers.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.trim_ascii(),
        (Some(_), Some(_)) => return malformed("there are several `Authorization` headers"),
    };
    let (scheme, rest) = match value.iter().position(|b| *b == b' ') {
        Some(space) => value.split_at(space),
        None => (value, [].as_slice()),
    };
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        return malformed("`Authorization` is not of the scheme `Bearer`");
    }
    let token = rest.trim_ascii_start();
    if token.is_empty() {
        return malformed("`Authorization` has no token behind `Bearer`");
    }
    if token.len() > most {
        return malformed("the token is larger than `max_token_bytes`");
    }
    let fits = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    match std::str::from_utf8(token) {
        Ok(token) if token.bytes().all(|b| fits(&b)) => Ok(Some(token)),
        _ => malformed("the token has characters that no JWT has"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&'static str]) -> Result<Option<&'static str>, Denied> {
        bearer(values.iter().map(|v| v.as_bytes()), 20)
    }

    #[test]
    fn one_header_with_one_token() {
        assert_eq!(of(&[]).unwrap(), None);
        for right in [
            "Bearer a.b-_.c",
            "bearer a.b-_.c",
            "BEARER   a.b-_.c",
            " Bearer a.b-_.c ",
        ] {
            assert_eq!(of(&[right]).unwrap(), Some("a.b-_.c"), "{right}");
        }
        for wrong in [
            "",
            "Bearer",
            "Bearer ",
            "Bearera.b.c",
            "Basic a.b.c",
            "a.b.c",
            "Bearer a.b.c d.e.f",
            "Bearer a.b.c, Bearer a.b.c",
            "Bearer a.b.\tc",
            "Bearer\ta.b.c",
            "Bearer a.b.c=",
            "Bearer a+b.c/d.e",
            "Bearer ä.b.c",
            "Bearer \"a.b.c\"",
            "Bearer aaaaaaaaaaaaaaaaaaaaa",
        ] {
            let denied = of(&[wrong]).unwrap_err();
            assert_eq!(denied.reason, Reason::Malformed, "{wrong}");
        }
        assert!(of(&["Bearer a.b.c", "Bearer a.b.c"]).is_err());
        assert!(bearer([b"Bearer a.\xff.c".as_slice()], 20).is_err());
    }
}
