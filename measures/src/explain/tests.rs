//! A small measure of our own, its ELM written by hand (`testdata/`): annotated in part.

use base64::Engine;
use engine_patient::context::EvaluationContext;
use engine_patient::fhir::profiles::ProfileMode;
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::UTC;
use serde_json::{Value as Json, json};

use super::clause_text::{Mark, marks, shortened};
use super::*;
use crate::official::{BuildOptions, Built, build};
use crate::package::{PopulationCode, load, select};

const ELM: &str = include_str!("../../testdata/demo.elm.json");
const MEASURE: &str = include_str!("../../testdata/demo.measure.json");
const VALUE_SET: &str = include_str!("../../testdata/demo.valueset.json");

fn context() -> EvaluationContext {
    let day = |t: &str| DateTime::parse(t).unwrap();
    EvaluationContext::for_period(day("2025-01-01"), day("2025-12-31"), UTC.clone())
}

fn built(elm: &str) -> Built {
    let folder = tempfile::tempdir().unwrap();
    let library = json!({
        "resourceType": "Library", "id": "Demo", "name": "Demo", "version": "1.0.0",
        "url": "http://example.org/Library/Demo", "status": "active",
        "type": {"coding": [{"code": "logic-library"}]},
        "content": [{
            "contentType": "application/elm+json",
            "data": base64::engine::general_purpose::STANDARD.encode(elm),
        }],
    });
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    put("measure.json", MEASURE);
    put("valueset.json", VALUE_SET);
    put("library.json", &library.to_string());
    let loaded = load(&[folder.path()]);
    let errors: Vec<String> = loaded.issues.iter().map(ToString::to_string).collect();
    assert!(!loaded.has_errors(), "{errors:#?}");
    let chosen = select(&loaded.package, &[]).unwrap();
    let options = BuildOptions {
        allow_missing_value_sets: false,
        profile_mode: ProfileMode::Decide,
        native_helpers: true,
        everything: false,
    };
    let built = build(&loaded.package, &chosen, &options);
    let findings: Vec<String> = built.findings.iter().map(ToString::to_string).collect();
    assert!(built.program.is_some(), "{findings:#?}");
    built
}

fn record(resources: &[Json]) -> PatientRecord {
    let mut record = PatientRecord::new();
    for resource in resources {
        record.push(&resource.to_string()).unwrap();
    }
    record.seal();
    record
}

fn patient() -> Json {
    json!({"resourceType": "Patient", "id": "p", "birthDate": "1970-02-03"})
}

fn visit(id: &str, status: &str) -> Json {
    json!({
        "resourceType": "Encounter", "id": id, "status": status, "subject": {"reference": "Patient/p"},
        "class": {"code": "AMB"},
        "type": [{"coding": [{"system": "http://example.org/codes", "code": "visit", "display": "A <visit>"}]}],
        "period": {"start": "2025-03-01", "end": "2025-03-02"},
    })
}

fn explained(elm: &str, resources: &[Json], depth: usize) -> Explanation {
    let built = built(elm);
    let program = built.program.unwrap();
    let all = explain(
        &program,
        &built.structures,
        &record(resources),
        &context(),
        depth,
    )
    .unwrap();
    assert_eq!(all.len(), 1);
    all.into_iter().next().unwrap()
}

fn population<'e>(e: &'e Explanation, code: &str) -> &'e PopulationExplanation {
    let found = e.groups[0].populations.iter().find(|p| p.code == code);
    found.unwrap()
}

