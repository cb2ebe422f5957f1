//! Which outcomes the conditions of a definition had, over several evaluations: what its tests show.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::system::truth::Truth;

/// Which of the three there were.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Seen {
    /// It was true.
    pub yes: bool,
    /// It was false.
    pub no: bool,
    /// It could not be told.
    pub unknown: bool,
}

impl Seen {
    /// Once more, with this outcome.
    pub fn add(&mut self, truth: Truth) {
        match truth {
            Truth::True => self.yes = true,
            Truth::False => self.no = true,
            Truth::Unknown => self.unknown = true,
        }
    }
}

/// Notes the outcomes of conditions. A condition is known by a number that the language gives it, the same
/// as long as the compiled definition is there.
#[derive(Default, Debug)]
pub struct OutcomesSeen {
    all: Mutex<HashMap<usize, Seen>>,
}

impl OutcomesSeen {
    /// A condition had this outcome.
    pub fn note(&self, condition: usize, truth: Truth) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(condition).or_default().add(truth);
    }

    /// Those that a condition had; none where it was never evaluated.
    pub fn of(&self, condition: usize) -> Seen {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&condition).copied().unwrap_or_default()
    }
}
