//! Numbers for Prometheus (OpenMetrics text). Labels are names of ours: services, rules, clients, keys;
//! never anything of a patient. Each family has a bound on its series (`family`).

mod family;
mod labels;
mod process;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cds_hooks::seams::{
    CallSeen, Endpoint, FeedbackRecord, FeedbackTaken, KeySeen, Observer, RuleSeen,
};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use self::family::Bounded;

pub use process::resident_bytes;

/// The media type of [`Metrics::text`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the buckets of a call, in seconds: from what a small call takes to where an EHR gives up.
const CALL: [f64; 14] = [
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 2.0, 5.0, 10.0,
];
/// And of a rule.
const RULE: [f64; 9] = [0.000_05, 0.000_2, 0.001, 0.005, 0.02, 0.1, 0.2, 0.4, 1.0];

/// All numbers of a server. Clones count in the same place.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Mutex<Registry>,
    process: Registry,
    requests: Bounded<labels::Request, Counter>,
    seconds: Bounded<labels::Timed, Histogram>,
    under_way: Gauge,
    rules: Bounded<labels::RuleOutcome, Counter>,
    rule_seconds: Bounded<labels::TimedRule, Histogram>,
    cards: Bounded<labels::OfRule, Counter>,
    keys: Bounded<labels::Key, Counter>,
    refused: Bounded<labels::Refused, Counter>,
    feedback: Bounded<labels::Feedback, Counter>,
    taken: Bounded<labels::Taken, Counter>,
    not_recorded: Counter,
    shadow_calls: Bounded<labels::Compared, Counter>,
    shadow_cards: Bounded<labels::Compared, Counter>,
    reloads: Bounded<labels::Reload, Counter>,
    live_rules: Bounded<labels::OfTenant, Gauge>,
    live_since: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

fn of_call() -> Histogram {
    Histogram::new(CALL)
}

fn of_rule() -> Histogram {
    Histogram::new(RULE)
}

/// A number that is read when it is asked for.
struct Watched {
    name: &'static str,
    help: &'static str,
    is_counter: bool,
    read: Box<dyn Fn() -> Vec<Labelled> + Send + Sync>,
}

