//! The patient's age.

use engine_patient::fhir::names::Name;
use engine_patient::fhir::reading::{Reading, date_at};
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::duration::years_between;

use crate::value::Val;

/// Completed years at a moment; between two where the birth is not known to the day.
pub(super) fn age<'r>(record: &PatientRecord, at: DateTime) -> Val<'r> {
    let Some(patient) = record.patient() else {
        return Val::unknown("no Patient resource was given");
    };
    let name = Name::of("birthDate");
    let born = match name.map_or(Reading::Unreadable, |name| date_at(patient, name, "date")) {
        Reading::Value(born) => born,
        Reading::Absent => return Val::unknown("`Patient.birthDate` is missing"),
        Reading::Unreadable => return Val::unknown("`Patient.birthDate` cannot be read"),
    };
    match years_between(born, at) {
        (least, most) if least == most => Val::Int(least),
        (least, most) => Val::Between(least, most, "`Patient.birthDate` is too imprecise".into()),
    }
}
