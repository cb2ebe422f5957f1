//! Calculation. What has no result (division by zero, more than 28 digits) gives nothing.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::ast::Operator;
use super::item::{Item, Scalar, Stop, failed};

pub(super) fn binary<'a>(
    operator: Operator,
    left: &Item<'_>,
    right: &Item<'_>,
) -> Option<Item<'a>> {
    match (left.scalar()?, right.scalar()?) {
        (Scalar::Text(left), Scalar::Text(right)) if operator == Operator::Add => {
            Some(Item::Text(Cow::Owned(format!("{left}{right}"))))
        }
        (Scalar::Int(left), Scalar::Int(right)) => match operator {
            Operator::Add => left.checked_add(right).map(Item::Int),
            Operator::Subtract => left.checked_sub(right).map(Item::Int),
            Operator::Multiply => left.checked_mul(right).map(Item::Int),
            _ => decimal(operator, left.into(), right.into()),
        },
        _ => decimal(operator, left.number()?, right.number()?),
    }
}

fn decimal<'a>(operator: Operator, left: Decimal, right: Decimal) -> Option<Item<'a>> {
    let result = match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Divide => left.checked_div(right),
        _ => None,
    };
    result.map(|d| Item::Decimal(d.normalize()))
}

pub(super) fn negate<'a>(operand: &Item<'_>) -> Option<Item<'a>> {
    match operand.scalar()? {
        Scalar::Int(i) => i.checked_neg().map(Item::Int),
        Scalar::Decimal(d) => Some(Item::Decimal(-d)),
        _ => None,
    }
}

/// `left & right`: nothing counts as an empty text.
pub(super) fn concatenated<'a>(
    left: Option<Item<'_>>,
    right: Option<Item<'_>>,
) -> Result<Item<'a>, Stop> {
    let mut out = String::new();
    for operand in [left, right].into_iter().flatten() {
        match operand.text() {
            Some(text) => out.push_str(&text),
            None => return failed("an operand of `&` that is no text"),
        }
    }
    Ok(Item::Text(Cow::Owned(out)))
}
