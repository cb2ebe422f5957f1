//! Writes a population as `<Type>.ndjson` files.
//!
//! Batches of patients are dealt to the threads in turn and written in order, so that the bytes do
//! not depend on the number of threads, and memory holds a few batches whatever the population. Until
//! all is written the files have names that no import takes: a part of a population never looks whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::calendar::{civil, day_of};
use super::{ResourceSink, SynthOptions, SynthProgress, patient, shared_resources};

/// Patients in a batch: about 8 MB of text.
const BATCH: u64 = 32;
/// Batches a thread may be ahead of the writer.
const AHEAD: usize = 2;
/// Patients that are made to see how much a population will take.
const SAMPLE: u64 = 48;

/// The lines of one batch, by resource type.
#[derive(Default)]
struct Batch {
    texts: Vec<(&'static str, String)>,
    patients: u64,
    resources: u64,
}

impl ResourceSink for Batch {
    fn write(&mut self, resource_type: &'static str, json: &str) {
        self.resources += 1;
        let known = self
            .texts
            .iter_mut()
            .find(|(name, _)| *name == resource_type);
        if let Some((_, text)) = known {
            text.push_str(json);
            text.push('\n');
        } else {
            let mut text = String::with_capacity(json.len() * 64);
            text.push_str(json);
            text.push('\n');
            self.texts.push((resource_type, text));
        }
    }
}

/// Counts bytes.
struct Counted(u64);

impl ResourceSink for Counted {
    fn write(&mut self, _: &'static str, json: &str) {
        self.0 += json.len() as u64 + 1;
    }
}

/// How many bytes a population will take, to a few percent: a sample of its patients is made.
///
/// # Errors
/// As [`write_population`] for options that are none.
pub fn estimate(options: &SynthOptions) -> io::Result<u64> {
    check(options)?;
    let mut shared = Counted(0);
    shared_resources(options, &mut shared);
    let sample = options.patients.min(SAMPLE);
    let mut own = Counted(0);
    for n in 0..sample {
        // Spread over the population.
        let index = u128::from(n) * u128::from(options.patients) / u128::from(sample);
        patient(options, u64::try_from(index).unwrap_or(n), &mut own);
    }
    let whole = u128::from(own.0) * u128::from(options.patients) / u128::from(sample.max(1));
    Ok(shared
        .0
        .saturating_add(u64::try_from(whole).unwrap_or(u64::MAX)))
}

/// Writes `<out>/<Type>.ndjson`, one file a type, on `threads` threads (at least one).
///
/// `progress` is called from time to time with the totals so far. The same options give the same
/// bytes whatever the number of threads.
///
/// # Errors
/// `InvalidInput` for a `dirty` outside 0 to 1 or an `end` that is not a date; `AlreadyExists` when
/// `out` holds `.ndjson` files (nothing is ever deleted), or what a run that was killed left; any error
/// of creating or writing files, and then nothing of the population is left.
pub fn write_population(
    options: &SynthOptions,
    out: &Path,
    threads: usize,
    progress: &(dyn Fn(SynthProgress) + Sync),
) -> io::Result<SynthProgress> {
    check(options)?;
    crate::folder::make(out).map_err(|text| io::Error::new(io::ErrorKind::InvalidInput, text))?;
    refuse_full(out)?;

    let mut files = Files {
        out,
        open: Vec::new(),
        total: SynthProgress::default(),
        whole: false,
    };
    let mut shared = Batch::default();
    shared_resources(options, &mut shared);
    files.append(&shared)?;

    let batches = options.patients.div_ceil(BATCH);
    let threads = threads.clamp(1, 256) as u64;
    thread::scope(|scope| -> io::Result<()> {
        let mut lanes: Vec<Receiver<Batch>> = Vec::new();
        for lane in 0..threads.min(batches) {
            let (sender, receiver) = sync_channel(AHEAD);
            lanes.push(receiver);
            scope.spawn(move || work(options, lane, threads, batches, &sender));
        }
        for number in 0..batches {
            let lane = lanes.get((number % threads) as usize);
            let batch = lane.and_then(|lane| lane.recv().ok());
            let batch = batch.ok_or_else(|| io::Error::other("a generator thread ended early"))?;
            files.append(&batch)?;
            progress(files.total);
        }
        Ok(())
        // On an error the receivers are dropped here, and the threads stop at their next batch.
    })?;
    files.finish()
}

/// Makes every `threads`-th batch, beginning with `lane`.
fn work(options: &SynthOptions, lane: u64, threads: u64, batches: u64, sender: &SyncSender<Batch>) {
    let mut number = lane;
    while number < batches {
        let mut batch = Batch::default();
        let from = number * BATCH;
        let to = (from + BATCH).min(options.patients);
        for index in from..to {
            patient(options, index, &mut batch);
        }
        batch.patients = to - from;
        if sender.send(batch).is_err() {
            return;
        }
        number += threads;
    }
}

fn check(options: &SynthOptions) -> io::Result<()> {
    if !(0.0..=1.0).contains(&options.dirty) {
        let text = format!(
            "the share of dirty resources must be from 0 to 1, not {}",
            options.dirty
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let (year, month, day) = options.end;
    let real = (1900..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && civil(day_of(year, month, day)) == options.end;
    if !real {
        let text = format!("the end of the history is not a date: {year}-{month}-{day}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    Ok(())
}

/// A folder with `.ndjson` files is left alone: a second population would mix with the first.
fn refuse_full(out: &Path) -> io::Result<()> {
    for entry in fs::read_dir(out)? {
        let path = entry?.path();
        let text = if path.extension().is_some_and(|ext| ext == "ndjson") {
            format!(
                "`{}` already holds `.ndjson` files; choose an empty folder or remove them first",
                out.display()
            )
        } else if path
            .file_name()
            .is_some_and(|n| n.to_string_lossy().ends_with(PART))
        {
            format!(
                "`{}` is of a population that is being written, or whose writing was ended; choose an empty folder or remove it first",
                path.display()
            )
        } else {
            continue;
        };
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
    }
    Ok(())
}

/// How a file ends that is not whole yet. It begins with a dot.
const PART: &str = ".ndjson.part";

struct Files<'o> {
    out: &'o Path,
    open: Vec<(&'static str, BufWriter<File>)>,
    total: SynthProgress,
    whole: bool,
}

impl Files<'_> {
    fn append(&mut self, batch: &Batch) -> io::Result<()> {
        for (name, text) in &batch.texts {
            self.file(name)?.write_all(text.as_bytes())?;
            self.total.bytes += text.len() as u64;
        }
        self.total.patients += batch.patients;
        self.total.resources += batch.resources;
        Ok(())
    }

    fn part(&self, name: &str) -> PathBuf {
        self.out.join(format!(".{name}{PART}"))
    }

    /// The file of a type, created at its first line.
    fn file(&mut self, name: &'static str) -> io::Result<&mut BufWriter<File>> {
        let at = match self.open.iter().position(|(open, _)| *open == name) {
            Some(at) => at,
            None => {
                let file = File::create_new(self.part(name))?;
                self.open
                    .push((name, BufWriter::with_capacity(1 << 18, file)));
                self.open.len() - 1
            }
        };
        let slot = self.open.get_mut(at).map(|(_, file)| file);
        slot.ok_or_else(|| io::Error::other("file list changed while writing"))
    }

    /// All is written: the files get their names.
    fn finish(mut self) -> io::Result<SynthProgress> {
        for (_, file) in &mut self.open {
            file.flush()?;
        }
        let names: Vec<&str> = self.open.iter().map(|(name, _)| *name).collect();
        let named = |name: &str| self.out.join(format!("{name}.ndjson"));
        for (done, name) in names.iter().enumerate() {
            if let Err(error) = fs::rename(self.part(name), named(name)) {
                for name in names.iter().take(done) {
                    let _ = fs::remove_file(named(name));
                }
                return Err(error);
            }
        }
        self.whole = true;
        Ok(self.total)
    }
}

impl Drop for Files<'_> {
    /// What is not whole goes.
    fn drop(&mut self) {
        if self.whole {
            return;
        }
        let names: Vec<&str> = self.open.iter().map(|(name, _)| *name).collect();
        // Nothing more is to be written.
        for (_, file) in std::mem::take(&mut self.open) {
            drop(file.into_parts());
        }
        for name in names {
            let _ = fs::remove_file(self.part(name));
        }
    }
}
