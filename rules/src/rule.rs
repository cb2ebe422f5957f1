//! What a rule is.

use std::sync::Arc;

use engine_patient::diagnostic::Diagnostic;
use engine_patient::program::Artifact;
use engine_patient::requirements::DataRequirement;
use engine_patient::systems::CodedElement;
use engine_patient::terminology::ValueSet;

use crate::case::Case;
use crate::program::Program;

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
    pub warnings: Vec<Diagnostic>,
    /// The file it was read from, as the user named it.
    pub file: String,
    pub(crate) requirements: Vec<DataRequirement>,
    /// Those of them that each eligible patient has a match of.
    pub(crate) needed: Vec<usize>,
    pub(crate) coded_elements: Vec<CodedElement>,
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

/// Which direction of a rate is better (FHIR `improvementNotation`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Improvement {
    /// A higher rate is better.
    Increase,
    /// A lower rate is better.
    Decrease,
}

/// What an unknown outcome does on a live card.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnUnknown {
    /// A card says that it could not be checked, and why.
    Card,
    /// Nothing is shown.
    Silent,
}

/// Urgency of a card (CDS Hooks `indicator`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Indicator {
    /// For information.
    Info,
    /// Needs attention.
    Warning,
    /// Needs attention now.
    Critical,
}

/// The words of a file for the values of an enum; one table serves reading and writing.
pub(crate) trait Word: Copy + PartialEq + 'static {
    /// Each word with its value.
    const WORDS: &'static [(&'static str, Self)];

    /// The word of a value.
    fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, value)| *value == self);
        found.map_or("", |(word, _)| word)
    }
}

impl Word for Improvement {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("increase", Improvement::Increase),
        ("decrease", Improvement::Decrease),
    ];
}

impl Word for OnUnknown {
    const WORDS: &'static [(&'static str, Self)] =
        &[("card", OnUnknown::Card), ("silent", OnUnknown::Silent)];
}

impl Word for Indicator {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("info", Indicator::Info),
        ("warning", Indicator::Warning),
        ("critical", Indicator::Critical),
    ];
}

impl Improvement {
    /// The FHIR code.
    pub fn as_str(self) -> &'static str {
        self.word()
    }
}

impl OnUnknown {
    /// As in the file.
    pub fn as_str(self) -> &'static str {
        self.word()
    }
}

impl Indicator {
    /// The CDS Hooks code.
    pub fn as_str(self) -> &'static str {
        self.word()
    }
}
