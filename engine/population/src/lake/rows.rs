//! One bucket's resources in memory, on their way into the lake's files.

use std::cmp::Ordering;
use std::ops::Range;

use engine_patient::fhir::names::Name;

use super::envelope::Coded;

/// Resources of one bucket, or the resources without a patient. Texts stand in one buffer.
#[derive(Default, Debug)]
pub struct Rows {
    /// Texts and JSON, addressed by the rows.
    pub text: String,
    /// Codes, addressed by the rows.
    pub codes: Vec<Coded>,
    /// One a resource.
    pub rows: Vec<Row>,
}

/// One resource.
#[derive(Clone, Debug)]
pub struct Row {
    /// Resource type.
    pub ty: Name,
    /// Patient id; empty where it has none.
    pub patient: Range<usize>,
    /// `id`
    pub id: Range<usize>,
    /// `meta.versionId`, or empty.
    pub version: Range<usize>,
    /// `meta.lastUpdated` in microseconds.
    pub last_updated: Option<i64>,
    /// See [`super::envelope::Envelope::start`].
    pub start: Option<i64>,
    /// See [`super::envelope::Envelope::end`].
    pub end: Option<i64>,
    /// First code of the primary code path, or 0.
    pub first_key: i64,
    /// Its codes.
    pub codes: Range<usize>,
    /// The resource as it came.
    pub raw: Range<usize>,
    /// Where it was read: later is greater.
    pub sequence: u64,
}

impl Rows {
    /// A text of a row.
    pub fn str(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or("")
    }

    /// The codes of a row.
    pub fn codes_of(&self, row: &Row) -> &[Coded] {
        self.codes.get(row.codes.clone()).unwrap_or_default()
    }

    /// Adds a text.
    pub fn push_str(&mut self, text: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(text);
        start..self.text.len()
    }
}

/// What became of the resources that were read, per type. `read = stored + unchanged + replaced +
/// outdated + rejected`, always.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Tally {
    /// Read.
    pub read: u64,
    /// New in the lake.
    pub stored: u64,
    /// There already, byte for byte.
    pub unchanged: u64,
    /// Took the place of an older version.
    pub replaced: u64,
    /// Older than the version that is there: not kept.
    pub outdated: u64,
    /// Not a resource that can be stored: see the rejects file.
    pub rejected: u64,
}

impl Tally {
    /// Adds up.
    pub fn add(&mut self, other: &Tally) {
        self.read += other.read;
        self.stored += other.stored;
        self.unchanged += other.unchanged;
        self.replaced += other.replaced;
        self.outdated += other.outdated;
        self.rejected += other.rejected;
    }

    /// Whether the columns add up.
    pub fn adds_up(&self) -> bool {
        self.read == self.stored + self.unchanged + self.replaced + self.outdated + self.rejected
    }
}

/// What a merge did with an incoming resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Merged {
    /// It is new.
    Stored,
    /// It is there already.
    Unchanged,
    /// It replaces what was there.
    Replaced,
    /// What is there is newer.
    Outdated,
}

/// Keeps one row of each type and id: of two, the one with the later `meta.lastUpdated`, else the
/// higher `meta.versionId`, else the one read later. `existing` rows come first and are told to
/// nobody; of the others `told` hears what became of each, in the order they were read.
pub fn merge(rows: &mut Rows, existing: usize, mut told: impl FnMut(Name, Merged)) -> bool {
    let mut list = std::mem::take(&mut rows.rows);
    if let Some(incoming) = list.get_mut(existing..) {
        incoming.sort_by_key(|r| r.sequence);
    }
    let mut slots: hashbrown::HashMap<(Name, &str), usize, rustc_hash::FxBuildHasher> =
        hashbrown::HashMap::with_capacity_and_hasher(list.len(), rustc_hash::FxBuildHasher);
    let mut kept: Vec<Row> = Vec::with_capacity(list.len());
    let mut changed = false;
    for (index, row) in list.into_iter().enumerate() {
        let key = (row.ty, rows.text.get(row.id.clone()).unwrap_or(""));
        let outcome = match slots.get(&key).and_then(|slot| kept.get_mut(*slot)) {
            None => {
                slots.insert(key, kept.len());
                kept.push(row.clone());
                Merged::Stored
            }
            Some(there) if rows.text.get(there.raw.clone()) == rows.text.get(row.raw.clone()) => {
                Merged::Unchanged
            }
            Some(there) => match newer(&rows.text, there, &row) {
                Ordering::Greater => Merged::Outdated,
                _ => {
                    *there = row.clone();
                    Merged::Replaced
                }
            },
        };
        if index >= existing {
            changed |= matches!(outcome, Merged::Stored | Merged::Replaced);
            told(row.ty, outcome);
        }
    }
    rows.rows = kept;
    changed
}

/// Which of two versions of a resource is newer. A version without `lastUpdated` is compared by
/// `versionId` alone.
fn newer(text: &str, a: &Row, b: &Row) -> Ordering {
    let by_time = a.last_updated.zip(b.last_updated).map_or(Ordering::Equal, |(a, b)| a.cmp(&b));
    let number = |row: &Row| text.get(row.version.clone()).and_then(|v| v.parse::<u64>().ok());
    by_time.then_with(|| number(a).zip(number(b)).map_or(Ordering::Equal, |(a, b)| a.cmp(&b)))
}
