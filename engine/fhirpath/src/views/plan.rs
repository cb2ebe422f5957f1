//! What a view does, in order.

use std::ops::Range;

use super::column::Storage;
use crate::Path;

/// One step of a `select`; each step is done once for every row that the steps before it made.
#[derive(Debug)]
pub(super) enum Step {
    /// Fills columns.
    Columns(Vec<Column>),
    /// Does the inner steps for every value of the path.
    ForEach {
        path: Path,
        /// One row of nulls where there is no value.
        or_null: bool,
        columns: Range<usize>,
        inner: Vec<Step>,
        at: String,
    },
    /// Does the inner steps for every element reached by the paths, however deep, parents first.
    Repeat {
        paths: Vec<Path>,
        inner: Vec<Step>,
        at: String,
    },
    /// Does the steps of every branch, one branch after the other.
    Union(Vec<Vec<Step>>),
}

#[derive(Debug)]
pub(super) struct Column {
    /// Which value of the row it is.
    pub index: usize,
    pub path: Path,
    pub storage: Storage,
    pub collection: bool,
}
