//! Quantities (CQL 1.5, §12 "Comparison operators" and §16 "Arithmetic operators" on quantities). See
//! [`engine_patient::system::quantity`].
//!
//! Where two units cannot be converted into each other, or one is unknown, the result is unknown too
//! and the pair is noted for the ledger.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use crate::context::cx::{Cx, Out};
use crate::values::value::{Quantity, Ratio, Val};
use engine_patient::system::decimal;
use engine_patient::system::quantity;
use engine_patient::system::units::UnitsError;

/// Most pairs of units that are noted for a patient, and the longest text of one.
const NOTED: usize = 64;
const NOTED_TEXT: usize = 64;

/// Notes a pair of units that do not go together.
pub fn note(cx: &Cx<'_>, a: &str, b: &str) {
    let short = |unit: &str| unit.chars().take(NOTED_TEXT).collect::<String>();
    let mut units = cx.notes.units.borrow_mut();
    let pair = (short(a), short(b));
    if units.len() < NOTED || units.contains_key(&pair) {
        *units.entry(pair).or_default() += 1;
    }
}

/// What two units give; `None`, and noted, where they do not go together.
fn told<T>(
    cx: &Cx<'_>,
    a: &Quantity<'_>,
    b: &Quantity<'_>,
    found: Result<T, UnitsError>,
) -> Option<T> {
    if found.is_err() {
        note(cx, a.unit, b.unit);
    }
    found.ok()
}

/// Which is greater; `None` where it cannot be told.
pub fn compare(cx: &Cx<'_>, a: &Quantity<'_>, b: &Quantity<'_>) -> Option<Ordering> {
    told(cx, a, b, quantity::compare(a, b, cx.units))
}

/// `a = b`; `None` where it cannot be told.
pub fn equal(cx: &Cx<'_>, a: &Quantity<'_>, b: &Quantity<'_>) -> Option<bool> {
    compare(cx, a, b).map(Ordering::is_eq)
}

/// `a ~ b`; false where it cannot be told.
pub fn equivalent(cx: &Cx<'_>, a: &Quantity<'_>, b: &Quantity<'_>) -> bool {
    told(cx, a, b, quantity::equivalent(a, b, cx.units)).unwrap_or(false)
}

/// A quantity of a value that fits, else null.
fn fitting<'a>(cx: &Cx<'a>, value: Option<Decimal>, unit: &'a str) -> Out<'a> {
    match value {
        Some(value) => cx.quantity(value, unit),
        None => Ok(Val::Null),
    }
}

fn in_common<'a>(
    cx: &Cx<'a>,
    a: &Quantity<'a>,
    b: &Quantity<'a>,
    operator: fn(Decimal, Decimal) -> Option<Decimal>,
) -> Out<'a> {
    match told(cx, a, b, quantity::common(a, b, cx.units)) {
        Some((a, b, unit)) => fitting(cx, operator(a, b), unit),
        None => Ok(Val::Null),
    }
}

/// Sum, in the more granular of both units.
pub fn add<'a>(cx: &Cx<'a>, a: &Quantity<'a>, b: &Quantity<'a>) -> Out<'a> {
    in_common(cx, a, b, decimal::add)
}

/// Difference, in the more granular of both units.
pub fn subtract<'a>(cx: &Cx<'a>, a: &Quantity<'a>, b: &Quantity<'a>) -> Out<'a> {
    in_common(cx, a, b, decimal::subtract)
}

/// Remainder, in the more granular of both units.
pub fn modulo<'a>(cx: &Cx<'a>, a: &Quantity<'a>, b: &Quantity<'a>) -> Out<'a> {
    in_common(cx, a, b, decimal::modulo)
}

/// Truncated division. The conformance suite has its result in the unit of the operands
/// (`10.0 'g' div 5.0 'g'` is `2.0 'g'`).
pub fn truncated_divide<'a>(cx: &Cx<'a>, a: &Quantity<'a>, b: &Quantity<'a>) -> Out<'a> {
    in_common(cx, a, b, decimal::truncated_divide)
}

/// Product.
pub fn multiply<'a>(cx: &Cx<'a>, a: &Quantity<'a>, b: &Quantity<'a>) -> Out<'a> {
    combine(cx, a, b, false)
}

/// Quotient; null where the divisor is zero.
pub fn divide<'a>(cx: &Cx<'a>, a: &Quantity<'a>, b: &Quantity<'a>) -> Out<'a> {
    combine(cx, a, b, true)
}

/// The unit of a product or quotient; `None`, and noted, where there is none.
fn product_unit(cx: &Cx<'_>, a: &Quantity<'_>, b: &Quantity<'_>, divide: bool) -> Option<String> {
    let unit = cx.units.product(a.unit, b.unit, divide);
    if unit.is_none() {
        note(cx, a.unit, b.unit);
    }
    unit
}

