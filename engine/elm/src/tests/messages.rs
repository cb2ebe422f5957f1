//! §24: a `Message` of severity Error is a run-time error.

use super::*;

fn message(source: Json, severity: &str) -> Json {
    let yes = json!({"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Boolean", "value": "true"});
    json!({"type": "Message", "source": source, "condition": yes, "code": string("TheCode"),
        "severity": string(severity), "message": string("text")})
}

fn over_five(value: Json) -> Json {
    json!({"type": "Greater", "operand": [value, integer(5)]})
}

#[test]
fn what_rests_on_an_error_is_unknown_with_its_code() {
    let null = || json!({"type": "Null"});
    let yes = || json!({"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Boolean", "value": "true"});
    let of_query = |severity| {
        json!({"type": "Exists", "operand": {"type": "Query",
            "source": [{"alias": "O", "expression": {"type": "Retrieve", "dataType": "{http://hl7.org/fhir}Observation"}}],
            "where": over_five(message(null(), severity))}})
    };
    let libraries = read(&[library(
        "L",
        &[
            ("null", over_five(null())),
            ("error", over_five(message(null(), "Error"))),
            ("warning", over_five(message(null(), "Warning"))),
            ("exists", of_query("Error")),
            (
                "decided",
                json!({"type": "Or", "operand": [over_five(message(null(), "error")), yes()]}),
            ),
            // The count is that of the source.
            ("source", over_five(message(integer(6), "Error"))),
        ],
    )]);
    let (compiled, issues) = link(&libraries, Options::default());
    assert!(issues.is_empty(), "{issues:#?}");
    let context = EvaluationContext::at(DateTime::parse("2024").unwrap());
    let done = with_evaluator(&compiled, &RECORD, &Settings::of(&context), |evaluator| {
        let mut out = vec![];
        for name in ["null", "error", "warning", "exists", "decided", "source"] {
            let expression = compiled.expression(0, name).unwrap();
            let value = show(&evaluator.expression(expression).unwrap(), 0);
            let why = evaluator.in_doubt(expression).map(|d| d.why.to_string());
            out.push((name, value, why));
        }
        let counted = evaluator
            .cx
            .metrics
            .messages
            .borrow()
            .get("TheCode")
            .copied();
        (out, counted)
    });
    let (out, counted) = done.unwrap();
    let why = || Some("the logic gives the error `TheCode`".to_owned());
    let expected = [
        ("null", "null", None),
        ("error", "null", why()),
        ("warning", "null", None),
        ("exists", "false", why()),
        ("decided", "true", None),
        ("source", "true", why()),
    ];
    for (found, (name, value, why)) in out.iter().zip(expected) {
        assert_eq!(found, &(name, value.to_owned(), why));
    }
    assert!(counted.is_some_and(|n| n >= 5), "{counted:?}");
}
