//! `tandem feedback` and `tandem audit`, with a store as a service writes it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use cds_store::{
    AuditEntry, AuditKind, CallRecord, Feedback, FeedbackBatch, FeedbackOutcome, ReasonCoding,
    RecordedCall, Settings, Shown, ShownCard, ShownRule, Store, Timestamp,
};
use serde_json::Value;

use crate::support::*;

const HL7: &str = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes";

fn at(seconds: i64) -> Timestamp {
    let noon: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
    Timestamp::from_second(noon.as_second() + seconds).unwrap()
}

fn call(number: i64, at: Timestamp) -> CallRecord {
    let id = format!("00000000-0000-4000-8000-{number:012}");
    let mut entry = AuditEntry::new(id.clone(), at, AuditKind::Call);
    entry.client = Some("https://ehr.example".into());
    entry.patient = Some(format!("p{number}"));
    entry.services = vec!["alerts".into()];
    entry.status = 200;
    CallRecord {
        entry,
        shown: Some(Shown {
            call_id: id.clone(),
            hook_instance: id,
            hook: "order-sign".into(),
            service: "alerts".into(),
            client: "https://ehr.example".into(),
            tenant: String::new(),
            site: None,
            role: None,
            patient: None,
            at,
            cards: vec![ShownCard {
                card: format!("card-{number}"),
                suggestions: vec![],
                rules: vec![ShownRule {
                    rule: "warfarin-nsaid".into(),
                    version: "1.2.0".into(),
                    hash: "ab".into(),
                }],
                evidence: "[]".into(),
            }],
        }),
        recorded: None,
    }
}

/// 40 calls of one day, each with a card, of which 36 were overridden. Checkpoints at each tenth entry.
fn store(folder: &Path, first: Timestamp) -> PathBuf {
    let file = folder.join("tandem.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let place = file.display().to_string().parse().unwrap();
        let settings = Settings {
            checkpoint_every: 10,
            ..Settings::default()
        };
        let store = Store::open(&place, settings, "test").await.unwrap();
        for number in 0..40 {
            let at = Timestamp::from_second(first.as_second() + number).unwrap();
            store.record(call(number, at)).await.unwrap();
        }
        let said = |number: i64| Feedback {
            card: format!("card-{number}"),
            outcome: FeedbackOutcome::Overridden,
            outcome_timestamp: at(100).to_string(),
            outcome_at: at(100),
            accepted_suggestions: vec![],
            reason: Some(ReasonCoding {
                system: HL7.into(),
                code: "patient-refuses".into(),
                display: None,
            }),
            comment: Some(SECRET.into()),
        };
        let batch = FeedbackBatch {
            service: "alerts".into(),
            client: "https://ehr.example".into(),
            tenant: String::new(),
            received: at(200),
            entries: (0..36).map(said).collect(),
        };
        store.feedback(batch, None).await.unwrap();
    });
    file
}

