//! The values of expressions, for explanations.

use rustc_hash::FxHashMap;

use crate::fhir::elements::known;
use crate::tree::libraries::Expression;
use crate::tree::node::{Kind, NO_CLAUSE, Node};
use crate::tree::query::{Query, Relationship};
use crate::values::value::{NO_NODE, Val};

/// The values of the expressions for one patient.
#[derive(Default)]
pub struct Trace<'a> {
    clauses: FxHashMap<Key, ClauseTrace<'a>>,
    definitions: FxHashMap<u32, Val<'a>>,
    executions: Vec<Execution<'a>>,
    /// Rows that are being judged, the innermost last.
    open: Vec<RowTrace<'a>>,
    /// How many values rows hold.
    kept: usize,
}

/// Most values that are kept of rows: a patient with ten thousands of resources has so many rows
/// that nobody reads of each.
const KEPT: usize = 400_000;

/// A query that was evaluated once, with its rows; or a `with` or `without` for one row, with its
/// partners.
pub struct Execution<'a> {
    /// The address of the query, or of the `such that`.
    query: usize,
    pub rows: Vec<RowTrace<'a>>,
    /// Rows are missing: there were too many.
    pub cut: bool,
}

/// A row of a query: what was looked at, and the values of the expressions that judged it.
#[derive(Default)]
pub struct RowTrace<'a> {
    execution: usize,
    /// An item of each source.
    pub items: Vec<Val<'a>>,
    /// Whether its conditions hold; `None` where that is null.
    pub met: Option<bool>,
    /// It may be otherwise: something that decides cannot be told.
    pub in_doubt: bool,
    /// The queries that were evaluated for it, as places among all of them.
    pub executions: (usize, usize),
    values: FxHashMap<Key, Val<'a>>,
}

impl<'a> RowTrace<'a> {
    pub(crate) fn of_node(&self, node: &Node) -> Option<Val<'a>> {
        self.values.get(&Key::of(node)).copied()
    }
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
    /// The queries that were evaluated for the last value, as places among all of them.
    pub executions: (usize, usize),
}

impl<'a> Trace<'a> {
    pub(crate) fn node(&mut self, node: &Node, value: Val<'a>, before: usize) {
        let executions = (before, self.executions.len());
        if let Some(row) = self.open.last_mut()
            && self.kept < KEPT
        {
            self.kept += 1;
            row.values.insert(Key::of(node), value);
        }
        let entry = self.clauses.entry(Key::of(node)).or_insert(ClauseTrace {
            times: 0,
            true_times: 0,
            false_times: 0,
            null_times: 0,
            last: Val::Null,
            executions,
        });
        entry.executions = executions;
        entry.times = entry.times.saturating_add(1);
        let count = match holds(&value) {
            Some(true) => &mut entry.true_times,
            Some(false) => &mut entry.false_times,
            None => &mut entry.null_times,
        };
        *count = count.saturating_add(1);
        entry.last = value;
    }

    /// Whether rows of queries are missing: there were too many.
    pub fn is_cut(&self) -> bool {
        self.executions.iter().any(|e| e.cut)
    }

    /// How many queries have been evaluated.
    pub(crate) fn executions(&self) -> usize {
        self.executions.len()
    }

    /// A query begins: its place among all.
    pub(crate) fn query(&mut self, query: &Query) -> usize {
        self.begins(std::ptr::from_ref(query).addr())
    }

    /// A `with` or `without` begins for a row: its place among all.
    pub(crate) fn relationship(&mut self, relationship: &Relationship) -> usize {
        let mut such_that = &relationship.such_that;
        // As expressions are seen: without what the compiler put around them.
        while let Kind::Once(_, inner) = &such_that.kind {
            such_that = inner;
        }
        self.begins(std::ptr::from_ref(such_that).addr())
    }

    fn begins(&mut self, address: usize) -> usize {
        self.executions.push(Execution {
            query: address,
            rows: vec![],
            cut: false,
        });
        self.executions.len() - 1
    }

    pub(crate) fn row_begins(&mut self, execution: usize, items: Vec<Val<'a>>) {
        self.open.push(RowTrace {
            execution,
            items,
            executions: (self.executions.len(), self.executions.len()),
            ..RowTrace::default()
        });
    }

    pub(crate) fn row_ends(&mut self, met: Option<bool>, in_doubt: bool) {
        let Some(mut row) = self.open.pop() else {
            return;
        };
        row.met = met;
        row.in_doubt = in_doubt;
        row.executions.1 = self.executions.len();
        let Some(execution) = self.executions.get_mut(row.execution) else {
            return;
        };
        self.kept = self.kept.saturating_add(row.items.len());
        match self.kept < KEPT {
            true => execution.rows.push(row),
            false => execution.cut = true,
        }
    }

    /// The last evaluation of a query among these.
    pub(crate) fn execution(&self, query: &Query, among: (usize, usize)) -> Option<&Execution<'a>> {
        self.at(std::ptr::from_ref(query).addr(), among)
    }

    /// The last evaluation at an address among these.
    pub(crate) fn at(&self, address: usize, (from, to): (usize, usize)) -> Option<&Execution<'a>> {
        let within = self.executions.get(from..to)?;
        within.iter().rev().find(|e| e.query == address)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_not_kept_are_said() {
        let mut trace = Trace::default();
        let execution = trace.begins(1);
        trace.kept = KEPT - 3;
        for _ in 0..4 {
            trace.row_begins(execution, vec![Val::Null]);
            trace.row_ends(Some(false), false);
        }
        let kept = trace.at(1, (0, 1)).unwrap();
        assert_eq!((kept.rows.len(), kept.cut), (2, true));
        assert!(trace.at(2, (0, 1)).is_none());
    }

    #[test]
    fn rows_beyond_the_bound_are_told_to_be_missing() {
        let query = Query {
            sources: Box::new([]),
            lets: Box::new([]),
            relationships: Box::new([]),
            condition: None,
            result: None,
            aggregate: None,
            sort: Box::new([]),
        };
        for (before, cut) in [(0, false), (KEPT, true)] {
            let mut trace = Trace {
                kept: before,
                ..Trace::default()
            };
            let execution = trace.query(&query);
            trace.row_begins(execution, vec![Val::Null]);
            trace.row_ends(Some(true), false);
            assert_eq!(trace.is_cut(), cut);
        }
    }
}
