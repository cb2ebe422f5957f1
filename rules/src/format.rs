//! A rule's file in its usual form: fields in their order, two spaces a level. Comments stay with what
//! they stand above. What cannot be kept is refused: the tree before and after are compared.

use engine_patient::finding::{Code, Finding};

use crate::document::{CARD, Object, RULE, SOURCE};
use crate::written::{Written, field};
use crate::yaml::{Entry, Node, Style, Value};

/// Spaces a level.
const STEP: usize = 2;

/// The file in its usual form; the text itself where it has it already.
///
/// # Errors
/// Where it is not YAML of the kind that rules use, or something of it could not be kept.
pub fn format(file: &str, text: &str) -> Result<String, Vec<Finding>> {
    let before = Written::read(file, text)?;
    let formatted = formatted(&before, text);
    let kept = formatted.and_then(|new| {
        let after = Written::read(file, &new).ok()?;
        let same =
            same(&before.root, &after.root) && comments(&before, text) == comments(&after, &new);
        same.then_some(new)
    });
    kept.ok_or_else(|| {
        let message = "this file cannot be put in its usual form without changing what it says";
        let finding = Finding::error(Code::YamlUnsupported, message)
            .help("bring the fields into their order by hand; its values stay as they are");
        vec![
            before
                .text
                .placed(finding, (before.root.at, before.root.at + 1)),
        ]
    })
}

fn formatted(before: &Written, text: &str) -> Option<String> {
    let file = before.text.file();
    let text = text
        .strip_prefix('\u{feff}')
        .unwrap_or(text)
        .replace("\r\n", "\n");
    let read = |text: &str| Written::read(file, text).ok();
    let written = read(&text)?;
    let mut text = indented(&written, &text);
    for (name, fields) in [("source", &SOURCE), ("card", &CARD)] {
        let written = read(&text)?;
        if let Some(node) = field(&written.root, name) {
            text = ordered(&written, &text, node, fields)?;
        }
    }
    let written = read(&text)?;
    let text = ordered(&written, &text, &written.root, &RULE)?;
    let written = read(&text)?;
    Some(tidy(&written, &text))
}

/// What each line begins with, where that is known.
struct Lines<'w> {
    written: &'w Written,
    text: Vec<&'w str>,
    /// Where a key or a `-` begins a line: the spaces that belong before it.
    wanted: Vec<Option<usize>>,
    /// Lines within a scalar or a flow, which move with the line that they begin on.
    inner: Vec<bool>,
}

fn indented(written: &Written, text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut all = Lines {
        written,
        wanted: vec![None; lines.len()],
        inner: vec![false; lines.len()],
        text: lines,
    };
    all.node(&written.root, 0);
    all.write()
}

impl Lines<'_> {
    /// The line of a character, from 0.
    fn line(&self, at: usize) -> usize {
        self.written.text.position(at).0.saturating_sub(1)
    }

    fn want(&mut self, line: usize, spaces: usize) {
        if let Some(wanted) = self.wanted.get_mut(line) {
            wanted.get_or_insert(spaces);
        }
    }

    fn node(&mut self, node: &Node, spaces: usize) {
        match &node.value {
            Value::Mapping(entries) if !self.is_flow(node) => {
                for entry in entries {
                    let line = self.line(entry.at);
                    self.want(line, spaces);
                    self.node(&entry.value, spaces + STEP);
                }
            }
            Value::Sequence(items) if !self.is_flow(node) => {
                for item in items {
                    let line = self.line(item.at);
                    self.want(line, spaces);
                    self.node(item, spaces + STEP);
                }
            }
            Value::Scalar(scalar) if scalar.style == Style::Block => {
                let last = last_character(self.written, node);
                self.mark(self.line(node.at), self.line(last));
            }
            _ => {
                let last = last_character(self.written, node);
                self.mark(self.line(node.at) + 1, self.line(last));
            }
        }
    }

    fn mark(&mut self, from: usize, to: usize) {
        for inner in self.inner.iter_mut().take(to + 1).skip(from) {
            *inner = true;
        }
    }

    fn is_flow(&self, node: &Node) -> bool {
        is_flow(self.written, node)
    }

    fn write(&self) -> String {
        let mut out = String::new();
        // How far the line before was moved.
        let mut moved = 0isize;
        for (number, line) in self.text.iter().enumerate() {
            let inner = self.inner.get(number).copied().unwrap_or(false);
            let has = line.chars().take_while(|c| *c == ' ').count();
            let body = line.get(has..).unwrap_or_default();
            if body.is_empty() {
                // Spaces of an empty line within a text may belong to it.
                out.push_str(if inner { line } else { "" });
                out.push('\n');
                continue;
            }
            let wanted = match (inner, self.wanted.get(number).copied().flatten()) {
                (false, Some(wanted)) => {
                    moved = signed(wanted) - signed(has);
                    wanted
                }
                // A comment stands as what it is above.
                (false, None) if body.starts_with('#') => {
                    let below = self.wanted.iter().skip(number).flatten().next();
                    below.copied().unwrap_or(has)
                }
                _ => usize::try_from(signed(has) + moved).unwrap_or(0),
            };
            out.push_str(&" ".repeat(wanted));
            // One space after a `-`.
            let dash = body.strip_prefix("- ").filter(|_| !inner);
            match dash {
                Some(rest) => {
                    out.push_str("- ");
                    out.push_str(rest.trim_start_matches(' '));
                }
                None => out.push_str(body),
            }
            out.push('\n');
        }
        out
    }
}

