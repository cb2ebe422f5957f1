//! What a rehearsal is told.

use engine_patient::system::zone::Zone;
use rules::Hook;

/// The hooks that can be replayed.
pub const HOOKS: [Hook; 3] = [Hook::PatientView, Hook::OrderSelect, Hook::OrderSign];

/// A request that is ended now, and does not say when, is taken to have been active for so many days where
/// nothing else is said.
pub const ACTIVE_DAYS: u32 = 30;

/// What decides which calls there are, and what was known at each.
#[derive(Clone, Debug)]
pub struct Settings {
    /// First and last millisecond of the period that is replayed, from 1970-01-01T00:00Z.
    pub period: (i64, i64),
    /// Where dates, and date-times without an offset, are taken to be.
    pub zone: Zone,
    /// The hooks that are replayed.
    pub hooks: Vec<Hook>,
    /// `meta.lastUpdated` is when a resource was recorded, where it has no other date of that: not so in a
    /// bulk export, whose resources bear the moment of the export.
    pub last_updated: bool,
    /// A request that is ended now, and does not say when, is taken to have been active for so many days.
    pub assumed_days: u32,
}

impl Settings {
    /// Days of the period, begun ones whole.
    pub fn days(&self) -> u64 {
        let millis = self.period.1.saturating_sub(self.period.0);
        u64::try_from(millis / DAY).unwrap_or(0) + 1
    }

    /// Whether calls of a hook are replayed.
    pub fn has(&self, hook: Hook) -> bool {
        self.hooks.contains(&hook)
    }
}

/// Milliseconds.
pub(crate) const DAY: i64 = 86_400_000;
