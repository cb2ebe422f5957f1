//! What of a file probably keeps it from being YAML, in words of its author: the scanner tells the place
//! where it gave up, which is often a line below the slip, and its reason in words of the grammar.

/// What is wrong, at which characters of the file, and what to write instead.
pub(super) struct Slip {
    pub(super) message: String,
    pub(super) span: (usize, usize),
    pub(super) help: String,
}

/// A line: where it begins, how far it is indented, and what it says.
struct Line<'t> {
    at: usize,
    indent: usize,
    said: &'t [char],
}

/// The slip that is nearest to the character where the scanner gave up.
pub(super) fn of(file: &[char], at: usize) -> Option<Slip> {
    let at = at.min(file.len());
    let lines = lines(file);
    let here = lines.iter().rposition(|line| line.at <= at)?;
    if let Some(slip) = tab(file, lines.get(here)?.at) {
        return Some(slip);
    }
    let told = |line: &&Line<'_>| !line.said.is_empty() && line.said.first() != Some(&'#');
    let before: Vec<&Line<'_>> = lines.iter().take(here).filter(told).collect();
    let line = lines.get(here).filter(told);
    if let Some(slip) = line.and_then(|line| colon(line)) {
        return Some(slip);
    }
    let key_end = line.and_then(|line| Some(line.at + line.indent + key(line)?.0));
    // At the first colon of a line it is the line that does not fit, further on its text.
    let beyond = key_end.is_none_or(|end| at > end);
    if let Some(line) = line
        && beyond
        && let Some(slip) = unquoted(line, at)
    {
        return Some(slip);
    }
    if let Some(slip) = before.last().and_then(|line| colon(line)) {
        return Some(slip);
    }
    let line = line.filter(|_| !beyond)?;
    indentation(line, &before)
}

fn lines(file: &[char]) -> Vec<Line<'_>> {
    let mut at = 0;
    let mut all = vec![];
    for text in file.split_inclusive(|c| *c == '\n') {
        let start = at;
        at += text.len();
        let indent = text.iter().take_while(|c| **c == ' ').count();
        let said = trimmed(text.get(indent..).unwrap_or_default());
        all.push(Line {
            at: start,
            indent,
            said,
        });
    }
    all
}

/// Without white space at its end.
fn trimmed(said: &[char]) -> &[char] {
    let end = said.iter().rposition(|c| !c.is_whitespace());
    said.get(..end.map_or(0, |end| end + 1)).unwrap_or_default()
}

/// The first tab from a line on that YAML does not take: before a line's text, or behind its colon.
fn tab(file: &[char], from: usize) -> Option<Slip> {
    let mut at = from;
    let rest = file.get(from..)?;
    for line in rest.split_inclusive(|c| *c == '\n') {
        let blank = |c: &&char| matches!(**c, ' ' | '\t');
        let before = line.iter().take_while(blank).count();
        let indentation = line.get(..before).unwrap_or_default();
        let has_text = line.get(before).is_some_and(|c| !c.is_whitespace());
        let colon = line.windows(2).position(|pair| pair == [':', '\t']);
        let found = match indentation.iter().position(|c| *c == '\t') {
            Some(tab) if has_text => Some((tab, "before the text of a line")),
            _ => colon.map(|colon| (colon + 1, "behind a colon")),
        };
        if let Some((tab, place)) = found {
            return Some(Slip {
                message: format!("a tab stands {place}: YAML wants blanks there"),
                span: (at + tab, at + tab + 1),
                help: "write blanks, two for each level, in place of the tab".into(),
            });
        }
        at += line.len();
        // Only where the scanner gave up, or on the line below that it ran into.
        if at > from + 400 {
            break;
        }
    }
    None
}

/// How many characters of `- ` stand before the key of a line.
fn dashes(said: &[char]) -> usize {
    let mut at = 0;
    while said.get(at) == Some(&'-') && said.get(at + 1) == Some(&' ') {
        at += 2;
        at += said.iter().skip(at).take_while(|c| **c == ' ').count();
    }
    at
}

fn word(said: &[char], from: usize) -> usize {
    let is = |c: &&char| c.is_ascii_alphanumeric() || matches!(**c, '_' | '-');
    from + said.iter().skip(from).take_while(is).count()
}

/// Where the colon of a line's key stands in what it says, and where its value begins.
fn key(line: &Line<'_>) -> Option<(usize, usize)> {
    let end = word(line.said, dashes(line.said));
    let blank = line.said.get(end + 1).is_none_or(|c| c.is_whitespace());
    if line.said.get(end) != Some(&':') || !blank {
        return None;
    }
    let gap = line.said.iter().skip(end + 1);
    let value = end + 1 + gap.take_while(|c| c.is_whitespace()).count();
    Some((end, value))
}

