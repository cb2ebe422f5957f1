//! What cases show of conditions, and small changes that they have to find.
#![cfg(test)]

use rules::{
    BuiltInShared, Rule, Surroundings, Written, built_in_file, built_in_terminology, load,
    load_changed, load_with,
};

const RULE: &str = r#"id: young
version: 1.0.0
kind: care-gap
title: T
description: D
rationale: R
source: {title: T, publisher: P, year: 2025, url: "https://example.org", strength: A}
improvement: increase
value_sets: {hba1c-lab: https://tandem-cds.dev/ValueSet/hba1c-lab}
define:
  year_ago: at - years(1)
  shown_only: Observation("hba1c-lab").latest()
eligible: ageInYearsAt(at) >= 18 && ageInYearsAt(at) < 75
excluded: "false"
satisfied: >
  Observation("hba1c-lab").exists(o, (isFinal(o) || has(o.value))
    && o.status in ["final", "amended"] && start(o) > year_ago)
unknown: silent
card:
  indicator: info
  summary: S
  detail: "{{ start(shown_only) }}"
  unknown_summary: U
survivors:
  - change: "exists(o, (isFinal(o)"
    reason: no such change
  - change: ageInYearsAt(at) < 75 → ageInYearsAt(at) <= 75
    reason: for this test
cases:
  - name: due
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1980-01-01}
    expect: {applies: yes, eligible: true}
  - name: a child
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 2020-01-01}
    expect: {applies: no, eligible: false}
  - name: done
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1980-01-01}
    resources:
      - {resourceType: Observation, status: final, code: loinc|4548-4, effective: 2025-05-01}
    expect: {applies: no, satisfied: true}
  - name: not known
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1980-01-01}
    unavailable: [Observation]
    expect: {applies: unknown, satisfied: unknown}
"#;

fn rule() -> (Rule, Written) {
    let rule = load("young.yaml", RULE, &built_in_terminology()).unwrap();
    (rule, Written::read("young.yaml", RULE).unwrap())
}

#[test]
fn every_condition_is_told_with_its_place_and_outcomes() {
    let (rule, written) = rule();
    let seen = rule.conditions_seen(&written).unwrap();
    let told = seen.iter().map(|c| {
        let letters = [(c.seen.yes, 't'), (c.seen.no, 'f'), (c.seen.unknown, 'u')];
        let letters = letters
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, letter)| *letter);
        let letters: String = letters.collect();
        let column = c.span.column.unwrap_or_default();
        format!(
            "{}:{column} {}: {letters}: {}",
            c.span.line, c.field, c.text
        )
    });
    let told: Vec<String> = told.collect();
    assert_eq!(
        told,
        [
            "13:11 eligible: tf: ageInYearsAt(at) >= 18 && ageInYearsAt(at) < 75",
            "13:11 eligible: tf: ageInYearsAt(at) >= 18",
            "13:37 eligible: t: ageInYearsAt(at) < 75",
            "16:3 satisfied: tfu: Observation(\"hba1c-lab\").exists(o, (isFinal(o) || has(o.value)) && o.status in [\"final\", \"amended\"] && start(o) > year_ago)",
            "16:38 satisfied: t: (isFinal(o) || has(o.value)) && o.status in [\"final\", \"amended\"] && start(o) > year_ago",
            "16:39 satisfied: t: isFinal(o) || has(o.value)",
            "16:39 satisfied: t: isFinal(o)",
            "16:53 satisfied: : has(o.value)",
            "17:8 satisfied: t: o.status in [\"final\", \"amended\"]",
            "17:44 satisfied: t: start(o) > year_ago",
        ]
    );
}

