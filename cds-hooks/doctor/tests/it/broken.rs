//! The model service is without fault; broken on purpose, it fails at the check that is about it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cds_doctor::{CHECKS, Options, Outcome, Report, examine};

use crate::model::{Model, ORIGIN};

/// 30 November 2026, noon.
pub const NOW: i64 = 1_796_040_000;

pub fn options(base: &str) -> Options {
    let mut options = Options::new(base, Arc::new(|| NOW), 7);
    options.origin = Some(ORIGIN.to_owned());
    // Whatever else this machine does: nothing here is timed.
    options.good_within = Duration::from_secs(60);
    options.all_within = Duration::from_secs(60);
    options
}

async fn report(model: Model) -> Report {
    let flaw = model.flaw;
    let base = model.serve().await;
    let mut options = options(&base);
    match flaw {
        "slow" => options.good_within = Duration::from_millis(1),
        "slower" => options.all_within = Duration::from_millis(1),
        // An address that leads to this machine, and is not known to.
        "plain" => options.url = base.replace("127.0.0.1", "0.0.0.0"),
        _ => {}
    }
    examine(&options).await.unwrap()
}

/// Each flaw, and the checks that fail for it: the first is the one that is about it.
const FLAWS: &[(&str, &[&str])] = &[
    // The eight of the acceptance.
    ("no-cors", &["cors-preflight", "cors-answers"]),
    ("draft-500", &["broken-drafts", "wrong-types"]),
    ("no-selection-behavior", &["selection-behavior"]),
    ("long-summary", &["card-summary"]),
    ("no-feedback", &["feedback"]),
    ("no-uuid", &["card-uuid"]),
    (
        "null-cards",
        &[
            "cards-list",
            "no-empty-members",
            "call-status",
            "repeated-call",
            "parallel-calls",
        ],
    ),
    ("wrong-id", &["service-id", "call-status"]),
    ("plain", &["encrypted"]),
    // Discovery.
    ("discovery-list", &["discovery"]),
    ("discovery-204", &["discovery"]),
    ("discovery-text", &["json-media-type"]),
    ("prefetch-list", &["service-prefetch", "call-status"]),
    ("preFetch", &["service-prefetch", "call-status"]),
    ("no-description", &["service-required"]),
    ("null-title", &["service-texts", "no-empty-members"]),
    ("version-of-rule", &["service-version"]),
    ("odd-member", &["service-members"]),
    ("same-id", &["service-unique"]),
    ("twice", &["strict-json"]),
    ("absolute-template", &["template-form"]),
    ("unclosed-template", &["template-tokens", "template-form"]),
    (
        "variable-before",
        &["template-order", "template-2.0-tokens"],
    ),
    ("fhirpath-token", &["template-2.0-tokens"]),
    ("include", &["template-parameters"]),
    ("of-everybody", &["template-patient"]),
    ("long-template", &["template-length"]),
    ("no-title", &["service-title"]),
    ("odd-hook", &["hook-name"]),
    ("no-head", &["head-discovery"]),
    // Calls and cards.
    ("204", &["call-status"]),
    ("no-cards", &["cards-list"]),
    ("empty-actions", &["system-actions", "no-empty-members"]),
    ("more-members", &["response-members"]),
    ("drops-repeats", &["repeated-call"]),
    ("one-at-a-time", &["parallel-calls"]),
    ("stale-uuids", &["fresh-uuids", "card-uuid-form"]),
    ("slow", &["latency"]),
    ("slower", &["latency-most"]),
    ("uuid-form", &["card-uuid-form", "fresh-uuids"]),
    ("empty-summary", &["card-summary", "no-empty-members"]),
    ("markdown-summary", &["summary-line"]),
    ("detail-object", &["card-detail"]),
    ("hard-stop", &["card-indicator"]),
    ("odd-selection-behavior", &["selection-behavior"]),
    ("relative-source", &["card-source"]),
    ("no-source", &["card-source"]),
    ("source-text", &["card-source"]),
    ("reason-without-display", &["override-reasons"]),
    ("relative-link", &["link"]),
    ("context-of-absolute", &["link-app-context"]),
    ("context-object", &["link-app-context"]),
    ("null-links", &["no-empty-members", "link"]),
    ("card-member", &["card-members"]),
    ("own-html", &["detail-html"]),
    ("raw-html", &["patient-text-escaped"]),
    ("CREATE", &["action"]),
    ("no-action-description", &["action"]),
    ("patch", &["action-keeps"]),
    ("update-without-id", &["action-target"]),
    ("resource-text", &["action-resource"]),
    ("one-action", &["action-selection"]),
    ("two-recommended", &["recommended"]),
    ("no-suggestion-uuid", &["suggestion-uuid"]),
    ("no-suggestion-label", &["suggestion"]),
    ("empty-suggestions", &["suggestion", "no-empty-members"]),
    // Clients that are broken.
    ("draft-400", &["broken-drafts"]),
    ("extension-400", &["request-extension"]),
    ("unknown-400", &["unknown-members"]),
    (
        "context-500",
        &["missing-members", "wrong-types", "not-json"],
    ),
    ("any-hook", &["wrong-hook", "wrong-types"]),
    ("number-500", &["wrong-types"]),
    ("deep-500", &["deep-and-odd"]),
    ("broken-body-500", &["not-json", "deep-and-odd"]),
    ("charset", &["media-types"]),
    ("any-media", &["media-types-wrong"]),
    ("any-id", &["unknown-service"]),
    ("any-method", &["methods"]),
    ("text-errors", &["error-body"]),
    ("quoting-errors", &["error-private"]),
    ("huge-500", &["big-body", "deep-and-odd"]),
    ("any-patient", &["other-patient"]),
    // Prefetch.
    ("412-for-null", &["prefetch-null"]),
    ("unknown-is-no", &["failed-is-not-empty"]),
    ("outcome-500", &["prefetch-outcome"]),
    ("prefetch-needed", &["prefetch-absent"]),
    ("own-keys-only", &["prefetch-extra"]),
    ("odd-value-500", &["prefetch-shape"]),
    ("smart-1-only", &["fhir-authorization"]),
    ("fetches-anywhere", &["fhir-server-guard"]),
    // Browsers.
    ("cors-not-on-errors", &["cors-answers"]),
    ("cors-echo", &["cors-closed"]),
    ("cors-star-headers", &["cors-allowed"]),
    // Feedback.
    ("feedback-500", &["feedback"]),
    ("feedback-anything", &["feedback-shape"]),
    ("feedback-display", &["feedback-override"]),
    ("feedback-single", &["feedback-batch"]),
    ("feedback-known-only", &["feedback-unknown-card"]),
];

