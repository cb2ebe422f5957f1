//! Slips of authors who know other languages, or whose editor changes what they type.

use engine_patient::system::units::written;

/// What probably helps; `code` is the expression with texts and comments blank, where they can be told.
pub(super) fn help(source: &str, code: &str) -> Option<String> {
    if source.contains(['“', '”', '„', '‘', '’', '«', '»']) {
        return Some("write straight quotes, as in `\"egfr\"`: these are typographic ones".into());
    }
    if let Some(name) = arrow(code) {
        return Some(format!(
            "write `,` behind the variable, as in `list.exists({name}, {name}.status == \"final\")`; at least is `>=`"
        ));
    }
    for (written, meant) in [
        ("=>", ">="),
        ("=<", "<="),
        ("≥", ">="),
        ("≤", "<="),
        ("≠", "!="),
        ("–", "-"),
        ("×", "*"),
    ] {
        if code.contains(written) {
            return Some(format!("write `{meant}` for `{written}`"));
        }
    }
    if let Some(help) = limits(code) {
        return Some(help);
    }
    let word = |w: &str| code.split(|c: char| !c.is_alphanumeric()).any(|s| s == w);
    if let Some(help) = duration(code) {
        return Some(help);
    }
    if code.contains("<>") {
        return Some("write `!=` for `<>`".into());
    }
    if let Some(number) = decimal_comma(code) {
        return Some(format!(
            "write `{}` for `{number}`: a point for the comma",
            number.replace(',', ".")
        ));
    }
    if let Some((number, unit)) = with_unit(source, code) {
        return Some(format!(
            "a number has no unit here: write `{number}`, and name the unit where the value is taken, as in `list.latestValue(\"{unit}\") > {number}` or `quantityIn(x.value, \"{unit}\")`"
        ));
    }
    if word("null") || word("NULL") {
        return Some(
            "`has(x.y)` asks whether an element is there, `!has(x.y)` whether it is not".into(),
        );
    }
    let plain = ["&&", "||", "==", "!=", "<=", ">="];
    let rest = plain
        .iter()
        .fold(code.to_owned(), |s, op| s.replace(op, ""));
    let help = if word("and") || word("AND") {
        "write `&&` for and"
    } else if word("or") || word("OR") {
        "write `||` for or"
    } else if word("not") || word("NOT") {
        "write `!` for not"
    } else if word("if") || word("then") || word("else") {
        "write `condition ? value : other value`, in quotes in YAML; of true and false the condition alone is enough"
    } else if rest.contains('&') {
        "write `&&` for and"
    } else if rest.contains('|') {
        "write `||` for or"
    } else if rest.contains('=') {
        "write `==` to compare, and a text in quotes, as in `x.status == \"active\"`"
    } else if code.contains(';') {
        "an expression has no `;`: join conditions with `&&` or `||`"
    } else if code.contains('#') {
        "a comment in an expression begins with `//`"
    } else if percent(code) {
        "a number has no unit: write `quantityIn(x.value, \"%\") > 9.0`"
    } else {
        return None;
    };
    Some(help.into())
}

/// `12 months`, and not `months(12)`: with the number that was written.
fn duration(code: &str) -> Option<String> {
    let words: Vec<&str> = code
        .split(|c: char| !c.is_alphanumeric() && c != '(')
        .filter(|w| !w.is_empty())
        .collect();
    let units = ["years", "months", "weeks", "days", "hours"];
    let (number, unit) = words.windows(2).find_map(|pair| {
        let [number, unit] = pair else { return None };
        let unit = units
            .iter()
            .find(|u| **u == *unit || u.strip_suffix('s') == Some(*unit))?;
        let number = number.rsplit('(').next()?;
        let digits = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
        digits.then_some((number, *unit))
    })?;
    let ago = ["today", "now", "TODAY", "NOW"]
        .into_iter()
        .find(|w| words.contains(w));
    let age = words
        .iter()
        .any(|w| w.to_ascii_lowercase().starts_with("age"));
    Some(match ago {
        Some(now) => format!(
            "write `at` for `{now}` and `{unit}({number})` for a duration, as in `at - {unit}({number})`; of the last {number} {unit} is `list.inLast({unit}({number}))`"
        ),
        None if age && unit == "years" => format!(
            "an age is a number without a unit, as in `ageInYearsAt(at) >= {number}`; a duration is `years({number})`"
        ),
        None => format!(
            "write a duration as `{unit}({number})`; of the last {number} {unit} is `list.inLast({unit}({number}))`"
        ),
    })
}

/// `5,5` behind a comparison, which no function is around.
fn decimal_comma(code: &str) -> Option<&str> {
    let digit = |c: char| c.is_ascii_digit();
    code.match_indices(',').find_map(|(at, _)| {
        let (before, after) = (code.get(..at)?, code.get(at + 1..)?);
        let whole = before.len() - before.trim_end_matches(digit).len();
        let part = after.len() - after.trim_start_matches(digit).len();
        let compared = before
            .get(..at - whole)?
            .trim_end()
            .ends_with(['<', '>', '=']);
        (whole > 0 && part > 0 && compared).then(|| code.get(at - whole..at + 1 + part))?
    })
}

