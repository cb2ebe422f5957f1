//! The expressions of a rule, checked.

use std::sync::{Arc, OnceLock};

use engine_cel::Compiled;
use engine_patient::fhir::codes::RequiredCodes;
use engine_patient::terminology::{DrugDictionary, ValueSet};

use crate::outcome::CardReason;
use crate::table::{ByDrug, Table};
use crate::words::Indicator;

/// The expressions, and the value sets they name.
#[derive(Debug)]
pub(crate) struct Program {
    /// The names of `define`, in the order of `expressions.defines`; those of the library come first.
    pub define_names: Vec<String>,
    /// How many of them are the library's.
    pub of_library: usize,
    /// In the order of the checker.
    pub sets: Vec<Arc<ValueSet>>,
    /// The drugs that the expressions were checked with.
    pub drugs: Arc<DrugDictionary>,
    pub expressions: Expressions,
}

/// The expressions.
#[derive(Debug)]
pub(crate) struct Expressions {
    pub defines: Vec<Compiled>,
    /// Whether the patient is alive; `None` where the rule is for the dead, too.
    pub alive: Option<Compiled>,
    pub question: Question,
    pub card: CardProgram,
}

/// What is asked of a patient.
#[derive(Debug)]
pub(crate) enum Question {
    Gap(Box<Gap>),
    Alert(Box<Alert>),
}

/// Of a care gap.
#[derive(Debug)]
pub(crate) struct Gap {
    pub eligible: Compiled,
    pub excluded: Compiled,
    pub satisfied: Compiled,
    pub due: Option<Compiled>,
}

/// Of an alert and a family.
#[derive(Debug)]
pub(crate) struct Alert {
    /// The list of items; without one it is asked once.
    pub items: Option<Compiled>,
    pub table: Option<Table>,
    pub when: Compiled,
    pub acted_on: Option<Compiled>,
    pub one_card_per: Option<Compiled>,
    /// The rows by the drugs that `when` asks for; `None` where it may hold for any.
    pub by_drug: OnceLock<Option<ByDrug>>,
}

/// A text with values in it.
pub(crate) type Template = Vec<Fragment>;

/// A part of a checked text.
#[derive(Debug)]
pub(crate) enum Fragment {
    Text(String),
    Value(Compiled),
}

/// What is shown and offered.
#[derive(Debug)]
pub(crate) struct CardProgram {
    pub indicator: IndicatorOf,
    pub summary: Template,
    pub detail: Template,
    /// Whether what the question rests on stands below the detail.
    pub why: bool,
    /// What the "could not be checked" card says beside the reasons, about the patient and the call.
    pub unknown_detail: Template,
    /// Label, and where to read it.
    pub source: Option<(Template, Option<Template>)>,
    /// Labels and addresses.
    pub links: Vec<(Template, Template)>,
    pub suggestions: Vec<SuggestionProgram>,
    pub any_suggestions: bool,
    pub override_reasons: Vec<CardReason>,
}

/// How urgent a card is.
#[derive(Debug)]
pub(crate) enum IndicatorOf {
    Always(Indicator),
    From(Compiled),
}

/// A suggestion.
#[derive(Debug)]
pub(crate) struct SuggestionProgram {
    pub label: Template,
    pub is_recommended: bool,
    pub is_automatic: bool,
    pub actions: Vec<ActionProgram>,
}

/// An action.
#[derive(Debug)]
pub(crate) struct ActionProgram {
    pub description: Template,
    pub change: ChangeProgram,
}

/// What an action does.
#[derive(Debug)]
pub(crate) enum ChangeProgram {
    Create(ResourceProgram),
    /// The resource, and its elements that are replaced.
    Update(Compiled, ResourceProgram),
    Delete(Compiled),
}

/// FHIR JSON with holes in it.
#[derive(Debug)]
pub(crate) struct ResourceProgram {
    pub pieces: Vec<Piece>,
    /// The names of its elements, choices with their type.
    pub elements: Vec<String>,
}

/// A part of a resource.
#[derive(Debug)]
pub(crate) enum Piece {
    Json(String),
    Hole(Hole),
}

/// A value of a resource that is made of expressions.
#[derive(Debug)]
pub(crate) struct Hole {
    pub template: Template,
    /// The element, as in `ServiceRequest.subject`.
    pub element: String,
    /// Its FHIR type.
    pub ty: &'static str,
    /// The codes that it must be of.
    pub codes: Option<&'static RequiredCodes>,
}

impl CardProgram {
    /// All its expressions, each with the field that it is part of.
    pub fn expressions<'c>(&'c self) -> Vec<(&'static str, &'c Compiled)> {
        let mut all = vec![];
        if let IndicatorOf::From(compiled) = &self.indicator {
            all.push(("card.indicator_from", compiled));
        }
        let mut add = |field, template: &'c [Fragment]| {
            for fragment in template {
                if let Fragment::Value(compiled) = fragment {
                    all.push((field, compiled));
                }
            }
        };
        add("card.summary", &self.summary);
        add("card.detail", &self.detail);
        add("card.unknown_detail", &self.unknown_detail);
        if let Some((label, url)) = &self.source {
            add("card.source", label);
            add("card.source", url.as_deref().unwrap_or_default());
        }
        for (label, url) in &self.links {
            add("card.links", label);
            add("card.links", url);
        }
        let mut made = vec![];
        for suggestion in &self.suggestions {
            add("card.suggestions", &suggestion.label);
            for action in &suggestion.actions {
                add("card.suggestions", &action.description);
                let resource = match &action.change {
                    ChangeProgram::Create(resource) => Some(resource),
                    ChangeProgram::Update(compiled, set) => {
                        made.push(("card.suggestions", compiled));
                        Some(set)
                    }
                    ChangeProgram::Delete(compiled) => {
                        made.push(("card.suggestions", compiled));
                        None
                    }
                };
                for piece in resource.map(|r| r.pieces.as_slice()).unwrap_or_default() {
                    if let Piece::Hole(hole) = piece {
                        add("card.suggestions", &hole.template);
                    }
                }
            }
        }
        all.extend(made);
        all
    }
}