/// `unknown card`, `unknown:card`
fn colon(line: &Line<'_>) -> Option<Slip> {
    let start = dashes(line.said);
    let end = word(line.said, start);
    let name: String = line.said.get(start..end)?.iter().collect();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let rest: String = line.said.get(end..)?.iter().collect();
    let first: String = rest.chars().take(80).collect();
    let span = |to: usize| {
        let from = line.at + line.indent;
        (from + start, from + to)
    };
    if let Some(value) = rest.strip_prefix(':') {
        // An address is no key.
        let glued = value.starts_with(|c: char| !c.is_whitespace() && c != '/' && c != ':');
        let value = first.trim_start_matches(':');
        return (glued && !rest.contains(": ")).then(|| Slip {
            message: format!("behind the colon of `{name}` a blank is missing"),
            span: span(end + 1),
            help: format!("write `{name}: {value}`"),
        });
    }
    let is_text = rest.starts_with(' ') || rest.is_empty();
    (is_text && !rest.contains(": ")).then(|| Slip {
        message: format!("no `:` stands behind `{name}`"),
        span: span(end),
        help: format!(
            "write `{}`; where the line goes on with the text above it, begin it two blanks further in than the field",
            format!("{name}: {}", first.trim()).trim_end()
        ),
    })
}

/// A text that YAML takes for something else.
fn unquoted(line: &Line<'_>, at: usize) -> Option<Slip> {
    let Some((colon, value)) = key(line) else {
        return inside(line, at);
    };
    let text = line.said.get(value..)?;
    let first = *text.first()?;
    let from = line.at + line.indent + value;
    let name: String = line.said.get(dashes(line.said)..colon)?.iter().collect();
    let written: String = text.iter().collect();
    let quoted = match written.contains(['"', '\\']) {
        true => format!("'{}'", written.replace('\'', "''")),
        false => format!("\"{written}\""),
    };
    let help = match quoted.chars().count() <= 80 {
        true => format!("write `{name}: {quoted}`"),
        false => format!("put quotes around the whole text: `{name}: '…'`, a `'` in it doubled"),
    };
    let slip = |message: String, span| {
        Some(Slip {
            message,
            span,
            help,
        })
    };
    if let ('"' | '\'', Some(close)) = (first, closing(text, first))
        && close + 1 < text.len()
    {
        let message = "text stands behind the closing quote".to_owned();
        return slip(message, (from + close + 1, from + text.len()));
    }
    if matches!(
        first,
        '@' | '`' | '%' | '*' | '&' | '!' | '|' | '>' | ',' | ']' | '}' | '?' | '-'
    ) {
        let message = format!("a text that begins with `{first}` must stand in quotes");
        return slip(message, (from, from + text.len()));
    }
    if matches!(first, '[' | '{') {
        let close = if first == '[' { ']' } else { '}' };
        // With its own end it is a list or a mapping, and the slip is inside.
        if text.last() != Some(&close) || text.get(1) == Some(&'{') {
            let message = format!("a text that begins with `{first}` must stand in quotes");
            return slip(message, (from, from + text.len()));
        }
        return inside(line, at);
    }
    let pair = text.windows(2).position(|pair| pair == [':', ' ']);
    if matches!(first, '"' | '\'') {
        return None;
    }
    let place = pair.or_else(|| (text.last() == Some(&':')).then(|| text.len() - 1))?;
    let message = "a text with `: ` in it must stand in quotes".to_owned();
    slip(message, (from + place, from + place + 1))
}

