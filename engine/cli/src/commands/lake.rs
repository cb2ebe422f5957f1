//! `tandem lake`

mod check;
mod files;
mod place;

use clap::{Args, Subcommand, ValueEnum};
use engine_patient::system::date_time::DateTime;
use engine_population::lake::{Lake as OpenLake, commit};

use crate::failure::{Done, Failure};
use crate::say::csv;
use crate::table::{self, bytes, thousands};
use place::Place;

/// Look at a lake, its snapshots, and remove what no snapshot needs.
#[derive(Args)]
pub struct Lake {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Tables, rows and sizes.
    #[command(after_help = "\
Examples:
  tandem lake info --lake lake
  tandem lake info --lake lake --snapshot 3 --format json")]
    Info {
        #[command(flatten)]
        place: Place,
        /// An older snapshot.
        #[arg(long)]
        snapshot: Option<u64>,
        /// How to print them.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    Files(files::Files),
    /// All snapshots, and keep one from being vacuumed.
    #[command(after_help = "\
Examples:
  tandem lake snapshots --lake lake
  tandem lake snapshots --lake lake --pin 3 --reason \"report of 2025\"
  tandem lake snapshots --lake lake --unpin 3")]
    Snapshots {
        #[command(flatten)]
        place: Place,
        /// Keep this snapshot.
        #[arg(long)]
        pin: Option<u64>,
        /// Why it is kept.
        #[arg(long, default_value = "", requires = "pin")]
        reason: String,
        /// Keep it no longer.
        #[arg(long)]
        unpin: Option<u64>,
        /// How to print them.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    Check(check::Check),
    /// Drop old snapshots and delete the files that only they need. The newest and the pinned stay.
    #[command(after_help = "\
It may run beside imports: their files and their scratch stay. What a killed import left goes: its scratch
(on this machine at once, on another machine ten minutes after it was last seen) and its files.
Examples:
  tandem lake vacuum --lake lake --keep 5 --dry-run
  tandem lake vacuum --lake lake --keep 5")]
    Vacuum {
        #[command(flatten)]
        place: Place,
        /// How many of the newest snapshots to keep.
        #[arg(long, default_value_t = 10)]
        keep: usize,
        /// Files that no snapshot lists are left alone if younger than this: an older version's import
        /// may be running.
        #[arg(long, default_value_t = 24)]
        min_age_hours: u32,
        /// Only say what would be deleted.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
}

impl Lake {
    pub fn run(self) -> Done {
        let runtime = super::runtime()?;
        match self.command {
            Command::Check(check) => return check.run(&runtime),
            Command::Files(files) => return files.run(&runtime),
            Command::Info {
                place,
                snapshot,
                format,
            } => {
                let folder = place.folder("lake info")?;
                let open = runtime.block_on(OpenLake::open(folder, snapshot))?;
                info(&open, format)?;
            }
            Command::Snapshots {
                place,
                pin,
                reason,
                unpin,
                format,
            } => {
                let folder = place.folder("lake snapshots")?;
                let open = runtime.block_on(OpenLake::open(folder, None))?;
                runtime.block_on(change_pins(&open, pin, &reason, unpin))?;
                runtime.block_on(snapshots(&open, format))?;
            }
            Command::Vacuum {
                place,
                keep,
                min_age_hours,
                dry_run,
            } => {
                let folder = place.folder("lake vacuum")?;
                let open = runtime.block_on(OpenLake::open(folder, None))?;
                if keep == 0 {
                    return Err(Failure::User(
                        "--keep 0: the newest snapshot always stays; give 1 or more".into(),
                    ));
                }
                super::vacuum::Vacuum {
                    folder,
                    lake: &open,
                    keep,
                    min_age_hours,
                    dry_run,
                }
                .run(&runtime)?;
            }
        }
        Ok(std::process::ExitCode::SUCCESS)
    }
}

fn time(ms: i64) -> String {
    DateTime::from_utc_millis(ms, 0).to_string()
}

fn info(lake: &OpenLake, format: Format) -> Result<(), Failure> {
    let snapshot = &lake.snapshot;
    let tables = snapshot.tables.iter().map(|(name, table)| {
        let files = table.files.len() as u64;
        (name, files, lake.rows(name), lake.bytes(name))
    });
    match format {
        Format::Table => {
            say!(
                "Snapshot {} of {}, {} buckets, by {} ({})",
                snapshot.number,
                time(snapshot.created_ms),
                snapshot.buckets,
                snapshot.engine,
                snapshot.operation
            );
            let row = |(name, files, rows, size): (&String, u64, u64, u64)| {
                vec![name.clone(), thousands(files), thousands(rows), bytes(size)]
            };
            let rows: Vec<Vec<String>> = tables.map(row).collect();
            table::print(&["table", "files", "rows", "size"], &rows);
        }
        Format::Json => {
            let tables = tables.map(|(name, files, rows, bytes)| {
                serde_json::json!({ "table": name, "files": files, "rows": rows, "bytes": bytes })
            });
            json(&serde_json::json!({
                "snapshot": snapshot.number,
                "time": time(snapshot.created_ms),
                "operation": snapshot.operation,
                "engine": snapshot.engine,
                "buckets": snapshot.buckets,
                "tables": tables.collect::<Vec<_>>(),
            }))?;
        }
        Format::Csv => {
            let rows = tables.map(|(name, files, rows, bytes)| {
                vec![
                    name.clone(),
                    files.to_string(),
                    rows.to_string(),
                    bytes.to_string(),
                ]
            });
            records(&["table", "files", "rows", "bytes"], rows)?;
        }
    }
    Ok(())
}

async fn change_pins(
    lake: &OpenLake,
    pin: Option<u64>,
    reason: &str,
    unpin: Option<u64>,
) -> Result<(), Failure> {
    let store = lake.store.as_ref();
    if let Some(number) = pin {
        commit::pin(store, number, reason).await?;
    }
    if let Some(number) = unpin {
        commit::unpin(store, number).await?;
    }
    Ok(())
}

async fn snapshots(lake: &OpenLake, format: Format) -> Result<(), Failure> {
    let store = lake.store.as_ref();
    let pins = commit::pins(store).await?;
    let all = commit::list(store).await?.into_iter();
    let all = all.map(|s| {
        let pinned = pins.get(&s.number).cloned();
        (s, pinned)
    });
    match format {
        Format::Table => {
            let rows = all.map(|(s, pinned)| {
                let pinned = pinned.map(|r| match r.is_empty() {
                    true => "pinned".into(),
                    false => format!("pinned: {r}"),
                });
                vec![
                    s.number.to_string(),
                    time(s.created_ms),
                    s.operation,
                    s.engine,
                    thousands(s.files),
                    bytes(s.bytes),
                    pinned.unwrap_or_default(),
                ]
            });
            let heading = ["snapshot", "time", "operation", "by", "files", "size", ""];
            table::print(&heading, &rows.collect::<Vec<_>>());
        }
        Format::Json => {
            let rows = all.map(|(s, pinned)| {
                serde_json::json!({
                    "snapshot": s.number,
                    "time": time(s.created_ms),
                    "operation": s.operation,
                    "engine": s.engine,
                    "files": s.files,
                    "bytes": s.bytes,
                    "pinned": pinned.is_some(),
                    "reason": pinned,
                })
            });
            json(&rows.collect::<serde_json::Value>())?;
        }
        Format::Csv => {
            let rows = all.map(|(s, pinned)| {
                vec![
                    s.number.to_string(),
                    time(s.created_ms),
                    s.operation,
                    s.engine,
                    s.files.to_string(),
                    s.bytes.to_string(),
                    pinned.is_some().to_string(),
                    pinned.unwrap_or_default(),
                ]
            });
            let heading = [
                "snapshot",
                "time",
                "operation",
                "engine",
                "files",
                "bytes",
                "pinned",
                "reason",
            ];
            records(&heading, rows)?;
        }
    }
    Ok(())
}

fn json(value: &serde_json::Value) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Failure::Internal(e.to_string()))?;
    data!("{text}");
    Ok(())
}

/// CSV, with numbers as they are.
fn records(heading: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<(), Failure> {
    let mut out = csv();
    out.write_record(heading)?;
    for row in rows {
        out.write_record(&row)?;
    }
    out.flush()
        .map_err(|e| Failure::Internal(format!("the output: {e}")))
}
