//! §18 Date and time operators (CQL 1.5): durations, differences and ages. See
//! [`engine_patient::system::duration`].

use crate::context::cx::{Cx, Extra, Out};
use crate::values::value::Val;
use engine_patient::system::date_time::Precision;
use engine_patient::system::duration::{self, Counts, Moment, Unit};

fn unit_of(extra: &Extra) -> Option<Unit> {
    match extra.week {
        true => Some(Unit::Week),
        false => extra.precision.map(Unit::Of),
    }
}

fn moment_of(value: &Val<'_>) -> Option<Moment> {
    Some(match value {
        Val::Date(d) => Moment::Date(*d),
        Val::DateTime(d) => Moment::DateTime(*d),
        Val::Time(t) => Moment::Time(*t),
        _ => return None,
    })
}

/// A count; null where it does not fit an integer.
fn counted<'a>(cx: &Cx<'a>, counts: Option<Counts>) -> Out<'a> {
    let integer = |n: i64| i32::try_from(n).ok().map(Val::Integer);
    let Some((least, most)) = counts else {
        return Ok(Val::Null);
    };
    match (integer(least), integer(most)) {
        (Some(only), Some(_)) if least == most => Ok(only),
        (Some(low), Some(high)) => cx.uncertain(low, high),
        _ => Ok(Val::Null),
    }
}

/// Both moments and the unit, where they are that.
fn operands(args: &[Val<'_>], extra: &Extra) -> Option<(Moment, Moment, Unit)> {
    let [a, b] = args else {
        return None;
    };
    Some((moment_of(a)?, moment_of(b)?, unit_of(extra)?))
}

/// `DurationBetween`: whole periods from the first to the second, negative where it is earlier.
pub fn duration_between<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    let counts =
        operands(args, extra).and_then(|(a, b, unit)| duration::duration(a, b, unit, cx.zone));
    counted(cx, counts)
}

/// `DifferenceBetween`: boundaries crossed from the first to the second.
pub fn difference_between<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    let counts =
        operands(args, extra).and_then(|(a, b, unit)| duration::difference(a, b, unit, cx.zone));
    counted(cx, counts)
}

/// `CalculateAgeAt`: the duration from birth. On a date it goes by dates; at a date-time, a birth
/// known as a date may have been at any time of that day.
pub fn calculate_age_at<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    match args {
        [Val::DateTime(born), on @ Val::Date(_)] => {
            duration_between(cx, &[Val::Date(born.date_part()), *on], extra)
        }
        _ => duration_between(cx, args, extra),
    }
}

