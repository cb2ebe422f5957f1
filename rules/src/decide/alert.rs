//! An alert and a family: a card for each item and row for which `when` holds.

use std::collections::HashSet;

use engine_cel::{Evaluation, NamedDrugs, TOO_MUCH, Val};
use engine_patient::program::EvaluationError;
use engine_patient::system::truth::Truth;

use super::outcome;
use crate::outcome::{Applicability, CardText, Decision, Outcome};
use crate::program::Alert;
use crate::rule::Rule;
use crate::table::ByDrug;
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

    fn add(&mut self, other: Found) {
        self.cards.extend(other.cards);
        self.acted_on += other.acted_on;
        for reason in other.reasons {
            self.unknown(Some(reason));
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
                    for of_item in self.items(alert, evaluation, &items, &alive)? {
                        found.add(of_item);
                    }
                }
            }
        }
        let truth = match (found.cards.is_empty(), found.reasons.is_empty()) {
            (false, _) => Truth::True,
            (true, false) => Truth::Unknown,
            (true, true) => Truth::False,
        };
        // A limit of ours is no data that is missing: it is never silent.
        let has_unknown_card = match self.on_unknown {
            OnUnknown::Card => !found.reasons.is_empty(),
            OnUnknown::Silent => found.reasons.iter().any(|r| r.contains(TOO_MUCH)),
        };
        if has_unknown_card {
            evaluation.rest();
            let reasons = found.reasons.iter().map(|reason| ("", reason.as_str()));
            let card = self.unknown_card(evaluation, reasons)?;
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

    /// What comes of each item, in their order. Each has its share of the work; one that needs more is asked
    /// again when it is known what the others left.
    fn items<'r>(
        &'r self,
        alert: &'r Alert,
        evaluation: &Evaluation<'r>,
        items: &[Val<'r>],
        alive: &Outcome,
    ) -> Result<Vec<Found>, EvaluationError> {
        let mut all: Vec<Found> = vec![];
        let mut open = vec![];
        let work = |item: &Val<'r>, of: usize| {
            evaluation.within_share(of, || {
                let mut found = Found::default();
                self.item(alert, evaluation, item, alive, &mut found)?;
                Ok::<_, EvaluationError>((found, evaluation.is_tired()))
            })
        };
        for (number, item) in items.iter().enumerate() {
            let (found, is_tired) = work(item, items.len() - number)?;
            if is_tired && items.len() > 1 {
                open.push((number, item));
            }
            all.push(found);
        }
        for (done, (number, item)) in open.iter().enumerate() {
            let (found, _) = work(item, open.len() - done)?;
            if let Some(place) = all.get_mut(*number) {
                *place = found;
            }
        }
        Ok(all)
    }

    /// The rows that an item is asked for: those that may hold for its drug, where that is known. Of the
    /// others `when` is false. Where the outcomes of conditions are counted, none is passed over.
    fn rows_of<'r>(
        &'r self,
        alert: &'r Alert,
        evaluation: &Evaluation<'r>,
        item: &Val<'r>,
    ) -> Rows<'r> {
        let all = |unless: &'r [usize]| Rows {
            rows: rows(alert).collect(),
            unless,
        };
        if evaluation.notes_outcomes() {
            return all(&[]);
        }
        let drug = evaluation.known_drug(item);
        let by_drug = alert.by_drug.get_or_init(|| {
            let sets = alert
                .when
                .drugs_of_item(&self.program.expressions.defines)?;
            let columns = sets.iter().map(|set| match set {
                NamedDrugs::Column(column) => Some(*column),
                NamedDrugs::Always(_) => None,
            });
            ByDrug::of(alert.table.as_ref()?, &columns.collect::<Option<Vec<_>>>()?)
        });
        match (by_drug, drug, &alert.table) {
            (Some(by_drug), Some(drug), Some(table)) => {
                let numbers = by_drug.rows(&drug.substances).into_iter();
                let rows = numbers.filter_map(|number| table.rows.get(number));
                Rows {
                    rows: rows.map(Vec::as_slice).collect(),
                    unless: &[],
                }
            }
            (Some(by_drug), None, _) => all(&by_drug.columns),
            _ => all(&[]),
        }
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
        // What of this item has a card.
        let mut shown: HashSet<String> = HashSet::new();
        let nothing: &[Val<'static>] = &[];
        evaluation.turn_to(item.clone(), nothing);
        let rows = self.rows_of(alert, evaluation, item);
        let mut is_told = false;
        for row in rows.rows.iter().copied() {
            let is_open = rows.unless.is_empty() || rows.may_hold(evaluation, item, row);
            // Whatever else there is of it, it is unknown: to say so once is enough.
            if is_told && !is_open {
                continue;
            }
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
                (None, _) => About::default(),
                (Some(per), _) => About::of(&evaluation.evaluate(per)?),
            };
            let is_shown = of.is_shown(&shown);
            if applies.truth == Truth::Unknown {
                // What may be graver than a later row's card is told beside that card.
                if !is_shown || of.doubts(&shown).next().is_some() {
                    found.unknown(applies.reason);
                    is_told |= !is_open;
                }
                continue;
            }
            if !is_shown {
                shown.extend(of.sure.iter().cloned());
                found.cards.push(self.card(evaluation)?);
            }
            // The card is about what is certain; it says nothing of the rest.
            for reason in of.doubts(&shown) {
                found.unknown(Some(reason.to_owned()));
            }
        }
        Ok(())
    }
}

/// The rows that an item is asked for.
struct Rows<'r> {
    rows: Vec<&'r [Val<'static>]>,
    /// Of an item whose drug is not known in full: columns of drugs, in none of which it surely is where `when`
    /// can be nothing but unknown or false. Empty where that cannot be told.
    unless: &'r [usize],
}

impl<'r> Rows<'r> {
    /// Whether a row may hold for the item.
    fn may_hold(
        &self,
        evaluation: &Evaluation<'r>,
        item: &Val<'r>,
        row: &'r [Val<'static>],
    ) -> bool {
        self.unless.iter().any(|column| match row.get(*column) {
            Some(Val::Drugs(drugs)) => evaluation.is_surely(item, drugs),
            _ => true,
        })
    }
}

/// What a card is about.
#[derive(Default)]
struct About {
    sure: Vec<String>,
    /// What it may be about, where that is known, and why it cannot be told.
    doubtful: Vec<(Option<String>, String)>,
}

impl About {
    fn of(value: &Val<'_>) -> Self {
        let mut about = About::default();
        if let Val::Str(text) = value {
            about.sure.push(text.to_string());
        }
        for item in value.items() {
            match item.item() {
                (Val::Str(text), None) => about.sure.push(text.to_string()),
                (Val::Str(text), Some(reason)) => {
                    let doubt = (Some(text.to_string()), reason.to_string());
                    about.doubtful.push(doubt);
                }
                (value, reason) => {
                    if let Some(reason) = reason.or(value.why_unknown()) {
                        about.doubtful.push((None, reason.to_string()));
                    }
                }
            }
        }
        about
    }

    /// Whether all that is certain has a card. What is about nothing certain is never shown.
    fn is_shown(&self, shown: &HashSet<String>) -> bool {
        !self.sure.is_empty() && self.sure.iter().all(|text| shown.contains(text))
    }

    /// Why it cannot be told whether it is about more than what has a card.
    fn doubts(&self, shown: &HashSet<String>) -> impl Iterator<Item = &str> {
        let open = self.doubtful.iter().filter(|(text, _)| {
            let text = text.as_ref();
            text.is_none_or(|text| !shown.contains(text))
        });
        open.map(|(_, reason)| reason.as_str())
    }
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
