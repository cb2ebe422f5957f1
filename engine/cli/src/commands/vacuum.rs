//! `tandem lake vacuum`

use engine_patient::plural::several;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use datasets::import::{LockFile, Sweep, Swept, sweep};
use engine_population::lake::commit::{self, VacuumPlan, Vacuumed};
use engine_population::lake::plain::plain;
use engine_population::lake::{Lake, commit::VacuumPolicy};
use tokio::runtime::Runtime;

use crate::failure::Failure;
use crate::table::bytes;

/// How long another vacuum of the same lake is waited for.
const PATIENCE: Duration = Duration::from_secs(600);

/// What to do.
pub struct Vacuum<'a> {
    pub folder: &'a Path,
    pub lake: &'a Lake,
    pub keep: usize,
    pub min_age_hours: u32,
    pub dry_run: bool,
    /// For programs: one object in the end.
    pub json: bool,
}

/// A line for people, where they are who reads.
macro_rules! tell {
    ($own:expr, $($arg:tt)*) => {
        if !$own.json {
            say!($($arg)*);
        }
    };
}

impl Vacuum<'_> {
    pub fn run(&self, runtime: &Runtime) -> Result<(), Failure> {
        let lock = self.lock()?;
        let mut plan = runtime.block_on(self.plan())?;
        // Looked at after the files were listed: an import whose files are in the plan is still
        // running now, or has committed, or is gone.
        let swept = self.sweep(lock.as_ref())?;
        let theirs = spare_running(&mut plan, &swept);
        let size: u64 = plan.delete.iter().map(|f| f.size).sum();
        tell!(
            self,
            "{}, {}; {}, {}",
            several(plan.kept.len() as u64, "snapshot stays", "snapshots stay"),
            several(plan.drop.len() as u64, "goes", "go"),
            several(plan.delete.len() as u64, "file", "files"),
            bytes(size)
        );
        if theirs > 0 {
            let one = "file of an import that is running stays";
            let more = "files of an import that is running stay";
            tell!(self, "{}.", several(theirs as u64, one, more));
        }
        let mut vacuumed = Vacuumed::default();
        if self.dry_run {
            vacuumed.dropped.clone_from(&plan.drop);
            for file in &plan.delete {
                let orphan = if file.orphan { " (of no snapshot)" } else { "" };
                tell!(self, "  {}{orphan}", file.path);
            }
        } else {
            let done = runtime.block_on(commit::apply_vacuum(self.lake.store.as_ref(), &plan))?;
            vacuumed = done.clone();
            tell!(
                self,
                "Deleted {}, {}; dropped {}.",
                several(done.files as u64, "file", "files"),
                bytes(done.bytes),
                several(done.dropped.len() as u64, "snapshot", "snapshots")
            );
        }
        self.tell_scratch(&swept);
        let half_written = self.half_written(&swept);
        if self.dry_run {
            tell!(self, "Nothing was deleted: --dry-run.");
        }
        if self.json {
            self.print(&plan, &vacuumed, &swept, (theirs, &half_written));
        }
        Ok(())
    }

    /// What was done, or with `--dry-run` would be.
    fn print(
        &self,
        plan: &VacuumPlan,
        vacuumed: &Vacuumed,
        swept: &Swept,
        (theirs, half_written): (usize, &[String]),
    ) {
        let files = plan.delete.iter().map(|file| {
            serde_json::json!({ "path": file.path, "bytes": file.size, "ofNoSnapshot": file.orphan })
        });
        let removed = swept.removed.iter().map(|path| path.display().to_string());
        let failed = swept.failed.iter().map(|(path, why)| {
            serde_json::json!({ "path": path.display().to_string(), "why": plain(why) })
        });
        let told = serde_json::json!({
            "dryRun": self.dry_run,
            "keptSnapshots": plan.kept,
            "droppedSnapshots": vacuumed.dropped,
            "files": files.collect::<Vec<_>>(),
            "deletedFiles": vacuumed.files,
            "deletedBytes": vacuumed.bytes,
            "filesOfRunningImports": theirs,
            "scratch": removed.collect::<Vec<_>>(),
            "halfWritten": half_written,
            "notDeleted": failed.collect::<Vec<_>>(),
        });
        data!("{told:#}");
    }

    /// One vacuum at a time: a second would not know what the first is putting back for a pin.
    fn lock(&self) -> Result<Option<LockFile>, Failure> {
        let folder = self.folder.join("_tmp");
        let path = folder.join("vacuum.lock");
        let until = Instant::now() + PATIENCE;
        let failed = |e: std::io::Error| {
            let place = path.display();
            Failure::Internal(format!(
                "{place}: {}; vacuum writes there to see what is running",
                plain(&e)
            ))
        };
        loop {
            let taken =
                std::fs::create_dir_all(&folder).and_then(|()| LockFile::take(path.clone()));
            match taken {
                Ok(Some(lock)) => return Ok(Some(lock)),
                Ok(None) if Instant::now() > until => {
                    let text = "another vacuum of this lake is running: run again when it is done";
                    return Err(Failure::User(text.into()));
                }
                Ok(None) => std::thread::sleep(Duration::from_millis(50)),
                // Looking needs no lock.
                Err(_) if self.dry_run => return Ok(None),
                Err(e) => return Err(failed(e)),
            }
        }
    }

    async fn plan(&self) -> Result<VacuumPlan, Failure> {
        let store = self.lake.store.as_ref();
        let policy = VacuumPolicy {
            keep_last: self.keep,
            keep_since_ms: None,
            pinned: commit::pins(store).await?.into_keys().collect(),
            min_age_ms: i64::from(self.min_age_hours) * 3_600_000,
            now_ms: super::now_ms(),
        };
        Ok(commit::plan_vacuum(store, &policy).await?)
    }

    fn least(&self) -> Duration {
        Duration::from_secs(u64::from(self.min_age_hours) * 3600)
    }

    fn sweep(&self, lock: Option<&LockFile>) -> Result<Swept, Failure> {
        let now = lock.map_or_else(|| Ok(SystemTime::now()), LockFile::now);
        let failed = |e: std::io::Error| {
            let place = self.folder.join("_tmp");
            let why = plain(&e);
            let text = "which imports are running cannot be told, and nothing was deleted";
            Failure::Internal(format!("{}: {why}: {text}", place.display()))
        };
        let now = now.map_err(failed)?;
        let rule = Sweep {
            now,
            without_lock: Some(self.least()),
            dry_run: self.dry_run,
        };
        sweep(self.folder, &rule).map_err(failed)
    }

    fn tell_scratch(&self, swept: &Swept) {
        for path in &swept.removed {
            match self.dry_run {
                true => tell!(
                    self,
                    "  {} (scratch of an import that is gone)",
                    path.display()
                ),
                false => tell!(
                    self,
                    "Deleted {} (scratch of an import that is gone).",
                    path.display()
                ),
            }
        }
        for (path, why) in &swept.failed {
            tell!(
                self,
                "{} cannot be deleted: {}.",
                path.display(),
                plain(why)
            );
        }
    }

    /// Files that a killed writer was still writing: the name they have until then is hidden from
    /// listings.
    fn half_written(&self, swept: &Swept) -> Vec<String> {
        let mut found = vec![];
        let tables = std::fs::read_dir(self.folder)
            .into_iter()
            .flatten()
            .flatten();
        let folders = tables.flat_map(|t| {
            let table = t.path();
            [table.join("_delta_log"), table.join("pins"), table]
        });
        let files = folders
            .filter_map(|folder| std::fs::read_dir(folder).ok())
            .flatten()
            .flatten();
        for file in files {
            let name = file.file_name().to_string_lossy().into_owned();
            let staged = commit::is_half_written(&name);
            let age = file.metadata().and_then(|m| m.modified());
            let age = age.ok().and_then(|m| m.elapsed().ok());
            // Whose a manifest or a log is does not stand in its name.
            let data = name.contains(".parquet#");
            let running = match data {
                true => is_running(&name, swept),
                false => !swept.running.is_empty(),
            };
            if !staged || running || age.is_none_or(|a| a < self.least()) {
                continue;
            }
            let path = file.path();
            let shown = path.display().to_string();
            if self.dry_run {
                tell!(self, "  {shown} (half written)");
                found.push(shown);
                continue;
            }
            match std::fs::remove_file(&path) {
                Ok(()) => {
                    tell!(self, "Deleted {shown} (half written).");
                    found.push(shown);
                }
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) if self.json => note!("{shown} cannot be deleted: {}.", plain(&e)),
                Err(e) => tell!(self, "{shown} cannot be deleted: {}.", plain(&e)),
            }
        }
        found
    }
}

/// Takes the files of running imports out of the plan; how many.
fn spare_running(plan: &mut VacuumPlan, swept: &Swept) -> usize {
    let before = plan.delete.len();
    plan.delete.retain(|file| {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        !(file.orphan && is_running(name, swept))
    });
    before - plan.delete.len()
}

/// Whether an import that may be running gave this name.
fn is_running(name: &str, swept: &Swept) -> bool {
    let stamps: BTreeSet<&str> = swept.running.iter().map(String::as_str).collect();
    name.split_once('-')
        .is_some_and(|(stamp, _)| stamps.contains(stamp))
}
