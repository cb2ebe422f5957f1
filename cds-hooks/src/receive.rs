//! Bodies on their way in: what they may take in memory, and in time.
//!
//! A body of up to 64 KiB is simply read. A larger one first takes as many bytes as it says that it
//! has from what all large bodies may take together, and later a turn at being evaluated. Whoever
//! waits for either in vain is told to come again. A body that comes slowly may go on only as long as
//! nobody waits for the room it takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::config::Config;
use crate::refusal::Refusal;

/// Bodies up to this size are answered where they are received: that takes less than a
/// millisecond. Larger ones go to the threads for blocking work.
const SMALL: usize = 64 * 1024;

/// A value takes some 24 bytes in memory, in a text of two: what is large must not consist of nothing but
/// the smallest values. At most one in so many bytes of the largest body is taken; FHIR has one in ten or
/// more.
const SMALLEST: usize = 8;

/// Room is counted in these.
const UNIT: usize = 1024;

/// While others wait, a large body must come at this many bytes a second.
const PACE: f64 = 5e5;

/// How often the pace is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Longest pause within a body.
const PAUSE: Duration = Duration::from_secs(5);

/// Lets bodies in.
pub(crate) struct Gate {
    max_body: usize,
    arrival: Duration,
    max_wait: Duration,
    room: Arc<Semaphore>,
    units: usize,
    waiting: AtomicUsize,
    turns: Arc<Semaphore>,
    short_turns: Arc<Semaphore>,
}

/// For each evaluation of a large body so many of small ones: more at once would only make each of them
/// slower.
const SHORT_TURNS: usize = 4;

/// A body that is here, and the room it takes.
pub(crate) struct Received {
    bytes: Vec<u8>,
    room: Option<OwnedSemaphorePermit>,
}

