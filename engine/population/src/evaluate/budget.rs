//! What a pass may spend on an artifact. One patient's evaluation is bounded by itself, but a definition
//! that uses up that budget for each of a million patients would never end.
//!
//! An artifact that does so for a few patients, or takes far more steps over all of them than measures
//! do, is to be given up: the pass ends and begins anew without it ([`GivenUp`]), and everything about it
//! is unknown, of every patient. What is given up does not depend on which patients came first, nor on
//! the threads or machines: a pass ends early only where it would have given up that artifact at its end,
//! too, and without one artifact the others, which then compute what it shared with them, use more and
//! never less.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::AcqRel};

use engine_patient::program::{Artifact, PatientProgram, Used};

/// Patients that may use up their budget; the last of them gives the artifact up.
pub const PATIENTS: u64 = 3;
/// Steps that an artifact may take over a pass: so many for each patient,
const STEPS_EACH: u64 = 2_000_000;
/// and so many budgets of one patient beside.
const BUDGETS: u64 = 10;

/// What an artifact used over a pass, or a part of it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Spent {
    /// Steps.
    pub steps: u64,
    /// Patients for whom it used up the budget of one.
    pub exhausted: u64,
}

/// Per artifact of all programs, one after the other: why it was given up, if it was.
#[derive(Clone, Default, Debug)]
pub struct GivenUp(Vec<Option<Arc<str>>>);

impl GivenUp {
    /// Why an artifact is given up.
    pub fn why(&self, artifact: usize) -> Option<&Arc<str>> {
        self.0.get(artifact)?.as_ref()
    }

    /// Artifacts that are given up, and why.
    pub fn list<'p>(
        &self,
        programs: &'p [Arc<dyn PatientProgram>],
    ) -> impl Iterator<Item = (&'p Artifact, &Arc<str>)> {
        let artifacts = programs.iter().flat_map(|p| p.artifacts());
        let all = artifacts.zip(&self.0);
        all.filter_map(|(artifact, why)| Some((artifact, why.as_ref()?)))
    }

    /// Gives up what used more than it may in a pass over so many patients; whether there was any that
    /// was not given up before.
    pub fn give_up(
        &mut self,
        programs: &[Arc<dyn PatientProgram>],
        patients: u64,
        spent: &[Spent],
    ) -> bool {
        let allowed = allowances(programs, patients);
        self.0.resize(allowed.len(), None);
        let mut any = false;
        for ((why, allowed), spent) in self.0.iter_mut().zip(allowed).zip(spent) {
            let over = allowed.and_then(|allowed| allowed.exceeded_by(*spent));
            if let (None, Some(reason)) = (&why, over) {
                *why = Some(reason);
                any = true;
            }
        }
        any
    }
}

/// What one artifact may use in a pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Allowance {
    steps: u64,
}

impl Allowance {
    fn exceeded_by(self, spent: Spent) -> Option<Arc<str>> {
        if spent.exhausted >= PATIENTS {
            let why = format!(
                "given up: for {PATIENTS} patients its logic used up the budget of one patient"
            );
            Some(why.into())
        } else if spent.steps > self.steps {
            Some("given up: over all patients its logic used up the budget of the run".into())
        } else {
            None
        }
    }
}

/// Per artifact, where its steps are counted.
fn allowances(programs: &[Arc<dyn PatientProgram>], patients: u64) -> Vec<Option<Allowance>> {
    let each = patients.saturating_mul(STEPS_EACH);
    let of = |program: &Arc<dyn PatientProgram>| {
        let allowance = program.steps_of_a_patient().map(|steps| Allowance {
            steps: steps.saturating_mul(BUDGETS).saturating_add(each).max(1),
        });
        std::iter::repeat_n(allowance, program.artifacts().len())
    };
    programs.iter().flat_map(of).collect()
}

/// What the partitions of a pass that run in this process use together.
#[derive(Debug)]
pub(super) struct Budgets(Vec<Option<Budget>>);

#[derive(Debug)]
struct Budget {
    allowed: Allowance,
    steps: AtomicU64,
    exhausted: AtomicU64,
}

