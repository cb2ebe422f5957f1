//! What is known of a list in doubt: items that are in it in any case, and those that may be missing.

use std::rc::Rc;

use rustc_hash::FxHashSet;

use crate::context::doubt::Doubt;
use crate::values::types::TypeId;
use crate::values::value::{Fhir, NO_NODE, Val};
use engine_patient::record::PatientRecord;

/// An item of a list, to be found again in a list that was made of it.
pub(super) type Identity = (u8, usize, usize);
/// Items that are in a list in any case.
pub type Certain = Rc<FxHashSet<Identity>>;
/// An element of the record: where it stands, its shadow, its type.
pub type Place = (u32, u32, TypeId);
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
    pub(super) fn whole(items: &[Val<'_>]) -> Known {
        Known {
            certain: Rc::new(identities(items)),
            perhaps: Some(Rc::default()),
        }
    }
}

pub(super) fn identity(value: &Val<'_>) -> Option<Identity> {
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

pub(super) fn place_of(items: &[Val<'_>]) -> (usize, usize) {
    (items.as_ptr().addr(), items.len())
}

/// The items that a set can hold: all but nulls and what has no place.
fn identities(items: &[Val<'_>]) -> FxHashSet<Identity> {
    items.iter().filter_map(identity).collect()
}

/// The mark of an item of a list with a mark.
pub fn doubt_of_item(item: &Val<'_>, certain: &Certain, doubt: Doubt) -> Doubt {
    match identity(item) {
        Some(identity) if doubt.is_some() && certain.contains(&identity) => Doubt::NONE,
        _ => doubt,
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
