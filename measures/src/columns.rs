//! The columns of a batch of result rows.

use std::cell::RefCell;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use engine_patient::program::Truth;

use crate::MeasureError;
use crate::package::PopulationCode;
use crate::shape::MeasureShape;

/// What a row is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Population,
    Observation,
    Supplemental,
    Stratifier,
    Clauses,
    Evaluated,
}

fn kind(word: &str) -> Kind {
    match word {
        "supplemental-data" | "risk-adjustment" => Kind::Supplemental,
        "stratifier" => Kind::Stratifier,
        w if w == crate::official::CLAUSES => Kind::Clauses,
        w if w == crate::official::EVALUATED => Kind::Evaluated,
        w if w == PopulationCode::MeasureObservation.as_str() => Kind::Observation,
        _ => Kind::Population,
    }
}

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
    shapes: &'b [Arc<MeasureShape>],
    pub(crate) group: &'b Int32Array,
    kind: Words<'b, Kind>,
    pub(crate) index: &'b Int32Array,
    pub(crate) stratifier: &'b Int32Array,
    pub(crate) stratum: Texts<'b>,
    pub(crate) basis: &'b StringArray,
    outcome: Words<'b, Option<Truth>>,
    pub(crate) count: &'b Int64Array,
    pub(crate) value: &'b StringArray,
    pub(crate) unit: Texts<'b>,
    pub(crate) coding: Texts<'b>,
    pub(crate) reason: Texts<'b>,
}

impl<'b> Columns<'b> {
    pub(crate) fn of(
        batch: &'b RecordBatch,
        shapes: &'b [Arc<MeasureShape>],
    ) -> Result<Self, MeasureError> {
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
            shapes,
            group: column(batch, "group")?,
            kind: words(batch, "population", kind)?,
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

    pub(crate) fn measure(&self, row: usize) -> Result<usize, MeasureError> {
        let url = self.url.value(row);
        let key = (self.measure.value(row), self.version.value(row), url);
        let mut known = self.known.borrow_mut();
        let found = known.iter().find(|(k, _)| *k == key).map(|(_, m)| *m);
        let found = found.unwrap_or_else(|| {
            let (name, version) = (self.names.text(row), self.versions.text(row));
            let url = self.urls.text(row);
            // The id alone does not tell measures of several publishers apart.
            let same = |s: &Arc<MeasureShape>| {
                let artifact = &s.artifact;
                Some(&artifact.id) == name.as_ref()
                    && Some(&artifact.version) == version.as_ref()
                    && Some(&artifact.url) == url.as_ref()
            };
            let found = self.shapes.iter().position(same);
            known.push((key, found));
            found
        });
        found.ok_or_else(|| MeasureError::Internal("a result row of no measure of the run".into()))
    }

    pub(crate) fn kind(&self, row: usize) -> Result<Kind, MeasureError> {
        let found = self.kind.get(row);
        found.ok_or_else(|| MeasureError::Internal("a result row of no population".into()))
    }

    pub(crate) fn outcome(&self, row: usize) -> Result<Truth, MeasureError> {
        let found = self.outcome.get(row).flatten();
        found.ok_or_else(|| MeasureError::Internal("a result row without an outcome".into()))
    }
}

fn named<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef, MeasureError> {
    let found = batch.column_by_name(name);
    found.ok_or_else(|| MeasureError::Internal(format!("result rows without the column `{name}`")))
}

fn column<'b, T: Array + 'static>(
    batch: &'b RecordBatch,
    name: &str,
) -> Result<&'b T, MeasureError> {
    let found = named(batch, name)?.as_any().downcast_ref::<T>();
    found.ok_or_else(|| MeasureError::Internal(format!("the column `{name}` is of another type")))
}

fn texts<'b>(batch: &'b RecordBatch, name: &str) -> Result<Texts<'b>, MeasureError> {
    let other = || MeasureError::Internal(format!("the column `{name}` is of another type"));
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
) -> Result<Words<'b, T>, MeasureError> {
    let texts = texts(batch, name)?;
    let words = texts.words.iter().map(|w| meaning(w.unwrap_or("")));
    Ok(Words {
        keys: texts.keys,
        words: words.collect(),
    })
}
