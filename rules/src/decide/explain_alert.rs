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

/// An item and a row, and what came of them.
struct Pair<'p, 'r> {
    item: &'p Val<'r>,
    /// From 1.
    number: usize,
    row: &'r [Val<'static>],
    truth: Truth,
    /// How many parts of `when` hold.
    held: usize,
}

impl Pair<'_, '_> {
    /// What decides first, and among pairs of one outcome how near it came.
    fn rank(&self) -> (u8, usize) {
        let outcome = match self.truth {
            Truth::True => 2,
            Truth::Unknown => 1,
            Truth::False => 0,
        };
        (outcome, self.held)
    }
}

impl Rule {
    /// Of the item and row that decide: the first that has a card, else the first that could not be told, else
    /// the one of which most holds.
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
        'all: for item in &items {
            for (number, row) in (1..).zip(rows(alert)) {
                evaluation.turn_to(item.item().0.clone(), row);
                let truth = outcome(evaluation, &alert.when)?.truth;
                looked_at += 1;
                let held = match truth {
                    Truth::False if looked_at <= LOOKED_AT => {
                        holding(&evaluation.explain(&alert.when)?)
                    }
                    _ => 0,
                };
                let pair = Pair {
                    item,
                    number,
                    row,
                    truth,
                    held,
                };
                if best.as_ref().is_none_or(|b| pair.rank() > b.rank()) {
                    best = Some(pair);
                }
                if truth == Truth::True {
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

/// How many parts hold.
fn holding(clause: &Clause) -> usize {
    let own = usize::from(clause.truth == Some(Truth::True));
    own + clause.clauses.iter().map(holding).sum::<usize>()
}
