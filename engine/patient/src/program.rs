//! The joint: what a compiled definition is, whatever language it came from.

use std::fmt;
use std::sync::Arc;

use crate::context::EvaluationContext;
use crate::record::PatientRecord;
use crate::requirements::DataRequirement;
use crate::system::truth::Truth;
use crate::systems::{CodedElement, Compared};

pub use crate::evaluation::{EvaluationResult, NoteKind, Notes, RowOptions, Used, Wanted};
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

/// The evaluation of a patient could not be finished. Texts hold no patient data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EvaluationError {
    /// A mistake of ours, with the clause.
    Bug(String),
    /// More work, depth or memory than a patient may take.
    Budget(String),
    /// The logic raised an error; the text may be its library's.
    Raised(String),
}

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Bug(text) | Self::Budget(text) | Self::Raised(text)) = self;
        f.write_str(text)
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
    /// A patient whose codes are of systems that a member's set does not have ([`crate::systems`]) is
    /// taken as a match of it: what is not found is not known.
    fn necessary_requirements(&self, _artifact: usize, _rows: RowOptions) -> Vec<Vec<usize>> {
        vec![]
    }

    /// Within which moments a match of the necessary requirements counts, in milliseconds from 1970, both
    /// inclusive: by when the resource began ([`crate::fhir::clinical_time`]) or, if that is later, ended.
    /// `None`: whenever it was.
    fn necessary_within(&self) -> Option<(i64, i64)> {
        None
    }

    /// The coded elements whose code systems it goes by ([`crate::systems`]): a source that reads only what
    /// matches tells the record the systems of all the patient's resources.
    fn coded_elements(&self) -> &[CodedElement] {
        &[]
    }

    /// What it compares each of them with, in retrieves and conditions.
    fn compared(&self) -> &[Compared] {
        &[]
    }

    /// The rows of an artifact for a patient of whom nothing holds.
    fn absent(&self, artifact: usize, rows: RowOptions, out: &mut Vec<ResultRow>);

    /// The rows of an artifact for a patient whose evaluation failed: everything is unknown.
    fn failed(&self, artifact: usize, reason: &Arc<str>, out: &mut Vec<ResultRow>) {
        let first = out.len();
        self.absent(artifact, RowOptions::default(), out);
        for row in out.iter_mut().skip(first) {
            row.outcome = Truth::Unknown;
            row.count = None;
            row.unknown_reason = Some(Arc::clone(reason));
        }
    }

    /// Steps that the evaluation of an artifact may take for one patient; `None` where they are not
    /// counted. A run gives up artifacts that use them up again and again.
    fn steps_of_a_patient(&self) -> Option<u64> {
        None
    }

    /// Evaluates one patient for the artifacts that are wanted; appends to `out`.
    fn evaluate(
        &self,
        record: &PatientRecord,
        wanted: &Wanted<'_>,
        out: &mut EvaluationResult,
    ) -> Result<(), EvaluationError>;

    /// The rows of all its artifacts for one patient.
    fn rows(
        &self,
        record: &PatientRecord,
        context: &EvaluationContext,
    ) -> Result<Vec<ResultRow>, EvaluationError> {
        let artifacts = vec![true; self.artifacts().len()];
        let wanted = Wanted {
            context,
            artifacts: &artifacts,
            rows: RowOptions::default(),
        };
        let mut out = EvaluationResult::default();
        self.evaluate(record, &wanted, &mut out)?;
        Ok(out.rows)
    }
}
