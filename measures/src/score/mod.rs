//! From raw criteria to gated result rows: which members a population really has (FHIR R4 Measure
//! §"Populations"; CQFM measure IG STU5, "Measure Scoring"; CMS "Measure Calculations").
//!
//! ```text
//! raw criteria ── Gating: every population is a conjunction of criteria, some of them negated ──▶
//!   per member, two answers: what counts (null is "not", as CQL has it), and what is certain
//! ```
//!
//! | | |
//! |---|---|
//! | proportion | denominator: IP ∧ D. Exclusion: IP ∧ D ∧ X. Numerator: IP ∧ D ∧ ¬X ∧ N. Numerator exclusion: numerator ∧ NX. Exception: IP ∧ D ∧ ¬X ∧ ¬N ∧ E |
//! | ratio | denominator: IP ∧ D; exclusion: IP ∧ D ∧ X; numerator: IP ∧ N, whether or not in the denominator; numerator exclusion: IP ∧ N ∧ NX. With two initial populations each side has the one that it refers to |
//! | continuous variable | measure population: IP ∧ M; exclusion: IP ∧ M ∧ MX |
//! | cohort | IP |
//!
//! An observation is made of the members of the population it refers to, without that population's
//! exclusion. Where the basis is a resource, all of this holds per resource.
//!
//! **Unknown.** A criterion that is null, or whose evaluation failed, is not met: that is what is
//! counted. Beside it every row has an outcome by Kleene's logic over the same conjunction. It is
//! `unknown` exactly where deciding the criteria that could not be told, one way or the other, could
//! change this membership, and bears the reason of the first of them. So a numerator stays `false`
//! for a patient outside the denominator whatever is missing, and a numerator that is met beside an
//! exclusion that could not be told is counted (1) and `unknown`.
//!
//! The same holds of a criterion that has a value which is *in doubt*: it rests on data that are there
//! and cannot be read, or on a value set that is not here. Its value is counted, its outcome is unknown;
//! of a list the members that are in it in any case are certain.

mod gate;
mod rows;
mod strata;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use engine_patient::program::{PopulationCode, ResultRow, RowKind};
use engine_patient::system::truth::Truth;
use engine_patient::value::Value;

pub use crate::observation_quantity::ObservationQuantity;
pub use gate::{Gated, Gating};

use crate::package::{GroupDefinition, SupplementalDefinition, Usage};

/// The result of a criterion for a patient.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw {
    /// Of a boolean basis; unknown is CQL's null. The reason, where there is one.
    Truth(Truth, Option<Arc<str>>),
    /// Of a resource basis: `Encounter/1`. The order does not matter, repetitions do not count.
    Members(Vec<Arc<str>>),
    /// It could not be evaluated.
    Failed(Arc<str>),
    /// It has a result that is counted, but is not certain.
    InDoubt(Box<Doubtful>),
}

/// The result of a criterion although not all it rests on could be told: counted as it is, unknown.
#[derive(Clone, Debug, PartialEq)]
pub struct Doubtful {
    /// What is counted.
    pub counted: Raw,
    /// Of a resource basis: members in any case.
    pub certain: Vec<Arc<str>>,
    /// And resources that may be members although they are not counted. `None`: any.
    pub perhaps: Option<Vec<Arc<str>>>,
    /// Names elements and value sets.
    pub reason: Arc<str>,
}

impl Raw {
    /// Resources that are, or may be, members.
    pub(super) fn named(&self) -> impl Iterator<Item = &Arc<str>> {
        let perhaps = match self {
            Raw::InDoubt(doubtful) => doubtful.perhaps.as_deref(),
            _ => None,
        };
        let counted = match self.counted() {
            Raw::Members(ids) => ids.as_slice(),
            _ => &[],
        };
        counted.iter().chain(perhaps.unwrap_or_default())
    }

    /// What is counted.
    pub(super) fn counted(&self) -> &Raw {
        match self {
            Raw::InDoubt(doubtful) => doubtful.counted.counted(),
            other => other,
        }
    }
}

/// An observation: of which resource (none where the basis is the patient), and its quantity, or why it
/// has none.
pub type Observed = (Option<Arc<str>>, Result<ObservationQuantity, Arc<str>>);

/// What a stratum or a supplemental value is called, and its codings.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Label {
    /// A text; codes as `system|code`.
    pub text: Arc<str>,
    /// A FHIR CodeableConcept as JSON, where it is coded; see [`ResultRow::coding`].
    pub coding: Option<Arc<str>>,
}

