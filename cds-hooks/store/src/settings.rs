//! How a store works.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::audit::Head;

/// How a store works. The default suits a server.
#[derive(Clone)]
pub struct Settings {
    /// Records that wait to be written, at most; more are refused at once.
    pub queue: usize,
    /// Bytes of these, at most.
    pub queue_bytes: usize,
    /// Records that are written in one transaction, at most.
    pub batch: usize,
    /// How long a record waits for a database that does not answer. Who gave it waits twice as long at
    /// most; while the database is known to be away nobody waits.
    pub wait: Duration,
    /// A database that is away when the store is opened is waited for, as one that goes away later. Otherwise
    /// the store is not opened.
    pub starts_without: bool,
    /// Ids of patients in the records of cards, and in what these rest on, are hashed with this key. The audit
    /// log says who was looked at: it has them as they are.
    pub pseudonym_key: Option<Vec<u8>>,
    /// Entries of the audit log from one checkpoint to the next. Entries are removed by whole stretches.
    pub checkpoint_every: u64,
    /// Tokens that were used and have not expired, at most: of SQLite, where they are known in memory (some 60 bytes
    /// each). One more is refused.
    pub tokens: usize,
    /// Is told what happens; must not block. Default: nobody.
    pub told: Option<Told>,
}

/// Who is told of events.
pub type Told = Arc<dyn Fn(Event) + Send + Sync>;

/// What somebody outside should know, and a log should hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The audit log came to a checkpoint. A head that is noted outside the database shows later whether
    /// anything before it was changed.
    Checkpoint(Head),
    /// The database cannot be written to; why.
    Down(String),
    /// It can again.
    Up,
    /// The audit log ends before what was acknowledged: the database was set back, as by a copy that was
    /// restored or a standby that had not received all.
    SetBack {
        /// What was acknowledged.
        acknowledged: Head,
        /// What is there.
        found: Head,
    },
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            queue: 4096,
            queue_bytes: 64 << 20,
            batch: 512,
            wait: Duration::from_secs(2),
            starts_without: false,
            pseudonym_key: None,
            checkpoint_every: 1000,
            tokens: 1_000_000,
            told: None,
        }
    }
}

/// Without the key.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("queue", &self.queue)
            .field("queue_bytes", &self.queue_bytes)
            .field("batch", &self.batch)
            .field("wait", &self.wait)
            .field("starts_without", &self.starts_without)
            .field("pseudonyms", &self.pseudonym_key.is_some())
            .field("checkpoint_every", &self.checkpoint_every)
            .field("tokens", &self.tokens)
            .finish_non_exhaustive()
    }
}
