//! The columns of a batch of result rows.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use engine_patient::program::RowKind;
use engine_patient::system::truth::Truth;
use measures::structure::MeasureStructure;
use measures::subject::{Foreign, RowView};

use crate::error::RunError;

pub(crate) fn number(n: i32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// A dictionary column: keys, and what each word is.
pub(crate) struct Words<'b, T> {
    keys: &'b Int32Array,
    words: Vec<T>,
}

impl<T: Copy> Words<'_, T> {
    fn get(&self, row: usize) -> Option<T> {
        if self.keys.is_null(row) {
            return None;
        }
        self.words.get(number(self.keys.value(row))).copied()
    }
}

/// A dictionary column whose words are needed of few rows.
pub(crate) struct Texts<'b> {
    keys: &'b Int32Array,
    words: &'b StringArray,
}

impl Texts<'_> {
    pub(crate) fn text(&self, row: usize) -> Option<Arc<str>> {
        if self.keys.is_null(row) {
            return None;
        }
        let key = number(self.keys.value(row));
        (key < self.words.len()).then(|| Arc::from(self.words.value(key)))
    }
}

/// Words of id, version and url, and which measure they name.
type Known = ((i32, i32, i32), Option<usize>);

pub(crate) struct Columns<'b> {
    pub(crate) patient: &'b StringArray,
    measure: &'b Int32Array,
    version: &'b Int32Array,
    url: &'b Int32Array,
    /// Per triple of words, as far as it came up.
    known: RefCell<Vec<Known>>,
    names: Texts<'b>,
    versions: Texts<'b>,
    urls: Texts<'b>,
    structures: &'b [Arc<MeasureStructure>],
    group: &'b Int32Array,
    kind: Words<'b, Option<RowKind>>,
    index: &'b Int32Array,
    stratifier: &'b Int32Array,
    stratum: Texts<'b>,
    basis: &'b StringArray,
    outcome: Words<'b, Option<Truth>>,
    count: &'b Int64Array,
    value: &'b StringArray,
    unit: Texts<'b>,
    coding: Texts<'b>,
    reason: Texts<'b>,
}

impl<'b> Columns<'b> {
    pub(crate) fn of(
        batch: &'b RecordBatch,
        structures: &'b [Arc<MeasureStructure>],
    ) -> Result<Self, RunError> {
        let (names, versions) = (texts(batch, "measure")?, texts(batch, "version")?);
        let urls = texts(batch, "url")?;
        let truth = |word: &str| {
            let all = [Truth::True, Truth::False, Truth::Unknown];
            all.into_iter().find(|t| t.as_str() == word)
        };
        Ok(Columns {
            patient: column(batch, "patient_id")?,
            measure: names.keys,
            version: versions.keys,
            url: urls.keys,
            known: RefCell::default(),
            names,
            versions,
            urls,
            structures,
            group: column(batch, "group")?,
            kind: words(batch, "population", |word| RowKind::of(word, 0))?,
            index: column(batch, "index")?,
            stratifier: column(batch, "stratifier")?,
            stratum: texts(batch, "stratum")?,
            basis: column(batch, "basis_id")?,
            outcome: words(batch, "outcome", truth)?,
            count: column(batch, "count")?,
            value: column(batch, "value")?,
            unit: texts(batch, "unit")?,
            coding: texts(batch, "coding")?,
            reason: texts(batch, "unknown_reason")?,
        })
    }

    pub(crate) fn measure(&self, row: usize) -> Result<usize, RunError> {
        let url = self.url.value(row);
        let key = (self.measure.value(row), self.version.value(row), url);
        let mut known = self.known.borrow_mut();
        let found = known.iter().find(|(k, _)| *k == key).map(|(_, m)| *m);
        let found = found.unwrap_or_else(|| {
            let (name, version) = (self.names.text(row), self.versions.text(row));
            let url = self.urls.text(row);
            // The id alone does not tell measures of several publishers apart.
            let same = |s: &Arc<MeasureStructure>| {
                let artifact = &s.artifact;
                Some(&artifact.id) == name.as_ref()
                    && Some(&artifact.version) == version.as_ref()
                    && Some(&artifact.url) == url.as_ref()
            };
            let found = self.structures.iter().position(same);
            known.push((key, found));
            found
        });
        found.ok_or_else(|| RunError::Internal("a result row of no measure of the run".into()))
    }

