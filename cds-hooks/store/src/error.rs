//! What can go wrong, in words that hold nothing of a patient, no password and no token.

use thiserror::Error;

/// Why something could not be stored or read.
///
/// Texts of the database are not passed on: they may quote what was to be stored. Its codes are.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    /// A mistake in an address, a setting or a question: it will be the same next time.
    #[error("{0}")]
    Mistake(String),
    /// The database cannot be reached, or does not answer in time. What was to be written is not
    /// acknowledged; it may be there nevertheless where the connection broke while it was committed.
    #[error("{0}")]
    Unavailable(String),
    /// The database is there, and does not let this program do what it must: another password, name or right
    /// is needed. Written to again once somebody there gave it.
    #[error("{0}")]
    NotAllowed(String),
    /// No room on the disk of the database. Nothing was written.
    #[error("{0}")]
    Full(String),
    /// More is waiting to be written than there is room for. Nothing was written.
    #[error("{0}")]
    Busy(String),
    /// The database was made by a newer version of this program.
    #[error("{0}")]
    Newer(String),
    /// What is stored is not what was written.
    #[error("{0}")]
    Damaged(String),
    /// Our bug, or something that nobody thought of.
    #[error("{0}")]
    Internal(String),
}

impl StoreError {
    /// Whether the machine, the network or this program failed, and not whoever said where the store is. Every
    /// command ends with one exit code for it.
    pub fn is_of_machine(&self) -> bool {
        matches!(
            self,
            StoreError::Unavailable(_)
                | StoreError::Full(_)
                | StoreError::Busy(_)
                | StoreError::Damaged(_)
                | StoreError::Internal(_)
        )
    }

    /// Whether the same may succeed a little later, without anybody doing anything here.
    pub fn is_passing(&self) -> bool {
        self.is_away() || matches!(self, StoreError::Full(_) | StoreError::Busy(_))
    }

    /// Whether the connection is of no use, and another has to be made.
    pub(crate) fn is_away(&self) -> bool {
        matches!(self, StoreError::Unavailable(_) | StoreError::NotAllowed(_))
    }
}
