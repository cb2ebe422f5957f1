//! The border between the logic and the report: FHIR values as criteria, observations, strata,
//! supplemental data. ELM by hand.

#![cfg(test)]

use engine_patient::finding::Code;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use engine_patient::context::EvaluationContext;
use engine_patient::fhir::profiles::ProfileMode;
use engine_patient::program::{PatientProgram, ResultRow, RowKind};
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::truth::Truth;
use engine_patient::system::zone::UTC;
use engine_patient::value::Value;
use measures::official::{BuildOptions, Built, build};
use measures::package::load;
use serde_json::{Value as Json, json};

const SYSTEM: &str = "{urn:hl7-org:elm-types:r1}";
const FHIR: &str = "{http://hl7.org/fhir}";

fn definition(name: &str, expression: &Json) -> Json {
    json!({"name": name, "context": "Patient", "expression": expression})
}

fn of_patient(path: &str) -> Json {
    let patient = json!({"type": "ExpressionRef", "name": "Patient"});
    json!({"type": "Property", "path": path, "source": patient})
}

fn retrieve(ty: &str) -> Json {
    json!({"type": "Retrieve", "dataType": format!("{FHIR}{ty}")})
}

/// `from O in [ty] return O.path`
fn paths(ty: &str, path: &str) -> Json {
    json!({"type": "Query", "relationship": [],
        "source": [{"alias": "O", "expression": retrieve(ty)}],
        "return": {"distinct": false, "expression": {"type": "Property", "path": path, "scope": "O"}}})
}

fn boolean(value: bool) -> Json {
    json!({"type": "Literal", "valueType": format!("{SYSTEM}Boolean"), "value": value.to_string()})
}

fn text(value: &str) -> Json {
    json!({"type": "Literal", "valueType": format!("{SYSTEM}String"), "value": value})
}

/// A measure of this scoring and basis; populations by code and expression; stratifiers and supplemental
/// data by expression.
fn measure(scoring: &str, basis: &str, populations: &[(&str, &str)]) -> Json {
    let criteria = |name: &str| json!({"language": "text/cql-identifier", "expression": name});
    let cqfm = "http://hl7.org/fhir/us/cqfmeasures/StructureDefinition/cqfm-";
    let populations: Vec<Json> = populations
        .iter()
        .map(|(code, expression)| {
            let mut one = json!({"id": code, "code": {"coding": [{"code": code}]}, "criteria": criteria(expression)});
            if *code == "measure-observation" {
                one["extension"] = json!([{"url": format!("{cqfm}aggregateMethod"), "valueCode": "sum"}]);
            }
            one
        })
        .collect();
    json!({
        "resourceType": "Measure", "id": "M", "name": "M", "version": "1",
        "url": "http://example.org/Measure/M", "library": ["http://example.org/Library/T"],
        "scoring": {"coding": [{"code": scoring}]},
        "extension": [{"url": format!("{cqfm}populationBasis"), "valueCode": basis}],
        "group": [{"id": "g", "population": populations}],
    })
}

fn stratified(mut measure: Json, by: &[&str]) -> Json {
    let one = |name: &&str| json!({"id": name, "criteria": {"language": "text/cql-identifier", "expression": name}});
    measure["group"][0]["stratifier"] = by.iter().map(one).collect();
    measure
}

