//! What is live, and how it is read again: a bad set never replaces a good one.

mod fingerprint;
mod hangup;
mod reload;
mod settings_file;
mod state;
mod watch;

pub use fingerprint::{Fingerprint, Marked};
pub use hangup::Hangup;
pub use reload::{Again, Part, Reloader};
pub use settings_file::SettingsFile;
pub use state::{Failed, LiveRule, LiveSet, State};
pub use watch::Watch;
