//! Quantities (CQL 1.5, §12 "Comparison operators" and §16 "Arithmetic operators" on quantities).
//!
//! Comparison converts exactly. Where two units cannot be converted into each other, or one is
//! unknown, there is no answer.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::decimal;
use super::units::{CalendarUnit, Units, UnitsError};

/// A number with a unit, as it was written: a UCUM code, or a CQL calendar unit such as `month`.
#[derive(Clone, Copy, Debug)]
pub struct Quantity<'a> {
    pub value: Decimal,
    /// `1` where none was given.
    pub unit: &'a str,
}

/// Which is greater.
pub fn compare(a: &Quantity<'_>, b: &Quantity<'_>, units: &Units) -> Result<Ordering, UnitsError> {
    units.compare(a.value, a.unit, b.value, b.unit)
}

/// `a ~ b`: as decimals are equivalent, in the more granular of both units. A calendar year or month
/// counts as the UCUM unit of its name, and beside days as 365 and 30 of them.
pub fn equivalent(a: &Quantity<'_>, b: &Quantity<'_>, units: &Units) -> Result<bool, UnitsError> {
    let of = |a: &Quantity<'_>, b: &Quantity<'_>| {
        let (a, b, _) = common(a, b, units)?;
        Ok(decimal::equivalent(a, b))
    };
    match (loose(a, b), loose(b, a)) {
        (Some(x), Some(y)) => of(&x, &y),
        _ => of(a, b),
    }
}

/// `a` as it stands beside `b` in an equivalence; `None` where neither is a calendar year or month.
fn loose<'a>(a: &Quantity<'a>, b: &Quantity<'a>) -> Option<Quantity<'a>> {
    use CalendarUnit::{Month, Year};
    let calendar = |unit| matches!(CalendarUnit::word(unit), Some(Year | Month));
    let own = matches!(CalendarUnit::of(a.unit), Some(Year | Month));
    let other = matches!(CalendarUnit::of(b.unit), Some(Year | Month));
    if !calendar(a.unit) && !calendar(b.unit) {
        return None;
    }
    let (value, unit) = match (own, other) {
        (true, true) if CalendarUnit::of(a.unit) == Some(Year) => (a.value, "year"),
        (true, true) => (a.value, "month"),
        (true, false) => {
            let year = CalendarUnit::of(a.unit) == Some(Year);
            let days = Decimal::from(if year { 365 } else { 30 });
            (a.value.checked_mul(days)?, "d")
        }
        (false, _) => (a.value, a.unit),
    };
    Some(Quantity { value, unit })
}

/// Both values in the more granular of both units, and that unit.
pub fn common<'a>(
    a: &Quantity<'a>,
    b: &Quantity<'a>,
    units: &Units,
) -> Result<(Decimal, Decimal, &'a str), UnitsError> {
    if a.unit == b.unit {
        return Ok((a.value, b.value, a.unit));
    }
    if units.is_finer(a.unit, b.unit)? {
        let converted = units.convert(a.value, a.unit, b.unit)?;
        Ok((converted, b.value, b.unit))
    } else {
        let converted = units.convert(b.value, b.unit, a.unit)?;
        Ok((a.value, converted, a.unit))
    }
}

/// Two quantities as a product or quotient takes them: `m · cm` is a number of `cm2`, and `m / cm` a
/// plain number.
pub fn factors<'a>(
    a: &Quantity<'a>,
    b: &Quantity<'a>,
    units: &Units,
) -> (Quantity<'a>, Quantity<'a>) {
    let one = |unit: &str| unit.is_empty() || unit == "1";
    if a.unit != b.unit
        && !one(a.unit)
        && !one(b.unit)
        && units.is_proportional(a.unit, b.unit)
        && let Ok((x, y, unit)) = common(a, b, units)
    {
        return (Quantity { value: x, unit }, Quantity { value: y, unit });
    }
    (*a, *b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn q(text: &str) -> Quantity<'_> {
        let (value, unit) = text.split_once(' ').unwrap();
        let value = value.parse().unwrap();
        Quantity { value, unit }
    }

    #[test]
    fn exact_and_equivalent() {
        let units = Units::default();
        let order = |a, b| compare(&q(a), &q(b), &units);
        assert_eq!(order("9 mg/dL", "0.09 g/L"), Ok(Ordering::Equal));
        assert_eq!(order("9 mg/dL", "0.0900000001 g/L"), Ok(Ordering::Less));
        assert_eq!(order("1 month", "1 mo"), Err(UnitsError::Incommensurable));
        assert_eq!(order("1 foo", "1 m"), Err(UnitsError::Unknown));
        let same = |a, b| equivalent(&q(a), &q(b), &units);
        assert_eq!(same("1 month", "1 mo"), Ok(true));
        assert_eq!(same("1 year", "365 days"), Ok(true));
        assert_eq!(same("1.001 cm", "1.000 cm"), Ok(true));
        assert_eq!(same("1 cm", "1 m"), Ok(false));
        let (a, b) = (q("1 m"), q("3 cm"));
        let (x, y) = factors(&a, &b, &units);
        assert_eq!(
            (x.value, x.unit, y.value, y.unit),
            (100.into(), "cm", 3.into(), "cm")
        );
    }
}
