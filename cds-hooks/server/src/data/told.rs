//! Reasons, told to the operators: each when it comes up, and once a minute how often it came since.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::told::Tell;

/// How long of one reason nothing more is told.
const PAUSE: Duration = Duration::from_secs(60);

/// Reasons that are remembered. There are a few of each configured server; where there are more, all begin anew.
const MOST: usize = 1000;

pub(super) struct Reasons {
    tell: Tell,
    /// Of each reason: when it was last told, and how many came since.
    last: Mutex<HashMap<String, (Instant, u64)>>,
}

impl Reasons {
    pub(super) fn new(tell: Tell) -> Self {
        Reasons {
            tell,
            last: Mutex::default(),
        }
    }

    /// `what` is told, unless `reason` was of late. Callers must not be able to make up reasons.
    pub(super) fn tell(&self, reason: &str, what: impl Fn() -> String) {
        let now = Instant::now();
        let more = {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.len() >= MOST && !last.contains_key(reason) {
                last.clear();
            }
            match last.get_mut(reason) {
                Some((told, more)) if now.duration_since(*told) < PAUSE => {
                    *more += 1;
                    return;
                }
                Some((told, more)) => {
                    *told = now;
                    std::mem::take(more)
                }
                None => {
                    last.insert(reason.to_owned(), (now, 0));
                    0
                }
            }
        };
        let since = match more {
            0 => String::new(),
            more => format!(" (and {more} times before, since the last such line)"),
        };
        (self.tell)(&format!("data could not be fetched: {}{since}", what()));
    }
}
