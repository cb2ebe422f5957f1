//! A store: what a server writes to, and what reports are made from.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::StoreError;
use crate::audit::{self, AuditEntry, AuditFilter, Checked, Head, Prepared, Purged, StoredEntry};
use crate::db::{Connection, Mode, Place};
use crate::feedback::{FeedbackBatch, FeedbackCounts};
use crate::hash;
use crate::ids::Ids;
use crate::jti::Used;
use crate::recorded::{self, RecordedCall};
use crate::report::{self, Asked, Report};
use crate::schema;
use crate::settings::Settings;
use crate::shown::Shown;
use crate::time::micros;
use crate::tokens::Tokens;
use crate::writer::{Counts, Done, Link, Work, Writer};

/// A store that is written to. Cheap to clone; closed with the last clone, after what waits is written.
///
/// Every method that writes comes back when what it wrote is durable, or with an error within twice
/// [`Settings::wait`].
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    writer: Writer,
    reader: Reader,
    settings: Settings,
    /// Tells this store's questions from those of others.
    asked: Ids,
    /// Of SQLite.
    tokens: Option<Arc<Tokens>>,
}

/// How long a database may take when the store is opened: to be made or brought forward, and to say that it is
/// there, where the store is opened without it else.
const OPENING: Duration = Duration::from_secs(600);
const ANSWERING: Duration = Duration::from_secs(10);

/// A call: its entry in the audit log, the cards that were shown, and the whole of it where calls are
/// recorded. Written together, or not at all.
#[derive(Clone, Debug)]
pub struct CallRecord {
    /// Its entry in the audit log.
    pub entry: AuditEntry,
    /// The cards, if any were shown.
    pub shown: Option<Shown>,
    /// The whole, for a replay.
    pub recorded: Option<RecordedCall>,
}

impl Store {
    /// Opens a store, makes it where there is none, and brings one of an older version forward. Must be
    /// called in a tokio runtime, in which the writer then runs. `name` tells this process from others
    /// that use the store, as host and process id do.
    ///
    /// # Errors
    /// What is wrong with the place, or that the database is away; not the latter with
    /// [`Settings::starts_without`]: [`Store::counts`] and [`Settings::told`] tell then.
    pub async fn open(place: &Place, settings: Settings, name: &str) -> Result<Self, StoreError> {
        let mut tries = 0;
        // A file does not keep anybody waiting, and may have to be brought forward.
        let most = match settings.starts_without && place.file().is_none() {
            true => ANSWERING,
            false => OPENING,
        };
        let opened = loop {
            // Of two servers that start at once one may find the other in the middle of it.
            match tokio::time::timeout(most, Link::open(place)).await {
                Ok(Err(StoreError::Busy(_))) if tries < 20 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Ok(other) => break other,
                Err(_) => {
                    let text = "the database did not answer in time";
                    break Err(StoreError::Unavailable(text.into()));
                }
            }
        };
        let (link, away) = match opened {
            Ok(link) => (link, None),
            Err(
                error @ (StoreError::Unavailable(_) | StoreError::Busy(_) | StoreError::Full(_)),
            ) if settings.starts_without => (Link::away(place), Some(error)),
            Err(error) => return Err(error),
        };
        let asked = Ids::new(name);
        let tokens = place.file().map(|_| {
            let owner = asked.next(Timestamp::UNIX_EPOCH);
            Arc::new(Tokens::new(owner, settings.tokens))
        });
        Ok(Store(Arc::new(Inner {
            writer: Writer::start(link, &settings, away.as_ref(), tokens.clone()),
            reader: Reader::new(place.clone()),
            settings,
            asked,
            tokens,
        })))
    }

