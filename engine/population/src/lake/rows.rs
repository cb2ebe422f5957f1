//! One bucket's resources in memory, on their way into the lake's files.

use std::ops::Range;

use engine_patient::fhir::names::Name;
use engine_patient::record::Age;

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
    /// By `meta.lastUpdated`, then `meta.versionId`.
    pub age: Age,
    /// See [`super::envelope::Envelope::start`].
    pub start: Option<i64>,
    /// See [`super::envelope::Envelope::end`].
    pub end: Option<i64>,
    /// First code of the primary code path, or 0.
    pub first_key: i64,
    /// Its codes.
    pub codes: Range<usize>,
    /// The resource, its references resolved.
    pub raw: Range<usize>,
    /// What gives it back as it came; empty where nothing was changed.
    pub restore: Range<usize>,
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

/// What became of the resources and deletions that were read, per type. `read = stored + unchanged +
/// replaced + outdated + deleted + rejected`, always.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Tally {
    /// Read.
    pub read: u64,
    /// New in the lake.
    pub stored: u64,
    /// In the lake already, byte for byte; or a deletion of what is not there.
    pub unchanged: u64,
    /// Took the place of an older version.
    pub replaced: u64,
    /// Older than the version that is there, or than its deletion: not kept; or read twice.
    pub outdated: u64,
    /// Those of `outdated` that were read twice in one import, byte for byte, and were not in the lake.
    #[serde(default)]
    pub repeated: u64,
    /// Deletions by which a resource is gone.
    #[serde(default)]
    pub deleted: u64,
    /// Not a resource that can be stored: see the rejects file.
    pub rejected: u64,
    /// Good, and not imported: others were rejected, and `--strict` imports all or nothing.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_imported: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Tally {
    /// Adds up.
    pub fn add(&mut self, other: &Tally) {
        self.read += other.read;
        self.stored += other.stored;
        self.unchanged += other.unchanged;
        self.replaced += other.replaced;
        self.outdated += other.outdated;
        self.repeated += other.repeated;
        self.deleted += other.deleted;
        self.rejected += other.rejected;
        self.not_imported += other.not_imported;
    }

    /// Whether the columns add up.
    pub fn adds_up(&self) -> bool {
        let kept = self.stored + self.unchanged + self.replaced;
        let gone = self.outdated + self.deleted + self.rejected;
        self.read == kept + gone + self.not_imported
    }

    /// What was read and is good is not imported.
    pub fn withhold(&mut self) {
        self.not_imported = self.read.saturating_sub(self.rejected);
    }
}

/// What a merge did with an incoming resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Merged {
    /// It is new.
    Stored,
    /// It is in the lake already.
    Unchanged,
    /// It was read before, and is not in the lake.
    Repeated,
    /// It replaces what was there.
    Replaced,
    /// What is there is newer.
    Outdated,
}

/// Keeps one row of each type and id: the newest by `meta.lastUpdated`, then `meta.versionId`, then
/// the order of reading; a version without a date is older than one with. The first `existing` rows
/// are what the lake has and are told to nobody; of the others `told` hears what became of each.
/// `deleted` is asked of the row that would stay, and whether only the lake has it (where the same
/// was read again, it is asked of what was read): what is deleted goes, and the version that was read
/// is outdated.
pub fn merge(
    rows: &mut Rows,
    existing: usize,
    mut deleted: impl FnMut(&str, &Row, bool) -> bool,
    mut told: impl FnMut(&Row, Merged),
) -> Changes {
    let mut changes = Changes::default();
    let mut list = std::mem::take(&mut rows.rows);
    if let Some(incoming) = list.get_mut(existing..) {
        incoming.sort_by_key(|r| r.sequence);
    }
    let text = &rows.text;
    // As it came and as it is evaluated: a reference may be resolved otherwise than before.
    let raw = |row: &Row| (text.get(row.raw.clone()), text.get(row.restore.clone()));
    let mut slots: hashbrown::HashMap<(Name, &str), Slot, rustc_hash::FxBuildHasher> =
        hashbrown::HashMap::with_capacity_and_hasher(list.len(), rustc_hash::FxBuildHasher);
    for (index, row) in list.iter().enumerate() {
        let key = (row.ty, text.get(row.id.clone()).unwrap_or(""));
        if index < existing {
            let before = slots.insert(
                key,
                Slot {
                    there: Some(index),
                    best: None,
                },
            );
            changes.doubled += u64::from(before.is_some());
            continue;
        }
        let slot = slots.entry(key).or_insert(Slot {
            there: None,
            best: None,
        });
        let before = slot.best.and_then(|b| list.get(b));
        // Of the incoming versions the newest is kept; the same once more is no other version.
        match before {
            // It stands where it was read last: a deletion in between is before it.
            Some(before) if raw(before) == raw(row) => {
                // The lake's own, or the first of several that are new.
                let there = slot.there.and_then(|t| list.get(t));
                let known = there.is_some_and(|there| raw(there) == raw(row));
                told(
                    before,
                    if known {
                        Merged::Unchanged
                    } else {
                        Merged::Repeated
                    },
                );
                slot.best = Some(index);
            }
            Some(before) if before.age > row.age => told(row, Merged::Outdated),
            Some(_) => {
                told(row, Merged::Outdated);
                slot.best = Some(index);
            }
            None => slot.best = Some(index),
        }
    }
    let mut keep = vec![false; list.len()];
    for slot in slots.into_values() {
        let there = slot.there.and_then(|t| list.get(t));
        let best = slot.best.and_then(|b| list.get(b));
        let (kept, outcome) = match (there, best) {
            (None, Some(_)) => (slot.best, Some(Merged::Stored)),
            (Some(there), Some(best)) if raw(there) == raw(best) => {
                (slot.there, Some(Merged::Unchanged))
            }
            (Some(there), Some(best)) if there.age > best.age => {
                (slot.there, Some(Merged::Outdated))
            }
            (Some(_), Some(_)) => (slot.best, Some(Merged::Replaced)),
            (_, None) => (slot.there, None),
        };
        // What the lake has and was read again was read where it stands in this import.
        let again = outcome == Some(Merged::Unchanged);
        let stays = kept.and_then(|k| list.get(k));
        let gone = match best.filter(|_| again).or(stays) {
            Some(row) => deleted(text, row, kept == slot.there && !again),
            None => false,
        };
        if gone {
            changes.deleted += u64::from(slot.there.is_some());
            changes.changed |= slot.there.is_some();
            if let Some(best) = best {
                told(best, Merged::Outdated);
            }
            continue;
        }
        if let Some(flag) = kept.and_then(|k| keep.get_mut(k)) {
            *flag = true;
        }
        if let (Some(best), Some(outcome)) = (best, outcome) {
            changes.changed |= matches!(outcome, Merged::Stored | Merged::Replaced);
            told(best, outcome);
        }
    }
    let mut flags = keep.into_iter();
    list.retain(|_| flags.next().unwrap_or(false));
    rows.rows = list;
    changes
}

/// What a merge did to the rows of the lake.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Changes {
    /// Whether anything is new or gone.
    pub changed: bool,
    /// How many rows of the lake are gone because they are deleted.
    pub deleted: u64,
    /// How many stood there twice, and now do not.
    pub doubled: u64,
}

/// What the lake has of a resource, and the newest incoming version.
struct Slot {
    there: Option<usize>,
    best: Option<usize>,
}
