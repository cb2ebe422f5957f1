//! What outbound calls may take.

use std::time::Duration;

/// Bounds on calls to one origin. Defaults are made to be left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls to one origin at once, and so connections to it. One more waits for its turn.
    pub max_calls: usize,
    /// Calls to one origin that may wait. One more fails at once ([`crate::Family::Busy`]).
    pub max_waiting: usize,
    /// How long a connection may take, from the look-up of the name to the end of the TLS handshake.
    pub connect: Duration,
    /// How long a connection that is not in use is kept.
    pub idle: Duration,
    /// The longest URL that is called, in bytes.
    pub max_url: usize,
    /// Bytes of answers of FHIR servers that are held at once, of all calls. An answer beyond fails
    /// ([`crate::Family::Busy`]).
    pub max_buffered: usize,
}

impl Default for Limits {
    /// 32 calls at once, 256 waiting; 2 s to connect; kept for 30 s; 8,000 bytes of URL; 256 MiB of answers.
    fn default() -> Self {
        Limits {
            max_calls: 32,
            max_waiting: 256,
            connect: Duration::from_secs(2),
            idle: Duration::from_secs(30),
            max_url: 8000,
            max_buffered: 256 << 20,
        }
    }
}
