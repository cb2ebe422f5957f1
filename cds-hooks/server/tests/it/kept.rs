//! With a store: records, feedback, tokens that are used once.

use serde_json::json;

use crate::client::{BASE, call, ehr, get, http, post, token};
use crate::rules_of_test::{rule, write};
use crate::server::{Server, kept_in};

const PATH: &str = "/cds-services/own-patient-view";

fn settings() -> String {
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"{BASE}\"\n[rules]\npaths = [\"rules\"]\n[store]\nurl = \"t.db\"\n{}",
        ehr("")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_and_feedback_outlive_the_server() {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("rules"),
        "visit.yaml",
        &rule("visit", "1.0.0", "A visit is due"),
    );
    let server = Server::start(folder.path(), &settings(), false).await;
    let http = http();
    let used = token(PATH);
    let answer = post(&http, &server.url(PATH), Some(&used), call())
        .await
        .json();
    let card = answer["cards"][0]["uuid"].as_str().unwrap().to_owned();
    let feedback = json!({ "feedback": [{
        "card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-30T12:00:00Z",
        "overrideReason": { "reason": { "code": "not-now", "system": "http://example.org" } },
    }] });
    let path = format!("{PATH}/feedback");
    for _ in 0..2 {
        let taken = post(
            &http,
            &server.url(&path),
            Some(&token(&path)),
            feedback.to_string(),
        )
        .await;
        assert_eq!(taken.status, 200, "{}", taken.text);
    }
    let metrics = get(&http, &server.url("/metrics"), None).await.text;
    for line in [
        "tandem_store_up 1",
        "tandem_feedback_total{client=\"ehr\",service=\"own-patient-view\",outcome=\"overridden\"} 2",
        "tandem_feedback_entries_total{taken=\"new\"} 1",
        "tandem_feedback_entries_total{taken=\"repeated\"} 1",
    ] {
        assert!(
            metrics.contains(&format!("\n{line}\n")),
            "{line}\n--\n{metrics}"
        );
    }
    assert_eq!(get(&http, &server.url("/readyz"), None).await.status, 200);
    assert!(
        folder.path().join("t.db").exists(),
        "not in the folder of the settings"
    );
    server.end().await;
    // A token that was used is used for the next server, too: the store remembers it.
    let server = Server::start(folder.path(), &settings(), false).await;
    assert_eq!(
        post(&http, &server.url(PATH), Some(&used), call())
            .await
            .status,
        401
    );
    assert_eq!(
        post(&http, &server.url(PATH), Some(&token(PATH)), call())
            .await
            .status,
        200
    );
    server.end().await;
}

/// A recorded call by the rules of now: what is the same, what is new, what is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_call_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    write(
        &rules,
        "visit.yaml",
        &rule("visit", "1.0.0", "A visit is due"),
    );
    write(
        &rules,
        "gone.yaml",
        &rule("gone", "1.0.0", "Said then only"),
    );
    let settings = "[server]\nlisten = \"127.0.0.1:0\"\n[rules]\npaths = [\"rules\"]\n[store]\nurl = \"t.db\"\nrecord_requests = true\n";
    let server = Server::start(folder.path(), settings, true).await;
    let answer = post(&http(), &server.url(PATH), None, call()).await;
    assert_eq!(answer.summaries().len(), 2, "{}", answer.text);
    server.end().await;
    let (reader, entries) = kept_in(folder.path()).await;
    let id = entries
        .iter()
        .find(|e| e.entry.patient.as_deref() == Some("p1"))
        .unwrap();
    let recorded = reader
        .recorded(&id.entry.id)
        .await
        .unwrap()
        .expect("not recorded");
    let services = || {
        let wanted = cds_server::settings::Rules {
            paths: vec![rules.clone()],
            ..cds_server::settings::Rules::default()
        };
        crate::rules_of_test::load()(&wanted).unwrap().services
    };
    let settings = cds_server::settings::Settings::default();
    let same = cds_server::replay(&recorded, services(), &settings)
        .await
        .unwrap();
    assert!(same.is_same() && same.same.len() == 2, "{same:?}");
    std::fs::remove_file(rules.join("gone.yaml")).unwrap();
    write(&rules, "new.yaml", &rule("new", "1.0.0", "Said now only"));
    let other = cds_server::replay(&recorded, services(), &settings)
        .await
        .unwrap();
    let summaries = |cards: &[cds_server::Said]| {
        cards
            .iter()
            .map(|card| card.summary.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(summaries(&other.same), ["A visit is due"]);
    assert_eq!(summaries(&other.added), ["Said now only"]);
    assert_eq!(summaries(&other.removed), ["Said then only"]);
    assert_eq!(other.status, (200, 200));
    let none = cds_server::replay(&recorded, vec![], &settings)
        .await
        .unwrap_err();
    assert!(none.contains("no service `own-patient-view`"), "{none}");
}

/// It is asked again for the caller of then: of what the patient does not want to be seen nothing is seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_withholds_what_consent_withholds() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    write(
        &rules,
        "visit.yaml",
        &rule("visit", "1.0.0", "A visit is due"),
    );
    let consent = "[consent]\nenabled = true\npermitted_without = [\"TREAT\"]\n";
    let text = format!(
        "{}record_requests = true\n{}purpose = \"TREAT\"\n{consent}",
        settings().replace(&ehr(""), ""),
        ehr("")
    );
    let server = Server::start(folder.path(), &text, false).await;
    // No Consent says anything, and treatment is permitted without.
    let mut sent: serde_json::Value = serde_json::from_str(&call()).unwrap();
    let discovery = get(
        &http(),
        &server.url("/cds-services"),
        Some(&token("/cds-services")),
    )
    .await
    .json();
    let prefetch = discovery["services"][0]["prefetch"].as_object().unwrap();
    for (key, template) in prefetch {
        if template.as_str().unwrap().starts_with("Consent?") {
            sent["prefetch"][key.as_str()] = serde_json::Value::Null;
        }
    }
    let answer = post(
        &http(),
        &server.url(PATH),
        Some(&token(PATH)),
        sent.to_string(),
    )
    .await;
    assert_eq!(answer.summaries(), ["A visit is due"]);
    server.end().await;
    let (reader, entries) = kept_in(folder.path()).await;
    let of_call = entries.iter().find(|e| e.entry.patient.is_some()).unwrap();
    let details = &of_call.entry.details;
    assert!(
        details.contains(&("purpose".to_owned(), "TREAT".to_owned())),
        "{details:?}"
    );
    let recorded = reader.recorded(&of_call.entry.id).await.unwrap().unwrap();
    assert_eq!(cds_server::tenant_of(&recorded).unwrap(), None);
    let services = || {
        let wanted = cds_server::settings::Rules {
            paths: vec![rules.clone()],
            ..cds_server::settings::Rules::default()
        };
        crate::rules_of_test::load()(&wanted).unwrap().services
    };
    let file = folder.path().join("tandem.toml");
    let mut now = cds_server::settings::Settings::load(&file).unwrap();
    let same = cds_server::replay(&recorded, services(), &now)
        .await
        .unwrap();
    assert!(same.is_same() && same.same.len() == 1, "{same:?}");
    // The place asks for a consent for treatment since.
    now.consent.policy.permitted_without = vec![];
    let other = cds_server::replay(&recorded, services(), &now)
        .await
        .unwrap();
    assert_eq!((other.same.len(), other.removed.len()), (0, 1), "{other:?}");
    let note = other.consent.unwrap();
    assert!(
        note.starts_with("purpose TREAT; withheld: 1 × Patient"),
        "{note}"
    );
}

