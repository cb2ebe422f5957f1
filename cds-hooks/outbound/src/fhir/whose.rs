//! Whose data an answer holds, in short: what uses it looks closer.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The members of a resource that name its patient.
#[derive(Deserialize)]
pub(crate) struct Head<'a> {
    #[serde(rename = "resourceType")]
    pub(crate) resource_type: Option<String>,
    pub(crate) id: Option<String>,
    #[serde(borrow)]
    subject: Option<&'a RawValue>,
    #[serde(borrow)]
    patient: Option<&'a RawValue>,
    #[serde(borrow)]
    beneficiary: Option<&'a RawValue>,
    #[serde(borrow, rename = "for")]
    for_: Option<&'a RawValue>,
}

/// Of whom a resource is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Whose {
    Theirs,
    Anothers,
    /// It names no patient by an id.
    Unsaid,
}

impl Head<'_> {
    /// A Patient of another id is another; any other resource is, too, if it names patients and not this one.
    pub(crate) fn whose(&self, patient: &str) -> Whose {
        if self.resource_type.as_deref() == Some("Patient") {
            return match self.id.as_deref() {
                Some(id) if id == patient => Whose::Theirs,
                Some(_) => Whose::Anothers,
                None => Whose::Unsaid,
            };
        }
        let members = [self.subject, self.patient, self.beneficiary, self.for_];
        let mut whose = Whose::Unsaid;
        for member in members.into_iter().flatten() {
            let Ok(value) = serde_json::from_str::<Value>(member.get()) else {
                continue;
            };
            let references = match value {
                Value::Array(all) => all,
                one => vec![one],
            };
            for reference in &references {
                match reference
                    .get("reference")
                    .and_then(Value::as_str)
                    .and_then(id)
                {
                    Some(id) if id == patient => return Whose::Theirs,
                    Some(_) => whose = Whose::Anothers,
                    None => {}
                }
            }
        }
        whose
    }
}

/// The id of a Patient that a reference names: `Patient/1`, `https://…/Patient/1/_history/2`.
fn id(reference: &str) -> Option<&str> {
    let literal = reference
        .split_once("/_history/")
        .map_or(reference, |(l, _)| l);
    let (before, id) = literal.rsplit_once('/')?;
    (before == "Patient" || before.ends_with("/Patient")).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_42_whose_a_resource_is() {
        let whose = |json: &str| serde_json::from_str::<Head<'_>>(json).unwrap().whose("1");
        for (json, expected) in [
            (r#"{"resourceType":"Patient","id":"1"}"#, Whose::Theirs),
            (r#"{"resourceType":"Patient","id":"2"}"#, Whose::Anothers),
            (r#"{"resourceType":"Patient"}"#, Whose::Unsaid),
            (
                r#"{"resourceType":"Observation","subject":{"reference":"Patient/1"}}"#,
                Whose::Theirs,
            ),
            (
                r#"{"resourceType":"Observation","subject":{"reference":"Patient/12"}}"#,
                Whose::Anothers,
            ),
            (
                r#"{"resourceType":"Observation","subject":{"reference":"https://x/fhir/Patient/2/_history/1"}}"#,
                Whose::Anothers,
            ),
            (
                r#"{"resourceType":"Observation","subject":{"reference":"Group/2"}}"#,
                Whose::Unsaid,
            ),
            (
                r#"{"resourceType":"Observation","subject":{"reference":"urn:uuid:2"}}"#,
                Whose::Unsaid,
            ),
            (
                r#"{"resourceType":"AllergyIntolerance","patient":{"reference":"Patient/2"}}"#,
                Whose::Anothers,
            ),
            (
                r#"{"resourceType":"Account","subject":[{"reference":"Patient/2"},{"reference":"Patient/1"}]}"#,
                Whose::Theirs,
            ),
            (
                r#"{"resourceType":"Coverage","beneficiary":{"reference":"Patient/2"}}"#,
                Whose::Anothers,
            ),
            (
                r#"{"resourceType":"Task","for":{"reference":"Patient/2"}}"#,
                Whose::Anothers,
            ),
            (
                r#"{"resourceType":"Observation","subject":"Patient/2"}"#,
                Whose::Unsaid,
            ),
        ] {
            assert_eq!(whose(json), expected, "{json}");
        }
    }
}
