//! What a measure says, after reading: plain data, checked.
//!
//! FHIR R4 Measure with the extensions of the Quality Measure IG (`cqfm-…`) and their successors in
//! CRMI (`crmi-…`).

use engine_patient::finding::did_you_mean;
pub use engine_patient::program::{PopulationCode, PopulationIndex};

/// An enum whose values are FHIR codes.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The FHIR code.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The one with this code; letter case counts nothing.
            #[must_use]
            pub fn of(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|c| c.as_str().eq_ignore_ascii_case(code))
            }

            /// The code nearest to `word`.
            pub(super) fn near(word: &str) -> Option<&'static str> {
                did_you_mean(word, Self::ALL.iter().map(|c| c.as_str()))
            }

            /// The codes, for a help text.
            pub(super) fn list() -> String {
                let codes: Vec<&str> = Self::ALL.iter().map(|c| c.as_str()).collect();
                format!("`{}`", codes.join("`, `"))
            }
        }
    };
}

codes! {
    /// How the score comes from the populations. Composite measures are refused at loading.
    Scoring {
        /// Numerator within denominator.
        Proportion = "proportion",
        /// Numerator and denominator counted or observed apart.
        Ratio = "ratio",
        /// An observation aggregated over the measure population.
        ContinuousVariable = "continuous-variable",
        /// Only who is in.
        Cohort = "cohort",
    }
}

codes! {
    /// How observations become one number.
    AggregateMethod {
        /// Sum.
        Sum = "sum",
        /// Arithmetic mean.
        Average = "average",
        /// Median.
        Median = "median",
        /// Lowest.
        Minimum = "minimum",
        /// Highest.
        Maximum = "maximum",
        /// How many.
        Count = "count",
    }
}

codes! {
    /// Which way is better.
    ImprovementNotation {
        /// A higher score.
        Increase = "increase",
        /// A lower score.
        Decrease = "decrease",
    }
}

codes! {
    /// What supplemental data are for.
    Usage {
        /// Reported beside the score.
        SupplementalData = "supplemental-data",
        /// For risk adjustment.
        RiskAdjustment = "risk-adjustment-factor",
    }
}

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Basis {
    /// Patients: an expression is true or false. Also where nothing is said.
    Boolean,
    /// Resources of this type: an expression is a list of them.
    Resource(String),
}

impl Basis {
    /// The code: `boolean` or the resource type.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Boolean => "boolean",
            Self::Resource(ty) => ty,
        }
    }
}

/// The name and version that a library's ELM states.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LibraryId {
    /// Such as `FHIRHelpers`.
    pub name: String,
    /// Such as `4.4.000`.
    pub version: Option<String>,
}

/// `Measure.effectivePeriod`: the dates as written, each a valid FHIR date or dateTime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectivePeriod {
    /// First day.
    pub start: Option<String>,
    /// Last day.
    pub end: Option<String>,
}

/// One measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasureDefinition {
    /// What messages call it where its name is another measure's, too.
    pub called: Option<String>,
    /// What options such as `--better` call it: the first of id and name that is its alone, else its key.
    pub handle: String,
    /// `Measure.id`.
    pub id: Option<String>,
    /// `Measure.url`, without version.
    pub url: Option<String>,
    /// `Measure.version`.
    pub version: Option<String>,
    /// `Measure.name`.
    pub name: Option<String>,
    /// `Measure.title`.
    pub title: Option<String>,
    /// `Measure.identifier.value`, without those that are `urn:…`: `CMS122FHIR`, `122FHIR`.
    pub identifiers: Vec<String>,
    /// `Measure.effectivePeriod`.
    pub period: Option<EffectivePeriod>,
    /// `Measure.library`: canonicals as written, at least one.
    pub libraries: Vec<String>,
    /// The library of the package that the first canonical means.
    pub main_library: Option<LibraryId>,
    /// `Measure.scoring`, where stated; a group's own takes precedence.
    pub scoring: Option<Scoring>,
    /// Basis of the whole measure, where stated; a group's own takes precedence.
    pub basis: Option<Basis>,
    /// `Measure.improvementNotation`, where stated; a group's own takes precedence.
    pub improvement_notation: Option<ImprovementNotation>,
    /// What the user says of it, over all else (`--better`).
    pub better: Option<ImprovementNotation>,
    /// Texts that may say which way is better: the element's name, and the text.
    pub texts: Vec<(&'static str, String)>,
    /// `Measure.rateAggregation`: free text.
    pub rate_aggregation: Option<String>,
    /// At least one.
    pub groups: Vec<GroupDefinition>,
    /// Supplemental data and risk adjustment factors.
    pub supplemental_data: Vec<SupplementalDefinition>,
    /// `Measure.publisher`.
    pub publisher: Option<String>,
    /// Names of `Measure.author`.
    pub authors: Vec<String>,
    /// `Measure.description`.
    pub description: Option<String>,
    /// `Measure.copyright`.
    pub copyright: Option<String>,
    /// `Measure.disclaimer`.
    pub disclaimer: Option<String>,
    /// File as the user named it.
    pub source: String,
    /// FHIRPath of the resource in that file: `Measure`, or `Bundle.entry[0].resource`.
    pub path: String,
}

