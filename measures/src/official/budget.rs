//! What a run may spend on a measure. One patient's evaluation is bounded by itself, but a definition that
//! uses up that budget for each of a million patients would never end.
//!
//! A measure that does so for a few patients, or takes far more steps over all of them than measures do,
//! is given up: the pass over the patients ends and begins anew without it, and everything about it is
//! unknown, of every patient. What is given up does not depend on which patients came first, nor on the
//! threads: a pass ends early only where it would have given up that measure at its end, too, and without
//! one measure the others, which then compute what it shared with them, use more and never less.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use engine_elm::{MEMORY, STEPS};

/// What the evaluation of a measure may use for one patient.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Nodes evaluated, and items that operators go through.
    pub steps: u64,
    /// Bytes of values.
    pub memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            steps: STEPS,
            memory: MEMORY,
        }
    }
}

impl Limits {
    /// For an answer that somebody waits for: about a second at worst, where measures take
    /// milliseconds.
    pub const CALL: Limits = Limits {
        steps: STEPS / 10,
        memory: MEMORY / 4,
    };
}

/// Patients that may use up their budget; the last of them gives the measure up.
pub const PATIENTS: u64 = 3;
/// Steps that a measure may take over a pass: so many for each patient,
const STEPS_EACH: u64 = 2_000_000;
/// and so many budgets of one patient beside.
const BUDGETS: u64 = 10;

/// The budgets of a program's measures.
#[derive(Debug, Default)]
pub(crate) struct Budgets {
    /// Steps of a measure in this pass; 0: there is no pass.
    allowed: AtomicU64,
    spent: AtomicBool,
    measures: Vec<Budget>,
}

#[derive(Debug, Default)]
struct Budget {
    exhausted: AtomicU64,
    steps: AtomicU64,
    /// Why it was given up.
    given_up: OnceLock<Arc<str>>,
}

impl Budgets {
    pub(crate) fn new(measures: usize) -> Self {
        let mut all = vec![];
        all.resize_with(measures, Budget::default);
        Budgets {
            measures: all,
            ..Budgets::default()
        }
    }

    /// A pass begins. `steps`: the budget of one patient.
    pub(crate) fn begin(&self, patients: u64, steps: u64) {
        let each = patients.saturating_mul(STEPS_EACH);
        let allowed = steps.saturating_mul(BUDGETS).saturating_add(each);
        self.allowed.store(allowed.max(1), Relaxed);
        self.spent.store(false, Relaxed);
        for budget in &self.measures {
            budget.exhausted.store(0, Relaxed);
            budget.steps.store(0, Relaxed);
        }
    }

    /// What a patient's evaluation of a measure took, and whether it used up the budget.
    pub(crate) fn add(&self, measure: usize, steps: u64, exhausted: bool) {
        let (Some(budget), allowed) = (self.measures.get(measure), self.allowed.load(Relaxed))
        else {
            return;
        };
        if allowed == 0 {
            return;
        }
        let before = budget.steps.fetch_add(steps, Relaxed);
        let times =
            budget.exhausted.fetch_add(u64::from(exhausted), Relaxed) + u64::from(exhausted);
        if before.saturating_add(steps) > allowed || times >= PATIENTS {
            self.spent.store(true, Relaxed);
        }
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.spent.load(Relaxed)
    }

    /// Gives up what is over its budget.
    pub(crate) fn give_up(&self) -> bool {
        let allowed = self.allowed.load(Relaxed);
        let mut any = false;
        for budget in &self.measures {
            let why = if budget.exhausted.load(Relaxed) >= PATIENTS {
                format!(
                    "given up: for {PATIENTS} patients its logic used up the budget of one patient"
                )
            } else if budget.steps.load(Relaxed) > allowed {
                "given up: over all patients its logic used up the budget of the run".to_owned()
            } else {
                continue;
            };
            any |= budget.given_up.set(why.into()).is_ok();
        }
        any
    }

    /// Why a measure was given up, if it was.
    pub(crate) fn given_up(&self, measure: usize) -> Option<&Arc<str>> {
        self.measures.get(measure)?.given_up.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measure_is_given_up_after_a_few_patients() {
        let budgets = Budgets::new(2);
        // One patient alone is no pass.
        (0..9).for_each(|_| budgets.add(0, 1, true));
        assert!(!budgets.is_spent());
        budgets.begin(10, 1000);
        budgets.add(0, 1000, true);
        budgets.add(1, 10, true);
        budgets.add(0, 1000, true);
        assert!(!budgets.is_spent());
        budgets.add(0, 1000, true);
        assert!(budgets.is_spent() && budgets.give_up());
        assert!(budgets.given_up(0).is_some() && budgets.given_up(1).is_none());
        // The next pass begins at nothing, and knows what was given up.
        budgets.begin(10, 1000);
        assert!(!budgets.is_spent() && budgets.given_up(0).is_some());
        // Many steps without using up any patient's budget.
        budgets.add(1, 10 * STEPS_EACH + 10_001, false);
        assert!(budgets.is_spent() && budgets.give_up());
        assert!(
            budgets
                .given_up(1)
                .is_some_and(|why| why.contains("budget of the run"))
        );
        assert!(!budgets.give_up());
    }
}
