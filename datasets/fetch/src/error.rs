//! Why a value set was not fetched, in plain words.

use std::fmt;

/// Why a value set was not fetched. No text has the key of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchError {
    /// The server cannot be asked as it was given: its address, a login without encryption.
    Address(String),
    /// It refuses the login: nothing else can be fetched either.
    Login(String),
    /// It does not have the value set, or not in that version.
    Unknown(String),
    /// It refuses to expand it.
    Refused(String),
    /// It fails at this value set, again and again; others may go well.
    Failing(String),
    /// It did not answer, or asks to come later, after all tries.
    Busy(String),
    /// What it answers cannot be used: no FHIR, not all codes, pages that do not fit each other.
    Answer(String),
    /// The folder cannot be read or written.
    Folder(String),
}

impl FetchError {
    /// Whether no other value set can be fetched either.
    #[must_use]
    pub fn ends_all(&self) -> bool {
        matches!(
            self,
            Self::Address(_) | Self::Login(_) | Self::Busy(_) | Self::Folder(_)
        )
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(text)
            | Self::Login(text)
            | Self::Unknown(text)
            | Self::Refused(text)
            | Self::Failing(text)
            | Self::Busy(text)
            | Self::Answer(text)
            | Self::Folder(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for FetchError {}
