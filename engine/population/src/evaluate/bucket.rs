//! One bucket: fetch the wanted resources, build each patient's record, run every program.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Int32Array};
use datafusion::error::{DataFusionError, Result};
use engine_patient::contained;
use engine_patient::program::{EvaluationResult, PatientProgram, Wanted};
use engine_patient::record::PatientRecord;

use super::facts::{BucketFacts, CodedIn, WantedRow};
use super::metrics::EvaluateMetrics;
use super::output::Output;
use super::slice::Slice;
use super::work::{Shared, Work};
use crate::lake::reader::{fetch_raw, metadata, read_columns};
use crate::lake::{LakeError, schema};
use crate::patient::push_shared;

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

/// Which artifacts a patient needs to be evaluated for: those of whose necessary requirements every
/// group has a match, or a member of which the patient's codes cannot tell.
fn undecided(work: &Work, matched: &[bool], coded: &[CodedIn]) -> Vec<bool> {
    let has = |r: &usize| matched.get(*r).copied().unwrap_or(false);
    let artifacts = work.plan.artifacts.iter();
    artifacts
        .map(|a| {
            let open = |r: &usize| {
                let mut by_systems = a.by_systems.iter().filter(|(of, _)| of == r);
                by_systems.any(|(_, element)| is_foreign(work, *r, *element, coded))
            };
            let mut groups = a.necessary.iter();
            groups.all(|group| group.iter().any(|r| has(r) || open(r)))
        })
        .collect()
}

/// Whether a patient has codes of an element, and none of a system that a requirement's set has.
fn is_foreign(work: &Work, requirement: usize, element: usize, coded: &[CodedIn]) -> bool {
    let requirement = work.plan.requirements.get(requirement);
    let Some(codes) = requirement.and_then(|r| r.codes.as_ref()) else {
        return false;
    };
    let wanted = codes.value_set.systems();
    let mut own = coded.iter().filter(|(_, of, _)| *of == element).peekable();
    own.peek().is_some() && own.all(|(.., system)| !wanted.contains(system))
}

/// Those of one patient, of a sorted list.
fn of_patient(coded: &[CodedIn], pat: usize) -> &[CodedIn] {
    let first = coded.partition_point(|(of, ..)| (*of as usize) < pat);
    let rest = coded.get(first..).unwrap_or_default();
    let count = rest.partition_point(|(of, ..)| *of as usize == pat);
    rest.get(..count).unwrap_or_default()
}

/// What a patient of a bucket needs.
struct Needed {
    /// Per artifact; empty where the patient is not in the lake.
    undecided: Vec<bool>,
    /// Rows of `resources`, ascending.
    rids: Vec<u32>,
}

/// Per patient: which requirements match, which artifacts remain, which rows those need.
fn plan_patients(
    work: &Work,
    patients: &[(String, bool)],
    mut wanted: Vec<WantedRow>,
    coded: &[CodedIn],
) -> Vec<Needed> {
    wanted.sort_unstable();
    let mut out = Vec::with_capacity(patients.len());
    let mut at = 0;
    let requirements = work.plan.requirements.len();
    let (mut matched, mut needed) = (vec![false; requirements], vec![false; requirements]);
    for (pat, (_, known)) in patients.iter().enumerate() {
        let rest = wanted.get(at..).unwrap_or_default();
        let count = rest.partition_point(|row| row.pat as usize <= pat);
        let own = rest.get(..count).unwrap_or_default();
        at += count;
        // Resources of a patient that is not in the lake are counted by `import`, not evaluated.
        if !*known {
            out.push(Needed {
                undecided: vec![],
                rids: vec![],
            });
            continue;
        }
        matched.fill(false);
        for row in own.iter().filter(|row| row.within) {
            if let Some(slot) = row.requirement.and_then(|r| matched.get_mut(r)) {
                *slot = true;
            }
        }
        let undecided = undecided(work, &matched, of_patient(coded, pat));
        let mut rids: Vec<u32> = vec![];
        if undecided.contains(&true) {
            needed.fill(false);
            let artifacts = work.plan.artifacts.iter().zip(&undecided);
            for (artifact, _) in artifacts.filter(|(_, u)| **u) {
                for r in &artifact.requirements {
                    if let Some(slot) = needed.get_mut(*r) {
                        *slot = true;
                    }
                }
            }
            let asked =
                |r: &Option<usize>| r.is_none_or(|r| needed.get(r).copied().unwrap_or(false));
            let own = own.iter().filter(|row| asked(&row.requirement));
            rids.extend(own.map(|row| row.rid));
            rids.sort_unstable();
            rids.dedup();
        }
        out.push(Needed { undecided, rids });
    }
    out
}

