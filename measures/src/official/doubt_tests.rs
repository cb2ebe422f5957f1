//! Counts beside outcomes: what cannot be read, and value sets that are not here. ELM written by hand.

use base64::Engine as _;
use engine_patient::context::EvaluationContext;
use engine_patient::fhir::profiles::ProfileMode;
use engine_patient::program::{
    EvaluationError, EvaluationResult, NoteKind, PatientProgram, RowOptions, Wanted,
};
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::truth::Truth;
use engine_patient::system::zone::UTC;
use engine_patient::value::Value;
use serde_json::{Value as Json, json};

use super::{BuildOptions, ElmMeasures, build};
use crate::gaps::GapStatus;
use crate::package::{Basis, load, select};
use crate::result::Improvement;
use crate::structure::MeasureStructure;

fn context() -> EvaluationContext {
    let day = |t: &str| DateTime::parse(t).unwrap();
    EvaluationContext::for_period(day("2025-01-01"), day("2025-12-31"), UTC.clone())
}

fn retrieve(ty: &str) -> Json {
    json!({"type": "Retrieve", "dataType": format!("{{http://hl7.org/fhir}}{ty}")})
}

/// `[Encounter] E where Interval[E.period.start.value, E.period.end.value] overlaps "Measurement Period"`
fn visits() -> Json {
    let bound = |name: &str| {
        let period = json!({"type": "Property", "path": "period", "scope": "E"});
        let bound = json!({"type": "Property", "path": name, "source": period});
        json!({"type": "Property", "path": "value", "source": bound})
    };
    let period = json!({"type": "Interval", "lowClosed": true, "highClosed": true, "low": bound("start"), "high": bound("end")});
    let overlaps = json!({"type": "Overlaps", "operand": [period, {"type": "ParameterRef", "name": "Measurement Period"}]});
    json!({"type": "Query", "source": [{"alias": "E", "expression": retrieve("Encounter")}], "relationship": [], "where": overlaps})
}

fn sick() -> Json {
    json!({"type": "Exists", "operand": diabetes()})
}

fn diabetes() -> Json {
    let set = json!({"type": "ValueSetRef", "name": "Diabetes"});
    json!({"type": "Retrieve", "dataType": "{http://hl7.org/fhir}Condition", "codeProperty": "code", "codeComparator": "in", "codes": set})
}

fn code(system: &str, code: &str) -> Json {
    json!({"coding": [{"system": format!("http://terminology.hl7.org/CodeSystem/{system}"), "code": code}]})
}

fn criteria(expression: &str) -> Json {
    json!({"language": "text/cql-identifier", "expression": expression})
}

fn population(of: &str, expression: &str) -> Json {
    json!({"id": of, "code": code("measure-population", of), "criteria": criteria(expression)})
}

/// A cohort of these criteria, with this basis.
fn program(criterion: &Json, basis: &str) -> std::sync::Arc<ElmMeasures> {
    program_with(criterion, basis, None)
}

/// The same, with supplemental data.
fn program_with(
    criterion: &Json,
    basis: &str,
    supplemental: Option<&Json>,
) -> std::sync::Arc<ElmMeasures> {
    let mut statements = vec![json!({"name": "IP", "context": "Patient", "expression": criterion})];
    statements.extend(
        supplemental.map(|sde| json!({"name": "SDE", "context": "Patient", "expression": sde})),
    );
    let group = json!({"population": [population("initial-population", "IP")]});
    let data = match supplemental {
        Some(_) => json!([{"usage": [code("measure-data-usage", "supplemental-data")],
            "criteria": {"language": "text/cql-identifier", "expression": "SDE"}}]),
        None => json!([]),
    };
    program_of(&json!(statements), basis, "cohort", &group, &data)
}

