//! What a rule says about a patient.

use engine_cel::Val;
use engine_cel::explain::truth_of;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::truth::Truth;

use crate::words::Indicator;

/// Whether a rule applies to a patient: eligible, not excluded, not satisfied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applicability {
    /// The gap is open.
    Applies,
    /// There is no gap.
    DoesNotApply,
    /// Data that would decide is missing.
    Unknown,
}

impl Applicability {
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

/// The texts of a card.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CardText {
    /// Urgency; that of a "could not check" card is always `info`.
    pub indicator: Indicator,
    /// One line of less than 140 characters.
    pub summary: String,
    /// GitHub-flavoured Markdown.
    pub detail: String,
}

/// What a rule says about a patient. Its card holds patient data; the rest does not.
#[derive(Clone, PartialEq, Debug)]
pub struct Decision {
    /// Whether the patient is one of those the rule is for.
    pub eligible: Outcome,
    /// Whether the patient is left out.
    pub excluded: Outcome,
    /// Whether what is recommended is done. Each of the three stands for itself.
    pub satisfied: Outcome,
    /// The three together.
    pub applicability: Applicability,
    /// Why that is unknown: the reason of the first criterion that keeps it open.
    pub unknown_reason: Option<String>,
    /// When what is recommended is due; `None` where the rule does not say or it cannot be told.
    pub due: Option<DateTime>,
    /// The card, if there is one to show.
    pub card: Option<CardText>,
}

impl Outcome {
    pub(crate) fn of(value: &Val<'_>) -> Self {
        let (truth, reason) = truth_of(value);
        Outcome { truth, reason }
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
