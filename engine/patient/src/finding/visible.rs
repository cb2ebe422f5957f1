//! Text of other people in a terminal: control characters move the cursor, recolour, rename the window;
//! bidi marks turn text round, zero-width ones hide in it. They are shown (`\u{1b}`) instead of sent.
//!
//! For text that people read. What machines read (CSV, JSON, Parquet) stays exact.

use std::borrow::Cow;

/// A text of several lines: its line ends and tabs stay.
pub fn in_text(text: &str) -> Cow<'_, str> {
    shown(text, |c| c != '\n' && c != '\t' && is_hidden(c))
}

/// A text within a line or a cell of a table: line ends and tabs, too, are shown.
pub fn in_line(text: &str) -> Cow<'_, str> {
    shown(text, is_hidden)
}

fn shown(text: &str, hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match (c, hidden(c)) {
            (_, false) => out.push(c),
            ('\n', true) => out.push_str("\\n"),
            ('\r', true) => out.push_str("\\r"),
            ('\t', true) => out.push_str("\\t"),
            (c, true) => out.extend(c.escape_unicode()),
        }
    }
    Cow::Owned(out)
}

/// Whether a terminal would act on it, or nobody would see it: control characters (C0, DEL, C1), line
/// and paragraph separators, bidi controls, zero-width characters, tags and variation selectors beyond
/// those of emoji.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_acts_on_is_shown() {
        assert_eq!(in_text("plain é 漢 😀\n\ttext"), "plain é 漢 😀\n\ttext");
        assert_eq!(in_line("a\nb\tc\r"), "a\\nb\\tc\\r");
        assert_eq!(in_text("\u{1b}[31mred\u{7}"), "\\u{1b}[31mred\\u{7}");
        for hidden in [
            "\0",
            "\r",
            "\u{7f}",
            "\u{9b}",
            "\u{202e}",
            "\u{2066}",
            "\u{200b}",
            "\u{feff}",
            "\u{2028}",
            "\u{e0041}",
        ] {
            let text = in_text(hidden);
            assert!(text.starts_with('\\') && text.is_ascii(), "{text:?}");
        }
    }
}
