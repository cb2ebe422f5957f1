//! Hosts, as in `Host` and in URLs.

/// `uri-host [ ":" port ]` (RFC 9110 §7.2, RFC 3986 §3.2.2). Not empty: our URLs have a host. One host:
/// a comma, which RFC 3986 allows in a name, is how a list of them looks.
pub(crate) fn is_host(host: &[u8]) -> bool {
    let name = |b: &u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+;=%".contains(b);
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
    let digits = port.len() <= 5 && port.iter().all(u8::is_ascii_digit);
    let number = || port.iter().fold(0, |n, b| n * 10 + u32::from(b & 0xf));
    fits && digits && number() <= 65535
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
            "x:65535",
            "a_b%41",
        ] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in [
            "",
            ":80",
            "a b",
            "a/b",
            "u@h",
            "x:80a",
            "u:a-long-password@x",
            "x:123456",
            "x:65536",
            "a,b",
            "[::1",
            "[]",
            "[::1]x",
            "::1",
            "x,y:1,2",
            "é",
            "x#",
            "x?y",
            "http://x",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }
}
