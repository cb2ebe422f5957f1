//! Rule files with mistakes: each gives its diagnostic at its place.
#![cfg(test)]

mod alerts;
mod cards;
mod cases;
mod expressions;
mod fields;
mod file;
mod tables;

use engine_patient::finding::Finding;
use rules::{built_in_terminology, load};

/// A good rule; each case below spoils a piece of it.
const GOOD: &str = r#"id: gap
version: 1.0.0
kind: care-gap
title: A gap
description: What it does, é.
rationale: Why.
source: {title: T, publisher: P, year: 2025, url: "https://example.org", strength: A}
improvement: increase
value_sets:
  hba1c: https://tandem-cds.dev/ValueSet/hba1c-lab
define:
  recent: >
    Observation("hba1c")
      .filter(o, isFinal(o))
eligible: ageInYearsAt(at) >= 18
excluded: "false"
satisfied: |
  // a comment
  recent.size() > 0 &&
    recent.exists(o, has(o.value))
due: at + months(3)
unknown: card
card:
  indicator: info
  summary: 'It''s due: {{ recent.size() }}'
  detail: |
    First line é
    Since {{ start(recent.latest()) }}
  unknown_summary: Not checked
cases:
  - name: fires
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960}
    expect: {applies: yes}
  - name: does not fire
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 2020-01-01}
    expect: {applies: no}
  - name: missing
    at: 2025-12-31T12:00:00Z
    patient: {gender: female}
    resources:
      - resourceType: Observation
        status: registered
        code: loinc|4548-4
        effective: 2025-12-01
        value: 7.1 %
    expect: {applies: unknown, reason: birthDate}
"#;

fn diagnose(text: &str) -> Vec<Finding> {
    load("rules/gap.yaml", text, &built_in_terminology())
        .err()
        .unwrap_or_default()
}

/// Replaces a piece of the good file. `⟦` and `⟧` around a part of the new piece say what must be
/// marked; without them the problem stands at 1:1.
fn check(from: &str, to: &str, code: &str, words: &str) {
    let (text, marked) = spoilt(GOOD, from, to);
    is_told(
        &diagnose(&text),
        "rules/gap.yaml",
        &text,
        marked,
        code,
        words,
    );
}

/// Line, column and length of what is marked.
type Marked = (usize, usize, usize);

/// A text with a piece replaced, and what is marked in it.
fn spoilt(good: &str, from: &str, to: &str) -> (String, Marked) {
    assert!(good.contains(from), "{from}");
    let marked = good.replacen(from, to, 1);
    let text = marked.replace(['⟦', '⟧'], "");
    let place = match marked.find('⟦') {
        None => (1, 1, 1),
        Some(at) => {
            let before = &marked[..at];
            let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
            let inside = &marked[at + '⟦'.len_utf8()..marked.find('⟧').unwrap()];
            (
                before.matches('\n').count() + 1,
                column,
                inside.chars().count(),
            )
        }
    };
    (text, place)
}

/// Among the findings is this one, at its place in the file, with its line.
fn is_told(
    found: &[Finding],
    file: &str,
    text: &str,
    (line, column, length): Marked,
    code: &str,
    words: &str,
) {
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    let Some(first) = found.iter().find(|d| d.code.as_str() == code) else {
        panic!("no `{code}` in {}", shown.join("\n"));
    };
    let span = first.place.span.as_ref().unwrap();
    assert_eq!((span.line, span.column), (line, Some(column)), "{first}");
    assert_eq!(span.length, length, "{first}");
    assert_eq!(span.text.as_deref(), text.lines().nth(line - 1), "{first}");
    assert_eq!(&*first.place.file, file);
    let all = format!(
        "{} {}",
        first.message,
        first.help.clone().unwrap_or_default()
    );
    assert!(all.contains(words), "{first}");
}

#[test]
fn the_good_one_is_good() {
    let rule = load("rules/gap.yaml", GOOD, &built_in_terminology());
    let rule = rule.unwrap_or_else(|p| {
        panic!(
            "{}",
            p.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        )
    });
    assert!(rule.warnings.is_empty(), "{:?}", rule.warnings);
    for case in rule.run_cases() {
        assert_eq!(case.failures, Vec::<String>::new(), "{}", case.name);
    }
    // Windows line ends and a byte order mark change nothing.
    let windows = format!("\u{feff}{}", GOOD.replace('\n', "\r\n"));
    let rule = load("rules/gap.yaml", &windows, &built_in_terminology())
        .unwrap_or_else(|p| panic!("{}", p[0]));
    assert_eq!(rule.cases.len(), 3);
}
