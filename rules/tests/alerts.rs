//! Alerts and families: what they say of items and rows, and their cases.
#![cfg(test)]

use engine_patient::context::EvaluationContext;
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use rules::{
    Applicability, CardChange, Hook, Indicator, Kind, Library, Rule, Status, Surroundings,
    built_in_drugs, built_in_terminology, load_with,
};

const ALERT: &str = r#"id: high
version: 1.0.0
kind: alert
title: High readings
description: A card for each HbA1c above 9 %.
rationale: Why.
status: shadow
owner: Diabetes team
review: 2027-01-01
hooks: [order-sign, patient-view]
source: {title: T, publisher: P, year: 2025, url: "https://example.org", strength: A}
value_sets:
  hba1c: https://tandem-cds.dev/ValueSet/hba1c-lab
for_each: {reading: Observation("hba1c")}
define:
  percent: quantityIn(reading.value, "%")
when: percent > 9.0
acted_on: reading.status == "cancelled"
cooldown: {days: 30}
unknown: card
card:
  indicator_from: 'percent > 12.0 ? "critical" : "warning"'
  summary: HbA1c {{ percent }} %
  detail: Of {{ start(reading) }}.
  unknown_summary: A reading could not be checked
  source: {label: "Reading {{ percent }}", url: "https://example.org/{{ percent }}"}
  links:
    - {label: Guideline, url: "https://example.org/guideline"}
  selection: any
  override_reasons:
    - {code: known, display: Known already}
  suggestions:
    - label: Order again
      recommended: true
      actions:
        - description: Order HbA1c
          create:
            resourceType: ServiceRequest
            status: draft
            intent: order
            code: loinc|4548-4
            subject: "Patient/{{ patient.id }}"
            occurrence: 2026-01-01
            note: [{text: "Was {{ percent }} on \"{{ start(reading) }}\""}]
    - label: Correct it
      actions:
        - description: Mark as amended
          update: reading
          set: {status: amended, value: "{{ percent }} %", subject: "{{ reading.subject }}"}
        - description: Remove
          delete: reading
cases:
  - name: two high, one low
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01}
    resources:
      - {resourceType: Observation, status: final, code: loinc|4548-4, value: 9.5 %, subject: Patient/patient, effective: 2025-05-01}
      - {resourceType: Observation, status: final, code: loinc|4548-4, value: 13 %, subject: Patient/patient}
      - {resourceType: Observation, status: final, code: loinc|4548-4, value: 6 %}
    expect:
      applies: yes
      cards: 2
      summaries: [HbA1c 9.5 %, HbA1c 13 %]
      indicator: warning
      suggestions: [Order again, Correct it]
  - name: low, and one acted on
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01}
    resources:
      - {resourceType: Observation, status: final, code: loinc|4548-4, value: 6 %}
      - {resourceType: Observation, status: cancelled, code: loinc|4548-4, value: 10 %}
    expect: {applies: no, cards: 0}
  - name: no value
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01}
    resources:
      - {resourceType: Observation, status: final, code: loinc|4548-4}
    expect: {applies: unknown, reason: Observation.value, cards: 0, summary: A reading could not be checked}
  - name: one high, and one without a value
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01}
    resources:
      - {resourceType: Observation, status: final, code: loinc|4548-4, value: 9.5 %, subject: Patient/1}
      - {resourceType: Observation, status: final, code: loinc|4548-4}
    expect: {applies: yes, cards: 1, reason: Observation.value}
  - name: the dead
    at: 2025-12-31T12:00:00Z
    patient: {deceased: 2025-01-01}
    resources:
      - {resourceType: Observation, status: final, code: loinc|4548-4, value: 9.5 %}
    expect: {applies: no}
"#;

const FAMILY: &str = r#"id: limits
version: 1.0.0
kind: family
title: Limits
description: A card for each limit that is passed.
rationale: Why.
hooks: [patient-view]
source: {title: T, publisher: P, year: 2025, url: "https://example.org", strength: A}
value_sets:
  hba1c: https://tandem-cds.dev/ValueSet/hba1c-lab
table:
  file: limits.csv
  columns: {over: number, urgency: indicator, drug: drugs}
for_each: {reading: Observation("hba1c")}
define:
  percent: quantityIn(reading.value, "%")
  passed: percent > row.over
