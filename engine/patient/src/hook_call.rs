//! A CDS Hooks call, as definitions see it: which hook, who calls, what is being ordered.

use std::sync::Arc;

use crate::record::{Element, PatientRecord};

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
    pub selections: Option<Vec<String>>,
}

impl HookCall {
    /// The drafts that the call is about: those that are selected, or all.
    pub fn selected(&self) -> impl Iterator<Item = Element<'_>> {
        self.drafts
            .resources()
            .filter(|draft| self.is_selected(*draft))
    }

    /// Whether a draft is one of those that the call is about.
    pub fn is_selected(&self, draft: Element<'_>) -> bool {
        let Some(selections) = &self.selections else {
            return true;
        };
        let (Some(ty), Some(id)) = (draft.resource_type(), draft.get_str("id")) else {
            return false;
        };
        let of = |s: &String| s.split_once('/') == Some((ty.as_str(), &*id));
        selections.iter().any(of)
    }
}