#[test]
fn a_tree_from_a_population_to_the_resources() {
    let all = [patient(), visit("a", "finished"), visit("b", "planned")];
    let e = explained(ELM, &all, 8);
    let initial = population(&e, "initial-population");
    assert_eq!((initial.count, initial.outcome), (Some(1), Outcome::True));
    let tree = initial.criterion.as_ref().unwrap();
    assert_eq!(tree.label, "\"Initial Population\"");
    assert_eq!(tree.operator, "all of");
    let labels: Vec<&str> = tree.parts.iter().map(|p| p.label.as_str()).collect();
    assert_eq!(labels, ["\"Has Visit\"", "\"Is Adult\""]);
    let has_visit = &tree.parts[0];
    assert_eq!(has_visit.operator, "exists");
    let visits = &has_visit.parts[0];
    assert_eq!(visits.label, "\"Finished Visits\"");
    assert_eq!(visits.items, Some(1));
    let fact = &visits.facts[0];
    assert_eq!(fact.resource.as_deref(), Some("Encounter/a"));
    assert_eq!(fact.code.as_deref(), Some("A <visit>"));
    assert_eq!(fact.date.as_deref(), Some("2025-03-01 – 2025-03-02"));
    // Two visits were looked at, of one the condition held.
    let (from, condition) = (&visits.parts[0], &visits.parts[1]);
    assert_eq!(from.role.as_deref(), Some("from E"));
    assert_eq!(from.items, Some(2));
    assert_eq!(condition.role.as_deref(), Some("where"));
    assert_eq!(condition.label, "E.status = 'finished'");
    let counts = condition.times;
    assert_eq!((counts.times, counts.holds, counts.fails), (2, 1, 1));
    assert_eq!(tree.parts[1].values, ["1970-02-03"]);
}

#[test]
fn unknown_is_told_from_false_and_both_sides_are_shown() {
    let e = explained(ELM, &[patient()], 8);
    let exclusion = population(&e, "denominator-exclusion");
    let tree = exclusion.criterion.as_ref().unwrap();
    assert_eq!(tree.outcome, Outcome::Unknown);
    let initial = population(&e, "initial-population");
    assert_eq!((initial.count, initial.outcome), (Some(0), Outcome::False));
    // `and` was false at its left side: the right one is shown nevertheless.
    let parts = &initial.criterion.as_ref().unwrap().parts;
    assert_eq!(parts[0].outcome, Outcome::False);
    assert_eq!(parts[1].outcome, Outcome::True);
    // The criterion holds, but nobody is in the numerator who is not in the initial population.
    let numerator = population(&e, "numerator");
    assert_eq!(numerator.criterion.as_ref().unwrap().outcome, Outcome::True);
    assert_eq!(numerator.count, Some(0));
    let text = plain_text::text(&e, 160);
    assert!(text.contains("? unknown  \"Exclusions\""), "{text}");
    assert!(
        text.contains("✗ false  \"Initial Population\": all of"),
        "{text}"
    );
}

#[test]
fn what_is_cut_is_said_and_shown_where_there_is_room() {
    // Too young: the visit decides nothing.
    let child = json!({"resourceType": "Patient", "id": "p", "birthDate": "2020-02-03"});
    let e = explained(ELM, &[child, visit("a", "finished")], 1);
    let tree = population(&e, "initial-population")
        .criterion
        .as_ref()
        .unwrap();
    assert_eq!(tree.parts[0].cut, 1);
    let text = plain_text::text(&e, 160);
    assert!(text.contains("(… 1 more below)"), "{text}");
    assert!(text.contains("a greater --depth shows more"), "{text}");
}

#[test]
fn clauses_tell_their_outcomes() {
    let e = explained(ELM, &[patient(), visit("a", "planned")], 8);
    let json = serde_json::to_value(&e).unwrap();
    let clauses = json["clauses"].as_array().unwrap();
    let equal = clauses.iter().find(|c| c["node"] == "Equal").unwrap();
    assert_eq!(equal["library"], "Demo");
    assert_eq!(equal["definition"], "Finished Visits");
    assert_eq!((&equal["times"], &equal["false"]), (&json!(1), &json!(1)));
    assert_eq!(equal["outcome"], "false");
    assert!(equal["localId"].is_string() && equal["locator"].is_string());
}

#[test]
fn html_marks_clauses_and_escapes_data() {
    let html = html::page(&[explained(ELM, &[patient(), visit("a", "finished")], 8)]);
    assert!(html.contains("<title>Finished visits: why, for Patient/p</title>"));
    assert!(html.contains("A &lt;visit&gt;") && !html.contains("<visit>"));
    // The text of the annotation, its clauses marked.
    assert!(html.contains("define &quot;Has Visit&quot;:"));
    assert!(html.contains("<i>✓</i>exists "), "{html}");
    // Written from the ELM, for want of an annotation.
    assert!(html.contains("define &quot;Is Adult&quot;:"));
    assert!(!html.contains("<script") && !html.contains("src=") && !html.contains("href="));
    assert_eq!(
        html.matches("<span").count(),
        html.matches("</span>").count()
    );
}

