//! A compiled retrieve: what of the record it takes.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::fhir::property::Path;
use crate::tree::node::Node;
use crate::values::types::TypeId;
use engine_patient::fhir::names::Name;
use engine_patient::fhir::profiles::Profile;
use engine_patient::requirements::DataRequirement;
use engine_patient::terminology::ValueSet;

/// A compiled retrieve.
pub struct Retrieve {
    pub resource_type: Name,
    pub type_id: TypeId,
    pub profile: Option<Profile>,
    pub code: Option<CodeFilter>,
    pub date: Option<(Path, Node)>,
    /// What a source must give so that nothing is missed.
    pub requirement: DataRequirement,
    /// For people: `Condition: code in Diabetes`.
    pub label: Box<str>,
    /// Which element is compared with which codes; `None` where all of the type are taken.
    pub wanted: Option<Wanted>,
    /// It depends on an alias, let or operand around it, and so is made anew each time.
    pub open: bool,
}

/// What codes a retrieve asks for, in the words of its library.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    pub element: &'static str,
    /// `in`, `~`, `=`
    pub comparator: Box<str>,
    /// Names of value sets and codes; empty where an expression gives them.
    pub names: Box<[Box<str>]>,
}

/// How the code of a resource is compared.
pub struct CodeFilter {
    /// The element, as in the list of code paths of the compiled libraries.
    pub path: u32,
    pub codes: Codes,
    /// Why what it does not find may be there all the same: the value set is not here, or not all of
    /// it.
    pub doubt: Option<Box<str>>,
}

/// What the code of a resource is compared with.
pub enum Codes {
    /// `in` a value set; `None` where it was not loaded.
    Set(Option<Arc<ValueSet>>),
    /// One of these.
    Keys(FxHashSet<i64>),
    /// `~` a value set: the resource says of itself that it is about that whole value set
    /// (QI-Core `notDoneValueSet`, `codeOptions`).
    WholeSet(Box<str>),
    /// Codes, concepts or a value set that an expression gives.
    Expression(Box<Node>),
}

/// The element that holds a code: `code`, or a choice such as `medication`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CodePath {
    pub resource_type: Name,
    /// Its names in JSON.
    pub names: Vec<Name>,
}
