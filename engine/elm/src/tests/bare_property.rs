//! `Property` without source and scope, as translators 3.3 to 3.18 write it.

use super::*;
use engine_patient::finding::{Code, Severity};

fn retrieve(ty: &str) -> Json {
    json!({"type": "Retrieve", "dataType": format!("{{http://hl7.org/fhir}}{ty}")})
}

/// `source` R with `such` M; the condition is still to be written.
fn with(source: &Json, such: &Json) -> Json {
    json!({"type": "Query", "localId": "1",
        "source": [{"alias": "R", "expression": source}],
        "relationship": [{"type": "With", "alias": "M", "expression": such}]})
}

fn outcome(definitions: &[(&str, Json)]) -> Outcome {
    let resources = [
        r#"{"resourceType":"Patient","id":"p"}"#,
        r#"{"resourceType":"MedicationRequest","id":"r","status":"active","intent":"order"}"#,
        r#"{"resourceType":"Medication","id":"m","code":{"coding":[{"system":"urn:s","code":"x"}]}}"#,
        r#"{"resourceType":"Condition","id":"c","code":{"coding":[{"system":"urn:s","code":"z"}]}}"#,
    ];
    let libraries = read(&[library("L", definitions)]);
    let (compiled, issues) = link(&libraries, Options::default());
    let values = evaluate(&libraries, &compiled, &record(&resources), 5_000_000);
    Outcome { issues, values }
}

/// `code is not null` of whatever alias the property is taken for.
fn has_code(source: &Json, such: &Json) -> Json {
    let mut query = with(source, such);
    query["relationship"][0]["suchThat"] = json!({"type": "Not", "operand": {"type": "IsNull",
        "operand": {"type": "Property", "path": "code", "localId": "2"}}});
    json!({"type": "Exists", "operand": query})
}

#[test]
fn it_is_of_the_alias_that_has_the_element() {
    let (request, medication) = (retrieve("MedicationRequest"), retrieve("Medication"));
    let renamed = json!({"type": "Query", "source": [{"alias": "X", "expression": medication}],
        "return": {"expression": {"type": "AliasRef", "name": "X"}}});
    let both = json!({"type": "Union", "operand": [medication, {"type": "As", "operand": medication, "asTypeSpecifier":
        {"type": "ListTypeSpecifier", "elementType": {"type": "NamedTypeSpecifier", "name": "{http://hl7.org/fhir}Medication"}}}]});
    let out = outcome(&[
        ("Drugs", medication.clone()),
        ("of the with", has_code(&request, &medication)),
        ("of the query", has_code(&medication, &request)),
        (
            "through a definition",
            has_code(&request, &definition("Drugs")),
        ),
        ("through a query", has_code(&request, &renamed)),
        ("through a union", has_code(&definition("Requests"), &both)),
        ("Requests", request.clone()),
        (
            "of the query around",
            json!({"type": "Exists", "operand": {"type": "Query", "source": [{"alias": "D", "expression": medication}],
                "where": has_code(&request, &retrieve("Patient"))}}),
        ),
    ]);
    for name in [
        "of the with",
        "of the query",
        "through a definition",
        "through a query",
        "through a union",
        "of the query around",
    ] {
        assert_eq!(
            out.value(name),
            &Ok("true".into()),
            "{name}: {:#?}",
            out.issues
        );
        let told = out.issues.iter().find(|i| i.definition() == Some(name));
        let told = told.unwrap_or_else(|| panic!("{name} is not told"));
        assert_eq!(
            (told.code, told.severity),
            (Code::ElmBareProperty, Severity::Warning),
            "{name}"
        );
        assert_eq!(told.local_id(), Some("2"));
    }
    assert!(
        out.issues[0]
            .message
            .contains("the only alias that has such an element")
    );
}

/// The value of the element, not only that there is one: a Condition of another code has none of it.
#[test]
fn what_it_gives_is_that_alias_s_value() {
    let mut query = with(&retrieve("MedicationRequest"), &retrieve("Medication"));
    query["relationship"][0]["suchThat"] = json!({"type": "InValueSet", "valueset": {"name": "V"}, "code":
        {"type": "Property", "path": "code", "localId": "2"}});
    let out = outcome(&[("A", json!({"type": "Exists", "operand": query}))]);
    assert_eq!(out.value("A"), &Ok("true".into()), "{:#?}", out.issues);
}

#[test]
fn where_several_or_none_have_it_it_is_refused() {
    let (condition, medication) = (retrieve("Condition"), retrieve("Medication"));
    let unknown = json!({"type": "Property", "path": "contained", "source": {"type": "ExpressionRef", "name": "P"}});
    let patient = json!({"type": "SingletonFrom", "operand": retrieve("Patient")});
    for (source, such, message, help) in [
        (
            &condition,
            &medication,
            "neither source nor scope",
            "`R.code` or `M.code`",
        ),
        (
            &medication,
            &unknown,
            "neither source nor scope",
            "`R.code` or `M.code`",
        ),
        (
            &retrieve("Patient"),
            &retrieve("Encounter"),
            "nothing around it has such an element",
            "newer translator",
        ),
    ] {
        let out = outcome(&[("P", patient.clone()), ("A", has_code(source, such))]);
        let issue = out.error();
        assert_eq!(
            (issue.code, issue.severity),
            (Code::ElmBareProperty, Severity::Error),
            "{issue}"
        );
        assert!(issue.message.contains(message), "{issue}");
        assert!(
            issue.help.as_deref().is_some_and(|h| h.contains(help)),
            "{issue}"
        );
    }
}

/// In a sort key there is only the item.
#[test]
fn in_a_sort_it_is_of_the_item() {
    let query = json!({"type": "Query", "source": [{"alias": "O", "expression": retrieve("Observation")}],
        "sort": {"by": [{"type": "ByExpression", "direction": "desc", "expression":
            {"type": "Property", "path": "value", "source": {"type": "Property", "path": "value"}}}]}});
    let first = json!({"type": "First", "source": query});
    let id = json!({"type": "Property", "path": "id.value", "source": first});
    let out = run_one(id);
    assert_eq!(out.value("A"), &Ok("'o2'".into()), "{:#?}", out.issues);
}