/// A measure of one group.
fn program_of(
    statements: &Json,
    basis: &str,
    scoring: &str,
    group: &Json,
    supplemental: &Json,
) -> std::sync::Arc<ElmMeasures> {
    let interval = json!({"type": "IntervalTypeSpecifier", "pointType": {"type": "NamedTypeSpecifier", "name": "{urn:hl7-org:elm-types:r1}DateTime"}});
    let elm = json!({"library": {
        "identifier": {"id": "Demo", "version": "1.0.0"},
        "usings": {"def": [{"localIdentifier": "FHIR", "uri": "http://hl7.org/fhir", "version": "4.0.1"}]},
        "parameters": {"def": [{"name": "Measurement Period", "parameterTypeSpecifier": interval}]},
        "valueSets": {"def": [{"name": "Diabetes", "id": "http://example.org/ValueSet/diabetes"}]},
        "statements": {"def": statements},
    }});
    let data = base64::engine::general_purpose::STANDARD.encode(elm.to_string());
    let library = json!({"resourceType": "Library", "id": "Demo", "name": "Demo", "version": "1.0.0",
        "url": "http://example.org/Library/Demo", "status": "active", "type": {"coding": [{"code": "logic-library"}]},
        "content": [{"contentType": "application/elm+json", "data": data}]});
    let mut measure = json!({"resourceType": "Measure", "id": "Demo", "name": "Demo", "version": "1.0.0",
        "url": "http://example.org/Measure/Demo", "status": "active", "library": ["http://example.org/Library/Demo|1.0.0"],
        "scoring": code("measure-scoring", scoring),
        "extension": [{"url": "http://hl7.org/fhir/us/cqfmeasures/StructureDefinition/cqfm-populationBasis", "valueCode": basis}],
        "group": [group]});
    if supplemental.as_array().is_some_and(|all| !all.is_empty()) {
        measure["supplementalData"] = supplemental.clone();
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, json) in [("library.json", &library), ("measure.json", &measure)] {
        std::fs::write(folder.path().join(name), json.to_string()).unwrap();
    }
    let loaded = load(&[folder.path()]);
    let issues: Vec<String> = loaded.issues.iter().map(ToString::to_string).collect();
    assert!(!loaded.has_errors(), "{issues:#?}");
    let options = BuildOptions {
        allow_missing_value_sets: true,
        profile_mode: ProfileMode::Decide,
        native_helpers: true,
        everything: false,
    };
    let built = build(
        &loaded.package,
        &select(&loaded.package, &[]).unwrap(),
        &options,
    );
    let findings: Vec<String> = built.findings.iter().map(ToString::to_string).collect();
    built.program.unwrap_or_else(|| panic!("{findings:#?}"))
}

/// Member, outcome, count and reason of each row.
fn rows(program: &ElmMeasures, resources: &[Json]) -> Vec<(String, Truth, Option<i64>, String)> {
    let mut record = PatientRecord::new();
    for resource in resources {
        record.push(&resource.to_string()).unwrap();
    }
    record.seal();
    let out = program.rows(&record, &context()).unwrap();
    let text = |t: &Option<std::sync::Arc<str>>| t.as_deref().unwrap_or_default().to_owned();
    let shown = |row: &engine_patient::program::ResultRow| {
        (
            text(&row.basis_id),
            row.outcome,
            row.count,
            text(&row.unknown_reason),
        )
    };
    out.iter().map(shown).collect()
}

fn patient() -> Json {
    json!({"resourceType": "Patient", "id": "p", "birthDate": "1970-01-01"})
}

fn visit(id: &str, start: &str, end: Json) -> Json {
    json!({"resourceType": "Encounter", "id": id, "status": "finished", "period": {"start": start, "end": end}})
}

/// A value that a patient has twice counts once, as a stratum does.
#[test]
fn supplemental_values_of_a_patient_are_distinct() {
    let text = |value: &str| json!({"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}String", "value": value});
    let list = json!({"type": "List", "element": [text("b"), text("a"), text("b")]});
    let program = program_with(
        &json!({"type": "Exists", "operand": retrieve("Patient")}),
        "boolean",
        Some(&list),
    );
    let mut record = PatientRecord::new();
    record.push(&patient().to_string()).unwrap();
    record.seal();
    let out = program.rows(&record, &context()).unwrap();
    let supplemental = out
        .iter()
        .filter(|row| row.kind.as_str() == "supplemental-data");
    assert_eq!(supplemental.count(), 2);
}

const WHY: &str = "`Encounter.period.end` cannot be read";

