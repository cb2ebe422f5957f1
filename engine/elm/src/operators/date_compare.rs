//! §18 Date and time operators (CQL 1.5): comparison of values. See
//! [`engine_patient::system::compare`].

use std::cmp::Ordering;

use crate::values::value::Val;
use engine_patient::system::compare::compare;
use engine_patient::system::date_time::Precision;
use engine_patient::system::zone::Zone;

/// The order of two values where both are dates, date-times or times, `Some(None)` where their precision
/// does not tell it; `None` where they are not.
pub fn order(
    a: &Val<'_>,
    b: &Val<'_>,
    precision: Option<Precision>,
    zone: &Zone,
) -> Option<Option<Ordering>> {
    match (a, b) {
        (Val::DateTime(a) | Val::Date(a), Val::DateTime(b) | Val::Date(b)) => {
            Some(compare(*a, *b, precision, zone))
        }
        (Val::Time(a), Val::Time(b)) => Some(a.compare(*b, precision)),
        _ => None,
    }
}
