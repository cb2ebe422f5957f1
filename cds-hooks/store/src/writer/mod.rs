//! One task writes. It takes what waits, writes it in one transaction, and acknowledges when that is
//! committed: so that a disk that is slow to sync writes more at a time instead of fewer a second.
//!
//! ```text
//! call ─┐ submit              ┌ transaction ┐ commit
//! call ─┼──────▶ queue ──────▶│ call call … │──────▶ acknowledged, all of them
//! call ─┘ (bounded)           └─────────────┘
//! ```
//!
//! What is acknowledged is on the disk. A database that is away is tried again, with a growing pause;
//! records wait [`crate::Settings::wait`] for it and are then refused, and while it is known to be away
//! they are refused at once.

mod batch;
mod counts;
mod job;
mod link;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout};

use self::batch::{How, Written, apply};
use self::counts::Counters;
use self::job::Job;
use crate::StoreError;
use crate::audit::Head;
use crate::db::is_twice;
use crate::settings::{Event, Settings};

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
pub(crate) struct Shared {
    pub(crate) counters: Counters,
    /// The database is away for longer than records wait.
    is_down: AtomicBool,
}

impl Writer {
    /// Starts the task, with a connection that was made to see whether it can be.
    pub(crate) fn start(link: Link, settings: &Settings) -> Self {
        let (jobs, taken) = mpsc::channel(settings.queue.max(1));
        let shared = Arc::new(Shared {
            counters: Counters::default(),
            is_down: AtomicBool::new(false),
        });
        let task = Task {
            link,
            jobs: taken,
            settings: settings.clone(),
            shared: Arc::clone(&shared),
            away_since: None,
            last: Head::default(),
            forgot: Instant::now(),
        };
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
        let (reply, answer) = oneshot::channel();
        let deadline = Instant::now() + self.wait;
        let job = Job {
            work,
            reply,
            deadline,
            _room: room,
        };
        if self.jobs.try_send(job).is_err() {
            counters.refused_full.add();
            return Err(full());
        }
        // The task answers by then: it begins nothing after the deadline, and ends what takes longer than
        // `wait`. The second is for what it does beside.
        let most = self.wait * 2 + Duration::from_secs(1);
        match timeout(most, answer).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(StoreError::Internal(
                "the task that writes has ended".into(),
            )),
            Err(_) => Err(away()),
        }
    }

    /// What waits at present.
    pub(crate) fn waiting(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    pub(crate) fn counts(&self) -> Counts {
        let counters = &self.shared.counters;
        let is_down = self.shared.is_down.load(Ordering::Relaxed);
        counters.now(self.waiting() as u64, !is_down)
    }
}

fn full() -> StoreError {
    StoreError::Busy(
        "more records wait to be written than there is room for: the database is too slow, or away"
            .into(),
    )
}

fn away() -> StoreError {
    StoreError::Unavailable(
        "the database does not answer: nothing can be recorded at present".into(),
    )
}

struct Task {
    link: Link,
    jobs: mpsc::Receiver<Job>,
    settings: Settings,
    shared: Arc<Shared>,
    /// Since when nothing could be written.
    away_since: Option<Instant>,
    /// The last entry of the audit log that was acknowledged.
    last: Head,
    /// When expired tokens were last removed.
    forgot: Instant,
}