when: passed
one_card_per: row.group
unknown: silent
card:
  indicator_from: row.urgency
  summary: "{{ row.name }}: {{ percent }} %"
  detail: Above {{ row.over }} %, think of {{ row.drug }}.
  unknown_summary: A reading could not be checked
cases:
  - name: high
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01}
    resources:
      - {resourceType: Observation, status: final, code: loinc|4548-4, value: 9.5 %}
    expect: {applies: yes, cards: 2, summaries: ["very high, \"9\": 9.5 %", "other: 9.5 %"], indicator: critical}
  - name: not so high
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01}
    resources:
      - {resourceType: Observation, status: final, code: loinc|4548-4, value: 7.5 %}
    expect: {applies: yes, cards: 1, summary: "high: 7.5 %", indicator: info}
  - name: low
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01}
    resources:
      - {resourceType: Observation, status: final, code: loinc|4548-4, value: 5 %}
    expect: {applies: unknown, reason: "`over` is empty", cards: 0}
  - name: no readings
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01}
    expect: {applies: no}
"#;

const LIMITS: &str = "name,group,over,urgency,drug\n\
    \"very high, \"\"9\"\"\",a,9,critical,class:my_class\n\
    high,a,7,info,warfarin|11289\n\
    other,b,8.5,warning,\n\
    none,c,,warning,\n";

