//! The store of cards, feedback and the audit log, as the server uses it.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use cds_hooks::seams::{CallRecord, Caller, Recorder};
use cds_security::ReplayStore;
use cds_store::{AuditEntry, AuditKind, Counts, Event, Ids, Place, Store, Timestamp};

use crate::admin::Check;
use crate::live::LiveSet;
use crate::loaded::NotLoaded;
use crate::metrics::Metrics;
use crate::record::{RecordSettings, StoreRecorder};
use crate::settings::Settings;
use crate::told::Tell;

/// Somebody reads the explanation of a call.
pub struct Reading<'r> {
    /// When, in milliseconds from 1970.
    pub now: i64,
    /// Who.
    pub reader: &'r Caller,
    /// Of what.
    pub call: &'r CallRecord,
    /// As a page.
    pub as_page: bool,
}

/// A store that is open.
#[derive(Clone)]
pub struct Kept {
    store: Store,
    recorder: Arc<StoreRecorder>,
    ids: Arc<Ids>,
    retention: Duration,
}

/// How long the end waits for the file of the store.
const SETTLING: Duration = Duration::from_secs(5);

/// As a command fails that cannot open it.
fn not_opened(place: &Place, why: &cds_store::StoreError) -> NotLoaded {
    let text = format!("[store] {place}: {why}");
    match why.is_of_machine() {
        true => NotLoaded::Internal(text),
        false => NotLoaded::User(text),
    }
}

impl Kept {
    /// Opens the store of the settings, or none where they have none. A database that is away is waited for
    /// while the server runs: calls are refused meanwhile, or answered without a record, as the settings say.
    ///
    /// # Errors
    /// Where it cannot be opened for what somebody has to put right.
    pub async fn open(
        settings: &Settings,
        place: Option<Place>,
        tell: &Tell,
    ) -> Result<Option<Self>, NotLoaded> {
        let (Some(wanted), Some(place)) = (&settings.store, place) else {
            return Ok(None);
        };
        let telling = Arc::clone(tell);
        let key = wanted.pseudonym_key.as_ref();
        let how = cds_store::Settings {
            wait: wanted.wait,
            starts_without: true,
            pseudonym_key: key.map(|key| key.expose().as_bytes().to_vec()),
            tokens: settings.tokens.max_remembered,
            told: Some(Arc::new(move |event| telling(&said(&event)))),
            ..cds_store::Settings::default()
        };
        let name = name();
        let store = Store::open(&place, how, &name).await;
        let store = store.map_err(|e| not_opened(&place, &e))?;
        let recording = RecordSettings {
            is_required: wanted.required,
            records_calls: wanted.record_requests,
            configuration: None,
        };
        let recorder = StoreRecorder::new(store, &name, recording);
        Ok(Some(Kept {
            store: recorder.store().clone(),
            recorder: Arc::new(recorder),
            ids: Arc::new(Ids::new(&format!("{name}/own"))),
            retention: wanted.retention,
        }))
    }

    /// Writes calls and feedback.
    pub fn recorder(&self) -> Arc<dyn Recorder> {
        Arc::clone(&self.recorder) as _
    }

    /// Remembers tokens for all servers that share the store; where calls are answered without it, and it is
    /// away, in `memory`.
    pub fn replay(&self, memory: impl FnOnce() -> Arc<dyn ReplayStore>) -> Arc<dyn ReplayStore> {
        let store = Remembered(self.store.clone());
        match self.recorder.is_required() {
            true if self.store.is_file() => Arc::new(Shared {
                store: Arc::new(store),
                memory: memory(),
            }),
            true => Arc::new(store),
            false => Arc::new(InBoth {
                store: Arc::new(store),
                memory: memory(),
            }),
        }
    }

    /// What to say at the start.
    pub fn note(&self) -> Option<String> {
        let meanwhile = match self.recorder.is_required() {
            true => "calls get 503",
            false => "calls are answered without a record",
        };
        (!self.store.counts().is_up).then(|| {
            format!(
                "note: the store cannot be written to (the log says why): until it can, {meanwhile}"
            )
        })
    }

