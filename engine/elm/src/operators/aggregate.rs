//! §21 Aggregate functions (CQL 1.5, appendix B), those that need no order or roots; `statistics.rs`
//! has the others. Nulls in the list are left out.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use crate::context::cx::{Cx, Extra, Fault, Out};
use crate::operators::arithmetic::{self, decimal, operand};
use crate::operators::{compare, quantity};
use crate::values::value::{Quantity, Val};
use engine_patient::system::decimal;

/// The items of the list that are not null; none of a null list.
pub(crate) fn items<'a>(cx: &Cx<'a>, args: &[Val<'a>]) -> Result<Vec<Val<'a>>, Fault> {
    let Val::List(list) = operand(args, 0) else {
        return Ok(Vec::new());
    };
    cx.charge(list.len())?;
    Ok(list
        .iter()
        .copied()
        .filter(|item| !item.is_null())
        .collect())
}

/// `AllTrue`: true of an empty list
pub fn all_true<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let all = items(cx, args)?
        .iter()
        .all(|item| item.truth() != Some(false));
    Ok(Val::Boolean(all))
}

/// `AnyTrue`: false of an empty list
pub fn any_true<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let any = items(cx, args)?
        .iter()
        .any(|item| item.truth() == Some(true));
    Ok(Val::Boolean(any))
}

/// `Count`: 0 of a null list
pub fn count<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let Val::List(list) = operand(args, 0) else {
        return Ok(Val::Integer(0));
    };
    cx.charge(list.len() / 16)?;
    let count = list.iter().filter(|item| !item.is_null()).count();
    Ok(i32::try_from(count).map_or(Val::Null, Val::Integer))
}

/// Items that are all Integers or Longs, and whether one is a Long.
fn integers(items: &[Val<'_>]) -> Option<(Vec<i128>, bool)> {
    let mut long = false;
    let all = items.iter().map(|item| match item {
        Val::Integer(v) => Some(i128::from(*v)),
        Val::Long(v) => {
            long = true;
            Some(i128::from(*v))
        }
        _ => None,
    });
    let all = all.collect::<Option<Vec<i128>>>()?;
    Some((all, long))
}

fn integer<'a>(value: Option<i128>, long: bool) -> Val<'a> {
    let value = value.map(|v| {
        if long {
            i64::try_from(v).map(Val::Long).ok()
        } else {
            i32::try_from(v).map(Val::Integer).ok()
        }
    });
    value.flatten().unwrap_or(Val::Null)
}

/// The sum of items, at least one. Only the sum itself need fit, not what is on the way to it.
fn total<'a>(cx: &Cx<'a>, items: &[Val<'a>]) -> Out<'a> {
    if let Some((all, long)) = integers(items) {
        let sum = all.into_iter().try_fold(0i128, i128::checked_add);
        return Ok(integer(sum, long));
    }
    if let Some(all) = items
        .iter()
        .map(quantity::of_number)
        .collect::<Option<Vec<Decimal>>>()
    {
        return decimal(decimal_sum(&all).and_then(decimal::fit));
    }
    let mut sum: Option<Val<'a>> = None;
    for item in items {
        sum = Some(match sum {
            Some(sum) => arithmetic::sum(cx, sum, *item)?,
            None => *item,
        });
    }
    Ok(sum.unwrap_or(Val::Null))
}

/// Not rounded; `None` where it is far out of range.
pub(crate) fn decimal_sum(all: &[Decimal]) -> Option<Decimal> {
    all.iter()
        .try_fold(Decimal::ZERO, |sum, v| sum.checked_add(*v))
}

/// `Sum`
pub fn sum<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let items = items(cx, args)?;
    if items.is_empty() {
        return Ok(Val::Null);
    }
    total(cx, &items)
}

/// The product of quantities has the unit of its factors in the specification's example
/// (`Product({ 1.0 'mg', 2.0 'mg' })` is `2.0 'mg'`).
fn quantity_product<'a>(cx: &Cx<'a>, items: &[Val<'a>]) -> Out<'a> {
    let Some((all, unit)) = in_one_unit(cx, items) else {
        return Ok(Val::Null);
    };
    let product = all.into_iter().try_fold(Decimal::ONE, decimal::multiply);
    match product {
        Some(value) => cx.quantity(value, unit),
        None => Ok(Val::Null),
    }
}

/// Quantities, or numbers among them, as values in the unit of the first quantity.
pub(crate) fn in_one_unit<'a>(cx: &Cx<'a>, items: &[Val<'a>]) -> Option<(Vec<Decimal>, &'a str)> {
    let all: Vec<Quantity<'a>> = items
        .iter()
        .map(|item| quantity::of(*item))
        .collect::<Option<_>>()?;
    let unit = all.first()?.unit;
    let mut values = Vec::with_capacity(all.len());
    for q in &all {
        match cx.units.convert(q.value, q.unit, unit) {
            Ok(value) => values.push(value),
            Err(_) => {
                quantity::note(cx, q.unit, unit);
                return None;
            }
        }
    }
    Some((values, unit))
}

/// `Product`
pub fn product<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let items = items(cx, args)?;
    if items.is_empty() {
        return Ok(Val::Null);
    }
    if let Some((all, long)) = integers(&items) {
        let zero = all.contains(&0);
        let product = all.into_iter().try_fold(1i128, i128::checked_mul);
        return Ok(integer(if zero { Some(0) } else { product }, long));
    }
    if items.iter().any(|item| matches!(item, Val::Quantity(_))) {
        return quantity_product(cx, &items);
    }
    let mut product = Val::Integer(1);
    for item in items {
        product = arithmetic::product(cx, product, item)?;
    }
    Ok(product)
}

/// `Avg`
pub fn avg<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    let items = items(cx, args)?;
    let count = Decimal::from(items.len());
    if let Some(all) = items
        .iter()
        .map(quantity::of_number)
        .collect::<Option<Vec<Decimal>>>()
    {
        return decimal(decimal_sum(&all).and_then(|sum| decimal::divide(sum, count)));
    }
    let sum = total(cx, &items)?;
    arithmetic::quotient(cx, sum, Val::Decimal(count))
}

