//! One import that has its scratch: reads all, then merges and commits until it lands.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use engine_population::lake::commit::Snapshot;
use engine_population::lake::rows::Tally;
use object_store::ObjectStore;
use sources::{Source, Sources};

use super::begin::{list_at, newest};
use super::buckets::{buckets, note_disk};
use super::codes::CodeMap;
use super::deletions::Deletions;
use super::discover::estimated_bytes;
use super::error::ImportError;
use super::ids::IdShards;
use super::merge::commit::{Since, discard, export, is_unsure, since};
use super::merge::job::Job;
use super::merge::{shared, write::write};
use super::options::ImportOptions;
use super::progress::Progress;
use super::read::all::read_all;
use super::read::rejects::Rejects;
use super::read::sinks::Sinks;
use super::read::unreadable::Unreadable;
use super::report::{ImportReport, sum};
use super::scratch::Scratch;
use super::spill::Spill;
use super::turn::Turn;

/// An import that has its scratch.
pub(super) struct Run<'a> {
    pub options: &'a ImportOptions,
    pub store: &'a Arc<dyn ObjectStore>,
    pub runtime: &'a tokio::runtime::Handle,
    pub scratch: &'a Scratch,
    pub progress: &'a Progress,
    pub found: &'a Sources,
    /// How many files may be open at once.
    pub open_files: u64,
}

/// How a run ended.
pub(super) enum Ended {
    Done(Box<ImportReport>),
    /// The lake has other buckets than what was read was dealt to.
    OtherBuckets(Box<Snapshot>),
}

