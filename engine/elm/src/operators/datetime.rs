//! §18 Date and time operators (CQL 1.5): constructors, components, the clock of the run, and the
//! ends of the types. Comparison, arithmetic and durations stand in `date_compare`,
//! `date_arithmetic` and `duration`.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::context::cx::{Cx, Extra, Fault, Out};
use crate::values::value::{PointType, Val};
use engine_patient::system::compare::in_zone;
use engine_patient::system::date_time::{DateTime, Precision, days_from_civil};
use engine_patient::system::time_of_day::Time;

fn raised(text: &str) -> Fault {
    Fault::Raised(text.to_owned())
}

/// The leading components that are not null. What follows a null one is not looked at: a value
/// known to the year has no day, whatever the expression for the day gives.
fn components(args: &[Val<'_>], most: usize) -> Vec<i64> {
    args.iter()
        .take(most)
        .map_while(|v| match v {
            Val::Integer(i) => Some(i64::from(*i)),
            Val::Long(i) => Some(*i),
            _ => None,
        })
        .collect()
}

/// The component at `at` if it is in range, `least` where it was not given.
fn within(parts: &[i64], at: usize, least: u32, most: u32) -> Result<u32, Fault> {
    let Some(given) = parts.get(at) else {
        return Ok(least);
    };
    u32::try_from(*given)
        .ok()
        .filter(|n| (least..=most).contains(n))
        .ok_or_else(|| raised("a component of a date or time is out of range"))
}

/// Days from 1970-01-01 of year, month and day.
fn days_of(parts: &[i64]) -> Result<i32, Fault> {
    let year = within(parts, 0, 1, 9999)?;
    let year = i32::try_from(year).unwrap_or(1);
    let month = within(parts, 1, 1, 12)?;
    let day = within(
        parts,
        2,
        1,
        engine_patient::system::date_time::days_in_month(year, month),
    )?;
    Ok(days_from_civil(year, month, day))
}

/// Milliseconds of the day of hour, minute, second and millisecond.
fn millis_of(parts: &[i64]) -> Result<u32, Fault> {
    let (hour, minute) = (within(parts, 0, 0, 23)?, within(parts, 1, 0, 59)?);
    let second = within(parts, 2, 0, 59)?;
    // The translator writes the digits of a literal's fraction as one number: `.10000` comes as
    // 10000. Digits after the third are not kept (test `TimeMillisParsing`).
    let mut milli = parts.get(3).copied().unwrap_or(0);
    while milli > 999 {
        milli /= 10;
    }
    let milli = within(&[milli], 0, 0, 999)?;
    Ok(((hour * 60 + minute) * 60 + second) * 1000 + milli)
}

const PRECISIONS: [Precision; 7] = [
    Precision::Year,
    Precision::Month,
    Precision::Day,
    Precision::Hour,
    Precision::Minute,
    Precision::Second,
    Precision::Millisecond,
];

/// `Date`: year, month, day.
pub fn date<'a>(_cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let parts = components(args, 3);
    let Some(precision) = parts.len().checked_sub(1).and_then(|i| PRECISIONS.get(i)) else {
        return Ok(Val::Null);
    };
    Ok(Val::Date(DateTime {
        days: days_of(&parts)?,
        millis: 0,
        precision: *precision,
        offset: None,
    }))
}

/// `DateTime`: year to millisecond, then the offset in hours; without one, that of the run.
pub fn date_time<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let parts = components(args, 7);
    let Some(precision) = parts.len().checked_sub(1).and_then(|i| PRECISIONS.get(i)) else {
        return Ok(Val::Null);
    };
    let offset = match args.get(7) {
        None | Some(Val::Null) => None,
        Some(given) => Some(offset_minutes(given)?),
    };
    let moment = DateTime {
        days: days_of(&parts)?,
        millis: millis_of(parts.get(3..).unwrap_or_default())?,
        precision: *precision,
        offset,
    };
    Ok(Val::DateTime(moment.with_zone(cx.zone)))
}

/// Minutes east of UTC of an offset in hours.
fn offset_minutes(hours: &Val<'_>) -> Result<i16, Fault> {
    let hours = match hours {
        Val::Decimal(d) => *d,
        Val::Integer(i) => Decimal::from(*i),
        Val::Long(i) => Decimal::from(*i),
        _ => return Err(raised("a timezone offset is not a number")),
    };
    Some(hours)
        .filter(|h| h.abs() <= Decimal::from(14))
        .map(|h| (h * Decimal::from(60)).round())
        .and_then(|minutes| minutes.to_i16())
        .ok_or_else(|| raised("a timezone offset is out of range"))
}

