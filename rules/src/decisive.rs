//! Which requirements a patient must have a match of to be eligible at all.
//!
//! Found in the text of `eligible`, for one pattern that is safe: a term of its top-level `&&` that
//! is `Type("set").exists(…)` or `Type("set").size() > 0`, perhaps with `.filter(…)` between. Over an
//! empty retrieve such a term is `false`, and so is the whole. Anything else says nothing.

use std::sync::Arc;

use engine_patient::requirements::DataRequirement;
use engine_patient::terminology::ValueSet;

use crate::program::Sources;

/// Indices into the requirements.
pub(crate) fn decisive(
    sources: &Sources,
    value_sets: &[(String, Arc<ValueSet>)],
    requirements: &[DataRequirement],
) -> Vec<usize> {
    let mut found = vec![];
    terms(&sources.eligible, &sources.defines, 0, &mut found);
    let index = |(resource_type, set): (String, String)| {
        let (_, set) = value_sets.iter().find(|(name, _)| *name == set)?;
        let wanted = DataRequirement::coded(&resource_type, Arc::clone(set))?;
        // A medication may stand behind a reference: then the code is not with the resource.
        let direct = wanted
            .codes
            .as_ref()
            .is_some_and(|c| c.path == "code" || c.path == "type" || c.path == "vaccineCode");
        requirements.iter().position(|r| direct && *r == wanted)
    };
    let mut indices: Vec<usize> = found.into_iter().filter_map(index).collect();
    indices.sort_unstable();
    indices.dedup();
    indices
}

/// Looks through the terms of an `&&` for the pattern, and into definitions that are terms.
fn terms(
    source: &str,
    defines: &[(String, String)],
    depth: usize,
    found: &mut Vec<(String, String)>,
) {
    let Some(parts) = conjuncts(source).filter(|_| depth < 20) else {
        return;
    };
    for part in parts {
        let part = part.trim();
        if let Some(retrieve) = retrieve(part) {
            found.push(retrieve);
        } else if let Some((_, define)) = defines.iter().find(|(name, _)| name == part) {
            terms(define, defines, depth + 1, found);
        } else if let Some(rest) = part.strip_prefix('(')
            && let Some((inner, "")) = brackets(rest)
        {
            terms(inner, defines, depth + 1, found);
        }
    }
}

/// Where in a text no string is open: its characters outside of strings, with their bytes and the
/// depth of brackets before them. `None` where strings are of a kind this does not follow.
fn outside(source: &str) -> Option<Vec<(usize, char, usize)>> {
    let mut out = vec![];
    let (mut quote, mut depth, mut escaped, mut before) = (None, 0usize, false, ' ');
    for (at, c) in source.char_indices() {
        if let Some(open) = quote {
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == open {
                quote = None;
            }
            before = c;
            continue;
        }
        match c {
            // `r"…"`, `"""…"""` and comments have rules of their own.
            '"' | '\'' if before.is_alphanumeric() || before == c => return None,
            '/' if before == '/' => return None,
            '"' | '\'' => quote = Some(c),
            ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        out.push((at, c, depth));
        if matches!(c, '(' | '[' | '{') {
            depth += 1;
        }
        before = c;
    }
    (quote.is_none() && depth == 0).then_some(out)
}

/// The terms of a top-level `&&`. `None` where an operator that binds less is there.
fn conjuncts(source: &str) -> Option<Vec<&str>> {
    let (mut parts, mut from, mut before) = (vec![], 0, ' ');
    for (at, c, depth) in outside(source)? {
        if depth == 0 {
            match (before, c) {
                ('|', '|') | (_, '?') => return None,
                ('&', '&') => {
                    parts.push(source.get(from..at - 1)?);
                    from = at + 1;
                }
                _ => {}
            }
            before = c;
        }
    }
    parts.push(source.get(from..)?);
    Some(parts)
}

/// What stands before the bracket that closes an open one, and what after it.
fn brackets(rest: &str) -> Option<(&str, &str)> {
    let whole = format!("({rest}");
    let mut depth_and_quote = (0usize, None::<char>, false);
    for (at, c) in whole.char_indices() {
        let (depth, quote, escaped) = &mut depth_and_quote;
        match (*quote, c) {
            _ if *escaped => *escaped = false,
            (Some(_), '\\') => *escaped = true,
            (Some(open), c) if c == open => *quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => *quote = Some(c),
            (None, '(' | '[' | '{') => *depth += 1,
            (None, ')' | ']' | '}') => {
                *depth -= 1;
                if *depth == 0 {
                    return Some((rest.get(..at - 1)?, rest.get(at..)?));
                }
            }
            _ => {}
        }
    }
    None
}

/// The retrieve that a term needs a match of.
fn retrieve(term: &str) -> Option<(String, String)> {
    let name = term.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    let (set, mut rest) = brackets(term.strip_prefix(name)?.trim_start().strip_prefix('(')?)?;
    let set = set.trim();
    let set = set
        .strip_prefix('"')
        .and_then(|s| s.strip_suffix('"'))
        .filter(|s| !s.contains(['"', '\\']))?;
    loop {
        let call = rest.trim_start().strip_prefix('.')?.trim_start();
        let function = call.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
        let (_, after) = brackets(
            call.strip_prefix(function)?
                .trim_start()
                .strip_prefix('(')?,
        )?;
        let after = after.trim();
        match function {
            "exists" if after.is_empty() => break,
            "size" if after.strip_prefix('>').is_some_and(|n| n.trim() == "0") => break,
            "filter" => rest = after,
            _ => return None,
        }
    }
    Some((name.to_owned(), set.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_safe_pattern_counts() {
        let defines = vec![(
            "with_it".to_owned(),
            "Condition(\"a\").exists(c, active(c))".to_owned(),
        )];
        let cases = [
            (
                "Condition(\"a\").exists(c, c.x == \")\") && true",
                "Condition:a",
            ),
            ("true && with_it", "Condition:a"),
            ("(true && with_it)", "Condition:a"),
            ("(with_it) && (x || y)", "Condition:a"),
            (
                "Condition(\"a\").filter(c, (x)).size() > 0 && Encounter( \"v\" ).exists(e, a || b)",
                "Condition:a Encounter:v",
            ),
            ("with_it || true", ""),
            ("!with_it", ""),
            ("with_it && a || b", ""),
            ("with_it ? a : b", ""),
            ("Condition(\"a\").exists(c, true) == false", ""),
            ("Condition(\"a\").size() > 1 - 2", ""),
            ("Condition(\"a\").size() >= 0", ""),
            ("Condition(\"a\").all(c, true)", ""),
            ("Condition().exists(c, true)", ""),
            ("(Condition(\"a\") + Condition(\"b\")).exists(c, true)", ""),
            ("Condition(\"a\").exists(c, true) // || true", ""),
            ("Condition(\"a\").size() > 0 || true && with_it", ""),
            (
                "\"\\\" && \" == x && Condition(\"a\").exists(c, true)",
                "Condition:a",
            ),
            ("", ""),
            ("(", ""),
            (")", ""),
            ("Condition(", ""),
            ("Condition(\"a\").", ""),
            ("\"", ""),
            ("&&", ""),
            ("with_it && (", ""),
        ];
        for (source, expected) in cases {
            let mut found = vec![];
            terms(source, &defines, 0, &mut found);
            let found: Vec<String> = found.iter().map(|(t, s)| format!("{t}:{s}")).collect();
            assert_eq!(found.join(" "), expected, "{source}");
        }
    }
}