fn built(measures: &[Json], definitions: &[Json]) -> Built {
    let patient = json!({"name": "Patient", "context": "Patient",
        "expression": {"type": "SingletonFrom", "operand": retrieve("Patient")}});
    let mut all = vec![patient];
    all.extend(definitions.iter().cloned());
    let elm = json!({"library": {
        "identifier": {"id": "T", "version": "1"},
        "usings": {"def": [{"localIdentifier": "FHIR", "uri": "http://hl7.org/fhir", "version": "4.0.1"}]},
        "statements": {"def": all},
    }});
    let library = json!({
        "resourceType": "Library", "id": "T", "name": "T", "version": "1", "status": "active",
        "url": "http://example.org/Library/T", "type": {"coding": [{"code": "logic-library"}]},
        "content": [{"contentType": "application/elm+json", "data": STANDARD.encode(elm.to_string())}],
    });
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, json: &Json| std::fs::write(folder.path().join(name), json.to_string());
    put("library.json", &library).unwrap();
    for (index, measure) in measures.iter().enumerate() {
        put(&format!("measure-{index}.json"), measure).unwrap();
    }
    let loaded = load(&[folder.path()]);
    let issues: Vec<String> = loaded.issues.iter().map(ToString::to_string).collect();
    assert!(!loaded.has_errors(), "{issues:#?}");
    let options = BuildOptions {
        allow_missing_value_sets: false,
        profile_mode: ProfileMode::Decide,
        native_helpers: true,
        everything: false,
    };
    let measures: Vec<_> = loaded.package.measures.iter().collect();
    build(&loaded.package, &measures, &options)
}

fn rows(built: &Built, resources: &[Json]) -> Vec<ResultRow> {
    let mut record = PatientRecord::new();
    for resource in resources {
        record.push(&resource.to_string()).unwrap();
    }
    record.seal();
    let day = |text| DateTime::parse(text).unwrap();
    let findings: Vec<String> = built.findings.iter().map(ToString::to_string).collect();
    let context = EvaluationContext::for_period(day("2025-01-01"), day("2025-12-31"), UTC.clone());
    let program = built.program.as_ref();
    let program = program.unwrap_or_else(|| panic!("{findings:#?}"));
    program.rows(&record, &context).unwrap()
}

fn patient(more: &Json) -> Json {
    let mut patient = json!({"resourceType": "Patient", "id": "p"});
    for (key, value) in more.as_object().unwrap() {
        patient[key] = value.clone();
    }
    patient
}

/// CQL 1.5, "Implicit conversions"; a FHIR boolean is its value, absent is null (unknown).
#[test]
fn a_fhir_boolean_is_its_value() {
    let measure = measure(
        "proportion",
        "boolean",
        &[
            ("initial-population", "IP"),
            ("denominator", "Active"),
            ("numerator", "IP"),
        ],
    );
    let measure = stratified(measure, &["Active"]);
    let built = built(
        &[measure],
        &[
            definition("IP", &boolean(true)),
            definition("Active", &of_patient("active")),
        ],
    );
    for (data, outcome) in [
        (json!({"active": true}), Truth::True),
        (json!({"active": false}), Truth::False),
        (json!({}), Truth::Unknown),
        // A primitive that cannot be read is not known.
        (json!({"active": "yes"}), Truth::Unknown),
    ] {
        let rows = rows(&built, &[patient(&data)]);
        assert_eq!(rows[1].outcome, outcome, "{data}");
        let strata = rows.iter().filter(|r| r.stratum.as_deref() == Some("true"));
        assert_eq!(strata.count() > 0, outcome == Truth::True, "{data}");
    }
}

/// What is no Boolean at all is never met: an error where the library publishes its type, else unknown.
#[test]
fn a_criterion_that_is_no_boolean() {
    let populations = [
        ("initial-population", "IP"),
        ("denominator", "Born"),
        ("numerator", "IP"),
    ];
    let measure = measure("proportion", "boolean", &populations);
    let mut born = definition("Born", &of_patient("birthDate"));
    let all = |born: &Json| [definition("IP", &boolean(true)), born.clone()];
    let untyped = built(std::slice::from_ref(&measure), &all(&born));
    let rows = rows(&untyped, &[patient(&json!({"birthDate": "1970-05-01"}))]);
    assert_eq!((rows[1].outcome, rows[1].count), (Truth::Unknown, None));
    let reason = "the expression gives a Date where a Boolean was expected";
    assert_eq!(rows[1].unknown_reason.as_deref(), Some(reason));
    born["resultTypeName"] = json!(format!("{FHIR}date"));
    let typed = built(&[measure], &all(&born));
    assert!(typed.program.is_none());
    let errors: Vec<_> = typed.findings.iter().filter(|f| f.is_error()).collect();
    assert_eq!((errors.len(), errors[0].code), (1, Code::ElmCriterionType));
    assert!(
        errors[0]
            .message
            .contains("gives `FHIR.date`, where a Boolean is needed")
    );
    assert_eq!(errors[0].definition(), Some("Born"));
}

