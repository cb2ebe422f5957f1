//! §17 String operators (CQL 1.5, appendix B). Positions count Unicode characters.

use crate::context::cx::{Cx, Extra, Fault, Out};
use crate::operators::arithmetic::operand;
use crate::values::value::{Val, truth};

fn string<'a>(args: &[Val<'a>], at: usize) -> Option<&'a str> {
    match operand(args, at) {
        Val::String(text) => Some(text),
        _ => None,
    }
}

/// Two strings; `None` where either is null.
fn two<'a>(cx: &Cx<'a>, args: &[Val<'a>]) -> Result<Option<(&'a str, &'a str)>, Fault> {
    let both = string(args, 0).zip(string(args, 1));
    if let Some((a, b)) = both {
        cx.charge((a.len() + b.len()) / 16)?;
    }
    Ok(both)
}

/// A count or position; texts are shorter than what 32 bits hold, or the arena is full before.
fn count<'a>(value: usize) -> Val<'a> {
    i32::try_from(value).map_or(Val::Null, Val::Integer)
}

/// The byte where the character of this index begins; the end of the text for its length.
fn byte_of(text: &str, index: usize) -> Option<usize> {
    let starts = text.char_indices().map(|(at, _)| at);
    starts.chain([text.len()]).nth(index)
}

/// `Combine` (source, separator)
pub fn combine<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let Val::List(items) = operand(args, 0) else {
        return Ok(Val::Null);
    };
    let separator = string(args, 1).unwrap_or_default();
    cx.charge(items.len())?;
    let texts: Vec<&str> = items
        .iter()
        .filter_map(|item| match item {
            Val::String(text) => Some(*text),
            _ => None,
        })
        .collect();
    if texts.is_empty() {
        return Ok(Val::Null);
    }
    let length: usize = texts.iter().map(|t| t.len() + separator.len()).sum();
    cx.charge(length / 16)?;
    cx.room_for_text(length.saturating_sub(separator.len()))?;
    cx.string(&texts.join(separator))
}

/// `Concatenate` of any number of operands
pub fn concatenate<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let mut all = String::new();
    for arg in args {
        let Val::String(text) = arg else {
            return Ok(Val::Null);
        };
        cx.charge(text.len() / 16)?;
        cx.room_for_text(all.len() + text.len())?;
        all.push_str(text);
    }
    cx.string(&all)
}

/// `EndsWith`
pub fn ends_with<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let both = two(cx, args)?;
    Ok(truth(both.map(|(text, end)| text.ends_with(end))))
}

/// `StartsWith`
pub fn starts_with<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let both = two(cx, args)?;
    Ok(truth(both.map(|(text, start)| text.starts_with(start))))
}

/// `Indexer` on a string
pub fn string_indexer<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let (Some(text), Val::Integer(index)) = (string(args, 0), operand(args, 1)) else {
        return Ok(Val::Null);
    };
    cx.charge(text.len() / 16)?;
    let from = usize::try_from(index).ok().and_then(|i| byte_of(text, i));
    let found = from.and_then(|from| {
        let rest = text.get(from..)?;
        let length = rest.chars().next()?.len_utf8();
        rest.get(..length)
    });
    Ok(found.map_or(Val::Null, Val::String))
}

/// The index of the character that begins at this byte.
fn index_of(text: &str, byte: usize) -> usize {
    text.get(..byte).map_or(0, |before| before.chars().count())
}

/// `PositionOf` (pattern, string)
pub fn position_of<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    Ok(match two(cx, args)? {
        None => Val::Null,
        Some((pattern, text)) => match text.find(pattern) {
            None => Val::Integer(-1),
            Some(byte) => count(index_of(text, byte)),
        },
    })
}

/// `LastPositionOf` (pattern, string)
pub fn last_position_of<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    Ok(match two(cx, args)? {
        None => Val::Null,
        Some((pattern, text)) => match text.rfind(pattern) {
            None => Val::Integer(-1),
            Some(byte) => count(index_of(text, byte)),
        },
    })
}

/// `Length` of a string
pub fn length<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let Some(text) = string(args, 0) else {
        return Ok(Val::Null);
    };
    cx.charge(text.len() / 16)?;
    Ok(count(text.chars().count()))
}

/// `Lower`
pub fn lower<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    match string(args, 0) {
        Some(text) => cx.string(&text.to_lowercase()),
        None => Ok(Val::Null),
    }
}

/// `Upper`
pub fn upper<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    match string(args, 0) {
        Some(text) => cx.string(&text.to_uppercase()),
        None => Ok(Val::Null),
    }
}

/// `Split` (stringToSplit, separator). Without a separator the text is not split; an empty one
/// splits it into characters.
pub fn split<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let Some(text) = string(args, 0) else {
        return Ok(Val::Null);
    };
    cx.charge(text.len())?;
    let parts: Vec<Val<'a>> = match string(args, 1) {
        None => vec![Val::String(text)],
        Some("") => characters(text).map(Val::String).collect(),
        Some(separator) => text.split(separator).map(Val::String).collect(),
    };
    cx.list(&parts)
}

