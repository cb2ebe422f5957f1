//! What an expression needs: retrieves without a match of which it can neither be true nor hold
//! anything. From it a population run leaves out patients of whom nothing can hold.
//!
//! Found for patterns that are safe whatever else the logic does: over an empty list `exists` is
//! false, a query is empty, and `and` with a false side is false. How surely there is nothing matters:
//! `=` is null where a side is null, but `exists [X] = false` is true where there is no X.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::operators::operator::{Operator, WhenEmpty};
use crate::tree::node::{Kind, Node};
use crate::tree::unit::{Expression, Unit};

/// Each group needs a match of one of its retrieves.
pub type Groups = Vec<BTreeSet<u32>>;

/// How deep definitions and functions are followed.
const DEPTH: u32 = 64;
/// Most groups kept of an expression: more would only filter a little more.
const GROUPS: usize = 8;
/// Most nodes looked at: functions that call each other twice would be looked at for ever.
const NODES: u32 = 200_000;

/// What a value is where there is no match.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Grade {
    /// Null, false, or a list of nothing.
    Void,
    /// Null, or a list of nothing.
    Empty,
    /// Null.
    Null,
}

use Grade::{Empty, Null, Void};

/// The operands of the function that is looked at, in the frame of its caller.
#[derive(Clone, Copy)]
struct Frame<'u> {
    args: &'u [Node],
    outer: Option<&'u Frame<'u>>,
}

/// The analysis of an expression.
struct Analysis<'u> {
    unit: &'u Unit,
    left: Cell<u32>,
    definitions: RefCell<FxHashMap<(u32, Grade), Groups>>,
}

impl Unit {
    /// The retrieves (places in [`Unit::retrieves`]) that an expression needs a match of.
    pub fn required_retrieves(&self, expression: Expression) -> Groups {
        let analysis = Analysis {
            unit: self,
            left: Cell::new(NODES),
            definitions: RefCell::default(),
        };
        let mut groups = analysis.definition(expression.0, Void, 0);
        groups.sort();
        groups.dedup();
        groups
    }

    /// What any of several expressions needs.
    pub fn required_retrieves_of_any(
        &self,
        expressions: impl Iterator<Item = Expression>,
    ) -> Groups {
        let mut all = expressions.map(|e| self.required_retrieves(e));
        let first = all.next().unwrap_or_default();
        all.fold(first, either)
    }
}

impl Unit {
    /// Whether a retrieve without a match tells nothing.
    fn is_in_doubt(&self, retrieve: u32) -> bool {
        let retrieve = self.retrieves.get(retrieve as usize);
        let code = retrieve.and_then(|r| r.code.as_ref());
        code.is_some_and(|code| code.doubt.is_some())
    }
}

