//! What a card service keeps: cards that were shown and what became of them, and an audit log that nobody
//! can change unnoticed. In SQLite (a file) or PostgreSQL (a URL, for several servers).
//!
//! ```text
//! server ── Store ── queue ── writer ──▶ database ◀── Reader ── report, audit commands
//! ```
//!
//! Invariants:
//! - what is acknowledged is durable; what is not acknowledged was refused with a reason;
//! - nothing is unbounded: the queue has room for so many records and bytes, waits end;
//! - raw feedback and entries of the audit log are never changed, only removed by a purge that the log
//!   itself tells of;
//! - no patient data, password or token in errors.
//!
//! It knows nothing of HTTP and of CDS Hooks messages; time is an argument.

mod audit;
mod db;
mod error;
mod feedback;
mod hash;
mod ids;
mod jti;
mod recorded;
mod report;
mod rows;
mod schema;
mod settings;
mod shown;
mod store;
mod time;
mod tokens;
mod writer;

pub use audit::{
    AuditEntry, AuditFilter, AuditKind, Checked, Head, Purged, RuleOutcome, RuleRun, StoredEntry,
    Verified, audit_event,
};
pub use db::Place;
pub use error::StoreError;
pub use feedback::{Feedback, FeedbackBatch, FeedbackCounts, FeedbackOutcome, ReasonCoding};
pub use hash::sha256;
pub use ids::Ids;
pub use jiff::Timestamp;
pub use recorded::RecordedCall;
pub use report::{
    Asked, Breakdown, BreakdownRow, By, Cells, Comment, Counts as CardCounts, FeedbackTotals,
    Field, Line, MostlyIf, NamedCount, Reason, Report, RuleReport, Span, page,
};
pub use settings::{Event, Settings, Told};
pub use shown::{Shown, ShownCard, ShownRule};
pub use store::{CallRecord, Reader, Store};
pub use writer::Counts;
