//! What a check tells: counted by kind, with the first few by place. Places are files and rows, never
//! what is in them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use crate::lake::DataFile;

/// Places that are named of each kind.
const NAMED: usize = 5;

/// One kind of what is wrong.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Finding {
    /// What.
    pub kind: String,
    /// How often.
    pub count: u64,
    /// The first of the places.
    pub examples: Vec<String>,
}

/// Shared by all parts of a check.
#[derive(Debug, Default)]
pub struct Findings(Mutex<BTreeMap<&'static str, (u64, BTreeSet<String>)>>);

impl Findings {
    pub(super) fn add(&self, kind: &'static str, place: String) {
        let Ok(mut all) = self.0.lock() else {
            return;
        };
        let (count, places) = all.entry(kind).or_default();
        *count += 1;
        places.insert(place);
        // The least, so that the order of the work does not matter.
        if places.len() > NAMED {
            places.pop_last();
        }
    }

    /// The rows that were read of a file against those that the manifest says.
    pub(super) fn count_rows(&self, table: &str, file: &DataFile, rows: u64) {
        if rows != file.rows {
            let place = format!(
                "{table}/{} has {rows} rows, and the manifest says {}",
                file.path, file.rows
            );
            self.add("files of another number of rows", place);
        }
    }

    /// All, by kind.
    pub(super) fn list(&self) -> Vec<Finding> {
        let Ok(all) = self.0.lock() else {
            return vec![];
        };
        let told = all.iter().map(|(kind, (count, places))| Finding {
            kind: (*kind).to_owned(),
            count: *count,
            examples: places.iter().cloned().collect(),
        });
        told.collect()
    }
}
