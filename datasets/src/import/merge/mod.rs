//! What was read and what the lake has, merged and written.
//!
//! ```text
//! job ← load ← moved, bucket ← shared        what stands in several buckets; one bucket; no patient
//! codes_table, books, ledger, commit ← write      in this order
//! ```

mod books;
mod bucket;
mod codes_table;
pub mod commit;
pub mod job;
mod ledger;
mod load;
mod moved;
pub mod shared;
pub mod write;
mod written;
