//! Names made from content: the same input gives the same name, on every machine.

/// A 128-bit FNV-1a over fields, each with its length, so that `("ab", "c")` is not `("a", "bc")`.
///
/// It names things; it keeps no secret. Where a field must not be guessed from the name, another
/// field has to be random (a `hookInstance` is).
pub(crate) fn fnv128(fields: &[&str]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let step = |hash: u128, byte: &u8| (hash ^ u128::from(*byte)).wrapping_mul(PRIME);
    fields.iter().fold(OFFSET, |hash, field| {
        let hash = (field.len() as u64).to_le_bytes().iter().fold(hash, step);
        field.as_bytes().iter().fold(hash, step)
    })
}

/// A UUID (version 8 of RFC 9562: its own making) of these fields.
pub(crate) fn uuid(fields: &[&str]) -> String {
    let bytes = fnv128(fields).to_be_bytes();
    uuid::Builder::from_custom_bytes(bytes)
        .into_uuid()
        .to_string()
}

/// A UUID of two lists of fields, whose first half is of the first alone: what is of one call stands side by
/// side in an index of a database, so that a call's cards change one page of it, and not one each.
pub(crate) fn uuid_within(scope: &[&str], fields: &[&str]) -> String {
    const HALF: u128 = u64::MAX as u128;
    let (within, whole) = (fnv128(scope), fnv128(&[scope, fields].concat()));
    let bytes = ((within & !HALF) | (whole & HALF)).to_be_bytes();
    uuid::Builder::from_custom_bytes(bytes)
        .into_uuid()
        .to_string()
}

/// Sixteen hexadecimal digits, for logs.
pub(crate) fn short(fields: &[&str]) -> String {
    let hash = fnv128(fields);
    format!("{:016x}", (hash >> 64) ^ (hash & u128::from(u64::MAX)))
}

/// What logs and counts call a hook instance, so that it is not given away: sixteen hexadecimal digits.
pub fn instance_name(hook_instance: &str) -> String {
    short(&[hook_instance])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_and_field_borders() {
        // FNV-1a 128 of the eight zero bytes of the length of an empty field.
        assert_ne!(fnv128(&["ab", "c"]), fnv128(&["a", "bc"]));
        assert_ne!(fnv128(&["a"]), fnv128(&["a", ""]));
        let id = uuid(&["gap", "1"]);
        assert_eq!(id, uuid(&["gap", "1"]));
        assert_ne!(id, uuid(&["gap", "2"]));
        // Clients know cards by it: it must not change.
        assert_eq!(id, "f1d3376a-99ef-8dfc-9255-e444b94ad9b6");
        assert_eq!(short(&["x"]).len(), 16);
        let cards = ["a", "b"].map(|text| uuid_within(&["call", "1"], &[text]));
        assert_eq!(cards[0].split_at(18).0, cards[1].split_at(18).0);
        assert_ne!(cards[0], cards[1]);
        assert_ne!(cards[0], uuid_within(&["call", "2"], &["a"]));
        assert_ne!(
            uuid_within(&["call"], &["2", "a"]),
            uuid_within(&["call", "2"], &["a"])
        );
    }
}
