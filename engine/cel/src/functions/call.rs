//! A call of a function: what its code is given.

use std::cell::RefCell;
use std::sync::Arc;

use engine_patient::context::EvaluationContext;
use engine_patient::fhir::names::Name;
use engine_patient::medication::{self, Drug};
use engine_patient::now::Now;
use engine_patient::program::{NoteKind, Notes};
use engine_patient::record::{Element, PatientRecord};
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;
use engine_patient::terminology::ValueSet;

use super::drugs_known::{Asked, Drugs};
use crate::value::Val;

/// Whom it is about, and when.
pub(crate) struct Scene<'r> {
    pub(crate) record: &'r PatientRecord,
    pub(crate) context: &'r EvaluationContext,
    pub(crate) drugs: Drugs<'r>,
    /// What was read otherwise than it is written.
    pub(crate) notes: RefCell<Notes>,
}

impl<'r> Scene<'r> {
    pub(super) fn note(&self, kind: NoteKind, detail: &str) {
        self.notes.borrow_mut().add(kind, detail, 1);
    }

    /// Where what a resource refers to may stand beside its own record.
    pub(super) fn records(&self) -> Vec<&'r PatientRecord> {
        let call = self.context.call.as_ref();
        let drafts = call.map(|call| &call.drafts).into_iter();
        std::iter::once(self.record).chain(drafts).collect()
    }

    fn counted(&self, resource: Element<'_>, drug: Drug) -> Drug {
        if drug.by_name {
            let ty = resource.resource_type().map_or("resource", Name::as_str);
            self.note(NoteKind::DrugByName, ty);
        }
        drug
    }

    /// The drug of a resource.
    pub(crate) fn drug(&self, resource: Element<'_>) -> Arc<Drug> {
        self.drugs.once(Asked::Drug, resource, || {
            let found = medication::drug(resource, &self.records(), self.drugs.dictionary());
            self.counted(resource, found)
        })
    }

    /// The drug that an allergy is to.
    pub(super) fn allergen(&self, allergy: Element<'_>) -> Arc<Drug> {
        self.drugs.once(Asked::Allergen, allergy, || {
            let found = medication::allergen(allergy, self.drugs.dictionary());
            self.counted(allergy, found)
        })
    }
}

/// A call: the arguments, the one it is called on first.
pub(crate) struct Call<'a, 'r> {
    pub(crate) scene: &'a Scene<'r>,
    pub(crate) args: &'a [Val<'r>],
    /// The value set that it names.
    pub(crate) set: Option<&'a ValueSet>,
}

impl<'r> Call<'_, 'r> {
    pub(crate) fn record(&self) -> &'r PatientRecord {
        self.scene.record
    }

    /// The moment of evaluation.
    pub(crate) fn at(&self) -> DateTime {
        self.scene.context.at
    }

    /// The moment of evaluation, for what is judged at it.
    pub(crate) fn now(&self) -> Now<'r> {
        self.scene.context.now()
    }

    pub(crate) fn zone(&self) -> &'r Zone {
        &self.scene.context.zone
    }

    /// What to say where an argument is not of the kind that the checker let through: a choice
    /// (`value[x]`) that is of another type in the data.
    pub(crate) fn other_kind(&self) -> Val<'r> {
        Val::unknown("a function was given a value of another kind")
    }
}