impl Received {
    /// One that was received before.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        Received { bytes, room: None }
    }

    /// Whether it is quickly answered.
    pub(crate) fn is_small(&self) -> bool {
        self.room.is_none()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Counts who waits.
struct Waiting<'g>(&'g AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gate {
    pub(crate) fn new(config: &Config) -> Self {
        let limits = &config.limits;
        let units = limits.max_in_flight.max(config.max_body).div_ceil(UNIT);
        let units = units.clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        let turns = limits.max_evaluations.clamp(1, Semaphore::MAX_PERMITS);
        Gate {
            max_body: config.max_body,
            arrival: limits.body_timeout,
            max_wait: limits.max_wait,
            room: Arc::new(Semaphore::new(units)),
            units,
            waiting: AtomicUsize::new(0),
            turns: Arc::new(Semaphore::new(turns)),
            short_turns: Arc::new(Semaphore::new(
                turns
                    .saturating_mul(SHORT_TURNS)
                    .min(Semaphore::MAX_PERMITS),
            )),
        }
    }

    /// The body, once its headers say that it is JSON.
    pub(crate) async fn receive(&self, request: Request) -> Result<Received, Refusal> {
        is_json(request.headers())?;
        let mut body = request.into_body();
        let hint = body.size_hint();
        let too_large = |length: u64| length > self.max_body as u64;
        if too_large(hint.lower()) {
            return Err(Refusal::TooLarge(self.max_body));
        }
        let declared = hint.exact().and_then(|n| usize::try_from(n).ok());
        let mut room = match declared {
            Some(length) if length > SMALL => Some(self.room_for(length).await?),
            _ => None,
        };
        let mut bytes: Vec<u8> = Vec::with_capacity(declared.unwrap_or(0));
        // Waiting for room was not the client's doing.
        let (start, mut last) = (Instant::now(), Instant::now());
        loop {
            let end = (start + self.arrival).min(last + PAUSE);
            let left = end.saturating_duration_since(Instant::now());
            let Ok(frame) = timeout(left.min(LOOK), body.frame()).await else {
                if Instant::now() >= end {
                    return Err(Refusal::Slow);
                }
                self.keeps_up(room.is_some(), bytes.len(), start)?;
                continue;
            };
            let Some(frame) = frame else { break };
            let frame = frame.map_err(|_| Refusal::Broken)?;
            let Some(data) = frame.data_ref() else {
                continue;
            };
            let length = bytes.len() + data.len();
            if too_large(length as u64) {
                return Err(Refusal::TooLarge(self.max_body));
            }
            if length > SMALL && room.is_none() {
                // It does not say how much is to come.
                room = Some(self.room_for(self.max_body).await?);
            }
            if !data.is_empty() {
                last = Instant::now();
            }
            bytes.extend_from_slice(data);
            if last >= start + self.arrival {
                return Err(Refusal::Slow);
            }
            self.keeps_up(room.is_some(), bytes.len(), start)?;
        }
        let most = self.max_body / SMALLEST;
        if bytes.len() > most && values(&bytes) > most {
            return Err(Refusal::TooManyValues(most));
        }
        if let (Some(room), None) = (&mut room, declared) {
            bytes.shrink_to_fit();
            let spare = room
                .num_permits()
                .saturating_sub(bytes.len().div_ceil(UNIT));
            drop(room.split(spare));
        }
        Ok(Received { bytes, room })
    }

    /// Waits until so many bytes may be received.
    async fn room_for(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        let units = bytes.div_ceil(UNIT).clamp(1, self.units);
        let units = u32::try_from(units).map_err(|_| Refusal::Busy)?;
        let room = Arc::clone(&self.room);
        if let Ok(room) = Arc::clone(&room).try_acquire_many_owned(units) {
            return Ok(room);
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        match timeout(self.max_wait, room.acquire_many_owned(units)).await {
            Ok(Ok(room)) => Ok(room),
            _ => Err(Refusal::Busy),
        }
    }

    /// Slow ones must not keep the room from others.
    fn keeps_up(&self, large: bool, received: usize, start: Instant) -> Result<(), Refusal> {
        let seconds = start.elapsed().as_secs_f64();
        let late = large && seconds > 1.0 && (received as f64) < PACE * seconds;
        match late && self.waiting.load(Ordering::Relaxed) > 0 {
            true => Err(Refusal::Slow),
            false => Ok(()),
        }
    }

    /// Waits until one more body may be evaluated, a large one or one that is soon done; not beyond a
    /// deadline.
    pub(crate) async fn turn(
        &self,
        is_short: bool,
        deadline: Option<std::time::Instant>,
    ) -> Result<OwnedSemaphorePermit, Refusal> {
        let left = deadline.map(|end| end.saturating_duration_since(std::time::Instant::now()));
        let wait = left.map_or(self.max_wait, |left| left.min(self.max_wait));
        let turns = match is_short {
            true => &self.short_turns,
            false => &self.turns,
        };
        match timeout(wait, Arc::clone(turns).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(Refusal::Busy),
        }
    }
}

/// About how many values a JSON text has, at least: not fewer than a half of them.
fn values(text: &[u8]) -> usize {
    let begins = |b: &&u8| matches!(b, b',' | b'[' | b'{');
    text.iter().filter(begins).count()
}

fn is_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
    let encoding = text(CONTENT_ENCODING).map(str::trim);
    if encoding.is_some_and(|e| !e.eq_ignore_ascii_case("identity")) {
        return Err(Refusal::MediaType(
            "send the body without a `Content-Encoding`",
        ));
    }
    let media = text(CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    let mut parts = media.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let json =
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    if !json {
        return Err(Refusal::MediaType("send `Content-Type: application/json`"));
    }
    let mut charsets = parts.filter_map(|p| p.strip_prefix("charset="));
    if charsets.any(|c| !matches!(c.trim_matches('"'), "utf-8" | "utf8")) {
        return Err(Refusal::MediaType("send the JSON as UTF-8"));
    }
    Ok(())
}
