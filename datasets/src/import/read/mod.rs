//! From chunks of files to the scratch of each bucket.
//!
//! ```text
//! all (threads) → worker: lines, documents (text, sizes) → router: references, envelope, bucket
//!                                                             ├→ spill, ids, deletions
//!                                                             ├→ rejects ┐ ordered
//!                                                             └→ unreadable ┘
//! ```

pub mod all;
mod ordered;
mod place;
pub mod rejects;
mod router;
pub mod sinks;
mod sizes;
mod text;
pub mod types;
pub mod unreadable;
mod worker;
pub mod worker_result;