fn times(cx: &Cx<'_>, a: &Quantity<'_>, b: &Quantity<'_>) -> Option<(Decimal, String)> {
    let (a, b) = quantity::factors(a, b, cx.units);
    let unit = product_unit(cx, &a, &b, false)?;
    Some((decimal::multiply(a.value, b.value)?, unit))
}

fn combine<'a>(cx: &Cx<'a>, a: &Quantity<'a>, b: &Quantity<'a>, divide: bool) -> Out<'a> {
    let (a, b) = quantity::factors(a, b, cx.units);
    let Some(unit) = product_unit(cx, &a, &b, divide) else {
        return Ok(Val::Null);
    };
    let value = if divide {
        decimal::divide(a.value, b.value)
    } else {
        decimal::multiply(a.value, b.value)
    };
    match value {
        Some(value) => cx.quantity(value, cx.text(&unit)?),
        None => Ok(Val::Null),
    }
}

/// The opposite.
pub fn negate<'a>(cx: &Cx<'a>, a: &Quantity<'a>) -> Out<'a> {
    cx.quantity(decimal::negate(a.value), a.unit)
}

/// Without sign.
pub fn abs<'a>(cx: &Cx<'a>, a: &Quantity<'a>) -> Out<'a> {
    cx.quantity(a.value.abs(), a.unit)
}

/// The numerator by the denominator.
pub fn of_ratio<'a>(cx: &Cx<'a>, ratio: &Ratio<'a>) -> Out<'a> {
    divide(cx, &ratio.numerator, &ratio.denominator)
}

/// `a ~ b` of ratios: the same quotient (`1:100 ~ 10:1000`).
pub fn equivalent_ratios(cx: &Cx<'_>, a: &Ratio<'_>, b: &Ratio<'_>) -> bool {
    // Multiplied across, since a quotient is rounded.
    let left = times(cx, &a.numerator, &b.denominator);
    let right = times(cx, &b.numerator, &a.denominator);
    let (Some((x, x_unit)), Some((y, y_unit))) = (left, right) else {
        return false;
    };
    let quantity = |value, unit| Quantity { value, unit };
    equivalent(cx, &quantity(x, &x_unit), &quantity(y, &y_unit))
}

/// A number as a quantity of the default unit.
pub fn of_number(value: &Val<'_>) -> Option<Decimal> {
    match value {
        Val::Integer(i) => Some(Decimal::from(*i)),
        Val::Long(i) => Some(Decimal::from(*i)),
        Val::Decimal(d) => Some(*d),
        _ => None,
    }
}

