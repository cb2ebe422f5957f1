//! Thousands of requests that no good client sends: malformed, contradictory, endless, or led astray. What
//! a service must do with them is little: answer with something else than 5xx (503 and 501 are allowed),
//! or close the connection; go on answering good calls; and call nobody.

mod mutate;
mod shot;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

use crate::judge::discovery::Service;
use crate::options::{DoctorError, Options};
use crate::play::{Doctor, Trap};
use crate::random::Random;
use shot::{Ammunition, Shot};
use wire::{Came, Target};

/// Failures that are kept in full.
const KEPT: usize = 20;

/// How often a good call is made in between, in requests.
const GOOD_EVERY: u64 = 250;

/// How to attack.
pub struct Attack {
    /// Requests.
    pub requests: u64,
    /// Connections at once.
    pub at_once: usize,
}

/// What came of it.
#[derive(Default, Debug)]
pub struct Aftermath {
    /// Requests that were sent.
    pub requests: u64,
    /// Answers by status; of several on a connection each.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests by kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Connections that the service closed without an answer.
    pub closed: u64,
    /// Good calls in between, and how many of them were answered 200.
    pub good: (u64, u64),
    /// Connections that came where nobody has a reason to call.
    pub led_astray: u64,
    /// What was not as it has to be: the first of them, as kind, number of the request, and what came.
    pub failures: Vec<String>,
    /// How many there were.
    pub failed: u64,
}

impl Aftermath {
    /// Whether nothing was otherwise than it has to be.
    pub fn passed(&self) -> bool {
        self.failed == 0 && self.led_astray == 0 && self.good.0 == self.good.1
    }

    fn fail(&mut self, what: String) {
        self.failed += 1;
        if self.failures.len() < KEPT {
            self.failures.push(what);
        }
    }

    /// As text.
    pub fn text(&self) -> String {
        let mut out = format!("{} hostile requests\n", self.requests);
        for (status, n) in &self.statuses {
            out.push_str(&format!("  {n:>8} answers {status}\n"));
        }
        out.push_str(&format!("  {:>8} closed without an answer\n", self.closed));
        out.push_str(&format!(
            "  {:>8} good calls in between, {} answered 200\n",
            self.good.0, self.good.1
        ));
        out.push_str(&format!(
            "  {:>8} connections to addresses that a request named\n",
            self.led_astray
        ));
        for (kind, n) in &self.kinds {
            out.push_str(&format!("  {n:>8} × {kind}\n"));
        }
        for failure in &self.failures {
            out.push_str(&format!("FAILED  {failure}\n"));
        }
        let verdict = if self.passed() { "passed" } else { "FAILED" };
        out.push_str(&format!("{verdict}: {} failures", self.failed));
        out
    }

    /// As JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "passed": self.passed(),
            "requests": self.requests,
            "statuses": self.statuses.iter().map(|(s, n)| (s.to_string(), n)).collect::<BTreeMap<_, _>>(),
            "closed": self.closed,
            "good": {"calls": self.good.0, "answered": self.good.1},
            "ledAstray": self.led_astray,
            "kinds": self.kinds,
            "failures": self.failures,
            "failed": self.failed,
        })
    }
}

/// Attacks a service over plain HTTP.
///
/// # Errors
/// Where its URL is none or not plain HTTP, or discovery lists no service that could be called.
pub async fn attack(options: &Options, attack: &Attack) -> Result<Aftermath, DoctorError> {
    let target = Target::of(&options.base()?)?;
    let mut doctor = Doctor::new(options).await?;
    let services = doctor.first_contact().await;
    if services.is_empty() {
        return Err(DoctorError::NoService(options.url.clone()));
    }
    let trap = Trap::set()
        .await
        .map_err(|e| DoctorError::Client(e.to_string()))?;
    let calls: Vec<(Service, String)> = services
        .into_iter()
        .map(|service| {
            let call = doctor.call(&service, &crate::play::as_found);
            (service, call.body.to_string())
        })
        .collect();
    let shared = Arc::new(Shared {
        ammunition: Ammunition {
            calls,
            trap: trap.at,
            target: target.clone(),
            signer: options.signer.clone(),
            clock: Arc::clone(&options.clock),
        },
        target,
        seed: options.seed,
        next: AtomicU64::new(0),
        last: attack.requests,
        aftermath: Mutex::default(),
    });
    let workers = (0..attack.at_once.max(1)).map(|_| {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move { shared.work().await })
    });
    for worker in workers.collect::<Vec<_>>() {
        let _ = worker.await;
    }
    let mut aftermath = std::mem::take(&mut *shared.aftermath.lock().await);
    aftermath.led_astray = trap.came() as u64;
    Ok(aftermath)
}

struct Shared {
    ammunition: Ammunition,
    target: Target,
    seed: u64,
    next: AtomicU64,
    last: u64,
    aftermath: Mutex<Aftermath>,
}

impl Shared {
    async fn work(&self) {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.last {
                return;
            }
            // Each request follows from the seed and its number.
            let mut random = Random::new(self.seed ^ number.wrapping_mul(0xa076_1d64_78bd_642f));
            let shot = self.ammunition.shot(number, &mut random);
            self.fire(number, &shot).await;
            if number % GOOD_EVERY == GOOD_EVERY - 1 {
                self.good_call(number, &mut random).await;
            }
        }
    }

    async fn fire(&self, number: u64, shot: &Shot) {
        let came = wire::fire(&self.target, shot).await;
        let mut aftermath = self.aftermath.lock().await;
        aftermath.requests += 1;
        *aftermath.kinds.entry(shot.kind).or_default() += 1;
        let place = format!("{} (request {number})", shot.kind);
        match came {
            Came::Answers(statuses) => {
                for status in statuses {
                    *aftermath.statuses.entry(status).or_default() += 1;
                    if status >= 500 && !matches!(status, 501 | 503) || status < 100 {
                        aftermath.fail(format!("{place}: {status}"));
                    }
                    let taken = shot.must_refuse && (200..300).contains(&status);
                    if taken {
                        aftermath.fail(format!("{place}: {status}, where it has to be refused"));
                    }
                }
            }
            Came::Closed => aftermath.closed += 1,
            Came::Hangs => aftermath.fail(format!("{place}: no answer, and not closed")),
            Came::Nobody(why) => aftermath.fail(format!("{place}: {why}")),
        }
    }

    async fn good_call(&self, number: u64, random: &mut Random) {
        let shot = self.ammunition.good(random);
        let came = wire::fire(&self.target, &shot).await;
        let fine = match &came {
            // A service that is busy may say so.
            Came::Answers(all) => all.iter().all(|s| matches!(s, 200 | 503)) && !all.is_empty(),
            _ => false,
        };
        let mut aftermath = self.aftermath.lock().await;
        aftermath.good.0 += 1;
        aftermath.good.1 += u64::from(fine);
        if !fine {
            aftermath.fail(format!("a good call after request {number}: {came:?}"));
        }
    }
}