/// The characters of a text, each as a text.
pub(crate) fn characters(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices()
        .filter_map(|(at, c)| text.get(at..at + c.len_utf8()))
}

/// `Substring` (stringToSub, startIndex, length). Null where the start lies outside of the text; the
/// start of an empty text lies inside.
pub fn substring<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let (Some(text), Val::Integer(start)) = (string(args, 0), operand(args, 1)) else {
        return Ok(Val::Null);
    };
    cx.charge(text.len() / 16)?;
    let length = match operand(args, 2) {
        Val::Integer(length) => usize::try_from(length).unwrap_or(0),
        _ => usize::MAX,
    };
    let from = usize::try_from(start).ok().and_then(|i| byte_of(text, i));
    let rest = from.and_then(|from| text.get(from..));
    Ok(match rest {
        None => Val::Null,
        Some("") if !text.is_empty() => Val::Null,
        Some(rest) => {
            let end = byte_of(rest, length).unwrap_or(rest.len());
            Val::String(rest.get(..end).unwrap_or_default())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::testing::{read, read_list, run, show};

    type Operator = for<'a> fn(&Cx<'a>, &[Val<'a>], &Extra) -> Out<'a>;

    fn check(operator: Operator, cases: &[(&[&str], &str)]) {
        run(|cx| {
            for (operands, expected) in cases {
                let args: Vec<Val<'_>> = operands.iter().map(|text| read(cx, text)).collect();
                let got = show(operator(cx, &args, &Extra::default()).unwrap());
                assert_eq!(got, *expected, "{operands:?}");
            }
        });
    }

    #[test]
    fn joining() {
        check(
            concatenate,
            &[
                (&["null", "'b'"], "null"),
                (&["'a'", "'b'"], "'ab'"),
                (&["'a'", "'b'", "'c'"], "'abc'"),
            ],
        );
        run(|cx| {
            let combine = |list: &str, separator: &str| {
                let args = [read_list(cx, list), read(cx, separator)];
                show(combine(cx, &args, &Extra::default()).unwrap())
            };
            assert_eq!(combine("'a', 'b', 'c'", "null"), "'abc'");
            assert_eq!(combine("'a', null, 'c'", "'-'"), "'a-c'");
            assert_eq!(combine("", "'-'"), "null");
            assert_eq!(combine("null", "'-'"), "null");
        });
        check(combine, &[(&["null"], "null")]);
    }

    #[test]
    fn searching() {
        check(
            ends_with,
            &[
                (&["'man!!'", "'n!!'"], "true"),
                (&["'man!!'", "'n!'"], "false"),
                (&["'man'", "null"], "null"),
                (&["'man'", "''"], "true"),
            ],
        );
        check(
            starts_with,
            &[
                (&["'Breathe'", "'Bre'"], "true"),
                (&["'Breathe'", "'bre'"], "false"),
                (&["null", "'hi'"], "null"),
            ],
        );
        check(
            position_of,
            &[
                (&["'a'", "null"], "null"),
                (&["null", "'a'"], "null"),
                (&["'b'", "'ab'"], "1"),
                (&["'c'", "'ab'"], "-1"),
                (&["'d'", "'äöüd'"], "3"),
            ],
        );
        check(
            last_position_of,
            &[
                (&["'hi'", "'Ohio is the place to be!'"], "1"),
                (&["'B'", "'ABCDEDCBA'"], "7"),
                (&["'X'", "'ABC'"], "-1"),
                (&["'hi'", "null"], "null"),
            ],
        );
        check(
            length,
            &[(&["null"], "null"), (&["''"], "0"), (&["'aé𝒳'"], "3")],
        );
    }

    #[test]
    fn parts() {
        check(
            string_indexer,
            &[
                (&["'a'", "null"], "null"),
                (&["null", "1"], "null"),
                (&["'ab'", "0"], "'a'"),
                (&["'äb'", "1"], "'b'"),
                (&["'ab'", "2"], "null"),
                (&["'ab'", "-1"], "null"),
            ],
        );
        check(
            substring,
            &[
                (&["null", "1"], "null"),
                (&["'ab'", "null"], "null"),
                (&["'ab'", "0"], "'ab'"),
                (&["'ab'", "1"], "'b'"),
                (&["'ab'", "2"], "null"),
                (&["'ab'", "-1"], "null"),
                (&["''", "0"], "''"),
                (&["'äbc'", "1", "1"], "'b'"),
                (&["'ab'", "0", "3"], "'ab'"),
                (&["'ab'", "0", "0"], "''"),
            ],
        );
        check(
            split,
            &[
                (&["null", "','"], "null"),
                (&["'a,b'", "null"], "{'a,b'}"),
                (&["'a,b'", "'-'"], "{'a,b'}"),
                (&["'a,b,'", "','"], "{'a', 'b', ''}"),
                (&["'äb'", "''"], "{'ä', 'b'}"),
            ],
        );
    }

    #[test]
    fn letter_case() {
        check(lower, &[(&["null"], "null"), (&["'AÄ'"], "'aä'")]);
        check(upper, &[(&["null"], "null"), (&["'aß'"], "'ASS'")]);
    }
}
