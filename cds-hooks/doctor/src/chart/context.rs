//! What the context of each hook holds: the thirteen of the HL7 library, and any other.

use serde_json::{Map, Value, json};

use super::{Chart, drafts};

/// A hook of the library.
pub(crate) struct Known {
    pub(crate) name: &'static str,
    /// Members that each call has.
    pub(crate) required: &'static [&'static str],
    /// Members that prefetch templates may name.
    pub(crate) tokens: &'static [&'static str],
}

const IDS: &[&str] = &["userId", "patientId", "encounterId"];

/// The table of the library, with two hooks that old clients send.
pub(crate) static HOOKS: [Known; 13] = [
    known("patient-view", &["userId", "patientId"], IDS),
    known(
        "order-select",
        &["userId", "patientId", "selections", "draftOrders"],
        IDS,
    ),
    known("order-sign", &["userId", "patientId", "draftOrders"], IDS),
    known(
        "order-dispatch",
        &["patientId", "dispatchedOrders", "performer"],
        &["patientId", "dispatchedOrders", "performer"],
    ),
    known(
        "encounter-start",
        &["userId", "patientId", "encounterId"],
        IDS,
    ),
    known(
        "encounter-discharge",
        &["userId", "patientId", "encounterId"],
        IDS,
    ),
    known(
        "appointment-book",
        &["userId", "patientId", "appointments"],
        IDS,
    ),
    known("medication-refill", &["patientId", "medications"], IDS),
    known(
        "problem-list-item-create",
        &["userId", "patientId", "conditions"],
        IDS,
    ),
    known(
        "allergyintolerance-create",
        &["userId", "patientId", "allergyIntolerance"],
        IDS,
    ),
    known(
        "medication-verify",
        &["userId", "patientId", "medication"],
        IDS,
    ),
    known(
        "medication-prescribe",
        &["userId", "patientId", "medications"],
        IDS,
    ),
    known("order-review", &["userId", "patientId", "orders"], IDS),
];

const fn known(
    name: &'static str,
    required: &'static [&'static str],
    tokens: &'static [&'static str],
) -> Known {
    Known {
        name,
        required,
        tokens,
    }
}

/// The row of a hook; `None` for one that is not in the library.
pub(crate) fn of(hook: &str) -> Option<&'static Known> {
    HOOKS.iter().find(|known| known.name == hook)
}

/// The member that holds a Bundle of drafts.
pub(crate) fn drafts_member(hook: &str) -> Option<&'static str> {
    match hook {
        "order-select" | "order-sign" => Some("draftOrders"),
        "appointment-book" => Some("appointments"),
        "medication-refill" | "medication-prescribe" => Some("medications"),
        "problem-list-item-create" => Some("conditions"),
        "order-review" => Some("orders"),
        _ => None,
    }
}

/// What a hook is called about: the resources that its context carries.
pub(crate) fn resources(chart: &Chart, hook: &str) -> Vec<Value> {
    let patient = json!({"reference": format!("Patient/{}", chart.patient)});
    match hook {
        "order-select" | "order-sign" | "order-review" => drafts::plausible(chart),
        "medication-refill" | "medication-prescribe" => {
            let mut all = drafts::plausible(chart);
            all.retain(|draft| super::kind(draft) == "MedicationRequest");
            all
        }
        "medication-verify" => {
            let mut all = drafts::plausible(chart);
            all.truncate(1);
            for draft in &mut all {
                if let Some(members) = draft.as_object_mut() {
                    members.insert("status".to_owned(), json!("active"));
                }
            }
            all
        }
        "appointment-book" => vec![json!({
            "resourceType": "Appointment", "id": "doctor-draft4", "status": "proposed",
            "start": "2030-01-07T09:00:00Z", "end": "2030-01-07T09:30:00Z",
            "participant": [{"actor": patient, "status": "accepted"}],
        })],
        "problem-list-item-create" => vec![json!({
            "resourceType": "Condition", "id": "doctor-draft5", "subject": patient,
            "clinicalStatus": {"coding": [{"code": "active",
                "system": "http://terminology.hl7.org/CodeSystem/condition-clinical"}]},
            "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "N18.4",
                "display": "Chronic kidney disease, stage 4 (severe)"}]},
        })],
        "allergyintolerance-create" => vec![json!({
            "resourceType": "AllergyIntolerance", "id": "doctor-draft6", "patient": patient,
            "clinicalStatus": {"coding": [{"code": "active",
                "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"}]},
            "code": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "11289",
                "display": "warfarin"}]},
        })],
        _ => vec![],
    }
}

/// A good context, with these resources in it. For a hook that is not in the library: the ids, and the
/// drafts of an order.
pub(crate) fn build(chart: &Chart, hook: &str, resources: &[Value]) -> Map<String, Value> {
    let mut context = Map::new();
    let mut put = |name: &str, value: Value| drop(context.insert(name.to_owned(), value));
    put("patientId", json!(chart.patient));
    let with_user = of(hook).is_none_or(|known| known.required.contains(&"userId"));
    if with_user {
        put("userId", json!(chart.user));
    }
    if hook != "order-dispatch" {
        put("encounterId", json!(chart.encounter));
    }
    match hook {
        "order-select" => {
            put("selections", json!(drafts::references(resources)));
        }
        "order-dispatch" => {
            put("dispatchedOrders", json!(["ServiceRequest/doctor-draft3"]));
            put("performer", json!("Organization/doctor-org1"));
        }
        "allergyintolerance-create" => {
            put(
                "allergyIntolerance",
                resources.first().cloned().unwrap_or_default(),
            );
        }
        "medication-verify" => {
            put("medication", resources.first().cloned().unwrap_or_default());
        }
        _ => {}
    }
    if let Some(member) = drafts_member(hook) {
        put(member, drafts::bundle(resources));
    }
    context
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each context has what the hook requires.
    #[test]
    fn contexts_are_whole() {
        let chart = Chart::built_in(0).unwrap();
        for known in &HOOKS {
            let resources = resources(&chart, known.name);
            let context = build(&chart, known.name, &resources);
            for member in known.required {
                assert!(context.contains_key(*member), "{} {member}", known.name);
            }
        }
    }
}
