use std::borrow::Cow;

use serde_json::{Value, json};

use super::*;
use crate::hook::{ORDER_SELECT, ORDER_SIGN};

fn read(bundle: &Value, selections: Option<&[&str]>) -> (Drafts, Arc<HookCall>) {
    let context = CallContext {
        drafts: Some(("draftOrders", Cow::Owned(bundle.to_string()))),
        selections: selections.map(|all| all.iter().map(|s| (*s).to_owned()).collect()),
        ..CallContext::default()
    };
    let hook = match selections {
        Some(_) => &ORDER_SELECT,
        None => &ORDER_SIGN,
    };
    let patient = Patient {
        id: "1".into(),
        server: None,
    };
    let drafts = Drafts::read(&context, hook, &patient, 100);
    let call = drafts.call(hook, &context);
    (drafts, call)
}

fn bundle(resources: &[Value]) -> Value {
    let entries: Vec<Value> = resources.iter().map(|r| json!({"resource": r})).collect();
    json!({"resourceType": "Bundle", "entry": entries})
}

fn shown(call: &HookCall) -> Vec<Value> {
    let drafts = call.drafts.resources();
    drafts
        .map(|d| serde_json::from_str(d.raw()).unwrap())
        .collect()
}

#[test]
fn what_is_empty_is_not_there() {
    let draft = json!({
        "resourceType": "ServiceRequest", "id": "a", "code": {"coding": [{}], "text": ""},
        "reasonCode": [], "category": {"coding": {"code": "x"}}, "note": [{"text": "a \"b\""}, {}],
        "own": {"é\n": null, "b": [null, 1.50, true]}, "priority": null,
    });
    let (drafts, call) = read(&bundle(&[draft]), None);
    let expected = json!({
        "id": "a", "resourceType": "ServiceRequest", "category": {"coding": {"code": "x"}},
        "note": [{"text": "a \"b\""}], "own": {"b": [null, 1.5, true]},
    });
    assert_eq!(shown(&call), [expected]);
    assert!(drafts.incomplete.is_empty() && drafts.lacking.is_empty());
}

#[test]
fn digits_are_kept() {
    let text = r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"MedicationRequest","id":"a","n":1.50}}]}"#;
    let context = CallContext {
        drafts: Some(("draftOrders", Cow::Borrowed(text))),
        ..CallContext::default()
    };
    let drafts = Drafts::read(&context, &ORDER_SIGN, &Patient::default(), 100);
    assert!(
        drafts.texts[0].ends_with(r#""n":1.50}"#),
        "{:?}",
        drafts.texts
    );
}

#[test]
fn ids_that_are_made_up_are_nobody_elses() {
    let nameless = json!({"resourceType": "MedicationRequest"});
    let named = json!({"resourceType": "MedicationRequest", "id": "draft-1"});
    let (drafts, call) = read(&bundle(&[nameless, named]), None);
    let ids: Vec<Value> = shown(&call).iter().map(|d| d["id"].clone()).collect();
    assert_eq!(ids, ["draft-1-2", "draft-1"]);
    assert!(drafts.is_made_up("MedicationRequest/draft-1-2"));
    assert!(!drafts.is_made_up("MedicationRequest/draft-1"));
    // The client cannot have meant it.
    assert_eq!(drafts.unknown_selections, 0);
}

#[test]
fn a_selection_is_a_draft_or_unknown() {
    let order = json!({"resourceType": "MedicationRequest", "id": "a"});
    let (drafts, call) = read(
        &bundle(&[order]),
        Some(&["a", "ServiceRequest/x", "urn:uuid:y"]),
    );
    assert_eq!(
        call.selections,
        Some(["MedicationRequest/a".to_owned()].into())
    );
    assert_eq!((call.selected().count(), drafts.unknown_selections), (1, 2));
    assert!(!drafts.incomplete.is_empty());
    let told = |drafts: &Drafts| {
        let [one] = &drafts.lacking[..] else {
            panic!("{}", drafts.lacking.len())
        };
        (one.technical.clone(), one.plain.clone())
    };
    assert_eq!(
        told(&drafts),
        (
            "`context.selections`[1], [2] name no draft of the call".to_owned(),
            "2 orders that are selected were not received from the EHR".to_owned()
        )
    );
    let many: Vec<&str> = vec!["x"; 30_000];
    let (drafts, _) = read(&bundle(&[]), Some(&many));
    assert_eq!(
        told(&drafts).0,
        "`context.selections`[0], [1], [2], [3], [4] and 29995 more name no draft of the call"
    );
    let medication = Name::of("MedicationRequest").unwrap();
    assert!(!call.drafts.is_available(medication));
}

/// An order that is taken back is none.
#[test]
fn deletions_are_no_drafts() {
    let text = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"request": {"method": "DELETE", "url": "MedicationRequest/1"}},
    ]});
    let (drafts, call) = read(&text, None);
    assert!(call.drafts.is_empty() && drafts.incomplete.is_empty());
    assert_eq!(drafts.left_out, 0);
}

/// What is ordered there is not known; that something is must not be lost.
#[test]
fn an_entry_without_a_resource_is_told() {
    let medication = Name::of("MedicationRequest").unwrap();
    let service = Name::of("ServiceRequest").unwrap();
    for (entry, services_known) in [
        (
            json!({"fullUrl": "http://s/fhir/MedicationRequest/1"}),
            true,
        ),
        (
            json!({"request": {"method": "POST", "url": "MedicationRequest"}}),
            true,
        ),
        (
            json!({"resource": null, "request": {"method": "PUT", "url": "MedicationRequest/1"}}),
            true,
        ),
        (json!({"fullUrl": "urn:uuid:1"}), false),
        (json!({}), false),
        (json!({"resource": "an order"}), false),
        (Value::Null, false),
        (json!("MedicationRequest/1"), false),
        (
            json!({"resource": {"resourceType": "Bundle", "entry": [
                {"resource": {"resourceType": "MedicationRequest"}},
            ]}}),
            false,
        ),
        (
            json!({"resource": {"resourceType": "RequestGroup", "contained": [
                {"resourceType": "MedicationRequest", "id": "m"},
            ]}}),
            false,
        ),
    ] {
        let (drafts, call) = read(&json!({"resourceType": "Bundle", "entry": [entry]}), None);
        assert!(!drafts.incomplete.is_empty(), "{entry}");
        assert!(!call.drafts.is_available(medication), "{entry}");
        assert_eq!(call.drafts.is_available(service), services_known, "{entry}");
        assert_eq!((drafts.left_out, drafts.lacking.len()), (1, 1), "{entry}");
    }
}