/// Changes the database behind the store's back.
fn sql(file: &Path, sql: &'static str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        use sqlx::{ConnectOptions, Connection};
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut connection = options.connect().await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

#[test]
fn feedback_report_in_every_format() {
    let dir = folder();
    let file = store(dir.path(), at(0));
    let report = |args: &[&str]| {
        let start = ["feedback", "report", "--store"].map(OsStr::new);
        let args = args.iter().map(OsStr::new);
        run(&start
            .into_iter()
            .chain([file.as_os_str()])
            .chain(args)
            .collect::<Vec<_>>())
    };
    // Comments are counted, and not printed: `run` looks for the one that is there.
    let table = report(&[]).ok().out;
    for said in [
        "warfarin-nsaid",
        "100 %",
        "refuses/declines",
        "mostly overridden",
        "silent:",
    ] {
        assert!(table.contains(said), "{said}:\n{table}");
    }
    let json: Value = serde_json::from_str(&report(&["--format", "json"]).ok().out).unwrap();
    assert_eq!(json["total"]["shown"], 40);
    assert_eq!(json["total"]["silent"], 4);
    assert_eq!(json["rules"][0]["reasons"][0]["count"], 36);
    assert_eq!(json["mostlyOverridden"][0], "warfarin-nsaid");
    let csv = report(&["--format", "csv", "--by", "hook"]).ok().out;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(
        lines[0],
        "hook,rule,shown,accepted,overridden,silent,override_rate,with_reason,with_comment"
    );
    assert_eq!(lines[1], "order-sign,warfarin-nsaid,40,0,36,4,1.0000,36,36");
    let html = report(&["--format", "html"]).ok().out;
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("<svg"));
    // Periods: a day is to its end, in the zone that is given.
    let total = |args: &[&str]| {
        let all = [args, &["--format", "json"]].concat();
        let json: Value = serde_json::from_str(&report(&all).ok().out).unwrap();
        json["total"]["shown"].as_u64().unwrap()
    };
    assert_eq!(total(&["--from", "2026-01-15", "--to", "2026-01-15"]), 40);
    assert_eq!(total(&["--to", "2026-01-14"]), 0);
    assert_eq!(
        total(&[
            "--from",
            "2026-01-15T12:00:10Z",
            "--to",
            "2026-01-15T12:00:20Z"
        ]),
        10
    );
    assert_eq!(
        total(&["--from", "2026-01-16", "--time-zone", "+12:00"]),
        40
    );
    report(&["--from", "yesterday"]).fails(2, &["--from yesterday"]);
    report(&["--from", "2026-01-16", "--to", "2026-01-01"]).fails(2, &["ends before it begins"]);
    report(&["--by", "weather"]).fails(2, &["hook"]);
}

#[test]
fn audit_verify_show_and_export() {
    let dir = folder();
    let file = store(dir.path(), at(0));
    let whole = tandem!("audit", "verify", "--store", &file).ok().out;
    assert!(whole.contains("40 entries"), "{whole}");
    let head = whole
        .lines()
        .find_map(|line| line.strip_prefix("Head: "))
        .unwrap()
        .to_owned();
    tandem!("audit", "verify", "--store", &file, "--expect-head", &head).ok();
    tandem!("audit", "verify", "--store", &file, "--expect-head", "12:x")
        .fails(2, &["NUMBER:HASH"]);
    let shown = tandem!(
        "audit", "show", "--store", &file, "--last", "3", "--format", "csv"
    )
    .ok()
    .out;
    assert_eq!(shown.lines().count(), 4);
    assert!(
        shown
            .lines()
            .nth(1)
            .unwrap()
            .starts_with("38,2026-01-15T12:00:37Z,call"),
        "{shown}"
    );
    let one = tandem!(
        "audit",
        "show",
        "--store",
        &file,
        "--patient",
        "p7",
        "--format",
        "json"
    )
    .ok()
    .out;
    let one: Value = serde_json::from_str(&one).unwrap();
    assert_eq!(one["entries"].as_array().unwrap().len(), 1);
    assert_eq!(one["entries"][0]["entry"]["patient"], "p7");
    let events = tandem!("audit", "export", "--store", &file, "--site", "north")
        .ok()
        .out;
    assert_eq!(events.lines().count(), 40);
    for line in events.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["resourceType"], "AuditEvent");
        assert_eq!(event["source"]["site"], "north");
    }
    sql(
        &file,
        "UPDATE cds_audit SET body = REPLACE(body, 'p7', 'p8') WHERE seq = 8",
    );
    tandem!("audit", "verify", "--store", &file).fails(1, &["broken at entry 8"]);
    let json = tandem!("audit", "verify", "--store", &file, "--format", "json");
    assert_eq!(json.code, 1);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((&json["whole"], &json["entry"]), (&false.into(), &8.into()));
    // The end cut off, and the head set back: only a head that was noted shows it.
    let other = folder();
    let file = store(other.path(), at(0));
    let noted = tandem!("audit", "verify", "--store", &file).ok().out;
    let noted = noted
        .lines()
        .find_map(|line| line.strip_prefix("Head: "))
        .unwrap()
        .to_owned();
    sql(&file, "DELETE FROM cds_audit WHERE seq > 35");
    sql(&file, "DELETE FROM cds_audit_checkpoint WHERE seq > 35");
    sql(
        &file,
        "UPDATE cds_audit_head SET seq = 35, hash = (SELECT hash FROM cds_audit WHERE seq = 35)",
    );
    tandem!("audit", "verify", "--store", &file).ok();
    tandem!("audit", "verify", "--store", &file, "--expect-head", &noted)
        .fails(1, &["entry 40 was noted"]);
}