/// `CalculateAge`: as of today in years and months, as of now in finer units.
pub fn calculate_age<'a>(cx: &Cx<'a>, args: &[Val<'a>], extra: &Extra) -> Out<'a> {
    let born = args.first().copied().unwrap_or(Val::Null);
    let by_date = !extra.week && extra.precision.is_some_and(|p| p <= Precision::Month);
    let at = if by_date {
        Val::Date(cx.now.date_part())
    } else {
        Val::DateTime(cx.now.with_zone(cx.zone))
    };
    calculate_age_at(cx, &[born, at], extra)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::testing_dates::{at, run, show};

    fn extra(unit: Unit) -> Extra {
        match unit {
            Unit::Week => Extra {
                week: true,
                ..Extra::default()
            },
            Unit::Of(precision) => Extra {
                precision: Some(precision),
                ..Extra::default()
            },
        }
    }

    const YEAR: Unit = Unit::Of(Precision::Year);
    const MONTH: Unit = Unit::Of(Precision::Month);
    const DAYS: Unit = Unit::Of(Precision::Day);
    const HOUR: Unit = Unit::Of(Precision::Hour);
    const MINUTE: Unit = Unit::Of(Precision::Minute);
    const SECOND: Unit = Unit::Of(Precision::Second);
    const MILLI: Unit = Unit::Of(Precision::Millisecond);

    #[test]
    fn durations() {
        // Dates end with a `D`, date-times do not.
        let cases = [
            (YEAR, "2005", "2010", "4..5"),
            (YEAR, "2005-05", "2010-04", "4"),
            (DAYS, "2010-10-12T12:05Z", "2008-08-15T08:08Z", "-788"),
            (DAYS, "2015-02-10", "2015-03", "18..49"),
            (DAYS, "2014-01-15D", "2014-02D", "17..44"),
            (DAYS, "2014-01-15D", "2014-02-15D", "31"),
            (MONTH, "2005", "2006-05", "4..16"),
            // Appendix H, years, example 4.b and its note; the established engine gives the same for
            // months.
            (YEAR, "2012-02-29T10:18:56Z", "2014-02-28T19:02:34Z", "2"),
            (YEAR, "2012-02-29T10:18:56Z", "2014-02-28T10:18:55Z", "1"),
            (YEAR, "2012-02-29D", "2014-02-28D", "2"),
            (YEAR, "2012-02-29D", "2014-02-27D", "1"),
            (YEAR, "2012-02-29D", "2016-02-28D", "3"),
            (YEAR, "2012-02-29D", "2014-02-28T12:00:00.000Z", "1..2"),
            (MONTH, "2024-01-31D", "2024-02-29D", "1"),
            (MONTH, "2024-01-31D", "2024-02-28D", "0"),
            (MONTH, "2024-01-31D", "2024-03-01D", "1"),
            (MONTH, "2013-01-31D", "2013-02-28D", "1"),
            (MONTH, "2012-03-31D", "2012-04-30D", "1"),
            (MONTH, "2012-02-29D", "2012-03-29D", "1"),
            // Backwards, scenarios 4 and 7: the day of the earlier is not reached.
            (MONTH, "2024-02-29D", "2024-01-31D", "0"),
            (MONTH, "2012-03-31D", "2012-02-29D", "-1"),
            (YEAR, "2014-02-28D", "2012-02-29D", "-1"),
            (YEAR, "2000-02-29D", "2001-02-28D", "1"),
            (YEAR, "2000-02-29D", "2001-02-27D", "0"),
            (YEAR, "2000-02-29D", "2001-03-01D", "1"),
            (YEAR, "2000-02-29D", "2004-02-29D", "4"),
            (YEAR, "2001-03-01D", "2000-02-29D", "-1"),
            (YEAR, "1950-06-15D", "2025-06-14D", "74"),
            // The birthday has a time of day that is not known.
            (YEAR, "1950-06-15D", "2025-06-15T00:00:00.000Z", "74..75"),
            (
                Unit::Week,
                "2012-03-10T22:05:09Z",
                "2012-03-24T07:19:33Z",
                "1",
            ),
            (
                Unit::Week,
                "2012-03-10T06:05:09Z",
                "2012-03-24T07:19:33Z",
                "2",
            ),
            (
                DAYS,
                "2017-03-12T00:00:00.000-07:00",
                "2017-03-13T00:00:00.000-06:00",
                "0",
            ),
            (
                MINUTE,
                "2017-11-05T01:30:00-06:00",
                "2017-11-05T01:15:00-07:00",
                "45",
            ),
            // A second without milliseconds is whole, except to the millisecond.
            (
                HOUR,
                "2024-01-01T10:00:00Z",
                "2024-01-01T11:00:00.000Z",
                "1",
            ),
            (
                MILLI,
                "2024-01-01T10:00:00Z",
                "2024-01-01T10:00:01.000Z",
                "1..1000",
            ),
            (HOUR, "2014-01-15D", "2014-01-16D", "0..47"),
            (SECOND, "T23:25:10.556", "T23:25:15.555", "4"),
            (DAYS, "T23:25:10.556", "T23:25:15.555", "null"),
            (
                MILLI,
                "0001-01-01T00:00:00.000Z",
                "2024-01-01T00:00:00.000Z",
                "null",
            ),
        ];
        run(|cx| {
            for (unit, from, to, expected) in cases {
                let out = duration_between(cx, &[at(from), at(to)], &extra(unit));
                assert_eq!(show(out), expected, "{from} {to}");
            }
        });
    }

    #[test]
    fn differences() {
        let cases = [
            (YEAR, "2000", "2005-12", "5"),
            (YEAR, "2016", "1998", "-18"),
            (MONTH, "2005", "2006-07", "7..18"),
            (DAYS, "2000-10-15T10:30Z", "2000-10-25T10:00Z", "10"),
            (Unit::Week, "2000-10-15", "2000-10-28", "1"),
            (Unit::Week, "2000-10-15", "2000-10-29", "2"),
            (Unit::Week, "2000-10-14", "2000-10-15", "1"),
            // Calendar days as written, whatever the offsets.
            (
                DAYS,
                "2017-03-12T00:00:00.000-07:00",
                "2017-03-13T00:00:00.000-06:00",
                "1",
            ),
            (
                DAYS,
                "2024-01-01T23:00:00-05:00",
                "2024-01-02T05:00:00Z",
                "1",
            ),
            (
                MILLI,
                "2000-10-10T10:05:45.500-06:00",
                "2000-10-10T10:05:45.900-07:00",
                "3600400",
            ),
            (HOUR, "T20", "T23:25:15.555", "3"),
            (MILLI, "T20:20:15.555", "T20:20:15.550", "-5"),
        ];
        run(|cx| {
            for (unit, from, to, expected) in cases {
                let out = difference_between(cx, &[at(from), at(to)], &extra(unit));
                assert_eq!(show(out), expected, "{from} {to}");
            }
        });
    }

    #[test]
    fn ages() {
        run(|cx| {
            // The clock of the test: 2024-03-15T12:30:45.123Z.
            let age = |born: &str, unit| show(calculate_age(cx, &[at(born)], &extra(unit)));
            assert_eq!(age("2000-03-15D", YEAR), "24");
            assert_eq!(age("2000-03-16D", YEAR), "23");
            assert_eq!(age("2000-03D", YEAR), "23..24");
            assert_eq!(age("2024-03-14D", DAYS), "0..1");
            assert_eq!(age("2024-03-14T12:00:00Z", DAYS), "1");
            let on = |born: &str, on: &str| {
                show(calculate_age_at(cx, &[at(born), at(on)], &extra(YEAR)))
            };
            assert_eq!(on("2000-03-15T23:00:00Z", "2024-03-15D"), "24");
            assert_eq!(on("2000-03-15D", "2024-03-15D"), "24");
            assert_eq!(on("2003-03-01D", "2024-02-29D"), "20");
            assert_eq!(on("2004-02-29D", "2025-02-28D"), "21");
            assert_eq!(on("2004-02-29D", "2025-02-28T12:00:00Z"), "20..21");
        });
    }
}
