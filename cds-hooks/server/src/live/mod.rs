//! What is live, and how it is read again: a bad set never replaces a good one.

mod reload;
mod state;
mod watch;

pub use reload::{Part, Reloader};
pub use state::{Failed, LiveRule, LiveSet, State};
pub use watch::{Fingerprint, Watch};
