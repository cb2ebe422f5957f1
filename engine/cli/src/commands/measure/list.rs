//! `tandem measure list`

use std::path::PathBuf;

use clap::Args;
use measures_run::rule_files::load_rules;
use measures_run::select::sql_measures;

use super::super::verdict;
use super::tell;
use crate::failure::Done;
use crate::table;

/// The measures that are known, with their versions.
#[derive(Args)]
#[command(after_help = "Examples:\n  tandem measure list\n  tandem measure list packages/")]
pub struct List {
    /// Packages: files or folders with FHIR Measure, Library and ValueSet resources.
    package: Vec<PathBuf>,
}

impl List {
    pub fn run(self) -> Done {
        let mut rows = vec![];
        let mut wrong = vec![];
        if !self.package.is_empty() {
            let loaded = measures::package::load(&self.package);
            for measure in &loaded.package.measures {
                let text = |t: &Option<String>| t.clone().unwrap_or_default();
                rows.push(vec![
                    measure.id.clone().unwrap_or_else(|| measure.label().into()),
                    text(&measure.version),
                    "ELM".into(),
                    text(&measure.title),
                    text(&measure.url),
                ]);
            }
            wrong = loaded.issues;
            for issue in wrong.iter().filter(|i| i.is_error()) {
                note!("{issue}");
            }
        }
        for rule in load_rules(&[], &[], &mut tell)? {
            let a = &rule.artifact;
            rows.push(row(a, "CEL"));
        }
        for measure in sql_measures()? {
            rows.push(row(&measure.artifact, "SQL"));
        }
        // The url where the name is not enough.
        let of_name = |name: &String| rows.iter().filter(|row| row.first() == Some(name)).count();
        let repeated: Vec<bool> = rows
            .iter()
            .map(|row| row.first().is_some_and(|name| of_name(name) > 1))
            .collect();
        let mut heading = vec!["measure", "version", "language", "title", "url"];
        let any = repeated.contains(&true);
        for (row, repeated) in rows.iter_mut().zip(repeated) {
            if !repeated {
                row.pop();
            }
        }
        if !any {
            heading.pop();
        }
        table::print(&heading, &rows);
        verdict(wrong.iter().filter(|i| i.is_error()))
    }
}

fn row(artifact: &engine_patient::program::Artifact, language: &str) -> Vec<String> {
    vec![
        artifact.id.to_string(),
        artifact.version.to_string(),
        language.into(),
        artifact.title.to_string(),
        artifact.url.to_string(),
    ]
}
