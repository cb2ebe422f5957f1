//! §21 Aggregate functions (CQL 1.5, appendix B) of statistics: median, mode, variance, standard
//! deviation, geometric mean. Nulls in the list are left out.
//!
//! Variances are of exact sums of squares, so nothing is lost to cancellation, and a standard
//! deviation is the root of the variance before it was rounded. As in the specification's examples
//! the result has the unit of the items, that of a variance too.

use std::cmp::Ordering;

use num_bigint::BigInt;
use rust_decimal::Decimal;

use crate::context::fault::{Fault, Out};
use crate::context::state::EvaluationState;
use crate::operators::aggregate::{in_one_unit, items};
use crate::operators::arithmetic::{self, decimal};
use crate::operators::operator::Attributes;
use crate::operators::{compare, equality, quantity};
use crate::values::value::Val;
use engine_patient::system::decimal;
use engine_patient::system::exponentials;

/// Sorted by the order of CQL; `None` where two items cannot be compared.
fn sorted<'a>(
    cx: &EvaluationState<'a>,
    mut items: Vec<Val<'a>>,
) -> Result<Option<Vec<Val<'a>>>, Fault> {
    let steps = items.len().checked_ilog2().unwrap_or(0) as usize;
    cx.charge(items.len().saturating_mul(steps))?;
    let (mut fault, mut unknown) = (None, false);
    items.sort_by(|a, b| match compare::order(cx, *a, *b) {
        Ok(Some(order)) => order,
        Ok(None) => {
            unknown = true;
            Ordering::Equal
        }
        Err(stop) => {
            fault = Some(stop);
            Ordering::Equal
        }
    });
    match fault {
        Some(stop) => Err(stop),
        None if unknown => Ok(None),
        None => Ok(Some(items)),
    }
}

/// `Median`: of an even number of items the mean of the two in the middle
pub fn median<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _extra: &Attributes) -> Out<'a> {
    let Some(sorted) = sorted(cx, items(cx, args)?)? else {
        return Ok(Val::Null);
    };
    let half = sorted.len() / 2;
    let Some(upper) = sorted.get(half).copied() else {
        return Ok(Val::Null);
    };
    let lower = if sorted.len() % 2 == 1 {
        upper
    } else {
        sorted.get(half - 1).copied().unwrap_or(upper)
    };
    if let Val::Quantity(_) = upper {
        if sorted.len() % 2 == 1 {
            return Ok(upper);
        }
        let sum = arithmetic::sum(cx, lower, upper)?;
        return arithmetic::quotient(cx, sum, Val::Integer(2));
    }
    let both = quantity::of_number(&lower).zip(quantity::of_number(&upper));
    let sum = both.and_then(|(lower, upper)| lower.checked_add(upper));
    decimal(sum.and_then(|sum| decimal::divide(sum, Decimal::TWO)))
}

/// `Mode`: of several as frequent ones the least, or the first where they have no order
pub fn mode<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _extra: &Attributes) -> Out<'a> {
    let items = items(cx, args)?;
    let mut best: Option<(Val<'a>, usize)> = None;
    let mut consider = |value, count| {
        if best.is_none_or(|(_, most)| count > most) {
            best = Some((value, count));
        }
    };
    if let Some(sorted) = sorted(cx, items.clone())? {
        let mut run: Option<(Val<'a>, usize)> = None;
        for item in sorted {
            run = match run {
                Some((value, count))
                    if compare::order(cx, value, item)? == Some(Ordering::Equal) =>
                {
                    Some((value, count + 1))
                }
                _ => Some((item, 1)),
            };
            if let Some((value, count)) = run {
                consider(value, count);
            }
        }
    } else {
        for (at, item) in items.iter().enumerate() {
            cx.charge(items.len() - at)?;
            let mut count = 1;
            for other in items.iter().skip(at + 1) {
                if equality::equal(cx, *item, *other)? == Some(true) {
                    count += 1;
                }
            }
            consider(*item, count);
        }
    }
    Ok(best.map_or(Val::Null, |(value, _)| value))
}

/// Numbers, and their unit where they are quantities.
type Numbers<'a> = (Vec<Decimal>, Option<&'a str>);

/// `None` where there is nothing to compute with.
fn numbers<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>]) -> Result<Option<Numbers<'a>>, Fault> {
    let items = items(cx, args)?;
    if items.iter().any(|item| matches!(item, Val::Quantity(_))) {
        return Ok(in_one_unit(cx, &items).map(|(all, unit)| (all, Some(unit))));
    }
    let all: Option<Vec<Decimal>> = items.iter().map(quantity::of_number).collect();
    Ok(all.map(|all| (all, None)))
}

/// The variance as a fraction: of `n` items, over `n` or, of a sample, over `n - 1`.
fn spread(all: &[Decimal], sample: bool) -> Option<(BigInt, BigInt)> {
    let count = BigInt::from(all.len());
    let over = if sample { &count - 1 } else { count.clone() };
    if over <= BigInt::ZERO {
        return None;
    }
    let scale = all.iter().map(Decimal::scale).max().unwrap_or(0);
    let (mut sum, mut squares) = (BigInt::ZERO, BigInt::ZERO);
    for value in all {
        let value = decimal::mantissa(*value) * decimal::ten(scale - value.scale());
        squares += &value * &value;
        sum += value;
    }
    // (n · Σx² - (Σx)²) / (n · over)
    let numerator = &count * squares - &sum * &sum;
    Some((numerator, count * over * decimal::ten(2 * scale)))
}

