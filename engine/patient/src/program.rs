//! The joint: what a compiled definition is, whatever language it came from.

use std::fmt;
use std::sync::Arc;

use crate::context::EvaluationContext;
use crate::record::PatientRecord;
use crate::requirements::DataRequirement;
use crate::value::Value;

/// What names an artifact, here and in every report.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Artifact {
    /// Short id, as in `--measure`.
    pub id: Arc<str>,
    /// Canonical URL.
    pub url: Arc<str>,
    /// Business version.
    pub version: Arc<str>,
    /// For people.
    pub title: Arc<str>,
}

/// Three values, everywhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Truth {
    /// Yes.
    True,
    /// No.
    False,
    /// It could not be told: data that would decide is missing.
    Unknown,
}

impl Truth {
    /// `true`, `false`, `unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            Truth::True => "true",
            Truth::False => "false",
            Truth::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One outcome of one program for one patient.
#[derive(Clone, PartialEq, Debug)]
pub struct ResultRow {
    /// Group of a measure, from 0.
    pub group: u32,
    /// FHIR measure population code, or the criterion's name.
    pub population: &'static str,
    /// The resource it is about, where the basis is not the patient.
    pub basis_id: Option<Arc<str>>,
    /// Whether it holds.
    pub outcome: Truth,
    /// An observation or due date, if there is one.
    pub value: Value,
    /// Why it is unknown. Names elements and units, never holds patient data.
    pub unknown_reason: Option<Arc<str>>,
}

/// Our bug, or a budget that was exceeded: the evaluation of a patient could not be finished.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EvaluationError(pub String);

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EvaluationError {}

/// A compiled clinical definition: a rule, a care gap, a measure.
pub trait PatientProgram: Send + Sync + fmt::Debug {
    /// What it is called.
    fn artifact(&self) -> &Artifact;

    /// Everything it may read. A record that holds these holds all it needs.
    fn data_requirements(&self) -> &[DataRequirement];

    /// Requirements without any match of which no criterion can hold: a source may leave out
    /// patients who have none of them, since every row would be `false`. Indices into
    /// [`PatientProgram::data_requirements`]; empty where nothing can be said.
    fn decisive_requirements(&self) -> &[usize] {
        &[]
    }

    /// The populations it gives rows of, for a patient of whom nothing holds.
    fn populations(&self) -> &'static [&'static str];

    /// Evaluates one patient; appends the rows to `out`.
    fn evaluate(
        &self,
        record: &PatientRecord,
        context: &EvaluationContext,
        out: &mut Vec<ResultRow>,
    ) -> Result<(), EvaluationError>;
}
