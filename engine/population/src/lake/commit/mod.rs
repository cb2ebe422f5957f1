//! The atomic commit of a lake: one manifest, written put-if-absent, is the commit.
//!
//! Snapshot *n* is the object `_lake/{n:020}.json`; it lists every file of every table. It holds
//! no patient data, only file names, sizes and counts. [`commit`] writes the next one.
//!
//! Invariants:
//! - A snapshot's number is given once. Vacuum overwrites a dropped manifest with a tombstone and
//!   never deletes it, so a slow writer cannot put its commit into the past.
//! - Data files are immutable and their names never reused. A file is deleted only by
//!   [`apply_vacuum`], and only when no live snapshot lists it.
//! - A table that is in a snapshot is in every later one, if need be with no files. Its id
//!   follows from the lake's id and its name.
//! - A commit whose buckets, unbucketed tables or files another writer touched is refused, never
//!   merged. What a writer only *read* is not checked, unless it says that it rests on all of the
//!   base ([`Change::of_all`]): an import does.
//! - The Delta logs are derived: losing them loses nothing, and [`export_missing`] completes
//!   them. Nobody else may write to these tables.
//! - Nothing here reads a clock, the environment or a random source: the caller passes them.

mod change;
mod delta;
mod delta_check;
mod delta_schema;
mod error;
mod names;
mod pins;
mod plausible;
mod snapshot;
mod vacuum;
mod write;

#[cfg(test)]
mod tests;

pub use change::{Change, TableChange};
pub use delta::{export_delta, export_missing};
pub use delta_check::{DeltaProblem, delta_problems, newest_delta_problems};
pub use error::{CommitError, Family};
pub use names::is_half_written;
pub use pins::{not_pins, pin, pins, unpin};
pub(super) use snapshot::live;
pub use snapshot::{DataFile, FORMAT, Snapshot, SnapshotInfo, Table, latest, list, read};
pub use vacuum::{VacuumFile, VacuumPlan, VacuumPolicy, Vacuumed, apply_vacuum, plan_vacuum};
pub use write::{Base, NewLake, commit};
