//! What is given to be written.

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use crate::StoreError;
use crate::audit::{AuditEntry, Head, Prepared, Purged};
use crate::feedback::{FeedbackBatch, FeedbackCounts};
use crate::jti::Used;
use crate::recorded::RecordedCall;
use crate::shown::Shown;

/// One thing to write: all of it, or nothing.
pub(crate) enum Work {
    /// An entry of the audit log, and what belongs to it.
    Entry {
        entry: Box<Prepared>,
        shown: Option<Box<Shown>>,
        recorded: Option<RecordedCall>,
    },
    /// Feedback, and its entry in the audit log.
    Feedback {
        batch: FeedbackBatch,
        entry: Option<Box<Prepared>>,
    },
    /// A token that was used.
    Used { used: Used, now: Timestamp },
    /// This server is the one that knows the tokens, from now on.
    TakeOver { owner: String },
    /// Nothing: by the time it is done all that was given before it is.
    Nothing,
    /// Removing what is older.
    Purge {
        before: Timestamp,
        entry: Box<AuditEntry>,
    },
}

impl Work {
    /// Its entry in the audit log.
    pub(crate) fn entry(&self) -> Option<&Prepared> {
        match self {
            Work::Entry { entry, .. } => Some(entry),
            Work::Feedback { entry, .. } => entry.as_deref(),
            Work::Used { .. } | Work::TakeOver { .. } | Work::Nothing | Work::Purge { .. } => None,
        }
    }

    /// Bytes, about.
    pub(crate) fn size(&self) -> usize {
        let entry = self.entry().map_or(0, |entry| entry.body.len() * 2);
        let rest = match self {
            Work::Entry {
                shown, recorded, ..
            } => {
                shown.as_ref().map_or(0, |shown| shown.size())
                    + recorded.as_ref().map_or(0, RecordedCall::size)
            }
            Work::Feedback { batch, .. } => batch.size(),
            Work::Used { .. } | Work::TakeOver { .. } | Work::Nothing | Work::Purge { .. } => 0,
        };
        200 + entry + rest
    }
}

impl Work {
    /// Rows that it writes, about: how long others wait for it.
    pub(crate) fn rows(&self) -> usize {
        match self {
            Work::Entry { shown, .. } => 1 + shown.as_ref().map_or(0, |shown| shown.cards.len()),
            Work::Feedback { batch, .. } => 1 + batch.entries.len(),
            Work::Used { .. } | Work::TakeOver { .. } | Work::Nothing => 1,
            // It removes as many as may be removed at once.
            Work::Purge { .. } => 2_000,
        }
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) enum Done {
    Entry(Head),
    Feedback(FeedbackCounts),
    /// Whether the token was used for the first time.
    First(bool),
    /// The tokens that are there, by when they expire.
    Tokens(Vec<(i64, Vec<u128>)>),
    Purged(Purged),
    Nothing,
}

/// Work, and who waits for it.
pub(crate) struct Job {
    pub work: Work,
    /// Where nobody does it is written along with the next that somebody waits for, or soon.
    pub reply: Option<oneshot::Sender<Result<Done, StoreError>>>,
    /// Nothing is begun after it that somebody waits for.
    pub deadline: Instant,
    /// Its part of the queue's room, given back when it is dropped.
    pub _room: OwnedSemaphorePermit,
}
