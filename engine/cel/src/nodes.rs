//! A checked expression: every name resolved, every type known.

use std::sync::Arc;

use engine_patient::fhir::names::Name;
use engine_patient::finding::Finding;
use engine_patient::systems::CodedElement;
use engine_patient::terminology::DrugSet;

use super::functions::FunctionInfo;
use super::operators::{Arithmetic, Numbers, Order};
use super::types::{Conversion, Ty};
use super::value::Val;

/// A place in a source: its first character and the one after the last.
pub type Span = (usize, usize);

/// A checked expression with its source.
#[derive(Debug)]
pub struct Compiled {
    /// As written.
    pub source: Arc<str>,
    /// The type of its value.
    pub ty: Ty,
    pub(crate) node: Node,
    /// How many comprehension variables are alive at once.
    pub(crate) slots: usize,
    /// How deep its evaluation goes, definitions included.
    pub(crate) depth: usize,
    /// Whether its value is another for each item of `for_each` or each row.
    pub varies: bool,
    /// Whether its value is another for each row.
    pub by_row: bool,
    /// What is not wrong but worth a look.
    pub warnings: Vec<Finding>,
}

impl Compiled {
    /// Room for its comprehension variables.
    pub(crate) fn locals<'r>(&self) -> Vec<Val<'r>> {
        vec![Val::unknown("no value yet"); self.slots]
    }
}

/// An expression and where it stands in its source.
#[derive(Debug)]
pub struct Node {
    pub kind: NodeKind,
    pub span: Span,
}

/// What a comprehension makes of its items.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fold {
    Exists,
    All,
    ExistsOne,
    Filter,
}

#[derive(Debug)]
pub enum NodeKind {
    Constant(Val<'static>),
    /// Stands for what was told as a problem. A compiled expression has none.
    Wrong,
    /// A comprehension's variable.
    Local(usize),
    /// A named expression of the same artifact; evaluated once a patient.
    Define(usize),
    /// The item of `for_each` that the artifact is evaluated for.
    Item,
    /// A column of the row of a table that the artifact is evaluated for.
    Column(usize),
    /// Whether a column of the row has a value.
    HasCell(usize),
    /// The hook that was called.
    Hook,
    /// Who called it.
    User,
    Patient,
    At,
    PeriodStart,
    PeriodEnd,
    /// Index into the data requirements.
    Retrieve(usize),
    Select(Box<Select>),
    /// Whether the element is there.
    Has(Box<Select>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Conditional(Box<[Node; 3]>),
    Order(Order, Box<[Node; 2]>),
    Equal(Box<[Node; 2]>),
    NotEqual(Box<[Node; 2]>),
    /// With whole numbers, or with decimals: by the types of the two sides, since a whole number may
    /// stand among decimals (`[1, 2.5]`).
    Arithmetic(Arithmetic, Numbers, Box<[Node; 2]>),
    Negate(Box<Node>),
    /// Item, list.
    In(Box<[Node; 2]>),
    /// List, position.
    Index(Box<[Node; 2]>),
    List(Vec<Node>),
    Fold(Fold, Box<Comprehension>),
    Map(Box<Comprehension>, Option<Box<Node>>),
    Call(&'static FunctionInfo, Vec<Node>),
    /// A function that takes a value set: its index, and the other arguments.
    InValueSet(&'static FunctionInfo, usize, Vec<Node>),
}

/// `operand.name`
#[derive(Debug)]
pub struct Select {
    pub operand: Node,
    /// The type that has the element, and its name as it was written.
    pub owner: &'static str,
    pub name: String,
    pub properties: Vec<(Name, Conversion)>,
    pub many: bool,
    /// Of a resource's element that can be compared with a value set: what it is called there.
    pub coded: Option<CodedElement>,
    /// What to say where it is missing.
    pub missing: String,
    /// What to say where its value is withheld: only its extensions are there.
    pub withheld: String,
    /// What to say where its JSON is of another kind.
    pub malformed: String,
}

/// `range.exists(x, body)` and the like.
#[derive(Debug)]
pub struct Comprehension {
    pub range: Node,
    pub slot: usize,
    pub body: Node,
    /// The drugs of which an item must be one, else the body is false; `None` where it may hold of any.
    pub drugs: Option<Vec<NamedDrugs>>,
}

/// A set of drugs that an expression names.
#[derive(Clone, Debug)]
pub enum NamedDrugs {
    /// The same for every row.
    Always(Arc<DrugSet>),
    /// The cell of a column.
    Column(usize),
}
