//! The joint: what a compiled definition is, whatever language it came from.

use std::fmt;
use std::sync::Arc;

use crate::context::EvaluationContext;
use crate::record::PatientRecord;
use crate::requirements::DataRequirement;
use crate::systems::CodedElement;
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

    /// 1, 0, or nothing that could be counted.
    pub fn counted(self) -> Option<i64> {
        match self {
            Truth::True => Some(1),
            Truth::False => Some(0),
            Truth::Unknown => None,
        }
    }

    /// Kleene's and: one `false` decides.
    pub fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::True, Truth::True) => Truth::True,
            _ => Truth::Unknown,
        }
    }
}

impl std::ops::Not for Truth {
    type Output = Truth;

    /// The opposite; unknown stays unknown.
    fn not(self) -> Truth {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
        }
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One outcome of one program for one patient.
///
/// A row without `basis_id` is about the patient and is what is counted; a row with one tells a
/// member of it and is never counted itself. `measure-observation` has a row an observation, and none
/// where nothing was observed.
#[derive(Clone, PartialEq, Debug)]
pub struct ResultRow {
    /// Which of the program's artifacts it is of: a program may hold several measures.
    pub artifact: u16,
    /// Group of a measure, from 0.
    pub group: u32,
    /// FHIR measure population code, or `supplemental-data`, `risk-adjustment`, `stratifier` (one
    /// that could not be told).
    pub population: &'static str,
    /// Position among the group's populations, the measure's supplemental data, or the group's
    /// stratifiers.
    pub index: u32,
    /// In a count within a stratum: which stratifier of the group.
    pub stratifier: Option<u32>,
    /// And which of its strata. Of several components: their values as a JSON array.
    pub stratum: Option<Arc<str>>,
    /// `Encounter/1`: the member it is about, where the basis is a resource.
    pub basis_id: Option<Arc<str>>,
    /// Whether it holds, as far as the data tells.
    pub outcome: Truth,
    /// What is counted: 1 or 0, or how many resources are members. `None`: unknown, counted as
    /// nothing. A number beside an unknown outcome is counted although something that would take it
    /// out could not be told.
    pub count: Option<i64>,
    /// An observation, due date or supplemental value, if there is one. An observation with a unit is
    /// a quantity.
    pub value: Value,
    /// Of a stratum, else of the value, where it is coded: a FHIR CodeableConcept as JSON; of a stratum
    /// of several components a JSON array of them, null for a component that is not coded.
    pub coding: Option<Arc<str>>,
    /// Why it is unknown. Names elements and units, never holds patient data.
    pub unknown_reason: Option<Arc<str>>,
}

impl ResultRow {
    /// A patient's row of a population of the first group: 1 where it holds, 0 where it does not.
    pub fn of_patient(population: &'static str, index: u32, outcome: Truth) -> Self {
        ResultRow {
            artifact: 0,
            group: 0,
            population,
            index,
            stratifier: None,
            stratum: None,
            basis_id: None,
            outcome,
            count: outcome.counted(),
            value: Value::Null,
            coding: None,
            unknown_reason: None,
        }
    }
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
