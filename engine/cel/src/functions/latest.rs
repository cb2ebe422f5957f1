//! Which of several, by when they began.

use std::borrow::Cow;
use std::cmp::Ordering;

use engine_patient::record::Element;
use engine_patient::system::compare::compare;
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::zone::Zone;

use super::call::Call;
use super::moments::start_of;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::{FunctionInfo, PLAIN, Role};
use crate::either::either;
use crate::operators::IMPRECISE;
use crate::value::Val;

pub(super) const ROWS: &[FunctionInfo] = &[
    FunctionInfo {
        name: "earliest",
        params: &[P::ListOfResources],
        returns: R::Item,
        code: earliest,
        role: Role::Item,
        doc: "The resource that began first. Where it cannot be told which of several is, as of one day without \
         times or of one moment, what all of them answer is known, and their numbers lie between the least and the \
         greatest. Unknown for an empty list.",
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
        doc: "The resource that began last. Where it cannot be told which of several is, as of one day without \
         times or of one moment, what all of them answer is known, and their numbers lie between the least and the \
         greatest. Unknown for an empty list.",
        example: "Observation(\"hba1c\").latest()",
        gives: "Observation/a1c-3",
        ..PLAIN
    },
];

fn latest<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    one(call, Wanted::Last)
}

fn earliest<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    one(call, Wanted::First)
}

fn one<'r>(call: &Call<'_, 'r>, wanted: Wanted) -> Val<'r> {
    let [Val::List(items)] = call.args else {
        return call.other_kind();
    };
    if items.is_empty() {
        return Val::unknown("there is none to take the date of");
    }
    match candidates(items, wanted, call.zone()) {
        Ok(found) => either(found.all.into_iter().map(|(e, _)| e).collect(), found.why),
        Err(reason) => Val::Unknown(reason),
    }
}

/// Which end of a list that is sorted by dates.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    First,
    Last,
}

/// The reasons why of several resources of one day, or of one moment, none is surely the one.
const ONE_DAY: &str =
    "several results are of one day without a time: which is the last is not known";
const ONE_MOMENT: &str = "several results are of one moment: which is the last is not known";

/// The resources of which one is the last, and why it cannot be told which.
pub(super) struct Candidates<'r> {
    /// Each with the date when it began, where that is known.
    pub(super) all: Vec<(Element<'r>, Option<DateTime>)>,
    pub(super) why: Cow<'r, str>,
}

/// The resource that began last, or those that may have.
pub(super) fn last_ones<'r>(
    items: &[Val<'r>],
    zone: &Zone,
) -> Result<Candidates<'r>, Cow<'r, str>> {
    candidates(items, Wanted::Last, zone)
}

/// The resource that is wanted, or those that may be it: what surely began before one that surely is in the
/// list is not the last. Of several of one day without times, or of one moment, each may be.
fn candidates<'r>(
    items: &[Val<'r>],
    wanted: Wanted,
    zone: &Zone,
) -> Result<Candidates<'r>, Cow<'r, str>> {
    let mut all = vec![];
    let mut why = None;
    // Of those that are in the list and have a date the one that is wanted.
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
            let better = sure.is_none_or(|(_, other)| match wanted {
                Wanted::Last => other.earliest(zone) < start.earliest(zone),
                Wanted::First => other.latest(zone) > start.latest(zone),
            });
            if better {
                sure = Some((*element, *start));
            }
        }
        let start = start.map_err(|reason| why = why.take().or(Some(reason)));
        all.push((*element, start.ok(), maybe.is_some()));
    }
    if all.iter().all(|(.., maybe)| *maybe) {
        return Err(why.unwrap_or("there is none to take the value of".into()));
    }
    let mut tied = None;
    let mut all: Vec<_> = all.into_iter().map(|(e, start, _)| (e, start)).collect();
    if let Some((one, time)) = sure {
        let out = match wanted {
            Wanted::Last => Ordering::Less,
            Wanted::First => Ordering::Greater,
        };
        all.retain(|(element, start)| {
            let order = start.and_then(|start| compare(start, time, None, zone));
            if order == Some(Ordering::Equal) && element.index != one.index {
                tied = Some(match time.precision > Precision::Day {
                    true => ONE_MOMENT,
                    false => ONE_DAY,
                });
            }
            order != Some(out)
        });
    }
    let why = why.unwrap_or(tied.unwrap_or(IMPRECISE).into());
    Ok(Candidates { all, why })
}
