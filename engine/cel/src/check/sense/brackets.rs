//! `&&` beside `||` without brackets: `&&` binds first, and not everybody reads it so.

use engine_patient::finding::Code;

use super::look::Look;
use crate::nodes::Span;

/// What stands between two brackets, commas or signs of a condition: where it begins, and its `&&` and `||`
/// with where each begins.
#[derive(Default)]
struct Group {
    start: usize,
    ors: Vec<usize>,
    ands: Vec<usize>,
}

/// Warns of each such place.
pub fn without_brackets(look: &mut Look<'_>, source: &str) {
    let chars: Vec<char> = source.chars().collect();
    let mut open = vec![Group::default()];
    let mut found: Vec<(Span, Vec<usize>)> = vec![];
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        let next = chars.get(at + 1);
        let mut step = 1;
        match c {
            '"' | '\'' => step = text_length(chars.get(at..).unwrap_or_default()),
            '/' if next == Some(&'/') => {
                let rest = chars.iter().skip(at);
                step = rest.take_while(|c| **c != '\n').count();
            }
            '(' | '[' | '{' => open.push(Group {
                start: at + 1,
                ..Group::default()
            }),
            ')' | ']' | '}' | ',' | '?' | ':' => {
                if let Some(group) = open.pop() {
                    end(group, at, &mut found);
                }
                if matches!(c, ',' | '?' | ':') || open.is_empty() {
                    open.push(Group {
                        start: at + 1,
                        ..Group::default()
                    });
                }
            }
            '&' | '|' if next == Some(c) => {
                if let Some(group) = open.last_mut() {
                    match c {
                        '&' => group.ands.push(at),
                        _ => group.ors.push(at),
                    }
                }
                step = 2;
            }
            _ => {}
        }
        at += step.max(1);
    }
    for group in open {
        end(group, chars.len(), &mut found);
    }
    for ((start, end), ors) in found {
        let written = |from: usize, to: usize| {
            let text: String = chars.get(from..to).unwrap_or_default().iter().collect();
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let is_blank = |at: &usize| chars.get(*at).is_some_and(|c| c.is_whitespace());
        let from = (start..end).find(|at| !is_blank(at)).unwrap_or(start);
        let to = (start..end)
            .rev()
            .find(|at| !is_blank(at))
            .map_or(end, |at| at + 1);
        // As it is read: each part between two `||` that has an `&&` in brackets.
        let starts = std::iter::once(start).chain(ors.iter().map(|at| at + 2));
        let ends = ors.iter().copied().chain([end]);
        let parts = starts.zip(ends).map(|(from, to)| {
            let part = written(from, to);
            match part.contains("&&") && !is_bracketed(&part) {
                true => format!("({part})"),
                false => part,
            }
        });
        let read = parts.collect::<Vec<_>>().join(" || ");
        let help = match read.chars().count() > LONGEST {
            true => "put brackets around what belongs together".to_owned(),
            false => format!(
                "it is read as `{read}`: write it so, or put the brackets where you mean them"
            ),
        };
        let message = "`&&` and `||` stand beside each other without brackets: `&&` binds first";
        look.warning(Code::MixedAndOr, message.into(), (from, to), Some(help));
    }
}

/// Most characters of an expression that is written anew.
const LONGEST: usize = 160;

fn end(group: Group, at: usize, found: &mut Vec<(Span, Vec<usize>)>) {
    if !group.ands.is_empty() && !group.ors.is_empty() {
        found.push(((group.start, at), group.ors));
    }
}

/// Whether one pair of brackets is around all of it.
fn is_bracketed(part: &str) -> bool {
    let Some(inner) = part.strip_prefix('(').and_then(|p| p.strip_suffix(')')) else {
        return false;
    };
    let mut depth = 0_i32;
    inner.chars().all(|c| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth >= 0
    })
}

/// The characters of a text in quotes, both quotes included.
fn text_length(chars: &[char]) -> usize {
    let Some(quote) = chars.first() else { return 1 };
    let triple = chars.len() >= 6 && chars.iter().take(3).all(|c| c == quote);
    let size = if triple { 3 } else { 1 };
    let mut at = size;
    while let Some(c) = chars.get(at) {
        let rest = chars.get(at..).unwrap_or_default();
        match c {
            '\\' => at += 2,
            _ if rest.len() >= size && rest.iter().take(size).all(|c| c == quote) => {
                return at + size;
            }
            _ => at += 1,
        }
    }
    chars.len()
}

#[cfg(test)]
mod tests {
    use engine_patient::finding::Code;

    use crate::Checker;

    /// The warnings of an expression: what is underlined, and the help.
    fn told(source: &str) -> Vec<String> {
        let compiled = Checker::new(vec![]).compile(source, None).unwrap();
        let found = compiled.warnings.iter();
        let found = found.filter(|one| one.code == Code::MixedAndOr);
        let under = |one: &engine_patient::finding::Finding| {
            let (from, to) = one.chars();
            let text: String = source.chars().skip(from).take(to - from).collect();
            format!("{text}: {}", one.help.as_deref().unwrap_or_default())
        };
        found.map(under).collect()
    }

    #[test]
    fn and_beside_or_wants_brackets() {
        let (a, b, c) = ("deceased(at)", "patient.active", "patient.gender == 'male'");
        let read = "write it so, or put the brackets where you mean them";
        let mixed = format!("{a} && {b} || {c}");
        assert_eq!(
            told(&mixed),
            [format!(
                "{mixed}: it is read as `({a} && {b}) || {c}`: {read}"
            )]
        );
        assert_eq!(told(&format!("{c} || {b} && {a}")).len(), 1);
        assert_eq!(
            told(&format!("!({c} ||\n {b} && {a})")),
            [format!(
                "{c} ||\n {b} && {a}: it is read as `{c} || ({b} && {a})`: {read}"
            )]
        );
        assert_eq!(told(&format!("({a}) && ({b}) || {c}")).len(), 1);
        for plain in [
            format!("({a} && {b}) || {c}"),
            format!("{a} && ({b} || {c})"),
            format!("{a} && {b} && {c}"),
            format!("{a} ? {a} && {b} : {b} || {c}"),
            format!("[{a} && {b}, {b} || {c}].exists(x, x)"),
            format!("{a} && Observation().exists(o, o.code.text == \"a || b\")"),
            format!("{a} || {b} // && {c}"),
            "Observation().exists(o, o.status == \"final\" || o.status == \"amended\") && deceased(at)".into(),
        ] {
            assert_eq!(told(&plain), Vec::<String>::new(), "{plain}");
        }
    }
}
