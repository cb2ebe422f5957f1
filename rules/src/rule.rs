//! What a rule is.

use std::sync::Arc;

use engine_patient::finding::Finding;
use engine_patient::program::Artifact;
use engine_patient::requirements::DataRequirement;
use engine_patient::systems::CodedElement;
use engine_patient::terminology::ValueSet;

use crate::case::Case;
use crate::places::Places;
use crate::program::Program;
use crate::words::{Improvement, Indicator, OnUnknown};

/// A care gap, checked: who it is for, who is left out, what closes it, what the card says.
#[derive(Debug)]
pub struct Rule {
    /// Id, canonical URL (`https://tandem-cds.dev/Measure/<id>`), version, title.
    pub artifact: Artifact,
    /// What it does, in a paragraph.
    pub description: String,
    /// Why it is worth an interruption.
    pub rationale: String,
    /// The guideline it follows.
    pub source: Source,
    /// Which direction of the rate is better.
    pub improvement: Improvement,
    /// Whether the dead count as well: otherwise who was dead at the moment is not eligible.
    pub include_deceased: bool,
    /// What an unknown outcome does on a live card.
    pub on_unknown: OnUnknown,
    /// How urgent the card is.
    pub indicator: Indicator,
    /// What the "could not check" card says.
    pub unknown_summary: String,
    /// Its value sets, by the names its expressions use.
    pub value_sets: Vec<(String, Arc<ValueSet>)>,
    /// Its own tests.
    pub cases: Vec<Case>,
    /// What is not wrong but worth a look: unused names, value sets without codes.
    pub warnings: Vec<Finding>,
    /// The file it was read from, as the user named it.
    pub file: String,
    pub(crate) requirements: Vec<DataRequirement>,
    /// Those of them that each eligible patient has a match of.
    pub(crate) needed: Vec<usize>,
    pub(crate) coded_elements: Vec<CodedElement>,
    pub(crate) places: Places,
    pub(crate) program: Program,
}

/// Where a recommendation comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// Title of the document.
    pub title: String,
    /// Who publishes it.
    pub publisher: String,
    /// Year of the edition.
    pub year: u16,
    /// Where to read it.
    pub url: String,
    /// Grade or strength of the recommendation, in the publisher's words.
    pub strength: String,
}
