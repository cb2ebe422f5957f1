//! Gaps in care of a lake's patients, and DEQM documents of them.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "documents and lists are files"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use measures::gaps::{GapRow, MeasureGaps, gaps, gaps_bundle};
use measures::report::ReportContext;
use measures::structure::{MeasureStructure, file_name};
use measures::subject::Subject;
use serde_json::Value;

use crate::error::RunError;
use crate::gap_list::{NAME, each_gap, write_list};
use crate::job::{Folders, GapsTask, Listener};
use crate::ledger;
use crate::prepared_job::PreparedJob;
use crate::rows::read_rows;
use crate::select::unsettled;

/// Gaps in care: rows in a file, read when they are asked for.
pub struct GapsResult {
    /// As the measures of the result rows.
    pub structures: Vec<Arc<MeasureStructure>>,
    /// Documents that were written.
    pub documents: u64,
    /// Gaps that were written into the list of [`crate::gap_list`], where it was asked for.
    pub listed: Option<u64>,
    /// What is missing from the gaps; the last decides how the job ended.
    pub missing: Vec<RunError>,
    rows: Option<PathBuf>,
}

impl GapsResult {
    /// Visits the gaps of every status, by measure and patient. Measures of which it is not settled
    /// which way is better have none.
    pub fn each(&self, visit: &mut dyn FnMut(&MeasureStructure, GapRow)) -> Result<(), RunError> {
        each_gap(self.rows.as_deref(), &self.structures, visit)
    }
}

/// Patients whose results are in memory at once while documents are written.
const GATHERED: u64 = 50_000;

impl PreparedJob {
    pub(crate) async fn gaps(
        &self,
        task: &GapsTask,
        folders: Folders<'_>,
        listen: &mut Listener<'_>,
    ) -> Result<GapsResult, RunError> {
        let ran = self.evaluate(folders.scratch, listen).await?;
        let mut missing = self.missing(&ran.statistics);
        let open = &self.selected.unsettled;
        if missing.is_empty() && !open.is_empty() {
            missing.push(unsettled(open));
        }
        let mut result = GapsResult {
            structures: ran.structures,
            documents: 0,
            listed: None,
            missing,
            rows: ran.rows,
        };
        if task.documents {
            let documents = Documents {
                task,
                gaps: &result,
                report: ledger::report_context(self, None, &ran.statistics, &[]),
            };
            let passes = 1 + ran.statistics.evaluate.patients / GATHERED;
            let written = documents.write(passes, folders.results)?;
            result.documents = written;
        }
        if task.list {
            let out = BufWriter::new(File::create(folders.results.join(NAME))?);
            let (rows, structures) = (result.rows.as_deref(), &result.structures);
            let listed = write_list(self, rows, structures, task, out).await?;
            result.listed = Some(listed);
        }
        if task.documents || task.list {
            self.manifest.write(folders.results)?;
        }
        Ok(result)
    }
}

/// Documents of gaps.
struct Documents<'g> {
    task: &'g GapsTask,
    gaps: &'g GapsResult,
    report: ReportContext,
}

impl Documents<'_> {
    /// A document a patient. Rows stand by measure; patients are gathered from all of them, so many at
    /// a time.
    fn write(&self, passes: u64, folder: &Path) -> Result<u64, RunError> {
        let structures = &self.gaps.structures;
        let mut written = 0_u64;
        let mut names: BTreeSet<String> = BTreeSet::new();
        for pass in 0..passes {
            let mut of_patient: BTreeMap<String, Vec<Subject>> = BTreeMap::new();
            read_rows(self.gaps.rows.as_deref(), structures, &mut |subject| {
                let Some(structure) = structures.get(subject.measure) else {
                    return;
                };
                let turn = || {
                    let hash = measures::manifest::hash(subject.patient.as_bytes()).0;
                    hash % u128::from(passes) == u128::from(pass)
                };
                let mine = passes == 1 || turn();
                let wanted = |rows: Vec<GapRow>| rows.iter().any(|r| self.task.wants(r.status));
                if mine && structure.is_settled() && wanted(gaps(structure, subject)) {
                    let own = of_patient.entry(subject.patient.clone()).or_default();
                    own.push(subject.clone());
                }
            })?;
            for (patient, subjects) in of_patient {
                let Some(bundle) = self.document(&patient, &subjects) else {
                    continue;
                };
                let text = serde_json::to_string_pretty(&bundle)
                    .map_err(|e| RunError::Internal(e.to_string()))?;
                // Ids differ in case, and not all file systems tell that apart.
                let mut name = file_name("gaps-", &patient, ".json");
                if !names.insert(name.to_lowercase()) {
                    let hash = measures::manifest::hash(patient.as_bytes());
                    name = file_name("gaps-", &format!("{patient}-{hash}"), ".json");
                    names.insert(name.to_lowercase());
                }
                std::fs::write(folder.join(name), text + "\n")?;
                written += 1;
            }
        }
        Ok(written)
    }

    fn document(&self, patient: &str, subjects: &[Subject]) -> Option<Value> {
        let mut parts = vec![];
        for subject in subjects {
            let Some(structure) = self.gaps.structures.get(subject.measure) else {
                continue;
            };
            let mut rows = gaps(structure, subject);
            rows.retain(|row| self.task.wants(row.status));
            let evaluated = subject.evaluated.iter();
            let evaluated: Vec<_> = evaluated.map(|r| (r.clone(), vec![])).collect();
            parts.push((structure, subject, rows, evaluated));
        }
        let measures: Vec<MeasureGaps<'_>> = parts
            .iter()
            .map(|(structure, subject, rows, evaluated)| MeasureGaps {
                structure,
                subject,
                rows,
                evaluated,
            })
            .collect();
        gaps_bundle(patient, &measures, &[], &self.report)
    }
}
