//! Numbers that the parts of a server keep themselves, as metrics.

use std::sync::Arc;

use cds_hooks::{Config, Log};

use super::parts::Parts;
use crate::metrics::{Labelled, Metrics};

/// Adds them.
pub(super) fn watch(log: &Log, metrics: &Metrics, parts: &Parts, config: &Config) {
    let log = log.clone();
    metrics.watch(
        "log_dropped",
        "Lines that the log could not take",
        true,
        move || log.counts().dropped,
    );
    for (index, (name, help)) in TURNED.into_iter().enumerate() {
        let turned = Arc::clone(&config.turned);
        metrics.watch(name, help, true, move || {
            turned.each().get(index).map_or(0, |(_, count)| *count)
        });
    }
    let client = parts.client.clone();
    metrics.watch_all(
        "outbound_calls",
        "Calls of ours by origin and outcome",
        true,
        move || {
            let each = client.counts().into_iter();
            each.flat_map(|(origin, counts)| outcomes(&origin, &counts))
                .collect()
        },
    );
    if let Some(door) = parts.door.clone() {
        metrics.watch_all(
            "key_set_fetches",
            "Fetches of key sets by address and outcome",
            true,
            move || door.fetches().into_iter().flat_map(fetches).collect(),
        );
    }
    if let Some(explain) = &parts.explain {
        explain.watch(metrics);
    }
    if let Some(kept) = &parts.kept {
        kept.watch(metrics);
    }
}

/// How often each outcome of a fetch of a key set was.
fn fetches((url, fetched, failed): (String, u64, u64)) -> [Labelled; 2] {
    [("fetched", fetched), ("failed", failed)].map(|(outcome, count)| {
        let labels = vec![("url", url.clone()), ("outcome", outcome.to_owned())];
        (labels, count)
    })
}

/// In the order of `Turned::each`.
const TURNED: [(&str, &str); 5] = [
    ("connections_refused", "Connections that found no room"),
    (
        "connections_closed_for_others",
        "Idle connections that made room for others",
    ),
    ("connections_timed_out", "Connections that took too long"),
    (
        "connections_not_accepted",
        "Connections that the system could not give",
    ),
    (
        "connections_not_secure",
        "Connections to a TLS port without a handshake that held",
    ),
];

/// How often each outcome of a call of ours was, at an origin.
fn outcomes(origin: &str, counts: &outbound::Counts) -> Vec<Labelled> {
    let all = [
        ("ok", counts.ok),
        ("not-allowed", counts.not_allowed),
        ("busy", counts.busy),
        ("unreachable", counts.unreachable),
        ("timed-out", counts.timed_out),
        ("status", counts.status),
        ("too-large", counts.too_large),
        ("unusable", counts.unusable),
    ];
    let seen = all.into_iter().filter(|(_, count)| *count > 0);
    seen.map(|(outcome, count)| {
        let labels = vec![
            ("origin", origin.to_owned()),
            ("outcome", outcome.to_owned()),
        ];
        (labels, count)
    })
    .collect()
}