/// A quantity, or a number as one.
pub fn of<'a>(value: Val<'a>) -> Option<Quantity<'a>> {
    match value {
        Val::Quantity(quantity) => Some(*quantity),
        number => of_number(&number).map(|value| Quantity { value, unit: "1" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::testing::run;

    fn q(text: &'static str) -> Quantity<'static> {
        let (value, unit) = text.split_once(' ').unwrap();
        Quantity {
            value: value.parse().unwrap(),
            unit,
        }
    }

    fn text(out: Out<'_>) -> String {
        match out.unwrap() {
            Val::Quantity(q) => format!("{} {}", q.value.normalize(), q.unit),
            Val::Null => "null".to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn equality_and_order() {
        run(|cx| {
            let equal = |a, b| equal(cx, &q(a), &q(b));
            assert_eq!(equal("1 cm", "0.01 m"), Some(true));
            assert_eq!(equal("2.0 cm", "2.00 cm"), Some(true));
            assert_eq!(equal("1 cm", "1 cm2"), None);
            assert_eq!(equal("1 foo", "1 foo"), Some(true));
            assert_eq!(equal("1 foo", "1 cm"), None);
            assert_eq!(equal("5 1", "5 {score}"), Some(true));
            for (a, b) in [
                ("1 millisecond", "1 ms"),
                ("1 seconds", "1 s"),
                ("1 minute", "1 minutes"),
                ("1 hours", "1 h"),
                ("1 day", "24 hours"),
                ("1 weeks", "1 wk"),
                ("1 week", "7 days"),
                ("1 year", "12 months"),
                ("1 second", "1000 milliseconds"),
            ] {
                assert_eq!(equal(a, b), Some(true), "{a} {b}");
            }
            for (a, b) in [
                ("1 month", "1 mo"),
                ("1 years", "1 a"),
                ("1 year", "365 days"),
                ("1 month", "30 d"),
                ("0 month", "0 kg"),
            ] {
                assert_eq!(equal(a, b), None, "{a} {b}");
            }
            let order = |a, b| compare(cx, &q(a), &q(b));
            assert_eq!(order("1 m", "10 cm"), Some(Ordering::Greater));
            assert_eq!(order("98.6 [degF]", "37 Cel"), Some(Ordering::Equal));
            assert_eq!(order("98.7 [degF]", "37 Cel"), Some(Ordering::Greater));
            assert_eq!(order("13 months", "1 year"), Some(Ordering::Greater));
            assert_eq!(cx.notes.units.borrow().len(), 7);
        });
    }

    #[test]
    fn equivalence() {
        run(|cx| {
            let same = |a, b| equivalent(cx, &q(a), &q(b));
            for (a, b) in [
                ("1 month", "1 mo"),
                ("1 years", "1 a"),
                ("1 year", "12 mo"),
                ("1 year", "12 months"),
                ("1 year", "365 days"),
                ("1 month", "30 days"),
                ("720 h", "1 month"),
                ("100 cm", "1 m"),
                ("1.001 cm", "1.000 cm"),
            ] {
                assert!(same(a, b), "{a} {b}");
            }
            assert!(!same("1 month", "31 days"));
            assert!(!same("10 a", "3650 d"));
            assert!(!same("1 month", "1 kg"));
            assert!(!same("1 cm", "1 m"));
            assert!(!same("1.5 cm", "1.55 cm"));
        });
    }

    #[test]
    fn sums() {
        run(|cx| {
            let plus = |a, b| text(add(cx, &q(a), &q(b)));
            assert_eq!(plus("1 g/cm3", "1 g/cm3"), "2 g/cm3");
            assert_eq!(plus("1 m", "1 cm"), "101 cm");
            assert_eq!(plus("1 cm", "1 m"), "101 cm");
            assert_eq!(plus("1 year", "1 month"), "13 month");
            assert_eq!(plus("1 month", "1 d"), "null");
            assert_eq!(plus("1 cm", "1 cm2"), "null");
            assert_eq!(plus("99999999999999999999 g", "1 g"), "null");
            assert_eq!(plus("99999999999999999999 kg", "1 g"), "null");
            assert_eq!(text(subtract(cx, &q("1 cm"), &q("2 cm"))), "-1 cm");
            assert_eq!(text(modulo(cx, &q("3.5 cm"), &q("3 cm"))), "0.5 cm");
            assert_eq!(text(modulo(cx, &q("10 g"), &q("0 g"))), "null");
            assert_eq!(text(truncated_divide(cx, &q("10 g"), &q("5 g"))), "2 g");
        });
    }

    #[test]
    fn products() {
        run(|cx| {
            let times = |a, b| text(multiply(cx, &q(a), &q(b)));
            assert_eq!(times("1 cm", "2 cm"), "2 cm2");
            assert_eq!(times("3 cm", "12 cm2"), "36 cm3");
            assert_eq!(times("2 m", "3 cm"), "600 cm2");
            assert_eq!(times("2 g/cm3", "3 cm3"), "6 g");
            assert_eq!(times("2 mg/d", "3 days"), "6 mg");
            assert_eq!(times("2 1", "3 {eskimo_kisses}"), "6 {eskimo_kisses}");
            assert_eq!(times("2 month", "3 1"), "6 month");
            assert_eq!(times("2 month", "3 month"), "null");
            assert_eq!(times("2 Cel", "3 cm"), "null");
            assert_eq!(times("2 foo", "3 cm"), "null");
            assert_eq!(times("2 mmol/L", "0.5 L"), "1 mmol");
            let by = |a, b| text(divide(cx, &q(a), &q(b)));
            assert_eq!(by("1 g/cm3", "1 g/cm3"), "1 1");
            assert_eq!(by("12 cm2", "3 cm"), "4 cm");
            assert_eq!(by("1 m", "1 cm"), "100 1");
            assert_eq!(by("10 mg", "4 d"), "2.5 mg/d");
            assert_eq!(by("10 1", "4 min"), "2.5 1/min");
            assert_eq!(by("2 years", "6 months"), "4 1");
            assert_eq!(by("1 cm", "0 cm"), "null");
            assert_eq!(by("5 mg", "2 1"), "2.5 mg");
        });
    }

    #[test]
    fn ratios() {
        run(|cx| {
            let r = |n, d| Ratio {
                numerator: q(n),
                denominator: q(d),
            };
            let same = |a, b| equivalent_ratios(cx, &a, &b);
            assert!(same(r("1 1", "100 1"), r("10 1", "1000 1")));
            assert!(same(r("1 1", "3 1"), r("2 1", "6 1")));
            assert!(same(r("1 m", "2 s"), r("50 cm", "1 s")));
            assert!(!same(r("1 cm", "2 cm"), r("3 cm", "2 cm")));
            assert_eq!(text(of_ratio(cx, &r("5 mg", "2 mL"))), "2.5 mg/mL");
        });
    }
}