fn signed(n: usize) -> isize {
    isize::try_from(n).unwrap_or(isize::MAX)
}

fn is_flow(written: &Written, node: &Node) -> bool {
    matches!(written.text.chars().get(node.at), Some('{' | '['))
}

/// The text with the entries of a mapping in this order, each with the comments and the space above it.
/// Unknown names stay behind those that are known.
fn ordered(written: &Written, text: &str, node: &Node, object: &Object) -> Option<String> {
    let Value::Mapping(entries) = &node.value else {
        return Some(text.to_owned());
    };
    if is_flow(written, node) || entries.is_empty() {
        return Some(text.to_owned());
    }
    let lines: Vec<&str> = text.lines().collect();
    let line = |entry: &Entry| written.text.position(entry.at).0.saturating_sub(1);
    let starts: Vec<usize> = entries.iter().map(line).collect();
    // Each entry has lines of its own.
    if !starts.is_sorted_by(|a, b| a < b) {
        return Some(text.to_owned());
    }
    let first = *starts.first()?;
    // Comments and space above an entry are its own; above the first, what stands after an empty line.
    let above = |start: usize, least: usize| {
        let mut from = start;
        while from > least && lines.get(from - 1).is_some_and(|l| is_aside(l)) {
            from -= 1;
        }
        from
    };
    let mut head = first;
    while head > 0
        && lines
            .get(head - 1)
            .is_some_and(|l| l.trim_start().starts_with('#'))
    {
        head -= 1;
    }
    // A comment at the top of the file, and space below it, is the file's.
    if head == 0 {
        head = first;
    }
    let mut froms = vec![head];
    // The line after the last of an entry: what stands there is no text of it.
    let after = |entry: &Entry| {
        let last = last_character(written, &entry.value).max(entry.at);
        written.text.position(last).0
    };
    for (start, before) in starts.iter().skip(1).zip(entries) {
        froms.push(above(*start, after(before)));
    }
    let end = entries.last().map_or(0, after).min(lines.len());
    let mut chunks: Vec<(usize, Vec<&str>)> = vec![];
    for (number, (from, entry)) in froms.iter().zip(entries).enumerate() {
        let to = froms.get(number + 1).copied().unwrap_or(end);
        let order = object.fields.iter();
        let rank = order.clone().position(|field| field.name == entry.key);
        let rank = rank.unwrap_or(order.len());
        chunks.push((rank, lines.get(*from..to)?.to_vec()));
    }
    if chunks.is_sorted_by_key(|(rank, _)| *rank) {
        return Some(text.to_owned());
    }
    chunks.sort_by_key(|(rank, _)| *rank);
    let mut out: Vec<&str> = lines.get(..head)?.to_vec();
    chunks.into_iter().for_each(|(_, chunk)| out.extend(chunk));
    out.extend(lines.get(end..)?);
    Some(out.join("\n") + "\n")
}

/// The last character of what is written in a node: to the parser a collection, and a text after `|`, end
/// where the next thing begins.
fn last_character(written: &Written, node: &Node) -> usize {
    let below =
        |nodes: &mut dyn Iterator<Item = &Node>| nodes.map(|n| last_character(written, n)).max();
    let last = match &node.value {
        Value::Scalar(scalar) if scalar.style == Style::Block => {
            let length = scalar.text.trim_end().chars().count();
            let (_, end) = written
                .text
                .span_in(node, (length.saturating_sub(1), length));
            Some(end.saturating_sub(1))
        }
        Value::Mapping(entries) if !is_flow(written, node) => {
            below(&mut entries.iter().map(|e| &e.value))
        }
        Value::Sequence(items) if !is_flow(written, node) => below(&mut items.iter()),
        _ => Some(node.end.saturating_sub(1)),
    };
    last.unwrap_or(node.at).max(node.at)
}

/// An empty line or a comment.
fn is_aside(line: &str) -> bool {
    let body = line.trim();
    body.is_empty() || body.starts_with('#')
}