/// Where the quote that begins a text is closed.
fn closing(text: &[char], quote: char) -> Option<usize> {
    let mut at = 1;
    while let Some(c) = text.get(at) {
        match *c {
            '\\' if quote == '"' => at += 1,
            '\'' if quote == '\'' && text.get(at + 1) == Some(&'\'') => at += 1,
            c if c == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// A value within `{…}` that has a bracket in it.
fn inside(line: &Line<'_>, at: usize) -> Option<Slip> {
    let place = at.checked_sub(line.at + line.indent)?;
    let before = line.said.get(..place)?;
    let from = before
        .windows(2)
        .rposition(|pair| matches!(pair, [':' | ',', ' ']))?
        + 2;
    let rest = line.said.get(from..)?;
    let to = rest.windows(2).position(|pair| pair == [',', ' ']);
    let mut value = rest.get(..to.unwrap_or(rest.len()))?;
    if to.is_none() {
        let closers = value.iter().rev().take_while(|c| matches!(**c, '}' | ']'));
        // Of the brackets at the end one is the mapping's.
        value = value.get(..value.len() - closers.count().min(1))?;
    }
    if !value.iter().any(|c| "[]{}".contains(*c)) {
        return None;
    }
    let start = line.at + line.indent + from;
    let written: String = value.iter().collect();
    Some(Slip {
        message: "within `{…}` a text with brackets in it must stand in quotes".into(),
        span: (start, start + value.len()),
        help: format!("write `\"{written}\"`"),
    })
}

/// A line that begins in a column where none of its level does.
fn indentation(line: &Line<'_>, before: &[&Line<'_>]) -> Option<Slip> {
    key(line)?;
    let above = before.last()?;
    let (_, value) = key(above)?;
    let own = line.indent + dashes(line.said);
    let column_of = |line: &Line<'_>| line.indent + dashes(line.said);
    let wanted: Vec<usize> = match own.cmp(&column_of(above)) {
        // Its value stands there already, so nothing can be below it.
        std::cmp::Ordering::Greater if above.said.len() > value => vec![column_of(above)],
        std::cmp::Ordering::Greater | std::cmp::Ordering::Equal => return None,
        std::cmp::Ordering::Less => {
            // The columns that are open above it.
            let mut open = vec![];
            let mut least = usize::MAX;
            for line in before.iter().rev().filter(|line| key(line).is_some()) {
                if column_of(line) < least {
                    least = column_of(line);
                    open.push(least);
                }
            }
            if open.contains(&own) {
                return None;
            }
            let nearest = open.iter().map(|column| column.abs_diff(own)).min()?;
            open.retain(|column| column.abs_diff(own) == nearest);
            open.sort_unstable();
            open
        }
    };
    let (end, _) = key(line)?;
    let start = line.at + line.indent + dashes(line.said);
    let name: String = line.said.get(dashes(line.said)..end)?.iter().collect();
    let column = own + 1;
    let wanted: Vec<String> = wanted
        .iter()
        .map(|column| (column + 1).to_string())
        .collect();
    Some(Slip {
        message: format!("`{name}` begins in column {column}, and nothing of its level does"),
        span: (start, line.at + line.indent + end),
        help: format!(
            "begin it in column {}, as the fields beside it",
            wanted.join(" or ")
        ),
    })
}

#[cfg(test)]
mod tests {
    use crate::yaml::read;

    /// What is said of a file, and where.
    fn told(text: &str) -> String {
        let found = read("a.yaml", text).expect_err(text);
        let one = &found[0];
        format!(
            "{}:{} {} | {}",
            one.line().unwrap(),
            one.column().unwrap(),
            one.message,
            one.help.clone().unwrap_or_default()
        )
    }

    #[test]
    fn what_was_meant() {
        for (text, words) in [
            (
                "id: a\nunknown card\ncard:\n  a: b\n",
                "2:1 no `:` stands behind `unknown` | write `unknown: card`",
            ),
            (
                "id: a\nunknown:card\ncard:\n  a: b\n",
                "2:1 behind the colon of `unknown` a blank is missing | write `unknown: card`",
            ),
            (
                "card:\n  indicator info\n  summary: x\n",
                "2:3 no `:` stands behind `indicator`",
            ),
            (
                "card:\n  indicator:info\n  summary: x\n",
                "2:3 behind the colon of `indicator`",
            ),
            (
                "card:\n\tindicator: info\n",
                "2:1 a tab stands before the text",
            ),
            (
                "cases:\n  - name: x\n    at: 2025\n\tpatient: y\n",
                "4:1 a tab stands before the text",
            ),
            (
                "card:\n  indicator:\tinfo\n",
                "2:13 a tab stands behind a colon",
            ),
            (
                "card:\n  indicator: info\n    summary: x\n",
                "3:5 `summary` begins in column 5, and nothing of its level does | begin it in column 3",
            ),
            (
                "card:\n  indicator: info\n summary: x\n",
                "3:2 `summary` begins in column 2",
            ),
            (
                "id: a\n owner: b\nkind: c\n",
                "2:2 `owner` begins in column 2, and nothing of its level does | begin it in column 1",
            ),
            (
                "a: @nurse is\n",
                "1:4 a text that begins with `@` must stand in quotes | write `a: \"@nurse is\"`",
            ),
            ("a: % of\n", "begins with `%`"),
            ("a: *b* c\n", "begins with `*`"),
            (
                "a: !Condition(\"x\").exists()\n",
                "1:4 a text that begins with `!` must stand in quotes | write `a: '!Condition(\"x\").exists()'`",
            ),
            ("a: > b\n", "begins with `>`"),
            (
                "a: {{ b }} is c: d\n",
                "1:4 a text that begins with `{` must stand in quotes | write `a: \"{{ b }} is c: d\"`",
            ),
            (
                "a: [b] is\nc: d\n",
                "1:4 a text that begins with `[` must stand in quotes",
            ),
            (
                "a: Due: b\n",
                "1:7 a text with `: ` in it must stand in quotes | write `a: \"Due: b\"`",
            ),
            ("a: b ? true : false\n", "1:13 a text with `: ` in it"),
            (
                "a: \"b\" is\n",
                "1:7 text stands behind the closing quote | write `a: '\"b\" is'`",
            ),
            (
                "a:\n  - {b: c, value: 2.1 m[IU]/L}\n",
                "2:19 within `{…}` a text with brackets in it must stand in quotes | write `\"2.1 m[IU]/L\"`",
            ),
        ] {
            let told = told(text);
            assert!(told.contains(words), "{text}\n{told}");
        }
    }
}
