//! A linked and compiled set of libraries: what all measures of a run share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::tree::node::Node;
use crate::tree::retrieve::{CodePath, Retrieve};
use crate::values::types::Type;

/// Everything compiled. Definitions of the same library are compiled, and evaluated, once however
/// many measures refer to them.
#[derive(Default)]
pub struct CompiledLibraries {
    pub libraries: Vec<LibraryInfo>,
    pub(crate) definitions: Vec<Compiled>,
    pub(crate) functions: Vec<Function>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) retrieves: Vec<Retrieve>,
    pub(crate) code_paths: Vec<CodePath>,
    pub(crate) clauses: Vec<Clause>,
    /// Places for expressions that depend on nothing but the patient.
    pub(crate) once: u32,
    pub(crate) by_name: FxHashMap<(u32, Arc<str>), u32>,
    /// Value sets by canonical: whether they are complete, and which definitions they touch.
    pub value_sets: BTreeMap<Arc<str>, ValueSetUse>,
}

/// A library that was compiled.
#[derive(Clone, Debug)]
pub struct LibraryInfo {
    pub name: Arc<str>,
    pub version: Option<Arc<str>>,
    pub source: Arc<str>,
}

/// An expression definition.
pub(crate) struct Compiled {
    pub(crate) library: u32,
    pub(crate) name: Arc<str>,
    pub(crate) node: Node,
    /// Slots of its frame.
    pub(crate) frame: u32,
    /// Retrieves it reaches, itself or through others; sorted.
    pub(crate) retrieves: BTreeSet<u32>,
    pub(crate) annotation: Option<Arc<serde_json::Value>>,
}

pub(crate) struct Function {
    pub(crate) library: u32,
    pub(crate) name: Arc<str>,
    pub(crate) operands: Vec<Type>,
    /// What its operands are called: they are the first slots of its frame.
    pub(crate) operand_names: Vec<Arc<str>>,
    /// Retrieves it reaches.
    pub(crate) retrieves: BTreeSet<u32>,
    pub(crate) node: Node,
    pub(crate) frame: u32,
    pub(crate) annotation: Option<Arc<serde_json::Value>>,
}

pub(crate) struct Parameter {
    pub(crate) name: Arc<str>,
    pub(crate) ty: Option<Type>,
    pub(crate) default: Option<Node>,
    pub(crate) frame: u32,
}

/// Where a clause stands.
#[derive(Clone, Debug)]
pub struct Clause {
    pub library: u32,
    pub local_id: Arc<str>,
    pub locator: Option<Arc<str>>,
    pub node: &'static str,
}

/// A value set that the logic refers to.
#[derive(Clone, Debug, Default)]
pub struct ValueSetUse {
    pub name: Arc<str>,
    pub version: Option<Arc<str>>,
    /// Loaded, with this many codes.
    pub codes: Option<usize>,
    /// `complete`, `empty`, `partial`, `not-expanded`, `missing`.
    pub completeness: &'static str,
    /// `Library: definition` that it touches.
    pub touches: BTreeSet<Arc<str>>,
}

/// A compiled expression definition, to be asked for by a program.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Expression(pub(crate) u32);

/// A function that a program calls: the observation of a measure.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FunctionHandle(pub(crate) u32);

impl std::fmt::Debug for CompiledLibraries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "CompiledLibraries({} libraries, {} definitions)",
            self.libraries.len(),
            self.definitions.len()
        )
    }
}

impl CompiledLibraries {
    /// The definition of this name in a library.
    pub fn expression(&self, library: u32, name: &str) -> Option<Expression> {
        self.by_name
            .get(&(library, Arc::from(name)))
            .copied()
            .map(Expression)
    }

    /// The place of a library.
    pub fn library(&self, name: &str, version: Option<&str>) -> Option<u32> {
        let is = |l: &LibraryInfo| {
            *l.name == *name && (version.is_none() || l.version.as_deref() == version)
        };
        self.libraries
            .iter()
            .position(is)
            .and_then(|i| u32::try_from(i).ok())
    }

    /// The name of a definition.
    pub fn name_of(&self, expression: Expression) -> &str {
        self.definitions
            .get(expression.0 as usize)
            .map_or("", |d| &d.name)
    }

    /// The retrieves that an expression may make, as places in [`CompiledLibraries::retrieves`].
    pub fn retrieves_of(&self, expression: Expression) -> impl Iterator<Item = u32> + '_ {
        let of = self.definitions.get(expression.0 as usize);
        of.into_iter().flat_map(|d| d.retrieves.iter().copied())
    }

    /// The retrieves that a function may make.
    pub fn retrieves_of_function(
        &self,
        function: FunctionHandle,
    ) -> impl Iterator<Item = u32> + '_ {
        let of = self.functions.get(function.0 as usize);
        of.into_iter().flat_map(|f| f.retrieves.iter().copied())
    }

    /// All retrieves.
    pub fn retrieves(&self) -> &[Retrieve] {
        &self.retrieves
    }

    /// Library, clause and ELM node, for people.
    pub(crate) fn describe_clause(&self, clause: u32) -> Option<String> {
        let clause = self.clauses.get(clause as usize)?;
        let library = self.libraries.get(clause.library as usize)?;
        Some(format!(
            "{} {} in the library {}",
            clause.node, clause.local_id, library.name
        ))
    }

    /// Clauses, as `Node::clause` counts them.
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }
}
