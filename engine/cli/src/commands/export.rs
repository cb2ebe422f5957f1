//! `tandem export`

use std::path::PathBuf;

use clap::Args;
use datasets::export::export;
use engine_population::lake::Lake;

use crate::failure::Done;
use crate::format::{Format, TABLE_JSON_CSV, one_of};
use crate::listing::{Cell, Listing};
use crate::staged::Staged;

/// Write the resources of a lake back as NDJSON, as they came.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem export --lake lake --out ndjson
  tandem export --lake lake --snapshot 3 --out as-of-snapshot-3
  tandem export --lake lake --resolved --out resolved   as evaluated: references within Bundles as Type/id")]
pub struct Export {
    /// Folder of the lake.
    #[arg(long)]
    lake: PathBuf,
    /// Folder to write the files to, as in Patient.ndjson: not there yet, or empty. It is there once all is written.
    #[arg(long)]
    out: PathBuf,
    /// An older snapshot.
    #[arg(long)]
    snapshot: Option<u64>,
    /// As they are evaluated: references resolved, and an id where one was given at import.
    #[arg(long)]
    resolved: bool,
    /// How to print what was written.
    #[arg(long, value_parser = one_of(TABLE_JSON_CSV), default_value = "table")]
    format: Format,
}

impl Export {
    pub fn run(self) -> Done {
        let staged = Staged::begin("--out", "export", &self.out)?;
        let runtime = super::runtime()?;
        let lake = runtime.block_on(Lake::open(&self.lake, self.snapshot))?;
        let total = lake.rows("resources") + lake.rows("shared");
        let bar = super::bar(
            total,
            "{bar:30} {human_pos} of {human_len} resources, {eta} left",
        );
        let told = |done| bar.set_position(done);
        let exported = runtime.block_on(export(&lake, staged.folder(), self.resolved, &told));
        bar.finish_and_clear();
        let exported = exported?;
        staged.commit()?;
        let mut rows = Listing::new(&["resource type", "written"]);
        for (ty, n) in &exported {
            rows.push(vec![ty.as_str().into(), Cell::Count(*n)]);
        }
        rows.print_as(self.format, "resourceTypes")?;
        Ok(std::process::ExitCode::SUCCESS)
    }
}