#[test]
fn audit_purge_keeps_six_years() {
    let dir = folder();
    let file = store(dir.path(), "2011-01-01T00:00:00Z".parse().unwrap());
    let purged = tandem!("audit", "purge", "--store", &file, "--keep-days", "36500")
        .ok()
        .out;
    assert!(purged.contains("0 entries of the audit log"), "{purged}");
    let purged = tandem!("audit", "purge", "--store", &file).ok().out;
    assert!(purged.contains("40 entries of the audit log"), "{purged}");
    let whole = tandem!("audit", "verify", "--store", &file).ok().out;
    assert!(
        whole.contains("1 entry, from 41 on") && whole.contains("up to 40 were purged"),
        "{whole}"
    );
}

/// What goes is gone: it can be looked at first, and what is young does not go by mistake.
#[test]
fn audit_purge_tells_before_it_removes() {
    let dir = folder();
    let file = store(dir.path(), "2026-01-01T00:00:00Z".parse().unwrap());
    let purge = ["audit", "purge", "--keep-days", "0", "--store"].map(OsStr::new);
    let with = |more: &[&str]| {
        let all = purge.into_iter().chain([file.as_os_str()]);
        run(&all.chain(more.iter().map(OsStr::new)).collect::<Vec<_>>())
    };
    let what = "40 entries of the audit log, 0 recorded calls, 40 cards and 36 entries of feedback";
    let looked = with(&["--dry-run"]).ok().out;
    assert!(
        looked.contains(what) && looked.contains("would be"),
        "{looked}"
    );
    let due: Value =
        serde_json::from_str(&with(&["--dry-run", "--format", "json"]).ok().out).unwrap();
    assert_eq!(
        (&due["due"]["entries"], &due["due"]["shown"]),
        (&40.into(), &40.into())
    );
    with(&[]).fails(2, &[what, "--yes", "Nothing was"]);
    let report = tandem!("feedback", "report", "--store", &file).ok().out;
    assert!(report.contains("40"), "{report}");
    let done = with(&["--yes"]).ok().out;
    assert!(done.contains(what), "{done}");
    // Where nothing would go nobody is asked.
    let old = tandem!("audit", "purge", "--store", &file, "--keep-days", "2000");
    assert!(old.ok().out.contains("0 cards"));
    let report = tandem!("feedback", "report", "--store", &file).ok().out;
    assert!(report.contains("No card was shown"), "{report}");
}

/// The place of the store is given apart: a secret that the settings have for it is not needed.
#[test]
fn a_replay_needs_no_secret_of_the_settings() {
    let dir = folder();
    let stored = store(dir.path(), at(0));
    let text = "[store]\nurl = \"${NOBODY_HAS_THIS}\"\npseudonym_key_file = \"none\"\n";
    let settings = file(dir.path().join("tandem.toml"), text);
    let id = "00000000-0000-4000-8000-000000000001";
    let replay = |settings: &Path| {
        tandem!(
            "audit", "replay", "--store", &stored, "--config", settings, id
        )
    };
    replay(&settings).fails(2, &["no call 00000000", "record_requests"]);
    let wrong = file(
        dir.path().join("wrong.toml"),
        "[store]\nurl = \"${NOBODY_HAS_THIS}\"\nurrl = 1\n",
    );
    replay(&wrong).fails(2, &["urrl"]);
}

