//! Recent calls, to be explained: so many, of so many bytes, for so long.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cds_hooks::ServiceSet;
use cds_hooks::seams::CallRecord;

/// What is kept at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Calls.
    pub calls: usize,
    /// Bytes of requests and of what was fetched.
    pub bytes: usize,
    /// How long.
    pub age: Duration,
}

/// A call that is kept, and the rules that answered it.
pub(super) struct Call {
    pub(super) record: CallRecord,
    pub(super) set: Arc<ServiceSet>,
    bytes: usize,
    since: Instant,
}

/// How much is kept, and what went before its time.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Calls that are kept.
    pub calls: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Calls that made room for others before they were too old.
    pub pushed_out: u64,
    /// Calls that were larger than all that may be kept.
    pub too_large: u64,
    /// Calls that were not kept, since other rules were live by the time of their answer.
    pub outdated: u64,
}

/// Sets of rules that are kept for calls that they answered, beside those that are live: each takes as much
/// memory as thousands of calls.
const FORMER_SETS: usize = 4;

/// Recent calls; of more than there is room for the oldest goes. In memory only.
pub(super) struct Ring {
    bounds: Bounds,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    calls: VecDeque<Arc<Call>>,
    /// The sets that answered them, and how many calls each.
    sets: Vec<(Arc<ServiceSet>, usize)>,
    counts: Counts,
}