fn of_spread<'a>(
    cx: &EvaluationState<'a>,
    args: &[Val<'a>],
    sample: bool,
    finish: fn(&BigInt, &BigInt) -> Option<Decimal>,
) -> Out<'a> {
    let Some((all, unit)) = numbers(cx, args)? else {
        return Ok(Val::Null);
    };
    let value = spread(&all, sample).and_then(|(over, under)| finish(&over, &under));
    match (value, unit) {
        (None, _) => Ok(Val::Null),
        (Some(value), None) => Ok(Val::Decimal(value)),
        (Some(value), Some(unit)) => cx.quantity(value, unit),
    }
}

fn quotient(over: &BigInt, under: &BigInt) -> Option<Decimal> {
    decimal::fit(decimal::ratio(over, under, decimal::PLACES)?)
}

/// `Variance` of a sample: null of less than two items
pub fn variance<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _extra: &Attributes) -> Out<'a> {
    of_spread(cx, args, true, quotient)
}

/// `PopulationVariance`
pub fn population_variance<'a>(
    cx: &EvaluationState<'a>,
    args: &[Val<'a>],
    _extra: &Attributes,
) -> Out<'a> {
    of_spread(cx, args, false, quotient)
}

/// `StdDev` of a sample: null of less than two items
pub fn std_dev<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _extra: &Attributes) -> Out<'a> {
    of_spread(cx, args, true, exponentials::square_root)
}

/// `PopulationStdDev`
pub fn population_std_dev<'a>(
    cx: &EvaluationState<'a>,
    args: &[Val<'a>],
    _extra: &Attributes,
) -> Out<'a> {
    of_spread(cx, args, false, exponentials::square_root)
}

/// `GeometricMean`: the root of the product, so null of an odd number of negative items
pub fn geometric_mean<'a>(
    cx: &EvaluationState<'a>,
    args: &[Val<'a>],
    _extra: &Attributes,
) -> Out<'a> {
    let items = items(cx, args)?;
    let Some(all) = items
        .iter()
        .map(quantity::of_number)
        .collect::<Option<Vec<Decimal>>>()
    else {
        return Ok(Val::Null);
    };
    // A logarithm of many digits for each.
    cx.charge(all.len().saturating_mul(64))?;
    if all.iter().any(Decimal::is_zero) {
        return Ok(Val::Decimal(Decimal::ZERO));
    }
    if all.iter().filter(|v| v.is_sign_negative()).count() % 2 == 1 {
        return Ok(Val::Null);
    }
    let sizes: Vec<Decimal> = all.iter().map(Decimal::abs).collect();
    decimal(exponentials::geometric_mean(&sizes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::testing::{read_list, run, show};

    type Operator = for<'a> fn(&EvaluationState<'a>, &[Val<'a>], &Attributes) -> Out<'a>;

    fn check(operator: Operator, cases: &[(&str, &str)]) {
        run(|cx| {
            for (list, expected) in cases {
                let got = operator(cx, &[read_list(cx, list)], &Attributes::default());
                assert_eq!(show(got.unwrap()), *expected, "{list}");
            }
            let got = operator(cx, &[Val::Null], &Attributes::default());
            assert_eq!(show(got.unwrap()), "null");
        });
    }

    #[test]
    fn medians() {
        check(
            median,
            &[
                ("2.0, 4.0, 8.0, 6.0", "5"),
                ("1, 2", "1.5"),
                ("3, null, 1, 2", "2"),
                ("1.0 'mg', 2.0 'mg', 3.0 'mg'", "2.0 'mg'"),
                ("1 'm', 20 'cm'", "60 'cm'"),
                ("1 'm', 20 'g'", "null"),
                ("null", "null"),
                ("", "null"),
            ],
        );
    }

    #[test]
    fn modes() {
        check(
            mode,
            &[
                ("2, 1, 8, 2, 9, 1, 9, 9", "9"),
                ("2, 1, 2, 1", "1"),
                ("'b', 'a', 'b'", "'b'"),
                (
                    "@2012-10-05T, @2012-09-05T, @2012-10-06T, @2012-09-05T",
                    "@2012-09-05T",
                ),
                ("@2012, @2012-05, @2012-05", "@2012-05"),
                (
                    "@T15:59:59.999, @T05:59:59.999, @T05:59:59.999",
                    "@T05:59:59.999",
                ),
                ("1 'm', 2 'g', 100 'cm'", "1 'm'"),
                ("true, false, true", "true"),
                ("null", "null"),
                ("", "null"),
            ],
        );
    }

    #[test]
    fn deviations() {
        check(
            variance,
            &[
                ("1.0, 2.0, 3.0, 4.0, 5.0", "2.5"),
                ("1.0", "null"),
                ("", "null"),
            ],
        );
        check(
            population_variance,
            &[
                ("1.0, 2.0, 3.0, 4.0, 5.0", "2"),
                ("1.0", "0"),
                ("1 'mg', 2 'mg', 3 'mg', 4 'mg', 5 'mg'", "2 'mg'"),
                ("1 'm', 200 'cm', 3 'm'", "0.66666667 'm'"),
                ("1 'm', 200 'g'", "null"),
                ("null, null", "null"),
            ],
        );
        check(
            std_dev,
            &[
                ("1.0, 2.0, 3.0, 4.0, 5.0", "1.58113883"),
                (
                    "10000000000000000000.1, 10000000000000000000.2",
                    "0.07071068",
                ),
                ("1", "null"),
            ],
        );
        check(
            population_std_dev,
            &[("1.0, 2.0, 3.0, 4.0, 5.0", "1.41421356"), ("", "null")],
        );
    }

    #[test]
    fn geometric_means() {
        check(
            geometric_mean,
            &[
                ("2.0, 8.0", "4"),
                ("2, 8, null", "4"),
                ("-2.0, -8.0", "4"),
                ("-2.0, 8.0", "null"),
                ("0.0, 8.0", "0"),
                ("null", "null"),
                ("", "null"),
            ],
        );
    }
}
