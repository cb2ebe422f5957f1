//! `tandem lake files`

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use engine_patient::finding::did_you_mean;
use engine_population::lake::{DataFile, Lake};

use super::place::Place;
use crate::failure::{Done, Failure};
use crate::format::{Format, one_of};
use crate::listing::{Cell, Listing};

/// The files of a snapshot, for readers that know Parquet and not Delta.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem lake files --lake lake --table patients
  tandem lake files --lake lake --format csv > files.csv
  tandem lake files --lake lake --table resources --snapshot 3 --absolute -0 | xargs -0 ls -l
Beside the files of a snapshot stand those of older ones, until a vacuum: a reader that takes all of
lake/patients/*.parquet counts patients twice. These are the files that count, one path a line, ready for
read_parquet of Polars, DuckDB, Spark and others. Their paths begin as LAKE is given.
A row of patients with rid null is no patient but one whom others refer to.")]
pub struct Files {
    #[command(flatten)]
    place: Place,
    /// Of this table only: patients, resources, facts, shared, codes. May be given several times.
    #[arg(long, value_name = "TABLE")]
    table: Vec<String>,
    /// An older snapshot.
    #[arg(long)]
    snapshot: Option<u64>,
    /// How to print them; paths is one path a line.
    #[arg(long, value_parser = one_of(FORMATS), default_value = "paths")]
    format: Format,
    /// Paths from the root of the file system.
    #[arg(long)]
    absolute: bool,
    /// End each path with a zero byte, as `xargs -0` reads them, and not with a line.
    #[arg(short = '0', long)]
    null: bool,
}

const FORMATS: &[Format] = &[Format::Paths, Format::Table, Format::Json, Format::Csv];

impl Files {
    pub fn run(self, runtime: &tokio::runtime::Runtime) -> Done {
        let folder = self.place.folder("lake files")?;
        if self.null && self.format != Format::Paths {
            return Err(Failure::User(
                "-0 is for paths alone: leave --format out".into(),
            ));
        }
        let lake = runtime.block_on(Lake::open(folder, self.snapshot))?;
        let tables = chosen(&lake, &self.table)?;
        let folder = match self.absolute {
            true => folder.canonicalize().map_err(|e| {
                Failure::Internal(format!("{}: {e}; leave --absolute out", folder.display()))
            })?,
            false => folder.to_owned(),
        };
        let files = tables.iter().flat_map(|table| {
            let folder = folder.join(table);
            let files = lake.files(table).iter();
            files.map(move |file| (*table, folder.join(&file.path), file))
        });
        let files: Vec<_> = files.collect();
        match self.format {
            Format::Paths => paths(&files, self.null),
            Format::Json => data!(
                "{:#}",
                serde_json::json!({
                    "snapshot": lake.snapshot.number,
                    "files": listing(&files)?.json(),
                })
            ),
            Format::Csv => listing(&files)?.csv()?,
            _ => listing(&files)?.print(),
        }
        Ok(std::process::ExitCode::SUCCESS)
    }
}

/// The tables that are asked for, in the order of the lake; all where none is named.
fn chosen<'l>(lake: &'l Lake, named: &[String]) -> Result<Vec<&'l str>, Failure> {
    let known: Vec<&str> = lake.snapshot.tables.keys().map(String::as_str).collect();
    let wrong = |name: &&String| !known.contains(&name.as_str());
    let wrong: Vec<String> = named
        .iter()
        .filter(wrong)
        .map(|name| {
            let meant = did_you_mean(name, known.iter().copied());
            let meant = meant.map_or_else(String::new, |m| format!("; did you mean `{m}`?"));
            format!("--table {name}: the lake has no such table{meant}")
        })
        .collect();
    if !wrong.is_empty() {
        let (wrong, known) = (wrong.join("\n"), known.join(", "));
        return Err(Failure::User(format!(
            "{wrong}\nIts tables are {known}; flat views have no files, `tandem sql --format parquet` writes them"
        )));
    }
    let all = known.into_iter();
    let asked = |table: &&str| named.is_empty() || named.iter().any(|n| n == table);
    Ok(all.filter(asked).collect())
}

fn listing(files: &[(&str, PathBuf, &DataFile)]) -> Result<Listing, Failure> {
    let mut rows = Listing::new(&["table", "path", "rows", "bytes"]);
    for (table, path, file) in files {
        rows.push(vec![
            (*table).into(),
            text(path)?.into(),
            Cell::Count(file.rows),
            Cell::Bytes(file.size),
        ]);
    }
    Ok(rows)
}

/// Paths as they are, whatever bytes they have.
fn paths(files: &[(&str, PathBuf, &DataFile)], null: bool) {
    let end: &[u8] = if null { b"\0" } else { b"\n" };
    let mut all = vec![];
    for (_, path, _) in files {
        all.extend_from_slice(path.as_os_str().as_encoded_bytes());
        all.extend_from_slice(end);
    }
    // What cannot be written ends the command there.
    let _ = crate::say::Stdout.write_all(&all);
}

fn text(path: &Path) -> Result<&str, Failure> {
    path.to_str().ok_or_else(|| {
        let shown = path.display();
        Failure::User(format!(
            "{shown}: the path is no Unicode: use --format paths, or --lake with another path"
        ))
    })
}