impl Run<'_> {
    /// Reads all, then merges and commits.
    pub fn import(&self, base: Option<Snapshot>, turn: &mut Turn) -> Result<Ended, ImportError> {
        let (options, found, progress) = (self.options, self.found, self.progress);
        let io = |path: &std::path::Path| {
            let path = path.to_owned();
            move |e| ImportError::Io(path, e)
        };
        let buckets = buckets(options, base.as_ref(), &found.files)?;
        let scratch = self.scratch.folder().to_owned();
        let estimated = found.files.iter().map(estimated_bytes).sum();
        let known = found.files.iter().filter(|f| !f.pipe);
        note_disk(options, known.map(estimated_bytes).sum(), progress);
        let places = (
            buckets,
            shared::spill_parts(base.as_ref(), estimated, &options.limits),
        );
        // The rest is for the data and the lake.
        let open = usize::try_from(self.open_files / 4)
            .unwrap_or(MOST_OPEN)
            .min(MOST_OPEN);
        let spill =
            Spill::create(scratch.clone(), places, options.threads, open).map_err(io(&scratch))?;
        let names: Arc<[String]> = found
            .files
            .iter()
            .map(|f| f.path.display().to_string())
            .collect();
        let kept: Vec<AtomicU64> = names.iter().map(|_| AtomicU64::new(0)).collect();
        let ids = IdShards::create(scratch.clone()).map_err(io(&scratch))?;
        let most = options.limits.rejects;
        let rejects = Rejects::create(spill.folder().join("rejects"), names.clone(), most)
            .map_err(io(&scratch))?;
        let unreadable = Unreadable::create(spill.folder().join("unreadable"), names, most)
            .map_err(io(&scratch))?;
        let sinks = Sinks {
            buckets,
            bases: &options.bases,
            limits: options.limits,
            kept: &kept,
            spill: &spill,
            ids: &ids,
            rejects: &rejects,
            unreadable: &unreadable,
            progress,
        };
        progress.start_reading();
        progress.set_total(found.files.iter().map(|f| f.bytes).sum());

        let gone = |e| self.gone(e);
        let (read, damaged) = read_all(&found.files, &sinks, options.threads).map_err(gone)?;
        if let Some(codes) = read.collision {
            return Err(ImportError::Collision(codes));
        }
        let rejected: u64 = read.tallies.values().map(|t| t.rejected).sum();
        let stamp = self.scratch.stamp();
        let rejects_path = list_at(options, "_rejects", stamp);
        let rejects = rejects
            .finish(&rejects_path)
            .map_err(io(&rejects_path))
            .map_err(gone)?;
        let unreadable_path = list_at(options, "_unreadable", stamp);
        let unreadable_not_listed = unreadable
            .finish(&unreadable_path)
            .map_err(io(&unreadable_path))
            .map_err(gone)?;
        let deletions = Deletions::new(read.deletions);
        let mut report = ImportReport {
            snapshot: base.as_ref().map(|b| b.number),
            committed: false,
            types: read.tallies,
            total: Tally::default(),
            rejects_file: (rejected > 0).then_some(rejects_path),
            first_rejects: rejects.first,
            patients: 0,
            orphans: 0,
            unlinked: read.unlinked,
            uncoded: read.uncoded,
            references: read.references.most_frequent(),
            unreadable_file: (!read.unreadable.is_empty()).then_some(unreadable_path),
            unreadable: read.unreadable,
            given_ids: read.given_ids,
            manifests: read.manifests,
            deletions_not_there: 0,
            ignored_files: found.ignored.clone(),
            passed_over: found.passed_over.clone(),
            damaged,
            rejects_not_listed: rejects.not_kept,
            unreadable_not_listed,
            bytes: progress.now().bytes.0,
            redone: 0,
            delta_behind: None,
            delta_damaged: vec![],
        };
        if options.strict && rejected > 0 {
            report.types.values_mut().for_each(Tally::withhold);
            report.total = sum(&report.types);
            return Err(ImportError::Rejected(Box::new(report)));
        }
        let read_again = ReadAgain {
            spill: &spill,
            ids: &ids,
            deletions: &deletions,
            codes: read.codes,
            patients: read.patients,
            buckets,
        };
        self.commit(base, turn, &read_again, &report).map_err(gone)
    }

    /// An error, or its cause where that is that somebody took the scratch away.
    fn gone(&self, error: ImportError) -> ImportError {
        match error {
            ImportError::Unsure(_) => error,
            _ if self.scratch.is_ours() => error,
            _ => ImportError::ScratchGone,
        }
    }

    /// Merges with the newest snapshot and commits, until it lands.
    fn commit(
        &self,
        mut base: Option<Snapshot>,
        turn: &mut Turn,
        read: &ReadAgain<'_>,
        of_reading: &ImportReport,
    ) -> Result<Ended, ImportError> {
        let store = self.store.as_ref();
        for losses in 0u32.. {
            let mine = std::mem::replace(turn, Turn::none());
            let waited;
            (*turn, waited) = mine.wait(&self.options.lake, losses);
            if waited {
                // Who was waited for has landed, most likely.
                let newest = newest(store, self.runtime)?;
                if let Some(other) = newest.as_ref().filter(|n| n.buckets != read.buckets) {
                    return self.other_buckets(Box::new(other.clone()));
                }
                base = newest;
            }
            let mut report = of_reading.clone();
            report.redone = self.progress.now().redone;
            let job = Job {
                options: self.options,
                store: Arc::clone(self.store),
                base: base.as_ref(),
                buckets: read.buckets,
                scratch: self.scratch,
                spill: read.spill,
                ids: read.ids,
                progress: self.progress,
                runtime: self.runtime,
                patients: read.patients,
                deletions: read.deletions,
            };
            let error = match write(&job, read.codes.clone(), &mut report) {
                Ok(()) => {
                    report.total = sum(&report.types);
                    return Ok(Ended::Done(Box::new(report)));
                }
                Err(error) => error,
            };
            // What cannot be looked up is left as it is: it may have landed.
            let Ok(since) = since(store, self.runtime, self.scratch, base.as_ref()) else {
                return Err(ImportError::Unsure(Box::new(error)));
            };
            if let Since::Landed(number) = since {
                (report.snapshot, report.committed) = (Some(number), true);
                export(&job, &mut report);
                report.total = sum(&report.types);
                return Ok(Ended::Done(Box::new(report)));
            }
            // A volume that did not answer may yet show the manifest: the files stay for vacuum.
            if is_unsure(&error) {
                return Err(ImportError::Unsure(Box::new(error)));
            }
            discard(store, self.runtime, self.scratch);
            // A file of the base that is gone since a newer snapshot is there was vacuumed.
            let Since::Others(newest) = since else {
                return Err(error);
            };
            if !matches!(error, ImportError::Lake(_)) {
                return Err(error);
            }
            self.progress.add_redone();
            if newest.buckets != read.buckets {
                return self.other_buckets(newest);
            }
            base = Some(*newest);
        }
        Err(ImportError::Bug("an import that never lands".into()))
    }

    /// What was read is dealt to other buckets than the lake's: it is read once more.
    fn other_buckets(&self, newest: Box<Snapshot>) -> Result<Ended, ImportError> {
        let again = |f: &Source| std::fs::metadata(&f.path).is_ok_and(|m| m.is_file());
        if !self.found.files.iter().all(again) {
            return Err(ImportError::User(
                "another import created the lake meanwhile, with another number of buckets, and a pipe cannot be read twice: nothing was committed, run it again".into(),
            ));
        }
        for folder in ["_rejects", "_unreadable"] {
            let _ = std::fs::remove_file(list_at(self.options, folder, self.scratch.stamp()));
        }
        Ok(Ended::OtherBuckets(newest))
    }
}

/// What was read, for as many merges as it takes.
struct ReadAgain<'a> {
    spill: &'a Spill,
    ids: &'a IdShards,
    deletions: &'a Deletions,
    codes: CodeMap,
    patients: u64,
    buckets: u32,
}

/// Scratch files that are kept open at most.
const MOST_OPEN: usize = 4096;
