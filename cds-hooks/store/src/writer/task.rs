//! The task that writes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

use super::batch::{How, Written, apply};
use super::job::{Done, Job, Work};
use super::link::Link;
use super::log::Log;
use super::{Shared, away};
use crate::StoreError;
use crate::audit::Head;
use crate::db::is_twice;
use crate::jti;
use crate::settings::{Event, Settings};
use crate::tokens::{Tokens, taken};

pub(super) struct Task {
    link: Link,
    jobs: mpsc::Receiver<Job>,
    settings: Settings,
    shared: Arc<Shared>,
    /// Since when nothing could be written, and what was told of it.
    away: Option<(Instant, String)>,
    /// The last entry of the audit log that was acknowledged.
    last: Head,
    /// When expired tokens were last removed, all of them.
    forgot: Option<Instant>,
    /// Of SQLite: who takes its log over into its file.
    log: Option<Log>,
    /// What nobody waits for, and since when.
    lingering: (Vec<Job>, Option<Instant>),
    /// Names this server, once it is the one that knows the tokens.
    owner: Option<String>,
    tokens: Option<Arc<Tokens>>,
}

/// Pauses before another try, the first and the longest.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How often it is looked whether the database is there, where nobody gives anything to write.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long a database that was away may take to be there again.
const PATIENCE: Duration = Duration::from_secs(10);
const LONG_PATIENCE: Duration = Duration::from_secs(600);

/// How often expired tokens are removed.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// How long what nobody waits for waits for something that somebody waits for.
const LINGERS: Duration = Duration::from_millis(100);

/// What goes into one transaction at most, beside one that is larger: it has to be done while its callers wait.
const ROWS: usize = 2_000;
const BYTES: usize = 8 << 20;

impl Task {
    pub(super) fn new(
        link: Link,
        jobs: mpsc::Receiver<Job>,
        settings: &Settings,
        shared: Arc<Shared>,
        tokens: Option<Arc<Tokens>>,
    ) -> Self {
        Task {
            log: Log::start(link.place()),
            link,
            jobs,
            settings: settings.clone(),
            shared,
            away: None,
            last: Head::default(),
            forgot: None,
            lingering: (vec![], None),
            owner: None,
            tokens,
        }
    }

    pub(super) async fn run(mut self) {
        let mut pause = PAUSE;
        loop {
            let quiet = match self.shared.is_up() {
                true => LOOK_EVERY,
                false => pause,
            };
            // While nothing can be written it is looked for that, not for them.
            let since = self.lingering.1.filter(|_| self.shared.is_up());
            let lingers = since.map(|since| LINGERS.saturating_sub(since.elapsed()));
            let first = match timeout(lingers.unwrap_or(quiet).min(quiet), self.jobs.recv()).await {
                Ok(first @ Some(_)) => first,
                Ok(None) => break,
                Err(_) if lingers.is_some() => None,
                // Nobody gives anything to write: it has to be found out whether it would go.
                Err(_) => {
                    pause = match self.probe().await {
                        true => PAUSE,
                        false => (pause * 2).min(LONGEST_PAUSE),
                    };
                    continue;
                }
            };
            if let Some(batch) = self.batch(first) {
                self.write(batch).await;
                self.take_over_log().await;
            }
        }
        if let Some(batch) = self.batch(None).filter(|batch| !batch.is_empty()) {
            self.write(batch).await;
        }
        if let Some(log) = self.log.take() {
            log.end().await;
        }
        self.link.end().await;
    }

    /// What waits, as much as goes together; nothing as long as nobody waits for any of it.
    fn batch(&mut self, first: Option<Job>) -> Option<Vec<Job>> {
        let (mut batch, since) = std::mem::take(&mut self.lingering);
        let is_over = first.is_none();
        batch.extend(first);
        let mut rows = batch.iter().map(|job| job.work.rows()).sum::<usize>();
        let mut bytes = batch.iter().map(|job| job.work.size()).sum::<usize>();
        while batch.len() < self.settings.batch && rows < ROWS && bytes < BYTES {
            let Ok(job) = self.jobs.try_recv() else { break };
            rows += job.work.rows();
            bytes += job.work.size();
            batch.push(job);
        }
        let since = since.unwrap_or_else(Instant::now);
        let lingers = !is_over
            && batch.len() < self.settings.batch
            && since.elapsed() < LINGERS
            && batch.iter().all(|job| job.reply.is_none());
        match lingers {
            true => {
                self.lingering = (batch, Some(since));
                None
            }
            false => Some(batch),
        }
    }

    /// Takes over the rest of the log, where it is time to.
    async fn take_over_log(&mut self) {
        if self.log.as_ref().is_some_and(Log::is_long)
            && let Ok(connection) = self.link.connection().await
        {
            // What is wrong with the file the next commit will say.
            let _ = connection.take_over_log().await;
        }
    }

