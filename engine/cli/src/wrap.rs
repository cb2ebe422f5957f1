//! Lines that are no longer than there is room. Breaks are looked for at words, then after the marks
//! within ids and addresses, then where a capital letter begins a word; only what is wider than a whole
//! line without any of these is broken anywhere. No character is lost: of a break at a space the space.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Where a text may be broken, each with those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breaks {
    Words,
    Marks,
    Capitals,
    Anywhere,
}

/// A date and time with a zone is as long as this: numbers up to it are not broken, object identifiers are.
const LONGEST_NUMBER: usize = 29;

/// So short an id is not broken at its marks: `Group_1`.
const SHORT: usize = 12;

/// A unit such as `mmol/L` is no longer than this.
const LONGEST_UNIT: usize = 8;

/// Continued lines stand so much to the right.
const HANGING: &str = "    ";

/// How many columns a terminal gives to it.
pub fn columns(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The widest part that these breaks leave whole.
pub fn widest_part(text: &str, breaks: Breaks) -> usize {
    let mut widest = 0;
    for word in parts(text, Breaks::Words) {
        let word = word.trim_end();
        widest = widest.max(match breaks {
            Breaks::Words => columns(word),
            finer => {
                let parts = parts(word, finer).into_iter();
                parts.map(columns).max().unwrap_or(0)
            }
        });
    }
    widest
}

/// The lines of a text, none wider than `width`.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Lines {
        width: width.max(1),
        done: vec![],
        last: String::new(),
    };
    lines.place(text, Breaks::Words);
    lines.end();
    lines.done
}

struct Lines {
    width: usize,
    done: Vec<String>,
    last: String,
}

impl Lines {
    fn place(&mut self, text: &str, breaks: Breaks) {
        for part in parts(text, breaks) {
            let wide = columns(part.trim_end());
            let finer = match breaks {
                Breaks::Words => Breaks::Marks,
                Breaks::Marks => Breaks::Capitals,
                Breaks::Capitals | Breaks::Anywhere => Breaks::Anywhere,
            };
            if columns(&self.last) + wide <= self.width {
                self.last.push_str(part);
            } else if wide <= self.width || breaks == Breaks::Anywhere {
                self.end();
                self.last.push_str(part);
            } else {
                self.place(part, finer);
            }
        }
    }

    fn end(&mut self) {
        let line = std::mem::take(&mut self.last);
        if !line.is_empty() {
            self.done.push(line.trim_end().to_owned());
        }
    }
}

/// A text in the parts between breaks of one kind; together they are the text.
fn parts(text: &str, breaks: Breaks) -> Vec<&str> {
    match breaks {
        Breaks::Words => words(text, true),
        // A number from its unit, before either is broken.
        Breaks::Marks | Breaks::Capitals if text.trim_end().contains(' ') => words(text, false),
        Breaks::Marks | Breaks::Capitals if is_number(text.trim_end()) => vec![text],
        Breaks::Marks if columns(text.trim_end()) <= SHORT => vec![text],
        Breaks::Marks => cut(text, &|before, at, _| is_mark(before) && !is_mark(at)),
        Breaks::Capitals => cut(text, &|before, at, after| {
            let begins = at.is_uppercase() && after.is_some_and(char::is_lowercase);
            is_mark(before) && !is_mark(at)
                || !before.is_uppercase() && at.is_uppercase()
                || begins && !before.is_whitespace()
        }),
        Breaks::Anywhere => text.graphemes(true).collect(),
    }
}

/// Words with the spaces after them; with `units` one stays with its number.
fn words(text: &str, units: bool) -> Vec<&str> {
    let spaces = cut(text, &|before, at, _| before == ' ' && at != ' ');
    if !units {
        return spaces;
    }
    let mut out: Vec<&str> = vec![];
    let mut begin = 0;
    let mut at = 0;
    let mut parts = spaces.iter().peekable();
    while let Some(part) = parts.next() {
        at += part.len();
        let stays = parts.peek().is_some_and(|next| is_unit(next.trim_end()));
        if !(stays && is_number(part.trim_end())) {
            out.extend(text.get(begin..at));
            begin = at;
        }
    }
    out
}

fn is_unit(text: &str) -> bool {
    let plain = [
        "%", "B", "kB", "MB", "GB", "TB", "s", "ms", "h", "mg", "g", "kg", "cm", "mm", "mL",
    ];
    plain.contains(&text) || (text.contains('/') && columns(text) <= LONGEST_UNIT)
}

