//! Results of measures, and their files.

use std::path::Path;

use engine_population::session::{register_tables, session};

use crate::attribution::{attribute, listed};
use crate::count_files::write_counts;
use crate::error::RunError;
use crate::findings_file;
use crate::job::{Listener, RunTask};
use crate::ledger;
use crate::people::People;
use crate::prepared_job::PreparedJob;
use crate::report_files::{subjects_csv, write_attributed, write_file, write_reports};
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
        let packages = self.selected.packages.as_ref();
        let asked = packages.iter().flat_map(|p| &p.built.asked);
        let names = asked.map(|(canonical, a)| (canonical.to_string(), a.usage.name.to_string()));
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
            findings: packages.map(|p| p.findings.clone()).unwrap_or_default(),
            value_set_names: names.collect(),
        };
        let list = task.files.tables && !self.selected.programs.is_empty();
        let people = match task.by.is_some() || list {
            true => {
                let patients = listed(result.rows.as_deref(), &result.structures)?;
                Some(People::attributed(self, patients, task.by, list).await?)
            }
            false => None,
        };
        if let (Some(by), Some(people)) = (task.by, &people) {
            let of = (&people.assigned, &*people.patients);
            let rows = result.rows.as_deref();
            let attributed = attribute(by, of, rows, &result.structures)?;
            attributed.record(&mut result.report.ledger);
            result.attributed = Some(attributed);
        }
        if task.files.reports {
            result.reports = write_reports(task.report, &result, folder)?;
        }
        if task.files.tables {
            write_counts(&result.results, folder)?;
            if let Some(people) = people.filter(|_| list) {
                subjects_csv(&people, &result, &folder.join("subjects.csv"))?;
            }
        }
        if let Some(attributed) = &result.attributed {
            let names = write_attributed(attributed, &result, task.files, folder)?;
            result.reports.extend(names);
        }
        if task.files.list {
            let bytes = findings_file::bytes(packages, &result.report.ledger);
            write_file(&folder.join(findings_file::FINDINGS), &bytes)?;
            self.manifest.write(folder)?;
        }
        Ok(result)
    }
}
