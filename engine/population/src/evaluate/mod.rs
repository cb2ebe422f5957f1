//! Evaluating programs over the lake: one shared pass over `facts`, the wanted rows of `resources`,
//! every program on each patient's record.
//!
//! ```text
//! EvaluateTable ── scan() ──▶ EvaluateExec ── child ──▶ DataSourceExec over `facts` (pages selected)
//!                                │ per bucket: rows of `resources` by number → records → programs
//!                                ▼
//!                            result rows
//! ```
//!
//! *Invariants:* a partition is one `facts` file, whose buckets are read from its data; partitioning
//! is declared unknown everywhere, so that no file moves to another partition and nobody counts on
//! DataFusion's hash (`pitfalls` in the tests).

mod bucket;
mod budget;
mod exec;
mod facts;
mod metrics;
mod output;
mod plan;
mod rows;
mod slice;
mod statistics;
mod subjects;
mod table;
mod work;

pub use budget::{GivenUp, PATIENTS, Spent};
pub use exec::EvaluateExec;
pub use rows::result_schema;
pub use statistics::EvaluateStatistics;
pub use table::{EvaluateTable, store_url};