/// `shared/cases/bad-dates`: a visit of 2019 whose end cannot be read is not in 2025 for sure, nor out.
#[test]
fn an_end_that_cannot_be_read_is_not_evaluable() {
    let exists = json!({"type": "Exists", "operand": visits()});
    let program = program(&exists, "boolean");
    let of = |end: Json| {
        rows(
            &program,
            &[patient(), visit("a", "2019-06-04T10:00:00Z", end)],
        )
    };
    let row = |truth, count, why: &str| vec![(String::new(), truth, count, why.to_owned())];
    assert_eq!(
        of(json!("2019-06-04T11:00:00Z")),
        row(Truth::False, Some(0), "")
    );
    for end in [
        json!("06/04/2019"),
        json!(20_190_604),
        json!(""),
        json!("2019-02-30"),
    ] {
        assert_eq!(of(end.clone()), row(Truth::Unknown, None, WHY), "{end}");
    }
    assert_eq!(of(Json::Null), row(Truth::True, Some(1), ""));
    let both = [
        patient(),
        visit("a", "2019-06-04", json!("?")),
        visit("b", "2025-02-01", json!("2025-02-01")),
    ];
    assert_eq!(rows(&program, &both), row(Truth::True, Some(1), ""));
    let mut record = PatientRecord::new();
    for resource in &both {
        record.push(&resource.to_string()).unwrap();
    }
    record.seal();
    let context = context();
    let wanted = Wanted {
        context: &context,
        artifacts: &[true],
        rows: RowOptions::default(),
    };
    let mut result = EvaluationResult::default();
    program.evaluate(&record, &wanted, &mut result).unwrap();
    let notes: Vec<_> = result.notes.iter().collect();
    let unreadable = (NoteKind::Unreadable, "Encounter.period.end", 1);
    assert_eq!(notes, [unreadable]);
    let [used] = result.used.as_slice() else {
        unreachable!("one measure: {:?}", result.used)
    };
    assert!(used.steps > 0 && !used.exhausted);
}

#[test]
fn of_several_visits_only_the_doubtful_one_is_unknown() {
    let program = program(&visits(), "Encounter");
    let all = [
        patient(),
        visit("in", "2025-02-01", json!("2025-02-01")),
        visit("maybe", "2019-06-04", json!("?")),
        visit("out", "2019-06-04", json!("2019-06-04")),
    ];
    let row = |id: &str, truth, count, why: &str| (id.to_owned(), truth, count, why.to_owned());
    assert_eq!(
        rows(&program, &all),
        [
            row("", Truth::Unknown, Some(1), WHY),
            row("Encounter/in", Truth::True, Some(1), ""),
            row("Encounter/maybe", Truth::Unknown, None, WHY),
        ]
    );
}

#[test]
fn a_missing_value_set_is_unknown_and_named() {
    let why = "the value set \"Diabetes\" was not loaded";
    let condition = json!({"resourceType": "Condition", "id": "c", "code": {"coding": [{"system": "urn:s", "code": "x"}]}});
    let yes = json!({"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Boolean", "value": "true"});
    let no = json!({"type": "Not", "operand": sick()});
    let either = json!({"type": "Or", "operand": [yes, sick()]});
    for (criterion, truth, count, reason) in [
        (sick(), Truth::Unknown, None, why),
        (no, Truth::Unknown, Some(1), why),
        (either, Truth::True, Some(1), ""),
    ] {
        let program = program(&criterion, "boolean");
        let found = rows(&program, &[patient(), condition.clone()]);
        assert_eq!(found, [(String::new(), truth, count, reason.to_owned())]);
        // No patient is left out for want of a match.
        assert!(
            program
                .necessary_requirements(0, RowOptions::default())
                .is_empty()
        );
    }
}