    /// Writes a call. One that is too large to be recorded in full is written without the whole, and its entry
    /// says so.
    pub async fn record(&self, record: CallRecord) -> Result<Head, StoreError> {
        let CallRecord {
            mut entry,
            mut shown,
            recorded,
        } = record;
        let size = recorded.as_ref().map_or(0, RecordedCall::size);
        let recorded = recorded.filter(|_| size <= recorded::LONGEST);
        if size > recorded::LONGEST {
            let most = recorded::LONGEST;
            let said = format!("no: it has {size} bytes, and {most} can be kept");
            entry.details.push(("recorded-in-full".to_owned(), said));
        }
        if let (Some(shown), Some(key)) = (&mut shown, &self.0.settings.pseudonym_key)
            && let Some(patient) = &mut shown.patient
        {
            let pseudonym = hash::keyed(key, patient)?;
            // An id has no character that JSON writes otherwise.
            let named = |id: &str| format!("\"Patient/{id}\"");
            let (plain, hidden) = (named(patient), named(&pseudonym));
            for card in &mut shown.cards {
                card.evidence = card.evidence.replace(&plain, &hidden);
            }
            *patient = pseudonym;
        }
        let work = Work::Entry {
            entry: Box::new(Prepared::new(&entry)?),
            shown: shown.filter(|shown| !shown.cards.is_empty()).map(Box::new),
            recorded,
        };
        self.entry(work).await
    }

    /// Writes an entry of the audit log.
    pub async fn audit(&self, entry: &AuditEntry) -> Result<Head, StoreError> {
        let work = Work::Entry {
            entry: Box::new(Prepared::new(entry)?),
            shown: None,
            recorded: None,
        };
        self.entry(work).await
    }

    async fn entry(&self, work: Work) -> Result<Head, StoreError> {
        match self.0.writer.submit(work).await? {
            Done::Entry(head) => Ok(head),
            _ => Err(unexpected()),
        }
    }

    /// Writes feedback, with its entry in the audit log. The same feedback may come any number of times,
    /// and before the card is recorded.
    pub async fn feedback(
        &self,
        batch: FeedbackBatch,
        entry: Option<&AuditEntry>,
    ) -> Result<FeedbackCounts, StoreError> {
        let entry = entry.map(Prepared::new).transpose()?.map(Box::new);
        match self
            .0
            .writer
            .submit(Work::Feedback { batch, entry })
            .await?
        {
            Done::Feedback(counts) => Ok(counts),
            _ => Err(unexpected()),
        }
    }

    /// Remembers the `jti` of an issuer's token until the token expires. Whether it is seen for the first
    /// time, by any server that shares this store. Expired ones are forgotten as of `now`.
    ///
    /// In PostgreSQL it is durable then. In SQLite it is once anything that was given to be written after it is
    /// acknowledged, or a tenth of a second later; and of two servers that use one file the one that began to take
    /// tokens first writes nothing more: its calls fail with [`StoreError::Unavailable`].
    pub async fn remember_jti(
        &self,
        iss: &str,
        jti: &str,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let owner = self.0.asked.next(now);
        let used = Used::new(iss, jti, expires, owner);
        if let Some(tokens) = &self.0.tokens {
            return self.remember_here(tokens, used, now).await;
        }
        match self.0.writer.submit(Work::Used { used, now }).await? {
            Done::First(first) => Ok(first),
            _ => Err(unexpected()),
        }
    }

    /// Where this server alone knows the tokens.
    async fn remember_here(
        &self,
        tokens: &Tokens,
        used: Used,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let writer = &self.0.writer;
        if !tokens.was_read() {
            // One asks, the others wait for it.
            let turn = tokio::time::timeout(self.0.settings.wait * 2, tokens.asking.lock()).await;
            let late = |_| StoreError::Busy("the tokens in the store are being read".into());
            let _turn = turn.map_err(late)?;
            if !tokens.was_read() {
                let owner = tokens.owner.clone();
                writer.submit(Work::TakeOver { owner }).await?;
            }
        }
        if !tokens.take(&used, micros(now))? {
            return Ok(false);
        }
        let given = writer.pass(Work::Used {
            used: used.clone(),
            now,
        });
        if given.is_err() {
            tokens.give_back(&used);
        }
        given.map(|()| true)
    }

    /// Removes what is older than `before`: entries of the audit log by whole stretches between
    /// checkpoints, recorded calls, cards and feedback. `entry` (id, time, who asks) becomes the entry of
    /// the log that says what was removed. To be called again while [`Purged::more`].
    pub async fn purge(&self, before: Timestamp, entry: AuditEntry) -> Result<Purged, StoreError> {
        let entry = Box::new(entry);
        match self.0.writer.submit(Work::Purge { before, entry }).await? {
            Done::Purged(purged) => Ok(purged),
            _ => Err(unexpected()),
        }
    }

