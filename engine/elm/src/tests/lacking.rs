//! Types that FHIR R4 does not have: names that QI-Core gives elements.

use super::*;
use engine_patient::finding::{Code, Severity};

fn fhir(name: &str) -> Json {
    json!({"type": "NamedTypeSpecifier", "name": format!("{{http://hl7.org/fhir}}{name}")})
}

fn as_type(operand: Json, ty: Json) -> Json {
    json!({"type": "As", "operand": operand, "asTypeSpecifier": ty, "localId": "3"})
}

fn observation_value() -> Json {
    let first = json!({"type": "First", "source": {"type": "Retrieve", "dataType": "{http://hl7.org/fhir}Observation"}});
    json!({"type": "Property", "path": "value", "source": first})
}

/// A list of a choice of tuples, as "No Mechanical or Pharmacological VTE Prophylaxis" of CMS108 has it.
fn tuples(elements: &[&str]) -> Json {
    let tuple = |ty: &str| json!({"type": "TupleTypeSpecifier", "element": [{"name": "a", "elementType": fhir(ty)}]});
    let choice: Vec<Json> = elements.iter().map(|e| tuple(e)).collect();
    json!({"type": "ListTypeSpecifier", "elementType": {"type": "ChoiceTypeSpecifier", "choice": choice}})
}

fn list_of_tuple() -> Json {
    json!({"type": "List", "element": [{"type": "Tuple", "element": [{"name": "a", "value": observation_value()}]}]})
}

fn count(of: Json) -> Json {
    json!({"type": "Count", "source": of})
}

#[test]
fn any_value_is_taken_for_one_and_it_is_told_once() {
    let out = run(&[library(
        "L",
        &[
            (
                "cast",
                count(as_type(
                    list_of_tuple(),
                    tuples(&["NotDoneRecorded", "Period"]),
                )),
            ),
            (
                "again",
                count(as_type(list_of_tuple(), tuples(&["NotDoneRecorded"]))),
            ),
            (
                "plain",
                as_type(observation_value(), fhir("DoNotPerformReason")),
            ),
            (
                "is",
                json!({"type": "Is", "operand": observation_value(), "isTypeSpecifier": fhir("NotDoneReason")}),
            ),
            (
                "null is",
                json!({"type": "Is", "operand": {"type": "Null"}, "isTypeSpecifier": fhir("NotDoneReason")}),
            ),
        ],
    )]);
    assert_eq!(out.value("cast"), &Ok("1".into()));
    assert_eq!(out.value("again"), &Ok("1".into()));
    assert!(
        out.value("plain")
            .as_ref()
            .is_ok_and(|v| v.starts_with("integer#"))
    );
    assert_eq!(out.value("is"), &Ok("true".into()));
    assert_eq!(out.value("null is"), &Ok("false".into()));
    let told: Vec<_> = out.issues.iter().map(|i| (i.code, i.severity)).collect();
    assert_eq!(
        told,
        [(Code::ElmForeignFhirType, Severity::Warning); 3],
        "{:#?}",
        out.issues
    );
    let message = &out.issues[0].message;
    assert!(message.starts_with("FHIR R4 has no type `"), "{message}");
}

/// Names of the FHIR model info that are enumerations are types, and say `code`.
#[test]
fn enumerations_are_types() {
    let status = json!({"type": "Property", "path": "status", "source": {"type": "First", "source":
        {"type": "Retrieve", "dataType": "{http://hl7.org/fhir}Observation"}}});
    let is = |of: Json| json!({"type": "Is", "operand": of, "isTypeSpecifier": fhir("ObservationStatus")});
    let out = run(&[library(
        "L",
        &[("code", is(status)), ("integer", is(observation_value()))],
    )]);
    assert_eq!(out.value("code"), &Ok("true".into()));
    assert_eq!(out.value("integer"), &Ok("false".into()));
    assert!(out.issues.is_empty(), "{:#?}", out.issues);
}

/// A list or a tuple that does not fit is lost, as CQL has it, but not without a note.
#[test]
fn what_a_cast_loses_is_noted() {
    let libraries = read(&[library(
        "L",
        &[
            ("list", as_type(list_of_tuple(), tuples(&["Period"]))),
            (
                "fits",
                as_type(list_of_tuple(), tuples(&["Period", "integer"])),
            ),
            ("scalar", as_type(observation_value(), fhir("Period"))),
        ],
    )]);
    let (compiled, _) = link(&libraries, Options::default());
    let context = EvaluationContext::at(DateTime::parse("2024").unwrap());
    let noted = with_evaluator(&compiled, &RECORD, &Settings::of(&context), |evaluator| {
        for name in ["list", "fits", "scalar"] {
            let expression = compiled.expression(0, name).unwrap();
            let value = evaluator.expression(expression).unwrap();
            assert_eq!(value.is_null(), name != "fits", "{name}");
        }
        let casts = evaluator.cx.metrics.casts.borrow();
        casts
            .iter()
            .map(|((what, ty), n)| format!("{what} {ty} {n}"))
            .collect::<Vec<_>>()
    });
    assert_eq!(
        noted.unwrap(),
        ["a list List<Choice<Tuple{a FHIR.Period}>> 1"]
    );
}