impl Budgets {
    pub(super) fn new(programs: &[Arc<dyn PatientProgram>], patients: u64) -> Self {
        let budget = |allowed| Budget {
            allowed,
            steps: AtomicU64::new(0),
            exhausted: AtomicU64::new(0),
        };
        let allowed = allowances(programs, patients).into_iter();
        Budgets(allowed.map(|a| a.map(budget)).collect())
    }

    /// Whether steps of an artifact are counted.
    pub(super) fn counts(&self, artifact: usize) -> bool {
        matches!(self.0.get(artifact), Some(Some(_)))
    }

    /// What a patient's evaluation took; whether that was too much. `first`: the program's first artifact.
    pub(super) fn add(&self, first: usize, used: Used) -> bool {
        let Some(Some(budget)) = self.0.get(first + used.artifact) else {
            return false;
        };
        // Whoever ends the pass has seen what the others counted before.
        let exhausted = u64::from(used.exhausted);
        let spent = Spent {
            steps: budget
                .steps
                .fetch_add(used.steps, AcqRel)
                .saturating_add(used.steps),
            exhausted: budget.exhausted.fetch_add(exhausted, AcqRel) + exhausted,
        };
        budget.allowed.exceeded_by(spent).is_some()
    }
}

#[cfg(test)]
mod tests {
    use engine_patient::program::{
        EvaluationError, EvaluationResult, ResultRow, RowOptions, Wanted,
    };
    use engine_patient::record::PatientRecord;
    use engine_patient::requirements::DataRequirement;

    use super::*;

    #[derive(Debug)]
    struct Two(Vec<Artifact>);

    impl PatientProgram for Two {
        fn artifacts(&self) -> &[Artifact] {
            &self.0
        }

        fn data_requirements(&self) -> &[DataRequirement] {
            &[]
        }

        fn absent(&self, _: usize, _: RowOptions, _: &mut Vec<ResultRow>) {}

        fn steps_of_a_patient(&self) -> Option<u64> {
            Some(1000)
        }

        fn evaluate(
            &self,
            _: &PatientRecord,
            _: &Wanted<'_>,
            _: &mut EvaluationResult,
        ) -> Result<(), EvaluationError> {
            Ok(())
        }
    }

    #[test]
    fn an_artifact_is_given_up_after_a_few_patients() {
        let artifact = |id: &str| Artifact {
            id: id.into(),
            url: "".into(),
            version: "".into(),
            title: "".into(),
        };
        let program = Two(vec![artifact("a"), artifact("b")]);
        let programs: Vec<Arc<dyn PatientProgram>> = vec![Arc::new(program)];
        let budgets = Budgets::new(&programs, 10);
        let used = |artifact, steps, exhausted| Used {
            artifact,
            steps,
            exhausted,
        };
        assert!(!budgets.add(0, used(0, 1000, true)));
        assert!(!budgets.add(0, used(1, 10, true)));
        assert!(!budgets.add(0, used(0, 1000, true)));
        assert!(budgets.add(0, used(0, 1000, true)));
        let spent = |steps, exhausted| Spent { steps, exhausted };
        let mut given_up = GivenUp::default();
        assert!(given_up.why(0).is_none());
        assert!(given_up.give_up(&programs, 10, &[spent(3000, 3), spent(10, 1)]));
        assert!(given_up.why(0).is_some() && given_up.why(1).is_none());
        // The next pass begins at nothing, and is told what was given up.
        let budgets = Budgets::new(&programs, 10);
        // Many steps without using up any patient's budget.
        let many = 10 * STEPS_EACH + 10_001;
        assert!(budgets.add(0, used(1, many, false)));
        assert!(given_up.give_up(&programs, 10, &[spent(0, 0), spent(many, 0)]));
        assert!(
            given_up
                .why(1)
                .is_some_and(|why| why.contains("budget of the run"))
        );
        assert!(!given_up.give_up(&programs, 10, &[spent(0, 3), spent(many, 0)]));
        let names: Vec<_> = given_up.list(&programs).map(|(a, _)| &*a.id).collect();
        assert_eq!(names, ["a", "b"]);
    }
}
