//! Why a rule said what it said of a patient, in one structure, whether it fired or was silent: for whoever
//! asks a service about a call. It holds the patient's data.

mod evidence;
mod tree;
mod verdict;

#[cfg(test)]
mod tests;

use engine_patient::context::EvaluationContext;
use engine_patient::program::EvaluationError;
use engine_patient::record::PatientRecord;
use engine_patient::system::truth::Truth;
use serde::Serialize;

use crate::plain_words;
use crate::rule::Rule;
use evidence::Evidence;
use tree::Trees;

pub use verdict::verdict;

/// Why a rule said what it said.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The rule's id.
    pub rule: String,
    /// Its version.
    pub version: String,
    /// Its title.
    pub title: String,
    /// `care-gap`, `alert` or `family`.
    pub kind: &'static str,
    /// The moment that it was asked for, as it was by the clock of the zone.
    pub at: String,
    /// The hook it was asked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
    /// Whether it applies: `yes`, `no` or `unknown`.
    pub applies: &'static str,
    /// The answer in a sentence.
    pub verdict: String,
    /// Why it could not be told, or not of all items: as rules say it, with elements and types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same in the words of a clinician.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_in_words: Option<String>,
    /// When what it recommends is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// Cards that are not shown because somebody acted on it already.
    #[serde(skip_serializing_if = "is_zero")]
    pub acted_on: usize,
    /// The cards that it has, as the rule makes them: ranking and limits of the call come later.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cards: Vec<ExplainedCard>,
    /// Its criteria, in their order.
    pub criteria: Vec<Criterion>,
    /// The resources that decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Deciding>,
    /// The codes of these that are in the rule's value sets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub value_sets: Vec<MatchedSet>,
}

/// A card.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedCard {
    /// `info`, `warning` or `critical`.
    pub indicator: &'static str,
    /// One line.
    pub summary: String,
    /// It says only that something could not be checked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub says_unknown: bool,
}

/// A criterion of a rule: `eligible`, `excluded`, `satisfied`; `for_each`, `table`, `when`, `acted_on`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Criterion {
    /// Its field.
    pub name: &'static str,
    /// What it asks, read out for who knows no CEL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asks: Option<String>,
    /// `true`, `false` or `unknown`; none of a list, such as `for_each`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truth: Option<&'static str>,
    /// Why it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What decided it, in words.
    pub decided: String,
    /// It, part by part.
    pub part: Part,
}

/// A part of a criterion.
#[derive(Clone, Default, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// As it is written.
    pub text: String,
    /// `true`, `false` or `unknown`; none where it is not a yes or no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truth: Option<&'static str>,
    /// Its value, where it is no yes or no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Why it is unknown, where that is not told below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The items of a list, the latest five.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<String>,
    /// What each item came to, of the latest five.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<TriedItem>,
    /// Of how many items that is not told.
    #[serde(skip_serializing_if = "is_zero")]
    pub more: usize,
    /// The value set, drugs or class that it was compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared_with: Option<String>,
    /// A definition whose parts are told where it stands first.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub see_above: bool,
    /// It decided the criterion, or stands on the way to what did.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub decides: bool,
    /// How many parts below are not told, since there is a limit to what an explanation holds.
    #[serde(skip_serializing_if = "is_zero")]
    pub cut: usize,
    /// What it is made of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// What an item of a list came to in a condition.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TriedItem {
    /// The item.
    pub item: String,
    /// Whether the condition holds for it.
    pub truth: &'static str,
    /// The part that decided.
    pub because: String,
}

/// A resource that decided.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deciding {
    /// `Observation/1`.
    pub resource: String,
    /// Display, text or code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// `not done`, `entered in error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negated: Option<&'static str>,
    /// As written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// With its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The criterion that it decided.
    pub criterion: &'static str,
    /// It is a draft of the call, and not on record.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_draft: bool,
    /// The prefetch keys that it came under, where they are known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
}

/// A code of a deciding resource that is in a value set of the rule.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MatchedSet {
    /// The resource.
    pub resource: String,
    /// The name that the rule uses.
    pub name: String,
    /// `url|version`.
    pub canonical: String,
    /// The title of the set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The code's system.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub system: String,
    /// The code.
    pub code: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Rule {
    /// Why it says what it says of a patient, with the trees of all criteria: at most 600 parts, 100 deciding
    /// resources, 100 codes. It evaluates the rule anew, so that it must be given what the rule was.
    ///
    /// # Errors
    /// Our bugs only.
    pub fn explanation(
        &self,
        record: &PatientRecord,
        context: &EvaluationContext,
    ) -> Result<Explanation, EvaluationError> {
        let decision = self.decide(record, context)?;
        let explained = self.explain(record, context)?;
        let read_out = self.read_out(None);
        let mut trees = Trees::default();
        let mut evidence = Evidence::of(record, context);
        let mut criteria = vec![];
        for (name, clause) in &explained {
            evidence.gather(name, clause);
            let words = match *name {
                "for_each" => read_out.for_each.as_ref(),
                name => {
                    let mut all = read_out.questions.iter();
                    all.find(|(field, _)| *field == name)
                        .map(|(_, words)| words)
                }
            };
            // What is decided by all items together is told with the items.
            let own = decision.criterion(name).filter(|_| self.is_measure());
            let truth = own.map(|outcome| outcome.truth).or(clause.truth);
            let reason = own.map_or(&clause.reason, |outcome| &outcome.reason);
            criteria.push(Criterion {
                name,
                asks: words.map(tree::in_words),
                truth: truth.map(Truth::as_str),
                reason: reason.clone(),
                decided: engine_cel::deciding(clause),
                part: trees.whole(clause),
            });
        }
        let reason = decision.unknown_reason.clone();
        let last = decision.cards.len().checked_sub(1);
        let cards = decision.cards.iter().enumerate();
        Ok(Explanation {
            rule: self.artifact.id.to_string(),
            version: self.artifact.version.to_string(),
            title: self.artifact.title.to_string(),
            kind: self.kind.as_str(),
            at: context.at.to_string(),
            hook: context.call.as_ref().map(|call| call.hook.to_string()),
            applies: decision.applicability.as_str(),
            verdict: verdict(&decision, &explained),
            reason_in_words: reason.as_deref().map(plain_words::reason),
            reason,
            due: decision.due.map(|due| due.to_string()),
            acted_on: decision.acted_on,
            cards: cards
                .map(|(number, card)| ExplainedCard {
                    indicator: card.indicator.as_str(),
                    summary: card.summary.clone(),
                    says_unknown: decision.has_unknown_card && Some(number) == last,
                })
                .collect(),
            criteria,
            value_sets: evidence.value_sets(self),
            resources: evidence.found,
        })
    }
}
