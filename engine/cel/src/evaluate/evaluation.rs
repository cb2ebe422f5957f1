//! One artifact's evaluation: what it reads, what it keeps, how much work it may do.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use engine_patient::context::EvaluationContext;
use engine_patient::program::EvaluationError;
use engine_patient::program::Notes;
use engine_patient::record::{Element, PatientRecord};
use engine_patient::requirements::{DataRequirement, Match};
use engine_patient::systems::{self, CodedElement};
use engine_patient::terminology::{DrugDictionary, DrugSet, ValueSet};

use super::by_drug::ByDrug;
use crate::functions::{Drugs, Scene, held};
use crate::lack::Lack;
use crate::nodes::{Compiled, Span};
use crate::value::Val;

/// Most work of one evaluation. Comprehensions within each other multiply: one rule must not hold up
/// everything else. A rule over a patient with thousands of resources takes less than a tenth of it.
const MAX_WORK: usize = 10_000_000;
/// Most work for all items of a list together, where each has a share of its own.
const MAX_WORK_OF_ITEMS: usize = 4 * MAX_WORK;
/// The reason of what took too much work.
pub const TOO_MUCH: &str = "the rule takes too much work for this patient";

/// One artifact, one patient, one moment. Definitions and retrieves are evaluated once.
pub struct Evaluation<'r> {
    pub(super) scene: Scene<'r>,
    requirements: &'r [DataRequirement],
    pub(super) value_sets: &'r [Arc<ValueSet>],
    defines: &'r [Compiled],
    defined: RefCell<Vec<Option<Val<'r>>>>,
    retrieved: RefCell<Vec<Option<Val<'r>>>>,
    /// The item of `for_each`, and the row, that it is about now.
    item: RefCell<Val<'r>>,
    row: Cell<&'r [Val<'static>]>,
    /// See [`super::by_drug`].
    pub(super) by_drug: ByDrug<'r>,
    /// Per element and value set that found nothing: see [`Evaluation::mismatch`].
    mismatches: RefCell<Vec<Mismatch>>,
    /// See [`MAX_WORK`].
    work: Cell<usize>,
    /// How much work it may do now.
    limit: Cell<usize>,
    /// See [`MAX_WORK_OF_ITEMS`]: what is left of it.
    for_items: Cell<usize>,
    /// The text of the expression or definition that is being evaluated.
    source: Cell<&'r str>,
    /// The first broken invariant, with its clause.
    bug: RefCell<Option<EvaluationError>>,
}

/// The values of comprehension variables.
pub(super) type Locals<'r> = Vec<Val<'r>>;

/// An element, the address of a value set, and why the one could not be in the other.
type Mismatch = (CodedElement, *const ValueSet, Option<Arc<str>>);

impl<'r> Evaluation<'r> {
    /// Over a record that holds what `requirements` ask for.
    pub fn new(
        record: &'r PatientRecord,
        context: &'r EvaluationContext,
        requirements: &'r [DataRequirement],
        value_sets: &'r [Arc<ValueSet>],
        defines: &'r [Compiled],
    ) -> Self {
        Evaluation {
            scene: Scene {
                record,
                context,
                drugs: Drugs::default(),
                notes: RefCell::default(),
            },
            requirements,
            value_sets,
            defines,
            defined: RefCell::new(vec![None; defines.len()]),
            retrieved: RefCell::new(vec![None; requirements.len()]),
            item: RefCell::new(Val::unknown("there is no item here")),
            row: Cell::new(&[]),
            by_drug: ByDrug::default(),
            mismatches: RefCell::new(vec![]),
            work: Cell::new(0),
            limit: Cell::new(MAX_WORK),
            for_items: Cell::new(MAX_WORK_OF_ITEMS),
            source: Cell::new(""),
            bug: RefCell::new(None),
        }
    }

    /// With the dictionary that the expressions were checked with; otherwise the built-in one.
    #[must_use]
    pub fn with_drugs(mut self, drugs: Arc<DrugDictionary>) -> Self {
        self.scene.drugs = Drugs::of(drugs);
        self
    }

