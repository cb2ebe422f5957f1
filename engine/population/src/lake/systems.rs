//! Which code systems a lake's data is coded in, by element: see [`engine_patient::systems`].
//!
//! Read from `facts`, which is sorted by type, path and code: of a page with one code only its bounds
//! are looked at, and pages of other elements are passed over. `codes` tells the systems.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array, Int16Array, Int64Array, RecordBatch};
use engine_patient::fhir::names::Name;
use engine_patient::record::PatientRecord;
use engine_patient::systems::{CodedElement, SystemsInUse, of_record};
use engine_patient::terminology::canonical_system;

use super::paths::{REFERENCE_KEY, path_id, type_id};
use super::reader::{
    FactsKey, metadata, read_columns, read_rows, read_shared, select_pages, strings,
};
use super::{Lake, LakeError, schema};

/// The code systems of a lake's elements, over all patients, and of its codes.
#[derive(Debug, Default)]
pub struct CodeSystems {
    /// By element; one that `facts` does not index is left out: it is not known. Codes behind references
    /// are those of the lake's medications.
    pub used: SystemsInUse,
    /// The system of each code that stands in `facts` for one of the elements, by its key, under its URL.
    of_key: HashMap<i64, Arc<str>>,
}

impl CodeSystems {
    /// The system of a code, by its key in `facts`.
    pub fn of_key(&self, key: i64) -> Option<&Arc<str>> {
        self.of_key.get(&key)
    }
}

/// The code systems of these elements, over all patients.
pub async fn systems_in_use(
    lake: &Lake,
    elements: &[CodedElement],
) -> Result<SystemsInUse, LakeError> {
    Ok(code_systems(lake, elements).await?.used)
}

/// The code systems of these elements, over all patients, and of each of their codes.
pub async fn code_systems(
    lake: &Lake,
    elements: &[CodedElement],
) -> Result<CodeSystems, LakeError> {
    let mut used = SystemsInUse::default();
    let mut wanted: BTreeMap<(i16, i16), CodedElement> = BTreeMap::new();
    for element in elements {
        if let Some(path) = path_id(element.0, element.1) {
            used.add(*element, []);
            wanted.insert((type_id(element.0), path), *element);
        }
    }
    if wanted.is_empty() {
        return Ok(CodeSystems {
            used,
            ..CodeSystems::default()
        });
    }
    let seen = keys(lake, &wanted).await?;
    let codes: BTreeSet<i64> = seen.iter().map(|(.., key)| *key).collect();
    let of_key = systems_of(lake, &codes).await?;
    for (rtype, path, key) in &seen {
        let Some(element) = wanted.get(&(*rtype, *path)) else {
            continue;
        };
        if *key == REFERENCE_KEY {
            referred(lake, *element, &mut used).await?;
        } else if let Some(system) = of_key.get(key) {
            used.add(*element, [&**system]);
        }
    }
    Ok(CodeSystems { used, of_key })
}

/// The distinct codes of each element.
async fn keys(
    lake: &Lake,
    wanted: &BTreeMap<(i16, i16), CodedElement>,
) -> Result<BTreeSet<(i16, i16, i64)>, LakeError> {
    let asked: Vec<FactsKey> = wanted
        .keys()
        .map(|(rtype, path)| FactsKey {
            rtype: *rtype,
            path: *path,
            keys: vec![],
        })
        .collect();
    let mut seen = BTreeSet::new();
    for file in lake.files(schema::FACTS) {
        let footer = metadata(&lake.store, schema::FACTS, file).await?;
        let selection = select_pages(footer.metadata(), |page| match page.map(|p| p.only()) {
            Some(Some(only)) => {
                if wanted.contains_key(&(only.0, only.1)) {
                    seen.insert(only);
                }
                false
            }
            _ => page.is_none_or(|page| asked.iter().any(|a| a.may_match(page))),
        })?;
        let columns = ["rtype", "path", "code_key"];
        let (store, rows) = (&lake.store, selection.rows);
        let mut last = None;
        read_rows(
            store,
            schema::FACTS,
            file,
            footer,
            rows,
            &columns,
            |batch| distinct(batch, wanted, &mut last, &mut seen),
        )
        .await?;
    }
    Ok(seen)
}

/// Adds the codes of a batch. Rows are sorted: a run of one code is looked up once.
fn distinct(
    batch: &RecordBatch,
    wanted: &BTreeMap<(i16, i16), CodedElement>,
    last: &mut Option<(i16, i16, i64)>,
    seen: &mut BTreeSet<(i16, i16, i64)>,
) -> Result<(), LakeError> {
    let (rtypes, paths) = (short(batch, 0)?, short(batch, 1)?);
    let keys = long(batch, 2)?;
    for row in 0..batch.num_rows() {
        let found = (rtypes.value(row), paths.value(row), keys.value(row));
        if *last != Some(found) {
            *last = Some(found);
            if wanted.contains_key(&(found.0, found.1)) {
                seen.insert(found);
            }
        }
    }
    Ok(())
}

fn short(batch: &RecordBatch, column: usize) -> Result<&Int16Array, LakeError> {
    typed(batch, column)
}

fn long(batch: &RecordBatch, column: usize) -> Result<&Int64Array, LakeError> {
    typed(batch, column)
}

fn typed<T: Array + 'static>(batch: &RecordBatch, column: usize) -> Result<&T, LakeError> {
    let found = batch.columns().get(column);
    let found = found.and_then(|c| c.as_any().downcast_ref::<T>());
    found.ok_or_else(|| LakeError::Data("a table of the lake has other columns".into()))
}

/// The system of each of these codes.
async fn systems_of(
    lake: &Lake,
    codes: &BTreeSet<i64>,
) -> Result<HashMap<i64, Arc<str>>, LakeError> {
    let mut systems = HashMap::new();
    // There are a few systems and many codes.
    let mut known = BTreeSet::<Arc<str>>::new();
    for file in lake.files(schema::CODES) {
        let wanted = ["code_key", "system"];
        for batch in read_columns(&lake.store, schema::CODES, file, &wanted).await? {
            let (keys, names) = (long(&batch, 0)?, strings(&batch, 1)?);
            for row in 0..batch.num_rows() {
                let key = keys.value(row);
                if codes.contains(&key) {
                    let system = canonical_system(names.value(row));
                    let system = match known.get(system) {
                        Some(same) => Arc::clone(same),
                        None => Arc::from(system),
                    };
                    known.insert(Arc::clone(&system));
                    systems.insert(key, system);
                }
            }
        }
    }
    Ok(systems)
}

/// Adds the systems of the medications that belong to no patient.
async fn referred(
    lake: &Lake,
    element: CodedElement,
    used: &mut SystemsInUse,
) -> Result<(), LakeError> {
    let Some(medication) = Name::of("Medication").filter(|_| element.1 == "medication") else {
        return Ok(());
    };
    let shared = read_shared(&lake.store, lake.files(schema::SHARED), &[medication]).await?;
    let mut record = PatientRecord::new();
    for text in shared.values() {
        record.clear();
        let damaged = |e| LakeError::Data(format!("a stored resource cannot be read: {e}"));
        record.push(text).map_err(damaged)?;
        let systems = of_record(&record, (medication, "code"));
        used.add(element, systems.iter().map(|s| &**s));
    }
    Ok(())
}
