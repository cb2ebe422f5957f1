//! `tandem lake check`

use engine_patient::plural::several;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use engine_population::lake::check::{CheckOptions, Checked, check};
use engine_population::lake::{Lake, LakeError};

use super::place::Place;
use crate::commands::{bar, threads};
use crate::failure::{Done, Failure};
use crate::format::{Format, TABLE_JSON_CSV, one_of};
use crate::listing::{Cell, Listing};
use crate::table::{bytes, thousands};

/// Check that a lake is whole: every byte, and every table against the others.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem lake check --lake lake
  tandem lake check --lake lake --snapshot 3 --format json
Looked at are the files of every table (there, as long, and byte for byte as written), that each resource is
readable and is what its columns say, that facts and patients say what the resources are, that one type and id
is one resource, that every code is known, and that the Delta logs list the same files. Nothing is changed.")]
pub struct Check {
    #[command(flatten)]
    place: Place,
    /// An older snapshot.
    #[arg(long)]
    snapshot: Option<u64>,
    /// How to print what was found.
    #[arg(long, value_parser = one_of(TABLE_JSON_CSV), default_value = "table")]
    format: Format,
    /// Where 24 bytes a resource are sorted. By default the system's folder for temporary files.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

/// So often another snapshot is taken where a vacuum was quicker.
const TRIES: u32 = 5;

impl Check {
    pub fn run(self, runtime: &tokio::runtime::Runtime) -> Done {
        let folder = self.place.folder("lake check")?;
        let mut tries = 0;
        let checked = loop {
            tries += 1;
            let done = self.once(folder, runtime);
            match done {
                // A vacuum was quicker: there is a newer snapshot.
                Err(LakeError::Vacuumed(_)) if self.snapshot.is_none() && tries < TRIES => {
                    note!(
                        "note: the snapshot was vacuumed while it was read; the newest one is checked"
                    );
                }
                done => break done?,
            }
        };
        match self.format {
            Format::Json => data!("{:#}", serde_json::json!(checked)),
            Format::Csv => csv(&checked)?,
            _ => text(&checked),
        }
        Ok(ExitCode::from(u8::from(!checked.findings.is_empty())))
    }

    fn once(&self, folder: &Path, runtime: &tokio::runtime::Runtime) -> Result<Checked, LakeError> {
        let lake = runtime.block_on(Lake::open(folder, self.snapshot))?;
        let tables = lake.snapshot.tables.keys();
        // Each file is read twice: for its hash, and for what is in it.
        let total: u64 = tables.map(|table| 2 * lake.bytes(table)).sum();
        let shown = bar(total, "{bar:30} {bytes}/{total_bytes} {eta}");
        let counted = shown.clone();
        let options = CheckOptions {
            threads: threads(),
            scratch: self.scratch.clone(),
        };
        let done = check(&lake, &options, Arc::new(move |read| counted.inc(read)));
        let checked = runtime.block_on(done);
        shown.finish_and_clear();
        checked
    }
}

/// A line a kind and example.
fn csv(checked: &Checked) -> Result<(), Failure> {
    let mut found = Listing::new(&["kind", "count", "example"]);
    for finding in &checked.findings {
        for example in &finding.examples {
            let kind = finding.kind.to_string();
            found.push(vec![
                kind.into(),
                Cell::Count(finding.count),
                example.as_str().into(),
            ]);
        }
    }
    for note in &checked.notes {
        note!("note: {note}");
    }
    found.csv()
}

fn text(checked: &Checked) {
    say!(
        "Snapshot {}: {}, {}, {}",
        checked.snapshot,
        several(checked.files, "file", "files"),
        several(checked.rows, "row", "rows"),
        bytes(checked.bytes)
    );
    for note in &checked.notes {
        say!("note: {note}");
    }
    if checked.findings.is_empty() {
        say!("The lake is whole.");
        return;
    }
    for finding in &checked.findings {
        say!("{}: {}", finding.kind, thousands(finding.count));
        for example in &finding.examples {
            say!("  {example}");
        }
        if finding.count > finding.examples.len() as u64 {
            say!("  …");
        }
    }
    say!(
        "The lake is damaged: restore the files from a backup, go back to a snapshot that is whole, or \
         import anew into an empty folder."
    );
}
