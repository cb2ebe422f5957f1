//! What a rule says about a patient.

use engine_cel::explain::truth_of;
use engine_cel::{TOO_MUCH, Val};
use engine_patient::system::date_time::DateTime;
use engine_patient::system::truth::Truth;

use crate::words::Indicator;

/// Whether a rule applies to a patient: of a care gap eligible, not excluded, not satisfied; of an alert
/// and a family `when` holds for an item and a row, and nobody acted on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applicability {
    /// The gap is open, there is a card.
    Applies,
    /// There is none.
    DoesNotApply,
    /// Data that would decide is missing.
    Unknown,
}

impl Applicability {
    pub(crate) fn of(truth: Truth) -> Self {
        match truth {
            Truth::True => Applicability::Applies,
            Truth::False => Applicability::DoesNotApply,
            Truth::Unknown => Applicability::Unknown,
        }
    }

    /// `yes`, `no`, `unknown`, as in a case's `expect`.
    pub fn as_str(self) -> &'static str {
        match self {
            Applicability::Applies => "yes",
            Applicability::DoesNotApply => "no",
            Applicability::Unknown => "unknown",
        }
    }
}

/// The outcome of a criterion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Yes, no or unknown.
    pub truth: Truth,
    /// Why it is unknown: names elements and units, never holds patient data.
    pub reason: Option<String>,
}

/// What a card shows and offers.
#[derive(Clone, PartialEq, Debug)]
pub struct CardText {
    /// Urgency; that of a "could not check" card is always `info`.
    pub indicator: Indicator,
    /// One line of less than 140 characters.
    pub summary: String,
    /// GitHub-flavoured Markdown.
    pub detail: String,
    /// Where it comes from, where that is not the rule's own source: a row of a family has its own.
    pub source: Option<CardSource>,
    /// Where to read on: label and web address.
    pub links: Vec<(String, String)>,
    /// What could be done at a click.
    pub suggestions: Vec<CardSuggestion>,
    /// Whether more than one suggestion may be taken.
    pub any_suggestions: bool,
    /// Reasons offered to whoever declines, in their words.
    pub override_reasons: Vec<CardReason>,
}

/// A card's own source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CardSource {
    /// For people.
    pub label: String,
    /// Where to read it.
    pub url: Option<String>,
}

/// A reason for not following a card.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CardReason {
    /// Its code system.
    pub system: String,
    /// The code.
    pub code: String,
    /// For people.
    pub display: String,
}

/// Something to do at a click.
#[derive(Clone, PartialEq, Debug)]
pub struct CardSuggestion {
    /// For people.
    pub label: String,
    /// The one to prefer.
    pub is_recommended: bool,
    /// The client may carry it out without being asked.
    pub is_automatic: bool,
    /// Done together.
    pub actions: Vec<CardAction>,
}

/// A change of one resource.
#[derive(Clone, PartialEq, Debug)]
pub struct CardAction {
    /// For people.
    pub description: String,
    /// What is done.
    pub change: CardChange,
}

/// What an action does. Resources are FHIR JSON.
#[derive(Clone, PartialEq, Debug)]
pub enum CardChange {
    /// Creates this resource.
    Create(String),
    /// Replaces a resource by this, which has its id.
    Update(String),
    /// Deletes the resource of this `Type/id`.
    Delete(String),
}

impl CardText {
    /// A card with texts only.
    pub fn text(indicator: Indicator, summary: String, detail: String) -> Self {
        CardText {
            indicator,
            summary,
            detail,
            source: None,
            links: vec![],
            suggestions: vec![],
            any_suggestions: false,
            override_reasons: vec![],
        }
    }
}

/// What a rule says about a patient. Its card holds patient data; the rest does not.
#[derive(Clone, PartialEq, Debug)]
pub struct Decision {
    /// The criteria by their names, each for itself: of a care gap `eligible`, `excluded` and
    /// `satisfied`; of an alert and a family `when`, of all items and rows together.
    pub criteria: Vec<(&'static str, Outcome)>,
    /// What follows from them.
    pub applicability: Applicability,
    /// Why that is unknown: the reason of the first criterion that keeps it open. Of an alert that applies,
    /// why of others of its items it could not be told.
    pub unknown_reason: Option<String>,
    /// When what is recommended is due; `None` where the rule does not say or it cannot be told.
    pub due: Option<DateTime>,
    /// The cards to show: of a care gap at most one, of an alert and a family one for each item of
    /// `for_each` (and row of the table) for which `when` holds, in their order, and last the one that says
    /// what could not be checked.
    pub cards: Vec<CardText>,
    /// Whether the last of them says what could not be checked.
    pub has_unknown_card: bool,
    /// Cards that are not shown because somebody acted on it already.
    pub acted_on: usize,
}

impl Decision {
    /// The outcome of a criterion.
    pub fn criterion(&self, name: &str) -> Option<&Outcome> {
        let found = self.criteria.iter().find(|(n, _)| *n == name);
        found.map(|(_, outcome)| outcome)
    }

    /// The first card.
    pub fn card(&self) -> Option<&CardText> {
        self.cards.first()
    }
}

impl Outcome {
    pub(crate) fn of(value: &Val<'_>) -> Self {
        let (truth, reason) = truth_of(value);
        Outcome { truth, reason }
    }

    /// Whether it is unknown because the rule took too much work, not for what is on record.
    pub(crate) fn is_too_much(&self) -> bool {
        let reason = self.reason.as_deref();
        self.truth == Truth::Unknown && reason.is_some_and(|r| r.contains(TOO_MUCH))
    }

    pub(crate) fn not(&self) -> Self {
        let truth = match self.truth {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
        };
        Outcome {
            truth,
            reason: self.reason.clone(),
        }
    }

    /// Kleene "and": `false` wins, then the first unknown.
    pub(crate) fn all(terms: &[Outcome]) -> Self {
        let find = |truth| terms.iter().find(|t| t.truth == truth);
        let decided = find(Truth::False).or_else(|| find(Truth::Unknown));
        decided.cloned().unwrap_or(Outcome {
            truth: Truth::True,
            reason: None,
        })
    }
}
