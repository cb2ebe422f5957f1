//! What is one document, what several, and what none: by the text.

use engine_patient::record::{Kind, PatientRecord};

use crate::import::limits::LARGE;

/// Whether a text that is no JSON document is several lines that each begin one.
pub fn looks_like_lines(text: &str) -> bool {
    let mut lines = text.lines().map(trimmed).filter(|l| !l.is_empty());
    let all = lines.clone().count() > 1;
    all && lines.all(|l| l.starts_with('{'))
}

/// White space and byte order marks around a text are no part of it.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(blank)
}

/// Documents that were put one after the other with a byte order mark between them, and where each
/// starts. Nothing where it is not so.
pub fn joined(text: &str) -> Vec<(usize, &str)> {
    const MARK: &str = "\u{feff}";
    if !text.contains(MARK) {
        return vec![];
    }
    let (mut starts, mut in_string, mut escaped) = (vec![0], false, false);
    for (at, c) in text.char_indices() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c == '\u{feff}' {
            starts.push(at);
        } else {
            in_string = c == '"';
        }
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let parts = starts.iter().copied().zip(ends);
    let parts: Vec<(usize, &str)> = parts
        .filter_map(|(start, end)| {
            let part = text.get(start..end)?;
            let skipped = part.len() - part.trim_start_matches(blank).len();
            let part = trimmed(part);
            (!part.is_empty()).then_some((start + skipped, part))
        })
        .collect();
    let documents = parts.len() > 1 && parts.iter().all(|(_, p)| p.starts_with('{'));
    if documents { parts } else { vec![] }
}

/// The manifest of a bulk export beside its files (Bulk Data Access, "Response - Complete Status").
pub fn is_manifest(text: &str) -> bool {
    if text.len() > LARGE {
        return false;
    }
    let mut document = PatientRecord::new();
    document.push_document(text).is_ok_and(|root| {
        let output = root.get_named("output");
        root.get_named("transactionTime").is_some()
            && output.is_some_and(|o| o.kind() == Kind::Array)
    })
}

pub fn blank(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{feff}'
}

/// Why bytes are no text; the encoding where a byte order mark names it.
pub fn not_utf8(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "UTF-16 text, not UTF-8: save the file as UTF-8",
        _ => "not UTF-8 text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_marks_split_what_was_joined() {
        let text = "{\"a\":\"\\\"\u{feff}\"}\u{feff} {\"b\":2}";
        let parts: Vec<&str> = joined(text).into_iter().map(|(_, p)| p).collect();
        assert_eq!(parts, ["{\"a\":\"\\\"\u{feff}\"}", "{\"b\":2}"]);
        assert!(
            joined(text)
                .iter()
                .all(|(at, p)| text[*at..].starts_with(p))
        );
        for other in ["{} x", "\u{feff}{}", "{\"a\":\u{feff}1}"] {
            assert_eq!(joined(other), [], "{other}");
        }
        assert_eq!(trimmed("\u{feff} {}\r\n"), "{}");
    }
}