/// `Time`: hour, minute, second, millisecond.
pub fn time<'a>(_cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let parts = components(args, 4);
    let Some(precision) = parts
        .len()
        .checked_sub(1)
        .and_then(|i| PRECISIONS.get(i + 3))
    else {
        return Ok(Val::Null);
    };
    Ok(Val::Time(Time {
        millis: millis_of(&parts)?,
        precision: *precision,
    }))
}

/// `DateFrom`. The date is the one written at the value's own offset, as day-precision comparisons
/// take it (see `date_compare`): the chapter asks for the run's offset only for `TimeFrom`.
pub fn date_from<'a>(_cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    Ok(match args.first() {
        Some(Val::DateTime(d) | Val::Date(d)) => Val::Date(d.date_part()),
        _ => Val::Null,
    })
}

/// `TimeFrom`: the time of day at the offset of the run.
pub fn time_from<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    Ok(match args.first() {
        Some(Val::DateTime(d)) if d.precision > Precision::Day => {
            let here = in_zone(*d, cx.zone);
            Val::Time(Time {
                millis: here.millis,
                precision: here.precision,
            })
        }
        _ => Val::Null,
    })
}

/// `TimezoneOffsetFrom`, `TimezoneFrom`: the offset in hours.
pub fn timezone_offset_from<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let Some(Val::DateTime(d)) = args.first() else {
        return Ok(Val::Null);
    };
    let minutes = Decimal::from(d.with_zone(cx.zone).offset.unwrap_or_default());
    let mut hours = (minutes / Decimal::from(60)).round_dp(8);
    if hours.scale() == 0 {
        hours.rescale(1);
    }
    Ok(Val::Decimal(hours))
}

/// `DateTimeComponentFrom`: a component as written; null where the value is not that precise.
pub fn date_time_component_from<'a>(_cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    let Some(wanted) = extra.precision else {
        return if extra.week {
            Err(raised("a date has no week component"))
        } else {
            Ok(Val::Null)
        };
    };
    let (date, millis, precision) = match args.first() {
        Some(Val::Date(d) | Val::DateTime(d)) => (Some(*d), d.millis, d.precision),
        Some(Val::Time(t)) => (None, t.millis, t.precision),
        _ => return Ok(Val::Null),
    };
    if wanted > precision {
        return Ok(Val::Null);
    }
    let of_date = |pick: fn((i32, u32, u32)) -> i64| date.map(|d| pick(d.civil()));
    let seconds = millis / 1000;
    let value = match wanted {
        Precision::Year => of_date(|(year, _, _)| i64::from(year)),
        Precision::Month => of_date(|(_, month, _)| i64::from(month)),
        Precision::Day => of_date(|(_, _, day)| i64::from(day)),
        Precision::Hour => Some(i64::from(seconds / 3600)),
        Precision::Minute => Some(i64::from(seconds / 60 % 60)),
        Precision::Second => Some(i64::from(seconds % 60)),
        Precision::Millisecond => Some(i64::from(millis % 1000)),
    };
    let value = value.and_then(|n| i32::try_from(n).ok());
    Ok(value.map_or(Val::Null, Val::Integer))
}

/// `Now`.
pub fn now<'a>(cx: &Cx<'a>, _args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    Ok(Val::DateTime(cx.now.with_zone(cx.zone)))
}

/// `Today`.
pub fn today<'a>(cx: &Cx<'a>, _args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    Ok(Val::Date(cx.now.date_part()))
}

/// `TimeOfDay`.
pub fn time_of_day<'a>(cx: &Cx<'a>, _args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    time_from(cx, &[Val::DateTime(cx.now.with_zone(cx.zone))], extra)
}

/// The least value of `Date`, `DateTime` or `Time`; null of other types.
pub fn min_of<'a>(cx: &Cx<'a>, of: PointType) -> Val<'a> {
    end_of(cx, of, days_from_civil(1, 1, 1), 0)
}

/// The greatest value of `Date`, `DateTime` or `Time`; null of other types.
pub fn max_of<'a>(cx: &Cx<'a>, of: PointType) -> Val<'a> {
    end_of(cx, of, days_from_civil(9999, 12, 31), 86_399_999)
}

