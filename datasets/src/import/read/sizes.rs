//! What is refused for its size.

use crate::import::limits::LARGE;

/// Why something that is too large is no resource.
pub fn too_long(length: u64, limit: u64) -> String {
    format!(
        "{length} bytes, more than the limit of {limit} bytes (--max-resource-size): give a larger one, or split it"
    )
}

/// A value takes 16 bytes, in a text of two: what is large must not consist of nothing but the smallest
/// values. FHIR has one in ten bytes or fewer.
pub fn too_many_values(text: &[u8], limit: u64) -> Option<String> {
    let most = limit / 8;
    if text.len() <= LARGE || text.len() as u64 <= most {
        return None;
    }
    let count = |byte| memchr::memchr_iter(byte, text).count() as u64;
    let values = count(b',') + count(b'[') + count(b'{');
    (values > most).then(|| {
        format!(
            "about {values} values, more than {most}, an eighth of the limit of {limit} bytes: this cannot be FHIR"
        )
    })
}