const LIBRARY: &str = r#"
value_sets: {hba1c-shared: https://tandem-cds.dev/ValueSet/hba1c-lab, unused: https://example.org/none}
define:
  readings: Observation("hba1c-shared").filter(o, final(o))
  final_unused: Condition("unused")
drug_classes:
  my_class: {name: My class, members: [warfarin, "1191"]}
"#;

fn made(file: &str, text: &str) -> Rule {
    with_library(file, text, None)
}

fn with_library(file: &str, text: &str, library: Option<&Library>) -> Rule {
    let terminology = built_in_terminology();
    let own = Library::load("library.yaml", LIBRARY).unwrap();
    let surroundings = Surroundings {
        terminology: &terminology,
        drugs: own.drugs(&built_in_drugs()).unwrap(),
        library,
        tables: &|name| (name == "limits.csv").then(|| LIMITS.as_bytes().to_vec()),
    };
    load_with(file, text, &surroundings).unwrap_or_else(|found| {
        let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        panic!("{}", shown.join("\n"))
    })
}

fn passes(rule: &Rule) {
    assert!(rule.warnings.is_empty(), "{:?}", rule.warnings);
    for case in rule.run_cases() {
        assert_eq!(case.failures, Vec::<String>::new(), "{}", case.name);
    }
}

#[test]
fn an_alert_gives_a_card_for_each_item() {
    let rule = made("high.yaml", ALERT);
    passes(&rule);
    assert_eq!(rule.kind, Kind::Alert);
    assert_eq!(rule.status, Status::Shadow);
    assert_eq!(rule.hooks, [Hook::OrderSign, Hook::PatientView]);
    assert_eq!(rule.cooldown_days, Some(30));
    assert_eq!(rule.owner.as_deref(), Some("Diabetes team"));
    assert_eq!(rule.improvement, None);
    assert!(rule.is_live() && !rule.is_measure());
}

#[test]
fn suggestions_are_whole_resources() {
    let rule = made("high.yaml", ALERT);
    let mut record = PatientRecord::new();
    let observation = r#"{"resourceType":"Observation","id":"o1","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},"subject":{"reference":"Patient/p"},"effectiveDateTime":"2025-05-01","valueQuantity":{"value":12.50,"unit":"%","system":"http://unitsofmeasure.org","code":"%"}}"#;
    record
        .push(r#"{"resourceType":"Patient","id":"p"}"#)
        .unwrap();
    record.push(observation).unwrap();
    let at = DateTime::parse("2025-12-31T12:00:00Z").unwrap();
    let decision = rule.decide(&record, &EvaluationContext::at(at)).unwrap();
    assert_eq!(decision.applicability, Applicability::Applies);
    let [card] = decision.cards.as_slice() else {
        panic!("{:?}", decision.cards);
    };
    assert_eq!(card.indicator, Indicator::Critical);
    let source = card.source.as_ref().unwrap();
    assert_eq!(source.label, "Reading 12.5");
    assert_eq!(source.url.as_deref(), Some("https://example.org/12.5"));
    assert_eq!(card.links.len(), 1);
    assert_eq!(card.override_reasons[0].code, "known");
    assert!(card.any_suggestions);
    let [again, correct] = card.suggestions.as_slice() else {
        panic!("{:?}", card.suggestions);
    };
    assert!(again.is_recommended && !correct.is_recommended);
    let CardChange::Create(created) = &again.actions[0].change else {
        panic!("{again:?}");
    };
    let created: serde_json::Value = serde_json::from_str(created).unwrap();
    assert_eq!(
        created,
        serde_json::json!({
            "resourceType": "ServiceRequest", "status": "draft", "intent": "order",
            "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
            "subject": {"reference": "Patient/p"}, "occurrenceDateTime": "2026-01-01",
            "note": [{"text": "Was 12.5 on \"2025-05-01\""}],
        })
    );
    let CardChange::Update(updated) = &correct.actions[0].change else {
        panic!("{correct:?}");
    };
    let updated: serde_json::Value = serde_json::from_str(updated).unwrap();
    let mut wanted: serde_json::Value = serde_json::from_str(observation).unwrap();
    wanted["status"] = "amended".into();
    assert_eq!(updated["valueQuantity"]["code"], "%");
    assert_eq!(updated["valueQuantity"]["value"].to_string(), "12.5");
    wanted["valueQuantity"] = updated["valueQuantity"].clone();
    assert_eq!(updated, wanted);
    let deleted = CardChange::Delete("Observation/o1".into());
    assert_eq!(correct.actions[1].change, deleted);
}

#[test]
fn what_cannot_be_offered_is_told() {
    let rule = made("high.yaml", ALERT);
    let mut record = PatientRecord::new();
    record
        .push(r#"{"resourceType":"Patient","id":"p"}"#)
        .unwrap();
    record.push(r#"{"resourceType":"Observation","id":"o1","code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},"valueQuantity":{"value":10,"system":"http://unitsofmeasure.org","code":"%"},"status":"final"}"#).unwrap();
    let at = DateTime::parse("2025-12-31T12:00:00Z").unwrap();
    let decision = rule.decide(&record, &EvaluationContext::at(at)).unwrap();
    let card = decision.card().unwrap();
    assert!(card.suggestions.is_empty(), "{:?}", card.suggestions);
    assert!(card.detail.contains("“Order again” cannot be offered here"));
    assert!(card.detail.contains("“Correct it” cannot be offered here"));
}

#[test]
fn a_family_gives_a_card_for_each_row() {
    let rule = made("limits.yaml", FAMILY);
    passes(&rule);
    let decision = |value: &str| {
        let mut record = PatientRecord::new();
        let json = format!(
            r#"{{"resourceType":"Observation","id":"o","code":{{"coding":[{{"system":"http://loinc.org","code":"4548-4"}}]}}{value}}}"#
        );
        record.push(&json).unwrap();
        record
            .push(r#"{"resourceType":"Patient","id":"p"}"#)
            .unwrap();
        let at = DateTime::parse("2025-12-31T12:00:00Z").unwrap();
        rule.decide(&record, &EvaluationContext::at(at)).unwrap()
    };
    let high = r#","valueQuantity":{"value":9.5,"system":"http://unitsofmeasure.org","code":"%"}"#;
    let high = decision(high);
    // The row without a number cannot be told; it says nothing on a card.
    assert_eq!(
        high.unknown_reason.as_deref(),
        Some("`over` is empty in this row of the table")
    );
    assert!(!high.has_unknown_card);
    assert!(high.cards[0].detail.contains("think of My class"));
    let none = decision("");
    assert_eq!(none.applicability, Applicability::Unknown);
    assert!(none.cards.is_empty());
}

#[test]
fn of_a_library_only_what_is_used_is_needed() {
    let library =
        Library::load("library.yaml", &LIBRARY.replace("final(o)", "isFinal(o)")).unwrap();
    let text = FAMILY
        .replace("  hba1c: https://tandem-cds.dev/ValueSet/hba1c-lab\n", "")
        .replace("value_sets:\n", "")
        .replace("Observation(\"hba1c\")", "readings");
    let rule = with_library("limits.yaml", &text, Some(&library));
    passes(&rule);
    let sets: Vec<&str> = rule.value_sets.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(sets, ["hba1c-shared"]);
    use engine_patient::program::PatientProgram;
    assert_eq!(rule.data_requirements().len(), 1);
    // A rule's own definition of the name is meant.
    let own = text.replace(
        "define:\n",
        "define:\n  readings: Observation(\"hba1c-shared\").filter(o, false)\n",
    );
    let rule = with_library("limits.yaml", &own, Some(&library));
    assert!(rule.run_cases().iter().any(|c| !c.failures.is_empty()));
}

#[test]
fn a_library_is_checked_whether_it_is_used_or_not() {
    let terminology = built_in_terminology();
    let found = Library::check("library.yaml", LIBRARY, &terminology, &built_in_drugs());
    let codes: Vec<&str> = found.iter().map(|f| f.code.as_str()).collect();
    assert_eq!(codes, ["unknown-value-set-url", "unknown-function"]);
    let wrong = LIBRARY.replace("[warfarin,", "[warfarine, class:maio,");
    let library = Library::load("library.yaml", &wrong).unwrap();
    let found = library.drugs(&built_in_drugs()).unwrap_err();
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(shown[0].contains("library.yaml:7") && shown[0].contains("did you mean `warfarin`?"));
    assert!(shown[1].contains("did you mean `maoi`?"), "{shown:?}");
}

const INTERACTION: &str = r#"id: pairs
version: 1.0.0
kind: family
title: Interactions
description: A new drug that does not go with what is taken.
rationale: Why.
hooks: [order-sign, order-select]
source: {title: T, publisher: P, year: 2025, url: "https://example.org", strength: A}
table: {file: limits.csv, columns: {a: drugs, b: drugs, severity: indicator}}
for_each: {order: selections("MedicationRequest")}
define:
  others: medications()
when: >
  (isDrug(order, row.a) && others.exists(m, isDrug(m, row.b)))
  || (isDrug(order, row.b) && others.exists(m, isDrug(m, row.a)))
unknown: card
card:
  indicator_from: row.severity
  summary: "{{ drugName(order) }}: {{ row.text }}"
  detail: "{{ row.text }}"
  unknown_summary: Interactions could not be checked
  selection: at-most-one
  suggestions:
    - label: Remove the order
      recommended: true
      actions:
        - {description: "Remove {{ drugName(order) }}", delete: order}
cases:
  - name: warfarin is taken, aspirin is ordered
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01}
    resources:
      - {resourceType: MedicationRequest, status: active, intent: order, medication: rxnorm|11289, subject: Patient/patient}
    drafts:
      - {resourceType: MedicationRequest, status: draft, intent: order, medication: rxnorm|1191, subject: Patient/patient}
    expect: {applies: yes, cards: 1, summary: "aspirin: bleeding", indicator: critical, suggestions: [Remove the order]}
  - name: not selected
    at: 2025-12-31T12:00:00Z
    hook: order-select
    user: Practitioner/1
    patient: {birthDate: 1960-01-01}
    resources:
      - {resourceType: MedicationRequest, status: active, intent: order, medication: rxnorm|11289, subject: Patient/patient}
    drafts:
      - {resourceType: MedicationRequest, status: draft, intent: order, medication: rxnorm|1191, subject: Patient/patient}
      - {resourceType: MedicationRequest, status: draft, intent: order, medication: rxnorm|6809, subject: Patient/patient}
    selections: [MedicationRequest/draft-2]
    expect: {applies: no}
  - name: no code
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01}
    resources:
      - {resourceType: MedicationRequest, status: active, intent: order, medication: rxnorm|11289, subject: Patient/patient}
    drafts:
      - {resourceType: MedicationRequest, status: draft, intent: order, subject: Patient/patient}
    expect: {applies: unknown, cards: 0}
"#;

#[test]
fn an_interaction_is_found_at_signing() {
    let terminology = built_in_terminology();
    let pairs = "a,b,severity,text\nwarfarin,class:my_class,critical,bleeding\nclass:maoi,class:ssri,critical,serotonin\n";
    let library = "drug_classes: {my_class: {name: My class, members: [\"1191\"]}}";
    let library = Library::load("library.yaml", library).unwrap();
    let surroundings = Surroundings {
        terminology: &terminology,
        drugs: library.drugs(&built_in_drugs()).unwrap(),
        library: Some(&library),
        tables: &|_| Some(pairs.as_bytes().to_vec()),
    };
    let rule = load_with("pairs.yaml", INTERACTION, &surroundings);
    let rule = rule.unwrap_or_else(|found| panic!("{found:#?}"));
    passes(&rule);
    // A case that fails shows the row that came nearest.
    let unlike = INTERACTION.replace("rxnorm|11289", "rxnorm|6809").replace(
        "  - name: not selected",
        "  - name: none\n    at: 2025-12-31T12:00:00Z\n    patient: {gender: male}\n    expect: {applies: no}\n  - name: not selected",
    );
    let rule = load_with("pairs.yaml", &unlike, &surroundings).unwrap();
    let failed = rule.run_cases().remove(0);
    let shown: Vec<String> = failed
        .why
        .iter()
        .map(|w| format!("{}: {} {:?}", w.field, w.clause.text, w.clause.value))
        .collect();
    assert!(shown[1].contains("table: row 1 of 2"), "{shown:?}");
    assert!(shown[1].contains("a: warfarin"), "{shown:?}");
    assert!(shown[2].starts_with("when: "), "{shown:?}");
}

/// The example of the read-me, with its table.
#[test]
fn the_read_me_has_a_family_that_works() {
    let readme = include_str!("../README.md");
    let block = |begin: &str| {
        let rest = readme.split_once(begin).unwrap().1;
        rest.split_once("```\n").unwrap().0.to_owned()
    };
    let text = block("`my-rules/nsaid-and-lithium.yaml`:\n```yaml\n");
    let table = block("`my-rules/nsaid-and-lithium.csv`:\n```\n");
    let library = block("has what all of them may use:\n```yaml\n");
    let terminology = built_in_terminology();
    let found = Library::check("library.yaml", &library, &terminology, &built_in_drugs());
    assert!(found.is_empty(), "{found:?}");
    let library = Library::load("library.yaml", &library).unwrap();
    let surroundings = Surroundings {
        terminology: &terminology,
        drugs: library.drugs(&built_in_drugs()).unwrap(),
        library: Some(&library),
        tables: &|_| Some(table.as_bytes().to_vec()),
    };
    let rule = load_with("nsaid-and-lithium.yaml", &text, &surroundings);
    let rule = rule.unwrap_or_else(|found| panic!("{found:#?}"));
    passes(&rule);
}

/// A rule beside a table and a library.
fn loaded(file: &str, text: &str, table: &str, library: &str) -> Rule {
    let terminology = built_in_terminology();
    let library = Library::load("library.yaml", library).unwrap();
    let surroundings = Surroundings {
        terminology: &terminology,
        drugs: library.drugs(&built_in_drugs()).unwrap(),
        library: Some(&library),
        tables: &|_| Some(table.as_bytes().to_vec()),
    };
    load_with(file, text, &surroundings).unwrap_or_else(|found| panic!("{found:#?}"))
}

/// A card for a partner that is certain does not hide that another could not be checked.
#[test]
fn what_a_card_says_nothing_of_is_told() {
    let (head, cases) = INTERACTION.split_once("cases:\n").unwrap();
    let (head, card) = head.split_once("define:\n").unwrap();
    let (_, card) = card.split_once("unknown: card\n").unwrap();
    let drafts = "    drafts:\n      - {resourceType: MedicationRequest, status: draft, intent: order, medication: rxnorm|1191, subject: Patient/patient}\n";
    let warfarin = "    resources:\n      - {resourceType: MedicationRequest, status: active, intent: order, medication: rxnorm|11289, subject: Patient/patient}\n";
    let text_only = "      - {resourceType: MedicationRequest, status: active, intent: order, medicationCodeableConcept: {text: Tablets}, subject: Patient/patient}\n";
    let begin = "    at: 2025-12-31T12:00:00Z\n    patient: {birthDate: 1960-01-01}\n";
    let text = format!(
        "{head}define:
  partners: >
    medications().filter(m, (isDrug(order, row.a) && isDrug(m, row.b)) || (isDrug(order, row.b) && isDrug(m, row.a)))
when: partners.exists()
one_card_per: partners.map(m, drugName(m))
unknown: card
{card}cases:
  - name: a text beside a drug
{begin}{warfarin}{text_only}{drafts}    expect: {{applies: yes, cards: 1, indicator: critical, reason: no code}}
  - name: statements are not there
{begin}{warfarin}    unavailable: [MedicationStatement]
{drafts}    expect: {{applies: yes, cards: 1, reason: MedicationStatement}}
{cases}"
    );
    // The second row is of the same pair: it has a card already.
    let table =
        "a,b,severity,text\nwarfarin,aspirin,critical,bleeding\nclass:vka,aspirin,info,less\n";
    let rule = loaded("pairs.yaml", &text, table, "define: {}");
    passes(&rule);
}

/// The card that says what could not be checked names what it was, for the reader; the reason, which goes into
/// logs as well, names nothing of the patient.
#[test]
fn the_card_of_what_could_not_be_checked_names_it() {
    let text = ALERT.replace(
        "  unknown_summary: A reading could not be checked\n",
        "  unknown_summary: A reading could not be checked\n  unknown_detail: |\n    - Without a value: {{ Observation(\"hba1c\").filter(o, isUnknown(o.value)).map(o, o.code.text).join(\", \") }}\n    - Never shown: {{ Observation(\"hba1c\").filter(o, o.status == \"cancelled\").map(o, o.code.text).join(\", \") }}\n",
    );
    let rule = made("high.yaml", &text);
    let mut record = PatientRecord::new();
    record
        .push(r#"{"resourceType":"Observation","id":"o","status":"final","code":{"text":"Sugar of *May*","coding":[{"system":"http://loinc.org","code":"4548-4"}]}}"#)
        .unwrap();
    let decision = rule.decide(&record, &noon()).unwrap();
    let card = decision.cards.last().unwrap();
    let lines: Vec<&str> = card.detail.lines().filter(|l| !l.is_empty()).collect();
    assert_eq!(
        lines[1], r"- Without a value: Sugar of \*May\*",
        "{lines:?}"
    );
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(!decision.unknown_reason.unwrap().contains("Sugar"));
    // It is of the whole call: the item has no name there.
    let wrong = text.replace(
        "o.code.text).join(\", \") }}\n    - Never",
        "percent).join(\", \") }}\n    - Never",
    );
    let found = load_with(
        "high.yaml",
        &wrong,
        &Surroundings::plain(&built_in_terminology()),
    );
    let found = found.unwrap_err();
    assert!(
        found.iter().any(|f| f.message.contains("`percent`")),
        "{found:#?}"
    );
}

/// A row that could not be told, and would go before the one that has the card.
#[test]
fn a_graver_row_that_cannot_be_told_is_told() {
    let (head, _) = FAMILY.split_once("cases:\n").unwrap();
    let head = head.replace("unknown: silent", "unknown: card");
    let case = |name: &str, value: &str, expect: &str| {
        format!(
            "  - name: {name}\n    at: 2025-12-31T12:00:00Z\n    patient: {{birthDate: 1960-01-01}}\n    resources:\n      - {{resourceType: Observation, status: final, code: loinc|4548-4, value: {value}}}\n    expect: {expect}\n"
        )
    };
    let text = format!(
        "{head}cases:\n{}{}  - name: none\n    at: 2025-12-31T12:00:00Z\n    patient: {{birthDate: 1960-01-01}}\n    expect: {{applies: no}}\n",
        case(
            "weaker",
            "9.5 %",
            "{applies: yes, cards: 1, summary: \"weaker: 9.5 %\", reason: \"`over` is empty\"}"
        ),
        case("none of them", "5 %", "{applies: unknown}"),
    );
    let table =
        "name,group,over,urgency,drug\ngraver,a,,critical,warfarin\nweaker,a,7,info,warfarin\n";
    let rule = loaded("limits.yaml", &text, table, "define: {}");
    passes(&rule);
    let record = high("");
    let decision = rule.decide(&record, &noon()).unwrap();
    assert_eq!(decision.cards.len(), 2, "{:?}", decision.cards);
    let last = decision.cards.last().unwrap();
    assert_eq!(last.summary, "A reading could not be checked");
    // The other way round there is nothing to tell: it would have given no card.
    let table = "name,group,over,urgency,drug\nweaker,a,7,info,warfarin\nother,a,,info,warfarin\n";
    let rule = loaded("limits.yaml", &text, table, "define: {}");
    let decision = rule.decide(&record, &noon()).unwrap();
    assert_eq!((decision.cards.len(), decision.unknown_reason), (1, None));
}

#[test]
fn the_item_goes_before_a_definition_of_the_library() {
    let library = "define: {reading: at}";
    passes(&loaded("high.yaml", ALERT, "", library));
}

fn high(observation: &str) -> PatientRecord {
    let mut record = PatientRecord::new();
    record
        .push(r#"{"resourceType":"Patient","id":"p"}"#)
        .unwrap();
    let coded = r#""code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},"valueQuantity":{"value":10,"system":"http://unitsofmeasure.org","code":"%"}"#;
    for (number, rest) in observation.split('|').enumerate() {
        let json = format!(r#"{{"resourceType":"Observation","id":"o{number}",{coded}{rest}}}"#);
        record.push(&json).unwrap();
    }
    record
}

fn noon() -> EvaluationContext {
    EvaluationContext::at(DateTime::parse("2025-12-31T12:00:00Z").unwrap())
}

#[test]
fn what_is_offered_fits_its_elements() {
    let record = high(
        r#","status":"final","subject":{"reference":"Patient/p"},"effectiveDateTime":"2025-05-01""#,
    );
    let offered = |extension: &str| {
        let text = ALERT.replace(
            "            occurrence: 2026-01-01\n",
            &format!("            occurrence: 2026-01-01\n            extension: [{{url: \"https://example.org\", {extension}}}]\n"),
        );
        let decision = made("high.yaml", &text).decide(&record, &noon()).unwrap();
        decision.cards.into_iter().next().unwrap()
    };
    let day = offered("valueDate: \"{{ at }}\"");
    let CardChange::Create(created) = &day.suggestions[0].actions[0].change else {
        panic!("{day:?}");
    };
    assert!(created.contains(r#""valueDate":"2025-12-31""#), "{created}");
    for wrong in [
        "valueUnsignedInt: \"{{ 3 - 5 }}\"",
        "valuePositiveInt: \"{{ 3 - 3 }}\"",
        "valueInstant: \"{{ start(reading) }}\"",
    ] {
        let card = offered(wrong);
        assert!(
            card.detail.contains("“Order again” cannot be offered here"),
            "{wrong}"
        );
    }
}

#[test]
fn what_nothing_refers_to_any_more_is_not_contained() {
    let record = high(
        r##","status":"final","effectiveDateTime":"2025-05-01","subject":{"reference":"#pat"},"device":{"reference":"#dev"},"contained":[{"resourceType":"Patient","id":"pat","managingOrganization":{"reference":"#org"}},{"resourceType":"Organization","id":"org"},{"resourceType":"Device","id":"dev"}]"##,
    );
    let text = ALERT.replace("\"{{ reading.subject }}\"", "\"{{ reference(patient) }}\"");
    let decision = made("high.yaml", &text).decide(&record, &noon()).unwrap();
    let card = decision.card().unwrap();
    let CardChange::Update(updated) = &card.suggestions[1].actions[0].change else {
        panic!("{card:?}");
    };
    let updated: serde_json::Value = serde_json::from_str(updated).unwrap();
    let device = serde_json::json!([{"resourceType": "Device", "id": "dev"}]);
    assert_eq!(updated["contained"], device);
    assert_eq!(updated["subject"]["reference"], "Patient/p");
}

#[test]
fn the_item_that_has_the_card_is_explained() {
    let subject = r#""subject":{"reference":"Patient/p"},"effectiveDateTime":"2025-05-01""#;
    let record = high(&format!(
        r#","status":"cancelled",{subject}|,"status":"final",{subject}"#
    ));
    let rule = made("high.yaml", ALERT);
    let decision = rule.decide(&record, &noon()).unwrap();
    assert_eq!((decision.cards.len(), decision.acted_on), (1, 1));
    let clauses = rule.explain(&record, &noon()).unwrap();
    let (_, acted_on) = clauses
        .iter()
        .find(|(name, _)| *name == "acted_on")
        .unwrap();
    assert_eq!(
        acted_on.truth,
        Some(engine_patient::system::truth::Truth::False)
    );
}
