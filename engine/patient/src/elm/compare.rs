//! §12 Comparison operators.

use std::cmp::Ordering;

use super::cx::{Cx, Fault};
use super::value::Val;

/// `a = b`: null where it cannot be told.
pub fn equal<'a>(_cx: &Cx<'a>, _a: Val<'a>, _b: Val<'a>) -> Result<Option<bool>, Fault> {
    Ok(None)
}

/// `a ~ b`: never null.
pub fn equivalent<'a>(_cx: &Cx<'a>, _a: Val<'a>, _b: Val<'a>) -> Result<bool, Fault> {
    Ok(false)
}

/// Which comes first; null where it cannot be told.
pub fn order<'a>(_cx: &Cx<'a>, _a: Val<'a>, _b: Val<'a>) -> Result<Option<Ordering>, Fault> {
    Ok(None)
}
