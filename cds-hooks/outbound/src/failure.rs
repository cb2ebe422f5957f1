//! Why a call outside gave nothing.

use std::fmt;

/// What kind of failure it is: what a caller decides by, and what is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// The address is none that may be called. Nothing was sent.
    NotAllowed,
    /// What was to be asked could not be written as a URL (a token without a value). Nothing was sent.
    NotAsked,
    /// Too many calls to this origin wait already. Nothing was sent.
    Busy,
    /// No connection, or one that broke.
    Unreachable,
    /// It did not answer, in full, by the deadline.
    TimedOut,
    /// It answered with this status, which is not 200.
    Status(u16),
    /// The answer is larger than we take, in bytes, pages or resources.
    TooLarge,
    /// The answer is no JSON.
    NotJson,
    /// The answer is JSON, and not what was asked for: another type, another patient, an error.
    NotAsAsked,
}

impl Family {
    /// A name for metrics: one of a fixed few.
    pub fn name(self) -> &'static str {
        match self {
            Family::NotAllowed => "not-allowed",
            Family::NotAsked => "not-asked",
            Family::Busy => "busy",
            Family::Unreachable => "unreachable",
            Family::TimedOut => "timed-out",
            Family::Status(_) => "status",
            Family::TooLarge => "too-large",
            Family::NotJson => "not-json",
            Family::NotAsAsked => "not-as-asked",
        }
    }
}

/// Why a call gave nothing, in plain words. Holds an origin at most: no path, no query, no token, nothing
/// of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub family: Family,
    /// The token of a template that has no value in the call, without braces.
    pub token: Option<String>,
    origin: Option<String>,
    text: String,
}

impl Failure {
    pub(crate) fn new(family: Family, text: impl Into<String>) -> Self {
        Failure {
            family,
            token: None,
            origin: None,
            text: text.into(),
        }
    }

    /// One about a server: `https://ehr.example: …`.
    pub(crate) fn at(origin: &str, family: Family, text: impl fmt::Display) -> Self {
        Failure {
            origin: Some(origin.to_owned()),
            ..Failure::new(family, text.to_string())
        }
    }

    /// The configured origin that it is about.
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// What happened, without the origin.
    pub fn reason(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Some(origin) => write!(f, "{origin}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

impl std::error::Error for Failure {}
