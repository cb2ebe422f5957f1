//! Reads all files: one thread unpacks, the workers check and route.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};

use sources::Source;

use super::sinks::Sinks;
use super::types::shorten;
use super::worker::Worker;
use super::worker_result::WorkerResult;
use crate::import::chunks::{self, Chunk, Damage};
use crate::import::error::ImportError;
use crate::import::limits;
use crate::import::report::DamagedFile;

/// Reads all files: one thread unpacks, the workers check and route.
pub fn read_all(
    files: &[Source],
    sinks: &Sinks<'_>,
    threads: usize,
) -> Result<(WorkerResult, Vec<DamagedFile>), ImportError> {
    let (sender, receiver) = sync_channel::<Chunk>(2);
    let receiver = Arc::new(Mutex::new(receiver));
    let scratch = || sinks.spill.folder().to_owned();
    let mut reader = chunks::Reader {
        limits: sinks.limits,
        progress: sinks.progress,
        turns: limits::Turns::default(),
        base: 0,
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1))
            .map(|_| {
                let receiver = Arc::clone(&receiver);
                scope.spawn(move || work(&receiver, Worker::new(*sinks)))
            })
            .collect();
        // Only the workers hold it: when all have failed, handing out a chunk fails too.
        drop(receiver);
        let (mut failed, mut damages) = (None, vec![]);
        for (index, source) in files.iter().enumerate() {
            let mut alive = true;
            let read = reader.read(index, source, &mut |chunk| {
                alive = sender.send(chunk).is_ok();
                alive
            });
            match read {
                Ok(damage) => damages.extend(damage.map(|d| (index, source, d))),
                Err(e) => failed = Some(ImportError::Io(source.path.clone(), e)),
            }
            if failed.is_some() || !alive {
                break;
            }
        }
        drop(sender);
        let mut all = WorkerResult::default();
        for worker in workers {
            match worker.join() {
                Ok(Ok(result)) => all.add(result),
                Ok(Err(e)) => failed = failed.or(Some(ImportError::Io(scratch(), e))),
                Err(_) => {
                    failed = failed.or(Some(ImportError::Bug(
                        "a worker failed while reading".into(),
                    )))
                }
            }
        }
        shorten(&mut all.tallies);
        let damaged = |(index, source, damage): (usize, &Source, Damage)| DamagedFile {
            file: source.path.clone(),
            line: damage.line,
            offset: damage.offset,
            reason: damage.reason,
            resources: sinks
                .kept
                .get(index)
                .map_or(0, |n| n.load(Ordering::Relaxed)),
        };
        let damaged = damages.into_iter().map(damaged).collect();
        failed.map_or(Ok((all, damaged)), Err)
    })
}

fn work(
    receiver: &Mutex<Receiver<Chunk>>,
    mut worker: Worker<'_>,
) -> std::io::Result<WorkerResult> {
    loop {
        let next = receiver
            .lock()
            .map_err(|_| std::io::Error::other("another thread failed"))?
            .recv();
        match next {
            Ok(chunk) => worker.chunk(&chunk)?,
            Err(_) => return worker.finish(),
        }
    }
}
