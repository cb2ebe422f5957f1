//! Why an alert came out as it did.

use engine_cel::explain::show;
use engine_cel::{Clause, Evaluation, Val};
use engine_patient::program::EvaluationError;
use engine_patient::system::truth::Truth;

use super::alert::{items, rows};
use super::outcome;
use crate::outcome::Outcome;
use crate::program::Alert;
use crate::rule::Rule;

/// Of so many pairs of an item and a row it is looked at how near each came.
const LOOKED_AT: usize = 2000;

/// What came of an item and a row; the last decides first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    /// `when` does not hold.
    Not,
    /// It holds, and somebody acted on it already.
    ActedOn,
    Untold,
    Card,
}

/// An item and a row, and what came of them.
struct Pair<'p, 'r> {
    item: &'p Val<'r>,
    /// From 1.
    number: usize,
    row: &'r [Val<'static>],
    came: Came,
    /// How many parts of `when` hold.
    held: usize,
}

impl Pair<'_, '_> {
    /// What decides first, and among pairs of one outcome how near it came.
    fn rank(&self) -> (Came, usize) {
        (self.came, self.held)
    }
}

impl Rule {
    /// Of the item and row that decide: the first that has a card, else the first that could not be told, else
    /// the first that somebody acted on, else the one of which most holds.
    pub(super) fn explain_alert<'r>(
        &'r self,
        alert: &'r Alert,
        evaluation: &Evaluation<'r>,
    ) -> Result<Vec<(&'static str, Clause)>, EvaluationError> {
        let mut clauses = vec![];
        if let Some(list) = &alert.items {
            clauses.push(("for_each", evaluation.explain(list)?));
        }
        let items = items(alert, evaluation)?.unwrap_or_default();
        let mut best: Option<Pair<'_, 'r>> = None;
        let mut looked_at = 0;
        let nothing: &[Val<'static>] = &[];
        'all: for item in &items {
            evaluation.turn_to(item.item().0.clone(), nothing);
            for (number, row) in (1..).zip(rows(alert)) {
                evaluation.turn_to_row(row);
                let came = came(alert, evaluation, item)?;
                looked_at += 1;
                let held = match came {
                    Came::Not if looked_at <= LOOKED_AT => {
                        holding(&evaluation.explain(&alert.when)?)
                    }
                    _ => 0,
                };
                let pair = Pair {
                    item,
                    number,
                    row,
                    came,
                    held,
                };
                if best.as_ref().is_none_or(|b| pair.rank() > b.rank()) {
                    best = Some(pair);
                }
                if came == Came::Card {
                    break 'all;
                }
            }
        }
        let Some(pair) = best else {
            return Ok(clauses);
        };
        evaluation.turn_to(pair.item.item().0.clone(), pair.row);
        if let Some(table) = &alert.table {
            let cells = table.columns.iter().zip(pair.row);
            let cells = cells.map(|(column, cell)| format!("{}: {}", column.name, show(cell)));
            let row = Clause {
                text: format!("row {} of {}", pair.number, table.rows.len()),
                value: Some(cells.collect::<Vec<_>>().join("; ")),
                ..Clause::default()
            };
            clauses.push(("table", row));
        }
        let written = evaluation.explain(&alert.when)?;
        let alive = self.alive(evaluation)?;
        let whole = Outcome::all(&[outcome(evaluation, &alert.when)?, alive]);
        clauses.push(("when", self.with_alive(evaluation, written, whole)?));
        if let Some(acted_on) = &alert.acted_on {
            clauses.push(("acted_on", evaluation.explain(acted_on)?));
        }
        Ok(clauses)
    }
}

/// What comes of the item and row that the evaluation is about.
fn came<'r>(
    alert: &'r Alert,
    evaluation: &Evaluation<'r>,
    item: &Val<'r>,
) -> Result<Came, EvaluationError> {
    let when = outcome(evaluation, &alert.when)?.truth;
    let acted_on = match &alert.acted_on {
        Some(acted_on) if when != Truth::False => outcome(evaluation, acted_on)?.truth,
        _ => Truth::False,
    };
    let listed = item.item().1.is_none();
    Ok(match (when, acted_on) {
        (Truth::False, _) => Came::Not,
        (_, Truth::True) => Came::ActedOn,
        (Truth::True, Truth::False) if listed => Came::Card,
        _ => Came::Untold,
    })
}

/// How many parts hold.
fn holding(clause: &Clause) -> usize {
    let own = usize::from(clause.truth == Some(Truth::True));
    own + clause.clauses.iter().map(holding).sum::<usize>()
}
