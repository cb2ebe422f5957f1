//! The values of expressions, for explanations.

use rustc_hash::FxHashMap;

use crate::fhir::fhir_children::known;
use crate::tree::node::{NO_CLAUSE, Node};
use crate::tree::unit::Expression;
use crate::values::value::{NO_NODE, Val};

/// The values of the expressions for one patient.
#[derive(Default)]
pub struct Trace<'a> {
    clauses: FxHashMap<Key, ClauseTrace<'a>>,
    definitions: FxHashMap<u32, Val<'a>>,
}

/// A clause, or an expression without a `localId` by where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Clause(u32),
    Node(usize),
}

impl Key {
    fn of(node: &Node) -> Key {
        match node.clause {
            NO_CLAUSE => Key::Node(std::ptr::from_ref(node).addr()),
            clause => Key::Clause(clause),
        }
    }
}

/// The values of a clause, over all the times it was evaluated.
#[derive(Clone, Copy)]
pub struct ClauseTrace<'a> {
    pub times: u32,
    pub true_times: u32,
    pub false_times: u32,
    pub null_times: u32,
    /// The last value.
    pub last: Val<'a>,
}

impl<'a> Trace<'a> {
    pub(crate) fn node(&mut self, node: &Node, value: Val<'a>) {
        let entry = self.clauses.entry(Key::of(node)).or_insert(ClauseTrace {
            times: 0,
            true_times: 0,
            false_times: 0,
            null_times: 0,
            last: Val::Null,
        });
        entry.times = entry.times.saturating_add(1);
        let count = match holds(&value) {
            Some(true) => &mut entry.true_times,
            Some(false) => &mut entry.false_times,
            None => &mut entry.null_times,
        };
        *count = count.saturating_add(1);
        entry.last = value;
    }

    pub(crate) fn definition(&mut self, index: u32, value: Val<'a>) {
        self.definitions.insert(index, value);
    }

    /// The values of a node; `None` where it was not evaluated.
    pub(crate) fn of_node(&self, node: &Node) -> Option<&ClauseTrace<'a>> {
        self.clauses.get(&Key::of(node))
    }

    /// The value of a definition; `None` where it was not evaluated.
    pub fn value_of(&self, expression: Expression) -> Option<Val<'a>> {
        self.definitions.get(&expression.0).copied()
    }
}

/// Whether a value counts as met: true, a list with items, anything that is there. A FHIR boolean is its
/// value.
pub fn holds(value: &Val<'_>) -> Option<bool> {
    match value {
        Val::Null => None,
        Val::Boolean(b) => Some(*b),
        Val::List(items) => Some(!items.is_empty()),
        Val::Fhir(fhir) if fhir.ty == known().boolean => value.truth(),
        Val::Fhir(fhir) => Some(fhir.index != NO_NODE),
        _ => Some(true),
    }
}
