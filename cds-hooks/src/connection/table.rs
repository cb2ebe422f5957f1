//! All open connections: who may come in, and who has to go.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::phase::{Connection, Phase};
use crate::limits::Limits;

/// A request that has not come on for so long is not on its way.
const STALE: Duration = Duration::from_secs(1);

/// Connections that were not served as they might have hoped, for `/health` and whoever counts.
#[derive(Default, Debug)]
pub struct Turned {
    refused: AtomicU64,
    closed_for_others: AtomicU64,
    timed_out: AtomicU64,
    accept_errors: AtomicU64,
    handshake_errors: AtomicU64,
}

impl Turned {
    /// `None` as long as there were none.
    pub(crate) fn counts(&self) -> Option<Value> {
        let all = [
            &self.refused,
            &self.closed_for_others,
            &self.timed_out,
            &self.accept_errors,
            &self.handshake_errors,
        ];
        let all = all.map(|n| n.load(Ordering::Relaxed));
        let [
            refused,
            closed_for_others,
            timed_out,
            accept_errors,
            handshake_errors,
        ] = all;
        let told = json!({
            "refused": refused, "closed_for_others": closed_for_others,
            "timed_out": timed_out, "accept_errors": accept_errors, "handshake_errors": handshake_errors,
        });
        all.iter().any(|n| *n > 0).then_some(told)
    }

    /// Each kind with its name.
    pub fn each(&self) -> [(&'static str, u64); 5] {
        [
            ("refused", &self.refused),
            ("closed_for_others", &self.closed_for_others),
            ("timed_out", &self.timed_out),
            ("accept_errors", &self.accept_errors),
            ("handshake_errors", &self.handshake_errors),
        ]
        .map(|(name, count)| (name, count.load(Ordering::Relaxed)))
    }

    pub(crate) fn accept_error(&self) {
        add(&self.accept_errors);
    }
}

fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

/// The open connections.
pub(crate) struct Connections {
    start: Instant,
    limits: Limits,
    turned: Arc<Turned>,
    live: Mutex<Live>,
}

#[derive(Default)]
struct Live {
    next: u64,
    by_number: HashMap<u64, Arc<Connection>>,
}

/// A place among the connections; given back when dropped.
pub(crate) struct Place {
    number: u64,
    pub(crate) connection: Arc<Connection>,
    pub(super) all: Arc<Connections>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all.lock().by_number.remove(&self.number);
    }
}

impl Connections {
    pub(crate) fn new(limits: &Limits, turned: Arc<Turned>) -> Arc<Self> {
        Arc::new(Connections {
            start: Instant::now(),
            limits: limits.clone(),
            turned,
            live: Mutex::default(),
        })
    }

    /// A connection to a TLS port was none.
    pub(super) fn not_secure(&self) {
        add(&self.turned.handshake_errors);
    }

    fn lock(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a new connection; `None` where all are in use.
    pub(crate) fn admit(self: &Arc<Self>) -> Option<Place> {
        let mut live = self.lock();
        while live.by_number.len() >= self.limits.max_connections.max(1) {
            if !self.close_one(&mut live) {
                add(&self.turned.refused);
                return None;
            }
        }
        let number = live.next;
        live.next += 1;
        let connection = Arc::new(Connection::new(self.start));
        live.by_number.insert(number, Arc::clone(&connection));
        Some(Place {
            number,
            connection,
            all: Arc::clone(self),
        })
    }

    /// Makes room where the system has none for another connection.
    pub(crate) fn make_room(&self) {
        self.close_one(&mut self.lock());
    }

    /// Closes the connection that is least in use; false where all are in use.
    fn close_one(&self, live: &mut Live) -> bool {
        let ranked = live.by_number.iter().filter_map(|(number, connection)| {
            let (phase, time) = connection.look();
            let rank = match phase {
                Phase::New | Phase::Head if time >= STALE => 3,
                Phase::Idle | Phase::Linger => 2,
                Phase::New | Phase::Head => 1,
                Phase::Body | Phase::Answer if time >= STALE => 0,
                Phase::Body | Phase::Answer | Phase::Work => return None,
            };
            Some((rank, time, *number))
        });
        let Some((_, _, number)) = ranked.max() else {
            return false;
        };
        if let Some(connection) = live.by_number.remove(&number) {
            connection.close.notify_one();
            add(&self.turned.closed_for_others);
        }
        true
    }

    /// Closes the connections whose time is over. When the server ends, no request is awaited for
    /// longer than a second.
    pub(crate) fn sweep(&self, ending: bool) {
        let limits = &self.limits;
        let waiting = |most: Duration| if ending { most.min(STALE) } else { most };
        let live = self.lock();
        for connection in live.by_number.values() {
            let (phase, time) = connection.look();
            let most = match phase {
                Phase::New | Phase::Head => waiting(limits.header_timeout),
                Phase::Idle => waiting(limits.idle_timeout),
                Phase::Answer => limits.body_timeout,
                // The first has its limit where it is received, the others have theirs.
                Phase::Body | Phase::Work | Phase::Linger => continue,
            };
            if time >= most {
                connection.close.notify_one();
                if phase != Phase::Idle && !ending {
                    add(&self.turned.timed_out);
                }
                // Counted once: it is on its way out.
                connection.enter(Phase::Linger);
            }
        }
    }

    /// How often to sweep: often enough for the shortest limit.
    pub(crate) fn rhythm(&self) -> Duration {
        let limits = &self.limits;
        let shortest = limits.header_timeout.min(limits.idle_timeout);
        (shortest.min(limits.body_timeout) / 10)
            .clamp(Duration::from_millis(10), Duration::from_millis(500))
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
