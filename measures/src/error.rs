//! Why measures cannot be run.

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

impl std::fmt::Display for MeasureError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(text) | Self::Unsupported(text) | Self::Internal(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for MeasureError {}
