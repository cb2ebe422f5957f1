//! `tandem lake`

mod check;
mod files;
mod place;

use clap::{Args, Subcommand};
use engine_patient::system::date_time::DateTime;
use engine_population::lake::{Lake as OpenLake, commit};

use crate::failure::{Done, Failure};
use crate::format::{Format, TABLE_JSON, TABLE_JSON_CSV, one_of};
use crate::listing::{Cell, Listing};
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
        #[arg(long, value_parser = one_of(TABLE_JSON_CSV), default_value = "table")]
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
        #[arg(long, value_parser = one_of(TABLE_JSON_CSV), default_value = "table")]
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
        /// How to print what was done.
        #[arg(long, value_parser = one_of(TABLE_JSON), default_value = "table")]
        format: Format,
    },
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
                format,
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
                    json: format == Format::Json,
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
    let mut tables = Listing::new(&["table", "files", "rows", "bytes"]);
    for (name, table) in &snapshot.tables {
        tables.push(vec![
            name.as_str().into(),
            Cell::Count(table.files.len() as u64),
            Cell::Count(lake.rows(name)),
            Cell::Bytes(lake.bytes(name)),
        ]);
    }
    match format {
        Format::Json => data!(
            "{:#}",
            serde_json::json!({
                "snapshot": snapshot.number,
                "time": time(snapshot.created_ms),
                "operation": snapshot.operation,
                "engine": snapshot.engine,
                "buckets": snapshot.buckets,
                "tables": tables.json(),
            })
        ),
        Format::Csv => tables.csv()?,
        _ => {
            say!(
                "Snapshot {} of {}, {} buckets, by {} ({})",
                snapshot.number,
                time(snapshot.created_ms),
                snapshot.buckets,
                snapshot.engine,
                snapshot.operation
            );
            tables.print();
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
    let mut all = Listing::new(&[
        "snapshot",
        "time",
        "operation",
        "engine",
        "files",
        "bytes",
        "pinned",
        "reason",
    ]);
    for s in commit::list(store).await? {
        let reason = pins.get(&s.number);
        all.push(vec![
            Cell::Number(s.number),
            time(s.created_ms).into(),
            s.operation.into(),
            s.engine.into(),
            Cell::Count(s.files),
            Cell::Bytes(s.bytes),
            reason.map(|_| "yes").into(),
            reason.map(String::as_str).into(),
        ]);
    }
    all.print_as(format, "snapshots")
}
