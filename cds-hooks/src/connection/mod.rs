//! Connections: HTTP/1.1 over each, and none that keeps others out.
//!
//! ```text
//! accept ─▶ Connections::admit ─▶ run: (TLS) ─ Watched (bytes in, out) ─ hyper ─ head::check ─ router
//!                │                        │ phase                         │ phase
//!                └─ closes what is idle ◀─┴────────── Connection ─────────┘
//! ```
//!
//! A connection is in one phase at a time, and each phase has its time limit; who looks after them is
//! [`Connections::sweep`]. Where there are as many as there may be, the one that is least in use makes
//! room for a new one, so that idle or half-sent requests lock nobody out.

mod head;
mod lengths;
mod phase;
mod run;
mod secure;
mod table;
mod watched;

pub(crate) use run::{run, turn_away};
pub use secure::{ClientCertificate, SecureStream, Secured, Tls};
pub(crate) use table::Connections;
pub use table::Turned;
