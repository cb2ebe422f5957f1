//! The tests that stand in a rule's file.

use engine_cel::Clause;
use engine_patient::fhir::names::Name;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::truth::Truth;

use crate::outcome::Applicability;
use crate::words::{Hook, Indicator};

/// A made-up patient and what the rule must say.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// Its line in the file.
    pub line: usize,
    /// The moment of evaluation.
    pub at: DateTime,
    /// The resources, as FHIR JSON.
    pub resources: Vec<String>,
    /// Types that nobody could be asked for.
    pub unavailable: Vec<Name>,
    /// The hook that calls.
    pub hook: Hook,
    /// Who calls, as `Practitioner/1`.
    pub user: Option<String>,
    /// The orders that are being written, as FHIR JSON.
    pub drafts: Vec<String>,
    /// Of `order-select`: those that are selected, as `Type/id`.
    pub selections: Option<Vec<String>>,
    /// What must come out.
    pub expect: Expectation,
}

/// What must come out; `None` is not looked at.
#[derive(Clone, PartialEq, Debug)]
pub struct Expectation {
    /// The criterion.
    pub eligible: Option<Truth>,
    /// The criterion.
    pub excluded: Option<Truth>,
    /// The criterion.
    pub satisfied: Option<Truth>,
    /// Whether the gap is open, or there is a card.
    pub applies: Applicability,
    /// The whole summary of the first card.
    pub summary: Option<String>,
    /// The summaries of all cards, in their order.
    pub summaries: Option<Vec<String>>,
    /// How many cards, the one that says what could not be checked not counted.
    pub cards: Option<u32>,
    /// Urgency of the first card.
    pub indicator: Option<Indicator>,
    /// Labels of the first card's suggestions, in their order.
    pub suggestions: Option<Vec<String>>,
    /// Text that the reason must contain.
    pub reason: Option<String>,
    /// The due date, to the precision given here.
    pub due: Option<String>,
}

/// How a case went. Its texts show data of the case, which is made up.
#[derive(Clone, Debug)]
pub struct CaseOutcome {
    /// The case's name.
    pub name: String,
    /// Its line in the file.
    pub line: usize,
    /// What came out otherwise than expected, a sentence each; empty is passed.
    pub failures: Vec<String>,
    /// The same in parts, but for what is no outcome, such as a resource that cannot be read.
    pub differences: Vec<Difference>,
    /// The expressions that the differences come from, and why they came out as they did.
    pub why: Vec<Why>,
}

/// What came out otherwise than expected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The field of `expect`.
    pub field: &'static str,
    /// What stands there.
    pub expected: String,
    /// What came out.
    pub found: String,
    /// Why that is unknown, where it is.
    pub reason: Option<String>,
}

/// Why an expression came out as it did.
#[derive(Clone, Debug)]
pub struct Why {
    /// The field of the rule.
    pub field: &'static str,
    /// Its line in the file.
    pub line: usize,
    /// Its outcome, part by part.
    pub clause: Clause,
}