#[test]
fn a_library_without_ids_and_annotations() {
    let mut elm: Json = serde_json::from_str(ELM).unwrap();
    strip(&mut elm);
    let all = [patient(), visit("a", "finished")];
    let e = explained(&elm.to_string(), &all, 8);
    let tree = population(&e, "initial-population")
        .criterion
        .as_ref()
        .unwrap();
    assert_eq!(tree.parts[0].operator, "exists");
    assert_eq!(tree.parts[0].outcome, Outcome::True);
    let visits = &tree.parts[0].parts[0];
    assert_eq!(visits.parts[1].label, "E.status = 'finished'");
    assert_eq!(visits.parts[1].outcome, Outcome::True);
    assert!(e.definitions.iter().all(|d| !d.annotated));
}

fn strip(json: &mut Json) {
    match json {
        Json::Object(map) => {
            map.remove("localId");
            map.remove("locator");
            if map.contains_key("expression") {
                map.remove("annotation");
            }
            map.values_mut().for_each(strip);
        }
        Json::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

#[test]
fn annotations_are_read_in_the_order_of_the_text() {
    let annotation = json!([{"type": "Annotation", "s": {"r": "3", "s": [
        {"value": ["define ", "A"]},
        {"r": "2", "s": [{"value": [": "]}, {"r": "1", "s": [{"value": ["true"]}]}]},
    ]}}]);
    let open = |id| Mark::Open(Some(id));
    let wanted = [
        open("3"),
        Mark::Open(None),
        Mark::Text("define "),
        Mark::Text("A"),
        Mark::Close,
        open("2"),
        Mark::Open(None),
        Mark::Text(": "),
        Mark::Close,
        open("1"),
        Mark::Open(None),
        Mark::Text("true"),
        Mark::Close,
        Mark::Close,
        Mark::Close,
        Mark::Close,
    ];
    assert_eq!(marks(Some(&annotation)), wanted);
    assert!(marks(Some(&json!([{"type": "Annotation"}]))).is_empty());
    assert!(marks(None).is_empty());
    assert_eq!(shortened("a \n b", 9), "a b");
    assert_eq!(shortened("äöü abc", 3), "äöü…");
}

/// The verdict where `Is Adult` is that there is a visit with such a partner.
fn with_partner(partner: &Json, such_that: &Json) -> String {
    let expression = json!({"type": "Exists", "operand": {"type": "Query",
        "source": [{"alias": "E", "expression": {"type": "ExpressionRef", "name": "Finished Visits"}}],
        "relationship": [{"type": "With", "alias": "P", "expression": partner, "suchThat": such_that}]}});
    let mut elm: Json = serde_json::from_str(ELM).unwrap();
    let all = elm["library"]["statements"]["def"].as_array_mut().unwrap();
    let own = all.iter_mut().find(|d| d["name"] == "Is Adult").unwrap();
    own["expression"] = expression;
    own.as_object_mut().unwrap().remove("annotation");
    let e = explained(&elm.to_string(), &[patient(), visit("a", "finished")], 8);
    e.groups[0].verdict.text.clone()
}

#[test]
fn a_partner_that_does_not_fit_is_not_told_to_be_missing() {
    let is = |alias: &str, value: &str| {
        json!({"type": "Equal", "operand": [
            {"type": "Property", "path": "status.value", "source": {"type": "AliasRef", "name": alias}},
            {"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}String", "value": value}]})
    };
    let visits = json!({"type": "ExpressionRef", "name": "Finished Visits"});
    let none = json!({"type": "Retrieve", "dataType": "{http://hl7.org/fhir}Procedure"});
    let told = with_partner(&none, &is("P", "finished"));
    assert!(told.ends_with(": no Procedure with it"), "{told}");
    // The visit itself fails, whatever goes with it.
    let both = json!({"type": "And", "operand": [is("E", "planned"), is("P", "finished")]});
    let told = with_partner(&visits, &both);
    assert!(
        told.ends_with("2025-03-01 – 2025-03-02: E.status is finished, not planned"),
        "{told}"
    );
    let told = with_partner(&visits, &is("P", "planned"));
    assert!(
        told.ends_with(
            "no \"Finished Visits\" that fits it (A <visit>, 2025-03-01 – 2025-03-02: P.status is finished, not planned)"
        ),
        "{told}"
    );
}

/// The text of `Is Adult`, whose expression is another, and the tree of the initial population.
fn text_of(expression: &Json) -> (String, Branch) {
    let mut elm: Json = serde_json::from_str(ELM).unwrap();
    let all = elm["library"]["statements"]["def"].as_array_mut().unwrap();
    let own = all.iter_mut().find(|d| d["name"] == "Is Adult").unwrap();
    own["expression"] = expression.clone();
    own.as_object_mut().unwrap().remove("annotation");
    let e = explained(&elm.to_string(), &[patient(), visit("a", "finished")], 8);
    let text = e.definitions.iter().find(|d| d.name == "Is Adult").unwrap();
    let tree = population(&e, "initial-population").criterion.clone();
    (text.text.clone(), tree.unwrap())
}

#[test]
fn intervals_are_closed_and_open_as_they_are() {
    let number = |n: &str| json!({"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Integer", "value": n});
    for (low, high, expected) in [
        (true, true, "5 in Interval[18, 75]"),
        (true, false, "5 in Interval[18, 75)"),
        (false, true, "5 in Interval(18, 75]"),
        (false, false, "5 in Interval(18, 75)"),
    ] {
        let interval = json!({"type": "Interval", "lowClosed": low, "highClosed": high,
            "low": number("18"), "high": number("75")});
        let (text, _) = text_of(&json!({"type": "In", "operand": [number("5"), interval]}));
        assert_eq!(text, format!("define \"Is Adult\":\n  {expected}"));
    }
}

#[test]
fn what_decides_stands_at_the_end_of_a_clause_too() {
    let visits = json!({"type": "ExpressionRef", "name": "Finished Visits"});
    let last = json!({"type": "Last", "source": visits});
    let (text, tree) = text_of(&json!({"type": "IsNull", "operand": last}));
    assert!(
        text.ends_with("Last(\"Finished Visits\") is null"),
        "{text}"
    );
    let adult = &tree.parts[1];
    assert_eq!(adult.outcome, Outcome::False);
    let below = &adult.parts[0];
    assert_eq!(below.label, "Last(\"Finished Visits\") is null");
    assert!(below.decides);
}

/// The measure with another exclusion, and definitions beside it.
fn with_exclusion(expression: Json, beside: &[(&str, Json)]) -> String {
    let mut elm: Json = serde_json::from_str(ELM).unwrap();
    let all = elm["library"]["statements"]["def"].as_array_mut().unwrap();
    let exclusions = all.iter_mut().find(|d| d["name"] == "Exclusions").unwrap();
    exclusions["expression"] = expression;
    for (name, expression) in beside {
        all.push(json!({
            "name": name, "context": "Patient", "accessLevel": "Public", "expression": expression
        }));
    }
    elm.to_string()
}

fn reason(elm: &str, resources: &[Json]) -> String {
    let program = built(elm).program.unwrap();
    let rows = program.rows(&record(resources), &context()).unwrap();
    let kind = RowKind::Population(
        PopulationCode::DenominatorExclusion,
        PopulationIndex::new(2),
    );
    let row = rows.iter().find(|r| r.kind == kind).unwrap();
    assert_eq!(row.outcome, Truth::Unknown);
    row.unknown_reason.as_deref().unwrap().to_owned()
}

fn named(name: &str) -> Json {
    json!({"type": "ExpressionRef", "name": name})
}

fn element(of: Json, path: &str) -> Json {
    json!({"type": "Property", "path": path, "source": of})
}

fn literal(value: &str) -> Json {
    json!({"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}String", "value": value})
}

/// As translators write `Patient.sex` of a profile.
fn sex() -> Json {
    let item = |path: &str| element(json!({"type": "AliasRef", "name": "$this"}), path);
    let url = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-sex";
    json!({"type": "SingletonFrom", "operand": {
        "type": "Query", "relationship": [],
        "source": [{"alias": "$this", "expression": element(named("Patient"), "extension")}],
        "where": {"type": "Equal", "operand": [item("url.value"), literal(url)]},
        "return": {"distinct": false, "expression": item("value")},
    }})
}

fn equal(a: Json, b: Json) -> Json {
    json!({"type": "Equal", "operand": [a, b]})
}

fn first_condition() -> Json {
    json!({"type": "First", "source": named("Conditions")})
}

#[test]
fn the_part_of_a_criterion_that_is_null_is_the_reason() {
    let of_sex = equal(element(sex(), "value"), literal("F"));
    let of_condition = equal(
        element(named("First Condition"), "status.value"),
        literal("x"),
    );
    let of_gender = equal(element(named("Patient"), "gender.value"), literal("x"));
    let or = json!({"type": "Or", "operand": [
        {"type": "Or", "operand": [{"type": "Not", "operand": named("By Sex")}, of_gender]},
        equal(literal("a"), literal("b")),
    ]});
    let both = equal(
        element(named("Patient"), "active.value"),
        equal(element(named("Patient"), "gender.value"), literal("x")),
    );
    let beside = [
        (
            "Conditions",
            json!({"type": "Retrieve", "dataType": "{http://hl7.org/fhir}Condition"}),
        ),
        ("First Condition", first_condition()),
        ("By Sex", of_sex.clone()),
    ];
    let cases = [
        (
            element(named("Patient"), "active.value"),
            "Patient.active is not there",
        ),
        (of_sex, "Patient.extension(us-core-sex) is not there"),
        (of_condition, "\"Conditions\" finds nothing"),
        (
            or,
            "Patient.extension(us-core-sex) is not there; Patient.gender is not there",
        ),
        (
            both,
            "Patient.active is not there; Patient.gender is not there",
        ),
    ];
    for (expression, wanted) in cases {
        let elm = with_exclusion(expression, &beside);
        let patient = [patient(), visit("a", "finished")];
        assert_eq!(reason(&elm, &patient), wanted);
        let e = explained(&elm, &patient, 8);
        let told = &population(&e, "denominator-exclusion").verdict.text;
        // Of one patient it is said in the words of explanations.
        let wanted = wanted.replace(
            "\"Conditions\" finds nothing",
            "no \"Conditions\" (Condition)",
        );
        assert_eq!(*told, format!("Could not be told: {wanted}"));
    }
}

#[test]
fn what_counts_beside_an_exclusion_that_could_not_be_told() {
    let e = explained(ELM, &[patient(), visit("a", "finished")], 8);
    assert_eq!(population(&e, "numerator").count, Some(1));
    let told = &e.groups[0].verdict;
    assert_eq!(told.status, verdict::Status::Unknown);
    assert_eq!(
        told.text,
        "In the numerator as counted; whether excluded could not be told: Patient.active is not there"
    );
}

#[test]
fn a_population_that_an_exclusion_holds_back() {
    let mut active = patient();
    active["active"] = json!(true);
    let e = explained(ELM, &[active, visit("a", "finished")], 1);
    let numerator = population(&e, "numerator");
    assert_eq!(
        (numerator.count, numerator.held_back),
        (Some(0), Some("excluded"))
    );
    let text = plain_text::text(&e, 160);
    assert!(text.contains("numerator: 0: excluded\n"), "{text}");
    assert!(
        text.contains("Out: excluded; its own criterion holds"),
        "{text}"
    );
    // Nobody is in the numerator who is not in the initial population.
    let e = explained(ELM, &[patient()], 1);
    let numerator = population(&e, "numerator");
    assert_eq!(numerator.held_back, Some("not in the initial population"));
}

#[test]
fn alternatives_are_told_apart_whatever_the_depth() {
    let mut active = patient();
    active["active"] = json!(true);
    let condition = json!({
        "resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}
    });
    let e = explained(ELM, &[active, visit("a", "finished"), condition], 1);
    let tree = population(&e, "numerator").criterion.as_ref().unwrap();
    let labels: Vec<&str> = tree.parts.iter().map(|p| p.label.as_str()).collect();
    assert_eq!(tree.parts.len(), 2);
    assert_eq!(labels[0], "not exists [Condition]");
}

#[test]
fn what_was_not_kept_is_said() {
    let mut e = explained(ELM, &[patient()], 8);
    assert!(e.notice.is_none());
    e.notice = Some(CUT);
    assert!(plain_text::text(&e, 400).contains(CUT));
    assert!(html::page(&[e]).contains(CUT));
}
