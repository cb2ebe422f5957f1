//! Kleene's three values.

use std::fmt;

/// Three values, everywhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Truth {
    /// Yes.
    True,
    /// No.
    False,
    /// It could not be told: data that would decide is missing.
    Unknown,
}

impl Truth {
    /// `true`, `false`, `unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            Truth::True => "true",
            Truth::False => "false",
            Truth::Unknown => "unknown",
        }
    }

    /// 1, 0, or nothing that could be counted.
    pub fn counted(self) -> Option<i64> {
        match self {
            Truth::True => Some(1),
            Truth::False => Some(0),
            Truth::Unknown => None,
        }
    }

    /// Kleene's and: one `false` decides.
    pub fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::True, Truth::True) => Truth::True,
            _ => Truth::Unknown,
        }
    }
}

impl std::ops::Not for Truth {
    type Output = Truth;

    /// The opposite; unknown stays unknown.
    fn not(self) -> Truth {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
        }
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
