//! Why measures cannot be run.

use engine_patient::finding::Blame;

/// Three families: whoever asked can mend the first, nobody the second today, and we the third.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MeasureError {
    /// The user's mistake.
    User(String),
    /// Not supported.
    Unsupported(String),
    /// Our bug.
    Internal(String),
}

impl MeasureError {
    /// By whose turn it is; where nobody has been blamed it is the user's.
    pub fn blamed(blame: Option<Blame>, text: String) -> Self {
        match blame {
            Some(Blame::User) | None => Self::User(text),
            Some(Blame::Unsupported) => Self::Unsupported(text),
            Some(Blame::Bug) => Self::Internal(text),
        }
    }
}

impl std::fmt::Display for MeasureError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(text) | Self::Unsupported(text) | Self::Internal(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for MeasureError {}
