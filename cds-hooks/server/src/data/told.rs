//! Reasons, told to the operators: the first of each kind, and once a minute how many more there were.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::told::Tell;

/// How long of one kind nothing more is told.
const PAUSE: Duration = Duration::from_secs(60);

/// Kinds that are remembered. There are a few of each configured server; where there are more, all begin anew.
const MOST: usize = 1000;

/// A server, and what went wrong there.
type Kind = (String, &'static str);

pub(super) struct Reasons {
    tell: Tell,
    /// Of each server and kind: when it was last told, and how many came since.
    last: Mutex<HashMap<Kind, (Instant, u64)>>,
}

impl Reasons {
    pub(super) fn new(tell: Tell) -> Self {
        Reasons {
            tell,
            last: Mutex::default(),
        }
    }

    pub(super) fn tell(&self, server: &str, kind: &'static str, why: impl Fn() -> String) {
        let now = Instant::now();
        let more = {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.len() >= MOST {
                last.clear();
            }
            match last.get_mut(&(server.to_owned(), kind)) {
                Some((told, more)) if now.duration_since(*told) < PAUSE => {
                    *more += 1;
                    return;
                }
                Some((told, more)) => {
                    *told = now;
                    std::mem::take(more)
                }
                None => {
                    last.insert((server.to_owned(), kind), (now, 0));
                    0
                }
            }
        };
        let since = match more {
            0 => String::new(),
            more => format!(" (and {more} times before, since the last such line)"),
        };
        (self.tell)(&format!(
            "data could not be fetched: {server}: {}{since}",
            why()
        ));
    }
}