impl From<String> for Label {
    fn from(text: String) -> Self {
        Label {
            text: text.into(),
            coding: None,
        }
    }
}

impl From<&str> for Label {
    fn from(text: &str) -> Self {
        Label::from(text.to_owned())
    }
}

/// The result of a stratifier for a patient.
#[derive(Clone, Debug, PartialEq)]
pub enum RawStrata {
    /// A criterion. Its members are the stratum `true`, the others are in none.
    Criterion(Raw),
    /// The patient's values, a stratum each. None: it could not be told.
    Values(Vec<Label>),
    /// A value per resource.
    OfMembers(Vec<(Arc<str>, Option<Label>)>),
    /// Several parts, which are crossed: the stratum is their values as a JSON array. A criterion is
    /// `true` or `false` here, and of several values of a part each is crossed.
    Components(Vec<RawStrata>),
    /// These are counted; why it is not certain that they are the patient's.
    InDoubt(Box<RawStrata>, Arc<str>),
    /// It could not be evaluated.
    Failed(Arc<str>),
}

/// All results of a group's expressions for a patient.
#[derive(Clone, Debug, Default)]
pub struct RawGroup {
    /// As the group's populations; what stands at a `measure-observation` is not looked at.
    pub populations: Vec<Raw>,
    /// Per `measure-observation`, in their order. Observations of resources that are no members are
    /// left out, members without one are observed as null.
    pub observations: Vec<Vec<Observed>>,
    /// As the group's stratifiers.
    pub strata: Vec<RawStrata>,
}

/// Gated rows of one patient and group, in a fixed order. Where the observations cost work, use
/// [`Gating::gate`] and [`Gated::observed`] first, to make only those that count.
pub fn score(gating: &Gating, place: Place, raw: &RawGroup, out: &mut Vec<ResultRow>) {
    let gated = gating.gate(&raw.populations);
    gated.rows(place, &raw.observations, &raw.strata, out);
}

/// Where rows belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index of the measure in its program.
    pub artifact: u16,
    /// Index of the group in the measure.
    pub group: u32,
}

/// The results of supplemental data for a patient.
#[derive(Clone, Debug, PartialEq)]
pub struct RawSupplemental {
    /// Its values, or why there are none to tell.
    pub values: Result<Vec<Label>, Arc<str>>,
    /// Why it is not certain that these are all, and the right ones.
    pub doubt: Option<Arc<str>>,
}

impl From<Result<Vec<Label>, Arc<str>>> for RawSupplemental {
    fn from(values: Result<Vec<Label>, Arc<str>>) -> Self {
        RawSupplemental {
            values,
            doubt: None,
        }
    }
}

/// Rows of supplemental data and risk variables: one per value, and one that is unknown where they
/// cannot be told or are in doubt. Only for patients of an initial
/// population; an expression without a value has no row.
pub fn supplemental(
    artifact: u16,
    definitions: &[SupplementalDefinition],
    raw: Vec<RawSupplemental>,
    out: &mut Vec<ResultRow>,
) {
    for ((index, definition), raw) in (0..).zip(definitions).zip(raw) {
        let kind = match definition
            .usage
            .first()
            .copied()
            .unwrap_or(Usage::SupplementalData)
        {
            Usage::SupplementalData => RowKind::SupplementalData(index),
            Usage::RiskAdjustment => RowKind::RiskAdjustment(index),
        };
        let row = |outcome| ResultRow {
            artifact,
            ..ResultRow::of_patient(kind, outcome)
        };
        let unknown = match raw.values {
            Ok(values) => {
                out.extend(values.into_iter().map(|label| ResultRow {
                    value: Value::String(label.text),
                    coding: label.coding,
                    ..row(Truth::True)
                }));
                raw.doubt
            }
            Err(reason) => Some(reason),
        };
        out.extend(unknown.map(|reason| ResultRow {
            unknown_reason: Some(reason),
            ..row(Truth::Unknown)
        }));
    }
}

/// Whether any initial population of the rows has a member: the patients whose supplemental data is
/// reported.
pub fn in_initial_population(rows: &[ResultRow]) -> bool {
    let initial = |r: &&ResultRow| {
        matches!(
            r.kind,
            RowKind::Population(PopulationCode::InitialPopulation, _)
        ) && r.stratum.is_none()
    };
    rows.iter().filter(initial).any(|r| r.count > Some(0))
}

/// The gatings of a measure's groups, made once.
pub fn gatings(groups: &[GroupDefinition]) -> Vec<Gating> {
    groups.iter().map(Gating::new).collect()
}
