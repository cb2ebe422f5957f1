//! The book that is kept of a run: how often each check passed, and the first of its failures.

use std::collections::BTreeMap;

use crate::check::{ALL, Check};

/// Failures of one check that are kept in full; the others are counted.
const KEPT: usize = 8;

/// Characters of what came that are shown.
const SHOWN: usize = 300;

/// One failure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// Where: a request, or a member of an answer.
    pub place: String,
    /// What came instead of what was expected.
    pub came: String,
    /// What to do, where that is another thing than for the check as a whole.
    pub mend: Option<&'static str>,
}

/// How a check came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Each time as expected.
    Passed,
    /// Not as expected, once or more.
    Failed,
    /// Nothing came up that it could judge.
    Skipped,
}

/// What is known of one check.
#[derive(Clone, Default, Debug)]
pub struct Tally {
    /// How often it was as expected.
    pub passed: u64,
    /// How often it was not.
    pub failed: u64,
    /// The first failures.
    pub failures: Vec<Failure>,
    /// Why it could not be judged.
    pub skipped: Option<String>,
}

impl Tally {
    /// Of all that was judged.
    pub fn outcome(&self) -> Outcome {
        match (self.failed, self.passed) {
            (1.., _) => Outcome::Failed,
            (0, 1..) => Outcome::Passed,
            (0, 0) => Outcome::Skipped,
        }
    }
}

/// The tallies of a run.
#[derive(Default)]
pub struct Book {
    tallies: BTreeMap<&'static str, Tally>,
}

impl Book {
    /// Judges once. `came` says what came, where it is not as expected.
    pub fn judge(
        &mut self,
        check: &'static Check,
        fits: bool,
        place: &str,
        came: impl FnOnce() -> String,
    ) {
        match fits {
            true => self.tallies.entry(check.id).or_default().passed += 1,
            false => self.fail(check, place, came()),
        }
    }

    /// Once not as expected.
    pub fn fail(&mut self, check: &'static Check, place: &str, came: impl Into<String>) {
        self.fail_otherwise(check, place, came, None);
    }

    /// The same, with what to do in this case.
    pub fn fail_otherwise(
        &mut self,
        check: &'static Check,
        place: &str,
        came: impl Into<String>,
        mend: Option<&'static str>,
    ) {
        let tally = self.tallies.entry(check.id).or_default();
        tally.failed += 1;
        if tally.failures.len() < KEPT {
            tally.failures.push(Failure {
                place: place.to_owned(),
                came: shown(&came.into()),
                mend,
            });
        }
    }

    /// It cannot be judged in this run.
    pub fn skip(&mut self, check: &'static Check, why: &str) {
        let tally = self.tallies.entry(check.id).or_default();
        tally.skipped.get_or_insert_with(|| why.to_owned());
    }

    /// Each check of the catalog with its tally, in the catalog's order.
    pub fn results(&self) -> Vec<(&'static Check, Tally)> {
        let of = |check: &&'static Check| {
            let tally = self.tallies.get(check.id).cloned().unwrap_or_default();
            (*check, tally)
        };
        ALL.iter().map(of).collect()
    }
}

/// The beginning of a text on one line, without what a terminal would act on.
pub(crate) fn shown(text: &str) -> String {
    let mut out: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SHOWN)
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        out.push('…');
    }
    out.trim().to_owned()
}
