//! Key sets by their address: fetched once for all, and again when they are old or lack a key.
//!
//! ```text
//! age of the set   0 ─── fresh ─── usable ───▶
//! known kid          used │ used, and a   │ fetched, or the token is
//!                         │ new one sought│ refused
//! unknown kid        fetched, if the last look is `retry` ago
//! ```
//!
//! One fetch at a time for one address; who needs it waits for it. How many addresses there are is
//! fixed by the configuration, whatever tokens say.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::algorithm::Algorithm;
use crate::client::Policy;
use crate::key_fetcher::KeyFetcher;
use crate::key_set::KeySet;

/// When to fetch.
#[derive(Clone, Debug)]
pub(crate) struct Ages {
    fresh: i64,
    usable: i64,
    retry: i64,
    time: Duration,
    most: usize,
}

impl From<&Policy> for Ages {
    fn from(policy: &Policy) -> Self {
        Ages {
            fresh: i64::from(policy.keys_fresh_seconds),
            usable: i64::from(policy.keys_usable_seconds.max(policy.keys_fresh_seconds)),
            retry: i64::from(policy.keys_retry_seconds),
            time: Duration::from_millis(policy.keys_timeout_ms),
            most: policy.max_keys_bytes,
        }
    }
}

/// What became of fetches, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FetchCounts {
    /// Key sets that were fetched and taken.
    pub fetched: u64,
    /// Fetches that failed, and key sets that could not be read.
    pub failed: u64,
}

/// The key sets of all listed addresses.
pub(crate) struct KeyCache {
    fetcher: Arc<dyn KeyFetcher>,
    ages: Ages,
    by_url: HashMap<String, Arc<Entry>>,
}

/// One address.
#[derive(Default)]
struct Entry {
    state: Mutex<State>,
}

#[derive(Clone, Default)]
struct State {
    keys: Option<(Arc<KeySet>, i64)>,
    /// The last look, whatever came of it.
    looked: Option<i64>,
    /// Why the last look failed.
    failure: Option<String>,
    counts: FetchCounts,
    /// The fetch under way; closed when it is over.
    under_way: Option<watch::Receiver<()>>,
}

/// What is known of one address, for the operator.
#[derive(Clone, Debug)]
pub struct KeyState {
    /// The address.
    pub url: String,
    /// Keys at hand.
    pub keys: usize,
    /// When they were fetched, in seconds since 1970.
    pub fetched: Option<i64>,
    /// Why the last look failed.
    pub failure: Option<String>,
    /// What was left out of the set.
    pub left_out: Vec<String>,
    /// Fetches since the start.
    pub counts: FetchCounts,
}

impl Entry {
    fn state(&self) -> State {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The set, where it is not older than `most`. A clock that was put back makes it old.
    fn keys(&self, now: i64, most: i64) -> Option<&Arc<KeySet>> {
        let (keys, at) = self.keys.as_ref()?;
        (now - at).abs().le(&most).then_some(keys)
    }

    /// Whether another look may be taken.
    fn may_look(&self, now: i64, retry: i64) -> bool {
        self.looked.is_none_or(|at| (now - at).abs() >= retry)
    }
}

impl KeyCache {
    /// For these addresses; what `before` has of them is kept.
    pub(crate) fn new<'a>(
        urls: impl IntoIterator<Item = &'a str>,
        policy: &Policy,
        fetcher: Arc<dyn KeyFetcher>,
        before: Option<&KeyCache>,
    ) -> Self {
        let entry = |url: &str| before.and_then(|before| before.by_url.get(url).cloned());
        let by_url = urls
            .into_iter()
            .map(|url| (url.to_owned(), entry(url).unwrap_or_default()))
            .collect();
        KeyCache {
            fetcher,
            ages: policy.into(),
            by_url,
        }
    }

