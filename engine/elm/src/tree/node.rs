//! The compiled tree: every name is resolved, every value set and code interned.

use crate::fhir::property::Path;
use crate::operators::operator::Attributes;
use crate::operators::operator::Operator;
use crate::tree::constant::Constant;
use crate::values::types::Type;
use engine_patient::system::date_time::Precision;

/// No clause.
pub const NO_CLAUSE: u32 = u32::MAX;

/// An expression.
#[derive(Debug)]
pub struct Node {
    pub kind: Kind,
    /// Index into [`crate::tree::libraries::CompiledLibraries::clauses`] where the ELM gave it a `localId`.
    pub clause: u32,
}

/// What an expression does. Names are those of ELM.
pub enum Kind {
    Const(Constant),
    /// What the compiler could not make although nothing is wrong with the library: a mistake of ours.
    Broken(&'static str),
    /// A parameter, by its place among those compiled.
    Param(u32),
    /// An expression definition: evaluated once a patient.
    Def(u32),
    /// An expression that depends on nothing but the patient, within a loop or a function: its place,
    /// and what it is.
    Once(u32, Box<Node>),
    /// An alias, let or operand: a slot of the frame.
    Local(u32),
    Op(&'static Operator, Box<[Node]>, Attributes),
    /// `Union` and the like of more than two: two at a time, from the left.
    Nary(&'static Operator, Box<[Node]>, Attributes),
    And(Box<[Node; 2]>),
    Or(Box<[Node; 2]>),
    Implies(Box<[Node; 2]>),
    If(Box<[Node; 3]>),
    /// Comparand, cases, else.
    Case(Option<Box<Node>>, Box<[(Node, Node)]>, Box<Node>),
    Coalesce(Box<[Node]>),
    List(Box<[Node]>),
    Tuple(Option<Box<str>>, Box<[Box<str>]>, Box<[Node]>),
    Interval(Box<IntervalNode>),
    Property(Box<Node>, Box<Path>),
    As(Box<Node>, Box<Type>, bool),
    Is(Box<Node>, Box<Type>),
    /// A function whose overload was chosen at load.
    Call(u32, Box<[Node]>),
    /// Overloads to choose from by run-time types.
    Dispatch(Box<[u32]>, Box<[Node]>),
    Query(Box<crate::tree::query::Query>),
    Retrieve(u32),
    InValueSet(Box<Node>, Box<Node>),
    /// Source, slot of the item, condition.
    Filter(Box<Node>, u32, Box<Node>),
    /// Source, slot of the item, element.
    ForEach(Box<Node>, u32, Box<Node>),
    /// Source, slot of the item, element.
    Repeat(Box<Node>, u32, Box<Node>),
    /// Source, slot of the item, keys.
    Sort(Box<Node>, Box<[crate::tree::query::SortKey]>),
    /// Source, slots of item and total, iteration, initial value.
    Aggregate(Box<Node>, u32, u32, Box<Node>, Option<Box<Node>>),
    /// Source, condition, code, severity, message.
    Message(Box<[Node; 5]>),
}

/// An `Interval` selector.
pub struct IntervalNode {
    pub low: Node,
    pub high: Node,
    pub low_closed: Node,
    pub high_closed: Node,
    pub point: crate::values::value::PointType,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("expression")
    }
}

/// A precision attribute: `Day` and `day` alike. `Week` is no precision of a value.
pub fn precision(text: &str) -> Option<Attributes> {
    let mut extra = Attributes::default();
    let precision = match text.to_ascii_lowercase().as_str() {
        "year" => Precision::Year,
        "month" => Precision::Month,
        "week" => {
            extra.week = true;
            Precision::Day
        }
        "day" => Precision::Day,
        "hour" => Precision::Hour,
        "minute" => Precision::Minute,
        "second" => Precision::Second,
        "millisecond" => Precision::Millisecond,
        _ => return None,
    };
    extra.precision = Some(precision);
    Some(extra)
}
