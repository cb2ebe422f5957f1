//! What of the data rules may see: consent.

use engine_patient::fhir::names::Name;
use engine_patient::record::PatientRecord;
use engine_patient::requirements::DataRequirement;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;

use super::admission::Caller;

/// Takes out of a record what its patient does not want to be seen. Asked on a thread for blocking work,
/// after all data is there and before any rule sees it.
pub trait Filter: Send + Sync {
    /// What it must read itself (the patient's `Consent`s): every service asks for that, too.
    fn requirements(&self) -> &[DataRequirement];

    /// What may be seen.
    fn filter(&self, record: &PatientRecord, ask: &FilterAsk<'_>) -> Filtered;
}

/// Who asks, and when.
#[derive(Clone, Copy, Debug)]
pub struct FilterAsk<'a> {
    /// Who calls: client, roles, purpose.
    pub caller: &'a Caller,
    /// `context.userId`: `Practitioner/1`.
    pub user: Option<&'a str>,
    /// `context.patientId`.
    pub patient: &'a str,
    /// The hook.
    pub hook: &'a str,
    /// The moment that the call is evaluated for.
    pub at: DateTime,
    /// Where dates without an offset are.
    pub zone: &'a Zone,
}

/// What may be seen.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each call, and it is moved once"
)]
pub enum Filtered {
    /// All of it.
    All,
    /// Part of it, or all with something to note.
    Part(Withheld),
    /// Nothing can be told of it, and nothing may be answered: 412, with the reason, which tells nothing of
    /// the patient.
    Refused(String),
}

/// What is left, and what was taken.
pub struct Withheld {
    /// What rules may see. Types of which something was taken must be marked there
    /// ([`PatientRecord::set_incomplete`]): unknown, not "no".
    pub record: PatientRecord,
    /// The types of which something was taken. What depends on them is unknown, "withheld by consent"
    /// or, where it could not be judged, "the patient's consents could not be looked up".
    pub types: Vec<Name>,
    /// It was taken since what the filter itself must read was not there in full: nobody said that it is to be
    /// withheld.
    pub is_unjudged: bool,
    /// For the audit log: how many resources of which types under which Consents. Never told to the caller.
    pub note: String,
}
