//! A value set as it was read, not yet evaluated.

use std::sync::Arc;

use super::code::Code;

/// A value set as read.
#[derive(Debug)]
pub(super) struct ValueSetDefinition {
    pub url: Arc<str>,
    pub version: Option<Arc<str>>,
    pub id: Option<Arc<str>>,
    pub name: Option<Arc<str>>,
    pub title: Option<Arc<str>>,
    pub spot: SpotOf,
    pub expansion: Option<Expansion>,
    pub compose: Option<Compose>,
}

/// Source and place of a definition.
#[derive(Debug, Clone)]
pub(super) struct SpotOf {
    pub source: Arc<str>,
    pub line: Option<usize>,
    pub root: String,
}

/// The codes of an expansion.
#[derive(Debug)]
pub(super) struct Expansion {
    pub codes: Vec<Code>,
    /// Codes there should be, and why they are not all here.
    pub partial: Option<(Option<usize>, String)>,
    /// A contradiction that does not make it partial: more codes than its total.
    pub surplus: Option<(usize, usize)>,
}

#[derive(Debug)]
pub(super) struct Compose {
    pub include: Vec<Clause>,
    pub exclude: Vec<Clause>,
    /// `compose.inactive` is false: concepts marked inactive are left out.
    pub active_only: bool,
}

/// One `include` or `exclude`.
#[derive(Debug)]
pub(super) struct Clause {
    pub path: String,
    pub system: Option<Arc<str>>,
    pub version: Option<Arc<str>>,
    pub concepts: Vec<Code>,
    pub filters: Vec<Filter>,
    pub value_sets: Vec<Arc<str>>,
    /// An element was wrong, so this clause cannot be evaluated.
    pub broken: bool,
}

#[derive(Debug)]
pub(super) struct Filter {
    pub property: Arc<str>,
    pub op: Arc<str>,
    pub value: Arc<str>,
}
