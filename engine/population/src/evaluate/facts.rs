//! From the selected pages of `facts` to what each bucket wants of `resources`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, Int16Array, Int32Array, Int64Array, RecordBatch};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use engine_patient::fhir::names::Name;
use futures::StreamExt;

use super::metrics::EvaluateMetrics;
use super::slice::Slice;
use super::subjects::Subjects;
use super::work::Work;
use crate::lake::paths::REFERENCE_KEY;
use crate::lake::reader::FactsKey;

/// A row of `resources` that a requirement asks for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct WantedRow {
    /// The patient, by number.
    pub(super) pat: u32,
    pub(super) rid: u32,
    /// What is read whatever is asked for has none: the Patient resource.
    pub(super) requirement: Option<usize>,
    /// It was at a time at which it counts as necessary.
    pub(super) within: bool,
}

/// The rows of `facts` of a bucket that some requirement asks for.
#[derive(Default, Debug)]
pub(super) struct BucketFacts {
    pub(super) wanted: Vec<WantedRow>,
    /// Which systems the patients' codes are of.
    pub(super) coded: BTreeSet<CodedIn>,
}

/// A patient has a code of a system: the patient's number, the element's place among
/// [`super::plan::Plan::asked_systems`], the system.
pub(super) type CodedIn = (u32, usize, Arc<str>);

impl BucketFacts {
    fn add(&mut self, row: WantedRow, requirements: &[usize], always: bool) {
        if always {
            self.wanted.push(row);
        }
        let of = |r: &usize| WantedRow {
            requirement: Some(*r),
            ..row
        };
        self.wanted.extend(requirements.iter().map(of));
    }
}

/// A date-time without an offset stands for any zone: `facts` has the first of these moments.
const ZONES_MS: i64 = 26 * 3_600_000;

/// Whether what began and ended then was within these moments. Of what began at no known time that is not
/// so.
fn is_within(start: Option<i64>, end: Option<i64>, (first, last): (i64, i64)) -> bool {
    start.is_some_and(|start| {
        let begun = start.saturating_add(ZONES_MS);
        start <= last && begun.max(end.unwrap_or(begun)) >= first
    })
}

/// Reads the partition's selected pages and keeps the rows that are asked for, by bucket. All
/// buckets of the partition's file are there, also those without a match: their patients count.
pub(super) async fn read_facts(
    facts: &Arc<dyn ExecutionPlan>,
    partition: usize,
    context: Arc<TaskContext>,
    work: &Work,
    metrics: &EvaluateMetrics,
) -> Result<BTreeMap<u32, BucketFacts>> {
    let timer = metrics.facts_time.timer();
    let mut stream = facts.execute(partition, context)?;
    let mut buckets = BTreeMap::<u32, BucketFacts>::new();
    let patient = Name::of("Patient").map(FactsKey::of_type);
    // Rows are sorted by type, path and key: what a run of them answers is looked up once.
    let mut run: Option<(i16, i16, i64)> = None;
    let mut answers: Vec<usize> = vec![];
    let mut is_patient = false;
    // The elements whose systems are asked for, and the system of the run's code.
    let mut coded: Vec<usize> = vec![];
    let mut system: Option<&Arc<str>> = None;
    let mut slice = Slice::begin();
    let asked = work.subjects.as_ref().map(Subjects::buckets);
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        let columns = FactsColumns::of(&batch)?;
        for row in 0..batch.num_rows() {
            let key = (
                columns.rtype.value(row),
                columns.path.value(row),
                columns.key.value(row),
            );
            if run != Some(key) {
                run = Some(key);
                let keys = work.plan.keys.iter().enumerate();
                answers.clear();
                answers.extend(
                    keys.filter(|(_, k)| k.matches(key.0, key.1, key.2))
                        .map(|(i, _)| i),
                );
                is_patient = patient
                    .as_ref()
                    .is_some_and(|p| p.matches(key.0, key.1, key.2));
                let asked = work.plan.asked_systems.iter().enumerate();
                let asked = asked.filter(|(_, (_, k))| k.matches(key.0, key.1, key.2));
                coded.clear();
                coded.extend(asked.map(|(i, _)| i));
                system = work.systems.of_key(key.2);
            }
            if answers.is_empty() && !is_patient && coded.is_empty() {
                continue;
            }
            let number = |v: i32| u32::try_from(v).unwrap_or(0);
            let bucket = number(columns.bucket.value(row));
            if asked.is_some_and(|asked| !asked.contains(&bucket)) {
                continue;
            }
            let bucket = buckets.entry(bucket).or_default();
            let (pat, rid) = (
                number(columns.pat.value(row)),
                number(columns.rid.value(row)),
            );
            for hits in answers.iter().filter_map(|a| metrics.hits.get(*a)) {
                hits.add(1);
            }
            let within = work.plan.within.is_none_or(|moments| {
                let (start, end) = columns.times(row);
                is_within(start, end, moments)
            });
            let wanted = WantedRow {
                pat,
                rid,
                requirement: None,
                within,
            };
            // A code in another resource: the record tells of which system it is, once that is read.
            let is_elsewhere = key.2 == REFERENCE_KEY && !coded.is_empty();
            bucket.add(wanted, &answers, is_patient || is_elsewhere);
            for element in &coded {
                if let Some(system) = system {
                    bucket.coded.insert((pat, *element, Arc::clone(system)));
                }
            }
        }
        slice.give_way().await;
    }
    timer.done();
    Ok(buckets)
}

struct FactsColumns<'b> {
    rtype: &'b Int16Array,
    path: &'b Int16Array,
    key: &'b Int64Array,
    bucket: &'b Int32Array,
    pat: &'b Int32Array,
    rid: &'b Int32Array,
    /// Where they are asked for.
    times: Option<(&'b Int64Array, &'b Int64Array)>,
}

impl<'b> FactsColumns<'b> {
    fn of(batch: &'b RecordBatch) -> Result<Self> {
        fn typed<T: Array + 'static>(batch: &RecordBatch, column: usize) -> Result<&T> {
            let found = batch
                .columns()
                .get(column)
                .and_then(|c| c.as_any().downcast_ref::<T>());
            found.ok_or_else(|| {
                DataFusionError::Internal("the table `facts` has other columns".into())
            })
        }
        Ok(FactsColumns {
            rtype: typed(batch, 0)?,
            path: typed(batch, 1)?,
            key: typed(batch, 2)?,
            bucket: typed(batch, 3)?,
            pat: typed(batch, 4)?,
            rid: typed(batch, 5)?,
            times: match batch.num_columns() {
                0..=6 => None,
                _ => Some((typed(batch, 6)?, typed(batch, 7)?)),
            },
        })
    }

    /// Start and end of a row.
    fn times(&self, row: usize) -> (Option<i64>, Option<i64>) {
        let of = |times: &Int64Array| times.is_valid(row).then(|| times.value(row));
        self.times
            .map_or((None, None), |(start, end)| (of(start), of(end)))
    }
}
