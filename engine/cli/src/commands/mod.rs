//! The commands.

pub mod audit;
pub mod demo;
pub mod doctor;
pub mod explain;
pub mod export;
pub mod feedback;
pub mod import;
pub mod lake;
pub mod measure;
pub mod own_terminology;
pub mod rule;
pub mod serve;
pub mod sql;
pub mod store;
pub mod synth;
pub mod terminology;
mod vacuum;

use std::io::IsTerminal;
use std::time::{SystemTime, UNIX_EPOCH};

use engine_patient::finding::{Finding, blame, count};
use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::{Done, Failure, MORE};

/// Now, in milliseconds since 1970. Only here is the clock read: everything below is told.
pub fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Threads to work with.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// Stack of a thread that works: DataFusion recurses into expressions as deep as a query nests them
/// ([`engine_population::statement::DEEPEST`]). Memory is taken only for what is used of it.
const STACK: usize = 64 << 20;

/// A runtime for a command.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads())
        .thread_stack_size(STACK)
        .enable_all()
        .build();
    runtime.map_err(|e| Failure::Internal(format!("no runtime: {e}")))
}

/// A progress bar on a terminal, nothing in a pipe.
pub fn bar(total: u64, template: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(total);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar
}

/// What a check ends with: the number of findings where errors are among them, and whose turn it is.
pub fn verdict<'f>(findings: impl IntoIterator<Item = &'f Finding, IntoIter: Clone>) -> Done {
    let all = findings.into_iter();
    match blame(all.clone()) {
        None => Ok(std::process::ExitCode::SUCCESS),
        some => Err(Failure::blamed(
            some,
            format!("found {}; {MORE}", count(all)),
        )),
    }
}
