//! What was gathered from a record, kept while it grows: of a chart that is replayed call by call, or asked
//! by many rules, each resource is looked at once for each question.
//!
//! A record tells what was added to it and what a newer version replaced. What was gathered follows that;
//! it is gathered anew where resources changed that others refer to.

use std::any::{Any, TypeId};
use std::sync::{Mutex, PoisonError};

use rustc_hash::FxHashMap;

use super::{Element, PatientRecord, ResourceSlot};
use crate::fhir::names::{self, Name};

/// Something that is gathered of the resources of a type, one after the other.
pub trait Gather: Any + Send {
    /// The type of another resource of the record that the answer for this one hangs on.
    fn elsewhere(&self, resource: Element<'_>) -> Option<Name>;
    /// A resource is there.
    fn add(&mut self, resource: Element<'_>);
    /// It is there no more. It was before, and was the same.
    fn remove(&mut self, resource: Element<'_>);
    /// As nothing was there.
    fn clear(&mut self);
}

/// What tells one question from another of the same kind: the type of the resources, an element, and a
/// number.
pub type Question = (Name, &'static str, usize);

/// What was gathered so far, by kind and question.
#[derive(Default)]
pub(super) struct Kept(Mutex<FxHashMap<(TypeId, Question), Followed>>);

impl Kept {
    /// Forgets everything.
    pub fn clear(&mut self) {
        let kept = self.0.get_mut();
        kept.unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl PatientRecord {
    /// Reads what is gathered of its resources of a type, in a record that is sealed; `None` in another.
    pub(crate) fn gathered<T: Gather, R>(
        &self,
        question: Question,
        new: impl FnOnce() -> T,
        read: impl FnOnce(&T) -> R,
    ) -> Option<R> {
        if !self.is_sealed() {
            return None;
        }
        let mut kept = self.kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.entry((TypeId::of::<T>(), question));
        let known = known.or_insert_with(|| Followed::new(Box::new(new())));
        known.follow(self, question.0);
        let gathered: &dyn Any = &*known.gathered;
        gathered.downcast_ref::<T>().map(read)
    }
}

/// What was gathered, and up to where in the record's history.
struct Followed {
    added: usize,
    replaced: usize,
    /// Types of other resources that the answers hang on.
    elsewhere: Vec<Name>,
    gathered: Box<dyn Gather>,
}

impl Followed {
    fn new(gathered: Box<dyn Gather>) -> Self {
        Followed {
            added: 0,
            replaced: 0,
            elsewhere: vec![],
            gathered,
        }
    }

    fn follow(&mut self, record: &PatientRecord, ty: Name) {
        let added = record.roots.get(self.added..).unwrap_or_default();
        let replaced = record.replaced.get(self.replaced..).unwrap_or_default();
        let mut changed = added.iter().chain(replaced);
        let is_old = self.added == 0 || changed.any(|slot| self.elsewhere.contains(&slot.ty));
        self.added = record.roots.len();
        self.replaced = record.replaced.len();
        if is_old {
            self.gathered.clear();
            self.elsewhere.clear();
            record.of_type(ty).for_each(|resource| self.add(resource));
            return;
        }
        let of_type = |slot: &&ResourceSlot| slot.ty == ty;
        for slot in added.iter().filter(of_type) {
            self.add(record.at(slot.root));
        }
        for slot in replaced.iter().filter(of_type) {
            self.gathered.remove(record.at(slot.root));
        }
    }

    fn add(&mut self, resource: Element<'_>) {
        if let Some(ty) = self.gathered.elsewhere(resource)
            && !self.elsewhere.contains(&ty)
        {
            self.elsewhere.push(ty);
        }
        self.gathered.add(resource);
    }
}

/// Resources that were gathered, each with what was found of it, in the order of the record.
pub struct InOrder<T>(Vec<(u32, T)>);

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        InOrder(vec![])
    }
}

impl<T: Copy> InOrder<T> {
    /// All of them.
    pub fn of<'r>(&self, record: &'r PatientRecord) -> Vec<(Element<'r>, T)> {
        let all = self.0.iter();
        all.map(|(root, found)| (record.at(*root), *found))
            .collect()
    }

    /// Puts a resource in its place.
    pub fn add(&mut self, resource: Element<'_>, found: T) {
        let own = id(resource);
        let before = |(root, _): &(u32, T)| id(resource.record.at(*root)) <= own;
        let place = match self.0.last() {
            Some(last) if !before(last) => self.0.partition_point(before),
            _ => self.0.len(),
        };
        self.0.insert(place, (resource.index, found));
    }

    /// Takes one out, where it is there.
    pub fn remove(&mut self, resource: Element<'_>) {
        let own = id(resource);
        let first = self
            .0
            .partition_point(|(root, _)| id(resource.record.at(*root)) < own);
        let rest = self.0.get(first..).unwrap_or_default();
        if let Some(place) = rest.iter().position(|(root, _)| *root == resource.index) {
            self.0.remove(first + place);
        }
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

fn id(resource: Element<'_>) -> Option<&str> {
    resource.get(names::id()).map(Element::raw)
}
