//! A resource as it was before it ended, and an order as it was before it was signed: its JSON without
//! what came later.

use engine_patient::record::{Element, Kind};

use super::ended::STATUSES;

/// The code of an active condition, in FHIR's own system.
const ACTIVE: &str = r#"{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]}"#;

/// What becomes of a property.
enum Change {
    Keep,
    Drop,
    Write(String),
}

/// The resource before its end.
pub(super) fn before_end(ty: &str, resource: Element<'_>) -> String {
    let before = STATUSES.iter().find(|(t, ..)| *t == ty);
    rewritten(resource, |name, value| match (ty, name) {
        (
            "Patient",
            "deceasedBoolean" | "deceasedDateTime" | "_deceasedBoolean" | "_deceasedDateTime",
        ) => Change::Drop,
        ("Condition", "clinicalStatus") => Change::Write(ACTIVE.to_owned()),
        ("Condition", name) if name.trim_start_matches('_').starts_with("abatement") => {
            Change::Drop
        }
        ("Encounter", "length" | "statusHistory") => Change::Drop,
        ("Encounter", "hospitalization") => Change::Write(without(value, "dischargeDisposition")),
        // What is known beforehand of an order is its own.
        ("MedicationRequest" | "ServiceRequest", "statusReason" | "_statusReason") => Change::Drop,
        (_, "period" | "effectivePeriod") => Change::Write(without(value, "end")),
        (_, "statusReason" | "_status") => Change::Drop,
        (_, "status") => match before {
            Some((_, over, status)) if value.as_str().is_some_and(|s| over.contains(&&*s)) => {
                Change::Write(format!("\"{status}\""))
            }
            _ => Change::Keep,
        },
        _ => Change::Keep,
    })
}

/// An order as an EHR sends it before it is signed.
pub fn draft(order: Element<'_>) -> String {
    rewritten(order, |name, _| match name {
        "status" => Change::Write("\"draft\"".to_owned()),
        "statusReason" | "_statusReason" | "_status" => Change::Drop,
        _ => Change::Keep,
    })
}

/// An object without a property and its shadow.
fn without(object: Element<'_>, property: &str) -> String {
    match object.kind() {
        Kind::Object => rewritten(object, |name, _| {
            match name.trim_start_matches('_') == property {
                true => Change::Drop,
                false => Change::Keep,
            }
        }),
        _ => text(object),
    }
}

fn rewritten(object: Element<'_>, change: impl Fn(&str, Element<'_>) -> Change) -> String {
    let mut out = String::with_capacity(object.raw().len() + 64);
    out.push('{');
    for child in object.children() {
        let name = child.property();
        let value = match change(&name, child) {
            Change::Drop => continue,
            Change::Keep => text(child),
            Change::Write(text) => text,
        };
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(&quoted(&name));
        out.push(':');
        out.push_str(&value);
    }
    out.push('}');
    out
}

/// As it came; a string with its quotes.
fn text(value: Element<'_>) -> String {
    match value.kind() {
        Kind::String => format!("\"{}\"", value.raw()),
        _ => value.raw().to_owned(),
    }
}

fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}