/// Pauses before another try, the first and the longest.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl Task {
    async fn run(mut self) {
        let mut pause = PAUSE;
        loop {
            let is_down = self.shared.is_down.load(Ordering::Relaxed);
            let first = match is_down {
                false => self.jobs.recv().await,
                // Nobody gives anything to write: it has to be found out whether it would go.
                true => match timeout(pause, self.jobs.recv()).await {
                    Ok(job) => job,
                    Err(_) => {
                        pause = (pause * 2).min(LONGEST_PAUSE);
                        if self.probe().await {
                            pause = PAUSE;
                        }
                        continue;
                    }
                },
            };
            let Some(first) = first else { break };
            let mut batch = vec![first];
            while batch.len() < self.settings.batch {
                match self.jobs.try_recv() {
                    Ok(job) => batch.push(job),
                    Err(_) => break,
                }
            }
            self.write(batch).await;
        }
        self.link.end().await;
    }

    /// Writes a batch, or refuses what could not be written in time.
    async fn write(&mut self, batch: Vec<Job>) {
        // One of them may be at fault: the others must not suffer from it.
        for job in self.write_together(batch).await {
            self.write_together(vec![job]).await;
        }
    }

    /// Writes a batch in one transaction, in as many tries as there is time for. What is to be written one
    /// by one comes back; of one job nothing does.
    async fn write_together(&mut self, mut batch: Vec<Job>) -> Vec<Job> {
        let mut pause = PAUSE;
        let mut error = away();
        // Whether something may be there already, since nobody knows how the last try ended.
        let mut careful = false;
        loop {
            batch = self.wanted(batch, &error);
            if batch.is_empty() {
                return batch;
            }
            error = match self.attempt(&batch, careful).await {
                Ok(written) => {
                    self.acknowledge(batch, written);
                    return vec![];
                }
                Err(error) => error,
            };
            self.shared.counters.failed.add();
            match &error {
                StoreError::Unavailable(_) => {
                    self.link.forget();
                    self.went_away(&error);
                    careful = true;
                }
                StoreError::Busy(_) => {}
                _ if is_twice(&error) && !careful => {
                    careful = true;
                    continue;
                }
                StoreError::Internal(_) | StoreError::Mistake(_) if batch.len() > 1 => {
                    return batch;
                }
                _ => {
                    refuse(batch, &error);
                    return vec![];
                }
            }
            let left = batch.iter().map(|job| job.deadline).min();
            let left = left.map_or(pause, |at| at.saturating_duration_since(Instant::now()));
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Without those whose callers are gone, and those that waited too long, who are told.
    fn wanted(&self, batch: Vec<Job>, error: &StoreError) -> Vec<Job> {
        let now = Instant::now();
        let batch = batch.into_iter().filter(|job| !job.reply.is_closed());
        let (late, wanted): (Vec<Job>, Vec<Job>) = batch.partition(|job| job.deadline <= now);
        for _ in &late {
            self.shared.counters.refused_late.add();
        }
        refuse(late, error);
        wanted
    }

    async fn attempt(&mut self, batch: &[Job], careful: bool) -> Result<Written, StoreError> {
        let is_due = self.forgot.elapsed() > FORGET_EVERY;
        let how = How {
            careful,
            every: self.settings.checkpoint_every,
            forget: is_due,
        };
        if is_due {
            self.forgot = Instant::now();
        }
        let done = timeout(self.settings.wait, transact(&mut self.link, batch, &how)).await;
        done.unwrap_or_else(|_| {
            self.link.forget();
            Err(StoreError::Unavailable(
                "the database did not answer in time".into(),
            ))
        })
    }

    fn acknowledge(&mut self, batch: Vec<Job>, written: Written) {
        self.came_back();
        let counters = &self.shared.counters;
        counters.commits.add();
        for appended in written.appended {
            if appended.before.seq < self.last.seq {
                counters.set_back.add();
                self.tell(Event::SetBack {
                    acknowledged: self.last.clone(),
                    found: appended.before,
                });
            }
            for head in appended.checkpoints {
                self.tell(Event::Checkpoint(head));
            }
            if let Some(head) = appended.heads.into_iter().next_back() {
                self.last = head;
            }
        }
        for (job, done) in batch.into_iter().zip(written.done) {
            counters.records.add();
            if let Done::Feedback(counts) = &done {
                counters.feedback(counts);
            }
            // Who asked may have gone.
            let _ = job.reply.send(Ok(done));
        }
    }

    /// Whether the database is there again.
    async fn probe(&mut self) -> bool {
        let is_there = timeout(self.settings.wait, self.link.connection()).await;
        let is_there = matches!(is_there, Ok(Ok(_)));
        match is_there {
            true => self.came_back(),
            false => self.link.forget(),
        }
        is_there
    }

    fn went_away(&mut self, error: &StoreError) {
        let since = match self.away_since {
            Some(since) => since,
            None => {
                let now = Instant::now();
                self.away_since = Some(now);
                self.shared.counters.lost.add();
                self.tell(Event::Down(error.to_string()));
                now
            }
        };
        if since.elapsed() >= self.settings.wait / 2 {
            self.shared.is_down.store(true, Ordering::Relaxed);
        }
    }

    fn came_back(&mut self) {
        if self.away_since.take().is_some() {
            self.shared.is_down.store(false, Ordering::Relaxed);
            self.tell(Event::Up);
        }
    }

    fn tell(&self, event: Event) {
        if let Some(told) = &self.settings.told {
            told(event);
        }
    }
}

/// How often expired tokens are removed.
const FORGET_EVERY: Duration = Duration::from_secs(60);

fn refuse(batch: Vec<Job>, error: &StoreError) {
    for job in batch {
        // Who asked may have gone.
        let _ = job.reply.send(Err(error.clone()));
    }
}

/// One transaction.
async fn transact(link: &mut Link, batch: &[Job], how: &How) -> Result<Written, StoreError> {
    let connection = link.connection().await?;
    connection.begin().await?;
    let done = match apply(connection, batch, how).await {
        Ok(written) => connection.commit().await.map(|()| written),
        Err(error) => Err(error),
    };
    if done.is_err() && !connection.roll_back().await {
        link.forget();
    }
    done
}
