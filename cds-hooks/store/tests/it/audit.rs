//! The audit log: export, purge, ranges, noted heads.

use cds_store::{
    AuditEntry, AuditFilter, AuditKind, Checked, Event, Head, Settings, Verified, audit_event,
};
use std::sync::{Arc, Mutex};

use crate::support::*;

async fn whole(reader: &cds_store::Reader, expected: Option<&Head>) -> Verified {
    match reader.verify((None, None), expected).await.unwrap() {
        Checked::Whole(verified) => verified,
        broken @ Checked::Broken { .. } => panic!("{broken:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_are_told_and_a_noted_head_is_found_again() {
    both(async |base| {
        let told = Arc::new(Mutex::new(vec![]));
        let there = Arc::clone(&told);
        let settings = Settings {
            checkpoint_every: 10,
            told: Some(Arc::new(move |event| there.lock().unwrap().push(event))),
            ..Settings::default()
        };
        let store = base.open_with(settings).await;
        for number in 0..25 {
            store.audit(&entry(number)).await.unwrap();
        }
        let heads: Vec<Head> = told
            .lock()
            .unwrap()
            .iter()
            .map(|event| match event {
                Event::Checkpoint(head) => head.clone(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(heads.iter().map(|h| h.seq).collect::<Vec<_>>(), [10, 20]);
        for noted in &heads {
            let again: Head = noted.to_string().parse().unwrap();
            assert_eq!(whole(store.reader(), Some(&again)).await.entries, 25);
        }
        let wrong = Head {
            seq: 20,
            ..heads[0].clone()
        };
        let checked = store
            .reader()
            .verify((None, None), Some(&wrong))
            .await
            .unwrap();
        assert!(
            matches!(checked, Checked::Broken { seq: 20, .. }),
            "{checked:?}"
        );
        // A part.
        let part = store
            .reader()
            .verify((Some(5), Some(15)), None)
            .await
            .unwrap();
        assert!(
            matches!(part, Checked::Whole(v) if v.entries == 11 && v.first == 5 && v.head.seq == 15)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_log_is_whole() {
    both(async |base| {
        let store = base.open().await;
        let verified = whole(store.reader(), None).await;
        assert_eq!((verified.entries, verified.head.seq), (0, 0));
        assert_eq!(store.reader().head().await.unwrap().to_string(), "0:");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_is_purged_by_whole_stretches_and_the_chain_says_so() {
    both(async |base| {
        let settings = Settings {
            checkpoint_every: 10,
            ..Settings::default()
        };
        let store = base.open_with(settings).await;
        for number in 0..37 {
            store.record(call(number, "r")).await.unwrap();
        }
        let noted = store.reader().head().await.unwrap();
        let mut who = AuditEntry::new(uuid(900), noon(10_000), AuditKind::Purge);
        who.subject = Some("root".into());
        // Entries 1 to 25 are older: the last checkpoint among them is 20.
        let purged = store.purge(noon(25), who.clone()).await.unwrap();
        assert_eq!(purged.entries, 20);
        assert_eq!(purged.last.as_ref().unwrap().seq, 20);
        assert_eq!((purged.shown, purged.more), (25, false));
        let verified = whole(store.reader(), Some(&noted)).await;
        assert_eq!(
            (verified.entries, verified.first, verified.purged),
            (18, 21, 20)
        );
        let filter = AuditFilter {
            id: Some(uuid(900)),
            ..AuditFilter::default()
        };
        let said = store.reader().entries(&filter, 0, 1).await.unwrap();
        assert_eq!(said[0].entry.kind, AuditKind::Purge);
        assert_eq!(said[0].entry.subject.as_deref(), Some("root"));
        assert!(
            said[0]
                .entry
                .details
                .contains(&("entries".into(), "20".into()))
        );
        // Nothing is left to purge: nothing is said.
        who.id = uuid(901);
        let again = store.purge(noon(25), who.clone()).await.unwrap();
        assert_eq!(again.entries, 0);
        assert_eq!(store.reader().head().await.unwrap().seq, 38);
        // A second one, with the first one's own entry among what goes, later on.
        for number in 40..80 {
            store.record(call(number, "r")).await.unwrap();
        }
        who.id = uuid(902);
        who.at = noon(20_000);
        let purged = store.purge(noon(15_000), who).await.unwrap();
        assert_eq!(purged.last.as_ref().unwrap().seq, 70);
        let verified = whole(store.reader(), None).await;
        assert_eq!((verified.first, verified.purged), (71, 70));
        // What was noted and is gone cannot be compared, and that is said.
        let refused = store
            .reader()
            .verify((None, None), Some(&noted))
            .await
            .unwrap_err();
        assert!(
            refused.to_string().contains("entries up to 70 were purged"),
            "{refused}"
        );
    })
    .await;
}

/// Years of entries go in as many steps as it takes, none of which keeps others waiting for long.
#[tokio::test(flavor = "multi_thread")]
async fn many_old_entries_are_purged_step_by_step() {
    both(async |base| {
        let settings = Settings {
            checkpoint_every: 100,
            // So many at once are given below.
            wait: std::time::Duration::from_secs(20),
            ..Settings::default()
        };
        let store = base.open_with(settings).await;
        let mut tasks = vec![];
        for number in 0..2_650 {
            let store = store.clone();
            tasks.push(tokio::spawn(
                async move { store.audit(&entry(number)).await },
            ));
        }
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        // They were written at once, in any order: all of them are older than this.
        let (mut steps, mut gone) = (0, 0);
        loop {
            let id = uuid(900_000 + steps);
            let who = AuditEntry::new(id, noon(900_000), AuditKind::Purge);
            let purged = store.purge(noon(800_000), who).await.unwrap();
            assert!(purged.entries <= 2_000, "{purged:?}");
            (steps, gone) = (steps + 1, gone + purged.entries);
            if !purged.more {
                break;
            }
        }
        assert_eq!(gone, 2_600);
        let verified = whole(store.reader(), None).await;
        assert_eq!((verified.first, verified.purged), (2_601, 2_600));
    })
    .await;
}

/// Types, cardinalities and codes of R4 (<https://hl7.org/fhir/R4/auditevent.html>), element by element.
fn assert_is_r4(event: &serde_json::Value) {
    let top = [
        "resourceType",
        "id",
        "type",
        "subtype",
        "action",
        "recorded",
        "outcome",
        "outcomeDesc",
        "purposeOfEvent",
        "agent",
        "source",
        "entity",
    ];
    let members = |value: &serde_json::Value, known: &[&str]| {
        for (name, value) in value.as_object().unwrap() {
            assert!(known.contains(&name.as_str()), "R4 has no {name}");
            let is_empty = value.is_null()
                || value.as_str().is_some_and(|s| s.trim().is_empty())
                || value.as_array().is_some_and(Vec::is_empty)
                || value.as_object().is_some_and(serde_json::Map::is_empty);
            assert!(!is_empty, "{name} is empty");
        }
    };
    let coding = |value: &serde_json::Value| {
        members(value, &["system", "code", "display"]);
        assert!(value["code"].is_string());
    };
    members(event, &top);
    coding(&event["type"]);
    event["subtype"].as_array().unwrap().iter().for_each(coding);
    assert!(["C", "R", "U", "D", "E"].contains(&event["action"].as_str().unwrap()));
    assert!(["0", "4", "8", "12"].contains(&event["outcome"].as_str().unwrap()));
    let recorded = event["recorded"].as_str().unwrap();
    assert!(recorded.ends_with('Z') && recorded.parse::<Timestamp>().is_ok());
    let agents = event["agent"].as_array().unwrap();
    for agent in agents {
        members(agent, &["who", "name", "role", "requestor"]);
        assert!(agent["requestor"].is_boolean());
    }
    assert_eq!(agents.iter().filter(|a| a["requestor"] == true).count(), 1);
    members(&event["source"], &["site", "observer", "type"]);
    members(&event["source"]["observer"], &["display"]);
    for entity in event["entity"].as_array().unwrap() {
        members(entity, &["what", "type", "role", "name", "query", "detail"]);
        // sev-1: either a name or a query.
        assert!(!(entity["name"].is_string() && entity["query"].is_string()));
        for detail in entity["detail"].as_array().into_iter().flatten() {
            members(detail, &["type", "valueString"]);
            assert!(detail["type"].is_string() && detail["valueString"].is_string());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_exported_as_an_audit_event_of_r4() {
    both(async |base| {
        let store = base.open().await;
        let mut full = entry(1);
        full.tenant = "north".into();
        full.consent = Some("Observation withheld by Consent/1".into());
        full.roles = vec!["physician".into(), String::new()];
        full.rule_set = Some("abc".into());
        full.details.push(("purpose".into(), "HRESCH".into()));
        store.audit(&full).await.unwrap();
        let mut bare = AuditEntry::new("not a FHIR id", noon(2), AuditKind::Call);
        bare.patient = Some("no id/of FHIR".into());
        bare.services = vec!["a".into(), "b".into()];
        bare.hook = Some(" ".into());
        bare.outcome = Some(String::new());
        bare.status = 503;
        store.audit(&bare).await.unwrap();
        for (number, kind) in [
            AuditKind::Reload,
            AuditKind::Read,
            AuditKind::Explain,
            AuditKind::Feedback,
        ]
        .into_iter()
        .enumerate()
        {
            let id = uuid(50 + number as u64);
            store
                .audit(&AuditEntry::new(id, noon(3), kind))
                .await
                .unwrap();
        }
        let entries = store
            .reader()
            .entries(&AuditFilter::default(), 0, 100)
            .await
            .unwrap();
        let events: Vec<serde_json::Value> = entries.iter().map(|e| audit_event(e, None)).collect();
        assert_eq!(events.len(), 6);
        events.iter().for_each(assert_is_r4);
        let event = &events[0];
        assert_eq!(event["recorded"], "2026-11-30T12:00:01Z");
        assert_eq!(event["agent"][0]["who"]["reference"], "Practitioner/7");
        assert_eq!(event["agent"][0]["requestor"], true);
        assert_eq!(event["agent"][1]["requestor"], false);
        assert_eq!(event["entity"][0]["what"]["reference"], "Patient/p1");
        let details = event["entity"][1]["detail"].to_string();
        for said in [
            "warfarin-nsaid|1.2.0 fired",
            "Consent/1",
            "north",
            "rule-set",
            &entries[0].head.hash,
        ] {
            assert!(details.contains(said), "{said}: {details}");
        }
        // Why it was asked, as they said; nothing is made up where they did not.
        let purpose = &event["purposeOfEvent"][0]["coding"][0];
        assert_eq!(purpose["code"], "HRESCH");
        assert!(
            purpose["system"]
                .as_str()
                .unwrap()
                .ends_with("v3-ActReason")
        );
        assert!(events[1]["purposeOfEvent"].is_null());
        assert_eq!(events[1]["outcome"], "8");
        assert_eq!(
            events[1]["entity"][0]["what"]["identifier"]["value"],
            "no id/of FHIR"
        );
        assert_eq!(events[1]["entity"].as_array().unwrap().len(), 3);
    })
    .await;
}
