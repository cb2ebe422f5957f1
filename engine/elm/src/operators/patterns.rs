//! §17 String operators with regular expressions: `Matches`, `ReplaceMatches`, `SplitOnMatches`
//! (CQL 1.5, appendix B).
//!
//! "Single line mode": a dot matches a line break too, `^` and `$` only the ends of the text. A
//! match may be part of the text (CQL 1.5.3: "use partial matching"). Matching takes linear time; what
//! this cannot do, such as a look-ahead, is an error and never a wrong answer.

use std::cell::RefCell;

use regex::{Captures, Regex, RegexBuilder};

use crate::context::cx::{Cx, Extra, Fault, Out};
use crate::operators::arithmetic::operand;
use crate::values::value::Val;

/// Most bytes of a compiled pattern.
const SIZE: usize = 1 << 20;
/// Steps of compiling one: a pattern made anew for every row would take hours otherwise.
const COMPILE: usize = 100_000;
/// Compiled patterns that a thread keeps.
const KEPT: usize = 32;

thread_local! {
    static PATTERNS: RefCell<Vec<(String, Regex)>> = const { RefCell::new(Vec::new()) };
}

/// The compiled pattern. Libraries have few, so the last ones are kept: compiling takes longer than
/// most matches.
fn compiled(cx: &Cx<'_>, pattern: &str) -> Result<Regex, Fault> {
    PATTERNS.with_borrow_mut(|kept| {
        if let Some(at) = kept.iter().position(|(text, _)| text == pattern) {
            if at > 0 {
                kept.swap(at, at - 1);
            }
            let place = at.saturating_sub(1);
            if let Some((_, regex)) = kept.get(place) {
                return Ok(regex.clone());
            }
        }
        cx.charge(COMPILE)?;
        let regex = RegexBuilder::new(pattern)
            .dot_matches_new_line(true)
            .size_limit(SIZE)
            .dfa_size_limit(SIZE)
            .build()
            .map_err(|_| {
                Fault::Raised("a pattern is no regular expression that can be run".to_owned())
            })?;
        if kept.len() >= KEPT {
            kept.pop();
        }
        kept.push((pattern.to_owned(), regex.clone()));
        Ok(regex)
    })
}

fn string<'a>(args: &[Val<'a>], at: usize) -> Option<&'a str> {
    match operand(args, at) {
        Val::String(text) => Some(text),
        _ => None,
    }
}

/// A text and a pattern; null operands give `None`.
fn text_and_pattern<'a>(cx: &Cx<'a>, args: &[Val<'a>]) -> Result<Option<(&'a str, Regex)>, Fault> {
    let Some((text, pattern)) = string(args, 0).zip(string(args, 1)) else {
        return Ok(None);
    };
    cx.charge(text.len() + pattern.len())?;
    Ok(Some((text, compiled(cx, pattern)?)))
}

/// `Matches` (argument, pattern)
pub fn matches<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    Ok(match text_and_pattern(cx, args)? {
        Some((text, regex)) => Val::Boolean(regex.is_match(text)),
        None => Val::Null,
    })
}

/// Appends a substitution: `$1` and `${name}` stand for groups, `\` takes the next character as it
/// is. What names no group stands for itself.
fn substitute(substitution: &str, groups: &Captures<'_>, into: &mut String) {
    let mut rest = substitution;
    while let Some(at) = rest.find(['$', '\\']) {
        let (before, after) = rest.split_at(at);
        into.push_str(before);
        let mut chars = after.chars();
        let sign = chars.next();
        rest = chars.as_str();
        if sign == Some('\\') {
            if let Some(next) = chars.next() {
                into.push(next);
                rest = chars.as_str();
            }
            continue;
        }
        match group(rest, groups) {
            Some((text, after)) => {
                into.push_str(text);
                rest = after;
            }
            None => into.push('$'),
        }
    }
    into.push_str(rest);
}

/// The group that the text after a `$` names, and the text after its name.
fn group<'t, 's>(name: &'s str, groups: &Captures<'t>) -> Option<(&'t str, &'s str)> {
    if let Some(inner) = name.strip_prefix('{') {
        let (inner, after) = inner.split_once('}')?;
        let text = match inner.parse::<usize>() {
            Ok(number) if number < groups.len() => groups.get(number),
            Ok(_) => return None,
            Err(_) => groups.name(inner),
        };
        return Some((text.map_or("", |m| m.as_str()), after));
    }
    // As many digits as still name a group.
    let mut found = None;
    for end in 1..=3 {
        let Some((digits, after)) = name.split_at_checked(end) else {
            break;
        };
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            break;
        }
        if let Ok(number) = digits.parse::<usize>()
            && number < groups.len()
        {
            found = Some((groups.get(number).map_or("", |m| m.as_str()), after));
        }
    }
    found
}

