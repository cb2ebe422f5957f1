//! Doubt: what an outcome rests on although it could not be told.
//!
//! CQL's `where` drops a row of which it is null whether it holds, and `exists` then says "no". What is
//! counted stays that. But where the null comes from something that is there and cannot be read, from
//! a comparison that is not decided, or from a value set that is not here, the outcome is *unknown*,
//! and this module carries why, beside the values:
//!
//! * the mark of the context is raised where it happens, and is taken back by whatever decides without
//!   it: `and` by its other side, `exists` by an item that is there in any case;
//! * definitions and retrieves remember the mark with their value, slots with theirs;
//! * an interval of which a bound is unknown carries its mark itself, so that a comparison which the
//!   other bound decides stays certain;
//! * a list with a mark may know the items that are in it in any case, and those that may be missing.
//!
//! Nothing of this is touched as long as there is no doubt, but one cell.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::context::cx::{Cx, Fault, Out};
use crate::values::types::TypeId;
use crate::values::value::{Fhir, Interval, NO_NODE, Val};
use engine_patient::fhir::reading::path_of;
use engine_patient::record::{Element, PatientRecord};

/// A mark: none, or why there is doubt.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Doubt(u32);

impl Doubt {
    pub const NONE: Doubt = Doubt(0);
    /// The null beside it stands for a value that is there.
    const THERE: u32 = 1 << 31;

    #[inline]
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    #[inline]
    pub fn is_some(self) -> bool {
        self.0 != 0
    }

    /// Of two the first reason.
    #[inline]
    #[must_use]
    pub fn or(self, other: Doubt) -> Doubt {
        match (self.0, other.0) {
            (0, _) => other,
            (_, 0) => self,
            (a, b) => Doubt(a | (b & Self::THERE)),
        }
    }

    /// Whether a null with this mark is a value that is there and unknown, not one that is absent.
    pub fn is_there(self) -> bool {
        self.0 & Self::THERE != 0
    }
}

/// An item of a list, to be found again in a list that was made of it.
type Identity = (u8, usize, usize);
/// Items that are in a list in any case.
pub type Certain = Rc<FxHashSet<Identity>>;
/// An element of the record: where it stands, its shadow, its type.
type Place = (u32, u32, TypeId);
/// Elements that are not in a list and may belong into it; `None` where it could be anything.
pub type Perhaps = Option<Rc<Vec<Place>>>;

/// What is known of a list in doubt.
#[derive(Clone, Default)]
pub struct Known {
    pub certain: Certain,
    pub perhaps: Perhaps,
}

