//! `tandem measure list`

use std::path::PathBuf;

use clap::Args;
use measures::package::called::best;
use measures_run::rule_files::load_rules;
use measures_run::select::sql_measures;

use super::super::verdict;
use super::tell;
use crate::failure::{Done, Failure};
use crate::format::{Format, TABLE_JSON_CSV, one_of};
use crate::listing::{Cell, Listing};
use crate::table;

/// The measures that a run of the same packages has, with their versions: those of packages, without
/// packages the built-in ones.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem measure list
  tandem measure list packages/ --built-in
  tandem measure list packages/ --measure CMS122")]
pub struct List {
    /// Packages: files or folders with FHIR Measure, Library and ValueSet resources.
    package: Vec<PathBuf>,
    /// Only these, by id, name, title or url, or by the beginning of one; may be given several times.
    #[arg(long)]
    measure: Vec<String>,
    /// The built-in measures beside those of packages.
    #[arg(long)]
    built_in: bool,
    /// How to print them.
    #[arg(long, value_parser = one_of(TABLE_JSON_CSV), default_value = "table")]
    format: Format,
}

impl List {
    pub fn run(self) -> Done {
        let mut rows: Vec<Vec<String>> = vec![];
        // What else each row is called.
        let mut names: Vec<Vec<String>> = vec![];
        let mut wrong = vec![];
        if !self.package.is_empty() {
            let loaded = measures::package::load(&self.package);
            for measure in &loaded.package.measures {
                let text = |t: &Option<String>| t.clone().unwrap_or_default();
                let own = measure.name.iter().chain(&measure.identifiers);
                names.push(own.cloned().collect());
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
        if self.package.is_empty() || self.built_in {
            for rule in load_rules(&[], &[], &mut tell)? {
                if !rule.is_measure() || !rule.is_live() {
                    continue;
                }
                let a = &rule.artifact;
                rows.push(row(a, "CEL"));
            }
            for measure in sql_measures()? {
                rows.push(row(&measure.artifact, "SQL"));
            }
        }
        let mut rows = self.asked(rows, &names)?;
        if self.format != Format::Table {
            let mut all = Listing::new(&["measure", "version", "language", "title", "url"]);
            for row in rows {
                all.push(row.into_iter().map(Cell::from).collect());
            }
            all.print_as(self.format, "measures")?;
            return verdict(wrong.iter().filter(|i| i.is_error()));
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

impl List {
    /// The rows that are asked for: of each word those that it fits best.
    fn asked(
        &self,
        rows: Vec<Vec<String>>,
        names: &[Vec<String>],
    ) -> Result<Vec<Vec<String>>, Failure> {
        if self.measure.is_empty() {
            return Ok(rows);
        }
        let fit = |(at, row): (usize, &Vec<String>), word: &str| {
            // Its id, title and url.
            let own = [0, 3, 4].into_iter().filter_map(|cell| row.get(cell));
            let others = names.get(at).into_iter().flatten();
            best(word, own.chain(others).map(String::as_str))
        };
        let mut wanted = vec![false; rows.len()];
        for asked in &self.measure {
            let (word, version) = match asked.split_once('|') {
                Some((word, version)) => (word, Some(version)),
                None => (asked.as_str(), None),
            };
            let of_version =
                |row: &Vec<String>| version.is_none_or(|v| row.get(1).is_some_and(|own| own == v));
            let all = rows.iter().enumerate();
            let fits = all.map(|(at, row)| fit((at, row), word).filter(|_| of_version(row)));
            let fits: Vec<_> = fits.collect();
            let Some(best) = fits.iter().flatten().min() else {
                return Err(Failure::User(format!(
                    "--measure {asked}: there is no such measure; without --measure all are listed"
                )));
            };
            for (wanted, fit) in wanted.iter_mut().zip(&fits) {
                *wanted |= fit.as_ref() == Some(best);
            }
        }
        let rows = rows.into_iter().zip(wanted);
        let rows = rows.filter(|(_, wanted)| *wanted);
        Ok(rows.map(|(row, _)| row).collect())
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