    pub(crate) fn row(&self, row: usize) -> ColumnRow<'_> {
        ColumnRow { columns: self, row }
    }
}

/// One row of a batch.
pub(crate) struct ColumnRow<'c> {
    columns: &'c Columns<'c>,
    row: usize,
}

impl RowView for ColumnRow<'_> {
    fn kind(&self) -> Result<RowKind, Foreign> {
        let foreign = Foreign("a result row of no population");
        let word = self.columns.kind.get(self.row).flatten().ok_or(foreign)?;
        let index = u32::try_from(self.columns.index.value(self.row));
        Ok(word.at(index.map_err(|_| foreign)?))
    }

    fn group(&self) -> usize {
        number(self.columns.group.value(self.row))
    }

    fn outcome(&self) -> Result<Truth, Foreign> {
        let found = self.columns.outcome.get(self.row).flatten();
        found.ok_or(Foreign("a result row without an outcome"))
    }

    fn count(&self) -> Option<i64> {
        let count = self.columns.count;
        count.is_valid(self.row).then(|| count.value(self.row))
    }

    fn stratifier(&self) -> Option<usize> {
        let stratifier = self.columns.stratifier;
        let valid = stratifier.is_valid(self.row);
        valid.then(|| number(stratifier.value(self.row)))
    }

    fn stratum(&self) -> Option<Arc<str>> {
        self.columns.stratum.text(self.row)
    }

    fn basis_id(&self) -> Option<&str> {
        let basis = self.columns.basis;
        basis.is_valid(self.row).then(|| basis.value(self.row))
    }

    fn value(&self) -> Option<Cow<'_, str>> {
        let value = self.columns.value;
        let valid = value.is_valid(self.row);
        valid.then(|| Cow::Borrowed(value.value(self.row)))
    }

    fn unit(&self) -> Option<Arc<str>> {
        self.columns.unit.text(self.row)
    }

    fn coding(&self) -> Option<Arc<str>> {
        self.columns.coding.text(self.row)
    }

    fn reason(&self) -> Option<Arc<str>> {
        self.columns.reason.text(self.row)
    }
}

fn named<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef, RunError> {
    let found = batch.column_by_name(name);
    found.ok_or_else(|| RunError::Internal(format!("result rows without the column `{name}`")))
}

fn column<'b, T: Array + 'static>(batch: &'b RecordBatch, name: &str) -> Result<&'b T, RunError> {
    let found = named(batch, name)?.as_any().downcast_ref::<T>();
    found.ok_or_else(|| RunError::Internal(format!("the column `{name}` is of another type")))
}

fn texts<'b>(batch: &'b RecordBatch, name: &str) -> Result<Texts<'b>, RunError> {
    let other = || RunError::Internal(format!("the column `{name}` is of another type"));
    let found = named(batch, name)?.as_dictionary_opt::<Int32Type>();
    let found = found.ok_or_else(other)?;
    Ok(Texts {
        keys: found.keys(),
        words: found.values().as_string_opt::<i32>().ok_or_else(other)?,
    })
}

fn words<'b, T>(
    batch: &'b RecordBatch,
    name: &str,
    meaning: impl Fn(&str) -> T,
) -> Result<Words<'b, T>, RunError> {
    let texts = texts(batch, name)?;
    let words = texts.words.iter().map(|w| meaning(w.unwrap_or("")));
    Ok(Words {
        keys: texts.keys,
        words: words.collect(),
    })
}
