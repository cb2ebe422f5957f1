//! Which patients a run is for, where it is not for all, and the buckets that hold them.

use std::collections::BTreeSet;

use crate::lake::{DataFile, Lake, bucket_of};

/// Patients by id. All else of the lake is neither read nor evaluated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Subjects {
    ids: BTreeSet<String>,
    buckets: BTreeSet<u32>,
}

impl Subjects {
    /// An id may be given as a reference, `Patient/ID`.
    pub(super) fn of<'i>(lake: &Lake, ids: impl IntoIterator<Item = &'i str>) -> Subjects {
        let plain = |id: &'i str| id.strip_prefix("Patient/").unwrap_or(id).to_owned();
        let ids: BTreeSet<String> = ids.into_iter().map(plain).collect();
        let buckets = ids.iter().map(|id| bucket_of(id, lake.snapshot.buckets));
        Subjects {
            buckets: buckets.collect(),
            ids,
        }
    }

    /// How many.
    pub(super) fn count(&self) -> u64 {
        self.ids.len() as u64
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// The buckets that can hold them.
    pub(super) fn buckets(&self) -> &BTreeSet<u32> {
        &self.buckets
    }

    /// Whether a file can hold one of them.
    pub(super) fn may_be_in(&self, file: &DataFile) -> bool {
        file.buckets.iter().any(|b| self.buckets.contains(b))
    }
}
