//! A compiled query (ELM "Query"): sources, let, with, without, where, return, aggregate, sort.

use crate::fhir::property::Path;
use crate::tree::node::Node;

pub struct Query {
    pub sources: Box<[Source]>,
    pub lets: Box<[Let]>,
    pub relationships: Box<[Relationship]>,
    pub condition: Option<Node>,
    pub result: Option<(Node, bool)>,
    pub aggregate: Option<Aggregate>,
    pub sort: Box<[SortKey]>,
}

pub struct Source {
    pub alias: Box<str>,
    pub slot: u32,
    pub expression: Node,
}

/// What a `let` names.
pub struct Let {
    pub name: Box<str>,
    pub slot: u32,
    pub expression: Node,
}

/// `with` or `without`.
pub struct Relationship {
    pub without: bool,
    pub alias: Box<str>,
    pub slot: u32,
    pub expression: Node,
    pub such_that: Node,
}

pub struct Aggregate {
    /// Slot of the running total.
    pub slot: u32,
    pub distinct: bool,
    pub starting: Option<Node>,
    pub expression: Node,
}

pub struct SortKey {
    pub descending: bool,
    pub by: SortBy,
}

pub enum SortBy {
    /// The item itself.
    Item,
    Path(Path),
    /// An expression over the item, in its slot.
    Expression(u32, Node),
}
