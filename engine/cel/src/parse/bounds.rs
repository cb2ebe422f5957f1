//! What is told of an expression before the parser sees it: whether its texts are closed, and how deep
//! its tree will be.

/// The expression with texts and comments blank, as the grammar of CEL tells them; where it does
/// not take a text, the character at which that begins. What stands after it would be read as code.
pub(super) fn without_texts(source: &str) -> Result<String, usize> {
    let chars: Vec<char> = source.chars().collect();
    let is = |at: usize, c: char| chars.get(at) == Some(&c);
    let (mut out, mut at, mut word) = (String::with_capacity(source.len()), 0, 0);
    while let Some(&c) = chars.get(at) {
        let end = match c {
            '/' if is(at + 1, '/') => {
                let rest = chars.iter().skip(at);
                at + rest.take_while(|c| **c != '\n').count()
            }
            '"' | '\'' => {
                let prefix: String = chars.get(word..at).unwrap_or_default().iter().collect();
                let raw = match prefix.to_ascii_lowercase().as_str() {
                    "" | "b" => false,
                    "r" | "br" => true,
                    _ => return Err(at),
                };
                text_end(&chars, at, raw).ok_or(at)?
            }
            '`' => return Err(at),
            _ => {
                out.push(c);
                at += 1;
                if !c.is_ascii_alphanumeric() && c != '_' {
                    word = at;
                }
                continue;
            }
        };
        out.push(' ');
        (at, word) = (end, end);
    }
    Ok(out)
}

/// The character after the text whose quotes begin here.
fn text_end(chars: &[char], at: usize, raw: bool) -> Option<usize> {
    let quote = *chars.get(at)?;
    let triple = |at: usize| chars.get(at..at + 3).is_some_and(|q| q == [quote; 3]);
    let hex = |at: usize, n: usize| {
        let digits = chars.get(at..at + n)?;
        digits.iter().all(char::is_ascii_hexdigit).then_some(at + n)
    };
    let long = triple(at);
    let mut at = at + if long { 3 } else { 1 };
    loop {
        at = match *chars.get(at)? {
            '\\' if !raw => match *chars.get(at + 1)? {
                'x' | 'X' => hex(at + 2, 2)?,
                'u' => hex(at + 2, 4)?,
                'U' => hex(at + 2, 8)?,
                '0'..='3' => {
                    let octal = chars.get(at + 2..at + 4)?;
                    octal
                        .iter()
                        .all(|c| ('0'..='7').contains(c))
                        .then_some(at + 4)?
                }
                c if "abfnrtv\"'\\?`".contains(c) => at + 2,
                _ => return None,
            },
            _ if long && triple(at) => return Some(at + 3),
            c if !long && c == quote => return Some(at + 1),
            '\n' | '\r' if !long => return None,
            _ => at + 1,
        };
    }
}

/// A bound on how deep the parser's tree will be: brackets, and operators in a row. `&&` and `||`
/// make balanced trees and start a new row, as does a comma.
pub(super) fn nesting(source: &str) -> usize {
    // Per open bracket, the operators in a row so far.
    let mut rows = vec![0usize];
    let (mut depth, mut most) = (0usize, 0usize);
    let (mut before, mut word) = (' ', String::new());
    for c in source.chars().chain([' ']) {
        if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c);
        } else {
            // A number may stand right before it: `1in [1]`.
            let digit = word.starts_with(|c: char| c.is_ascii_digit());
            if word == "in" || (digit && word.ends_with("in")) {
                depth += 1;
                if let Some(row) = rows.last_mut() {
                    *row += 1;
                }
            }
            word.clear();
        }
        match c {
            '(' | '[' | '{' => {
                rows.push(0);
                depth += 1;
            }
            ')' | ']' | '}' => {
                depth -= rows.pop().unwrap_or(0).min(depth);
                depth = depth.saturating_sub(1) + 1;
                match rows.last_mut() {
                    Some(row) => *row += 1,
                    None => rows.push(1),
                }
            }
            // One alone the parser passes over, as it does any other character it does not know.
            '&' | '|' if before != c => {}
            ',' | '&' | '|' => depth -= rows.last_mut().map_or(0, std::mem::take).min(depth),
            '.' | '+' | '-' | '*' | '/' | '%' | '<' | '>' | '=' | '!' | '?' => {
                depth += 1;
                if let Some(row) = rows.last_mut() {
                    *row += 1;
                }
            }
            _ => {}
        }
        most = most.max(depth);
        before = c;
    }
    most
}
