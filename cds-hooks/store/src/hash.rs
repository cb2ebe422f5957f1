//! SHA-256, in hexadecimal.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::StoreError;

/// Of parts, each with its length before it, so that no two lists have the same bytes.
pub(crate) fn of_parts(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize())
}

/// Of bytes: what the audit log notes of a request and of its answer.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// With a key (HMAC): who does not have it can neither make nor try out values.
pub(crate) fn keyed(key: &[u8], text: &str) -> Result<String, StoreError> {
    let mac = Hmac::<Sha256>::new_from_slice(key);
    let mut mac =
        mac.map_err(|_| StoreError::Mistake("the key for pseudonyms cannot be used".into()))?;
    mac.update(text.as_bytes());
    Ok(hex(&mac.finalize().into_bytes()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digit = |n: u8| DIGITS.get(usize::from(n)).copied().unwrap_or('0');
    bytes
        .iter()
        .flat_map(|b| [digit(b >> 4), digit(b & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_standards() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(b""), empty);
        // RFC 4231, test case 2.
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let made = keyed(b"Jefe", "what do ya want for nothing?").unwrap();
        assert_eq!(made, expected);
        assert_ne!(of_parts(&["ab", "c"]), of_parts(&["a", "bc"]));
    }
}
