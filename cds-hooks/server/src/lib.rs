//! The CDS service as it is operated: one settings file, and the parts composed by it.
#![deny(missing_docs)]

pub mod admin;
mod admission;
mod calls_out;
pub mod consent;
mod data;
pub mod explain;
mod kept;
pub mod live;
mod loaded;
pub mod metrics;
mod record;
mod replay;
mod rules_live;
pub mod settings;
pub mod shadow;
mod sight;
mod spans;
mod start;
mod tls;
mod told;

pub use loaded::{Load, Loaded, NotLoaded};
pub use replay::{Replayed, Said, replay, tenant_of};
pub use start::{Checked, Listening, Start};
pub use told::{Tell, into_log};