/// Failures of fetching, which need the doctor's own FHIR server.
const FETCHING: &[(&str, &[&str])] = &[
    ("never-fetches", &["fetches"]),
    ("empty-patient", &["fetch-query"]),
    ("fetches-without-token", &["fetches"]),
    ("fetches-null", &["not-fetched-again"]),
];

#[tokio::test]
async fn what_is_right_passes_every_check() {
    let report = report(Model::default()).await;
    assert_eq!(report.failed(), [""; 0], "{}", report.text());
    assert!(report.passed());
    let skipped: BTreeSet<&str> = report
        .checks
        .iter()
        .filter(|(_, tally)| tally.outcome() == Outcome::Skipped)
        .map(|(check, _)| check.id)
        .collect();
    // Those that need a key, a FHIR server, or that the model gives no occasion for.
    for check in skipped {
        let without = check.starts_with("token-")
            || [
                "jku-guard",
                "fetches",
                "fetch-query",
                "not-fetched-again",
                "encrypted",
            ]
            .contains(&check)
            || [
                "system-actions",
                "action-selection",
                "service-version",
                "template-order",
            ]
            .contains(&check);
        assert!(without, "{check} was never judged:\n{}", report.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_on_purpose_fails_at_the_right_check() {
    let mut wrong = vec![];
    // Two at a time: there are many.
    for pair in FLAWS.chunks(2) {
        let running = pair.iter().map(|(flaw, expected)| async move {
            let few = !matches!(*flaw, "204" | "null-cards" | "no-cards");
            let report = report(Model {
                flaw,
                few,
                ..Model::default()
            })
            .await;
            (flaw, expected, report)
        });
        for (flaw, expected, report) in futures::future::join_all(running).await {
            let failed = report.failed();
            if !failed.contains(&expected[0])
                || failed.iter().any(|check| !expected.contains(check))
            {
                wrong.push(format!("{flaw}: expected {expected:?}, failed {failed:?}"));
            }
            let first = CHECKS.iter().find(|check| check.id == expected[0]).unwrap();
            let must = first.severity == cds_doctor::Severity::Must;
            assert_eq!(report.passed(), !must, "{flaw}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A port that was free a moment ago.
fn free() -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_fetches_is_watched() {
    let run = async |flaw: &'static str| {
        let at = free();
        let allowed = (flaw != "never-fetches").then(|| format!("http://{at}/fhir"));
        let base = Model {
            flaw,
            allowed,
            ..Model::default()
        }
        .serve()
        .await;
        let mut options = options(&base);
        options.fhir_server = Some(at);
        examine(&options).await.unwrap()
    };
    let good = run("").await;
    assert_eq!(good.failed(), [""; 0], "{}", good.text());
    for check in ["fetches", "fetch-query", "not-fetched-again"] {
        let (_, tally) = good.checks.iter().find(|(c, _)| c.id == check).unwrap();
        assert_eq!(tally.outcome(), Outcome::Passed, "{check}");
    }
    for (flaw, expected) in FETCHING {
        let report = run(flaw).await;
        assert!(
            report.failed().contains(&expected[0]),
            "{flaw}: {}",
            report.text()
        );
    }
}

/// A service that is not there is a finding, not an error; a URL that is none is an error.
#[tokio::test]
async fn nobody_there() {
    let base = format!("http://{}", free());
    let report = examine(&options(&base)).await.unwrap();
    assert_eq!(report.failed(), ["discovery"]);
    assert!(!report.passed());
    assert!(report.text().contains("no answer"), "{}", report.text());
    for url in [
        "",
        "cds.example",
        "ftp://cds.example",
        "https://a@cds.example",
        "https://cds.example?x=1",
    ] {
        assert!(examine(&options(url)).await.is_err(), "{url}");
    }
}

#[tokio::test]
async fn the_report_as_json_and_as_text() {
    let report = report(Model {
        flaw: "hard-stop",
        ..Model::default()
    })
    .await;
    let json = report.json();
    assert_eq!(json["passed"], false);
    let rows = json["checks"].as_array().unwrap();
    assert_eq!(rows.len(), CHECKS.len());
    let row = rows
        .iter()
        .find(|row| row["id"] == "card-indicator")
        .unwrap();
    assert_eq!(row["outcome"], "failed");
    assert_eq!(row["items"], serde_json::json!([53]));
    let failures = row["failures"].as_array().unwrap();
    assert!(failures.len() <= 8 && row["failed"].as_u64().unwrap() > 8);
    assert!(failures[0]["came"].as_str().unwrap().contains("hard-stop"));
    let text = report.text();
    assert!(
        text.contains("FAILED  card-indicator") && text.contains("to mend: "),
        "{text}"
    );
    assert!(
        text.lines().last().unwrap().starts_with("FAILED: "),
        "{text}"
    );
}

/// Each check is failed by a service that is broken on purpose.
#[test]
fn no_check_is_without_a_service_that_breaks_it() {
    let broken: BTreeSet<&str> = FLAWS
        .iter()
        .chain(FETCHING)
        .chain(crate::security::FLAWS)
        // The first is the one that is asserted to fail.
        .filter_map(|(_, checks)| checks.first().copied())
        .collect();
    let without = CHECKS.iter().filter(|check| !broken.contains(check.id));
    let without: Vec<&str> = without.map(|check| check.id).collect();
    assert_eq!(without, [""; 0]);
}
