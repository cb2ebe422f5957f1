//! §13 logical operators (those that need both operands) and §14 nullological operators.

use crate::context::fault::{Fault, Out};
use crate::context::state::EvaluationState;
use crate::operators::operator::Attributes;
use crate::values::value::{Val, truth};

fn first(args: &[Val<'_>]) -> Option<bool> {
    args.first().and_then(Val::truth)
}

/// Null where an operand is null.
pub fn xor<'a>(_: &EvaluationState<'a>, args: &[Val<'a>], _: &Attributes) -> Out<'a> {
    match args {
        [a, b] => Ok(truth(a.truth().zip(b.truth()).map(|(a, b)| a != b))),
        _ => Err(Fault::bug("`Xor` is of two operands")),
    }
}

/// Null of null.
pub fn not<'a>(_: &EvaluationState<'a>, args: &[Val<'a>], _: &Attributes) -> Out<'a> {
    Ok(truth(first(args).map(|b| !b)))
}

/// Never null.
pub fn is_null<'a>(_: &EvaluationState<'a>, args: &[Val<'a>], _: &Attributes) -> Out<'a> {
    Ok(Val::Boolean(args.first().is_none_or(Val::is_null)))
}

/// Null is not true.
pub fn is_true<'a>(_: &EvaluationState<'a>, args: &[Val<'a>], _: &Attributes) -> Out<'a> {
    Ok(Val::Boolean(first(args) == Some(true)))
}

/// Null is not false.
pub fn is_false<'a>(_: &EvaluationState<'a>, args: &[Val<'a>], _: &Attributes) -> Out<'a> {
    Ok(Val::Boolean(first(args) == Some(false)))
}
