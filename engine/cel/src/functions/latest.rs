//! Which of several, by when they began.

use std::borrow::Cow;
use std::cmp::Ordering;

use engine_patient::record::Element;
use engine_patient::system::compare::compare;
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::zone::Zone;

use super::call::Call;
use super::dates::start_of;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::{FunctionInfo, PLAIN, Role};
use crate::operators::IMPRECISE;
use crate::value::Val;

pub(super) const ROWS: &[FunctionInfo] = &[
    FunctionInfo {
        name: "earliest",
        params: &[P::ListOfResources],
        returns: R::Item,
        code: earliest,
        role: Role::Item,
        doc: "The resource that began first; of several at the same moment, or of one day without times, the \
         one with the lower id. \
         Unknown for an empty list, and where dates do not tell.",
        example: "Encounter().earliest()",
        gives: "Encounter/visit",
        ..PLAIN
    },
    FunctionInfo {
        name: "latest",
        params: &[P::ListOfResources],
        returns: R::Item,
        code: latest,
        role: Role::Item,
        doc: "The resource that began last; of several at the same moment, or of one day without times, the \
         one with the higher id: for a number take `latestValue`, which tells where they differ. Unknown for an empty list, and where dates do not tell.",
        example: "Observation(\"hba1c\").latest()",
        gives: "Observation/a1c-3",
        ..PLAIN
    },
];

fn latest<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    match call.args {
        [Val::List(items)] => extreme(items, Ordering::Greater, call.zone()),
        _ => call.other_kind(),
    }
}

fn earliest<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    match call.args {
        [Val::List(items)] => extreme(items, Ordering::Less, call.zone()),
        _ => call.other_kind(),
    }
}

/// The resource that began last (`Greater`) or first (`Less`).
pub(super) fn extreme<'r>(items: &[Val<'r>], wanted: Ordering, zone: &Zone) -> Val<'r> {
    let mut best: Option<(Element<'r>, DateTime, &Val<'r>)> = None;
    let mut dated = vec![];
    for item in items {
        let (value, _) = item.item();
        let Val::Element(element) = value else {
            if let Some(reason) = value.why_unknown() {
                return Val::Unknown(reason.clone());
            }
            continue;
        };
        let start = match start_of(*element) {
            Ok(start) => start,
            Err(reason) => return Val::Unknown(reason),
        };
        dated.push(start);
        let better = match best {
            None => true,
            Some((other, time, _)) => {
                // By the first instant they can stand for; whether that is certain is asked below.
                let by_time = start.earliest(zone).cmp(&time.earliest(zone));
                let by_id = || element.get_str("id").cmp(&other.get_str("id"));
                by_time.then_with(by_id) == wanted
            }
        };
        if better {
            best = Some((*element, start, item));
        }
    }
    let Some((element, time, item)) = best else {
        return Val::unknown("there is none to take the date of");
    };
    // Of a resource that may not be in the list: it would be the one.
    if let (_, Some(reason)) = item.item() {
        return Val::Unknown(reason.clone());
    }
    let certain = |other: &DateTime| matches!(compare(time, *other, None, zone), Some(o) if o == wanted || o.is_eq());
    if dated.iter().all(certain) {
        Val::Element(element)
    } else {
        Val::unknown(IMPRECISE)
    }
}

/// The reason why of several resources of one day none is surely the last.
const ONE_DAY: &str =
    "several results are of one day without a time: which is the last is not known";

/// The resources of which one is the last, and why it cannot be told which.
pub(super) struct Candidates<'r> {
    /// Each with the date when it began, where that is known.
    pub(super) all: Vec<(Element<'r>, Option<DateTime>)>,
    pub(super) why: Cow<'r, str>,
}

/// The resource that began last, or those that may have: what surely began before one that surely is in
/// the list is none of them. Of several at the same moment the one with the higher id; a day without a
/// time is no moment, each of several may be the last of it.
pub(super) fn last_ones<'r>(
    items: &[Val<'r>],
    zone: &Zone,
) -> Result<Candidates<'r>, Cow<'r, str>> {
    let mut all = vec![];
    let mut why = None;
    // The latest of those that are in the list and have a date.
    let mut sure: Option<(Element<'r>, DateTime)> = None;
    for item in items {
        let (value, maybe) = item.item();
        let Val::Element(element) = value else {
            match value.why_unknown() {
                Some(reason) => return Err(reason.clone()),
                None => continue,
            }
        };
        why = why.or(maybe.cloned());
        let start = start_of(*element);
        if let (Ok(start), None) = (&start, maybe) {
            let key = |e: Element<'r>, t: DateTime| (t.earliest(zone), e.get_str("id"));
            if sure.is_none_or(|(e, t)| key(e, t) < key(*element, *start)) {
                sure = Some((*element, *start));
            }
        }
        let start = start.map_err(|reason| why = why.take().or(Some(reason)));
        all.push((*element, start.ok(), maybe.is_some()));
    }
    if all.iter().all(|(.., maybe)| *maybe) {
        return Err(why.unwrap_or("there is none to take the value of".into()));
    }
    let mut tied = false;
    let mut all: Vec<_> = all.into_iter().map(|(e, start, _)| (e, start)).collect();
    if let Some((last, time)) = sure {
        all.retain(|(element, start)| {
            let order = start.and_then(|start| compare(start, time, None, zone));
            match order {
                Some(Ordering::Less) => false,
                Some(Ordering::Equal) if time.precision > Precision::Day => {
                    element.get_str("id") >= last.get_str("id")
                }
                Some(Ordering::Equal) => {
                    tied |= element.index != last.index;
                    true
                }
                _ => true,
            }
        });
    }
    let other = if tied { ONE_DAY } else { IMPRECISE };
    let why = why.unwrap_or(other.into());
    Ok(Candidates { all, why })
}