/// A number, and what tells it from others of its name.
pub type Labelled = (Vec<(&'static str, String)>, u64);

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Collector for Watched {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let kind = match self.is_counter {
            true => MetricType::Counter,
            false => MetricType::Gauge,
        };
        let mut all = encoder.encode_descriptor(self.name, self.help, None, kind)?;
        for (labels, value) in (self.read)() {
            let one = all.encode_family(&labels)?;
            match self.is_counter {
                true => ConstCounter::new(value).encode(one)?,
                false => ConstGauge::new(value).encode(one)?,
            }
        }
        Ok(())
    }
}

impl Metrics {
    /// Numbers that are all 0.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("tandem");
        let r = &mut registry;
        let left_out: Arc<AtomicU64> = Arc::default();
        let out = &left_out;
        // Not of ours, so without our prefix: the names that all programs have.
        let mut process = Registry::default();
        process.register_collector(Box::new(process::Process));
        macro_rules! family {
            ($name:literal, $help:literal) => {
                Bounded::new(r, $name, $help, Family::default(), out)
            };
            ($name:literal, $help:literal, $made_by:ident) => {
                Bounded::new(
                    r,
                    $name,
                    $help,
                    Family::new_with_constructor($made_by as fn() -> Histogram),
                    out,
                )
            };
        }
        macro_rules! single {
            ($name:literal, $help:literal) => {{
                let metric = Default::default();
                r.register($name, $help, Clone::clone(&metric));
                metric
            }};
        }
        let inner = Inner {
            requests: family!("requests", "Requests by endpoint, service, hook and status"),
            seconds: family!("request_seconds", "How long requests took", of_call),
            under_way: single!("calls_under_way", "Calls that are being answered"),
            rules: family!(
                "rule_evaluations",
                "What rules came to: fired, silent, unknown, failed or late"
            ),
            rule_seconds: family!("rule_seconds", "How long rules took", of_rule),
            cards: family!(
                "cards",
                "Cards of rules that are live, before equal ones became one"
            ),
            keys: family!(
                "prefetch_keys",
                "How clients answered prefetch keys, and what a fetch of ours came to"
            ),
            refused: family!(
                "callers_refused",
                "Callers who were not let in, by kind of reason"
            ),
            feedback: family!("feedback", "What became of cards, as clients said"),
            taken: family!(
                "feedback_entries",
                "Entries of feedback that were new, repeated, or of a card that nobody knows"
            ),
            not_recorded: single!(
                "not_recorded",
                "Calls and feedback that could not be written down"
            ),
            shadow_calls: family!(
                "shadow_calls",
                "Calls in which a candidate had the cards of the live rule, or others, or one of the two was not known whole"
            ),
            shadow_cards: family!(
                "shadow_cards",
                "Cards that a candidate adds, lacks, or has in common with the live rule"
            ),
            reloads: family!(
                "reloads",
                "Readings of rules, keys and certificates that changed something, nothing, or failed"
            ),
            live_rules: family!("live_rules", "Rules that answer, by tenant"),
            live_since: single!(
                "live_since_seconds",
                "When what answers was loaded, in seconds from 1970"
            ),
            process,
            registry: Mutex::default(),
        };
        registry.register_collector(Box::new(Watched {
            name: "series_left_out",
            help: "Counts that found no room, since a family of series has a bound",
            is_counter: true,
            read: Box::new(move || vec![(vec![], left_out.load(Ordering::Relaxed))]),
        }));
        let inner = Inner {
            registry: Mutex::new(registry),
            ..inner
        };
        Metrics(Arc::new(inner))
    }

    /// Adds a number that is read when it is asked for: a count that only grows, or a state.
    pub fn watch(
        &self,
        name: &'static str,
        help: &'static str,
        is_counter: bool,
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        self.watch_all(name, help, is_counter, move || vec![(vec![], read())]);
    }

    /// The same for several of one name, told apart by labels. Of what is configured only: they have no bound
    /// of their own.
    pub fn watch_all(
        &self,
        name: &'static str,
        help: &'static str,
        is_counter: bool,
        read: impl Fn() -> Vec<Labelled> + Send + Sync + 'static,
    ) {
        let watched = Watched {
            name,
            help,
            is_counter,
            read: Box::new(read),
        };
        let mut registry = self
            .0
            .registry
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        registry.register_collector(Box::new(watched));
    }

    /// All of them, as Prometheus reads them ([`MEDIA_TYPE`]).
    pub fn text(&self) -> String {
        let mut text = String::new();
        let registry = self
            .0
            .registry
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Writing to a text does not fail.
        let _ = encode_registry(&mut text, &registry);
        let _ = encode_registry(&mut text, &self.0.process);
        let _ = encode_eof(&mut text);
        text
    }

    /// A caller who was not let in, and the kind of reason, in a word of a few.
    pub fn refused(&self, endpoint: &'static str, status: u16, reason: &str) {
        let labels = labels::Refused {
            endpoint,
            status,
            reason: reason.to_owned(),
        };
        self.0.refused.with(&labels, |n| {
            n.inc();
        });
    }

    /// A part (`rules`, `keys`, `certificate`) was read again: `changed`, `same` or `failed`.
    pub fn reloaded(&self, part: &'static str, outcome: &'static str) {
        self.0.reloads.with(&labels::Reload { part, outcome }, |n| {
            n.inc();
        });
    }

    /// So many rules answer for a tenant, from this second on.
    pub fn live(&self, tenant: &str, rules: usize, since: i64) {
        let labels = labels::OfTenant {
            tenant: tenant.to_owned(),
        };
        self.0.live_rules.with(&labels, |n| {
            n.set(i64::try_from(rules).unwrap_or(i64::MAX));
        });
        self.0.live_since.set(since);
    }

    /// What a candidate said in a call beside the live rule of its id.
    pub fn compared(&self, of: &crate::shadow::Comparison) {
        let labels = |change| labels::Compared {
            rule: of.rule.clone(),
            version: of.version.clone(),
            live_version: of.live_version.clone().unwrap_or_default(),
            change,
        };
        let call = match (of.is_compared, of.added + of.removed) {
            (false, _) => "not-compared",
            (true, 0) => "same",
            (true, _) => "other",
        };
        self.0.shadow_calls.with(&labels(call), |n| {
            n.inc();
        });
        let counts = [
            ("added", of.added),
            ("removed", of.removed),
            ("common", of.common),
        ];
        for (change, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            self.0.shadow_cards.with(&labels(change), |n| {
                n.inc_by(count as u64);
            });
        }
    }
}

