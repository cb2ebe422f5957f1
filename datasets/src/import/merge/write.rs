//! From the scratch files to the lake: merge with what is there, write, commit.

use std::sync::Mutex;

use engine_population::lake::group_size;

use super::books::close_books;
use super::bucket::write_group;
use super::commit::commit;
use super::job::{Job, Tallies};
use super::moved::find_moved;
use super::written::Written;
use super::{codes_table, shared};
use crate::import::codes::CodeMap;
use crate::import::deletions::{Deletions, Outcome};
use crate::import::error::ImportError;
use crate::import::report::ImportReport;
use crate::import::scratch::stamp_text;

/// Merges what was read with the base and commits that. Fills the report as it is after that, so
/// that it is right also where the commit landed and its answer was lost.
pub fn write(job: &Job<'_>, codes: CodeMap, report: &mut ImportReport) -> Result<(), ImportError> {
    job.deletions.forget_outcomes();
    let group = group_of(job);
    let groups: Vec<Vec<u32>> = (0..job.buckets)
        .collect::<Vec<_>>()
        .chunks(group as usize)
        .map(<[u32]>::to_vec)
        .collect();
    job.progress.start_writing(u64::from(job.buckets));
    let stamp = stamp_text(job.scratch.stamp());

    let moved = find_moved(job)?;
    let moved = &moved;
    let queue = Mutex::new(groups.into_iter());
    let written = Mutex::new(Written::default());
    let threads = job.options.threads.max(1);
    let outcome: Result<(), ImportError> = std::thread::scope(|scope| {
        let run = || -> Result<(), ImportError> {
            loop {
                let next = queue.lock().map_err(|_| poisoned())?.next();
                let Some(group) = next else { return Ok(()) };
                let one = write_group(job, &group, &stamp, moved)?;
                let mut all = written.lock().map_err(|_| poisoned())?;
                all.add(one);
            }
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let mut outcome = Ok(());
        for thread in threads {
            let one = thread
                .join()
                .unwrap_or_else(|_| Err(ImportError::Bug("a worker failed while writing".into())));
            outcome = outcome.and(one);
        }
        outcome
    });
    outcome?;
    let mut written = written.into_inner().map_err(|_| poisoned())?;
    shared::write(job, &stamp, moved, &mut written)?;
    codes_table::write(job, codes, &stamp, &mut written)?;
    for (ty, tally) in &written.tallies {
        report.types.entry(ty.clone()).or_default().add(tally);
    }
    report.deletions_not_there = apply_outcomes(job.deletions, &mut report.types);
    close_books(job, &written, report)?;
    // Whoever took the scratch away may have taken some of it before it was read.
    if !job.scratch.is_ours() {
        return Err(ImportError::ScratchGone);
    }
    commit(job, group, written, report)
}

/// Counts what became of deletions; how many named what is not there.
fn apply_outcomes(deletions: &Deletions, types: &mut Tallies) -> u64 {
    let mut not_there = 0;
    for (ty, outcome) in deletions.outcomes() {
        let tally = types.entry(ty.to_owned()).or_default();
        match outcome {
            Outcome::Deleted => tally.deleted += 1,
            Outcome::Outdated => tally.outdated += 1,
            Outcome::NotThere => {
                tally.unchanged += 1;
                not_there += 1;
            }
        }
    }
    not_there
}

fn poisoned() -> ImportError {
    ImportError::Bug("a thread failed".into())
}

/// Buckets a `facts` file. Fixed when the lake is made.
fn group_of(job: &Job<'_>) -> u32 {
    let fixed = job
        .base
        .and_then(|b| b.summary.get("buckets_per_file")?.as_u64());
    let fixed = fixed.and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
    fixed.unwrap_or_else(|| group_size(job.patients, job.buckets))
}
