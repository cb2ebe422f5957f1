//! What is asked of one of several elements, of which it is not known which it is: each is asked, and what
//! all answer is known. Of numbers it is known between which they lie; of elements, and of what may be in a
//! list, which they may be.

use std::borrow::Cow;
use std::sync::Arc;

use engine_patient::record::Element;
use rust_decimal::Decimal;
use rustc_hash::FxHashSet;

use crate::value::Val;

/// One of the elements: that one where there is no other.
pub(crate) fn either<'r>(elements: Vec<Element<'r>>, why: Cow<'r, str>) -> Val<'r> {
    match elements.as_slice() {
        [one] => Val::Element(*one),
        _ => Val::Either(elements.into(), why),
    }
}

/// What the answers have in common; `why` says why not which it is.
pub(crate) fn united<'r>(
    answers: impl IntoIterator<Item = Val<'r>>,
    why: &Cow<'r, str>,
) -> Val<'r> {
    let mut all: Vec<Val<'r>> = vec![];
    for answer in answers {
        if let Val::Unknown(_) = answer {
            return answer;
        }
        all.push(answer);
    }
    if let Some((first, others)) = all.split_first()
        && others.iter().all(|other| is_same(first, other))
    {
        return first.clone();
    }
    let between = bounds(&all).map(|(least, most)| Val::Between(least, most, why.clone()));
    let elements = || elements(&all).map(|all| Val::Either(all.into(), why.clone()));
    let items = || perhaps_in(&all, why).map(|items| Val::List(items.into()));
    between
        .or_else(elements)
        .or_else(items)
        .unwrap_or_else(|| Val::Unknown(why.clone()))
}

fn is_same(a: &Val<'_>, b: &Val<'_>) -> bool {
    match (a, b) {
        (Val::Bool(a), Val::Bool(b)) => a == b,
        (Val::Int(a), Val::Int(b)) => a == b,
        (Val::Decimal(a), Val::Decimal(b)) => a == b,
        (Val::Str(a), Val::Str(b)) => a == b,
        (Val::Time(a), Val::Time(b)) => a == b,
        (Val::Duration(a), Val::Duration(b)) => a == b,
        (Val::Element(a), Val::Element(b)) => {
            std::ptr::eq(a.record, b.record) && a.index == b.index
        }
        (Val::List(a), Val::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| is_same(a, b))
        }
        _ => false,
    }
}

/// The least and the greatest, where all are numbers.
fn bounds(values: &[Val<'_>]) -> Option<(Decimal, Decimal)> {
    let mut all: Option<(Decimal, Decimal)> = None;
    for value in values {
        let (low, high) = match value {
            Val::Between(low, high, _) => (*low, *high),
            other => other.number().map(|number| (number, number))?,
        };
        let (least, most) = all.unwrap_or((low, high));
        all = Some((least.min(low), most.max(high)));
    }
    all
}

/// All of them, where they are elements.
fn elements<'r>(values: &[Val<'r>]) -> Option<Vec<Element<'r>>> {
    let (mut all, mut seen) = (vec![], FxHashSet::default());
    for value in values {
        let more = match value {
            Val::Element(element) => std::slice::from_ref(element),
            Val::Either(elements, _) => elements,
            _ => return None,
        };
        let place = |one: &Element<'r>| (std::ptr::from_ref(one.record).addr(), one.index);
        all.extend(more.iter().filter(|one| seen.insert(place(one))));
    }
    (!all.is_empty()).then_some(all)
}

/// What is in any of the lists: each may be in the one that is meant.
fn perhaps_in<'r>(lists: &[Val<'r>], why: &Cow<'r, str>) -> Option<Vec<Val<'r>>> {
    let mut all = vec![];
    for list in lists {
        let Val::List(items) = list else { return None };
        all.extend(items.iter().map(|item| match item {
            Val::Maybe(..) => item.clone(),
            item => Val::Maybe(Arc::new(item.clone()), why.clone()),
        }));
    }
    (!all.is_empty()).then_some(all)
}
