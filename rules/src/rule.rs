//! What a rule is.

use std::sync::Arc;

use engine_patient::fhir::names::Name;
use engine_patient::finding::Finding;
use engine_patient::program::Artifact;
use engine_patient::requirements::DataRequirement;
use engine_patient::system::date_time::DateTime;
use engine_patient::systems::{CodedElement, Compared};
use engine_patient::terminology::ValueSet;

use crate::case::Case;
use crate::places::Places;
use crate::program::Program;
use crate::words::{Hook, Improvement, Kind, OnUnknown, Status};

/// A rule, checked: whom and what it is about, what the card says.
#[derive(Debug)]
pub struct Rule {
    /// Id, canonical URL (`https://tandem-cds.dev/Measure/<id>`; of an alert and a family
    /// `PlanDefinition/<id>`), version, title.
    pub artifact: Artifact,
    /// Care gap, alert or family.
    pub kind: Kind,
    /// How far it is trusted.
    pub status: Status,
    /// Who answers for it.
    pub owner: Option<String>,
    /// When it must be looked at again.
    pub review: Option<DateTime>,
    /// When it is asked; the first is that of its cases.
    pub hooks: Vec<Hook>,
    /// What it does, in a paragraph.
    pub description: String,
    /// Why it is worth an interruption.
    pub rationale: String,
    /// The guideline it follows.
    pub source: Source,
    /// Which direction of the rate is better; an alert has no rate.
    pub improvement: Option<Improvement>,
    /// Within so many days the same card is not to be shown again.
    pub cooldown_days: Option<u32>,
    /// Whether the dead count as well: otherwise who was dead at the moment is not eligible.
    pub include_deceased: bool,
    /// What an unknown outcome does on a live card.
    pub on_unknown: OnUnknown,
    /// What the "could not check" card says.
    pub unknown_summary: String,
    /// Its value sets, by the names its expressions use.
    pub value_sets: Vec<(String, Arc<ValueSet>)>,
    /// Its own tests.
    pub cases: Vec<Case>,
    /// What is not wrong but worth a look: unused names, value sets without codes.
    pub warnings: Vec<Finding>,
    /// Names what it is made of, its file and its tables: sixteen hexadecimal digits, others for another
    /// text.
    pub content: String,
    /// The file it was read from, as the user named it.
    pub file: String,
    pub(crate) requirements: Vec<DataRequirement>,
    pub(crate) draft_types: Vec<Name>,
    /// Those of them that each eligible patient has a match of.
    pub(crate) needed: Vec<usize>,
    pub(crate) coded_elements: Vec<CodedElement>,
    pub(crate) compared: Vec<Compared>,
    pub(crate) places: Places,
    pub(crate) program: Program,
}

impl Rule {
    /// Whether it is in use: its cards are shown, or logged only.
    pub fn is_live(&self) -> bool {
        matches!(self.status, Status::Active | Status::Shadow)
    }

    /// The types of drafts that it looks at (`draftOrders`, `selections`), each once. Where a hook only names
    /// its orders, they have to be asked for.
    pub fn draft_types(&self) -> &[Name] {
        &self.draft_types
    }

    /// Whether it is a measure, too.
    pub fn is_measure(&self) -> bool {
        self.kind == Kind::CareGap
    }
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
