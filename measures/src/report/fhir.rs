//! A MeasureReport as FHIR R4 has it, as far as ours go: what is written, in the order in which it is
//! written (by name).

use serde::Serialize;

use super::datatypes::{Concept, Extension, Meta, Period, Quantity, Reference};
use super::list::List;

/// A MeasureReport.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MeasureReport<'l> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) contained: Vec<Contained<'l>>,
    pub(crate) date: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) evaluated_resource: Vec<Reference>,
    pub(crate) extension: Vec<Extension>,
    pub(crate) group: Vec<Group>,
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) improvement_notation: Option<Concept>,
    pub(crate) measure: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) meta: Option<Meta>,
    pub(crate) period: Period,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reporter: Option<Reference>,
    pub(crate) resource_type: &'static str,
    pub(crate) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<Reference>,
    pub(crate) r#type: &'static str,
}

/// A resource within a report.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Contained<'l> {
    /// Who is in a population.
    List(List<'l>),
    /// Supplemental data.
    Observation(Box<Observation>),
}

/// Supplemental data.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    pub(crate) code: Concept,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) component: Vec<ObservationComponent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_absent_reason: Option<Concept>,
    pub(crate) extension: Vec<Extension>,
    pub(crate) id: String,
    pub(crate) resource_type: &'static str,
    pub(crate) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value_codeable_concept: Option<Concept>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value_string: Option<String>,
}

/// A value of supplemental data, and how many have it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObservationComponent {
    pub(crate) code: Concept,
    pub(crate) value_integer: u64,
}

/// A group's numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    pub(crate) extension: Vec<Extension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(flatten)]
    pub(crate) counted: Counted,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) stratifier: Vec<Stratifier>,
}

/// What groups and strata have in common.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counted {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) measure_score: Option<Quantity>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) population: Vec<Population>,
}

/// A population's count.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Population {
    #[serde(rename = "_count", skip_serializing_if = "Option::is_none")]
    pub(crate) count_extension: Option<Extended>,
    pub(crate) code: Concept,
    pub(crate) count: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) extension: Vec<Extension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject_results: Option<Reference>,
}

/// The extensions of a primitive value.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Extended {
    pub(crate) extension: [Extension; 1],
}

/// A stratifier's strata.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stratifier {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<[Concept; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) stratum: Vec<Stratum>,
}

/// A stratum's numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stratum {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) component: Option<Vec<StratumComponent>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extension: Option<[Extension; 1]>,
    #[serde(flatten)]
    pub(crate) counted: Counted,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Concept>,
}

/// One of the values that make a stratum.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StratumComponent {
    pub(crate) code: Concept,
    pub(crate) value: Concept,
}
