//! Texts of a card with `{{ expression }}` in them.

use crate::text::{front, plain, width};

/// A part of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    /// As it stands.
    Text(String),
    /// An expression, and the character of the text at which it begins.
    Expression(String, usize),
}

/// Splits a text. `Err` is the character at which a `{{` begins that is never closed.
pub(crate) fn parse(text: &str) -> Result<Vec<Part>, usize> {
    let chars: Vec<char> = text.chars().collect();
    let pair = |at: usize, c: char| chars.get(at) == Some(&c) && chars.get(at + 1) == Some(&c);
    let slice = |from: usize, to: usize| -> String {
        chars.get(from..to).unwrap_or_default().iter().collect()
    };
    let (mut parts, mut at, mut from) = (vec![], 0, 0);
    while at < chars.len() {
        if !pair(at, '{') {
            at += 1;
            continue;
        }
        if from < at {
            parts.push(Part::Text(slice(from, at)));
        }
        let open = at;
        let start = open + 2;
        let mut quote = None;
        at = start;
        loop {
            match chars.get(at) {
                None => return Err(open),
                Some('\\') if quote.is_some() => at += 1,
                Some(c) if quote == Some(*c) => quote = None,
                Some(c @ ('"' | '\'')) if quote.is_none() => quote = Some(*c),
                Some('}') if quote.is_none() && pair(at, '}') => break,
                // The next expression begins before this one ended.
                Some('{') if quote.is_none() && at > start && pair(at, '{') => return Err(open),
                _ => {}
            }
            at += 1;
        }
        parts.push(Part::Expression(slice(start, at), start));
        at += 2;
        from = at;
    }
    if from < chars.len() {
        parts.push(Part::Text(slice(from, chars.len())));
    }
    Ok(parts)
}

/// The longest summary of a CDS Hooks card: it must be shorter than 140 characters.
pub(crate) const SUMMARY_LENGTH: usize = 139;

/// Cuts a text at a word, with `…`, so that it has at most so many characters.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let text = plain(text);
    if width(&text) <= most {
        return text;
    }
    let room = front(&text, most);
    let head = room.rsplit_once(' ').map(|(head, _)| head);
    let head = head
        .filter(|h| !h.is_empty())
        .unwrap_or_else(|| front(&text, most.saturating_sub(1)));
    format!("{}…", head.trim_end_matches([',', ';', ':', '–', '-', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_texts_and_expressions() {
        let text = |t: &str| Part::Text(t.into());
        let expr = |e: &str, at| Part::Expression(e.into(), at);
        assert_eq!(parse("plain { } text"), Ok(vec![text("plain { } text")]));
        assert_eq!(
            parse("é {{ a }} b"),
            Ok(vec![text("é "), expr(" a ", 4), text(" b")])
        );
        assert_eq!(
            parse("{{ x ? \"}}\" : '\\'' }}"),
            Ok(vec![expr(" x ? \"}}\" : '\\'' ", 2)])
        );
        assert_eq!(parse("a {{ b"), Err(2));
        assert_eq!(parse("a {{ \"b }}"), Err(2));
        assert_eq!(parse("a {{ b and {{ c }}"), Err(2));
        assert_eq!(parse(""), Ok(vec![]));
    }

    #[test]
    fn cuts_at_a_word() {
        assert_eq!(cut("one two three", 20), "one two three");
        assert_eq!(cut("one two, three", 10), "one two…");
        assert_eq!(cut("abcdefgh", 5), "abcd…");
        assert!(cut(&"word ".repeat(60), SUMMARY_LENGTH).chars().count() <= SUMMARY_LENGTH);
    }
}
