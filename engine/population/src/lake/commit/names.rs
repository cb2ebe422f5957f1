//! The names of our files: data, `<stamp>-<place>-<hash>.parquet`, as [`super::super::writer`] gives them;
//! manifests and versions of Delta logs, `<number>.json`; pins, `<number>`.

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

/// Whether a name is what one of our files has while it is written: its own, `#` and a number, see
/// [`super::super::local`].
pub fn is_half_written(name: &str) -> bool {
    let Some((name, number)) = name.rsplit_once('#') else {
        return false;
    };
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let numbered = name.strip_suffix(".json").unwrap_or(name);
    digits(number) && (is_data_file(name) || (numbered.len() == 20 && digits(numbered)))
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

#[cfg(test)]
mod tests {
    use super::is_half_written;

    #[test]
    fn what_a_killed_writer_leaves_has_our_name_and_a_number() {
        for ours in [
            "00000000000000000000.json#1",
            "00000000000000000012#3",
            "000000000000a-b00000-0000000000000000.parquet#12",
        ] {
            assert!(is_half_written(ours), "{ours}");
        }
        for other in [
            "00000000000000000000.json",
            "00000000000000000000.json#",
            "00000000000000000000.json#a",
            "notes#1",
            "mine.parquet#1",
        ] {
            assert!(!is_half_written(other), "{other}");
        }
    }
}
