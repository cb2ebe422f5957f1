//! What clients may take of the server at once, and how long they may take over it.

use std::time::Duration;

/// Limits on connections and bodies. The defaults are made to be left alone; every one can be set.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections open at once. One more closes a connection that is not in use: one whose request
    /// does not come on, else the one that has been idle for longest, else one whose body or answer
    /// stands still. Where all are in use it is told to come again (503 with `Retry-After`).
    pub max_connections: usize,
    /// How long the head of a request may take to arrive, from its first byte; for the first request
    /// of a connection from the moment it was opened. Then the connection is closed.
    pub header_timeout: Duration,
    /// How long a body may take to arrive (408 then), and how long an answer may wait for a client
    /// that does not read on.
    pub body_timeout: Duration,
    /// How long a connection may stay open between two requests.
    pub idle_timeout: Duration,
    /// Bytes of bodies of more than 64 KiB that are received or evaluated at once. A body beyond
    /// waits for `max_wait`; then 503 with `Retry-After`. Less than the largest body counts as that.
    pub max_in_flight: usize,
    /// Bodies of more than 64 KiB, and calls of hooks with orders, that are evaluated at once. An evaluation
    /// takes about seven times the memory of its body. With a deadline four times as many of the other calls
    /// are evaluated beside them. 0 counts as 1.
    pub max_evaluations: usize,
    /// How long those wait for their turn.
    pub max_wait: Duration,
    /// Drafts of one call that are looked at. Of those beyond the answer says how many they are: what
    /// depends on them could not be checked.
    pub max_drafts: usize,
    /// How long an answer may take once the body is there, data that has to be fetched included: what is not
    /// done by then is left out, and said to be. `None`: as long as it takes. See [`Limits::DEADLINE`].
    pub deadline: Option<Duration>,
    /// How long an answer waits for its record, beyond the deadline, where it must have one: longer, and the
    /// call is refused. Where it need not have one it waits for the deadline at most.
    pub recording: Duration,
    /// Cards of one answer. Critical ones come all the same; the last card counts those that are left out.
    pub max_cards: usize,
}

impl Limits {
    /// What a service in use should keep to: the specification wants an answer within 500 ms.
    pub const DEADLINE: Duration = Duration::from_millis(400);
}

impl Default for Limits {
    /// 1,024 connections; 10 s for a head, 10 s for a body, 60 s between requests; 64 MiB of large
    /// bodies at once, evaluated by as many threads as there are processors; 5 s of waiting; 2,000
    /// drafts; no deadline; 2 s for a record; 10 cards.
    fn default() -> Self {
        Limits {
            max_connections: 1024,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            max_in_flight: 64 << 20,
            max_evaluations: std::thread::available_parallelism().map_or(2, usize::from),
            max_wait: Duration::from_secs(5),
            max_drafts: 2000,
            deadline: None,
            recording: Duration::from_secs(2),
            max_cards: 10,
        }
    }
}
