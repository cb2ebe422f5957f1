//! What the evaluation of a measure may use for one patient.

use engine_elm::cx::MEMORY;
use engine_elm::eval::STEPS;

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