impl Observer for Metrics {
    fn began(&self) {
        self.0.under_way.inc();
    }

    fn left(&self) {
        self.0.under_way.dec();
    }

    fn ended(&self, call: &CallSeen<'_>) {
        // Who is not let in may name any service.
        let service = match call.status {
            401 | 403 | 404 => "",
            _ => call.service.unwrap_or_default(),
        };
        let labels = labels::Request {
            endpoint: call.endpoint,
            service: service.to_owned(),
            hook: call.hook.unwrap_or_default().to_owned(),
            status: call.status,
        };
        self.0.requests.with(&labels, |n| {
            n.inc();
        });
        let labels = labels::Timed {
            endpoint: call.endpoint,
            service: labels.service,
        };
        self.0.seconds.with(&labels, |h| h.observe(call.seconds));
    }

    fn key(&self, key: &KeySeen<'_>) {
        let labels = labels::Key {
            client: key.client.unwrap_or_default().to_owned(),
            service: key.service.to_owned(),
            key: key.key.to_owned(),
            state: key.state.as_str(),
            fetched: key.fetched.unwrap_or_default().to_owned(),
        };
        self.0.keys.with(&labels, |n| {
            n.inc();
        });
    }

    fn rule(&self, rule: &RuleSeen<'_>) {
        let shadow = if rule.is_shadow { "yes" } else { "no" };
        let labels = labels::TimedRule {
            rule: rule.rule.to_owned(),
            version: rule.version.to_owned(),
            shadow,
        };
        self.0
            .rule_seconds
            .with(&labels, |h| h.observe(rule.seconds));
        let of = labels::OfRule {
            rule: labels.rule,
            version: labels.version,
        };
        if rule.cards > 0 && !rule.is_shadow {
            self.0.cards.with(&of, |n| {
                n.inc_by(rule.cards as u64);
            });
        }
        let labels = labels::RuleOutcome {
            rule: of.rule,
            version: of.version,
            outcome: rule.outcome.as_str(),
            shadow,
        };
        self.0.rules.with(&labels, |n| {
            n.inc();
        });
    }

    fn feedback(&self, feedback: &FeedbackRecord, taken: &FeedbackTaken) {
        for entry in &feedback.entries {
            let labels = labels::Feedback {
                client: feedback.client.clone().unwrap_or_default(),
                service: feedback.service.clone(),
                outcome: entry.outcome.as_str(),
            };
            self.0.feedback.with(&labels, |n| {
                n.inc();
            });
        }
        let counts = [
            ("new", taken.new),
            ("repeated", taken.repeated),
            ("unknown", taken.unknown),
        ];
        for (taken, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            self.0.taken.with(&labels::Taken { taken }, |n| {
                n.inc_by(count as u64);
            });
        }
    }

    fn not_admitted(&self, endpoint: Endpoint<'_>, status: u16, reason: &str) {
        // Reasons of ours begin with their kind: `expired: …`.
        let kind = reason.split(':').next().unwrap_or_default();
        let is_word = kind.len() <= 40
            && kind
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b" -_".contains(&b));
        self.refused(
            endpoint.name(),
            status,
            if is_word { kind } else { "other" },
        );
    }

    fn not_recorded(&self, _reason: &str) {
        self.0.not_recorded.inc();
    }
}
