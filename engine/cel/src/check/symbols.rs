//! What the expressions of one artifact share.

use std::sync::Arc;

use engine_patient::fhir::names::Name;
use engine_patient::requirements::DataRequirement;
use engine_patient::systems::Compared;
use engine_patient::terminology::{DrugDictionary, ValueSet};

use super::sense::{Facts, Known, Origin, Units};
use crate::types::Ty;

/// Value sets and definitions by their names, and what the expressions checked so far read.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    pub(super) value_sets: Vec<Named<Arc<ValueSet>>>,
    pub(super) definitions: Vec<Named<Definition>>,
    /// The name of the item of `for_each`, and its type.
    pub(super) item: Option<(String, Ty)>,
    /// The columns of the table whose rows the artifact is evaluated for, as `row.name`.
    pub(super) columns: Vec<(String, Ty)>,
    /// What names of drugs stand for; the built-in dictionary where none was given.
    pub(super) drugs: Option<Arc<DrugDictionary>>,
    pub(super) requirements: Vec<DataRequirement>,
    /// The types of drafts that are looked at, each once.
    pub(super) draft_types: Vec<Name>,
    /// Elements that `inValueSet` compares.
    pub(super) compared: Vec<Compared>,
}

/// What a name stands for, and whether an expression has it.
#[derive(Debug)]
pub(super) struct Named<T> {
    pub(super) name: String,
    pub(super) value: T,
    pub(super) used: bool,
}

/// What is known of a definition to those that use it.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    pub(super) ty: Ty,
    pub(super) varies: bool,
    pub(super) by_row: bool,
    pub(super) depth: usize,
    pub(super) origin: Origin,
    pub(super) facts: Facts,
    pub(super) units: Units,
}

impl<T> Named<T> {
    pub(super) fn new(name: String, value: T) -> Self {
        Named {
            name,
            value,
            used: false,
        }
    }
}

/// The number and the value of a name, which counts as used from now on.
pub(super) fn find<'s, T>(all: &'s mut [Named<T>], name: &str) -> Option<(usize, &'s T)> {
    let mut all = all.iter_mut().enumerate();
    let (index, named) = all.find(|(_, named)| named.name == name)?;
    named.used = true;
    Some((index, &named.value))
}

/// The names, in their order.
pub(super) fn names<T>(all: &[Named<T>]) -> impl Iterator<Item = &str> {
    all.iter().map(|named| named.name.as_str())
}

/// The names that no expression has.
pub(super) fn unused<T>(all: &[Named<T>]) -> impl Iterator<Item = &str> {
    let unused = all.iter().filter(|named| !named.used);
    unused.map(|named| named.name.as_str())
}

impl Symbols {
    /// What names of drugs stand for.
    pub(super) fn drugs(&mut self) -> &DrugDictionary {
        self.drugs.get_or_insert_with(DrugDictionary::built_in_arc)
    }

    /// The number of a data requirement; equal ones share it.
    pub(super) fn requirement(&mut self, wanted: DataRequirement) -> usize {
        let all = &mut self.requirements;
        all.iter().position(|r| *r == wanted).unwrap_or_else(|| {
            all.push(wanted);
            all.len() - 1
        })
    }
}

impl Known for Symbols {
    fn requirement(&self, index: usize) -> Option<&DataRequirement> {
        self.requirements.get(index)
    }

    fn value_set(&self, index: usize) -> Option<(&str, &Arc<ValueSet>)> {
        let named = self.value_sets.get(index)?;
        Some((&named.name, &named.value))
    }

    fn name_of(&self, set: &Arc<ValueSet>) -> Option<&str> {
        let mut all = self.value_sets.iter();
        let named = all.find(|named| Arc::ptr_eq(&named.value, set))?;
        Some(&named.name)
    }

    fn definition(&self, index: usize) -> Option<(&str, &Origin)> {
        let named = self.definitions.get(index)?;
        Some((&named.name, &named.value.origin))
    }

    fn facts(&self, index: usize) -> Option<&Facts> {
        Some(&self.definitions.get(index)?.value.facts)
    }

    fn units(&self, index: usize) -> Option<&Units> {
        Some(&self.definitions.get(index)?.value.units)
    }
}
