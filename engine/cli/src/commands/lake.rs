//! `tandem lake`

mod check;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use engine_patient::system::date_time::DateTime;
use engine_population::lake::{Lake as OpenLake, commit};

use crate::failure::{Done, Failure};
use crate::table::{self, bytes, thousands};

/// Look at a lake, its snapshots, and remove what no snapshot needs.
#[derive(Args)]
pub struct Lake {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Tables, rows and sizes.
    #[command(after_help = "Example:\n  tandem lake info lake")]
    Info {
        /// Folder of the lake.
        lake: PathBuf,
        /// An older snapshot.
        #[arg(long)]
        snapshot: Option<u64>,
    },
    /// All snapshots, and keep one from being vacuumed.
    #[command(after_help = "\
Examples:
  tandem lake snapshots lake
  tandem lake snapshots lake --pin 3 --reason \"report of 2025\"
  tandem lake snapshots lake --unpin 3")]
    Snapshots {
        /// Folder of the lake.
        lake: PathBuf,
        /// Keep this snapshot.
        #[arg(long)]
        pin: Option<u64>,
        /// Why it is kept.
        #[arg(long, default_value = "", requires = "pin")]
        reason: String,
        /// Keep it no longer.
        #[arg(long)]
        unpin: Option<u64>,
    },
    Check(check::Check),
    /// Drop old snapshots and delete the files that only they need. The newest and the pinned stay.
    #[command(after_help = "\
It may run beside imports: their files and their scratch stay. What a killed import left goes: its scratch
(on this machine at once, on another machine ten minutes after it was last seen) and its files.
Examples:
  tandem lake vacuum lake --keep 5 --dry-run
  tandem lake vacuum lake --keep 5")]
    Vacuum {
        /// Folder of the lake.
        lake: PathBuf,
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

impl Lake {
    pub fn run(self) -> Done {
        let runtime = super::runtime()?;
        match self.command {
            Command::Check(check) => return check.run(&runtime),
            Command::Info { lake, snapshot } => {
                info(&runtime.block_on(OpenLake::open(&lake, snapshot))?)
            }
            Command::Snapshots {
                lake,
                pin,
                reason,
                unpin,
            } => {
                let open = runtime.block_on(OpenLake::open(&lake, None))?;
                runtime.block_on(snapshots(&open, pin, &reason, unpin))?;
            }
            Command::Vacuum {
                lake,
                keep,
                min_age_hours,
                dry_run,
            } => {
                let open = runtime.block_on(OpenLake::open(&lake, None))?;
                if keep == 0 {
                    return Err(Failure::User(
                        "--keep 0: the newest snapshot always stays; give 1 or more".into(),
                    ));
                }
                super::vacuum::Vacuum {
                    folder: &lake,
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

fn info(lake: &OpenLake) {
    let snapshot = &lake.snapshot;
    say!(
        "Snapshot {} of {}, {} buckets, by {} ({})",
        snapshot.number,
        time(snapshot.created_ms),
        snapshot.buckets,
        snapshot.engine,
        snapshot.operation
    );
    let rows: Vec<Vec<String>> = snapshot
        .tables
        .iter()
        .map(|(name, table)| {
            vec![
                name.clone(),
                thousands(table.files.len() as u64),
                thousands(lake.rows(name)),
                bytes(lake.bytes(name)),
            ]
        })
        .collect();
    table::print(&["table", "files", "rows", "size"], &rows);
}

async fn snapshots(
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
    let pins = commit::pins(store).await?;
    let rows: Vec<Vec<String>> = commit::list(store)
        .await?
        .into_iter()
        .map(|s| {
            let pinned = pins.get(&s.number).map(|r| {
                if r.is_empty() {
                    "pinned".into()
                } else {
                    format!("pinned: {r}")
                }
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
        })
        .collect();
    table::print(
        &["snapshot", "time", "operation", "by", "files", "size", ""],
        &rows,
    );
    Ok(())
}