impl MeasureDefinition {
    /// What tells it from all other measures: its canonical with the version, or without a url its id.
    #[must_use]
    pub fn key(&self) -> String {
        let name = self.url.as_deref().or(self.id.as_deref());
        let version = self.version.as_deref().unwrap_or_default();
        format!("{}|{version}", name.unwrap_or(self.label()))
    }

    /// What messages call it: the name, else id, url or file; among others of that name its key.
    #[must_use]
    pub fn label(&self) -> &str {
        let names = [&self.called, &self.name, &self.id, &self.url];
        names
            .into_iter()
            .flatten()
            .next()
            .map_or(&self.source, |n| n)
    }
}

/// One group of populations, with a score of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDefinition {
    /// `group.id`.
    pub id: Option<String>,
    /// Text of `group.code`.
    pub code: Option<String>,
    /// `group.description`.
    pub description: Option<String>,
    /// Of the group, else of the measure.
    pub scoring: Scoring,
    /// Of the group, else of the measure, else boolean.
    pub basis: Basis,
    /// Of the group, else of the measure.
    pub improvement_notation: Option<ImprovementNotation>,
    /// What stands beside it.
    pub notation: NotationTexts,
    /// Of the group, else of the measure; `None` also where the text is `None`.
    pub rate_aggregation: Option<String>,
    /// In the order of the measure. [`PopulationDefinition::reference`] counts in this list.
    pub populations: Vec<PopulationDefinition>,
    /// In the order of the measure.
    pub stratifiers: Vec<StratifierDefinition>,
    /// FHIRPath in the file.
    pub path: String,
}

/// What stands beside the code of an improvement notation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotationTexts {
    /// What its display, or its text, says.
    pub display: Option<ImprovementNotation>,
    /// Text of the extension `cqfm-improvementNotationGuidance`.
    pub guidance: Option<String>,
}

/// One population of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PopulationDefinition {
    /// `population.id`.
    pub id: Option<String>,
    /// What it is for.
    pub code: PopulationCode,
    /// Name of a definition (for observations: of a function) in the main library.
    pub expression: String,
    /// The criteria reference as written.
    pub criteria_reference: Option<String>,
    /// The population of the group that is meant: by the reference, or, for an observation of a
    /// continuous variable measure without one, its measure population.
    pub reference: Option<PopulationIndex>,
    /// Only for observations, and then always.
    pub aggregate_method: Option<AggregateMethod>,
    /// `population.description`.
    pub description: Option<String>,
    /// Display or text of the code.
    pub display: Option<String>,
    /// FHIRPath in the file.
    pub path: String,
}

/// One stratifier: either an expression, or components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StratifierDefinition {
    /// `stratifier.id`.
    pub id: Option<String>,
    /// Text of the code.
    pub code: Option<String>,
    /// `stratifier.description`.
    pub description: Option<String>,
    /// Name of a definition in the main library.
    pub expression: Option<String>,
    /// The parts that are combined.
    pub components: Vec<StratifierComponent>,
    /// The populations it divides; empty for all.
    pub applies_to: Vec<PopulationCode>,
    /// FHIRPath in the file.
    pub path: String,
}

/// A part of a stratifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StratifierComponent {
    /// `component.id`.
    pub id: Option<String>,
    /// Text of the code.
    pub code: Option<String>,
    /// `component.description`.
    pub description: Option<String>,
    /// Name of a definition in the main library.
    pub expression: String,
    /// FHIRPath in the file.
    pub path: String,
}

/// Something to be reported beside the populations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupplementalDefinition {
    /// `supplementalData.id`.
    pub id: Option<String>,
    /// Text of the code.
    pub code: Option<String>,
    /// `supplementalData.description`.
    pub description: Option<String>,
    /// Name of a definition in the main library.
    pub expression: String,
    /// What it is for, at least one.
    pub usage: Vec<Usage>,
    /// Kinds of report that carry it (`individual`, `summary`, …); empty where nothing is said.
    pub report_types: Vec<String>,
    /// FHIRPath in the file.
    pub path: String,
}
