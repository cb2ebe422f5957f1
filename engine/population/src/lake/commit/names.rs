//! The names of our data files: `<stamp>-<place>-<hash>.parquet`, as [`super::super::writer`] gives them.

/// Whether a file's name could be one of ours: a stamp of 13 hexadecimal digits, perhaps a bucket
/// (`b00012`) or a part (`b00001of00004`), and 16 digits of its hash.
pub(super) fn is_data_file(name: &str) -> bool {
    let Some(name) = name.strip_suffix(".parquet") else {
        return false;
    };
    let hex = |t: &str, n: usize| t.len() == n && t.bytes().all(|b| b.is_ascii_hexdigit());
    let parts: Vec<&str> = name.split('-').collect();
    match parts.as_slice() {
        [stamp, hash] => hex(stamp, 13) && hex(hash, 16),
        [stamp, place, hash] => hex(stamp, 13) && hex(hash, 16) && is_place(place),
        _ => false,
    }
}

fn is_place(place: &str) -> bool {
    let number = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let Some(place) = place.strip_prefix('b') else {
        return false;
    };
    match place.split_once("of") {
        Some((part, of)) => number(part) && number(of),
        None => number(place),
    }
}
