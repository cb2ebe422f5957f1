use cds_hooks::seams::{KeyState, RuleOutcome};

use super::*;

fn call(service: &str, status: u16) -> CallSeen<'_> {
    CallSeen {
        endpoint: "call",
        service: Some(service),
        hook: Some("patient-view"),
        client: Some("ehr"),
        tenant: None,
        hook_instance: None,
        trace: None,
        status,
        seconds: 0.003,
        cards: 1,
        shadow: 0,
    }
}

#[test]
fn what_happens_is_counted() {
    let metrics = Metrics::new();
    metrics.began();
    metrics.began();
    metrics.ended(&call("a", 200));
    metrics.left();
    metrics.rule(&RuleSeen {
        service: "a",
        hook: "patient-view",
        tenant: None,
        rule: "r",
        version: "1.0",
        outcome: RuleOutcome::Fired,
        is_shadow: false,
        cards: 2,
        seconds: 0.0001,
    });
    metrics.key(&KeySeen {
        service: "a",
        key: "patient",
        client: Some("ehr"),
        state: KeyState::Absent,
        fetched: Some("timed-out"),
    });
    metrics.not_admitted(Endpoint::Call("a"), 401, "expired: by 12 s");
    metrics.not_admitted(Endpoint::Call("a"), 401, "\u{1F600}");
    metrics.watch_all("outbound_calls", "Calls of ours", true, || {
        let labels = [("origin", "https://fhir.example"), ("outcome", "ok")];
        let labels = labels.map(|(name, value)| (name, value.to_owned()));
        vec![(labels.into(), 1)]
    });
    metrics.reloaded("rules", "failed");
    metrics.live("", 29, 1_700_000_000);
    metrics.watch("log_dropped", "Lines lost", true, || 7);
    let text = metrics.text();
    for line in [
        "tandem_requests_total{endpoint=\"call\",service=\"a\",hook=\"patient-view\",status=\"200\"} 1",
        "tandem_request_seconds_bucket{le=\"0.005\",endpoint=\"call\",service=\"a\"} 1",
        "tandem_calls_under_way 1",
        "tandem_rule_evaluations_total{rule=\"r\",version=\"1.0\",outcome=\"fired\",shadow=\"no\"} 1",
        "tandem_cards_total{rule=\"r\",version=\"1.0\"} 2",
        "tandem_prefetch_keys_total{client=\"ehr\",service=\"a\",key=\"patient\",state=\"absent\",fetched=\"timed-out\"} 1",
        "tandem_callers_refused_total{endpoint=\"call\",status=\"401\",reason=\"expired\"} 1",
        "tandem_callers_refused_total{endpoint=\"call\",status=\"401\",reason=\"other\"} 1",
        "tandem_outbound_calls_total{origin=\"https://fhir.example\",outcome=\"ok\"} 1",
        "tandem_reloads_total{part=\"rules\",outcome=\"failed\"} 1",
        "tandem_live_rules{tenant=\"\"} 29",
        "tandem_live_since_seconds 1700000000",
        "tandem_log_dropped_total 7",
        "tandem_series_left_out_total 0",
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{line}\n--\n{text}");
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
    #[cfg(target_os = "linux")]
    assert!(text.contains("\nprocess_resident_memory_bytes "), "{text}");
}

/// Whoever names services that are none makes no series.
#[test]
fn callers_make_no_series() {
    let metrics = Metrics::new();
    for n in 0..100 {
        metrics.ended(&call(&format!("s{n}"), 404));
    }
    let text = metrics.text();
    assert!(
        text.contains("service=\"\",hook=\"patient-view\",status=\"404\"} 100"),
        "{text}"
    );
}

#[test]
fn series_have_a_bound_and_what_is_beyond_is_counted() {
    let metrics = Metrics::new();
    for n in 0..6_000 {
        metrics.refused("call", 401, &format!("h{n}"));
    }
    let text = metrics.text();
    assert_eq!(text.matches("tandem_callers_refused_total{").count(), 5_000);
    assert!(text.contains("tandem_series_left_out_total 1000\n"));
    // Those that there are go on.
    metrics.refused("call", 401, "h0");
    assert!(metrics.text().contains("reason=\"h0\"} 2"));
}
