//! Key sets by their address: fetched once for all, and again when they are old or lack a key.
//!
//! ```text
//! age of the set   0 ─── fresh ─── usable ───▶
//! known kid          used │ used, and a   │ fetched, or the token is
//!                         │ new one sought│ refused
//! unknown kid        fetched, where another look may be taken
//! ```
//!
//! A few looks at one address may follow each other at once ([`AT_ONCE`]), then one each `retry`: a look just
//! before does not put off the one for a new key, and whoever writes tokens of keys that nobody has puts it
//! off by `retry` and no longer.
//!
//! One fetch at a time for one address; who needs it waits for it. How many addresses there are is
//! fixed by the configuration, whatever tokens say.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::algorithm::Algorithm;
use crate::client::Policy;
use crate::denied::shown;
use crate::key_fetcher::KeyFetcher;
use crate::key_set::KeySet;

/// Looks at one address that may follow each other at once.
const AT_ONCE: i64 = 3;

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
    /// When every look that was taken is made up for, at one each `retry`.
    spent: Option<i64>,
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

    fn has_keys(&self) -> bool {
        self.keys.as_ref().is_some_and(|(keys, _)| !keys.is_empty())
    }

    /// Why there is no key that fits; `others`: there are some that do not.
    fn lack(&self, others: bool) -> String {
        match (others, &self.failure) {
            (true, None) => "the key set has no key of this `kid` and algorithm".to_owned(),
            (true, Some(why)) => format!(
                "the key set has no key of this `kid` and algorithm, and a newer one cannot be had: {why}"
            ),
            (false, Some(why)) => format!("the key set cannot be had: {why}"),
            (false, None) => "the key set cannot be had: it is too old".to_owned(),
        }
    }

    /// Whether another look may be taken. It counts then.
    fn takes_look(&mut self, now: i64, retry: i64) -> bool {
        // With a clock that was put back all begins anew.
        let spent = self.spent.filter(|spent| spent - now <= AT_ONCE * retry);
        let spent = spent.unwrap_or(now).max(now);
        let may = spent - now <= (AT_ONCE - 1) * retry;
        if may {
            self.spent = Some(spent + retry);
        }
        may
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

    /// The first set of these addresses that has a key for this algorithm and `kid`. What is at hand is
    /// taken at once, whatever becomes of the others; then all are looked at, at the same time.
    ///
    /// # Errors
    /// Why there is none, for the log.
    pub(crate) async fn find(
        &self,
        urls: &[String],
        algorithm: Algorithm,
        kid: Option<&str>,
        now: i64,
    ) -> Result<Arc<KeySet>, String> {
        let fits = |keys: &&Arc<KeySet>| !keys.fitting(algorithm, kid).is_empty();
        let listed = |url: &String| self.by_url.get_key_value(url);
        let entries: Vec<(&String, &Arc<Entry>)> = urls.iter().filter_map(listed).collect();
        for most in [self.ages.fresh, self.ages.usable] {
            for (url, entry) in &entries {
                let state = entry.state();
                let Some(keys) = state.keys(now, most).filter(fits) else {
                    continue;
                };
                if state.keys(now, self.ages.fresh).is_none() {
                    drop(self.look(url, entry, now));
                }
                return Ok(Arc::clone(keys));
            }
        }
        let looks = entries
            .iter()
            .map(|(url, entry)| self.look(url, entry, now));
        let looks: Vec<_> = looks.flatten().collect();
        for mut under_way in looks {
            // An error says that it is over.
            let _ = under_way.changed().await;
        }
        let mut why = vec![];
        for (url, entry) in entries {
            let state = entry.state();
            let keys = state.keys(now, self.ages.usable);
            if let Some(keys) = keys.filter(fits) {
                return Ok(Arc::clone(keys));
            }
            why.push(format!(
                "{} ({})",
                state.lack(keys.is_some_and(|keys| !keys.is_empty())),
                shown(url)
            ));
        }
        Err(why.join("; "))
    }

    /// Starts a fetch, unless one is under way already or was so lately that none may follow. It goes on
    /// where its caller goes away, so that nobody can make it fail by doing so.
    fn look(&self, url: &str, entry: &Arc<Entry>, now: i64) -> Option<watch::Receiver<()>> {
        let mut state = entry.lock();
        let under_way = state.under_way.as_ref();
        if let Some(under_way) = under_way.filter(|w| w.has_changed().is_ok()) {
            return Some(under_way.clone());
        }
        if !state.takes_look(now, self.ages.retry) {
            return None;
        }
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

    /// Fetches all of which there is no key, at the same time.
    pub(crate) async fn warm(&self, now: i64) {
        let missing = self.by_url.iter().filter(|(_, e)| !e.lock().has_keys());
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

/// Fetches a set. Where none comes the one before stays in its place; one without keys takes it, since it says
/// that the keys are withdrawn.
async fn fetch(url: &str, entry: &Entry, ages: &Ages, fetcher: &dyn KeyFetcher, now: i64) {
    let body = tokio::time::timeout(ages.time, fetcher.fetch(url, ages.most, ages.time)).await;
    let keys = match body {
        Err(_) => Err("it did not come in time".to_owned()),
        Ok(Err(why)) => Err(why),
        Ok(Ok(body)) if body.len() > ages.most => Err("it is too large".to_owned()),
        Ok(Ok(body)) => KeySet::published(&body).map_err(|why| format!("it {why}")),
    };
    let mut state = entry.lock();
    match keys {
        Ok(keys) => {
            state.failure = keys.lack().map(|why| format!("it {why}"));
            match state.failure {
                None => state.counts.fetched += 1,
                Some(_) => state.counts.failed += 1,
            }
            state.keys = Some((Arc::new(keys), now));
        }
        Err(why) => {
            state.failure = Some(why);
            state.counts.failed += 1;
        }
    }
}
