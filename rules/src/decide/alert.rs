//! An alert and a family: a card for each item and row for which `when` holds.

use std::collections::HashSet;

use engine_cel::{Evaluation, Val};
use engine_patient::program::EvaluationError;
use engine_patient::system::truth::Truth;

use super::outcome;
use crate::outcome::{Applicability, CardText, Decision, Outcome};
use crate::program::Alert;
use crate::rule::Rule;
use crate::words::OnUnknown;

/// What came of the items and rows so far.
#[derive(Default)]
struct Found {
    cards: Vec<CardText>,
    acted_on: usize,
    /// Why it could not be told, each reason once, in their order.
    reasons: Vec<String>,
    told: HashSet<String>,
}

impl Found {
    fn unknown(&mut self, reason: Option<String>) {
        let reason = reason.unwrap_or_else(|| "it cannot be told".to_owned());
        if self.told.insert(reason.clone()) {
            self.reasons.push(reason);
        }
    }
}

impl Rule {
    pub(super) fn decide_alert<'r>(
        &'r self,
        alert: &'r Alert,
        evaluation: &Evaluation<'r>,
    ) -> Result<Decision, EvaluationError> {
        let mut found = Found::default();
        let alive = self.alive(evaluation)?;
        if alive.truth != Truth::False {
            match items(alert, evaluation)? {
                Err(reason) => found.unknown(Some(reason)),
                Ok(items) => {
                    for item in &items {
                        self.item(alert, evaluation, item, &alive, &mut found)?;
                    }
                }
            }
        }
        let truth = match (found.cards.is_empty(), found.reasons.is_empty()) {
            (false, _) => Truth::True,
            (true, false) => Truth::Unknown,
            (true, true) => Truth::False,
        };
        let has_unknown_card = !found.reasons.is_empty() && self.on_unknown == OnUnknown::Card;
        if has_unknown_card {
            let reasons = found.reasons.iter().map(|reason| ("", reason.as_str()));
            let card = self.unknown_card(reasons);
            found.cards.push(card);
        }
        let reason = found.reasons.into_iter().next();
        let when = Outcome {
            truth,
            reason: reason.clone().filter(|_| truth == Truth::Unknown),
        };
        Ok(Decision {
            criteria: vec![("when", when)],
            applicability: Applicability::of(truth),
            unknown_reason: reason,
            due: None,
            cards: found.cards,
            has_unknown_card,
            acted_on: found.acted_on,
        })
    }

    /// One item, with each row of the table.
    fn item<'r>(
        &'r self,
        alert: &'r Alert,
        evaluation: &Evaluation<'r>,
        item: &Val<'r>,
        alive: &Outcome,
        found: &mut Found,
    ) -> Result<(), EvaluationError> {
        let (item, doubt) = item.item();
        let listed = Outcome {
            truth: match doubt {
                Some(_) => Truth::Unknown,
                None => Truth::True,
            },
            reason: doubt.map(|reason| reason.to_string()),
        };
        // Of this item: what has a card, and what could not be told.
        let mut shown: HashSet<String> = HashSet::new();
        let mut open: Vec<(Vec<String>, Option<String>)> = vec![];
        let nothing: &[Val<'static>] = &[];
        evaluation.turn_to(item.clone(), nothing);
        for row in rows(alert) {
            evaluation.turn_to_row(row);
            let when = outcome(evaluation, &alert.when)?;
            if when.truth == Truth::False {
                continue;
            }
            let acted_on = match &alert.acted_on {
                Some(acted_on) => outcome(evaluation, acted_on)?,
                None => Outcome {
                    truth: Truth::False,
                    reason: None,
                },
            };
            let whole = [when, acted_on.not(), alive.clone(), listed.clone()];
            let applies = Outcome::all(&whole);
            let of = match (&alert.one_card_per, applies.truth) {
                (_, Truth::False) => {
                    let [when, ..] = &whole;
                    found.acted_on += usize::from(when.truth == Truth::True);
                    continue;
                }
                (None, _) => vec![],
                (Some(per), _) => texts(&evaluation.evaluate(per)?),
            };
            if is_shown(&of, &shown) {
                continue;
            }
            if applies.truth == Truth::Unknown {
                open.push((of, applies.reason));
                continue;
            }
            shown.extend(of);
            found.cards.push(self.card(evaluation)?);
        }
        for (of, reason) in open {
            if !is_shown(&of, &shown) {
                found.unknown(reason);
            }
        }
        Ok(())
    }
}

/// What a card is about, as far as that is certain.
fn texts(value: &Val<'_>) -> Vec<String> {
    match value {
        Val::Str(text) => vec![text.to_string()],
        Val::List(items) => items.iter().flat_map(texts).collect(),
        _ => vec![],
    }
}

/// Whether all that a card would be about has one. What is about nothing certain is never shown.
fn is_shown(of: &[String], shown: &HashSet<String>) -> bool {
    !of.is_empty() && of.iter().all(|text| shown.contains(text))
}

/// The rows that it is asked for; without a table one without cells.
pub(super) fn rows(alert: &Alert) -> impl Iterator<Item = &[Val<'static>]> {
    let table = alert.table.as_ref();
    let rows = table.map(|table| table.rows.iter().map(Vec::as_slice));
    let none: Option<&[Val<'static>]> = table.is_none().then_some(&[]);
    rows.into_iter().flatten().chain(none)
}

/// The items that it is asked for; why not, where that cannot be told. Without `for_each` there is one, which
/// no expression names.
pub(super) fn items<'r>(
    alert: &'r Alert,
    evaluation: &Evaluation<'r>,
) -> Result<Result<Vec<Val<'r>>, String>, EvaluationError> {
    let Some(list) = &alert.items else {
        return Ok(Ok(vec![Val::unknown("there is no item here")]));
    };
    Ok(match evaluation.evaluate(list)? {
        Val::List(items) => Ok(items.to_vec()),
        Val::Unknown(reason) => Err(reason.into_owned()),
        _ => Ok(vec![]),
    })
}
