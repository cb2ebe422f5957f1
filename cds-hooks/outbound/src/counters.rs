//! What became of the calls.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::failure::Family;

/// How often what happened since the client was made. For metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Answered with 200 and read to the end.
    pub ok: u64,
    pub not_allowed: u64,
    pub busy: u64,
    pub unreachable: u64,
    pub timed_out: u64,
    pub status: u64,
    pub too_large: u64,
    /// Answers that cannot be used: compressed, or no JSON.
    pub unusable: u64,
}

#[derive(Default)]
pub(crate) struct Counters {
    ok: AtomicU64,
    not_allowed: AtomicU64,
    busy: AtomicU64,
    unreachable: AtomicU64,
    timed_out: AtomicU64,
    status: AtomicU64,
    too_large: AtomicU64,
    unusable: AtomicU64,
}

impl Counters {
    /// Counts a call that ended so.
    pub(crate) fn add(&self, end: Option<Family>) {
        let counter = match end {
            None => &self.ok,
            Some(Family::NotAllowed | Family::NotAsked) => &self.not_allowed,
            Some(Family::Busy) => &self.busy,
            Some(Family::Unreachable) => &self.unreachable,
            Some(Family::TimedOut) => &self.timed_out,
            Some(Family::Status(_)) => &self.status,
            Some(Family::TooLarge) => &self.too_large,
            Some(Family::NotJson | Family::NotAsAsked) => &self.unusable,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Counts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            ok: of(&self.ok),
            not_allowed: of(&self.not_allowed),
            busy: of(&self.busy),
            unreachable: of(&self.unreachable),
            timed_out: of(&self.timed_out),
            status: of(&self.status),
            too_large: of(&self.too_large),
            unusable: of(&self.unusable),
        }
    }
}
