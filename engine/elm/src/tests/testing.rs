//! A context for tests of operators.

use std::cell::Cell;

use bumpalo::Bump;

use crate::context::cx::{Cx, Notes};
use crate::values::value::Val;
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::time_of_day::Time;
use engine_patient::system::units::Units;
use engine_patient::system::zone::UTC;

/// Runs a test with a context: the clock is the conformance suite's, the zone that of UTC.
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
        steps: Cell::new(u64::MAX),
        nested: Cell::new(0),
        memory: crate::context::cx::MEMORY,
        exhausted: Default::default(),
    });
}

/// Reads a value as CQL writes it, as far as these tests need: `1`, `1L`, `1.0`, `1 'cm'`, `'text'`,
/// `true`, `@2014`, `@2014-01-01T10`, `@T10:30`, `null`, and `1..3` of what lies between two numbers.
pub fn read<'a>(cx: &Cx<'a>, text: &str) -> Val<'a> {
    if let Some((low, high)) = text.split_once("..") {
        return cx.uncertain(read(cx, low), read(cx, high)).unwrap();
    }
    if let Some(time) = text.strip_prefix("@T") {
        let at = DateTime::parse(&format!("2000-01-01T{time}")).unwrap();
        return Val::Time(Time {
            millis: at.millis,
            precision: at.precision,
        });
    }
    if let Some(date) = text.strip_prefix('@') {
        let at = DateTime::parse(date.trim_end_matches('T')).unwrap();
        return if date.contains('T') {
            Val::DateTime(at.with_zone(cx.zone))
        } else {
            Val::Date(at)
        };
    }
    if let Some(inner) = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
        return cx.string(inner).unwrap();
    }
    if let Some((value, unit)) = text.split_once(' ') {
        let unit = cx.text(unit.trim_matches('\'')).unwrap();
        return cx.quantity(value.parse().unwrap(), unit).unwrap();
    }
    match text {
        "null" => Val::Null,
        "true" => Val::Boolean(true),
        "false" => Val::Boolean(false),
        _ => match text.strip_suffix('L') {
            Some(long) => Val::Long(long.parse().unwrap()),
            None if text.contains('.') => Val::Decimal(text.parse().unwrap()),
            None => Val::Integer(text.parse().unwrap()),
        },
    }
}

/// A list of what [`read`] reads, between commas.
pub fn read_list<'a>(cx: &Cx<'a>, text: &str) -> Val<'a> {
    let items: Vec<Val<'a>> = text
        .split(", ")
        .filter(|item| !item.is_empty())
        .map(|item| read(cx, item))
        .collect();
    cx.list(&items).unwrap()
}

/// Writes what [`read`] reads; lists in braces.
pub fn show(value: Val<'_>) -> String {
    match value {
        Val::Null => "null".to_owned(),
        Val::Boolean(b) => b.to_string(),
        Val::Integer(i) => i.to_string(),
        Val::Long(i) => format!("{i}L"),
        Val::Decimal(d) => d.to_string(),
        Val::String(s) => format!("'{s}'"),
        Val::Date(d) => format!("@{d}"),
        Val::DateTime(d) if d.precision <= Precision::Day => format!("@{d}T"),
        Val::DateTime(d) => format!("@{d}"),
        Val::Time(t) => {
            let at = DateTime {
                millis: t.millis,
                precision: t.precision,
                ..DateTime::parse("2000-01-01").unwrap()
            };
            format!("@{}", at.to_string().trim_start_matches("2000-01-01"))
        }
        Val::Quantity(q) => format!("{} '{}'", q.value, q.unit),
        Val::Ratio(r) => format!(
            "{}:{}",
            show(Val::Quantity(&r.numerator)),
            show(Val::Quantity(&r.denominator))
        ),
        Val::List(items) => {
            let items: Vec<String> = items.iter().map(|item| show(*item)).collect();
            format!("{{{}}}", items.join(", "))
        }
        Val::Uncertain(&(low, high)) => format!("{}..{}", show(low), show(high)),
        other => other.type_name().to_owned(),
    }
}