impl Known {
    /// Of a list without doubt nothing is missing.
    fn whole(items: &[Val<'_>]) -> Known {
        Known {
            certain: Rc::new(identities(items)),
            perhaps: Some(Rc::default()),
        }
    }
}

/// The marks of one patient's evaluation.
#[derive(Default)]
pub struct Doubts {
    now: Cell<Doubt>,
    reasons: RefCell<Vec<Arc<str>>>,
    /// Elements that were counted as unreadable, by place in the record, and their mark: where an
    /// element stands is found once.
    seen: RefCell<FxHashMap<u32, Doubt>>,
    /// Of lists in doubt, by place in the arena and length.
    lists: RefCell<FxHashMap<(usize, usize), Known>>,
    /// Of intervals with an unknown bound, by place in the arena.
    intervals: RefCell<FxHashMap<usize, Doubt>>,
    any_interval: Cell<bool>,
}

fn identity(value: &Val<'_>) -> Option<Identity> {
    fn place<T: ?Sized>(of: &T) -> usize {
        std::ptr::from_ref(of).cast::<u8>().addr()
    }
    Some(match value {
        Val::Fhir(f) if f.index != NO_NODE => (0, f.index as usize, 0),
        Val::Fhir(f) => (1, f.shadow as usize, 0),
        Val::Boolean(b) => (2, usize::from(*b), 0),
        Val::Integer(i) => (
            3,
            usize::try_from(i64::from(*i) - i64::from(i32::MIN)).ok()?,
            0,
        ),
        Val::String(text) => (4, place(*text), text.len()),
        Val::Tuple(of) => (5, place(*of), 0),
        Val::Interval(of) => (6, place(*of), 0),
        Val::List(items) => (7, place(*items), items.len()),
        Val::Quantity(of) => (8, place(*of), 0),
        Val::Code(of) => (9, place(*of), 0),
        Val::Concept(of) => (10, place(*of), 0),
        Val::Ratio(of) => (11, place(*of), 0),
        _ => return None,
    })
}

fn place_of(items: &[Val<'_>]) -> (usize, usize) {
    (items.as_ptr().addr(), items.len())
}

/// The items that a set can hold: all but nulls and what has no place.
fn identities(items: &[Val<'_>]) -> FxHashSet<Identity> {
    items.iter().filter_map(identity).collect()
}

impl<'a> Cx<'a> {
    /// The mark, taken away.
    #[inline]
    pub fn take_doubt(&self) -> Doubt {
        self.doubts.now.replace(Doubt::NONE)
    }

    /// The mark as it stands.
    #[inline]
    pub fn doubt(&self) -> Doubt {
        self.doubts.now.get()
    }

    /// Sets the mark.
    #[inline]
    pub fn set_doubt(&self, doubt: Doubt) {
        self.doubts.now.set(doubt);
    }

    /// Adds a mark to that which stands.
    #[inline]
    pub fn add_doubt(&self, doubt: Doubt) {
        if doubt.is_some() {
            self.doubts.now.set(self.doubts.now.get().or(doubt));
        }
    }

    /// A value and its own mark, which is not added to that which stands.
    pub fn apart(&self, work: impl FnOnce() -> Out<'a>) -> Result<(Val<'a>, Doubt), Fault> {
        let before = self.take_doubt();
        let value = work();
        let own = self.take_doubt();
        self.set_doubt(before);
        Ok((value?, own))
    }

    /// The mark with this reason. Reasons are texts of the library and ours, never data.
    pub fn reason(&self, reason: &str) -> Doubt {
        let mut reasons = self.doubts.reasons.borrow_mut();
        let found = reasons.iter().position(|r| **r == *reason);
        let at = found.unwrap_or_else(|| {
            reasons.push(reason.into());
            reasons.len() - 1
        });
        Doubt(u32::try_from(at + 1).unwrap_or(1))
    }

    /// Why there is doubt.
    pub fn why(&self, doubt: Doubt) -> Option<Arc<str>> {
        let at = (doubt.0 & !Doubt::THERE).checked_sub(1)?;
        self.doubts
            .reasons
            .borrow()
            .get(at as usize)
            .map(Arc::clone)
    }

    /// Notes that an element is there and cannot be read; raises the mark.
    pub fn unreadable(&self, element: Element<'_>) {
        let seen = self.doubts.seen.borrow().get(&element.index).copied();
        let doubt = seen.unwrap_or_else(|| {
            let path = path_of(element);
            self.notes.unreadable(&path);
            let Doubt(reason) = self.reason(&format!("`{path}` cannot be read"));
            let doubt = Doubt(reason | Doubt::THERE);
            self.doubts.seen.borrow_mut().insert(element.index, doubt);
            doubt
        });
        self.add_doubt(doubt);
    }

    /// Counts a message of severity Error, a run-time error (CQL 1.5 §24), and raises the mark: what
    /// rests on it is unknown, with the code for a reason.
    pub fn error(&self, code: &str) {
        self.notes.message(code);
        let Doubt(reason) = self.reason(&format!("the logic gives the error `{code}`"));
        self.add_doubt(Doubt(reason | Doubt::THERE));
    }

    /// Raises the mark of a value set that is not here, or not all of it.
    pub fn doubtful_set(&self, name: &str, loaded: bool) {
        self.add_doubt(self.reason(&about_set(name, loaded)));
    }

    /// The mark that an interval carries.
    #[inline]
    pub fn doubt_of_interval(&self, interval: &Interval<'_>) -> Doubt {
        if !self.doubts.any_interval.get() {
            return Doubt::NONE;
        }
        let intervals = self.doubts.intervals.borrow();
        let found = intervals.get(&std::ptr::from_ref(interval).addr());
        found.copied().unwrap_or_default()
    }

    /// Whether some interval carries a mark.
    pub fn any_doubtful_interval(&self) -> bool {
        self.doubts.any_interval.get()
    }

    /// Gives an interval of the arena a mark.
    pub fn doubt_interval(&self, interval: &'a Interval<'a>, doubt: Doubt) {
        if doubt.is_some() {
            self.doubts.any_interval.set(true);
            let mut intervals = self.doubts.intervals.borrow_mut();
            intervals.insert(std::ptr::from_ref(interval).addr(), doubt);
        }
    }

    /// What is known of the items of a value; all of what is not in doubt.
    pub fn known(&self, value: &Val<'a>, doubt: Doubt) -> Known {
        match value {
            Val::List(items) if doubt.is_none() => Known::whole(items),
            Val::List(items) => {
                let lists = self.doubts.lists.borrow();
                lists.get(&place_of(items)).cloned().unwrap_or_default()
            }
            Val::Null if doubt.is_none() => Known::whole(&[]),
            one if doubt.is_none() => Known::whole(&[*one]),
            _ => Known::default(),
        }
    }

    /// The value, with what is known of it noted where it is a list.
    pub fn noted(&self, value: Val<'a>, known: Known) -> Out<'a> {
        let Val::List(mut items) = value else {
            return Ok(value);
        };
        if items.is_empty() {
            // An empty list has no place of its own.
            items = self.slice(&[Val::Null])?.get(..0).unwrap_or(items);
        }
        self.doubts
            .lists
            .borrow_mut()
            .insert(place_of(items), known);
        Ok(Val::List(items))
    }

    /// The value with a doubt more than those it was noted with: a list is copied, so that what is
    /// known of the old one is not taken for known of the new one.
    pub fn apart_from(&self, value: Val<'a>) -> Out<'a> {
        match value {
            Val::List(items) => self.list(items),
            other => Ok(other),
        }
    }
}

/// The mark of an item of a list with a mark.
pub fn doubt_of_item(item: &Val<'_>, certain: &Certain, doubt: Doubt) -> Doubt {
    match identity(item) {
        Some(identity) if doubt.is_some() && certain.contains(&identity) => Doubt::NONE,
        _ => doubt,
    }
}

/// What is in doubt about a value.
#[derive(Clone, Debug)]
pub struct InDoubt<'a> {
    /// Names elements and value sets, holds no patient data.
    pub why: Arc<str>,
    /// Elements that are not in the list and may belong into it; `None` where it could be anything.
    pub perhaps: Option<Vec<Val<'a>>>,
    certain: Certain,
}

impl InDoubt<'_> {
    /// Whether an item of the list is in it in any case.
    pub fn is_certain(&self, item: &Val<'_>) -> bool {
        identity(item).is_some_and(|identity| self.certain.contains(&identity))
    }
}

/// The elements that may belong into a list.
pub fn values<'a>(perhaps: &[Place], record: &'a PatientRecord) -> Vec<Val<'a>> {
    let fhir = |(index, shadow, ty): &Place| {
        Val::Fhir(Fhir {
            record,
            index: *index,
            shadow: *shadow,
            ty: *ty,
        })
    };
    perhaps.iter().map(fhir).collect()
}

impl<'a> Cx<'a> {
    /// What is in doubt about a value with this mark.
    pub(crate) fn in_doubt(
        &self,
        value: &Val<'a>,
        doubt: Doubt,
        record: &'a PatientRecord,
    ) -> Option<InDoubt<'a>> {
        let own = match value {
            Val::Interval(interval) => doubt.or(self.doubt_of_interval(interval)),
            _ => doubt,
        };
        let why = self.why(own)?;
        let known = self.known(value, own);
        Some(InDoubt {
            why,
            perhaps: known.perhaps.map(|perhaps| values(&perhaps, record)),
            certain: known.certain,
        })
    }
}