    /// What was read otherwise than it is written, so far.
    pub fn notes(&self) -> std::cell::Ref<'_, Notes> {
        self.scene.notes.borrow()
    }

    /// What the next expressions are about: an item of `for_each`, and a row of the table, in the order of
    /// its columns.
    pub fn turn_to(&self, item: Val<'r>, row: &'r [Val<'static>]) {
        self.item.replace(item);
        self.row.set(row);
        self.forget(|definition| definition.varies);
    }

    /// The same item, and another row: what is defined of the item alone stays known.
    pub fn turn_to_row(&self, row: &'r [Val<'static>]) {
        self.row.set(row);
        self.forget(|definition| definition.by_row);
    }

    fn forget(&self, what: impl Fn(&Compiled) -> bool) {
        let mut defined = self.defined.borrow_mut();
        for (known, definition) in defined.iter_mut().zip(self.defines) {
            if what(definition) {
                *known = None;
            }
        }
    }

    pub(super) fn item(&self) -> Val<'r> {
        self.item.borrow().clone()
    }

    pub(super) fn cell(&self, column: usize) -> Option<&'r Val<'static>> {
        self.row.get().get(column)
    }

    /// The value of an expression.
    ///
    /// # Errors
    /// Where something is not as the checker left it: our bug.
    pub fn evaluate(&self, compiled: &'r Compiled) -> Result<Val<'r>, EvaluationError> {
        let value = self.uncertain(compiled);
        self.sound(match value {
            Val::Between(_, _, reason) | Val::Either(_, reason) => Val::Unknown(reason),
            value => value,
        })
    }

    /// The value of an expression that is shown: a number of which only a bound is known stays that.
    ///
    /// # Errors
    /// As [`Evaluation::evaluate`].
    pub fn evaluate_for_text(&self, compiled: &'r Compiled) -> Result<Val<'r>, EvaluationError> {
        let value = self.uncertain(compiled);
        match value.is_open_ended() {
            true => self.sound(value),
            false => self.sound(match value {
                Val::Between(_, _, reason) | Val::Either(_, reason) => Val::Unknown(reason),
                value => value,
            }),
        }
    }

    /// What was found, unless something was not as the checker left it.
    pub(crate) fn sound<T>(&self, found: T) -> Result<T, EvaluationError> {
        match self.bug.borrow().as_ref() {
            Some(bug) => Err(bug.clone()),
            None => Ok(found),
        }
    }

    /// Works on an expression; what breaks meanwhile is a place in its text.
    pub(crate) fn within<T>(&self, compiled: &'r Compiled, work: impl FnOnce() -> T) -> T {
        let outer = self.source.replace(&compiled.source);
        let found = work();
        self.source.set(outer);
        found
    }

    /// The same, where a number may be known only to lie between two others.
    fn uncertain(&self, compiled: &'r Compiled) -> Val<'r> {
        let mut locals = compiled.locals();
        let value = self.within(compiled, || self.node(&compiled.node, &mut locals));
        // `orElse` and the like must not make an answer of too much work.
        match self.is_tired() {
            true => Val::unknown(TOO_MUCH),
            false => value,
        }
    }

    /// Something is not as the checker left it. The evaluation ends in an error, whatever is made of
    /// the value.
    pub(super) fn broken(&self, (from, to): Span, what: &'static str) -> Val<'r> {
        self.bug.borrow_mut().get_or_insert_with(|| {
            let clause: String = self.source.get().chars().take(to).skip(from).collect();
            EvaluationError::Bug(format!("a bug of ours at `{clause}`: {what}"))
        });
        Val::unknown(what)
    }

    pub(super) fn work(&self, more: usize) {
        self.work.set(self.work.get().saturating_add(more));
    }

    /// Whether it did all the work it may do.
    pub fn is_tired(&self) -> bool {
        self.work.get() > self.limit.get()
    }

    /// Works on one of so many items that are still to come, within its share of the work: what one takes is
    /// not taken from another.
    pub fn within_share<T>(&self, items: usize, work: impl FnOnce() -> T) -> T {
        let left = self.for_items.get();
        let share = left.checked_div(items).unwrap_or(left).min(MAX_WORK);
        self.with_limit(share, || {
            let done = work();
            self.for_items.set(left.saturating_sub(self.work.get()));
            done
        })
    }

    /// Works within a limit of its own.
    fn with_limit<T>(&self, limit: usize, work: impl FnOnce() -> T) -> T {
        let before = (self.work.replace(0), self.limit.replace(limit));
        let done = work();
        self.work.set(before.0);
        self.limit.set(before.1);
        done
    }

    /// Whether a value is surely one of these drugs, as far as it is known which it is.
    pub fn is_surely(&self, value: &Val<'r>, drugs: &DrugSet) -> bool {
        let Val::Element(resource) = value else {
            return false;
        };
        let drug = self.scene.drug(*resource);
        matches!(held(*resource, &drug, drugs), Val::Bool(true))
    }

    /// For what is evaluated only to be shown, once it is decided. What a definition came to until now stays.
    pub fn rest(&self) {
        self.work.set(0);
    }

    /// The resources that the data requirement of this number found; why not, if that cannot be
    /// told. `None` where there is no such requirement.
    pub(crate) fn retrieved(&self, index: usize) -> Option<Val<'r>> {
        if let Some(Some(known)) = self.retrieved.borrow().get(index) {
            return Some(known.clone());
        }
        let requirement = self.requirements.get(index)?;
        let ty = requirement.resource_type.as_str();
        let lack = Lack::of(self.scene.record, requirement.resource_type);
        let value = match lack {
            Some(Lack::All(reason)) => Val::Unknown(reason),
            lack => {
                let found = requirement.found_in(self.scene.record).into_iter();
                let found = found.map(|(resource, found)| match found {
                    // Others in the list may still decide.
                    Match::Unresolved => {
                        let why =
                            format!("a {ty} refers to its code in a resource that was not given");
                        Val::Maybe(Arc::new(Val::Element(resource)), why.into())
                    }
                    _ => Val::Element(resource),
                });
                let mut found: Vec<Val<'r>> = found.collect();
                let codes = requirement.codes.as_ref().filter(|_| found.is_empty());
                let element = |path| (requirement.resource_type, path);
                match (lack, found.is_empty()) {
                    (Some(lack), true) => Val::Unknown(lack.reason()),
                    (Some(lack), false) => {
                        found.push(lack.perhaps_more());
                        Val::List(found.into())
                    }
                    (None, _) => {
                        match codes.and_then(|c| self.mismatch(element(c.path), &c.value_set)) {
                            Some(reason) => Val::Unknown(reason.to_string().into()),
                            None => Val::List(found.into()),
                        }
                    }
                }
            }
        };
        if let Some(slot) = self.retrieved.borrow_mut().get_mut(index) {
            *slot = Some(value.clone());
        }
        Some(value)
    }

    /// Why "not in the value set" cannot be told of this element: it is coded in other systems only.
    pub(super) fn mismatch(&self, element: CodedElement, set: &Arc<ValueSet>) -> Option<Arc<str>> {
        let address = Arc::as_ptr(set);
        let mut all = self.mismatches.borrow_mut();
        if let Some((.., known)) = all.iter().find(|m| m.0 == element && m.1 == address) {
            return known.clone();
        }
        let seen = systems::of_record(self.scene.record, element);
        let reason = systems::mismatch(element, set, &seen).map(Arc::from);
        all.push((element, address, reason.clone()));
        reason
    }

    /// The value of a definition; `None` where there is no such definition.
    pub(super) fn defined(&self, index: usize) -> Option<Val<'r>> {
        if let Some(Some(known)) = self.defined.borrow().get(index) {
            return Some(known.clone());
        }
        let definition = self.defines.get(index)?;
        // What is the same for all items is no work of the one that asks for it first.
        let value = match definition.varies || self.limit.get() == MAX_WORK {
            true => self.uncertain(definition),
            false => self.with_limit(MAX_WORK, || self.uncertain(definition)),
        };
        if let Some(slot) = self.defined.borrow_mut().get_mut(index) {
            *slot = Some(value.clone());
        }
        Some(value)
    }

    /// The node behind a definition, for explaining.
    pub(crate) fn definition(&self, index: usize) -> Option<&'r Compiled> {
        self.defines.get(index)
    }

    /// The data requirement of a number.
    pub(crate) fn requirement(&self, index: usize) -> Option<&'r DataRequirement> {
        self.requirements.get(index)
    }

    /// When and where it is evaluated.
    pub(crate) fn context(&self) -> &'r EvaluationContext {
        self.scene.context
    }

    /// The value set of a number.
    pub(crate) fn value_set(&self, index: usize) -> Option<&'r Arc<ValueSet>> {
        self.value_sets.get(index)
    }

    /// The ingredients of a medication by name, as far as its codes tell them.
    pub(crate) fn ingredient_names(&self, resource: Element<'_>) -> Vec<String> {
        let drug = self.scene.drug(resource);
        let names = drug.substances.names(self.scene.drugs.dictionary());
        names.into_iter().map(str::to_owned).collect()
    }
}