/// Evaluates the patients of a bucket; `false` where nobody takes the rows any more.
pub(super) async fn evaluate_bucket(
    work: &Work,
    bucket: u32,
    facts: BucketFacts,
    metrics: &EvaluateMetrics,
    out: &mut Output,
) -> Result<bool> {
    let mut patients = patients(work, bucket).await?;
    if let Some(subjects) = &work.subjects {
        for (id, known) in &mut patients {
            *known = *known && subjects.has(id);
        }
    }
    let coded: Vec<CodedIn> = facts.coded.into_iter().collect();
    let needed = plan_patients(work, &patients, facts.wanted, &coded);
    let mut rids: Vec<u32> = needed.iter().flat_map(|n| n.rids.iter().copied()).collect();
    rids.sort_unstable();
    rids.dedup();
    let resources = fetch(work, bucket, &rids, metrics).await?;
    let shared = work.shared(metrics).await?;

    let mut record = PatientRecord::new();
    let mut evaluation = EvaluationResult::default();
    let mut slice = Slice::begin();
    for (pat, ((id, known), needed)) in patients.iter().zip(&needed).enumerate() {
        if !*known {
            continue;
        }
        metrics.patients.add(1);
        if needed.undecided.contains(&true) {
            let timer = metrics.parse_time.timer();
            read_record(&mut record, &rids, needed, &resources, shared)?;
            for (_, element, system) in of_patient(&coded, pat) {
                if let Some((element, _)) = work.plan.asked_systems.get(*element) {
                    record.tell_systems(*element, [Arc::clone(system)]);
                }
            }
            metrics.resources.add(record.len());
            timer.done();
        }
        let mut first = 0;
        for program in &work.programs {
            let artifacts = program.artifacts();
            let undecided = needed.undecided.get(first..first + artifacts.len());
            let timer = metrics.evaluate_time.timer();
            let undecided = undecided.unwrap_or_default();
            let wanted = (first, undecided);
            let program = program.as_ref();
            evaluate(work, program, &record, wanted, metrics, &mut evaluation)?;
            out.notes.merge(&evaluation.notes);
            for row in &evaluation.rows {
                if let Some(artifact) = artifacts.get(usize::from(row.artifact)) {
                    out.push(id, artifact, row);
                }
            }
            first += artifacts.len();
            timer.done();
            if !out.send_full(metrics).await? {
                return Ok(false);
            }
            slice.give_way().await;
        }
    }
    out.send(metrics).await
}

/// Evaluates a program for a patient. `first`: the number of its first artifact among those of all
/// programs; `undecided`: those that have to be evaluated.
fn evaluate(
    work: &Work,
    program: &dyn PatientProgram,
    record: &PatientRecord,
    (first, undecided): (usize, &[bool]),
    metrics: &EvaluateMetrics,
    out: &mut EvaluationResult,
) -> Result<()> {
    out.clear();
    let given_up = |artifact: usize| work.given_up.why(first + artifact);
    let all = undecided.iter().enumerate();
    let artifacts: Vec<bool> = all
        .clone()
        .map(|(artifact, u)| *u && given_up(artifact).is_none())
        .collect();
    let wanted = Wanted {
        context: &work.context,
        artifacts: &artifacts,
        rows: work.rows,
    };
    if artifacts.contains(&true)
        && let Err(error) = program.evaluate(record, &wanted, out)
    {
        // One patient must not end the run of all others: their rows say that it is not known.
        metrics.failed.add(1);
        out.rows.clear();
        let reason = format!("the evaluation failed: {error}").into();
        for (index, _) in artifacts.iter().enumerate().filter(|(_, w)| **w) {
            program.failed(index, &reason, &mut out.rows);
        }
    }
    let mut over = false;
    for used in &out.used {
        metrics.spend(first + used.artifact, *used);
        over |= work.budgets.add(first, *used);
    }
    if over {
        return Err(DataFusionError::External(Box::new(BudgetExceeded)));
    }
    for (artifact, undecided) in all {
        metrics.skipped.add(usize::from(!undecided));
        match given_up(artifact) {
            Some(why) => program.failed(artifact, why, &mut out.rows),
            None if !undecided => program.absent(artifact, work.rows, &mut out.rows),
            None => {}
        }
    }
    Ok(())
}

/// A pass that is to begin anew, see [`super::budget`].
#[derive(Debug)]
struct BudgetExceeded;

impl std::fmt::Display for BudgetExceeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a definition used up what a run may spend on it")
    }
}

impl std::error::Error for BudgetExceeded {}

/// The record of a patient: the wanted resources, and those without a patient that they refer to or
/// contain.
fn read_record(
    record: &mut PatientRecord,
    rids: &[u32],
    needed: &Needed,
    resources: &Fetched,
    shared: &Shared,
) -> Result<()> {
    let damaged = |e| DataFusionError::Internal(format!("a stored resource cannot be read: {e}"));
    record.clear();
    for rid in &needed.rids {
        if let Some(text) = resources.get(rids, *rid) {
            contained::push(record, text, &shared.types).map_err(damaged)?;
        }
    }
    if !shared.resources.is_empty() {
        push_shared(record, &shared.types, &shared.resources).map_err(damaged)?;
    }
    record.seal();
    Ok(())
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
