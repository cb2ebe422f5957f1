//! One task writes. It takes what waits, writes it in one transaction, and acknowledges when that is
//! committed: so that a disk that is slow to sync writes more at a time instead of fewer a second.
//!
//! ```text
//! call ─┐ submit              ┌ transaction ┐ commit
//! call ─┼──────▶ queue ──────▶│ call call … │──────▶ acknowledged, all of them
//! call ─┘ (bounded)           └─────────────┘
//! ```
//!
//! What is acknowledged is on the disk. In SQLite nobody waits for a token that was used (see [`crate::tokens`]): the
//! record of its call, which is acknowledged before its answer goes out, takes it along to the disk, and where none
//! comes it goes there alone, a little later. So a call waits for the disk once.
//!
//! A database that is away is tried again, with a growing pause; records wait [`crate::Settings::wait`] for it
//! and are then refused, and while it is known to be away they are refused at once.

mod batch;
mod counts;
mod job;
mod link;
mod log;
mod task;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout};

use self::counts::Counters;
use self::job::Job;
use self::task::Task;
use crate::StoreError;
use crate::settings::Settings;
use crate::tokens::Tokens;

pub use counts::Counts;
pub(crate) use job::{Done, Work};
pub(crate) use link::Link;

/// The queue's end that takes.
pub(crate) struct Writer {
    jobs: mpsc::Sender<Job>,
    /// KiB that may wait.
    room: Arc<Semaphore>,
    shared: Arc<Shared>,
    wait: Duration,
}

/// What both ends know.
#[derive(Default)]
pub(crate) struct Shared {
    counters: Counters,
    /// The database is away for longer than records wait.
    is_down: AtomicBool,
    /// What was tried last failed, also where another try may go: the disk is full.
    is_failing: AtomicBool,
}

impl Shared {
    fn is_up(&self) -> bool {
        !self.is_down.load(Ordering::Relaxed) && !self.is_failing.load(Ordering::Relaxed)
    }
}

impl Writer {
    /// Starts the task; `away` says why there is no connection, where there is none.
    pub(crate) fn start(
        link: Link,
        settings: &Settings,
        away: Option<&StoreError>,
        tokens: Option<Arc<Tokens>>,
    ) -> Self {
        let (jobs, taken) = mpsc::channel(settings.queue.max(1));
        let shared = Arc::new(Shared::default());
        let mut task = Task::new(link, taken, settings, Arc::clone(&shared), tokens);
        if let Some(error) = away {
            task.is_away(error);
        }
        tokio::spawn(task.run());
        let room = (settings.queue_bytes / 1024).clamp(1, Semaphore::MAX_PERMITS);
        Writer {
            jobs,
            room: Arc::new(Semaphore::new(room)),
            shared,
            wait: settings.wait,
        }
    }

    /// Writes; what comes back is durable.
    pub(crate) async fn submit(&self, work: Work) -> Result<Done, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.give(work, Some(reply))?;
        // The task answers by then: it begins nothing after the deadline, and ends what takes longer than
        // `wait`. The second is for what it does beside.
        let most = self.wait * 2 + Duration::from_secs(1);
        match timeout(most, answer).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(ended()),
            Err(_) => Err(away()),
        }
    }

    /// Gives what nobody waits for: written before, or together with, all that is given after it.
    pub(crate) fn pass(&self, work: Work) -> Result<(), StoreError> {
        self.give(work, None)
    }

    fn give(
        &self,
        work: Work,
        reply: Option<oneshot::Sender<Result<Done, StoreError>>>,
    ) -> Result<(), StoreError> {
        let counters = &self.shared.counters;
        if self.shared.is_down.load(Ordering::Relaxed) {
            counters.refused_down.add();
            return Err(away());
        }
        let kib = u32::try_from(work.size() / 1024 + 1).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(kib) else {
            counters.refused_full.add();
            return Err(full());
        };
        let job = Job {
            work,
            reply,
            deadline: Instant::now() + self.wait,
            _room: room,
        };
        match self.jobs.try_send(job) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => {
                counters.refused_full.add();
                Err(full())
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(ended()),
        }
    }

    /// What waits at present.
    pub(crate) fn waiting(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    pub(crate) fn counts(&self) -> Counts {
        let counters = &self.shared.counters;
        let is_up = self.shared.is_up() && !self.jobs.is_closed();
        counters.now(self.waiting() as u64, is_up)
    }
}

fn full() -> StoreError {
    StoreError::Busy(
        "more records wait to be written than there is room for: the database is too slow, or away"
            .into(),
    )
}

fn ended() -> StoreError {
    StoreError::Internal("the task that writes has ended: start the server anew".into())
}

fn away() -> StoreError {
    StoreError::Unavailable(
        "the database does not answer: nothing can be recorded at present".into(),
    )
}
