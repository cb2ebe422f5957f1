//! Operands of conditions and operators: at most one value, or a collection to compare.

use super::ast::Operator;
use super::compare;
use super::eval::{Around, eval, finished};
use super::expr::{Comparison, Expr};
use super::item::{Flow, Item, Several, Sink, Stop, failed};

pub(super) fn exists<'a>(base: &'a Expr, around: &Around<'_, 'a>) -> Result<bool, Stop> {
    let mut found = false;
    finished(eval(base, around, &mut |_| {
        found = true;
        Err(Stop::Enough)
    }))?;
    Ok(found)
}

/// At most one value, or an error.
pub(super) fn single<'a>(
    expr: &'a Expr,
    around: &Around<'_, 'a>,
    several: &'static str,
) -> Result<Option<Item<'a>>, Stop> {
    let mut found = None;
    eval(expr, around, &mut |item| match found.replace(item) {
        None => Ok(()),
        Some(_) => failed(several),
    })?;
    Ok(found)
}

/// The value as a condition: one value that is no boolean counts as true (FHIRPath, "Singleton
/// Evaluation of Collections").
pub(super) fn truth<'a>(expr: &'a Expr, around: &Around<'_, 'a>) -> Result<Option<bool>, Stop> {
    let found = single(expr, around, "several values where one boolean is needed")?;
    Ok(found.map(|item| match item {
        Item::Bool(value) => value,
        Item::Element(element) => element.as_bool().unwrap_or(true),
        _ => true,
    }))
}

/// `decisive` is what one operand alone decides for: `false` for `and`, `true` for `or`.
pub(super) fn logic<'a>(
    operands: &'a [Expr],
    decisive: bool,
    around: &Around<'_, 'a>,
    sink: Sink<'_, 'a>,
) -> Flow {
    let mut unknown = false;
    for operand in operands {
        match truth(operand, around)? {
            Some(value) if value == decisive => return sink(Item::Bool(decisive)),
            Some(_) => {}
            None => unknown = true,
        }
    }
    if unknown {
        Ok(())
    } else {
        sink(Item::Bool(!decisive))
    }
}

pub(super) fn compared<'a>(
    operator: Operator,
    how: Comparison,
    left: &'a Expr,
    right: &'a Expr,
    around: &Around<'_, 'a>,
    sink: Sink<'_, 'a>,
) -> Flow {
    let mut operands = [Several::None, Several::None];
    for (operand, expr) in operands.iter_mut().zip([left, right]) {
        eval(expr, around, &mut |item| {
            operand.push(item);
            Ok(())
        })?;
    }
    let [left, right] = &operands;
    let (left, right) = (left.as_slice(), right.as_slice());
    if left.is_empty() || right.is_empty() {
        return Ok(());
    }
    let result = match (operator, left, right) {
        (Operator::Equal, ..) => compare::all_equal(how, left, right),
        (Operator::NotEqual, ..) => compare::all_equal(how, left, right).map(|same| !same),
        (_, [left], [right]) => compare::order(how, left, right).map(|o| match operator {
            Operator::Less => o.is_lt(),
            Operator::LessOrEqual => o.is_le(),
            Operator::Greater => o.is_gt(),
            _ => o.is_ge(),
        }),
        _ => return failed("several values as an operand of a comparison"),
    };
    result.map_or(Ok(()), |value| sink(Item::Bool(value)))
}