/// What rests on a value set that is not here is counted as any other engine does, and told: an
/// observation, a stratum by criterion and by value, supplemental data.
#[test]
fn observations_strata_and_supplemental_data_are_in_doubt_too() {
    let yes = json!({"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Boolean", "value": "true"});
    let text = |t: &str| json!({"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}String", "value": t});
    let kind =
        json!({"type": "If", "condition": sick(), "then": text("sick"), "else": text("well")});
    let define = |name: &str, expression: &Json| json!({"name": name, "context": "Patient", "expression": expression});
    let count = json!({"type": "Count", "source": diabetes()});
    let statements = json!([
        define("All", &yes), define("Sick", &sick()), define("Kind", &kind),
        {"name": "Conditions", "type": "FunctionDef", "context": "Patient", "expression": count, "operand": []},
    ]);
    let mut observation = population("measure-observation", "Conditions");
    observation["extension"] = json!([
        {"url": "http://hl7.org/fhir/us/cqfmeasures/StructureDefinition/cqfm-aggregateMethod", "valueString": "Sum"},
        {"url": "http://hl7.org/fhir/us/cqfmeasures/StructureDefinition/cqfm-criteriaReference", "valueString": "measure-population"},
    ]);
    let group = json!({
        "population": [population("initial-population", "All"), population("measure-population", "All"), observation],
        "stratifier": [{"criteria": criteria("Sick")}, {"criteria": criteria("Kind")}],
    });
    let usage = code("measure-data-usage", "supplemental-data");
    let supplemental = json!([{"usage": [usage], "criteria": criteria("Kind")}]);
    let program = program_of(
        &statements,
        "boolean",
        "continuous-variable",
        &group,
        &supplemental,
    );
    let told = |resources: &[Json]| -> Vec<String> {
        let mut record = PatientRecord::new();
        for resource in resources {
            record.push(&resource.to_string()).unwrap();
        }
        record.seal();
        let out = program.rows(&record, &context()).unwrap();
        let value = |value: &Value| match value {
            Value::Null => "-".to_owned(),
            Value::Decimal(number) => number.to_string(),
            Value::String(text) => text.to_string(),
            other => panic!("{other:?}"),
        };
        let line = |row: &engine_patient::program::ResultRow| {
            let stratum = row.stratum.as_deref().unwrap_or("-");
            let doubt = row.unknown_reason.is_some();
            assert!(row.unknown_reason.as_deref().is_none_or(|r| r == MISSING));
            let (population, value) = (row.kind, value(&row.value));
            format!("{population} {stratum} {value} {:?} {doubt}", row.outcome)
        };
        out.iter().map(line).collect()
    };
    let condition = json!({"resourceType": "Condition", "id": "c", "code": {"coding": [{"system": "urn:s", "code": "x"}]}});
    assert_eq!(
        told(&[patient(), condition]),
        [
            "initial-population - - True false",
            "measure-population - - True false",
            "measure-observation - 0 Unknown true",
            "stratifier - - Unknown true",
            "stratifier - - Unknown true",
            "initial-population well - True false",
            "measure-population well - True false",
            "measure-observation well 0 Unknown true",
            "supplemental-data - well True false",
            "supplemental-data - - Unknown true",
        ]
    );
    // Who has no Condition is well, whatever the set holds.
    assert_eq!(
        told(&[patient()]),
        [
            "initial-population - - True false",
            "measure-population - - True false",
            "measure-observation - 0 True false",
            "initial-population well - True false",
            "measure-population well - True false",
            "measure-observation well 0 True false",
            "supplemental-data - well True false",
        ]
    );
}

/// A mistake of ours is not "could not be told": the card of a measure fails with it, a run notes it.
#[test]
fn a_bug_in_a_criterion_is_told() {
    let yes = json!({"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Boolean", "value": "true"});
    let no = json!({"type": "Not", "operand": yes});
    let define = |name: &str, expression: &Json| json!({"name": name, "context": "Patient", "expression": expression});
    let of = |numerator: &str| {
        let group = json!({"population": [population("initial-population", "All"), population("denominator", "All"),
            population("denominator-exclusion", "None"), population("numerator", numerator)]});
        let statements = json!([
            define("All", &yes),
            define("None", &no),
            define("Third", &no)
        ]);
        program_of(&statements, "boolean", "proportion", &group, &json!([]))
    };
    let mut program = of("None");
    let artifact = program.artifacts()[0].clone();
    let structure = MeasureStructure::simple(artifact, Improvement::Increase, Basis::Boolean);
    let structure = std::sync::Arc::new(structure);
    let mut record = PatientRecord::new();
    record.push(&patient().to_string()).unwrap();
    record.seal();
    let context = context();
    let gaps = program.gaps_of(0, &structure, &record, &context).unwrap();
    assert_eq!(gaps[0].status, GapStatus::Open);

    // A definition that this program does not have.
    let target = of("Third").measures[0].groups[0].targets[3];
    let broken = std::sync::Arc::get_mut(&mut program).unwrap();
    broken.measures[0].groups[0].targets[3] = target;
    let error = program
        .gaps_of(0, &structure, &record, &context)
        .unwrap_err();
    let EvaluationError::Bug(text) = &error else {
        unreachable!("{error:?}")
    };
    assert!(text.starts_with("a mistake in tandem: "), "{text}");
    let wanted = Wanted {
        context: &context,
        artifacts: &[true],
        rows: RowOptions::default(),
    };
    let mut result = EvaluationResult::default();
    program.evaluate(&record, &wanted, &mut result).unwrap();
    let notes: Vec<_> = result.notes.iter().collect();
    assert_eq!(notes, [(NoteKind::Bug, text.as_str(), 1)]);
}

const MISSING: &str = "the value set \"Diabetes\" was not loaded";
