//! Slips of authors who know other languages, or whose editor changes what they type.

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
    let units = ["years", "months", "weeks", "days", "hours"];
    // `12 months`, and not `months(12)`.
    let unit = units.into_iter().find(|unit| {
        let mut behind = code.split(unit).skip(1);
        word(unit) && behind.any(|rest| !rest.trim_start().starts_with('('))
    });
    if let Some(unit) = unit {
        let now = ["today", "now", "TODAY", "NOW"]
            .into_iter()
            .find(|w| word(w));
        return Some(match now {
            Some(now) => format!(
                "write `at` for `{now}` and `{unit}(12)` for a duration, as in `at - {unit}(12)`; of the last 12 {unit} is `list.inLast({unit}(12))`"
            ),
            None => format!("write a duration as `{unit}(12)`"),
        });
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
        "write `condition ? value : other value`"
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
        return brackets(code);
    };
    Some(help.into())
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

/// Brackets that are not closed, or were never opened.
fn brackets(code: &str) -> Option<String> {
    for (open, close) in [('(', ')'), ('[', ']')] {
        let count = |wanted: char| code.chars().filter(|c| *c == wanted).count();
        let (opened, closed) = (count(open), count(close));
        let told = |n: usize, c: char| match n {
            1 => format!("one `{c}`"),
            n => format!("{n} `{c}`"),
        };
        if opened > closed {
            let missing = told(opened - closed, close);
            return Some(format!(
                "{missing} is missing: each `{open}` needs its `{close}`"
            ));
        }
        if closed > opened {
            let many = told(closed - opened, close);
            return Some(format!(
                "{many} too many: each `{close}` needs its `{open}`"
            ));
        }
    }
    None
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
            ("(a && (b || c)", "one `)` is missing"),
            ("a)", "one `)` too many"),
            ("a > 12 months", "`months(12)`"),
            ("a and b", "write `&&` for and"),
        ] {
            let told = help(written, written).unwrap_or_default();
            assert!(told.contains(words), "{written}: {told}");
        }
        assert_eq!(help("a > b % 2 .", "a > b % 2 ."), None);
    }
}
