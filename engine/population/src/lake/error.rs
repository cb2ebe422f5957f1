//! What can go wrong with a lake, in three families.

use std::fmt;

use super::commit::CommitError;
use super::plain::{plain, remedy};

/// An error of the lake. Its text never holds patient data.
#[derive(Debug)]
pub enum LakeError {
    /// The user's mistake: what, and what instead.
    User(String),
    /// What is asked for is not supported.
    Unsupported(String),
    /// Committing, or reading a manifest.
    Commit(CommitError),
    /// The snapshot that is read was vacuumed while it was: run again on the newest.
    Vacuumed(String),
    /// The store failed.
    Store(object_store::Error),
    /// A file of the lake cannot be read or written.
    Data(String),
    /// Our bug.
    Bug(String),
}

impl LakeError {
    /// Our bug.
    pub fn bug(what: &str) -> Self {
        LakeError::Bug(what.to_owned())
    }
}

impl fmt::Display for LakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(text)
            | Self::Unsupported(text)
            | Self::Vacuumed(text)
            | Self::Data(text) => f.write_str(text),
            Self::Commit(e) => write!(f, "{e}"),
            Self::Store(e) => write!(f, "the lake's storage failed: {}; {}", plain(e), remedy(e)),
            Self::Bug(text) => write!(f, "this is a bug in Tandem, please report it: {text}"),
        }
    }
}

impl std::error::Error for LakeError {}

impl From<CommitError> for LakeError {
    fn from(e: CommitError) -> Self {
        Self::Commit(e)
    }
}

impl From<object_store::Error> for LakeError {
    fn from(e: object_store::Error) -> Self {
        Self::Store(e)
    }
}

impl From<parquet::errors::ParquetError> for LakeError {
    fn from(e: parquet::errors::ParquetError) -> Self {
        Self::Data(format!(
            "a Parquet file of the lake cannot be read or written: {}; {}",
            plain(&e),
            remedy(&e)
        ))
    }
}

impl From<arrow::error::ArrowError> for LakeError {
    fn from(e: arrow::error::ArrowError) -> Self {
        Self::Data(format!(
            "a table of the lake cannot be read or written: {}",
            plain(&e)
        ))
    }
}