#[test]
fn changes_are_told_with_what_they_stand_in() {
    let (rule, written) = rule();
    let changes: Vec<String> = rule
        .mutants(&written)
        .into_iter()
        .map(|m| format!("{}: {}", m.field, m.change))
        .collect();
    let both = "ageInYearsAt(at) >= 18 && ageInYearsAt(at) < 75";
    let item = "(isFinal(o) || has(o.value)) && o.status in [\"final\", \"amended\"] && start(o) > year_ago";
    for expected in [
        "define.year_ago: years(1) → months(1)".to_owned(),
        "define.year_ago: years(1) → years(2)".into(),
        "eligible: ageInYearsAt(at) >= 18 → ageInYearsAt(at) > 18".into(),
        "eligible: ageInYearsAt(at) >= 18 → ageInYearsAt(at) <= 18".into(),
        "eligible: ageInYearsAt(at) >= 18 → ageInYearsAt(at) >= 19".into(),
        format!("eligible: {both} → ageInYearsAt(at) < 75"),
        format!("eligible: {both} → ageInYearsAt(at) >= 18"),
        "satisfied: isFinal(o) || has(o.value) → has(o.value)".into(),
        "satisfied: isFinal(o) → !(isFinal(o))".into(),
        "satisfied: o.status in [\"final\", \"amended\"] → !(o.status in [\"final\", \"amended\"])"
            .into(),
        format!("satisfied: {item} → (isFinal(o) || has(o.value)) && start(o) > year_ago"),
        format!("satisfied: {item} → o.status in [\"final\", \"amended\"] && start(o) > year_ago"),
        format!(
            "satisfied: Observation(\"hba1c-lab\").exists(o, {item}) → Observation(\"hba1c-lab\").all(o, {item})"
        ),
    ] {
        assert!(changes.contains(&expected), "{expected}\n{changes:#?}");
    }
    // What a card only shows is not compared.
    assert!(
        !changes.iter().any(|c| c.starts_with("define.shown_only")),
        "{changes:#?}"
    );
}

#[test]
fn a_change_is_found_or_survives_or_is_excused() {
    let store = built_in_terminology();
    let (rule, written) = rule();
    assert!(rule.passes());
    let (mut found, mut survived) = (vec![], vec![]);
    for mutant in rule.mutants(&written) {
        let Ok(changed) = load_changed(&written, &mutant, &Surroundings::plain(&store)) else {
            continue;
        };
        match changed.passes() {
            true => survived.push((mutant.change, mutant.excuse)),
            false => found.push(mutant.change),
        }
    }
    assert!(found.contains(&"years(1) → months(1)".into()), "{found:#?}");
    let months = |change: &str| survived.iter().find(|(c, _)| c == change);
    assert_eq!(
        months("years(1) → years(2)").map(|m| m.1.is_some()),
        Some(false),
        "{survived:#?}"
    );
    let excused = months("ageInYearsAt(at) < 75 → ageInYearsAt(at) <= 75");
    assert_eq!(
        excused.and_then(|m| m.1.as_deref()),
        Some("for this test"),
        "{survived:#?}"
    );
}

/// Of two definitions with the same text each is changed where it stands.
#[test]
fn what_is_written_twice_is_changed_at_both_places() {
    let text = RULE
        .replace(
            "  year_ago: at - years(1)\n",
            "  year_ago: at - years(1)\n  again: at - years(1)\n",
        )
        .replace(
            "start(o) > year_ago",
            "start(o) > year_ago && start(o) > again",
        );
    let store = built_in_terminology();
    let rule = load("young.yaml", &text, &store).unwrap();
    let written = Written::read("young.yaml", &text).unwrap();
    let places = |all: Vec<(String, String, usize)>| -> Vec<(String, usize)> {
        let wanted = all
            .into_iter()
            .filter(|(_, text, _)| text == "years(1) → years(2)");
        wanted.map(|(field, _, line)| (field, line)).collect()
    };
    let changes = rule.mutants(&written).into_iter();
    let changes = changes.map(|m| (m.field, m.change, m.span.line)).collect();
    assert_eq!(
        places(changes),
        [("define.year_ago".into(), 11), ("define.again".into(), 12)]
    );
}

/// With what stands beside it: without its library each change would be refused, and none looked at.
#[test]
fn a_built_in_rule_is_changed_beside_its_library() {
    let store = built_in_terminology();
    let shared = BuiltInShared::new(&store).unwrap();
    for id in ["zoster-vaccination", "drug-drug-interactions"] {
        let (file, text) = built_in_file(id).unwrap();
        let written = Written::read(file, text).unwrap();
        let rule = shared.beside(file, |beside| load_with(file, text, beside));
        let mutants = rule.unwrap().mutants(&written);
        let load = |mutant| {
            let changed = |beside: &Surroundings<'_>| load_changed(&written, mutant, beside);
            shared.beside(file, changed).is_ok()
        };
        let loaded = mutants.iter().filter(|mutant| load(mutant)).count();
        assert!(
            loaded * 2 > mutants.len(),
            "{id}: {loaded} of {}",
            mutants.len()
        );
    }
}
