//! The limits of a query that it may not notice itself: a step that never yields, memory that no
//! operator accounts for.

use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// How often the memory is looked at.
const EVERY: Duration = Duration::from_millis(200);
/// What a query that is stopped has to end by itself.
const GRACE: Duration = Duration::from_secs(5);
/// Beside the rows that are accounted for: the program, and for each thread pages as they are read.
const BESIDE: u64 = 512_000_000;
const BESIDE_A_THREAD: u64 = 128_000_000;

/// Ends the process when a query takes too long or too much; ends itself when dropped.
pub struct Watch {
    _done: Sender<()>,
}

/// What a query may take.
#[derive(Clone)]
pub struct Bounds {
    /// Bytes.
    pub memory: u64,
    pub timeout: Option<Duration>,
}

impl Bounds {
    pub fn out_of_time(&self) -> String {
        format!(
            "the query took longer than {} s and was stopped: ask for less, or raise --timeout",
            self.timeout.unwrap_or_default().as_secs()
        )
    }

    pub fn out_of_memory(&self) -> String {
        format!(
            "the query needs more memory than the {} it may take: ask for fewer columns, rows or \
             groups, raise --memory, or, for many rows, print them with --format csv",
            crate::table::bytes(self.memory)
        )
    }
}

impl Watch {
    /// `spill` is removed before the process ends.
    pub fn start(bounds: Bounds, threads: usize, spill: &Path) -> Watch {
        let (done, ended) = channel::<()>();
        let spill = spill.to_owned();
        let most = bounds.memory + BESIDE + BESIDE_A_THREAD * threads as u64;
        let began = Instant::now();
        std::thread::spawn(move || {
            while ended.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                let late = bounds
                    .timeout
                    .is_some_and(|t| began.elapsed() > t.saturating_add(GRACE));
                if late {
                    stop(&spill, &bounds.out_of_time());
                }
                if resident().is_some_and(|bytes| bytes > most) {
                    stop(&spill, &bounds.out_of_memory());
                }
            }
        });
        Watch { _done: done }
    }
}

fn stop(spill: &Path, text: &str) -> ! {
    let _ = std::fs::remove_dir_all(spill);
    note!("error: {text}");
    std::process::exit(2);
}

/// The memory of this process; nothing where the system does not tell.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    number_of(&status, "VmRSS:")
}

/// A line of `/proc`: `VmRSS:   123 kB`.
fn number_of(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|l| l.strip_prefix(name))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// What a query may take where nothing is said: half of what the machine or the container has, at most
/// 4 GB.
pub fn default_memory() -> u64 {
    const MOST: u64 = 4_000_000_000;
    let machine = std::fs::read_to_string("/proc/meminfo").ok();
    let machine = machine.and_then(|t| number_of(&t, "MemTotal:"));
    let limit = |file: &str| -> Option<u64> {
        let text = std::fs::read_to_string(file).ok()?;
        text.trim().parse().ok()
    };
    let all = [
        machine,
        limit("/sys/fs/cgroup/memory.max"),
        limit("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
    ];
    let least = all.into_iter().flatten().min();
    least.map_or(MOST / 2, |bytes| (bytes / 2).min(MOST))
}
