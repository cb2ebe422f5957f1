//! A rule, shown to somebody when it was asked.

use std::collections::HashMap;

use engine_patient::context::EvaluationContext;
use engine_patient::record::PatientRecord;

use crate::service::CardService;

/// A rule as it is asked in a replay: what it is, what it may see, and the call.
pub struct Asked<'a> {
    /// The rule; [`CardService::as_rule`] explains.
    pub part: &'a dyn CardService,
    /// What it may see: without what consent withholds, and with what is not known marked so.
    pub record: &'a PatientRecord,
    /// The moment and the call.
    pub context: &'a EvaluationContext,
    /// The key under which each resource came that was sent or fetched, by `Type/id`.
    pub keys: &'a HashMap<String, String>,
}
