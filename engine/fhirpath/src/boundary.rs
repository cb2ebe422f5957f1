//! `lowBoundary()` and `highBoundary()`: the least and the greatest that a value can stand for at
//! the precision it was given with.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::compare::time_of_day;
use super::expr::Bounded;
use super::item::{Item, Scalar};
use engine_patient::system::date_time::{DateTime, Precision, days_in_month};
use engine_patient::system::zone::{EASTERNMOST, UTC, WESTERNMOST, Zone};

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
    let (year, month, day) = date.civil();
    let (month, day) = match (date.precision(), high) {
        (Precision::Year, true) => (12, 31),
        (Precision::Month, true) => (month, days_in_month(year, month)),
        _ => (month, day),
    };
    DateTime::date(year, month, day).map(|d| d.to_string())
}

fn date_time(text: &str, high: bool) -> Option<String> {
    let moment = DateTime::parse(text)?;
    let edge = if high { WESTERNMOST } else { EASTERNMOST };
    let zone = Zone::fixed(moment.offset().unwrap_or(edge));
    let instant = if high {
        moment.latest(&zone)
    } else {
        moment.earliest(&zone)
    };
    Some(zone.moment(instant).to_string())
}

fn time(text: &str, high: bool) -> Option<String> {
    let time = time_of_day(text)?;
    let instant = if high {
        time.latest(&UTC)
    } else {
        time.earliest(&UTC)
    };
    let text = UTC.moment(instant).to_string();
    let (_, time) = text.split_once('T')?;
    time.strip_suffix('Z').map(str::to_owned)
}
