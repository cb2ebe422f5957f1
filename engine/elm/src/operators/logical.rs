//! §13 logical operators (those that need both operands) and §14 nullological operators.

use crate::context::cx::{Cx, Extra, Out};
use crate::values::value::{Val, truth};

fn first(args: &[Val<'_>]) -> Option<bool> {
    args.first().and_then(Val::truth)
}

/// Null where an operand is null.
pub fn xor<'a>(_: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    Ok(match args {
        [a, b] => truth(a.truth().zip(b.truth()).map(|(a, b)| a != b)),
        _ => Val::Null,
    })
}

/// Null of null.
pub fn not<'a>(_: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    Ok(truth(first(args).map(|b| !b)))
}

/// Never null.
pub fn is_null<'a>(_: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    Ok(Val::Boolean(args.first().is_none_or(Val::is_null)))
}

/// Null is not true.
pub fn is_true<'a>(_: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    Ok(Val::Boolean(first(args) == Some(true)))
}

/// Null is not false.
pub fn is_false<'a>(_: &Cx<'a>, args: &[Val<'a>], _: &Extra) -> Out<'a> {
    Ok(Val::Boolean(first(args) == Some(false)))
}