/// The text cut where the character before, the one there and the one after it ask for it.
fn cut<'t>(text: &'t str, between: &dyn Fn(char, char, Option<char>) -> bool) -> Vec<&'t str> {
    let mut out = vec![];
    let mut begin = 0;
    let mut before = None;
    let mut all = text.char_indices().peekable();
    while let Some((at, c)) = all.next() {
        let after = all.peek().map(|(_, c)| *c);
        if before.is_some_and(|before| between(before, c, after)) {
            out.extend(text.get(begin..at));
            begin = at;
        }
        before = Some(c);
    }
    out.extend(text.get(begin..).filter(|rest| !rest.is_empty()));
    out
}

fn is_mark(c: char) -> bool {
    matches!(
        c,
        '/' | '.' | '-' | '_' | ':' | '|' | ',' | ';' | '=' | '&' | '?' | '#' | '\\'
    )
}

/// A number, a date, a time, a share, a range.
pub fn is_number(text: &str) -> bool {
    let mut digits = false;
    let plain = text.chars().all(|c| {
        digits |= c.is_ascii_digit();
        c.is_ascii_digit() || " ,.%-–+:TZ".contains(c)
    });
    (digits && plain && text.chars().count() <= LONGEST_NUMBER) || matches!(text, "–" | "-")
}

/// A text of lines for people, each within `width`. What goes on in the next line is moved to the right;
/// lines of a source, which marks point into, stay as they are.
pub fn in_lines(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        if columns(line) <= width || is_source(line) {
            out.push_str(line);
            continue;
        }
        let begins = line
            .find(|c: char| c != ' ' && c != '│')
            .unwrap_or(line.len());
        let (indent, rest) = line.split_at(begins);
        let mut room = width.saturating_sub(columns(indent) + HANGING.len());
        let mut hanging = format!("{indent}{HANGING}");
        if room < width / 3 {
            // So deep that nothing else is left.
            hanging = HANGING.to_owned();
            room = width.saturating_sub(HANGING.len());
        }
        // The first line begins where it did, and has more room.
        let first = wrap(rest, width.saturating_sub(columns(indent)).max(1));
        let first = first.into_iter().next().unwrap_or_default();
        out.push_str(indent);
        out.push_str(&first);
        let after = rest.get(first.len()..).unwrap_or_default().trim_start();
        for line in wrap(after, room.max(1)) {
            out.push('\n');
            out.push_str(&hanging);
            out.push_str(&line);
        }
    }
    out
}

/// `14 | eligible: …`
fn is_source(line: &str) -> bool {
    let gutter = line.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit());
    gutter.len() < line.len() && gutter.starts_with("| ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_then_marks_then_capitals() {
        for (text, width, lines) in [
            ("one two three", 7, vec!["one two", "three"]),
            (
                "https://a.example.org/Measure/CMS122",
                24,
                vec!["https://a.example.org/", "Measure/CMS122"],
            ),
            (
                "CMS122FHIRDiabetesAssess",
                16,
                vec!["CMS122FHIR", "DiabetesAssess"],
            ),
            (
                "on 2025-12-31 at 10:00:00",
                12,
                vec!["on", "2025-12-31", "at 10:00:00"],
            ),
            (
                "it is 12.5 mg/dL now",
                12,
                vec!["it is", "12.5 mg/dL", "now"],
            ),
            ("abcdefgh", 3, vec!["abc", "def", "gh"]),
            // Wide characters take two columns; an accent that is added takes none.
            ("漢字漢字", 5, vec!["漢字", "漢字"]),
            (
                "e\u{301}e\u{301}e\u{301}",
                2,
                vec!["e\u{301}e\u{301}", "e\u{301}"],
            ),
            ("", 5, vec![]),
        ] {
            assert_eq!(wrap(text, width), lines, "{text}");
        }
    }

    #[test]
    fn nothing_is_lost() {
        let text = "value set https://a.example.org/ValueSet/2.16.840.1.113883.3.464.1003|1.0 of 漢字漢字 12 345 (n/a)";
        for width in 1..100 {
            let lines = wrap(text, width);
            let bare = |s: &str| s.replace(' ', "");
            assert_eq!(bare(&lines.concat()), bare(text), "{width}");
            let wide = lines.iter().map(|l| columns(l)).max().unwrap();
            assert!(wide <= width.max(2), "{width}: {lines:?}");
        }
    }

    #[test]
    fn lines_go_on_to_the_right_and_sources_stay() {
        let text = "error[P001]: one two three four\n12 | a source line that is long\n   = help: five six seven eight";
        let shown = "error[P001]: one two\n    three four\n12 | a source line that is long\n   = help: five six\n       seven eight";
        assert_eq!(in_lines(text, 21), shown);
    }
}
