//! What one writer wants to change, whether it makes sense, and what it collides with.

use std::collections::{BTreeMap, BTreeSet};

use super::{CommitError, DataFile, Snapshot};

/// One commit's difference from the snapshot it was computed on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Change {
    /// What was done, a word or two: "import", "recompute".
    pub operation: String,
    /// Name and version of the engine that writes.
    pub engine: String,
    /// What the writer counted, for display only.
    pub summary: serde_json::Value,
    /// The buckets this change replaces. Those of its files are added by themselves: name here
    /// the ones left without files.
    pub buckets: BTreeSet<u32>,
    /// Whether it was worked out from all of the base, as an import is (a type and id is one
    /// resource over all buckets): whatever another writer changed meanwhile is then a collision.
    pub of_all: bool,
    /// The change of each table, by name; a new name creates the table.
    pub tables: BTreeMap<String, TableChange>,
}

/// One table's difference. A file of several buckets is replaced whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableChange {
    /// Paths taken out, relative to the table's folder; the base must list them.
    pub remove: BTreeSet<String>,
    /// Files put in, wholly written before the commit, under names never used before.
    pub add: Vec<DataFile>,
}

impl Change {
    /// Refuse a change that cannot be made to `base` (with no tables when creating).
    pub(super) fn check(&self, base: &Snapshot) -> Result<(), CommitError> {
        if let Some(&bucket) = self.buckets.iter().find(|&&b| b >= base.buckets) {
            return Err(bucket_range(bucket, base.buckets));
        }
        for (name, change) in &self.tables {
            check_path("table", name, name)?;
            let known = paths(base, name);
            if let Some(path) = change.remove.iter().find(|&p| !known.contains(p.as_str())) {
                let at = format!("file `{name}/{path}` is to be removed");
                let what = format!("{at}, but snapshot {} does not list it", base.number);
                return Err(CommitError::invalid(what));
            }
            let mut added = BTreeSet::new();
            for file in &change.add {
                check_path("file", &format!("{name}/{}", file.path), &file.path)?;
                check_buckets(name, file, base.buckets)?;
                if known.contains(file.path.as_str()) || !added.insert(&file.path) {
                    let at = format!("file `{name}/{}`", file.path);
                    let what = format!("{at} is added twice: every file needs a new name");
                    return Err(CommitError::invalid(what));
                }
            }
        }
        let names: BTreeSet<&String> = base.tables.keys().chain(self.tables.keys()).collect();
        for outer in &names {
            let folder = format!("{outer}/");
            if let Some(inner) = names.iter().find(|n| n.starts_with(&folder)) {
                let what = format!("table `{inner}` would lie inside table `{outer}`: rename one");
                return Err(CommitError::invalid(what));
            }
        }
        Ok(())
    }

    /// What others changed between `base` and `head` that this change touches, too.
    pub(super) fn collisions(&self, base: &Snapshot, head: &Snapshot) -> Vec<String> {
        if head.lake_id != base.lake_id || head.buckets != base.buckets {
            return vec!["the lake itself was replaced by another".to_owned()];
        }
        let mut found = Vec::new();
        if self.of_all {
            let names: BTreeSet<&String> = base.tables.keys().chain(head.tables.keys()).collect();
            let differ = |name: &&&String| paths(base, name) != paths(head, name);
            let differ = names.iter().filter(differ);
            found.extend(differ.map(|name| format!("table `{name}`")));
            return found;
        }
        let (buckets, unbucketed) = self.touched(base);
        let (before, after) = (by_bucket(base, &buckets), by_bucket(head, &buckets));
        for bucket in buckets {
            let (before, after) = (before.get(&bucket), after.get(&bucket));
            if before != after {
                found.push(format!("bucket {bucket}"));
            }
        }
        for name in unbucketed {
            if shared(base, name) != shared(head, name) {
                found.push(format!("table `{name}`"));
            }
        }
        for (name, change) in &self.tables {
            let there = paths(head, name);
            let gone = change.remove.iter().filter(|p| !there.contains(p.as_str()));
            found.extend(gone.map(|p| format!("file `{name}/{p}` (removed)")));
            let twice = change.add.iter().map(|f| &f.path);
            let twice = twice.filter(|p| there.contains(p.as_str()));
            found.extend(twice.map(|p| format!("file `{name}/{p}` (already added)")));
        }
        found
    }

    /// The buckets and the tables' unbucketed parts that this change replaces.
    fn touched(&self, base: &Snapshot) -> (BTreeSet<u32>, BTreeSet<&str>) {
        let mut buckets = self.buckets.clone();
        let mut unbucketed = BTreeSet::new();
        for (name, change) in &self.tables {
            let old = base.tables.get(name).into_iter().flat_map(|t| &t.files);
            let removed = old.filter(|f| change.remove.contains(&f.path));
            for file in removed.chain(&change.add) {
                buckets.extend(&file.buckets);
                if file.buckets.is_empty() {
                    unbucketed.insert(name.as_str());
                }
            }
        }
        (buckets, unbucketed)
    }
}

type Files<'a> = BTreeSet<(&'a str, &'a str)>;

fn by_bucket<'a>(snapshot: &'a Snapshot, wanted: &BTreeSet<u32>) -> BTreeMap<u32, Files<'a>> {
    let mut found: BTreeMap<u32, Files<'a>> = BTreeMap::new();
    for (name, table) in &snapshot.tables {
        for file in &table.files {
            for &bucket in file.buckets.iter().filter(|b| wanted.contains(b)) {
                let files = found.entry(bucket).or_default();
                files.insert((name, &file.path));
            }
        }
    }
    found
}

fn shared<'a>(snapshot: &'a Snapshot, table: &str) -> BTreeSet<&'a str> {
    let files = snapshot.tables.get(table).into_iter();
    let files = files.flat_map(|t| &t.files);
    let files = files.filter(|f| f.buckets.is_empty());
    files.map(|f| f.path.as_str()).collect()
}

fn paths<'a>(snapshot: &'a Snapshot, table: &str) -> BTreeSet<&'a str> {
    let files = snapshot.tables.get(table).into_iter();
    files
        .flat_map(|t| &t.files)
        .map(|f| f.path.as_str())
        .collect()
}

fn check_buckets(table: &str, file: &DataFile, buckets: u32) -> Result<(), CommitError> {
    if let Some(&bucket) = file.buckets.iter().find(|&&b| b >= buckets) {
        return Err(bucket_range(bucket, buckets));
    }
    if !file.buckets.is_sorted_by(|a, b| a < b) {
        let at = format!("file `{table}/{}`", file.path);
        let what = format!("{at} names its buckets out of order or twice: sort them");
        return Err(CommitError::invalid(what));
    }
    Ok(())
}

fn bucket_range(bucket: u32, buckets: u32) -> CommitError {
    let what = format!("bucket {bucket} is out of range: this lake has {buckets}, from 0");
    CommitError::invalid(what)
}

/// Only names that mean the same in a file system, a URL and a Delta log; and none that starts
/// with `_` or `.`, which readers hide and vacuum leaves alone.
pub(super) fn check_path(kind: &str, shown: &str, path: &str) -> Result<(), CommitError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-=".contains(&b);
    let good =
        |part: &str| !part.is_empty() && !part.starts_with(['.', '_']) && part.bytes().all(plain);
    if path.split('/').all(good) {
        return Ok(());
    }
    let expected =
        "use letters, digits, `-`, `_`, `=`, `.` and `/`, no part starting with `_` or `.`";
    let what = format!("{kind} `{shown}` has a name that not every reader takes: {expected}");
    Err(CommitError::invalid(what))
}