    /// Whether it can be written to. The store itself looks from time to time, also where nobody writes.
    pub fn check(&self) -> Check {
        let store = self.store.clone();
        Box::new(move || {
            let found = match store.counts().is_up {
                true => Ok(()),
                false => Err("the database cannot be written to".to_owned()),
            };
            Box::pin(std::future::ready(found))
        })
    }

    /// Its numbers.
    pub fn watch(&self, metrics: &Metrics) {
        for (name, help, is_counter, read) in COUNTS {
            let store = self.store.clone();
            metrics.watch(name, help, is_counter, move || read(&store.counts()));
        }
    }

    /// Writes down that others are live from now on. `now` is in milliseconds from 1970.
    ///
    /// # Errors
    /// Why it could not be written, without anything of a patient.
    pub async fn live(
        &self,
        now: i64,
        part: &str,
        tenant: Option<&str>,
        set: Option<&LiveSet>,
    ) -> Result<(), String> {
        let at = Timestamp::from_millisecond(now).map_err(|e| e.to_string())?;
        let mut entry = AuditEntry::new(self.ids.next(at), at, AuditKind::Reload);
        entry.tenant = tenant.unwrap_or_default().to_owned();
        entry.details.push(("part".to_owned(), part.to_owned()));
        if let Some(set) = set {
            entry.rule_set = Some(set.configuration.clone());
            let count = set.rules.len().to_string();
            entry.details.push(("rules".to_owned(), count));
        }
        let written = self.store.audit(&entry).await;
        written.map(|_| ()).map_err(|e| e.to_string())
    }

    /// Whether what cannot be written down must not happen.
    pub fn is_required(&self) -> bool {
        self.recorder.is_required()
    }

    /// Writes down that somebody reads why a call was answered as it was. Comes back when that is durable.
    ///
    /// # Errors
    /// Why it could not be written, without anything of a patient.
    pub async fn explained(&self, reading: Reading<'_>) -> Result<(), String> {
        let Reading {
            now,
            reader,
            call,
            as_page,
        } = reading;
        let at = Timestamp::from_millisecond(now).map_err(|e| e.to_string())?;
        let text = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
        let mut entry = AuditEntry::new(self.ids.next(at), at, AuditKind::Explain);
        entry.tenant = text(&reader.tenant).unwrap_or_default();
        entry.client = text(&reader.client);
        entry.subject = text(&reader.subject);
        entry.roles = reader.roles.iter().map(ToString::to_string).collect();
        entry.patient = Some(call.patient.clone()).filter(|patient| !patient.is_empty());
        entry.services = vec![call.service.clone()];
        entry.hook = Some(call.hook.clone());
        entry.hook_instance = Some(call.hook_instance.clone());
        entry.rule_set = Some(call.configuration.clone());
        entry.status = 200;
        let form = if as_page { "page" } else { "json" };
        entry.details.push(("form".to_owned(), form.to_owned()));
        let written = self.store.audit(&entry).await;
        written.map(|_| ()).map_err(|e| e.to_string())
    }

    /// Removes what is over its time. `now` is in milliseconds from 1970.
    pub async fn purge(&self, now: i64, tell: &Tell) {
        let retention = i64::try_from(self.retention.as_millis()).unwrap_or(i64::MAX);
        let (Ok(at), Ok(before)) = (
            Timestamp::from_millisecond(now),
            Timestamp::from_millisecond(now.saturating_sub(retention)),
        ) else {
            return;
        };
        loop {
            let entry = AuditEntry::new(self.ids.next(at), at, AuditKind::Purge);
            match self.store.purge(before, entry).await {
                Ok(purged) => {
                    let gone = purged.entries + purged.recorded + purged.shown + purged.feedback;
                    if gone > 0 {
                        tell(&format!(
                            "removed what is over its time: {} entries of the audit log, {} recorded calls, {} cards, {} of feedback",
                            purged.entries, purged.recorded, purged.shown, purged.feedback
                        ));
                    }
                    if !purged.more {
                        return;
                    }
                }
                Err(e) => return tell(&format!("what is over its time could not be removed: {e}")),
            }
        }
    }

    /// The server ends: what is stored in a file is in it, so that a copy of it has all of it.
    pub async fn settle(&self, tell: &Tell) {
        let settled = tokio::time::timeout(SETTLING, self.store.settle()).await;
        let why = match settled {
            Ok(Ok(())) => return,
            Ok(Err(why)) => why.to_string(),
            Err(_) => "it took too long".to_owned(),
        };
        tell(&format!(
            "the file of the store does not have all of it, some is in the file beside it that ends in `-wal`: {why}"
        ));
    }
}