impl Ring {
    pub(super) fn new(bounds: Bounds) -> Self {
        Ring {
            bounds,
            kept: Mutex::default(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call cannot be kept: its rules are live no more.
    pub(super) fn outdated(&self) {
        self.lock().counts.outdated += 1;
    }

    /// Keeps a call that came at a moment, where so many sets are live.
    pub(super) fn keep(&self, record: CallRecord, set: Arc<ServiceSet>, live: usize, now: Instant) {
        let bytes = size(&record);
        let mut kept = self.lock();
        kept.forget(self.bounds.age, now);
        if bytes > self.bounds.bytes || self.bounds.calls == 0 {
            kept.counts.too_large += 1;
            return;
        }
        while kept.calls.len() >= self.bounds.calls || kept.counts.bytes + bytes > self.bounds.bytes
        {
            if !kept.drop_oldest() {
                break;
            }
            kept.counts.pushed_out += 1;
        }
        kept.counts.bytes += bytes;
        let known = kept.sets.iter_mut().find(|(of, _)| Arc::ptr_eq(of, &set));
        match known {
            Some((_, calls)) => *calls += 1,
            None => kept.sets.push((Arc::clone(&set), 1)),
        }
        kept.calls.push_back(Arc::new(Call {
            record,
            set,
            bytes,
            since: now,
        }));
        while kept.sets.len() > live + FORMER_SETS && kept.drop_oldest() {
            kept.counts.pushed_out += 1;
        }
        kept.counts.calls = kept.calls.len();
    }

    /// The latest call of a service with this hook instance, of a tenant's.
    pub(super) fn find(
        &self,
        service: &str,
        hook_instance: &str,
        tenant: Option<&str>,
        now: Instant,
    ) -> Option<Arc<Call>> {
        let mut kept = self.lock();
        kept.forget(self.bounds.age, now);
        let is_it = |call: &&Arc<Call>| {
            let record = &call.record;
            record.service == service
                && record.hook_instance.eq_ignore_ascii_case(hook_instance)
                && record.tenant.as_deref() == tenant
        };
        kept.calls.iter().rev().find(is_it).cloned()
    }

    /// How much is kept.
    pub(super) fn counts(&self, now: Instant) -> Counts {
        let mut kept = self.lock();
        kept.forget(self.bounds.age, now);
        kept.counts
    }
}

impl Kept {
    /// Forgets what is too old.
    fn forget(&mut self, age: Duration, now: Instant) {
        let old = |call: &Arc<Call>| now.saturating_duration_since(call.since) >= age;
        while self.calls.front().is_some_and(old) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) -> bool {
        let oldest = self.calls.pop_front();
        if let Some(call) = &oldest {
            self.counts.bytes = self.counts.bytes.saturating_sub(call.bytes);
            for (set, calls) in &mut self.sets {
                *calls -= usize::from(Arc::ptr_eq(set, &call.set));
            }
            self.sets.retain(|(_, calls)| *calls > 0);
        }
        self.counts.calls = self.calls.len();
        oldest.is_some()
    }
}

/// About what a call takes in memory.
fn size(record: &CallRecord) -> usize {
    let text = |text: &String| text.len() + 24;
    let rules = record.rules.iter().map(|rule| {
        let reason = rule.reason.as_ref().map_or(0, text);
        160 + text(&rule.rule) + text(&rule.version) + text(&rule.hash) + reason
    });
    let cards = record.cards.iter().map(|card| {
        let lists = card.suggestions.iter().chain(&card.evidence);
        240 + text(&card.summary) + lists.map(text).sum::<usize>()
    });
    let fetched = record
        .fetched
        .iter()
        .map(|(key, json)| text(key) + text(json));
    let request = record.request.as_ref().map_or(0, Vec::capacity);
    let lacking = record.lacking.iter().map(text);
    let names = [
        Some(&record.service),
        Some(&record.hook_instance),
        Some(&record.patient),
        record.user.as_ref(),
        record.encounter.as_ref(),
        record.fhir_server.as_ref(),
        record.consent.as_ref(),
    ];
    512 + request
        + names.into_iter().flatten().map(text).sum::<usize>()
        + rules.sum::<usize>()
        + cards.sum::<usize>()
        + fetched.sum::<usize>()
        + lacking.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(instance: &str, tenant: Option<&str>, bytes: usize) -> CallRecord {
        CallRecord {
            service: "s".into(),
            hook_instance: instance.into(),
            tenant: tenant.map(str::to_owned),
            request: Some(vec![b'x'; bytes]),
            ..CallRecord::default()
        }
    }

    fn ring(calls: usize, bytes: usize) -> Ring {
        Ring::new(Bounds {
            calls,
            bytes,
            age: Duration::from_secs(60),
        })
    }

    fn set() -> Arc<ServiceSet> {
        Arc::new(ServiceSet::empty())
    }

    fn is_kept(ring: &Ring, instance: &str, now: Instant) -> bool {
        ring.find("s", instance, None, now).is_some()
    }

    #[test]
    fn of_too_many_the_oldest_goes() {
        let (ring, now) = (ring(2, 1 << 20), Instant::now());
        for instance in ["a", "b", "c"] {
            ring.keep(call(instance, None, 10), set(), 1, now);
        }
        assert!(!is_kept(&ring, "a", now) && is_kept(&ring, "b", now) && is_kept(&ring, "c", now));
        let counts = ring.counts(now);
        assert_eq!((counts.calls, counts.pushed_out), (2, 1));
    }

    #[test]
    fn of_too_many_bytes_too() {
        let (ring, now) = (ring(100, 10_000), Instant::now());
        for instance in ["a", "b", "c"] {
            ring.keep(call(instance, None, 4_000), set(), 1, now);
        }
        assert!(!is_kept(&ring, "a", now) && is_kept(&ring, "c", now));
        assert!(ring.counts(now).bytes <= 10_000);
        // One that is larger than all of it takes nothing from the others.
        ring.keep(call("d", None, 20_000), set(), 1, now);
        assert!(!is_kept(&ring, "d", now) && is_kept(&ring, "c", now));
        assert_eq!(ring.counts(now).too_large, 1);
    }

    #[test]
    fn what_is_too_old_is_gone() {
        let (ring, now) = (ring(10, 1 << 20), Instant::now());
        ring.keep(call("a", None, 10), set(), 1, now);
        assert!(is_kept(&ring, "a", now + Duration::from_secs(59)));
        assert!(!is_kept(&ring, "a", now + Duration::from_secs(60)));
        let counts = ring.counts(now + Duration::from_secs(60));
        assert_eq!((counts.calls, counts.bytes, counts.pushed_out), (0, 0, 0));
    }

    /// Reloads must not fill the memory with sets of rules of which one call each is kept.
    #[test]
    fn of_too_many_former_sets_the_oldest_goes_with_its_calls() {
        let (ring, now) = (ring(100, 1 << 20), Instant::now());
        let sets: Vec<_> = (0..8).map(|_| set()).collect();
        for (number, of) in sets.iter().enumerate() {
            for call_of in 0..2 {
                let call = call(&format!("{number}-{call_of}"), None, 10);
                ring.keep(call, Arc::clone(of), 1, now);
            }
        }
        let held = sets.iter().filter(|set| Arc::strong_count(set) > 1).count();
        assert_eq!(held, 1 + FORMER_SETS);
        assert!(!is_kept(&ring, "2-1", now) && is_kept(&ring, "3-0", now));
        let counts = ring.counts(now);
        assert_eq!((counts.calls, counts.pushed_out), (10, 6));
    }

    #[test]
    fn anothers_calls_are_not_found() {
        let (ring, now) = (ring(10, 1 << 20), Instant::now());
        ring.keep(call("a", Some("north"), 10), set(), 1, now);
        let of = |tenant| ring.find("s", "A", tenant, now).is_some();
        assert!(of(Some("north")) && !of(Some("south")) && !of(None));
        assert!(ring.find("other", "a", Some("north"), now).is_none());
    }
}
