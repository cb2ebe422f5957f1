//! Texts of data on a card: nothing of them is hidden, and nothing of them is Markdown.
//!
//! A card's summary is plain text, its detail is GitHub Flavored Markdown (GFM), which many clients
//! read in dialects of their own. So each text that came with the data goes through [`plain`] or
//! [`markdown`], and as part of a link's target through [`url_part`].
//!
//! What is invisible and could mislead is left out: what turns the direction of text (U+202A–E,
//! U+2066–9, U+200E/F, U+061C), what has no width (U+200B, U+2060, U+FEFF and others), tag characters.
//! The joiners U+200C and U+200D are kept between letters beyond ASCII, since Persian and the scripts
//! of India need them; so are variation selectors. A control character becomes a space.

pub use engine_patient::system::day_rule::written_day as day;
use unicode_segmentation::UnicodeSegmentation;

use crate::plain_words;

/// Between two characters so that no reader of the text takes both together for a link. It has no width
/// and no other meaning: GFM finds mail addresses, and some clients all URLs, in the text that is left
/// when Markdown is read, so that no escape of Markdown would help.
const APART: char = '\u{34F}';

/// A text on one line, without what is invisible; white space is one space.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = visible(text).peekable();
    while let Some(c) = chars.next() {
        match c {
            APART => {}
            c if c.is_whitespace() => {
                let more = chars.peek().is_some_and(|next| !next.is_whitespace());
                if more && !out.is_empty() {
                    out.push(' ');
                }
            }
            c => out.push(c),
        }
    }
    out
}

/// A text of several lines without what is invisible, its Markdown untouched.
pub fn shown(text: &str) -> String {
    let lines = text.split('\n');
    let lines = lines.map(|line| visible(line).collect::<String>());
    lines.collect::<Vec<_>>().join("\n")
}

/// The characters that may be shown.
fn visible(text: &str) -> impl Iterator<Item = char> + '_ {
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    std::iter::from_fn(move || {
        loop {
            let c = chars.next()?;
            let joins = matches!(c, '\u{200C}' | '\u{200D}');
            let selects = matches!(c, '\u{180B}'..='\u{180D}' | '\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}');
            let shown = match c {
                '\u{2028}' | '\u{2029}' => Some(' '),
                c if c.is_control() => Some(' '),
                c if joins => {
                    let next = chars.peek().is_some_and(|n| is_letter_beyond_ascii(*n));
                    (next && is_letter_beyond_ascii(before)).then_some(c)
                }
                c if selects => (!before.is_ascii()).then_some(c),
                c if is_hidden(c) => None,
                c => Some(c),
            };
            if let Some(shown) = shown {
                before = shown;
                return Some(shown);
            }
        }
    })
}

fn is_letter_beyond_ascii(c: char) -> bool {
    !c.is_ascii() && !c.is_whitespace() && !c.is_control() && !is_hidden(c)
}

/// Invisible characters that change how others are read.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180E}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
        | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E00FF}' | '\u{E01F0}'..='\u{E0FFF}')
}

/// A text as Markdown that shows exactly it: no link, no image, no formatting, no HTML. Safe also
/// within a code span, a table or an attribute of HTML, where some of it then shows as `&#96;`.
///
/// Some clients take every `name.example` for a link, though GFM does not: it is none here either.
pub fn markdown(text: &str) -> String {
    let text = plain(text);
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    // What stands before a text is not known: it could be `www`, `http:/` or `[see]`.
    let (mut before, mut www) = (None, false);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, c)| *c);
        if (c == '.' && www) || (c == '/' && matches!(before, None | Some('/' | ':'))) {
            out.push(APART);
        }
        let starts = at == 0 && matches!(c, '-' | '+' | '=' | ':' | '(' | '.' | ')');
        // `1. x` and `1) x` at the start of a line are lists.
        let lists = digits > 0 && at == digits && matches!(c, '.' | ')');
        let ends_list = next.is_none_or(char::is_whitespace);
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '`' => out.push_str("&#96;"),
            '\\' | '*' | '_' | '[' | ']' | '|' | '#' | '!' | '~' | '&' => out.extend(['\\', c]),
            c if starts || (lists && ends_list) => out.extend(['\\', c]),
            c => out.push(c),
        }
        let word = before.is_none_or(char::is_alphanumeric);
        let name = c == '.' && word && next.is_some_and(char::is_alphabetic);
        // `mailto:`, `xmpp:` and other schemes that need no `//`.
        let scheme = c == ':'
            && before.is_none_or(char::is_alphabetic)
            && next.is_none_or(|n| !n.is_whitespace());
        if c == '@' || name || scheme {
            out.push(APART);
        }
        let end = out.len();
        www = end >= 3
            && out
                .get(end - 3..)
                .is_some_and(|w| w.eq_ignore_ascii_case("www"));
        before = Some(c);
    }
    out
}

/// A reason as Markdown, in the words of a clinician.
pub fn reason(text: &str) -> String {
    markdown(&plain_words::reason(text))
}

/// A text as part of a URL: it chooses neither scheme nor host, nor a folder.
pub fn url_part(text: &str) -> String {
    let text = plain(text);
    let dots = text.bytes().all(|b| b == b'.');
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' => out.push(char::from(byte)),
            b'.' if !dots => out.push('.'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A URL as it may stand on a card: absolute, http or https, with all that could end it percent-encoded.
/// `None` where it is another.
pub fn link(url: &str) -> Option<String> {
    let url = url.trim();
    let (scheme, rest) = url.split_once("://")?;
    let http = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    let named = host
        .bytes()
        .all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}'()".contains(&b));
    if !http || host.is_empty() || !named {
        return None;
    }
    let mut out = String::with_capacity(url.len());
    for byte in url.bytes() {
        match byte {
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'\'' | b'(' | b')' => {
                out.push_str(&format!("%{byte:02X}"));
            }
            b if b.is_ascii_graphic() => out.push(char::from(b)),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    Some(out)
}

/// The longest part of a text that has at most so many characters and does not end within what is
/// shown as one; also in UTF-16, in which many clients count.
pub fn front(text: &str, most: usize) -> &str {
    let (mut length, mut end) = (0, 0);
    for (at, cluster) in text.grapheme_indices(true) {
        length += width(cluster);
        if length > most {
            // One "character" of thousands of marks is cut all the same.
            return match end {
                0 => cut_within(text, most),
                end => text.get(..end).unwrap_or(""),
            };
        }
        end = at + cluster.len();
    }
    text
}

/// How many characters a text has for whoever counts the most.
pub fn width(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

fn cut_within(text: &str, most: usize) -> &str {
    let mut length = 0;
    let end = text.char_indices().find(|(_, c)| {
        length += c.len_utf16();
        length > most
    });
    end.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// Whether a value stands within a URL or a tag of HTML, as what precedes it in the Markdown tells.
/// Better once too often: within a URL no text does harm.
fn stands_in_url(before: &str) -> bool {
    let token = before.rsplit(char::is_whitespace).next().unwrap_or("");
    let lower = token.to_ascii_lowercase();
    let opens = ["](", "](<", "]:"];
    let tag = before
        .rsplit_once('<')
        .is_some_and(|(_, t)| !t.contains('>') && t.starts_with(|c: char| c.is_ascii_alphabetic()));
    lower.contains("://")
        || lower.contains("www.")
        || token.contains("](")
        || opens.iter().any(|o| before.trim_end().ends_with(o))
        || tag
}

/// A value in a place of a text of Markdown.
pub(crate) fn value(text: &str, before: &str) -> String {
    match stands_in_url(before) {
        true => url_part(text),
        false => markdown(text),
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
