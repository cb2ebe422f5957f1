//! Where each character of a scalar's value stands in the file.
//!
//! YAML folds lines, drops indentation and resolves escapes; everything else stays in order, so the
//! value is followed along the file. Only white space may differ between the two.

use super::node::Style;

/// For each character of `value`, and for its end, the character of the file. `from` is where the
/// scalar begins (its quote, if it has one; for a block its first character), `to` where it ends.
pub(super) fn align(
    file: &[char],
    from: usize,
    to: usize,
    style: Style,
    value: &str,
) -> Vec<usize> {
    let quoted = matches!(style, Style::Single | Style::Double);
    let mut at = from + usize::from(quoted);
    let mut places = Vec::with_capacity(value.len() + 1);
    for c in value.chars() {
        if !c.is_whitespace() {
            at = skip_space(file, at, to, style);
        }
        places.push(at.min(to));
        at += match (style, file.get(at), file.get(at + 1)) {
            (Style::Double, Some('\\'), Some(kind)) => match kind {
                'x' => 4,
                'u' => 6,
                'U' => 10,
                _ => 2,
            },
            (Style::Single, Some('\''), Some('\'')) => 2,
            (_, Some(found), _) if *found == c || !c.is_whitespace() => 1,
            _ => 0,
        };
    }
    places.push(at.min(to));
    places
}

/// Past white space, and past `\` at the end of a line of a `"…"`.
fn skip_space(file: &[char], mut at: usize, to: usize, style: Style) -> usize {
    while at < to {
        let line_ends = matches!(file.get(at + 1), Some('\n' | '\r'));
        match file.get(at) {
            Some(c) if c.is_whitespace() => at += 1,
            Some('\\') if style == Style::Double && line_ends => at += 1,
            _ => break,
        }
    }
    at
}
