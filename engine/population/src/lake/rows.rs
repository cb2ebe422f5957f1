//! One bucket's resources in memory, on their way into the lake's files.

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

/// Keeps one row of each type and id: the newest by `meta.lastUpdated`, then `meta.versionId`, then
/// the order of reading; a version without a date is older than one with. The first `existing` rows
/// are what the lake has and are told to nobody; of the others `told` hears what became of each.
/// Returns whether anything is new.
pub fn merge(rows: &mut Rows, existing: usize, mut told: impl FnMut(&Row, Merged)) -> bool {
    let mut list = std::mem::take(&mut rows.rows);
    if let Some(incoming) = list.get_mut(existing..) {
        incoming.sort_by_key(|r| r.sequence);
    }
    let text = &rows.text;
    let raw = |row: &Row| text.get(row.raw.clone());
    let mut slots: hashbrown::HashMap<(Name, &str), Slot, rustc_hash::FxBuildHasher> =
        hashbrown::HashMap::with_capacity_and_hasher(list.len(), rustc_hash::FxBuildHasher);
    for (index, row) in list.iter().enumerate() {
        let key = (row.ty, text.get(row.id.clone()).unwrap_or(""));
        if index < existing {
            slots.insert(
                key,
                Slot {
                    there: Some(index),
                    best: None,
                },
            );
            continue;
        }
        let slot = slots.entry(key).or_insert(Slot {
            there: None,
            best: None,
        });
        let before = slot.best.and_then(|b| list.get(b));
        // Of the incoming versions the newest is kept; the same once more is no other version.
        match before {
            Some(before) if raw(before) == raw(row) => told(row, Merged::Unchanged),
            Some(before) if age(text, before) > age(text, row) => told(row, Merged::Outdated),
            Some(_) => {
                told(row, Merged::Outdated);
                slot.best = Some(index);
            }
            None => slot.best = Some(index),
        }
    }
    let mut keep = vec![false; list.len()];
    let mut changed = false;
    for slot in slots.into_values() {
        let there = slot.there.and_then(|t| list.get(t));
        let best = slot.best.and_then(|b| list.get(b));
        let (kept, outcome) = match (there, best) {
            (None, Some(_)) => (slot.best, Some(Merged::Stored)),
            (Some(there), Some(best)) if raw(there) == raw(best) => {
                (slot.there, Some(Merged::Unchanged))
            }
            (Some(there), Some(best)) if age(text, there) > age(text, best) => {
                (slot.there, Some(Merged::Outdated))
            }
            (Some(_), Some(_)) => (slot.best, Some(Merged::Replaced)),
            (_, None) => (slot.there, None),
        };
        if let Some(flag) = kept.and_then(|k| keep.get_mut(k)) {
            *flag = true;
        }
        if let (Some(best), Some(outcome)) = (best, outcome) {
            changed |= matches!(outcome, Merged::Stored | Merged::Replaced);
            told(best, outcome);
        }
    }
    let mut flags = keep.into_iter();
    list.retain(|_| flags.next().unwrap_or(false));
    rows.rows = list;
    changed
}

/// What the lake has of a resource, and the newest incoming version.
struct Slot {
    there: Option<usize>,
    best: Option<usize>,
}

/// By `meta.lastUpdated`, then by `meta.versionId`: greater is newer, what is missing is oldest.
pub fn age(text: &str, row: &Row) -> (Option<i64>, Option<u64>) {
    let number = text
        .get(row.version.clone())
        .and_then(|v| v.parse::<u64>().ok());
    (row.last_updated, number)
}
