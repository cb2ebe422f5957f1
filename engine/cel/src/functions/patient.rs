//! The patient: age, death.

use engine_patient::fhir::names::Name;
use engine_patient::fhir::reading::{Reading, date_at};
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::duration::{Counts, Moment, Unit, duration, years_between};

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
        example: "ageInYearsAt(at)",
        gives: "65",
        ..PLAIN
    },
    FunctionInfo {
        name: "ageInMonthsAt",
        params: &[P::Time],
        returns: R::Int,
        code: age_in_months,
        doc: "The patient's completed months; otherwise as `ageInYearsAt`.",
        example: "ageInMonthsAt(date(\"1960-09-14\"))",
        gives: "2",
        ..PLAIN
    },
    FunctionInfo {
        name: "ageInDaysAt",
        params: &[P::Time],
        returns: R::Int,
        code: age_in_days,
        doc: "The patient's completed days; otherwise as `ageInYearsAt`.",
        example: "ageInDaysAt(date(\"1960-07-15\"))",
        gives: "30",
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
        example: "!deceased(at)",
        gives: "true",
        ..PLAIN
    },
];

fn age_in_years<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    match call.args {
        [Val::Time(at)] => count(age_bounds(call.record(), *at)),
        _ => call.other_kind(),
    }
}

fn age_in_months<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    count(age_in(call, Precision::Month))
}

fn age_in_days<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    count(age_in(call, Precision::Day))
}

fn was_dead<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    match call.args {
        [Val::Time(at)] => deceased(call.record(), *at, call.zone()),
        _ => call.other_kind(),
    }
}

/// When the patient was born, or why that cannot be told.
fn born(record: &PatientRecord) -> Result<DateTime, &'static str> {
    let patient = record.patient().ok_or("no Patient resource was given")?;
    let name = Name::of("birthDate");
    match name.map_or(Reading::Unreadable, |name| date_at(patient, name, "date")) {
        Reading::Value(born) => Ok(born),
        Reading::Absent => Err("`Patient.birthDate` is missing"),
        Reading::Unreadable => Err("`Patient.birthDate` cannot be read"),
    }
}

/// Completed years at a moment, the least and the most that they can be.
pub(super) fn age_bounds(record: &PatientRecord, at: DateTime) -> Result<Counts, &'static str> {
    Ok(years_between(born(record)?, at))
}

/// Completed months or days at a moment; who is born later has less than none.
fn age_in(call: &Call<'_, '_>, unit: Precision) -> Result<Counts, &'static str> {
    let [Val::Time(at)] = call.args else {
        return Err("a date was expected");
    };
    let (born, at) = (
        Moment::Date(born(call.record())?),
        Moment::Date(at.date_part()),
    );
    duration(born, at, Unit::Of(unit), call.zone()).ok_or("a date was expected")
}

/// One number, or between two where the birth is not known to the day.
fn count<'r>(counts: Result<Counts, &'static str>) -> Val<'r> {
    match counts {
        Ok((least, most)) if least == most => Val::Int(least),
        Ok((least, most)) => {
            let why = "`Patient.birthDate` is too imprecise";
            Val::Between(least.into(), most.into(), why.into())
        }
        Err(reason) => Val::unknown(reason),
    }
}
