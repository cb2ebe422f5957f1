//! What a connection is doing, and since when.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// What a connection is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// Opened; the head of the first request is awaited or arriving.
    New,
    /// The head of a later request is arriving.
    Head,
    /// The body of a request is arriving.
    Body,
    /// An answer is made. Never cut off.
    Work,
    /// The answer is on its way.
    Answer,
    /// Between two requests.
    Idle,
    /// Answered and closed by us; what the client still sends is thrown away.
    Linger,
}

const PHASES: [Phase; 7] = [
    Phase::New,
    Phase::Head,
    Phase::Body,
    Phase::Work,
    Phase::Answer,
    Phase::Idle,
    Phase::Linger,
];

/// Where the phase stands in the number that holds phase and time.
const SHIFT: u32 = 56;

/// One open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    start: Instant,
    /// Phase, and its begin in milliseconds after `start`.
    state: AtomicU64,
    /// The client did not send the whole of a body that was answered.
    unread: AtomicBool,
    /// A head has two ways to tell where its body ends: see [`super::lengths`].
    pub(super) both_lengths: AtomicBool,
    /// Closes it.
    pub(super) close: Notify,
}

impl Connection {
    /// Opened now. `start` is the same for all.
    pub(super) fn new(start: Instant) -> Self {
        let connection = Connection {
            start,
            state: AtomicU64::new(0),
            unread: AtomicBool::new(false),
            both_lengths: AtomicBool::new(false),
            close: Notify::new(),
        };
        connection.enter(Phase::New);
        connection
    }

    pub(super) fn enter(&self, phase: Phase) {
        let since = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX >> 8);
        self.state
            .store((phase as u64) << SHIFT | since, Ordering::Relaxed);
    }

    pub(super) fn phase(&self) -> Phase {
        self.look().0
    }

    /// The phase, and for how long.
    pub(super) fn look(&self) -> (Phase, Duration) {
        let state = self.state.load(Ordering::Relaxed);
        let phase = usize::try_from(state >> SHIFT).unwrap_or(0);
        let phase = PHASES.get(phase).copied().unwrap_or(Phase::New);
        let since = Duration::from_millis(state & (u64::MAX >> 8));
        (phase, self.start.elapsed().saturating_sub(since))
    }

    /// The body of the request is here, or nobody wants it.
    pub(super) fn body_done(&self, whole: bool) {
        if self.phase() == Phase::Body {
            self.enter(Phase::Work);
        }
        if !whole {
            self.unread.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn has_unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed)
    }
}