/// Whose turn it is is one code for all commands.
#[test]
fn what_is_no_store_is_one_mistake_for_every_command() {
    let dir = folder();
    let text = file(dir.path().join("text"), "no database at all. ".repeat(100));
    let nowhere = "tandem:hunter2@host/db".to_owned();
    for (store, code) in [(text.display().to_string(), 2), (nowhere, 2)] {
        let own = format!("[server]\nlisten = \"127.0.0.1:0\"\n[store]\nurl = {store:?}\n");
        let settings = file(dir.path().join("tandem.toml"), own);
        let served = tandem!("serve", "--insecure-dev", "--config", &settings);
        assert!(!served.text().contains("hunter2"), "{}", served.text());
        served.fails(code, &["[store]"]);
        for command in ["verify", "purge"] {
            let ran = tandem!("audit", command, "--store", &store);
            assert!(!ran.text().contains("hunter2"), "{}", ran.text());
            ran.fails(code, &[]);
        }
        let ran = tandem!("feedback", "report", "--store", &store);
        assert!(!ran.text().contains("hunter2"), "{}", ran.text());
        ran.fails(code, &[]);
    }
}

#[test]
fn a_call_that_was_not_recorded_cannot_be_replayed() {
    let dir = folder();
    let file = store(dir.path(), at(0));
    let id = "00000000-0000-4000-8000-000000000001";
    tandem!("audit", "replay", "--store", &file, id).fails(2, &["record_requests"]);
}

/// By the rules of its tenant, and by no others.
#[test]
fn a_call_of_a_tenant_is_replayed_by_its_rules() {
    let dir = folder();
    let stored = dir.path().join("tandem.db");
    let mut record = call(1, at(0));
    let id = record.entry.id.clone();
    record.recorded = Some(RecordedCall {
        id: id.clone(),
        at: at(0),
        service: "alerts".into(),
        request: r#"{"call":{"at":0,"fetched":{},"tenant":"north"},"body":{}}"#.into(),
        response: r#"{"status":200,"cards":[]}"#.into(),
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let place = stored.display().to_string().parse().unwrap();
        let store = Store::open(&place, Settings::default(), "test").await;
        store.unwrap().record(record).await.unwrap();
    });
    tandem!("audit", "replay", "--store", &stored, &id)
        .fails(2, &["the tenant `north`", "--config", "--rules"]);
    let own = "[[tenant]]\nname = \"north\"\n[tenant.rules]\npaths = [\"of-the-north\"]\nbuilt_in = false\n";
    let settings = file(dir.path().join("tandem.toml"), own);
    tandem!(
        "audit", "replay", "--store", &stored, "--config", &settings, &id
    )
    .fails(2, &["of-the-north"]);
    tandem!(
        "audit",
        "replay",
        "--store",
        &stored,
        "--rules",
        &dir.path().join("mine"),
        &id
    )
    .fails(2, &["mine"]);
}

#[test]
fn a_store_that_is_none() {
    let dir = folder();
    let nowhere = dir.path().join("nowhere.db");
    for command in [
        ["audit", "verify"],
        ["audit", "show"],
        ["audit", "export"],
        ["audit", "purge"],
        ["feedback", "report"],
    ] {
        tandem!(command[0], command[1], "--store", &nowhere).fails(2, &["there is no store at"]);
        assert!(!nowhere.exists(), "{command:?}");
        tandem!(command[0], command[1], "--store", "mysql://a/b").fails(2, &["`mysql://`"]);
    }
    // Nobody listens there; the password is told to nobody.
    let url = "postgres://nurse:hunter2@127.0.0.1:1/cds";
    let ran = tandem!("audit", "verify", "--store", url);
    assert!(!ran.text().contains("hunter2"));
    ran.fails(4, &["cannot be reached"]);
    let text = file(dir.path().join("text"), "no database at all. ".repeat(100));
    tandem!("audit", "verify", "--store", &text).fails(2, &["no SQLite database"]);
}
