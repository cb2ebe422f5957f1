//! Every expression of the file, checked; problems come with their place in it.

use std::collections::HashSet;
use std::sync::Arc;

use engine_cel::{Checker, functions};
use engine_patient::finding::Code;
use engine_patient::terminology::ValueSet;

use super::fields::{Fields, Report};
use crate::program::{Piece, Program, Sources, check};
use crate::template::{Part, SUMMARY_LENGTH, parse};
use crate::yaml::{Entry, Node, Value};

/// The program, and the checker, which knows what it reads.
type Checked = (Program, Checker);

/// Checks them all, card texts included. `None` where something is wrong.
pub(super) fn expressions(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    [summary, detail]: [Option<&Node>; 2],
    value_sets: &[(String, Arc<ValueSet>)],
) -> Option<Checked> {
    let before = report.errors();
    let defines = fields
        .get("define")
        .map(|n| report.entries(n, "`define`"))
        .unwrap_or_default();
    let mut sources = Sources::default();
    for entry in defines {
        define_name(report, entry);
        let source = report.text_of(&entry.value).unwrap_or_default();
        sources.defines.push((entry.key.clone(), source));
    }
    let mut expression = |name: &str| fields.get(name).and_then(|n| report.text_of(n));
    let criteria = [
        expression("eligible"),
        expression("excluded"),
        expression("satisfied"),
    ];
    sources.due = expression("due");
    sources.include_deceased = match fields.get("include_deceased") {
        Some(node) => report
            .word(node, &[("true", true), ("false", false)])
            .unwrap_or_default(),
        None => false,
    };
    sources.summary = summary.map(|n| template(report, n)).unwrap_or_default();
    sources.detail = detail.map(|n| template(report, n)).unwrap_or_default();
    if let Some(node) = summary {
        let texts = sources.summary.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Expression(..) => None,
        });
        summary_length(report, node, texts);
    }
    // A criterion that is missing was reported already: anything goes in its place.
    let present = criteria.clone().map(|c| c.is_some());
    let [eligible, excluded, satisfied] = criteria.map(|c| c.unwrap_or_else(|| "false".into()));
    (sources.eligible, sources.excluded, sources.satisfied) = (eligible, excluded, satisfied);
    let blank = |index: usize| {
        defines
            .get(index)
            .is_none_or(|e| e.value.scalar().is_none() || e.value.is_nothing())
    };

    let mut checker = Checker::new(value_sets.to_vec());
    let mut problems = vec![];
    let checked = check(&sources, &mut checker, |piece, problem| {
        problems.push((piece, problem))
    });
    for (piece, problem) in problems {
        let part = |parts: &[Part], index: usize| match parts.get(index) {
            Some(Part::Expression(_, start)) => *start,
            _ => 0,
        };
        let (node, start) = match piece {
            Piece::Define(index) if blank(index) => continue,
            Piece::Define(index) => (defines.get(index).map(|e| &e.value), 0),
            Piece::Eligible => (fields.get("eligible"), 0),
            Piece::Excluded => (fields.get("excluded"), 0),
            Piece::Satisfied => (fields.get("satisfied"), 0),
            Piece::Due => (fields.get("due"), 0),
            Piece::Summary(index) => (summary, part(&sources.summary, index)),
            Piece::Detail(index) => (detail, part(&sources.detail, index)),
        };
        let Some(node) = node else { continue };
        let (from, to) = problem.chars();
        let span = report.text.span_in(node, (start + from, start + to));
        report.add(problem, span);
    }
    if report.errors() > before || !present.into_iter().all(|p| p) {
        return None;
    }
    unused(report, fields, &checker);
    Some((Program::new(sources, value_sets, checked?), checker))
}

fn define_name(report: &mut Report<'_>, entry: &Entry) {
    const RESERVED: &[&str] = &[
        "at",
        "patient",
        "period_start",
        "period_end",
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
        "exists",
        "all",
        "exists_one",
        "filter",
        "map",
        "has",
    ];
    let name = entry.key.as_str();
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(good);
    let what = if !plain {
        "is not a name for a definition"
    } else if RESERVED.contains(&name) || functions::find(name).is_some() {
        "is a word of the language"
    } else {
        return;
    };
    let help = "a small letter, then letters, digits and `_`, as in `recent_hba1c`; no word of the language";
    let span = (entry.at, entry.at + name.chars().count().max(1));
    report.error(
        Code::BadName,
        format!("`{name}` {what}"),
        span,
        Some(help.into()),
    );
}

fn template(report: &mut Report<'_>, node: &Node) -> Vec<Part> {
    let Some(text) = report.text_of(node) else {
        return vec![];
    };
    parse(&text).unwrap_or_else(|open| {
        let span = report.text.span_in(node, (open, open + 2));
        report.error(
            Code::Template,
            "`{{` is never closed".into(),
            span,
            Some("write `}}` after the expression".into()),
        );
        vec![]
    })
}

/// Refuses a summary whose fixed text alone is too long for a card.
pub(super) fn summary_length<'t>(
    report: &mut Report<'_>,
    node: &Node,
    texts: impl Iterator<Item = &'t str>,
) {
    let length: usize = texts.map(|t| t.trim().chars().count()).sum();
    if length > SUMMARY_LENGTH {
        let message = format!("the summary has {length} characters, {SUMMARY_LENGTH} is the most");
        report.error(
            Code::TooLong,
            message,
            (node.at, node.end),
            Some("put the rest in `detail`".into()),
        );
    }
}

/// Warns of what no expression names.
fn unused(report: &mut Report<'_>, fields: &Fields<'_>, checker: &Checker) {
    let sets: HashSet<&str> = checker.unused_value_sets().collect();
    let definitions: HashSet<&str> = checker.unused_definitions().collect();
    for (field, kind, unused) in [
        ("value_sets", "value set", sets),
        ("define", "definition", definitions),
    ] {
        let Some(Value::Mapping(entries)) = fields.get(field).map(|n| &n.value) else {
            continue;
        };
        for entry in entries.iter().filter(|e| unused.contains(e.key.as_str())) {
            let name = entry.key.as_str();
            let span = (entry.at, entry.at + name.chars().count());
            report.warning(
                Code::Unused,
                format!("the {kind} `{name}` is not used"),
                span,
                Some("remove it".into()),
            );
        }
    }
}