fn end_of<'a>(cx: &Cx<'a>, of: PointType, days: i32, millis: u32) -> Val<'a> {
    match of {
        PointType::Date => Val::Date(DateTime {
            days,
            millis: 0,
            precision: Precision::Day,
            offset: None,
        }),
        PointType::DateTime => {
            let end = DateTime {
                days,
                millis,
                precision: Precision::Millisecond,
                offset: None,
            };
            Val::DateTime(end.with_zone(cx.zone))
        }
        PointType::Time => Val::Time(Time {
            millis,
            precision: Precision::Millisecond,
        }),
        _ => Val::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::testing_dates::{at, run, show};

    fn ints<'a>(values: &[i32]) -> Vec<Val<'a>> {
        values.iter().map(|v| Val::Integer(*v)).collect()
    }

    #[test]
    fn constructors() {
        run(|cx| {
            let extra = Extra::default();
            let date_of = |values: &[i32]| show(date(cx, &ints(values), &extra));
            assert_eq!(date_of(&[2014]), "2014D");
            assert_eq!(date_of(&[2014, 6, 3]), "2014-06-03D");
            assert_eq!(date_of(&[0]), "raised");
            assert_eq!(date_of(&[10_000]), "raised");
            assert_eq!(date_of(&[2023, 2, 29]), "raised");
            assert_eq!(date_of(&[]), "null");
            let moment = |values: &[i32]| show(date_time(cx, &ints(values), &extra));
            assert_eq!(moment(&[2003, 10]), "2003-10");
            assert_eq!(moment(&[2003, 10, 29, 20]), "2003-10-29T20Z");
            assert_eq!(
                moment(&[2003, 10, 29, 20, 50, 33, 955, -5]),
                "2003-10-29T20:50:33.955-05:00"
            );
            assert_eq!(moment(&[2003, 10, 29, 24]), "raised");
            assert_eq!(moment(&[2003, 10, 29, 20, 50, 33, 955, 15]), "raised");
            let gap = [Val::Integer(2003), Val::Null, Val::Integer(29)];
            assert_eq!(show(date_time(cx, &gap, &extra)), "2003");
            assert_eq!(
                show(date_time(cx, &[Val::Null, Val::Integer(1)], &extra)),
                "null"
            );
            let mut half = ints(&[2003, 10, 29, 20, 50, 33, 955]);
            half.push(Val::Decimal(Decimal::new(55, 1)));
            assert_eq!(
                show(date_time(cx, &half, &extra)),
                "2003-10-29T20:50:33.955+05:30"
            );
            let clock = |values: &[i32]| show(time(cx, &ints(values), &extra));
            assert_eq!(clock(&[23]), "T23");
            assert_eq!(clock(&[23, 59, 59, 999]), "T23:59:59.999");
            assert_eq!(clock(&[23, 59, 59, 10_000]), "T23:59:59.100");
            assert_eq!(clock(&[23, 60]), "raised");
            assert_eq!(clock(&[-1]), "raised");
        });
    }

    #[test]
    fn parts() {
        run(|cx| {
            let component = |text: &str, precision| {
                let extra = Extra {
                    precision: Some(precision),
                    ..Extra::default()
                };
                show(date_time_component_from(cx, &[at(text)], &extra))
            };
            let text = "2003-10-29T20:50:33.955+01:00";
            assert_eq!(component(text, Precision::Year), "2003");
            assert_eq!(component(text, Precision::Month), "10");
            assert_eq!(component(text, Precision::Day), "29");
            assert_eq!(component(text, Precision::Hour), "20");
            assert_eq!(component(text, Precision::Minute), "50");
            assert_eq!(component(text, Precision::Second), "33");
            assert_eq!(component(text, Precision::Millisecond), "955");
            assert_eq!(component("2015-02-10", Precision::Hour), "null");
            assert_eq!(component("T23:20", Precision::Minute), "20");
            assert_eq!(component("T23:20", Precision::Year), "null");

            let extra = Extra::default();
            let args = [at(text)];
            assert_eq!(show(timezone_offset_from(cx, &args, &extra)), "1.0");
            assert_eq!(show(date_from(cx, &args, &extra)), "2003-10-29D");
            assert_eq!(show(time_from(cx, &args, &extra)), "T19:50:33.955");
            // The date as written, though in the zone of the run it is the next.
            let late = [at("2024-12-31T23:00:00-05:00")];
            assert_eq!(show(date_from(cx, &late, &extra)), "2024-12-31D");
            assert_eq!(show(time_from(cx, &[at("2024-12-31")], &extra)), "null");
            assert_eq!(show(now(cx, &[], &extra)), "2024-03-15T12:30:45.123Z");
            assert_eq!(show(today(cx, &[], &extra)), "2024-03-15D");
            assert_eq!(show(time_of_day(cx, &[], &extra)), "T12:30:45.123");
            assert_eq!(
                show(Ok(min_of(cx, PointType::DateTime))),
                "0001-01-01T00:00:00.000Z"
            );
            assert_eq!(
                show(Ok(max_of(cx, PointType::DateTime))),
                "9999-12-31T23:59:59.999Z"
            );
            assert_eq!(show(Ok(min_of(cx, PointType::Date))), "0001-01-01D");
            assert_eq!(show(Ok(max_of(cx, PointType::Time))), "T23:59:59.999");
        });
    }
}