/// `5.5 mmol/L`: a number, and a unit behind it.
fn with_unit<'s>(source: &'s str, code: &str) -> Option<(&'s str, &'s str)> {
    // What is blank in the code is no part of it.
    if !code.contains(['<', '>', '=']) {
        return None;
    }
    let words: Vec<&str> = source.split_whitespace().collect();
    words.windows(2).find_map(|pair| {
        let [number, unit] = pair else { return None };
        let unit = unit.trim_end_matches([')', '&', '|', ',']);
        let number = number.trim_start_matches(['<', '>', '=', '(']);
        let is_number =
            number.parse::<f64>().is_ok() && number.ends_with(|c: char| c.is_ascii_digit());
        let letter = unit.starts_with(|c: char| c.is_ascii_alphabetic() || c == '%');
        let is_unit = letter && (written::is_ucum(unit) || written::meant(unit).is_some());
        (is_number && is_unit).then_some((number, unit))
    })
}

/// `x` in `list.exists(x => …)`
fn arrow(code: &str) -> Option<&str> {
    let (before, _) = code.split_once("=>")?;
    let (called, name) = before.rsplit_once('(')?;
    let name = name.trim();
    let word = |c: char| c.is_alphanumeric() || c == '_';
    (called.ends_with(word) && !name.is_empty() && name.chars().all(word)).then_some(name)
}

/// `40..75`, `between 40 and 75`
fn limits(code: &str) -> Option<String> {
    let help = "write the two limits for themselves: `x >= 40 && x <= 75`";
    let dots = code.split_once("..").is_some_and(|(before, after)| {
        let digit = |c: char| c.is_ascii_digit();
        before.trim_end().ends_with(digit) || after.trim_start().starts_with(digit)
    });
    let mut words = code.split(|c: char| !c.is_alphanumeric());
    let between = words.any(|w| w.eq_ignore_ascii_case("between"));
    (dots || between && !code.contains("between(")).then(|| help.to_owned())
}

/// `9%`, with nothing behind that it could be divided by.
fn percent(code: &str) -> bool {
    let mut parts = code.split('%').peekable();
    while let Some(before) = parts.next() {
        let Some(after) = parts.peek() else { break };
        let number = before.trim_end().ends_with(|c: char| c.is_ascii_digit());
        let after = after.trim_start();
        if number && !after.starts_with(|c: char| c.is_alphanumeric() || "(-_".contains(c)) {
            return true;
        }
    }
    false
}

/// The bracket that has no partner: at which character, what is wrong with it, and what helps.
pub(super) fn brackets(source: &str) -> Option<(usize, String, String)> {
    let (mut open, mut quote) = (vec![], None);
    for (at, c) in source.chars().enumerate() {
        match (c, quote) {
            (c, Some(closing)) if c == closing => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(c),
            ('(' | '[', None) => open.push((at, c)),
            (')' | ']', None) => {
                let wanted = if c == ')' { '(' } else { '[' };
                match open.pop() {
                    Some((_, opened)) if opened == wanted => {}
                    Some((at, opened)) => return Some(unclosed(at, opened)),
                    None => {
                        return Some((
                            at,
                            format!("not an expression: this `{c}` closes nothing"),
                            format!("remove it, or write the `{wanted}` that is missing before it"),
                        ));
                    }
                }
            }
            _ => {}
        }
    }
    open.first().map(|(at, opened)| unclosed(*at, *opened))
}

fn unclosed(at: usize, opened: char) -> (usize, String, String) {
    let close = if opened == '(' { ')' } else { ']' };
    (
        at,
        format!("not an expression: this `{opened}` is never closed"),
        format!("one `{close}` is missing: each `{opened}` needs its `{close}`"),
    )
}

#[cfg(test)]
mod tests {
    use super::help;

    #[test]
    fn slips_of_other_languages() {
        for (written, words) in [
            ("Observation(“egfr”).size() > 0", "straight quotes"),
            ("ageInYearsAt(at) ≥ 18", "write `>=` for `≥`"),
            ("ageInYearsAt(at) => 18", "write `>=` for `=>`"),
            ("valueIn(x) =< 9", "write `<=` for `=<`"),
            ("list.exists(x => x.id)", "`,` behind the variable"),
            ("a & b", "write `&&`"),
            ("a | b", "write `||`"),
            ("a = b", "write `==`"),
            ("a && b;", "no `;`"),
            ("a # comment", "`//`"),
            ("a > 9%", "quantityIn"),
            ("if a then b else c", "condition ? value : other value"),
            ("a > 12 months", "`months(12)`"),
            (
                "a > today - 6 weeks",
                "`at - weeks(6)`; of the last 6 weeks",
            ),
            ("ageInYearsAt(at) >= 18 years", "`ageInYearsAt(at) >= 18`"),
            ("list.last(1 year)", "`years(1)`"),
            ("a <> b", "write `!=`"),
            ("level >= 5,5", "write `5.5` for `5,5`"),
            (
                "level >= 5.5 mmol/L",
                "`list.latestValue(\"mmol/L\") > 5.5`",
            ),
            ("a and b", "write `&&` for and"),
        ] {
            let told = help(written, written).unwrap_or_default();
            assert!(told.contains(words), "{written}: {told}");
        }
        assert_eq!(help("a > b % 2 .", "a > b % 2 ."), None);
    }

    #[test]
    fn the_bracket_without_a_partner_is_marked() {
        for (written, at, words) in [
            ("(a && (b || c)", 0, "`(` is never closed"),
            ("a)", 1, "`)` closes nothing"),
            ("list[0", 4, "`[` is never closed"),
            ("f(\"(\" + x))", 10, "`)` closes nothing"),
            ("f(x[1)", 3, "`[` is never closed"),
        ] {
            let (place, message, _) = super::brackets(written).unwrap();
            assert_eq!(place, at, "{written}");
            assert!(message.contains(words), "{written}: {message}");
        }
        assert_eq!(super::brackets("f(\")\")"), None);
    }
}