fn observation(id: &str, value: Json) -> Json {
    let mut observation = json!({"resourceType": "Observation", "id": id, "status": "final",
        "subject": {"reference": "Patient/p"}, "code": {"text": "stay"}});
    for (key, value) in value.as_object().unwrap() {
        observation[key] = value.clone();
    }
    observation
}

#[test]
fn observations_that_are_fhir_values_have_amounts() {
    let measure = measure(
        "continuous-variable",
        "Observation",
        &[
            ("initial-population", "IP"),
            ("measure-population", "IP"),
            ("measure-observation", "value"),
        ],
    );
    let operand = json!({"type": "OperandRef", "name": "o"});
    let value = json!({"name": "value", "context": "Patient", "type": "FunctionDef",
        "expression": {"type": "Property", "path": "value", "source": operand},
        "operand": [{"name": "o", "operandTypeSpecifier": {"type": "NamedTypeSpecifier", "name": format!("{FHIR}Observation")}}]});
    let built = built(
        &[measure],
        &[definition("IP", &retrieve("Observation")), value],
    );
    let ucum = "http://unitsofmeasure.org";
    let data = [
        patient(&json!({})),
        observation(
            "1",
            json!({"valueQuantity": {"value": 2, "unit": "hours", "system": ucum, "code": "h"}}),
        ),
        observation("2", json!({"valueInteger": 3})),
        observation(
            "3",
            json!({"valueQuantity": {"value": 4, "comparator": "<", "system": ucum, "code": "h"}}),
        ),
        observation("4", json!({"valueString": "5"})),
        observation("5", json!({})),
    ];
    let rows = rows(&built, &data);
    let shown = |row: &ResultRow| match (&row.value, &row.unknown_reason) {
        (Value::Quantity { value, unit }, None) => format!("{value} {unit}"),
        (Value::Decimal(value), None) => value.to_string(),
        (Value::Null, Some(reason)) => reason.to_string(),
        other => panic!("{other:?}"),
    };
    let observed = rows
        .iter()
        .filter(|r| r.kind.as_str() == "measure-observation");
    let observed: Vec<String> = observed.map(shown).collect();
    // FHIRHelpers has a Message of severity Error for a comparator.
    let comparator =
        "the logic gives the error `FHIRHelpers.ToQuantity.ComparatorQuantityNotSupported`";
    assert_eq!(
        observed,
        [
            "2 h",
            "3",
            comparator,
            "the observation gives a String",
            "the observation has no value"
        ]
    );
}

fn strata(rows: &[ResultRow], of: u32) -> Vec<(String, Option<Json>)> {
    let own = rows.iter().filter(|r| r.stratifier == Some(of));
    let own = own.filter(|r| r.kind.as_str() == "initial-population");
    own.map(|r| {
        let coding = r.coding.as_ref().map(|c| serde_json::from_str(c).unwrap());
        (r.stratum.as_deref().unwrap().to_owned(), coding)
    })
    .collect()
}

