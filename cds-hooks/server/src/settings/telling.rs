//! `[log]`, `[metrics]`, `[tracing]`: what operators are told.

use std::time::Duration;

use url::Url;

use super::read::table::Table;
use super::read::values;

/// The log on standard error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// Whether each call leaves a line.
    pub calls: bool,
    /// Whether hook instances are written as they came, or as a short hash.
    pub whole_hook_instance: bool,
}

impl Default for Log {
    fn default() -> Self {
        Log {
            calls: true,
            whole_hook_instance: false,
        }
    }
}

impl Log {
    pub(super) fn read(table: Table<'_>) -> Self {
        let usual = Log::default();
        let log = Log {
            calls: table.boolean("calls", usual.calls),
            whole_hook_instance: table.word(
                "hook_instance",
                usual.whole_hook_instance,
                &[("hash", false), ("whole", true)],
            ),
        };
        table.done();
        log
    }
}

/// Numbers for Prometheus.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metrics {
    /// Whether there is `/metrics`.
    pub enabled: bool,
    /// Who may read them.
    pub readers: Readers,
}

/// Who may read `/metrics`, `/readyz` in detail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readers {
    /// Whoever is on this machine; others with the permission `metrics`.
    Local,
    /// Only with the permission `metrics`.
    Permitted,
    /// All who can reach the listener.
    All,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics {
            enabled: true,
            readers: Readers::Local,
        }
    }
}

impl Metrics {
    pub(super) fn read(table: Table<'_>) -> Self {
        let usual = Metrics::default();
        let metrics = Metrics {
            enabled: table.boolean("enabled", usual.enabled),
            readers: table.word(
                "readers",
                usual.readers,
                &[
                    ("local", Readers::Local),
                    ("permitted", Readers::Permitted),
                    ("all", Readers::All),
                ],
            ),
        };
        table.done();
        metrics
    }
}

/// OpenTelemetry.
#[derive(Clone, PartialEq, Debug)]
pub struct Tracing {
    /// Where spans are sent: OTLP over HTTP, as in `http://127.0.0.1:4318/v1/traces`.
    pub endpoint: Option<Url>,
    /// `service.name` of the spans.
    pub service_name: String,
    /// The share of calls that is traced.
    pub sample: f64,
    /// How long the receiver may take.
    pub timeout: Duration,
}

impl Default for Tracing {
    fn default() -> Self {
        Tracing {
            endpoint: None,
            service_name: "tandem".to_owned(),
            sample: 1.0,
            timeout: Duration::from_secs(5),
        }
    }
}

impl Tracing {
    pub(super) fn read(table: Table<'_>) -> Self {
        let usual = Tracing::default();
        let tracing = Tracing {
            endpoint: table.text("endpoint", values::url),
            service_name: table
                .text("service_name", values::some_text)
                .unwrap_or(usual.service_name),
            sample: table.share("sample", usual.sample),
            timeout: table.value_or("timeout", usual.timeout, |value| {
                values::duration(value, Duration::from_millis(10), Duration::from_secs(60))
            }),
        };
        table.done();
        tracing
    }
}
