//! Orders that are not signed yet: good ones, and those that real clients send.

use serde_json::{Value, json};

use super::Chart;

const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";

fn medication(chart: &Chart, id: &str, code: &str, display: &str) -> Value {
    json!({
        "resourceType": "MedicationRequest", "id": id, "status": "draft", "intent": "order",
        "medicationCodeableConcept": {
            "coding": [{"system": RXNORM, "code": code, "display": display}], "text": display},
        "subject": {"reference": format!("Patient/{}", chart.patient)},
        "requester": {"reference": chart.user},
        "dosageInstruction": [{"text": "one tablet twice a day"}],
    })
}

/// Orders that a physician might well write for the built-in patient: two are not good for her.
pub(crate) fn plausible(chart: &Chart) -> Vec<Value> {
    vec![
        medication(
            chart,
            "doctor-draft1",
            "310965",
            "ibuprofen 200 MG Oral Tablet",
        ),
        medication(
            chart,
            "doctor-draft2",
            "308182",
            "amoxicillin 250 MG Oral Capsule",
        ),
        json!({
            "resourceType": "ServiceRequest", "id": "doctor-draft3", "status": "draft", "intent": "order",
            "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "70551",
                "display": "MRI of the brain without contrast"}]},
            "subject": {"reference": format!("Patient/{}", chart.patient)},
        }),
    ]
}

/// An order in words that no dictionary has.
pub(crate) fn unheard(chart: &Chart) -> Value {
    let mut draft = medication(chart, "doctor-draft7", "0", "Remedy of the uncle");
    if let Some(concept) = draft
        .pointer_mut("/medicationCodeableConcept")
        .and_then(Value::as_object_mut)
    {
        concept.remove("coding");
    }
    draft
}

/// A Bundle as clients make it.
pub(crate) fn bundle(resources: &[Value]) -> Value {
    let entries: Vec<Value> = resources
        .iter()
        .map(|resource| json!({"resource": resource}))
        .collect();
    json!({"resourceType": "Bundle", "type": "collection", "entry": entries})
}

/// `Type/id` of each.
pub(crate) fn references(resources: &[Value]) -> Vec<String> {
    let of = |r: &Value| Some(format!("{}/{}", super::kind(r), r.get("id")?.as_str()?));
    resources.iter().filter_map(of).collect()
}

