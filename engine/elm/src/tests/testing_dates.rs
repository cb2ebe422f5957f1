//! Values and texts for tests of dates and intervals.

use std::cell::Cell;

use bumpalo::Bump;
use rust_decimal::Decimal;

use crate::context::cx::{Cx, Fault, Notes, Out};
use crate::values::value::{PointType, Quantity, Val};
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::time_of_day::Time;
use engine_patient::system::units::Units;
use engine_patient::system::zone::UTC;

/// Runs a test with the clock of the conformance suite and the zone of UTC.
pub fn run(test: impl for<'a> FnOnce(&Cx<'a>)) {
    let arena = Bump::new();
    let units = Units::default();
    test(&Cx {
        arena: &arena,
        now: DateTime::parse("2024-03-15T12:30:45.123Z").unwrap(),
        zone: &UTC,
        units: &units,
        notes: Notes::default(),
        doubts: crate::context::doubts::Doubts::default(),
        steps: Cell::new(1_000_000),
        nested: Cell::new(0),
        memory: crate::context::cx::MEMORY,
        exhausted: Default::default(),
    });
}

/// A time `T10:30`, a date with a `D` at its end, or a date-time.
pub fn at<'a>(text: &str) -> Val<'a> {
    // The reader of FHIR takes hours without minutes.
    let parse = |text: &str| DateTime::parse(text).unwrap();
    if text.starts_with('T') {
        let whole = parse(&format!("2000-01-01{text}"));
        Val::Time(Time {
            millis: whole.millis,
            precision: whole.precision,
        })
    } else if let Some(date) = text.strip_suffix('D') {
        Val::Date(parse(date))
    } else {
        Val::DateTime(parse(text).with_zone(&UTC))
    }
}

fn time_text(time: Time) -> String {
    let mut day = DateTime::date(2000, 1, 1).unwrap();
    day.millis = time.millis;
    day.precision = time.precision;
    day.to_string().split_off(10)
}

fn one(value: &Val<'_>) -> String {
    match value {
        Val::Null => "null".to_owned(),
        Val::Boolean(b) => b.to_string(),
        Val::Integer(i) => i.to_string(),
        Val::Long(l) => format!("{l}L"),
        Val::Decimal(d) => d.to_string(),
        Val::Date(d) => format!("{d}D"),
        Val::DateTime(d) => d.to_string(),
        Val::Time(t) => time_text(*t),
        Val::Quantity(q) => format!("{} {}", q.value, q.unit),
        Val::Uncertain((low, high)) => format!("{}..{}", one(low), one(high)),
        Val::Interval(i) => {
            let open = if i.low_closed { '[' } else { '(' };
            let close = if i.high_closed { ']' } else { ')' };
            format!("{open}{}, {}{close}", one(&i.low), one(&i.high))
        }
        Val::List(items) => {
            let items: Vec<String> = items.iter().map(one).collect();
            format!("{{{}}}", items.join("; "))
        }
        other => format!("{other:?}"),
    }
}

/// A result as a text.
pub fn show(out: Out<'_>) -> String {
    match out {
        Ok(value) => one(&value),
        Err(Fault::Raised(_)) => "raised".to_owned(),
        Err(Fault::Budget(_)) => "budget".to_owned(),
        Err(Fault::Bug(bug)) => panic!("{bug:?}"),
    }
}

/// A number, a quantity `1 g`, null, a date or a time.
pub fn point<'a>(cx: &Cx<'a>, text: &str) -> Val<'a> {
    if text == "null" {
        return Val::Null;
    }
    if let Some((number, unit)) = text.split_once(' ') {
        let value = number.parse().unwrap();
        let unit = cx.text(unit).unwrap();
        return Val::Quantity(cx.keep(Quantity { value, unit }).unwrap());
    }
    if let Ok(integer) = text.parse() {
        return Val::Integer(integer);
    }
    match text.parse::<Decimal>() {
        Ok(decimal) => Val::Decimal(decimal),
        Err(_) => at(text.strip_prefix('@').unwrap_or(text)),
    }
}

/// An interval such as `[1, 5)`, or a point. `date [null, null]` gives the type of the points.
pub fn span<'a>(cx: &Cx<'a>, text: &str) -> Val<'a> {
    let (of, text) = match text.split_once(" [").or_else(|| text.split_once(" (")) {
        Some((of, rest)) if of.chars().all(char::is_alphabetic) => {
            (of, text.get(text.len() - rest.len() - 1..).unwrap())
        }
        _ => ("", text),
    };
    let Some(inner) = text.strip_prefix(['[', '(']) else {
        return point(cx, text);
    };
    let (low, high) = inner
        .strip_suffix([']', ')'])
        .unwrap()
        .split_once(", ")
        .unwrap();
    let (low, high) = (point(cx, low), point(cx, high));
    let (closed, closes) = (text.starts_with('['), text.ends_with(']'));
    let made = crate::operators::interval::make(cx, low, high, closed, closes).unwrap();
    let Val::Interval(interval) = made else {
        return made;
    };
    let mut interval = *interval;
    interval.point = match of {
        "integer" => PointType::Integer,
        "date" => PointType::DateTime,
        _ => interval.point,
    };
    Val::Interval(cx.keep(interval).unwrap())
}

/// The names of precisions.
pub fn precision(name: &str) -> Option<Precision> {
    match name {
        "year" => Some(Precision::Year),
        "month" => Some(Precision::Month),
        "day" => Some(Precision::Day),
        "hour" => Some(Precision::Hour),
        "second" => Some(Precision::Second),
        "millisecond" => Some(Precision::Millisecond),
        _ => None,
    }
}
