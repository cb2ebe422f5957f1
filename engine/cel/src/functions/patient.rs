//! The patient's age.

use engine_patient::fhir::names::Name;
use engine_patient::fhir::reading::{Reading, date_at};
use engine_patient::record::PatientRecord;
use engine_patient::time::DateTime;

use crate::value::Val;

/// Completed years at a moment.
pub(super) fn age<'r>(record: &PatientRecord, at: DateTime, zone: i16) -> Val<'r> {
    let Some(patient) = record.patient() else {
        return Val::unknown("no Patient resource was given");
    };
    let name = Name::of("birthDate");
    let born = match name.map_or(Reading::Unreadable, |name| date_at(patient, name, "date")) {
        Reading::Value(born) => born,
        Reading::Absent => return Val::unknown("`Patient.birthDate` is missing"),
        Reading::Unreadable => return Val::unknown("`Patient.birthDate` cannot be read"),
    };
    let years = born.years_until(at, zone);
    years.map_or(
        Val::unknown("`Patient.birthDate` is too imprecise"),
        Val::Int,
    )
}
