//! Results of measures, and their files.

use std::path::Path;

use engine_population::session::{register_tables, session};

use crate::attribution::attribute;
use crate::count_files::write_counts;
use crate::error::RunError;
use crate::job::{Listener, RunTask};
use crate::ledger;
use crate::prepared_job::PreparedJob;
use crate::report_files::{subjects_csv, write_reports};
use crate::run_result::RunResult;

impl PreparedJob {
    /// Runs all measures, and writes what the task says.
    pub(crate) async fn results(
        &self,
        task: &RunTask,
        folder: &Path,
        listen: &mut Listener<'_>,
    ) -> Result<RunResult, RunError> {
        let ran = self.evaluate(folder, listen).await?;
        let mut results = ran.results;
        let (mut unusable, mut missing) = (vec![], vec![]);
        if !self.selected.queries.is_empty() {
            let session = session(&self.lake, self.job.threads)?;
            let notes = register_tables(&session, &self.lake)?;
            for query in &self.selected.queries {
                // One that fails does not take the others along.
                match query.run(&session, self.job.period).await {
                    Ok(result) => results.push(result),
                    Err(error) => missing.push(error),
                }
            }
            unusable = notes.list();
        }
        missing.extend(self.missing(&ran.statistics));
        let manifest = task.manifest.then_some(&self.manifest);
        let mut result = RunResult {
            report: ledger::report_context(self, manifest, &ran.statistics, &unusable),
            results,
            statistics: ran.statistics,
            structures: ran.structures,
            unusable,
            missing,
            rows: ran.rows,
            reports: vec![],
            attributed: None,
        };
        if task.files.reports {
            result.reports = write_reports(task.report, &result, folder)?;
        }
        if let Some(by) = task.by {
            let (threads, rows) = (self.job.threads, result.rows.as_deref());
            let attributed = attribute(by, &self.lake, threads, rows, &result.structures);
            result.attributed = Some(attributed.await?);
        }
        if task.files.tables {
            write_counts(&result.results, folder)?;
            if !self.selected.programs.is_empty() {
                subjects_csv(&result, &folder.join("subjects.csv"))?;
            }
            if let Some(attributed) = &result.attributed {
                let name = format!("by-{}.csv", attributed.by.as_str());
                let mut out = csv::Writer::from_path(folder.join(name))?;
                attributed.csv(&mut out)?;
                out.flush()?;
            }
        }
        if task.files.list {
            self.manifest.write(folder)?;
        }
        Ok(result)
    }
}
