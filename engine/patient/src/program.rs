//! The joint: what a compiled definition is, whatever language it came from.

use std::fmt;
use std::sync::Arc;

use crate::context::EvaluationContext;
use crate::record::PatientRecord;
use crate::requirements::DataRequirement;
use crate::system::truth::Truth;
use crate::systems::CodedElement;

pub use crate::result_row::{PopulationCode, PopulationIndex, ResultRow, RowKind};

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

/// Our bug, or a budget that was exceeded: the evaluation of a patient could not be finished.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EvaluationError(pub String);

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EvaluationError {}

/// A compiled clinical definition: a rule, a care gap, a measure; or several measures that share
/// what they read and compute.
pub trait PatientProgram: Send + Sync + fmt::Debug {
    /// What it is called; at least one.
    fn artifacts(&self) -> &[Artifact];

    /// Everything it may read. A record that holds these holds all it needs.
    fn data_requirements(&self) -> &[DataRequirement];

    /// What one of its artifacts reads, as indices into [`PatientProgram::data_requirements`].
    fn requirements_of(&self, _artifact: usize) -> Vec<usize> {
        (0..self.data_requirements().len()).collect()
    }

    /// Requirements without which no criterion of an artifact can hold: each group needs a match of
    /// at least one of its members. A source may leave out patients who lack one, since
    /// [`PatientProgram::absent`] says all there is to say of them. Empty where nothing can be said.
    /// A group with a member of which no match can be told, because the data is coded in other systems
    /// ([`crate::systems`]), decides nothing.
    fn decisive_requirements(&self, _artifact: usize) -> Vec<Vec<usize>> {
        vec![]
    }

    /// The coded elements of which it wants to be told the code systems in use, see
    /// [`EvaluationContext::systems`].
    fn coded_elements(&self) -> &[CodedElement] {
        &[]
    }

    /// The rows of an artifact for a patient of whom nothing holds.
    fn absent(&self, artifact: usize, out: &mut Vec<ResultRow>);

    /// The rows of an artifact for a patient whose evaluation failed: everything is unknown.
    fn failed(&self, artifact: usize, reason: &Arc<str>, out: &mut Vec<ResultRow>) {
        let first = out.len();
        self.absent(artifact, out);
        for row in out.iter_mut().skip(first) {
            row.outcome = Truth::Unknown;
            row.count = None;
            row.unknown_reason = Some(Arc::clone(reason));
        }
    }

    /// A pass over so many patients begins: what evaluations use up is counted from here on. Without a
    /// pass (one patient) each evaluation has its own budget, and that is all.
    fn begin(&self, _patients: u64) {}

    /// Whether an artifact has used up what a pass may spend on it. The pass is to end: what it came to
    /// depends on which patients came first.
    fn is_spent(&self) -> bool {
        false
    }

    /// Gives up the artifacts that have used up their budget: from now on everything about them is
    /// unknown, of every patient. Whether there were any.
    fn give_up(&self) -> bool {
        false
    }

    /// Evaluates one patient for the artifacts that are wanted; appends their rows to `out`.
    fn evaluate(
        &self,
        record: &PatientRecord,
        context: &EvaluationContext,
        wanted: &[bool],
        out: &mut Vec<ResultRow>,
    ) -> Result<(), EvaluationError>;
}