/// FHIR R4 MeasureReport.group.stratifier.stratum.value is a CodeableConcept: system, code, display.
#[test]
fn strata_and_supplemental_data_keep_their_codings() {
    let by = ["Sex", "Payer", "Languages", "Nothing"];
    let mut measure = stratified(
        measure("cohort", "boolean", &[("initial-population", "IP")]),
        &by,
    );
    let part = |name: &str| json!({"code": {"text": name}, "criteria": {"language": "text/cql-identifier", "expression": name}});
    let crossed = json!({"id": "x", "component": [part("Sex"), part("Payer"), part("Languages")]});
    measure["group"][0]["stratifier"]
        .as_array_mut()
        .unwrap()
        .push(crossed);
    let usage = |code: &str| json!([{"coding": [{"code": code}]}]);
    let sde = |name: &str, code: &str| json!({"usage": usage(code), "criteria": {"language": "text/cql-identifier", "expression": name}});
    measure["supplementalData"] = json!([
        sde("Payer", "supplemental-data"),
        sde("Sex", "risk-adjustment-factor"),
        sde("Tuples", "supplemental-data"),
        sde("Names", "supplemental-data"),
    ]);
    let tuple = json!({"type": "Tuple", "element": [
        {"name": "code", "value": {"type": "Property", "path": "type", "scope": "C"}},
        {"name": "period", "value": {"type": "Property", "path": "period", "scope": "C"}},
    ]});
    let tuples = json!({"type": "Query", "relationship": [], "source": [{"alias": "C", "expression": retrieve("Coverage")}],
        "return": {"distinct": false, "expression": tuple}});
    let languages = json!({"type": "List", "element": [text("en"), text("es"), text("en")]});
    let built = built(
        &[measure],
        &[
            definition("IP", &boolean(true)),
            definition("Sex", &of_patient("gender")),
            definition("Payer", &paths("Coverage", "type")),
            definition("Languages", &languages),
            definition("Nothing", &paths("Condition", "code")),
            definition("Tuples", &tuples),
            definition("Names", &of_patient("name")),
        ],
    );
    let medicare = json!({"system": "https://nahdo.org/sopt", "code": "1", "display": "MEDICARE"});
    let local = json!({"system": "http://example.org/payers", "code": "m"});
    let concept = json!({"coding": [medicare, local], "text": "Medicare"});
    let coverage = json!({"resourceType": "Coverage", "id": "c", "status": "active",
        "beneficiary": {"reference": "Patient/p"}, "payor": [{"display": "x"}],
        "type": concept, "period": {"start": "2025-01-01"}});
    let data = patient(&json!({"gender": "female", "name": [{"family": "X"}]}));
    let rows = rows(&built, &[data, coverage]);
    let payer = "http://example.org/payers|m, https://nahdo.org/sopt|1";
    let text = |t: &str| (t.to_owned(), None);
    assert_eq!(strata(&rows, 0), [text("female")]);
    assert_eq!(
        strata(&rows, 1),
        [(payer.to_owned(), Some(concept.clone()))]
    );
    // A stratum a value, each once.
    assert_eq!(strata(&rows, 2), [text("en"), text("es")]);
    // No value makes no stratum, and is told.
    assert_eq!(strata(&rows, 3), []);
    let told = rows
        .iter()
        .find(|r| r.kind == RowKind::Stratifier(3))
        .unwrap();
    assert_eq!(
        told.unknown_reason.as_deref(),
        Some("the stratifier has no value")
    );
    let name = |language: &str| json!(["female", payer, language]).to_string();
    let codings = Some(json!([null, concept, null]));
    assert_eq!(
        strata(&rows, 4),
        [(name("en"), codings.clone()), (name("es"), codings)]
    );
    let supplemental: Vec<(&str, u32, &Value, Option<Json>)> = rows
        .iter()
        .filter(|r| {
            matches!(
                r.kind,
                RowKind::SupplementalData(_) | RowKind::RiskAdjustment(_)
            )
        })
        .map(|r| {
            let coding = r.coding.as_ref().map(|c| serde_json::from_str(c).unwrap());
            (r.kind.as_str(), r.kind.index(), &r.value, coding)
        })
        .collect();
    let string = |t: &str| Value::String(Arc::from(t));
    let payer = string(payer);
    assert_eq!(
        supplemental,
        [
            ("supplemental-data", 0, &payer, Some(concept.clone())),
            ("risk-adjustment", 1, &string("female"), None),
            ("supplemental-data", 2, &payer, Some(concept)),
            // What CQL has no value for is told as it stands.
            ("supplemental-data", 3, &string(r#"{"family":"X"}"#), None),
        ]
    );
}

/// No score depends on them: they are left out, told, and the measure runs.
#[test]
fn stratifiers_and_supplemental_data_that_cannot_be_run_are_left_out() {
    let measure = measure("cohort", "boolean", &[("initial-population", "IP")]);
    let mut one = stratified(measure, &["Age", "Sex", "No Such"]);
    let sde = |name: &str| json!({"usage": [{"coding": [{"code": "supplemental-data"}]}], "criteria": {"language": "text/cql-identifier", "expression": name}});
    one["supplementalData"] = json!([sde("SDE Address"), sde("Sex"), sde("Broken")]);
    let broken = json!({"type": "ExpressionRef", "name": "Nowhere"});
    let age = json!({"name": "Age", "context": "Patient", "type": "FunctionDef", "operand": [], "expression": boolean(true)});
    let definitions = [
        definition("IP", &boolean(true)),
        definition("Sex", &of_patient("gender")),
        definition("Broken", &broken),
        age,
    ];
    let built = built(&[one], &definitions);
    assert!(built.refused.is_empty());
    let what: Vec<&str> = built.left_out.iter().map(|l| l.what.as_str()).collect();
    let expected = [
        "stratifier `Age`",
        "stratifier `No Such`",
        "supplemental data `SDE Address`",
        "supplemental data `Broken`",
    ];
    assert_eq!(what, expected);
    assert!(built.findings.iter().all(|f| !f.is_error()));
    for what in expected {
        let told = format!("{what} is left out: ");
        assert!(
            built.findings.iter().any(|f| f.message.starts_with(&told)),
            "{told}"
        );
    }
    assert_eq!(built.structures[0].groups[0].stratifiers.len(), 1);
    let rows = rows(&built, &[patient(&json!({"gender": "male"}))]);
    assert_eq!(strata(&rows, 0), [("male".to_owned(), None)]);
    let supplemental = rows
        .iter()
        .filter(|r| matches!(r.kind, RowKind::SupplementalData(_)));
    assert_eq!(
        supplemental.map(|r| r.kind.index()).collect::<Vec<_>>(),
        [0]
    );
}

/// An error in the logic of one measure keeps that one out, whatever else its library holds.
#[test]
fn one_broken_measure_does_not_stop_the_others() {
    let mut good = measure("cohort", "boolean", &[("initial-population", "IP")]);
    let mut bad = measure("cohort", "boolean", &[("initial-population", "Broken")]);
    good["id"] = json!("same");
    bad["id"] = json!("same");
    bad["version"] = json!("2");
    let broken = json!({"type": "ExpressionRef", "name": "Nowhere"});
    let definitions = [
        definition("IP", &boolean(true)),
        definition("Broken", &broken),
    ];
    let built = built(&[bad, good], &definitions);
    // Two versions of one id are two measures.
    assert_eq!(built.refused, ["http://example.org/Measure/M|2"]);
    assert_eq!(built.structures.len(), 1);
    assert_eq!(&*built.structures[0].artifact.version, "1");
}

/// A patient whose evaluation failed has rows that say so: nothing of it is "no".
#[test]
fn a_failed_patient_is_unknown() {
    let populations = [
        ("initial-population", "IP"),
        ("denominator", "IP"),
        ("numerator", "IP"),
    ];
    let measure = measure("proportion", "boolean", &populations);
    let built = built(&[measure], &[definition("IP", &boolean(true))]);
    let mut rows = vec![];
    let reason = Arc::from("the evaluation failed");
    built.program.unwrap().failed(0, &reason, &mut rows);
    assert_eq!(rows.len(), 3);
    for row in rows {
        assert_eq!((row.outcome, row.count), (Truth::Unknown, None));
        assert_eq!(row.unknown_reason.as_deref(), Some("the evaluation failed"));
    }
}