impl Analysis<'_> {
    fn definition(&self, index: u32, grade: Grade, depth: u32) -> Groups {
        if let Some(known) = self.definitions.borrow().get(&(index, grade)) {
            return known.clone();
        }
        let Some(definition) = self.unit.definitions.get(index as usize) else {
            return vec![];
        };
        let groups = self.needs(&definition.node, None, grade, depth);
        self.definitions
            .borrow_mut()
            .insert((index, grade), groups.clone());
        groups
    }

    /// Groups without a match of one of which the value is of this grade.
    fn needs(&self, node: &Node, frame: Option<&Frame<'_>>, grade: Grade, depth: u32) -> Groups {
        let left = self.left.get();
        if depth > DEPTH || left == 0 {
            return vec![];
        }
        self.left.set(left - 1);
        let of = |node: &Node, grade: Grade| self.needs(node, frame, grade, depth + 1);
        let list_grade = if grade == Null { Null } else { Empty };
        let mut groups = match &node.kind {
            // What a value set that is not here, or not all of it, would find is not known: the patient
            // must be looked at.
            Kind::Retrieve(index) if grade != Null && !self.unit.is_in_doubt(*index) => {
                vec![BTreeSet::from([*index])]
            }
            Kind::Def(index) => self.definition(*index, grade, depth + 1),
            Kind::Local(slot) => match frame {
                Some(frame) => match frame.args.get(*slot as usize) {
                    Some(arg) => self.needs(arg, frame.outer, grade, depth + 1),
                    None => vec![],
                },
                None => vec![],
            },
            Kind::Once(_, node) | Kind::As(node, _, _) => of(node, grade),
            Kind::Property(node, _) => of(node, Null),
            Kind::And(both) if grade == Void => {
                let [a, b] = &**both;
                all(of(a, Void), of(b, Void))
            }
            Kind::Or(both) if grade == Void => {
                let [a, b] = &**both;
                either(of(a, Void), of(b, Void))
            }
            Kind::Op(operator, args, _) | Kind::Nary(operator, args, _) => {
                operator_needs(operator, args, grade, &of)
            }
            Kind::Call(function, args) => match self.unit.functions.get(*function as usize) {
                Some(function) => {
                    let inner = Frame { args, outer: frame };
                    self.needs(&function.node, Some(&inner), grade, depth + 1)
                }
                None => vec![],
            },
            Kind::Query(query) => {
                if query.aggregate.is_some() {
                    return vec![];
                }
                let mut groups = vec![];
                for source in &query.sources {
                    groups = all(groups, of(&source.expression, list_grade));
                }
                // Without a row a query over lists is empty, not null.
                if grade != Null {
                    for relationship in query.relationships.iter().filter(|r| !r.without) {
                        groups = all(groups, of(&relationship.expression, Empty));
                        groups = all(groups, of(&relationship.such_that, Void));
                    }
                    if let Some(condition) = &query.condition {
                        groups = all(groups, of(condition, Void));
                    }
                }
                groups
            }
            Kind::InValueSet(code, _) if grade == Void => of(code, Empty),
            Kind::Filter(source, _, _) if grade != Null => of(source, Empty),
            Kind::Sort(source, _) => of(source, list_grade),
            _ => vec![],
        };
        groups.truncate(GROUPS);
        groups
    }
}

fn operator_needs(
    operator: &Operator,
    args: &[Node],
    grade: Grade,
    of: &dyn Fn(&Node, Grade) -> Groups,
) -> Groups {
    let list_grade = if grade == Null { Null } else { Empty };
    let any = |grade: Grade| {
        args.iter()
            .fold(vec![], |groups, arg| all(groups, of(arg, grade)))
    };
    match (operator.when_empty, args) {
        (WhenEmpty::NullOfNull, _) => any(Null),
        (WhenEmpty::NullOfEmpty, [list]) => of(list, Empty),
        (WhenEmpty::FalseOfEmpty, [list]) if grade == Void => of(list, Empty),
        (WhenEmpty::FalseOfFalse, [value]) if grade == Void => of(value, Void),
        (WhenEmpty::FalseOfNoCode, [code, system]) if grade == Void => {
            all(of(code, Empty), of(system, Null))
        }
        // `x is not null`
        (WhenEmpty::Negation, [inner]) if grade == Void => match &inner.kind {
            Kind::Op(inner, args, _) if inner.when_empty == WhenEmpty::TrueOfNull => {
                args.first().map_or(vec![], |arg| of(arg, Null))
            }
            _ => vec![],
        },
        (WhenEmpty::AsFirst, [first, ..]) => of(first, list_grade),
        (WhenEmpty::AsAny, _) => any(list_grade),
        (WhenEmpty::AsAll, [first, rest @ ..]) if grade != Null => {
            rest.iter().fold(of(first, Empty), |groups, arg| {
                either(groups, of(arg, Empty))
            })
        }
        _ => vec![],
    }
}

/// What is needed where both must hold.
fn all(mut a: Groups, b: Groups) -> Groups {
    a.extend(b);
    a
}

/// What is needed where one suffices: a match of a group of the one or of a group of the other. The
/// smallest groups say most.
fn either(a: Groups, b: Groups) -> Groups {
    let smallest = |groups: Groups| groups.into_iter().min_by_key(BTreeSet::len);
    match (smallest(a), smallest(b)) {
        (Some(mut a), Some(b)) => {
            a.extend(b);
            vec![a]
        }
        _ => vec![],
    }
}