/// `ReplaceMatches` (argument, pattern, substitution)
pub fn replace_matches<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let (Some((text, regex)), Some(substitution)) = (text_and_pattern(cx, args)?, string(args, 2))
    else {
        return Ok(Val::Null);
    };
    let mut out = String::new();
    let mut from = 0;
    for groups in regex.captures_iter(text) {
        let Some(whole) = groups.get(0) else { continue };
        cx.charge(1 + substitution.len() / 16)?;
        out.push_str(text.get(from..whole.start()).unwrap_or_default());
        let before = out.len();
        substitute(substitution, &groups, &mut out);
        cx.charge((out.len() - before) / 16)?;
        cx.room_for_text(out.len())?;
        from = whole.end();
    }
    out.push_str(text.get(from..).unwrap_or_default());
    cx.string(&out)
}

/// `SplitOnMatches` (stringToSplit, separatorPattern)
pub fn split_on_matches<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    if let (Some(text), Val::Null) = (string(args, 0), operand(args, 1)) {
        return cx.list(&[Val::String(text)]);
    }
    let Some((text, regex)) = text_and_pattern(cx, args)? else {
        return Ok(Val::Null);
    };
    let parts: Vec<Val<'a>> = regex.split(text).map(Val::String).collect();
    cx.list(&parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::testing::{read, run, show};

    type Operator = for<'a> fn(&Cx<'a>, &[Val<'a>], &Extra) -> Out<'a>;

    fn check(operator: Operator, cases: &[(&[&str], &str)]) {
        run(|cx| {
            for (operands, expected) in cases {
                let args: Vec<Val<'_>> = operands.iter().map(|text| read(cx, text)).collect();
                let got = operator(cx, &args, &Extra::default()).map_or("error".to_owned(), show);
                assert_eq!(got, *expected, "{operands:?}");
            }
        });
    }

    #[test]
    fn matching() {
        check(
            matches,
            &[
                (&["'Not all who wander'", "null"], "null"),
                (&["null", "'a'"], "null"),
                (&["'Not all who wander'", r"'.*\d+'"], "false"),
                (&["'Not all who wander'", "'.*'"], "true"),
                (&["'Not all who wander'", r"'[\w|\s]+'"], "true"),
                (&["'Not all - circa 2017'", r"'^[\w\s]+$'"], "false"),
                (&["'   '", r"'\W+'"], "true"),
                (&["' \n\t'", r"'\s+'"], "true"),
                (&["'1,2three'", r"'\d,\d\w+'"], "true"),
                (&["'1,2three'", r"'^\w+$'"], "false"),
                (&["'http://fhir.org/Library/FHIR'", "'Library'"], "true"),
                (&["'a\nb'", "'^a.b$'"], "true"),
                (&["'a\nb'", "'^b$'"], "false"),
                (&["'N8000123123'", "'^N[0-9]{8}$'"], "false"),
                (&["'a'", "'('"], "error"),
                (&["'a'", "'(?=a)'"], "error"),
                (&["'a'", r"'\w{1000}{1000}'"], "error"),
            ],
        );
        // The cache gives the same pattern back, whatever was asked between.
        run(|cx| {
            for _ in 0..3 {
                for i in 0..40 {
                    let pattern = format!("^a{i}$");
                    assert!(compiled(cx, &pattern).unwrap().is_match(&format!("a{i}")));
                    assert!(!compiled(cx, &pattern).unwrap().is_match("a"));
                    assert!(compiled(cx, "b").unwrap().is_match("abc"));
                }
            }
        });
        assert!(PATTERNS.with_borrow(|kept| kept.len() <= KEPT));
    }

    #[test]
    fn replacing() {
        check(
            replace_matches,
            &[
                (&["'Not all'", "null", "'x'"], "null"),
                (&["'Not all'", "'x'", "null"], "null"),
                (
                    &["'bop in the bop'", "'bop'", "'bang'"],
                    "'bang in the bang'",
                ),
                (
                    &["'All that glitters'", r"'\s'", r"'\$'"],
                    "'All$that$glitters'",
                ),
                (&["'ab12'", r"'([a-z]+)(\d+)'", "'$2$1'"], "'12ab'"),
                (&["'ab12'", r"'([a-z]+)(\d+)'", "'$10'"], "'ab0'"),
                (&["'ab12'", r"'(?P<w>[a-z]+)'", "'<${w}>'"], "'<ab>12'"),
                (&["'ab'", "'b'", "'$7 $ $'"], "'a$7 $ $'"),
                (&["'ab'", "'x*'", "'-'"], "'-a-b-'"),
                (&["'äöü'", "'ö'", r"'\\'"], r"'ä\ü'"),
                (&["'ab'", "'b'", "'$é'"], "'a$é'"),
            ],
        );
    }

    #[test]
    fn splitting() {
        check(
            split_on_matches,
            &[
                (&["null", "','"], "null"),
                (&["'a1b22c'", r"'\d+'"], "{'a', 'b', 'c'}"),
                (&["'abc'", r"'\d+'"], "{'abc'}"),
                (&["'abc'", "null"], "{'abc'}"),
            ],
        );
    }
}
