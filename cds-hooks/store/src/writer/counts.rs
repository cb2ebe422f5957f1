//! What the writer did, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::feedback::FeedbackCounts;

/// A number that only grows.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.add_many(1);
    }

    pub(crate) fn add_many(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Default)]
pub(crate) struct Counters {
    pub records: Counter,
    pub commits: Counter,
    pub failed: Counter,
    pub refused_full: Counter,
    pub refused_late: Counter,
    pub refused_down: Counter,
    pub lost: Counter,
    pub set_back: Counter,
    pub feedback_new: Counter,
    pub feedback_repeated: Counter,
    pub feedback_unmatched: Counter,
    pub feedback_foreign: Counter,
}

impl Counters {
    pub(super) fn feedback(&self, counts: &FeedbackCounts) {
        self.feedback_new.add_many(counts.new);
        self.feedback_repeated.add_many(counts.repeated);
        self.feedback_unmatched.add_many(counts.unmatched);
        self.feedback_foreign.add_many(counts.foreign);
    }

    pub(super) fn now(&self, waiting: u64, is_up: bool) -> Counts {
        Counts {
            is_up,
            waiting,
            records: self.records.now(),
            commits: self.commits.now(),
            failed: self.failed.now(),
            refused_full: self.refused_full.now(),
            refused_late: self.refused_late.now(),
            refused_down: self.refused_down.now(),
            lost: self.lost.now(),
            set_back: self.set_back.now(),
            feedback_new: self.feedback_new.now(),
            feedback_repeated: self.feedback_repeated.now(),
            feedback_unmatched: self.feedback_unmatched.now(),
            feedback_foreign: self.feedback_foreign.now(),
        }
    }
}

/// What was written since the start, and what could not be. Numbers only grow, but for `waiting`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Whether the database can be written to, as far as known.
    pub is_up: bool,
    /// Records that wait at present.
    pub waiting: u64,
    /// Records that were written and acknowledged.
    pub records: u64,
    /// Transactions that they took.
    pub commits: u64,
    /// Transactions that failed.
    pub failed: u64,
    /// Records that were refused for want of room in the queue.
    pub refused_full: u64,
    /// Records that waited for the database in vain.
    pub refused_late: u64,
    /// Records that were refused since the database was known to be away.
    pub refused_down: u64,
    /// How often the database went away.
    pub lost: u64,
    /// How often the audit log ended before what was acknowledged.
    pub set_back: u64,
    /// Entries of feedback that were new.
    pub feedback_new: u64,
    /// That came again.
    pub feedback_repeated: u64,
    /// Of cards that were not recorded when the feedback came.
    pub feedback_unmatched: u64,
    /// Of cards of other clients.
    pub feedback_foreign: u64,
}