type OfStore = fn(&Counts) -> u64;

const COUNTS: [(&str, &str, bool, OfStore); 9] = [
    (
        "store_up",
        "Whether the store can be written to",
        false,
        |c| u64::from(c.is_up),
    ),
    (
        "store_waiting",
        "Records that wait to be written",
        false,
        |c| c.waiting,
    ),
    ("store_records", "Records that were written", true, |c| {
        c.records
    }),
    ("store_commits", "Transactions that they took", true, |c| {
        c.commits
    }),
    ("store_failed", "Transactions that failed", true, |c| {
        c.failed
    }),
    (
        "store_refused_full",
        "Records that found no room in the queue",
        true,
        |c| c.refused_full,
    ),
    (
        "store_refused_late",
        "Records that waited for the database in vain",
        true,
        |c| c.refused_late,
    ),
    (
        "store_refused_down",
        "Records that were refused since the database was away",
        true,
        |c| c.refused_down,
    ),
    (
        "store_set_back",
        "How often the audit log ended before what was acknowledged",
        true,
        |c| c.set_back,
    ),
];

/// Tells this server from others: host, process and start. In a container every process is the first, so that
/// the first two tell too little.
fn name() -> String {
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let start = since.map_or(0, |since| since.as_nanos());
    format!("{}/{}/{start}", host.trim(), std::process::id())
}

fn said(event: &Event) -> String {
    match event {
        Event::Checkpoint(head) => format!("the audit log is at a checkpoint: {head}"),
        Event::Down(why) => format!("the store cannot be written to: {why}"),
        Event::Up => "the store can be written to again".to_owned(),
        Event::SetBack {
            acknowledged,
            found,
        } => format!(
            "the audit log ends before what was acknowledged: {acknowledged} was, {found} is there; the database was set back"
        ),
    }
}

/// How long a token waits for the store where calls are answered without it.
const PATIENCE: Duration = Duration::from_millis(250);

/// Tokens that were used, in memory and in the store: where the store does not answer, this server still takes
/// none twice. What others that share the store took meanwhile it does not know.
struct InBoth {
    store: Arc<dyn ReplayStore>,
    memory: Arc<dyn ReplayStore>,
}

#[async_trait]
impl ReplayStore for InBoth {
    fn shared_by(&self, issuers: usize) {
        self.memory.shared_by(issuers);
    }

    async fn remember(&self, iss: &str, jti: &str, until: i64, now: i64) -> Result<bool, String> {
        let here = self.memory.remember(iss, jti, until, now).await;
        if here == Ok(false) {
            return here;
        }
        let stored = self.store.remember(iss, jti, until, now);
        match tokio::time::timeout(PATIENCE, stored).await {
            Ok(Ok(first)) => Ok(first),
            _ => here,
        }
    }
}

/// Tokens that were used, in a store that knows them in memory: there each issuer has its share, so that none
/// keeps the others out.
struct Shared {
    store: Arc<dyn ReplayStore>,
    memory: Arc<dyn ReplayStore>,
}

#[async_trait]
impl ReplayStore for Shared {
    fn shared_by(&self, issuers: usize) {
        self.memory.shared_by(issuers);
    }

    async fn remember(&self, iss: &str, jti: &str, until: i64, now: i64) -> Result<bool, String> {
        if !self.memory.remember(iss, jti, until, now).await? {
            return Ok(false);
        }
        let stored = self.store.remember(iss, jti, until, now).await;
        if stored.is_err() {
            self.memory.give_back(iss, jti, until);
        }
        stored
    }
}

/// Tokens that were used, in the store.
struct Remembered(Store);

#[async_trait]
impl ReplayStore for Remembered {
    async fn remember(&self, iss: &str, jti: &str, until: i64, now: i64) -> Result<bool, String> {
        let of = |second| Timestamp::from_second(second).map_err(|e| e.to_string());
        let known = self.0.remember_jti(iss, jti, of(until)?, of(now)?).await;
        known.map_err(|e| e.to_string())
    }
}