/// One empty line where there are several, none at the beginning and the end; no space behind lines. What is
/// within a text stays.
fn tidy(written: &Written, text: &str) -> String {
    let mut all = Lines {
        written,
        text: text.lines().collect(),
        wanted: vec![],
        inner: vec![],
    };
    all.inner = vec![false; all.text.len()];
    all.wanted = vec![None; all.text.len()];
    all.node(&written.root, 0);
    let mut out: Vec<&str> = vec![];
    for (line, inner) in all.text.iter().zip(&all.inner) {
        match (inner, line.trim().is_empty()) {
            (true, _) => out.push(line),
            (false, true) if out.last().is_none_or(|l| l.trim().is_empty()) => {}
            (false, _) => out.push(line.trim_end()),
        }
    }
    while out.last().is_some_and(|l| l.trim().is_empty()) {
        out.pop();
    }
    out.join("\n") + "\n"
}

/// Whether two trees say the same, in whatever order fields stand.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Scalar(x), Value::Scalar(y)) => x == y,
        (Value::Sequence(x), Value::Sequence(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y))
        }
        (Value::Mapping(x), Value::Mapping(y)) => {
            // Most stand where they stood.
            let found = |(at, e): (usize, &Entry)| {
                let there = y.get(at).filter(|o| o.key == e.key);
                let found = there.or_else(|| y.iter().find(|o| o.key == e.key));
                found.is_some_and(|o| same(&e.value, &o.value))
            };
            x.len() == y.len() && x.iter().enumerate().all(found)
        }
        _ => false,
    }
}

/// The comments of a file, sorted: those on lines of their own, and those behind a value.
fn comments(written: &Written, text: &str) -> Vec<String> {
    let mut scalars = vec![];
    ranges(written, &written.root, &mut scalars);
    scalars.sort_unstable();
    let mut found = vec![];
    let chars: Vec<char> = text
        .strip_prefix('\u{feff}')
        .unwrap_or(text)
        .chars()
        .collect();
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        let before = at.checked_sub(1).and_then(|b| chars.get(b));
        let begins = *c == '#' && before.is_none_or(|b| b.is_whitespace());
        // Scalars do not overlap: only the last that begins before may hold it.
        let inside = || {
            let before = scalars.partition_point(|(from, _)| *from <= at);
            let last = before.checked_sub(1).and_then(|b| scalars.get(b));
            last.is_some_and(|(_, to)| at < *to)
        };
        if begins && !inside() {
            let rest = chars.get(at..).unwrap_or_default().iter();
            let comment: String = rest.take_while(|c| **c != '\n').collect();
            at += comment.chars().count();
            found.push(comment.trim_end().to_owned());
        }
        at += 1;
    }
    found.sort();
    found
}

fn ranges(written: &Written, node: &Node, out: &mut Vec<(usize, usize)>) {
    match &node.value {
        Value::Scalar(_) => out.push((node.at, last_character(written, node) + 1)),
        Value::Mapping(entries) => {
            entries.iter().for_each(|e| ranges(written, &e.value, out));
        }
        Value::Sequence(items) => items.iter().for_each(|i| ranges(written, i, out)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(text: &str) -> String {
        let new = format("a.yaml", text).unwrap();
        assert_eq!(format("a.yaml", &new).unwrap(), new, "twice is once");
        new
    }

    #[test]
    fn fields_are_in_their_order_and_comments_go_along() {
        let text = "# of the file\n\ntitle: T   # behind\n# about the card\ncard:\n    detail: |\n      one\n        # no comment\n\n      two\n    # urgent?\n    indicator: info\nid: a\n\n\n# last\n";
        assert_eq!(
            formatted(text),
            "# of the file\n\nid: a\ntitle: T   # behind\n# about the card\ncard:\n  # urgent?\n  indicator: info\n  detail: |\n    one\n      # no comment\n\n    two\n\n# last\n"
        );
    }

    #[test]
    fn two_spaces_a_level() {
        let text = "id: a\ndefine:\n     x: >\n        a &&\n          b\n     y: 'one\n       two'\ncases:\n-   name: n\n    resources:\n      - {a: 1,\n         b: 2}\n      -   c: d\n          e: f\n";
        assert_eq!(
            formatted(text),
            "id: a\ndefine:\n  x: >\n     a &&\n       b\n  y: 'one\n    two'\ncases:\n  - name: n\n    resources:\n      - {a: 1,\n         b: 2}\n      - c: d\n        e: f\n"
        );
    }

    /// Took minutes where each character was looked for in each scalar.
    #[test]
    fn a_large_file_takes_no_minutes() {
        let mut text = "id: a\ncases:\n".to_owned();
        for n in 0..20_000 {
            text.push_str(&format!(
                "  # {n}\n  - name: n{n} # b\n    at: \"x # {n}\"\n"
            ));
        }
        assert!(text.len() > 770_000, "{}", text.len());
        assert!(format("a.yaml", &text).unwrap() == text);
    }

    #[test]
    fn a_file_in_its_usual_form_stays() {
        let text =
            "id: a\n\ntitle: T\nsource: {year: 1, title: X}\ncases:\n  - name: n\n    at: x\n";
        assert_eq!(formatted(text), text);
        assert_eq!(formatted(&text.replace('\n', "\r\n")), text);
    }
}