    /// The set at `url` that has a key for this algorithm and `kid`.
    ///
    /// # Errors
    /// Why there is none, for the log.
    pub(crate) async fn find(
        &self,
        url: &str,
        algorithm: Algorithm,
        kid: Option<&str>,
        now: i64,
    ) -> Result<Arc<KeySet>, String> {
        let Some(entry) = self.by_url.get(url) else {
            return Err("the key set is not on the list".to_owned());
        };
        let fits = |keys: &Arc<KeySet>| !keys.fitting(algorithm, kid).is_empty();
        let state = entry.state();
        if let Some(keys) = state.keys(now, self.ages.fresh).filter(|keys| fits(keys)) {
            return Ok(Arc::clone(keys));
        }
        if let Some(keys) = state.keys(now, self.ages.usable).filter(|keys| fits(keys)) {
            drop(self.look(url, entry, now));
            return Ok(Arc::clone(keys));
        }
        if let Some(mut under_way) = self.look(url, entry, now) {
            // An error says that it is over.
            let _ = under_way.changed().await;
        }
        let state = entry.state();
        match state.keys(now, self.ages.usable) {
            Some(keys) if fits(keys) => Ok(Arc::clone(keys)),
            Some(_) => Err("the key set has no key of this `kid` and algorithm".to_owned()),
            None => {
                let why = state.failure.as_deref().unwrap_or("it is too old");
                Err(format!("the key set cannot be had: {why}"))
            }
        }
    }

    /// Starts a fetch, unless one is under way already or was so lately that none may follow. It goes on
    /// where its caller goes away, so that nobody can make it fail by doing so.
    fn look(&self, url: &str, entry: &Arc<Entry>, now: i64) -> Option<watch::Receiver<()>> {
        let mut state = entry.lock();
        let under_way = state.under_way.as_ref();
        if let Some(under_way) = under_way.filter(|w| w.has_changed().is_ok()) {
            return Some(under_way.clone());
        }
        if !state.may_look(now, self.ages.retry) {
            return None;
        }
        state.looked = Some(now);
        let (done, under_way) = watch::channel(());
        state.under_way = Some(under_way.clone());
        let (url, entry) = (url.to_owned(), Arc::clone(entry));
        let (ages, fetcher) = (self.ages.clone(), Arc::clone(&self.fetcher));
        tokio::spawn(async move {
            fetch(&url, &entry, &ages, fetcher.as_ref(), now).await;
            drop(done);
        });
        Some(under_way)
    }

    /// Fetches all that were never fetched, at the same time.
    pub(crate) async fn warm(&self, now: i64) {
        let missing = self.by_url.iter().filter(|(_, e)| e.lock().keys.is_none());
        let looks: Vec<_> = missing
            .filter_map(|(url, e)| self.look(url, e, now))
            .collect();
        for mut under_way in looks {
            let _ = under_way.changed().await;
        }
    }

    /// What is known of every address, in their order.
    pub(crate) fn states(&self) -> Vec<KeyState> {
        let mut all: Vec<_> = self
            .by_url
            .iter()
            .map(|(url, entry)| {
                let state = entry.state();
                let (keys, fetched) = match state.keys {
                    Some((keys, at)) => (keys, Some(at)),
                    None => (Arc::default(), None),
                };
                KeyState {
                    url: url.clone(),
                    keys: keys.len(),
                    fetched,
                    failure: state.failure,
                    left_out: keys.left_out.clone(),
                    counts: state.counts,
                }
            })
            .collect();
        all.sort_by(|a, b| a.url.cmp(&b.url));
        all
    }
}

/// Fetches a set. One that fails leaves the one before in its place.
async fn fetch(url: &str, entry: &Entry, ages: &Ages, fetcher: &dyn KeyFetcher, now: i64) {
    let body = tokio::time::timeout(ages.time, fetcher.fetch(url, ages.most, ages.time)).await;
    let keys = match body {
        Err(_) => Err("it did not come in time".to_owned()),
        Ok(Err(why)) => Err(why),
        Ok(Ok(body)) if body.len() > ages.most => Err("it is too large".to_owned()),
        Ok(Ok(body)) => KeySet::parse(&body).map_err(|why| format!("it {why}")),
    };
    let mut state = entry.lock();
    match keys {
        Ok(keys) => {
            state.keys = Some((Arc::new(keys), now));
            state.failure = None;
            state.counts.fetched += 1;
        }
        Err(why) => {
            state.failure = Some(why);
            state.counts.failed += 1;
        }
    }
}
