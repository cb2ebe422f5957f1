//! The tests that stand in a rule's file.

use engine_patient::fhir::names::Name;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::truth::Truth;

use crate::outcome::Applicability;

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
    /// Whether the gap is open.
    pub applies: Applicability,
    /// The whole summary of the card.
    pub summary: Option<String>,
    /// Text that the reason must contain.
    pub reason: Option<String>,
    /// The due date, to the precision given here.
    pub due: Option<String>,
}

/// How a case went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseOutcome {
    /// The case's name.
    pub name: String,
    /// Its line in the file.
    pub line: usize,
    /// What came out otherwise than expected; empty is passed.
    pub failures: Vec<String>,
}
