//! The expressions of one artifact, one after the other.

use std::sync::Arc;

use engine_patient::fhir::names::Name;
use engine_patient::finding::{Code, Finding};
use engine_patient::requirements::DataRequirement;
use engine_patient::systems::Compared;
use engine_patient::terminology::{DrugDictionary, ValueSet};

use super::expression::{MAX_DEPTH, to_bool};
use super::pass::Pass;
use super::sense::{Look, Text, facts, look_at, origin, units, without_brackets};
use super::symbols::{Definition, Named, Symbols, unused};
use crate::nodes::{Compiled, Node};
use crate::parse::parse;
use crate::problem::told;
use crate::types::Ty;

/// Checks the expressions of one artifact, which share value sets, definitions and data
/// requirements.
#[derive(Debug, Default)]
pub struct Checker {
    symbols: Symbols,
}

impl Checker {
    /// With the value sets that expressions may name.
    pub fn new(value_sets: Vec<(String, Arc<ValueSet>)>) -> Self {
        let named = value_sets.into_iter().map(|(n, set)| Named::new(n, set));
        Checker {
            symbols: Symbols {
                value_sets: named.collect(),
                ..Symbols::default()
            },
        }
    }

    /// With the dictionary that names of drugs and classes are of; otherwise the built-in one.
    /// [`crate::Evaluation::with_drugs`] takes the same.
    #[must_use]
    pub fn with_drugs(mut self, drugs: Arc<DrugDictionary>) -> Self {
        self.symbols.drugs = Some(drugs);
        self
    }

    /// What the next expressions may name beside: the item of `for_each` by its name, and the columns of
    /// a table by `row.name`.
    pub fn iterate(&mut self, item: Option<(String, Ty)>, columns: Vec<(String, Ty)>) {
        self.symbols.item = item;
        self.symbols.columns = columns;
    }

    /// Makes a checked expression available to the next ones under a name. Its place in the order
    /// of calls is its number in [`crate::Evaluation`].
    pub fn define(&mut self, name: &str, compiled: &Compiled) {
        let text = Text::new(&compiled.source);
        let definition = Definition {
            ty: compiled.ty.clone(),
            varies: compiled.varies,
            by_row: compiled.by_row,
            depth: compiled.depth,
            origin: origin(&compiled.node, &self.symbols, &[]),
            facts: facts(&compiled.node, &self.symbols, &[], &text),
            units: units(&compiled.node, &self.symbols, &[]),
        };
        let named = Named::new(name.to_owned(), definition);
        self.symbols.definitions.push(named);
    }

    /// Everything the expressions checked so far read.
    pub fn requirements(&self) -> &[DataRequirement] {
        &self.symbols.requirements
    }

    /// The types of drafts that the expressions checked so far look at, each once.
    pub fn draft_types(&self) -> &[Name] {
        &self.symbols.draft_types
    }

    /// What the expressions checked so far compare with value sets, by element.
    pub fn compared(&self) -> Vec<Compared> {
        let retrieved = self.symbols.requirements.iter().filter_map(|r| {
            let codes = r.codes.as_ref()?;
            let element = (r.resource_type, codes.path);
            Some((element, Arc::clone(&codes.value_set)))
        });
        let mut all = self.symbols.compared.clone();
        all.extend(retrieved);
        all.sort_by(|a, b| (a.0, Arc::as_ptr(&a.1)).cmp(&(b.0, Arc::as_ptr(&b.1))));
        all.dedup_by(|a, b| a.0 == b.0 && Arc::ptr_eq(&a.1, &b.1));
        all
    }

    /// The value sets, in the order given.
    pub fn value_sets(&self) -> impl Iterator<Item = &Arc<ValueSet>> {
        self.symbols.value_sets.iter().map(|named| &named.value)
    }

    /// The value sets that no expression named.
    pub fn unused_value_sets(&self) -> impl Iterator<Item = &str> {
        unused(&self.symbols.value_sets)
    }

    /// The definitions that no expression named.
    pub fn unused_definitions(&self) -> impl Iterator<Item = &str> {
        unused(&self.symbols.definitions)
    }

    /// Parses and checks an expression. `wanted` is the type it must have, if any.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the text.
    pub fn compile(&mut self, source: &str, wanted: Option<&Ty>) -> Result<Compiled, Vec<Finding>> {
        let (expr, info) = parse(source)?;
        let mut pass = Pass::new(&mut self.symbols, source, info);
        let (node, ty) = pass.expr(&expr);
        if let Some(wanted) = wanted.filter(|w| !ty.fits(w)) {
            let message = format!("this must be {wanted}, but it is {ty}");
            let help = (*wanted == Ty::Bool).then(|| to_bool(&ty)).flatten();
            pass.problem(Code::WrongType, message, node.span, help);
        }
        let (slots, depth) = (pass.slots, pass.deepest);
        let (varies, by_row) = (pass.varies, pass.by_row);
        if depth > 4 * MAX_DEPTH {
            let message = "the expression and what it uses of `define` are nested too deep".into();
            pass.problem(Code::TooDeep, message, node.span, None);
        }
        let mut problems = pass.problems;
        problems.extend(self.sense(source, &node));
        let (errors, warnings): (Vec<Finding>, Vec<Finding>) =
            problems.into_iter().partition(Finding::is_error);
        if errors.is_empty() {
            return Ok(Compiled {
                source: Arc::from(source),
                ty,
                node,
                varies,
                by_row,
                slots,
                depth,
                warnings: told(source, warnings),
            });
        }
        Err(told(source, errors.into_iter().chain(warnings).collect()))
    }

    /// What of an expression cannot mean anything, as far as that is known without patients.
    fn sense(&self, source: &str, node: &Node) -> Vec<Finding> {
        let mut look = Look {
            known: &self.symbols,
            text: &Text::new(source),
            scope: vec![],
            found: vec![],
        };
        look_at(&mut look, node);
        without_brackets(&mut look, source);
        look.found
    }
}
