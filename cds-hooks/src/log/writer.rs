//! Where the lines of the log go: into a bounded queue, from which a thread of its own writes.
//!
//! A log whose disk is full or whose reader is gone or does not read on must take nothing down: the
//! threads that serve never write and never wait. What finds no room, or cannot be written, is
//! dropped and counted; the count is written as soon as writing goes on.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of lines that wait at most: some 5,000 calls.
const ROOM: usize = 1 << 20;

/// How long to wait where the other end says "not now" (a pipe or terminal that does not block).
const NOT_NOW: Duration = Duration::from_millis(20);

/// Takes lines without ever blocking. Clones write to the same place, which is closed with the last
/// of them.
#[derive(Clone)]
pub struct Log(Arc<Handle>);

/// What a [`Log`] could not write.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct LogCounts {
    /// Lines that were lost, for whatever reason.
    pub dropped: u64,
    /// Those of them at which writing failed.
    pub write_errors: u64,
}

struct Handle(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    /// There is something to write, or nothing will come any more.
    filled: Condvar,
    /// All is written.
    emptied: Condvar,
}

#[derive(Default)]
struct Queue {
    lines: VecDeque<String>,
    bytes: usize,
    counts: LogCounts,
    /// Of the dropped those that the log does not say yet.
    unsaid: u64,
    /// A line was taken out and is not written yet.
    writing: bool,
    /// No line will come any more.
    closed: bool,
}

impl Log {
    /// Writes to `out`, on a thread of its own.
    pub fn to(out: impl Write + Send + 'static) -> Self {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            filled: Condvar::new(),
            emptied: Condvar::new(),
        });
        let there = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("log".into());
        if thread.spawn(move || there.write(out)).is_err() {
            // Nobody will write: every line counts as dropped.
            shared.lock().closed = true;
        }
        Log(Arc::new(Handle(shared)))
    }

    /// Writes to standard error.
    pub fn stderr() -> Self {
        // Not `io::stderr()` itself: whoever else prints there would wait for the same lock.
        #[cfg(unix)]
        {
            use std::os::fd::AsFd;
            if let Ok(own) = io::stderr().as_fd().try_clone_to_owned() {
                return Log::to(std::fs::File::from(own));
            }
        }
        Log::to(io::stderr())
    }

    /// Takes a line, without its end.
    pub fn line(&self, text: &str) {
        let line = format!("{text}\n");
        let mut queue = self.0.0.lock();
        if queue.closed || queue.bytes + line.len() > ROOM {
            queue.counts.dropped += 1;
            queue.unsaid += 1;
            return;
        }
        queue.bytes += line.len();
        queue.lines.push_back(line);
        self.0.0.filled.notify_one();
    }

    /// What was lost so far.
    pub fn counts(&self) -> LogCounts {
        self.0.0.lock().counts
    }

    /// Waits until all is written, for so long at most. Whether it is.
    pub fn flush(&self, most: Duration) -> bool {
        let end = Instant::now() + most;
        let mut queue = self.0.0.lock();
        while !queue.lines.is_empty() || queue.writing {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.0.0.emptied.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.filled.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread's work. A failure ends nothing: the next line is tried as if nothing had been.
    fn write(&self, mut out: impl Write) {
        let mut torn = false;
        loop {
            let (line, dropped) = {
                let mut queue = self.lock();
                loop {
                    if let Some(line) = queue.lines.pop_front() {
                        queue.bytes -= line.len();
                        queue.writing = true;
                        break (line, std::mem::take(&mut queue.unsaid));
                    }
                    queue.writing = false;
                    self.emptied.notify_all();
                    if queue.closed {
                        return;
                    }
                    let waited = self.filled.wait(queue);
                    queue = waited.unwrap_or_else(PoisonError::into_inner);
                }
            };
            let note = match dropped {
                0 => Ok(()),
                n => put(&mut out, &note(n), &mut torn),
            };
            let (lost, unsaid) = match note {
                Err(_) => (true, dropped),
                Ok(()) => (put(&mut out, &line, &mut torn).is_err(), 0),
            };
            if lost {
                let mut queue = self.lock();
                queue.counts.dropped += 1;
                queue.counts.write_errors += 1;
                queue.unsaid += unsaid + 1;
            }
        }
    }
}

fn note(dropped: u64) -> String {
    let why = "the log could not be written, or its reader did not keep up";
    format!("{{\"dropped\":{dropped},\"note\":\"dropped {dropped} lines: {why}\"}}\n")
}

/// Writes a line, on a line of its own also where the one before came only in part.
fn put(out: &mut impl Write, line: &str, torn: &mut bool) -> io::Result<()> {
    if *torn {
        all(out, b"\n", &mut false)?;
        *torn = false;
    }
    all(out, line.as_bytes(), torn)
}

fn all(out: &mut impl Write, mut bytes: &[u8], torn: &mut bool) -> io::Result<()> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n) => {
                bytes = bytes.get(n..).unwrap_or_default();
                *torn = !bytes.is_empty();
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) if e.kind() == ErrorKind::WouldBlock => std::thread::sleep(NOT_NOW),
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
