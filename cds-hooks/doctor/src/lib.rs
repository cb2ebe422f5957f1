//! A CDS Hooks client that judges: it plays an EHR, a browser, a broken client and an attacker against a
//! service, and says what each of them would see.
//!
//! ```text
//! discovery ──▶ each service: good calls, feedback
//!           └─▶ the first of each hook: broken drafts, odd bodies, states of the prefetch, fetching
//!           └─▶ one: browsers (CORS), tokens
//!                          │
//!      Book ◀── judge ◀────┘   every answer, member by member
//!       └──▶ Report: each check, what was expected, what came, how to mend it
//! ```
//!
//! Invariants:
//! - nothing is known of the service but its base URL: this crate depends on none of Tandem's;
//! - it calls that URL, and listens on this machine; it asks nobody else;
//! - time, files and seed are arguments;
//! - the only patient in it is made up ([`Options::patient`] is the user's own);
//! - what is kept of a run is bounded: eight failures for each check.
//!
//! A check is a row of `check/catalog.rs`: its name, the items of the checklist that it is about, what is
//! expected, and how to mend it. **To add one**, add a row, judge it where the request is made or the
//! answer read (`play/`, `judge/`), and add a service that breaks it to `tests/it/broken.rs`, whose last
//! test names the checks that nothing breaks.

mod chart;
mod check;
pub mod hostile;
mod http;
mod json;
mod judge;
mod options;
mod play;
mod random;
mod report;
mod token;

pub use check::{ALL as CHECKS, Check, Failure, Outcome, Severity, Tally};
pub use options::{DoctorError, Options};
pub use report::{Milliseconds, Report};
pub use token::Signer;

use check::shown as check_text;

/// Examines a service. Takes as long as it answers some hundred calls for each hook that it has.
///
/// # Errors
/// Where there can be no examination: a URL that is none, a key or file that is of no use, no port to
/// listen at. What is wrong with the service, even that it is not there, is in the report.
pub async fn examine(options: &Options) -> Result<Report, DoctorError> {
    Ok(play::Doctor::new(options).await?.examine().await)
}
