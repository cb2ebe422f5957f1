//! The patient: age, death.

use engine_patient::fhir::names::Name;
use engine_patient::fhir::reading::{Reading, date_at};
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::duration::years_between;

use super::call::Call;
use super::deceased::deceased;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::{FunctionInfo, PLAIN};
use crate::value::Val;

pub(super) const ROWS: &[FunctionInfo] = &[
    FunctionInfo {
        name: "ageInYearsAt",
        params: &[P::Time],
        returns: R::Int,
        code: age_in_years,
        doc: "The patient's completed years (CQL AgeInYearsAt); who was born on 29 February is a year \
         older on 28 February of a common year. Of who is born later, whole years before the birth: 0, \
         then -1 and so on; `patient.birthDate <= at` leaves them out. Unknown without a birth date. By a year or month of \
         birth it lies between two numbers: a comparison is unknown only where it depends on which.",
        example: "ageInYearsAt(at) >= 45",
        ..PLAIN
    },
    FunctionInfo {
        name: "deceased",
        params: &[P::Time],
        returns: R::Bool,
        code: was_dead,
        doc: "Whether the patient was dead at a moment: at and after `deceasedDateTime`, at every moment with \
         `deceasedBoolean: true` alone. Not where nothing is recorded or it is `false`. Unknown without a \
         Patient, where the date is too imprecise, cannot be read, or contradicts the flag.",
        example: "!deceased(period_start)",
        ..PLAIN
    },
];

fn age_in_years<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    match call.args {
        [Val::Time(at)] => age(call.record(), *at),
        _ => call.other_kind(),
    }
}

fn was_dead<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    match call.args {
        [Val::Time(at)] => deceased(call.record(), *at, call.zone()),
        _ => call.other_kind(),
    }
}

/// Completed years at a moment; between two where the birth is not known to the day.
fn age<'r>(record: &PatientRecord, at: DateTime) -> Val<'r> {
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
