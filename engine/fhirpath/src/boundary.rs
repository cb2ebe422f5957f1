//! `lowBoundary()` and `highBoundary()`: the least and the greatest that a value can stand for at
//! the precision it was given with.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::compare::time_of_day;
use super::expr::Bounded;
use super::item::{Item, Scalar};
use engine_patient::system::date_arithmetic::boundary as boundary_of;
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::zone::{EASTERNMOST, WESTERNMOST, Zone};

pub(super) fn boundary<'a>(item: &Item<'a>, kind: Bounded, high: bool) -> Option<Item<'a>> {
    let text = match kind {
        Bounded::Number => return number(item, high).map(Item::Decimal),
        Bounded::Date => date(&item.text()?, high)?,
        Bounded::DateTime => date_time(&item.text()?, high)?,
        Bounded::Time => time(&item.text()?, high)?,
        Bounded::Period => {
            let Item::Element(period) = item else {
                return None;
            };
            let end = period.get_str(if high { "end" } else { "start" })?;
            date_time(&end, high)?
        }
    };
    Some(Item::Text(Cow::Owned(text)))
}

/// Half a unit of the last digit that was written: 1.0 stands for 0.95 to 1.05.
fn number(item: &Item<'_>, high: bool) -> Option<Decimal> {
    let value = match item.scalar()? {
        Scalar::Int(i) => Decimal::from(i),
        Scalar::Decimal(d) => d,
        _ => return None,
    };
    let half = Decimal::try_new(5, value.scale() + 1).ok()?;
    if high {
        value.checked_add(half)
    } else {
        value.checked_sub(half)
    }
}

fn date(text: &str, high: bool) -> Option<String> {
    let date = DateTime::parse(text)?;
    Some(boundary_of(date, Precision::Day, high).to_string())
}

/// Without an offset it can be of any place: it begins in the one farthest east, and ends in the west.
fn date_time(text: &str, high: bool) -> Option<String> {
    let edge = Zone::fixed(if high { WESTERNMOST } else { EASTERNMOST });
    let moment = DateTime::parse(text)?.with_zone(&edge);
    Some(boundary_of(moment, Precision::Millisecond, high).to_string())
}

fn time(text: &str, high: bool) -> Option<String> {
    let moment = boundary_of(time_of_day(text)?, Precision::Millisecond, high).to_string();
    let (_, time) = moment.split_once('T')?;
    Some(time.to_owned())
}
