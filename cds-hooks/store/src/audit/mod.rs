//! The audit log: who asked, for which patient, which rules answered. Append only, and chained: the hash of
//! an entry is made of its content and the hash before it, so that nothing can be changed, taken out, put
//! in or moved without all that follows being made anew. That would be noticed by who noted a head
//! elsewhere (`Reader::head`, [`crate::Event::Checkpoint`]).
//!
//! There is one chain a store, whatever the tenants: several would let a whole tenant vanish. Servers on
//! one PostgreSQL take turns by a row lock on the head.
//!
//! ```text
//! hash(n) = SHA-256( "tandem-audit-1\n" chain "\n" n "\n" hash(n-1) "\n" body(n) )    hash(0) = ""
//! ```

mod append;
mod due;
mod entry;
mod fhir;
mod purge;
mod read;
mod verify;

pub use entry::{AuditEntry, AuditKind, RuleOutcome, RuleRun};
pub use fhir::audit_event;
pub use purge::Purged;
pub use read::{AuditFilter, StoredEntry};
pub use verify::{Checked, Head, Verified};

pub(crate) use append::{Appended, Prepared, append, stored};
pub(crate) use due::due;
pub(crate) use purge::purge;
pub(crate) use read::{has, head, page};
pub(crate) use verify::verify;

use sha2::{Digest, Sha256};

/// The hash of an entry.
fn link(chain: &str, seq: u64, previous: &str, body: &str) -> String {
    let mut hash = Sha256::new();
    for part in ["tandem-audit-1", chain, &seq.to_string(), previous] {
        hash.update(part.as_bytes());
        hash.update(b"\n");
    }
    hash.update(body.as_bytes());
    crate::hash::hex(&hash.finalize())
}