    /// Writes a batch, or refuses what could not be written in time.
    async fn write(&mut self, batch: Vec<Job>) {
        let mut rest = vec![batch];
        // One of them may be at fault: the others must not suffer from it.
        while let Some(mut batch) = rest.pop() {
            // What could not be written with the half before goes with this one.
            let (mut all, _) = std::mem::take(&mut self.lingering);
            all.append(&mut batch);
            let mut left = self.write_together(all).await;
            if !left.is_empty() {
                let right = left.split_off(left.len() / 2);
                rest.extend([right, left]);
            }
        }
    }

    /// Writes a batch in one transaction, in as many tries as there is time for. What is to be written in two
    /// halves comes back; of one job nothing does.
    async fn write_together(&mut self, mut batch: Vec<Job>) -> Vec<Job> {
        let mut pause = PAUSE;
        let mut error = away();
        // Whether something may be there already, since nobody knows how the last try ended.
        let mut careful = false;
        let mut is_first = true;
        loop {
            batch = self.wanted(batch, &error);
            let is_waited_for = batch.iter().any(|job| job.reply.is_some());
            if batch.is_empty() || !(is_first || is_waited_for) {
                self.linger(batch);
                return vec![];
            }
            is_first = false;
            error = match self.attempt(&batch, careful).await {
                Ok(written) => {
                    self.acknowledge(batch, written);
                    return vec![];
                }
                Err(error) => error,
            };
            self.shared.counters.failed.add();
            match &error {
                error if error.is_away() => {
                    self.link.forget();
                    self.went_away(error);
                    careful = true;
                }
                StoreError::Busy(_) => {}
                // Also one that is committed only now, over a connection that broke.
                _ if is_twice(&error) => careful = true,
                StoreError::Internal(_) | StoreError::Mistake(_) if batch.len() > 1 => {
                    return batch;
                }
                StoreError::Internal(_) | StoreError::Mistake(_) => {
                    refuse(batch, &error);
                    return vec![];
                }
                _ => {
                    self.fails(&error);
                    let (waited_for, others) =
                        batch.into_iter().partition(|job| job.reply.is_some());
                    refuse(waited_for, &error);
                    self.linger(others);
                    return vec![];
                }
            }
            let waited_for = batch.iter().filter(|job| job.reply.is_some());
            let left = waited_for.map(|job| job.deadline).min();
            let left = left.map_or(pause, |at| at.saturating_duration_since(Instant::now()));
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Keeps what nobody waits for until it can be written, before anything else: the record of a call must not be
    /// there without its token. (The room that they take of the queue bounds them.)
    fn linger(&mut self, jobs: Vec<Job>) {
        let mut jobs: Vec<Job> = jobs.into_iter().filter(|job| job.reply.is_none()).collect();
        if jobs.is_empty() {
            return;
        }
        jobs.append(&mut self.lingering.0);
        self.lingering = (jobs, Some(Instant::now()));
    }

    /// Without those whose callers are gone, and those that waited too long, who are told.
    fn wanted(&self, batch: Vec<Job>, error: &StoreError) -> Vec<Job> {
        let now = Instant::now();
        let is_gone = |job: &Job| job.reply.as_ref().is_some_and(oneshot::Sender::is_closed);
        let batch = batch.into_iter().filter(|job| !is_gone(job));
        let (late, wanted): (Vec<Job>, Vec<Job>) =
            batch.partition(|job| job.reply.is_some() && job.deadline <= now);
        for _ in &late {
            self.shared.counters.refused_late.add();
        }
        refuse(late, error);
        wanted
    }

    async fn attempt(&mut self, batch: &[Job], careful: bool) -> Result<Written, StoreError> {
        let how = How {
            careful,
            every: self.settings.checkpoint_every,
            forget: self.forgot.is_none_or(|at| at.elapsed() > FORGET_EVERY),
            owner: self.owner.clone(),
        };
        let (link, last) = (&mut self.link, &self.last);
        let done = timeout(self.settings.wait, transact(link, batch, &how, last)).await;
        let done = done.unwrap_or_else(|_| Err(unanswered()));
        if done.is_err()
            && let Some(found) = self.link.found_set_back()
        {
            self.was_set_back(found);
        }
        if let Ok(written) = &done
            && !written.forgets_more
            && how.forget
        {
            self.forgot = Some(Instant::now());
        }
        done
    }

    fn acknowledge(&mut self, batch: Vec<Job>, written: Written) {
        self.came_back();
        self.shared.counters.commits.add();
        if let Some(log) = &mut self.log {
            log.wrote(batch.iter().map(|job| &job.work));
        }
        if let Some(found) = written.set_back {
            self.was_set_back(found);
        }
        for appended in written.appended {
            if appended.before.seq < self.last.seq {
                self.was_set_back(appended.before);
            }
            for head in appended.checkpoints {
                self.tell(Event::Checkpoint(head));
            }
            if let Some(head) = appended.heads.into_iter().next_back() {
                self.last = head;
            }
        }
        for (job, done) in batch.into_iter().zip(written.done) {
            self.shared.counters.records.add();
            if let Done::Feedback(counts) = &done {
                self.shared.counters.feedback(counts);
            }
            if let (Work::TakeOver { owner }, Done::Tokens(stored)) = (job.work, &done) {
                self.owner = Some(owner);
                if let Some(tokens) = &self.tokens {
                    tokens.read(stored);
                }
            }
            if let Some(reply) = job.reply {
                // Who asked may have gone.
                let _ = reply.send(Ok(done));
            }
        }
    }

    fn was_set_back(&mut self, found: Head) {
        self.shared.counters.set_back.add();
        let acknowledged = std::mem::take(&mut self.last);
        self.tell(Event::SetBack {
            acknowledged,
            found,
        });
    }

    /// Whether the database is there; where it was not, whether it can be written to again.
    async fn probe(&mut self) -> bool {
        let was_up = self.shared.is_up();
        let mut tried = self.touch(!was_up).await;
        if was_up && tried.is_err() {
            // The connection may be all that is gone.
            tried = self.touch(false).await;
        }
        match tried {
            Ok(()) => self.came_back(),
            Err(StoreError::Busy(_)) => return was_up,
            Err(error) if error.is_away() => self.is_away(&error),
            Err(error) => self.fails(&error),
        }
        self.shared.is_up()
    }

    async fn touch(&mut self, writes: bool) -> Result<(), StoreError> {
        // Where it is known to be away nobody waits, and it may have to be made.
        let most = match writes {
            // A file does not keep anybody waiting, and may have to be brought forward, which can take long.
            true if self.link.place().file().is_some() => LONG_PATIENCE,
            true => self.settings.wait.max(PATIENCE),
            false => self.settings.wait,
        };
        let done = timeout(most, touch(&mut self.link, writes, self.owner.as_deref())).await;
        let done = done.unwrap_or_else(|_| Err(unanswered()));
        if done.as_ref().is_err_and(StoreError::is_away) {
            self.link.forget();
        }
        done
    }

    /// The database is away, for how long nobody knows.
    fn went_away(&mut self, error: &StoreError) {
        let since = self.told(error);
        if since.elapsed() >= self.settings.wait / 2 {
            self.shared.is_down.store(true, Ordering::Relaxed);
        }
    }

    /// The database is away, and was found to be: nobody need wait for it.
    pub(super) fn is_away(&mut self, error: &StoreError) {
        self.told(error);
        self.shared.is_down.store(true, Ordering::Relaxed);
    }

    /// The database is there, and nothing can be written to it.
    fn fails(&mut self, error: &StoreError) {
        self.told(error);
        self.shared.is_failing.store(true, Ordering::Relaxed);
    }

    /// Tells why nothing can be written, each reason once; since when.
    fn told(&mut self, error: &StoreError) -> Instant {
        let why = error.to_string();
        let (since, is_new) = match &self.away {
            Some((since, told)) => (*since, *told != why),
            None => {
                self.shared.counters.lost.add();
                (Instant::now(), true)
            }
        };
        if is_new {
            self.tell(Event::Down(why.clone()));
        }
        self.away = Some((since, why));
        since
    }

    fn came_back(&mut self) {
        if self.away.take().is_some() {
            self.shared.is_down.store(false, Ordering::Relaxed);
            self.shared.is_failing.store(false, Ordering::Relaxed);
            self.tell(Event::Up);
        }
    }

    fn tell(&self, event: Event) {
        if let Some(told) = &self.settings.told {
            told(event);
        }
    }
}

fn unanswered() -> StoreError {
    StoreError::Unavailable("the database did not answer in time".into())
}

fn refuse(batch: Vec<Job>, error: &StoreError) {
    for job in batch {
        if let Some(reply) = job.reply {
            // Who asked may have gone.
            let _ = reply.send(Err(error.clone()));
        }
    }
}

/// One transaction.
async fn transact(
    link: &mut Link,
    batch: &[Job],
    how: &How,
    last: &Head,
) -> Result<Written, StoreError> {
    link.connection().await?;
    let set_back = link.set_back(last).await?;
    let connection = link.connection().await?;
    connection.begin().await?;
    let done = match apply(connection, batch, how).await {
        Ok(written) => connection.commit().await.map(|()| written),
        Err(error) => Err(error),
    };
    match done {
        Ok(written) => {
            link.was_used();
            Ok(Written {
                set_back,
                ..written
            })
        }
        Err(error) => {
            // Where nothing was begun there is nothing to take back, and a new connection does no harm.
            if !connection.roll_back().await {
                link.forget();
            }
            Err(error)
        }
    }
}

/// Whether the database answers, and is this server's still; also whether it can be written to, which changes
/// nothing.
async fn touch(link: &mut Link, writes: bool, owner: Option<&str>) -> Result<(), StoreError> {
    let connection = link.connection().await?;
    if let Some(owner) = owner
        && !jti::are_of(connection, owner).await?
    {
        return Err(taken());
    }
    if !writes {
        return connection.ping().await;
    }
    connection.begin().await?;
    let sql = "UPDATE cds_audit_head SET seq = seq WHERE one = 1";
    let done = match connection.execute(sql, vec![]).await {
        Ok(_) => connection.commit().await,
        Err(error) => Err(error),
    };
    if done.is_err() && !connection.roll_back().await {
        link.forget();
    }
    done
}