/// Drafts that are not valid FHIR, as EHRs and the public sandbox send them: what it is, and the Bundle.
pub(crate) fn broken(chart: &Chart) -> Vec<(&'static str, Value)> {
    let good = medication(
        chart,
        "doctor-draft1",
        "310965",
        "ibuprofen 200 MG Oral Tablet",
    );
    let with = |changes: &[(&str, Value)]| {
        let mut draft = good.clone();
        if let Some(members) = draft.as_object_mut() {
            for (name, value) in changes {
                members.insert((*name).to_owned(), value.clone());
            }
        }
        bundle(&[draft])
    };
    let without = |names: &[&str]| {
        let mut draft = good.clone();
        if let Some(members) = draft.as_object_mut() {
            members.retain(|name, _| !names.contains(&name.as_str()));
        }
        bundle(&[draft])
    };
    let service = |changes: Value| {
        let mut draft = json!({
            "resourceType": "ServiceRequest", "id": "doctor-draft3", "status": "draft", "intent": "order",
            "subject": {"reference": format!("Patient/{}", chart.patient)}});
        if let (Some(members), Value::Object(changes)) = (draft.as_object_mut(), changes) {
            members.extend(changes);
        }
        bundle(&[draft])
    };
    let entry = json!([{"resource": good}]);
    vec![
        (
            "a Bundle without `type`",
            json!({"resourceType": "Bundle", "entry": entry}),
        ),
        (
            "an empty Bundle",
            json!({"resourceType": "Bundle", "type": "collection", "entry": []}),
        ),
        (
            "a Bundle without `entry`",
            json!({"resourceType": "Bundle", "type": "collection"}),
        ),
        (
            "a Bundle of type searchset",
            json!({"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": entry}),
        ),
        (
            "a MedicationRequest without medication and intent",
            without(&["medicationCodeableConcept", "intent"]),
        ),
        ("a MedicationRequest without status", without(&["status"])),
        ("a MedicationRequest without id", without(&["id"])),
        ("a MedicationRequest without subject", without(&["subject"])),
        (
            "`category` an object",
            with(&[("category", json!({"text": "outpatient"}))]),
        ),
        (
            "`status` with a capital",
            with(&[("status", json!("Draft"))]),
        ),
        (
            "`medicationCodeableConcept` without content",
            with(&[("medicationCodeableConcept", json!({}))]),
        ),
        (
            "`medicationCodeableConcept` a text",
            with(&[("medicationCodeableConcept", json!("ibuprofen"))]),
        ),
        (
            "a medication of words only",
            with(&[(
                "medicationCodeableConcept",
                json!({"text": "ibuprofen 200 mg"}),
            )]),
        ),
        (
            "`medicationCodeableConcept.coding: [{}]`",
            with(&[("medicationCodeableConcept", json!({"coding": [{}]}))]),
        ),
        (
            "`dosageInstruction: null`",
            with(&[("dosageInstruction", Value::Null)]),
        ),
        (
            "a medication that is contained",
            with(&[
                ("medicationCodeableConcept", Value::Null),
                (
                    "contained",
                    json!([{"resourceType": "Medication", "id": "m", "code": {"text": "ibuprofen"}}]),
                ),
                ("medicationReference", json!({"reference": "#m"})),
            ]),
        ),
        (
            "an extension in a resource",
            with(&[(
                "extension",
                json!([{"url": "https://ehr.example/x", "valueString": "y"}]),
            )]),
        ),
        (
            "a ServiceRequest with `code.coding: [{}]`",
            service(json!({"code": {"coding": [{}]}})),
        ),
        (
            "a ServiceRequest with `reasonCode: []`",
            service(json!({"code": {"text": "MRI"}, "reasonCode": []})),
        ),
        ("a ServiceRequest without code", service(json!({}))),
        (
            "a NutritionOrder",
            bundle(&[
                json!({"resourceType": "NutritionOrder", "id": "n", "status": "draft", "intent": "order",
                "patient": {"reference": format!("Patient/{}", chart.patient)}, "dateTime": "2026-01-01"}),
            ]),
        ),
        (
            "a MedicationOrder (DSTU2)",
            bundle(&[
                json!({"resourceType": "MedicationOrder", "id": "o", "status": "draft",
                "patient": {"reference": format!("Patient/{}", chart.patient)}}),
            ]),
        ),
        (
            "an entry without resource",
            json!({"resourceType": "Bundle", "type": "collection",
            "entry": [{"fullUrl": "urn:uuid:5e0a8f4e-2c50-4b5d-8d5c-0f7d2d7e0001"}]}),
        ),
        (
            "an entry that is empty",
            json!({"resourceType": "Bundle", "type": "collection", "entry": [{}]}),
        ),
        (
            "an entry that is null",
            json!({"resourceType": "Bundle", "type": "collection", "entry": [null]}),
        ),
        (
            "a resource of an unknown type",
            bundle(&[json!({"resourceType": "Frobnication", "id": "f"})]),
        ),
        ("a resource without type", bundle(&[json!({"id": "x"})])),
        (
            "a draft of a patient who is not there",
            with(&[("subject", json!({"reference": "Patient/doctor-other"}))]),
        ),
        (
            "`subject` without reference",
            with(&[("subject", json!({"display": "Dora Fixture"}))]),
        ),
        ("an empty text", with(&[("authoredOn", json!(""))])),
        (
            "a date that is none",
            with(&[("authoredOn", json!("yesterday"))]),
        ),
    ]
}
