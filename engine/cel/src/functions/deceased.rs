//! Whether the patient was dead at a moment: `Patient.deceased[x]`.

use engine_patient::fhir::names::Name;
use engine_patient::fhir::reading::{Reading, date_at, read_at};
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;

use crate::operators::{Order, order_times};
use crate::value::Val;

/// Dead from the moment of death on; from `deceasedBoolean: true` alone, at every moment. Nothing
/// recorded is alive: FHIR has no other way to say it that is in use. What is recorded and cannot be
/// read, or contradicts itself, is unknown.
pub(super) fn deceased<'r>(record: &PatientRecord, at: DateTime, zone: &Zone) -> Val<'r> {
    let Some(patient) = record.patient() else {
        return Val::unknown("no Patient resource was given");
    };
    let flag = Name::of("deceasedBoolean").map_or(Reading::Unreadable, |name| {
        read_at(patient, name, |e| e.as_bool())
    });
    let time = Name::of("deceasedDateTime").map_or(Reading::Unreadable, |name| {
        date_at(patient, name, "dateTime")
    });
    let by_time = match time {
        Reading::Absent => match flag {
            Reading::Absent => return Val::Bool(false),
            Reading::Unreadable => return UNREADABLE,
            Reading::Value(dead) => return Val::Bool(dead),
        },
        Reading::Unreadable => return UNREADABLE,
        Reading::Value(death) => match order_times(Order::LessOrEqual, death, at, zone) {
            Some(dead) => dead,
            None => return Val::unknown("`Patient.deceased` is too imprecise to compare"),
        },
    };
    match (flag, by_time) {
        (Reading::Value(false), true) => Val::unknown("`Patient.deceased` contradicts itself"),
        (Reading::Unreadable, _) => UNREADABLE,
        _ => Val::Bool(by_time),
    }
}

const UNREADABLE: Val<'static> = Val::Unknown(std::borrow::Cow::Borrowed(
    "`Patient.deceased` is not as FHIR has it",
));
