//! One bucket: fetch the wanted resources, build each patient's record, run every program.

use arrow::array::{Array, AsArray, Int32Array, RecordBatch};
use datafusion::error::{DataFusionError, Result};
use engine_patient::program::{ResultRow, Truth};
use engine_patient::record::PatientRecord;
use engine_patient::requirements::medications_referred_to;
use engine_patient::value::Value;

use super::exec::{EvaluateMetrics, Work};
use super::rows::RowsBuilder;
use crate::lake::reader::{fetch_raw, metadata, read_columns};
use crate::lake::{LakeError, schema};

/// The rows of `facts` of a bucket that some requirement asks for.
#[derive(Default, Debug)]
pub(super) struct BucketFacts {
    /// Patient, row of `resources`, requirement; the Patient resource has none.
    wanted: Vec<(u32, u32, Option<usize>)>,
}

impl BucketFacts {
    pub(super) fn add(&mut self, pat: u32, rid: u32, requirements: &[usize], is_patient: bool) {
        if is_patient {
            self.wanted.push((pat, rid, None));
        }
        self.wanted
            .extend(requirements.iter().map(|r| (pat, rid, Some(*r))));
    }
}

/// Result rows of a batch.
const BATCH: usize = 8192;

fn external(e: LakeError) -> DataFusionError {
    DataFusionError::External(Box::new(e))
}

/// Patients of a bucket by number: id, and whether their Patient resource is here.
async fn patients(work: &Work, bucket: u32) -> Result<Vec<(String, bool)>> {
    let Some(file) = work.lake.file_of(schema::PATIENTS, bucket) else {
        return Ok(vec![]);
    };
    let wanted = ["bucket", "pat", "patient_id", "rid"];
    let mut out = vec![];
    for batch in read_columns(&work.lake.store, schema::PATIENTS, file, &wanted)
        .await
        .map_err(external)?
    {
        let bug = || DataFusionError::Internal("the table `patients` has other columns".into());
        let int = |name: &str| {
            batch
                .column_by_name(name)
                .and_then(|c| c.as_any().downcast_ref::<Int32Array>())
                .ok_or_else(bug)
        };
        let (buckets, rids) = (int("bucket")?, int("rid")?);
        let ids = batch
            .column_by_name("patient_id")
            .and_then(|c| c.as_string_opt::<i32>())
            .ok_or_else(bug)?;
        for row in 0..batch.num_rows() {
            if u32::try_from(buckets.value(row)) == Ok(bucket) {
                out.push((ids.value(row).to_owned(), rids.is_valid(row)));
            }
        }
    }
    Ok(out)
}

/// Which programs a patient needs to be evaluated for: all those whose decisive requirements have a
/// match.
fn undecided(work: &Work, matched: &[bool]) -> Vec<bool> {
    let has = |r: &usize| matched.get(*r).copied().unwrap_or(false);
    work.plan
        .decisive
        .iter()
        .map(|decisive| decisive.iter().all(has))
        .collect()
}

