//! What is checked, and how it came out.

mod book;
pub(crate) use book::shown;
mod catalog;

pub use book::{Book, Failure, Outcome, Tally};
pub use catalog::*;

use serde::Serialize;

/// How grave it is where a check fails.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The specification forbids it, or an EHR cannot work with it. One of these fails the whole run.
    Must,
    /// The specification or practice advises against it.
    Should,
}

impl Severity {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Must => "must",
            Severity::Should => "should",
        }
    }
}

/// One check.
#[derive(PartialEq, Eq, Debug)]
pub struct Check {
    /// Its name, which does not change.
    pub id: &'static str,
    /// The items of the checklist for CDS services that it is about.
    pub items: &'static [u8],
    /// How grave a failure is.
    pub severity: Severity,
    /// What a service has to do.
    pub expected: &'static str,
    /// What to do where it does not.
    pub mend: &'static str,
}