/// Items of both.
pub fn common(a: &Certain, b: &Certain) -> Certain {
    Rc::new(a.intersection(b).copied().collect())
}

impl Known {
    /// How much of it there is.
    pub fn size(&self) -> usize {
        self.certain.len() + self.perhaps.as_ref().map_or(0, |perhaps| perhaps.len())
    }
}

/// Of what is in a list in any case, that which is in this one too.
pub fn within(certain: &Certain, items: &[Val<'_>]) -> Certain {
    let there = items.iter().filter_map(identity);
    Rc::new(there.filter(|i| certain.contains(i)).collect())
}

/// Whether two values are one and the same.
pub fn same_one(a: &Val<'_>, b: &Val<'_>) -> bool {
    identity(a).is_some_and(|a| identity(b) == Some(a))
}

/// What is known of two lists together. Each element that may be missing is named once: a list united
/// with itself again and again grows no further.
pub fn joined(a: &Known, b: &Known) -> Known {
    let perhaps = match (&a.perhaps, &b.perhaps) {
        (Some(a), Some(b)) => {
            let mut all: Vec<Place> = a.iter().chain(b.iter()).copied().collect();
            all.sort_unstable();
            all.dedup();
            Some(Rc::new(all))
        }
        _ => None,
    };
    Known {
        certain: Rc::new(a.certain.union(&b.certain).copied().collect()),
        perhaps,
    }
}

/// The marks of the rows of a query: kept only once there is one.
pub struct RowDoubts {
    /// Of the rows that were kept, in their order.
    each: Vec<Doubt>,
    /// Of all rows, also of those that were dropped.
    all: Doubt,
    /// Rows that were dropped and may belong into the result; `None` where it could be anything.
    perhaps: Option<Vec<Place>>,
}

impl Default for RowDoubts {
    fn default() -> Self {
        RowDoubts {
            each: vec![],
            all: Doubt::NONE,
            perhaps: Some(vec![]),
        }
    }
}

impl RowDoubts {
    /// A row that was kept, after so many others.
    #[inline]
    pub fn keep(&mut self, before: usize, doubt: Doubt) {
        if doubt.is_some() || self.all.is_some() {
            self.each.resize(before, Doubt::NONE);
            self.each.push(doubt);
            self.all = self.all.or(doubt);
        }
    }

    /// A row that was dropped: what it would have given, where that is known.
    #[inline]
    pub fn drop_row(&mut self, doubt: Doubt, item: Option<&Val<'_>>) {
        if doubt.is_some() {
            self.all = self.all.or(doubt);
            match (item, &mut self.perhaps) {
                (Some(Val::Fhir(f)), Some(perhaps)) => perhaps.push((f.index, f.shadow, f.ty)),
                _ => self.perhaps = None,
            }
        }
    }

    /// A source of which anything may be missing.
    #[inline]
    pub fn drop_any(&mut self, doubt: Doubt) {
        self.drop_row(doubt, None);
    }

    /// The mark of the list.
    pub fn all(&self) -> Doubt {
        self.all
    }

    /// What is known of the list, of the rows that were kept.
    pub fn known(&self, kept: &[Val<'_>]) -> Known {
        let marks = self
            .each
            .iter()
            .copied()
            .chain(std::iter::repeat(Doubt::NONE));
        let sure = kept.iter().zip(marks).filter(|(_, doubt)| doubt.is_none());
        Known {
            certain: Rc::new(sure.filter_map(|(value, _)| identity(value)).collect()),
            perhaps: self.perhaps.clone().map(Rc::new),
        }
    }
}

/// Why a value set raises doubt.
pub fn about_set(name: &str, loaded: bool) -> String {
    match loaded {
        true => format!("the value set \"{name}\" is not complete"),
        false => format!("the value set \"{name}\" was not loaded"),
    }
}
