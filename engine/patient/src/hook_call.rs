//! A CDS Hooks call, as definitions see it: which hook, who calls, what is being ordered.

use std::collections::HashSet;
use std::sync::Arc;

use crate::record::{Element, PatientRecord};
use crate::requirements::reference_target;

/// What a hook's context holds beside the patient (CDS Hooks 2.0, "Hooks").
#[derive(Debug, Default)]
pub struct HookCall {
    /// The hook, such as `order-sign`.
    pub hook: Arc<str>,
    /// `context.userId`: `Practitioner/1`.
    pub user: Option<Arc<str>>,
    /// `context.encounterId`.
    pub encounter: Option<Arc<str>>,
    /// The resources of `context.draftOrders`. They are no part of the patient's record.
    pub drafts: PatientRecord,
    /// `context.selections` (order-select), as `Type/id`; `None` where the hook has none: then all drafts
    /// are meant.
    pub selections: Option<HashSet<String>>,
}

impl HookCall {
    /// The drafts that the call is about: those that are selected, or all.
    pub fn selected(&self) -> impl Iterator<Item = Element<'_>> {
        self.drafts
            .resources()
            .filter(|draft| self.is_selected(*draft))
    }

    /// Whether a draft is one of those that the call is about. Of hundreds each is looked up, not looked for.
    pub fn is_selected(&self, draft: Element<'_>) -> bool {
        let Some(selections) = &self.selections else {
            return true;
        };
        let (Some(ty), Some(id)) = (draft.resource_type(), draft.get_str("id")) else {
            return false;
        };
        selections.contains(&format!("{}/{id}", ty.as_str()))
    }

    /// Whether a draft orders something, as far as its status tells: one that is taken back or over does
    /// not. One without a status is being written.
    #[must_use]
    pub fn is_made(draft: Element<'_>) -> bool {
        let status = draft.get_str("status");
        !status.is_some_and(|status| OVER.contains(&&*status))
    }

    /// Whether an order of the record will not be there after the call: a draft changes it (one of its type
    /// and id), or replaces it (`priorPrescription`).
    #[must_use]
    pub fn replaces(&self, order: Element<'_>) -> bool {
        let (Some(ty), Some(id)) = (order.resource_type(), order.get_str("id")) else {
            return false;
        };
        let mut drafts = self.drafts.of_type(ty);
        drafts.any(|draft| {
            if draft.get_named("id").is_some_and(|own| own.is_str(&id)) {
                return true;
            }
            let prior = draft.path(&["priorPrescription", "reference"]);
            let prior = prior.and_then(Element::as_str);
            let prior = prior.as_deref().and_then(reference_target);
            Self::is_made(draft) && prior == Some((ty.as_str(), &*id))
        })
    }
}

/// Statuses of orders of all types that order nothing any more.
const OVER: [&str; 5] = [
    "cancelled",
    "completed",
    "entered-in-error",
    "revoked",
    "stopped",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drafts_that_a_call_is_about() {
        let about = |selections: Option<&[&str]>| {
            let all = selections.map(|all| all.iter().map(|s| (*s).to_owned()).collect());
            let mut call = HookCall {
                selections: all,
                ..HookCall::default()
            };
            for json in [
                r#"{"resourceType":"ServiceRequest","id":"a"}"#,
                r#"{"resourceType":"MedicationRequest","id":"a"}"#,
                r#"{"resourceType":"ServiceRequest"}"#,
            ] {
                call.drafts.push(json).unwrap();
            }
            call.drafts.seal();
            let which = call.drafts.resources().map(|draft| call.is_selected(draft));
            let which: Vec<bool> = which.collect();
            assert_eq!(
                call.selected().count(),
                which.iter().filter(|is| **is).count()
            );
            which
        };
        assert_eq!(about(None), [true, true, true]);
        // A record has its resources in the order of type and id.
        assert_eq!(
            about(Some(&["ServiceRequest/a", "x"])),
            [false, false, true]
        );
        assert_eq!(about(Some(&["a", "ServiceRequest/"])), [false; 3]);
    }

    #[test]
    fn what_a_draft_replaces() {
        let order = |id: &str, more: &str| {
            format!(r#"{{"resourceType":"MedicationRequest","id":"{id}"{more}}}"#)
        };
        let prior = |of: &str, status: &str| {
            format!(r#","status":"{status}","priorPrescription":{{"reference":"{of}"}}"#)
        };
        let mut call = HookCall::default();
        for json in [
            order("edited", r#","status":"cancelled""#),
            order("new", &prior("MedicationRequest/old", "draft")),
            order(
                "far",
                &prior("http://x.org/fhir/MedicationRequest/away", "draft"),
            ),
            order("taken-back", &prior("MedicationRequest/kept", "cancelled")),
        ] {
            call.drafts.push(&json).unwrap();
        }
        call.drafts.seal();
        let made = call.drafts.resources().map(HookCall::is_made);
        assert_eq!(made.collect::<Vec<_>>(), [false, true, true, false]);
        for (id, expected) in [
            ("edited", true),
            ("old", true),
            ("away", true),
            ("kept", false),
            ("another", false),
        ] {
            let mut record = PatientRecord::new();
            record.push(&order(id, "")).unwrap();
            let order = record.resources().next().unwrap();
            assert_eq!(call.replaces(order), expected, "{id}");
        }
        let mut record = PatientRecord::new();
        record
            .push(r#"{"resourceType":"MedicationStatement","id":"old"}"#)
            .unwrap();
        assert!(!call.replaces(record.resources().next().unwrap()));
    }
}
