//! Where a rule's parts stand in its file.

use engine_patient::finding::Span;

/// The places that cases, and what they do not show, are told at.
#[derive(Debug)]
pub(crate) struct Places {
    pub cases: Span,
    pub eligible: Span,
    pub excluded: Span,
    pub satisfied: Span,
    pub for_each: Span,
    pub table: Span,
    pub when: Span,
    pub acted_on: Span,
    pub due: Span,
    /// The terms of an `||`, each of which makes it true.
    pub excluded_terms: Vec<Span>,
    pub satisfied_terms: Vec<Span>,
    /// The names of definitions.
    pub defines: Vec<Span>,
}