    /// Puts all that is acknowledged into the one file of SQLite, so that a copy of it has all of it; what is
    /// written meanwhile may be beside it. Of PostgreSQL nothing is to be done.
    pub async fn settle(&self) -> Result<(), StoreError> {
        let place = &self.0.reader.place;
        if place.file().is_none() {
            return Ok(());
        }
        // Also what nobody waited for. Where it does not go, there is nothing to be done about it here.
        let _ = self.0.writer.submit(Work::Nothing).await;
        let mut connection = place.connect(Mode::Write).await?;
        let done = connection.settle().await;
        connection.close().await;
        done
    }

    /// What was written so far, what waits, and whether the database is there: for metrics and readiness.
    pub fn counts(&self) -> Counts {
        self.0.writer.counts()
    }

    /// Whether it is a file of SQLite, which is for one server.
    pub fn is_file(&self) -> bool {
        self.0.reader.place.file().is_some()
    }

    /// To read what is stored.
    pub fn reader(&self) -> &Reader {
        &self.0.reader
    }
}

fn unexpected() -> StoreError {
    StoreError::Internal("a record was written as something else".into())
}

/// Reads a store. Each question has a connection of its own; four at a time, the others wait.
pub struct Reader {
    place: Place,
    turns: Semaphore,
}

impl Reader {
    fn new(place: Place) -> Self {
        Reader {
            place,
            turns: Semaphore::new(4),
        }
    }

    /// Opens a store that is there, to read. Refused where another version of the program made it.
    pub async fn open(place: &Place) -> Result<Self, StoreError> {
        let mut connection = place.connect(Mode::Read).await?;
        schema::look(&mut connection).await?;
        connection.close().await;
        Ok(Reader::new(place.clone()))
    }

    /// What became of cards.
    pub async fn report(&self, asked: &Asked) -> Result<Report, StoreError> {
        let (mut connection, _turn) = self.begin().await?;
        let report = report::make(&mut connection, asked).await;
        connection.close().await;
        report
    }

    /// The last entry of the audit log: to be noted elsewhere.
    pub async fn head(&self) -> Result<Head, StoreError> {
        let (mut connection, _turn) = self.begin().await?;
        let head = audit::head(&mut connection).await;
        connection.close().await;
        head
    }

    /// What [`Store::purge`] would remove, called until nothing more goes.
    pub async fn due(&self, before: Timestamp) -> Result<Purged, StoreError> {
        let (mut connection, _turn) = self.begin().await?;
        let due = audit::due(&mut connection, before).await;
        connection.close().await;
        due
    }

    /// Whether the audit log is as it was written, from and to these entries (both included), and whether
    /// it has the head that somebody noted.
    pub async fn verify(
        &self,
        range: (Option<u64>, Option<u64>),
        expected: Option<&Head>,
    ) -> Result<Checked, StoreError> {
        let (mut connection, _turn) = self.begin().await?;
        let checked = audit::verify(&mut connection, range, expected).await;
        connection.close().await;
        checked
    }

    /// Entries of the audit log after number `after`, at most `most`, oldest first. The next page is after
    /// the last of these.
    pub async fn entries(
        &self,
        filter: &AuditFilter,
        after: u64,
        most: u64,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let (mut connection, _turn) = self.begin().await?;
        let entries = audit::page(&mut connection, filter, after, most).await;
        connection.close().await;
        entries
    }

    /// A call that was recorded in full. Refused where the audit log has other hashes of it.
    pub async fn recorded(&self, id: &str) -> Result<Option<RecordedCall>, StoreError> {
        let (mut connection, _turn) = self.begin().await?;
        let call = recorded::read(&mut connection, id).await;
        connection.close().await;
        call
    }

    /// A connection that shows one state of the whole.
    async fn begin(&self) -> Result<(Connection, SemaphorePermit<'_>), StoreError> {
        let ended = |_| StoreError::Internal("the store was closed".into());
        let turn = self.turns.acquire().await.map_err(ended)?;
        let mut connection = self.place.connect(Mode::Read).await?;
        connection.begin_reading().await?;
        Ok((connection, turn))
    }
}
