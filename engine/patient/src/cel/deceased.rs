//! Whether the patient was dead at a moment: `Patient.deceased[x]`.

use super::node::Order;
use super::operators::order_times;
use super::value::Val;
use crate::record::{Element, PatientRecord};
use crate::time::DateTime;

/// Dead from the moment of death on; from `deceasedBoolean: true` alone, at every moment. Nothing
/// recorded is alive: FHIR has no other way to say it that is in use. What is recorded and cannot be
/// read, or contradicts itself, is unknown.
pub(super) fn deceased<'r>(record: &PatientRecord, at: DateTime, zone: i16) -> Val<'r> {
    let Some(patient) = record.patient() else {
        return Val::unknown("no Patient resource was given");
    };
    let (flag, time) = (
        read(patient, "deceasedBoolean", |e| e.as_bool()),
        read(patient, "deceasedDateTime", |e| {
            DateTime::parse(&e.as_str()?)
        }),
    );
    let by_time = match time {
        Recorded::Not => match flag {
            Recorded::Not => return Val::Bool(false),
            Recorded::Unreadable => return UNREADABLE,
            Recorded::As(dead) => return Val::Bool(dead),
        },
        Recorded::Unreadable => return UNREADABLE,
        Recorded::As(death) => match order_times(Order::LessOrEqual, death, at, zone) {
            Some(dead) => dead,
            None => return Val::unknown("`Patient.deceased` is too imprecise to compare"),
        },
    };
    match (flag, by_time) {
        (Recorded::As(false), true) => Val::unknown("`Patient.deceased` contradicts itself"),
        (Recorded::Unreadable, _) => UNREADABLE,
        _ => Val::Bool(by_time),
    }
}

const UNREADABLE: Val<'static> = Val::Unknown(std::borrow::Cow::Borrowed(
    "`Patient.deceased` is not as FHIR has it",
));

enum Recorded<T> {
    Not,
    /// Something is there, or said to be hidden by an extension, that gives no value.
    Unreadable,
    As(T),
}

fn read<T>(
    patient: Element<'_>,
    name: &str,
    value: impl Fn(Element<'_>) -> Option<T>,
) -> Recorded<T> {
    match patient.get_named(name) {
        Some(element) => value(element).map_or(Recorded::Unreadable, Recorded::As),
        None => match patient.get_named(&format!("_{name}")) {
            Some(_) => Recorded::Unreadable,
            None => Recorded::Not,
        },
    }
}