/// The item that comes last in the order of `wanted`; null where it cannot be told.
fn extreme<'a>(cx: &Cx<'a>, args: &[Val<'a>], wanted: Ordering) -> Out<'a> {
    let items = items(cx, args)?;
    let Some(mut best) = items.first().copied() else {
        return Ok(Val::Null);
    };
    let mut sure = true;
    for item in items.iter().skip(1) {
        match compare::order(cx, *item, best)? {
            Some(order) if order == wanted => best = *item,
            Some(_) => {}
            None => sure = false,
        }
    }
    // Where some pair cannot be compared, such as dates of different precision, the best one found
    // must still be no worse than each of the others.
    if !sure {
        for item in &items {
            match compare::order(cx, *item, best)? {
                Some(order) if order != wanted => {}
                _ => return Ok(Val::Null),
            }
        }
    }
    Ok(best)
}

/// `Max`
pub fn max<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    extreme(cx, args, Ordering::Greater)
}

/// `Min`
pub fn min<'a>(cx: &Cx<'a>, args: &[Val<'a>], _extra: &Extra) -> Out<'a> {
    extreme(cx, args, Ordering::Less)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::testing::{read_list, run, show};

    type Operator = for<'a> fn(&Cx<'a>, &[Val<'a>], &Extra) -> Out<'a>;

    fn check(operator: Operator, cases: &[(&str, &str)]) {
        run(|cx| {
            for (list, expected) in cases {
                let got = operator(cx, &[read_list(cx, list)], &Extra::default());
                assert_eq!(show(got.unwrap()), *expected, "{list}");
            }
        });
    }

    fn of_null(operator: Operator) -> String {
        let mut out = String::new();
        run(|cx| out = show(operator(cx, &[Val::Null], &Extra::default()).unwrap()));
        out
    }

    #[test]
    fn truths() {
        check(
            all_true,
            &[
                ("true, true", "true"),
                ("true, false, true", "false"),
                ("null, true", "true"),
                ("null", "true"),
                ("", "true"),
            ],
        );
        check(
            any_true,
            &[
                ("false, true", "true"),
                ("null, false", "false"),
                ("", "false"),
            ],
        );
        assert_eq!(of_null(all_true), "true");
        assert_eq!(of_null(any_true), "false");
    }

    #[test]
    fn counts_and_sums() {
        check(
            count,
            &[("15, 5, 99, null, 1", "4"), ("", "0"), ("null", "0")],
        );
        assert_eq!(of_null(count), "0");
        check(
            sum,
            &[
                ("6.0, 2.0, 3.0", "11.0"),
                ("6L, 2L, 3", "11L"),
                ("1 'ml', 2 'ml', 5 'ml'", "8 'ml'"),
                ("1 'm', 2 'cm'", "102 'cm'"),
                ("1 'm', 2 'g'", "null"),
                ("null, 1, null", "1"),
                ("null", "null"),
                ("", "null"),
                ("2147483647, 1", "null"),
                ("2147483647, 1, -1", "2147483647"),
                (
                    "99999999999999999999.0, 1.0, -1.0",
                    "99999999999999999999.0",
                ),
                ("99999999999999999999.0, 1.0", "null"),
                ("1, 2.5", "3.5"),
                ("1..2, 3", "4..5"),
            ],
        );
        assert_eq!(of_null(sum), "null");
        check(
            product,
            &[
                ("5L, 4L, 5L", "100L"),
                ("5, 4, null", "20"),
                ("1.0, 2.5", "2.50"),
                ("1 'mg', 2 'mg', 3 'mg'", "6 'mg'"),
                (
                    "2147483647, 2147483647, 2147483647, 2147483647, 2147483647, 0",
                    "0",
                ),
                ("65536, 65536", "null"),
                ("", "null"),
                ("null", "null"),
            ],
        );
        check(
            avg,
            &[
                ("1.0, 2.0, 3.0, 6.0", "3"),
                ("1, 2", "1.5"),
                ("2147483647, 2147483647", "2147483647"),
                ("1.0, 1.0, 2.0", "1.33333333"),
                ("1 'm', 50 'cm'", "75 'cm'"),
                ("null", "null"),
                ("", "null"),
            ],
        );
    }

    #[test]
    fn extremes() {
        check(
            max,
            &[
                ("5, 12, null, 1", "12"),
                ("5L, 12L, 1L", "12L"),
                ("'hi', 'bye', 'zebra'", "'zebra'"),
                ("1 'm', 110 'cm', 1 'cm'", "110 'cm'"),
                ("1 'm', 1 'g'", "null"),
                ("@2012-10-05T, @2012-09-05T, @2012-10-06T", "@2012-10-06T"),
                ("@2012, @2012-05, @2013", "@2013"),
                ("@2012, @2012-05", "null"),
                ("@T15:59:59.999, @T05:59:59.999", "@T15:59:59.999"),
                ("", "null"),
            ],
        );
        check(
            min,
            &[
                ("5, 12, null, 1", "1"),
                ("'hi', 'bye', 'zebra'", "'bye'"),
                ("1.5, 0.5", "0.5"),
                ("@2012, @2012-05, @2011", "@2011"),
                ("null", "null"),
            ],
        );
    }
}