pub(super) async fn evaluate_bucket(
    work: &Work,
    bucket: u32,
    facts: BucketFacts,
    metrics: &EvaluateMetrics,
    rows: &mut RowsBuilder,
) -> Result<Vec<RecordBatch>> {
    let patients = patients(work, bucket).await?;
    let mut wanted = facts.wanted;
    wanted.sort_unstable();

    // Per patient: which requirements match, which programs remain, which rows those need.
    let mut rids: Vec<u32> = vec![];
    let mut remaining: Vec<Vec<bool>> = Vec::with_capacity(patients.len());
    let mut at = 0;
    for (pat, (_, known)) in patients.iter().enumerate() {
        let rest = wanted.get(at..).unwrap_or_default();
        let count = rest.partition_point(|(p, _, _)| *p as usize <= pat);
        let own = rest.get(..count).unwrap_or_default();
        at += count;
        if !*known {
            remaining.push(vec![]);
            continue;
        }
        let mut matched = vec![false; work.plan.requirements.len()];
        for (_, _, requirement) in own {
            if let Some(slot) = requirement.and_then(|r| matched.get_mut(r)) {
                *slot = true;
            }
        }
        let undecided = undecided(work, &matched);
        let mut needed = vec![false; work.plan.requirements.len()];
        for (own, _) in work
            .plan
            .of_program
            .iter()
            .zip(&undecided)
            .filter(|(_, u)| **u)
        {
            for r in own {
                if let Some(slot) = needed.get_mut(*r) {
                    *slot = true;
                }
            }
        }
        if undecided.contains(&true) {
            let asked =
                |r: &Option<usize>| r.is_none_or(|r| needed.get(r).copied().unwrap_or(false));
            rids.extend(
                own.iter()
                    .filter(|(_, _, r)| asked(r))
                    .map(|(_, rid, _)| *rid),
            );
        }
        remaining.push(undecided);
    }
    rids.sort_unstable();
    rids.dedup();
    let resources = fetch(work, bucket, &rids, metrics).await?;
    let medications = work.medications().await?;

    let mut out = vec![];
    let mut record = PatientRecord::new();
    let mut results = vec![];
    let mut next = 0;
    for (pat, ((id, known), undecided)) in patients.iter().zip(&remaining).enumerate() {
        let rest = wanted.get(next..).unwrap_or_default();
        let count = rest.partition_point(|(p, _, _)| *p as usize <= pat);
        let own = rest.get(..count).unwrap_or_default();
        next += count;
        // Resources of a patient that is not in the lake are counted by `import`, not evaluated.
        if !*known {
            continue;
        }
        metrics.patients.add(1);
        if undecided.contains(&true) {
            let timer = metrics.parse_time.timer();
            record.clear();
            let mut last = None;
            let mut own: Vec<u32> = own.iter().map(|(_, rid, _)| *rid).collect();
            own.sort_unstable();
            let damaged =
                |e| DataFusionError::Internal(format!("a stored resource cannot be read: {e}"));
            for rid in own {
                if last == Some(rid) {
                    continue;
                }
                last = Some(rid);
                let Some(text) = resources.get(&rids, rid) else {
                    continue;
                };
                record.push(text).map_err(damaged)?;
            }
            if !medications.is_empty() {
                for id in medications_referred_to(&record) {
                    let Some(text) = medications.get(&id) else {
                        continue;
                    };
                    record.push(text).map_err(damaged)?;
                }
            }
            record.seal();
            metrics.resources.add(record.len());
            timer.done();
        }
        let timer = metrics.evaluate_time.timer();
        for (program, undecided) in work.programs.iter().zip(undecided) {
            results.clear();
            if *undecided {
                if let Err(error) = program.evaluate(&record, &work.context, &mut results) {
                    metrics.failed.add(1);
                    return Err(DataFusionError::Execution(format!(
                        "{}: {error}",
                        program.artifact().id
                    )));
                }
            } else {
                metrics.skipped.add(1);
                results.extend(
                    program
                        .populations()
                        .iter()
                        .map(|population| all_false(population)),
                );
            }
            for row in &results {
                rows.push(id, program.artifact(), row);
            }
        }
        timer.done();
        if rows.len >= BATCH {
            out.push(rows.finish()?);
            tokio::task::yield_now().await;
        }
    }
    if rows.len > 0 {
        out.push(rows.finish()?);
    }
    Ok(out)
}

fn all_false(population: &'static str) -> ResultRow {
    ResultRow {
        group: 0,
        population,
        basis_id: None,
        outcome: Truth::False,
        value: Value::Null,
        unknown_reason: None,
    }
}

/// The JSON of the wanted rows, in one buffer.
#[derive(Default)]
struct Fetched {
    text: String,
    ends: Vec<usize>,
}

impl Fetched {
    fn get(&self, rids: &[u32], rid: u32) -> Option<&str> {
        let at = rids.binary_search(&rid).ok()?;
        let start = at
            .checked_sub(1)
            .map_or(Some(0), |b| self.ends.get(b).copied())?;
        self.text.get(start..*self.ends.get(at)?)
    }
}

async fn fetch(
    work: &Work,
    bucket: u32,
    rids: &[u32],
    metrics: &EvaluateMetrics,
) -> Result<Fetched> {
    let mut out = Fetched::default();
    let Some(file) = work.lake.file_of(schema::RESOURCES, bucket) else {
        return Ok(out);
    };
    let timer = metrics.fetch_time.timer();
    let footer = metadata(&work.lake.store, schema::RESOURCES, file)
        .await
        .map_err(external)?;
    let fetched = fetch_raw(
        &work.lake.store,
        schema::RESOURCES,
        file,
        footer,
        rids,
        |_, text| {
            out.text.push_str(text);
            out.ends.push(out.text.len());
        },
    );
    let fetched = fetched.await.map_err(external)?;
    metrics.pages.add(fetched.pages);
    metrics.pages_total.add(fetched.pages_total);
    metrics
        .bytes
        .add(usize::try_from(fetched.bytes).unwrap_or(usize::MAX));
    timer.done();
    Ok(out)
}