/// Cards that found no room then are not new now.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_with_more_cards_than_there_is_room_for_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    for id in ["a", "b", "c", "d"] {
        write(&rules, &format!("{id}.yaml"), &rule(id, "1.0.0", id));
    }
    let settings = "[server]\nlisten = \"127.0.0.1:0\"\nmax_cards = 2\n[rules]\npaths = [\"rules\"]\n[store]\nurl = \"t.db\"\nrecord_requests = true\n";
    let server = Server::start(folder.path(), settings, true).await;
    let answer = post(&http(), &server.url(PATH), None, call()).await;
    assert_eq!(answer.summaries(), ["a", "3 more notices are not shown"]);
    server.end().await;
    let (reader, entries) = kept_in(folder.path()).await;
    let id = entries.iter().find(|e| e.entry.patient.is_some()).unwrap();
    let recorded = reader.recorded(&id.entry.id).await.unwrap().unwrap();
    let wanted = cds_server::settings::Rules {
        paths: vec![rules],
        ..cds_server::settings::Rules::default()
    };
    let services = crate::rules_of_test::load()(&wanted).unwrap().services;
    let file = folder.path().join("tandem.toml");
    let now = cds_server::settings::Settings::load(&file).unwrap();
    let replayed = cds_server::replay(&recorded, services, &now).await.unwrap();
    assert!(
        replayed.is_same() && replayed.same.len() == 2,
        "{replayed:?}"
    );
}

/// Also where nobody calls it is seen that the store is away, and that it is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_its_store_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("rules"),
        "visit.yaml",
        &rule("visit", "1.0.0", "A visit is due"),
    );
    let settings = "[server]\nlisten = \"127.0.0.1:0\"\n[rules]\npaths = [\"rules\"]\n[store]\nurl = \"t.db\"\n";
    let server = Server::start(folder.path(), settings, true).await;
    let (http, url) = (http(), server.url("/readyz"));
    let is = async |status: u16| {
        crate::server::until(&status.to_string(), || async {
            get(&http, &url, None).await.status == status
        })
        .await;
    };
    is(200).await;
    let (here, away) = (folder.path().join("t.db"), folder.path().join("away.db"));
    std::fs::rename(&here, &away).unwrap();
    is(503).await;
    std::fs::rename(&away, &here).unwrap();
    is(200).await;
    server.end().await;
}

/// What nobody sees keeps nothing waiting that somebody does: rules on trial are asked last, wherever they stand.
#[tokio::test(flavor = "multi_thread")]
async fn rules_on_trial_are_asked_last() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    let trial = rule("a-trial", "1.0.0", "On trial").replace("kind:", "status: shadow\nkind:");
    write(&rules, "a-trial.yaml", &trial);
    write(&rules, "visit.yaml", &rule("visit", "1.0.0", "Due"));
    let settings = "[server]\nlisten = \"127.0.0.1:0\"\n[rules]\npaths = [\"rules\"]\n[store]\nurl = \"t.db\"\n";
    let server = Server::start(folder.path(), settings, true).await;
    let answer = post(&http(), &server.url(PATH), None, call()).await;
    assert_eq!(answer.summaries(), ["Due"]);
    server.end().await;
    let (_, entries) = kept_in(folder.path()).await;
    let of_call = entries.iter().find(|e| e.entry.patient.is_some()).unwrap();
    let asked = of_call.entry.rules.iter().map(|rule| rule.rule.as_str());
    assert_eq!(asked.collect::<Vec<_>>(), ["visit", "a-trial"]);
}
