//! Calls are written whole, once, by as many servers as there are.

use cds_store::{
    AuditFilter, CallRecord, Checked, Place, RecordedCall, Settings, Store, StoreError, sha256,
};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_written_with_its_cards_and_can_be_read() {
    both(async |base| {
        let store = base.open().await;
        let mut record = call(1, "warfarin-nsaid");
        record.entry.request_hash = Some(sha256(b"{\"a\":1}"));
        record.entry.response_hash = Some(sha256(b"{\"cards\":[]}"));
        record.recorded = Some(RecordedCall {
            id: record.entry.id.clone(),
            at: record.entry.at,
            service: "alerts".into(),
            request: "{\"a\":1}".into(),
            response: "{\"cards\":[]}".into(),
        });
        let head = store.record(record.clone()).await.unwrap();
        assert_eq!(head.seq, 1);
        let filter = AuditFilter {
            patient: Some("p1".into()),
            ..AuditFilter::default()
        };
        let entries = store.reader().entries(&filter, 0, 10).await.unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].entry, record.entry);
        assert_eq!(entries[0].head, head);
        let other = AuditFilter {
            patient: Some("p2".into()),
            ..AuditFilter::default()
        };
        assert!(
            store
                .reader()
                .entries(&other, 0, 10)
                .await
                .unwrap()
                .is_empty()
        );
        let recorded = store.reader().recorded(&record.entry.id).await.unwrap();
        assert_eq!(recorded, record.recorded);
        assert_eq!(base.number("SELECT COUNT(*) FROM cds_shown").await, 1);
        assert_eq!(base.text("SELECT patient FROM cds_shown").await, "p1");
        // What was changed behind its back is not replayed.
        base.sql("UPDATE cds_recorded SET request = '{}'").await;
        let changed = store.reader().recorded(&record.entry.id).await.unwrap_err();
        assert!(matches!(changed, StoreError::Damaged(_)), "{changed}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_call_again_is_one_card_and_the_same_entry_one_entry() {
    both(async |base| {
        let store = base.open().await;
        let first = store.record(call(1, "r")).await.unwrap();
        // The answer was lost, and the same record is given again.
        assert_eq!(store.record(call(1, "r")).await.unwrap(), first);
        // The client repeats the call: another entry, the same card.
        let mut again = call(2, "r");
        again.shown.as_mut().unwrap().cards[0].card = card(1);
        assert_eq!(store.record(again).await.unwrap().seq, 2);
        assert_eq!(base.number("SELECT COUNT(*) FROM cds_shown").await, 1);
        // Another entry of an id that is there is a mistake, and spoils nothing else.
        let mut other = call(1, "r");
        other.entry.status = 412;
        let refused = store.record(other).await.unwrap_err();
        assert!(matches!(refused, StoreError::Mistake(_)), "{refused}");
        assert_eq!(store.reader().head().await.unwrap().seq, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_record_in_a_batch_takes_no_other_with_it() {
    both(async |base| {
        let store = base.open().await;
        store.record(call(5, "r")).await.unwrap();
        let mut bad = call(5, "r");
        bad.entry.status = 500;
        let mut tasks = vec![];
        for number in 10..60 {
            let store = store.clone();
            let record = if number == 30 {
                bad.clone()
            } else {
                call(number, "r")
            };
            tasks.push(tokio::spawn(
                async move { (number, store.record(record).await) },
            ));
        }
        for task in tasks {
            let (number, done) = task.await.unwrap();
            assert_eq!(done.is_ok(), number != 30, "{number}: {done:?}");
        }
        let checked = store.reader().verify((None, None), None).await.unwrap();
        assert!(matches!(checked, Checked::Whole(v) if v.entries == 50));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_servers_write_one_chain() {
    both(async |base| {
        let mut stores = vec![];
        // They start at once, on a database in which nothing is.
        let opened: Vec<_> = (0..4)
            .map(|number| {
                let place = base.place.clone();
                tokio::spawn(async move {
                    Store::open(&place, Settings::default(), &format!("server {number}")).await
                })
            })
            .collect();
        for store in opened {
            stores.push(store.await.unwrap().unwrap());
        }
        let mut tasks = vec![];
        for number in 0..400_u64 {
            let store = stores[usize::try_from(number).unwrap() % 4].clone();
            tasks.push(tokio::spawn(async move {
                store.record(call(number, "r")).await
            }));
        }
        let mut seen = std::collections::BTreeSet::new();
        for task in tasks {
            assert!(seen.insert(task.await.unwrap().unwrap().seq));
        }
        assert_eq!(
            seen.into_iter().collect::<Vec<_>>(),
            (1..=400).collect::<Vec<_>>()
        );
        let checked = stores[0].reader().verify((None, None), None).await.unwrap();
        assert!(matches!(checked, Checked::Whole(v) if v.entries == 400));
        let commits: u64 = stores.iter().map(|s| s.counts().commits).sum();
        assert!(commits < 400, "no record shared a transaction: {commits}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn patients_of_cards_are_pseudonyms_where_the_setting_says_so() {
    both(async |base| {
        let settings = Settings {
            pseudonym_key: Some(b"a secret of the hospital".to_vec()),
            ..Settings::default()
        };
        let store = base.open_with(settings).await;
        for number in [1, 11, 2] {
            let mut record = call(number, "r");
            let patient = record.entry.patient.clone().unwrap();
            record.shown.as_mut().unwrap().cards[0].evidence =
                format!(r#"["Patient/{patient}","Observation/o1"]"#);
            store.record(record).await.unwrap();
        }
        let count = "SELECT COUNT(DISTINCT patient) FROM cds_shown";
        assert_eq!(base.number(count).await, 2, "one patient has one pseudonym");
        let plain = "SELECT COUNT(*) FROM cds_shown WHERE patient LIKE '%p1%'";
        assert_eq!(base.number(plain).await, 0);
        // Nor does what a card rests on say it.
        let evidence = "SELECT COUNT(*) FROM cds_shown WHERE evidence LIKE '%\"Patient/p%'";
        assert_eq!(base.number(evidence).await, 0);
        let hidden =
            "SELECT COUNT(*) FROM cds_shown WHERE evidence LIKE '%\"Patient/' || patient || '\"%'";
        assert_eq!(base.number(hidden).await, 3);
        assert_eq!(
            base.number("SELECT CAST(MIN(LENGTH(patient)) AS BIGINT) FROM cds_shown")
                .await,
            64
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_by_a_newer_version_is_refused() {
    both(async |base| {
        drop(base.open().await);
        base.sql("INSERT INTO cds_schema_version (version) VALUES (7)")
            .await;
        let refused = Store::open(&base.place, Settings::default(), "test").await;
        let refused = refused.err().unwrap();
        assert!(matches!(refused, StoreError::Newer(_)), "{refused}");
        assert!(refused.to_string().contains("version 7"), "{refused}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_another_program_is_left_alone() {
    let base = Base::sqlite();
    let file = base.file();
    let url = format!("sqlite://{}", file.display());
    std::fs::write(&file, "").unwrap();
    base.sql("CREATE TABLE theirs (a INTEGER)").await;
    let place: Place = url.parse().unwrap();
    let refused = Store::open(&place, Settings::default(), "test")
        .await
        .err()
        .unwrap();
    assert!(refused.to_string().contains("another program"), "{refused}");
    assert!(cds_store::Reader::open(&place).await.is_err());
    assert_eq!(base.number("SELECT COUNT(*) FROM sqlite_master").await, 1);
    assert_eq!(base.text("PRAGMA journal_mode").await, "delete");
    // What is no database at all.
    let text = file.with_file_name("text");
    std::fs::write(
        &text,
        "not a database, but long enough to be taken for one. ".repeat(40),
    )
    .unwrap();
    let place: Place = text.display().to_string().parse().unwrap();
    let refused = Store::open(&place, Settings::default(), "test")
        .await
        .err()
        .unwrap();
    assert!(
        refused.to_string().contains("no SQLite database"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_told_where_it_is_read() {
    let base = Base::sqlite();
    let missing = cds_store::Reader::open(&base.place).await.err().unwrap();
    assert!(
        missing.to_string().contains("there is no store at"),
        "{missing}"
    );
    assert!(!base.file().exists(), "reading makes no store");
    if let Some(cluster) = crate::postgres::shared() {
        let base = Base::of(cluster);
        let missing = cds_store::Reader::open(&base.place).await.err().unwrap();
        assert!(
            missing.to_string().contains("there is no store"),
            "{missing}"
        );
    }
    let place: Place = "/no/such/folder/store.db".parse().unwrap();
    let refused = Store::open(&place, Settings::default(), "test")
        .await
        .err()
        .unwrap();
    assert!(refused.to_string().contains("/no/such/folder"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_that_a_database_cannot_hold_are_kept_readable() {
    both(async |base| {
        let store = base.open().await;
        let mut record = call(1, "r");
        record.entry.patient = Some("p\u{0}1'; DROP TABLE cds_audit; --".into());
        record.entry.outcome = Some("ünï\u{0}cödé \u{1F9EA}".into());
        record.shown.as_mut().unwrap().site = Some("ward\u{0}".into());
        let wanted = record.entry.clone();
        store.record(record).await.unwrap();
        let entries = store
            .reader()
            .entries(&AuditFilter::default(), 0, 10)
            .await
            .unwrap();
        assert_eq!(entries[0].entry, wanted);
        let checked = store.reader().verify((None, None), None).await.unwrap();
        assert!(matches!(checked, Checked::Whole(_)), "{checked:?}");
        assert_eq!(
            base.text("SELECT site FROM cds_shown").await,
            "ward\u{fffd}"
        );
    })
    .await;
}

/// Item 83: the replay store is bounded and shared between servers. (SQLite is for one: below.)
#[tokio::test(flavor = "multi_thread")]
async fn item_83_a_token_is_taken_once_by_whichever_server() {
    both(async |base| {
        let one = base.open().await;
        let two = match base.is_postgres {
            true => base.open().await,
            false => one.clone(),
        };
        let (now, later) = (noon(0), noon(3600));
        assert!(
            one.remember_jti("https://a", "1", later, now)
                .await
                .unwrap()
        );
        assert!(
            !two.remember_jti("https://a", "1", later, now)
                .await
                .unwrap()
        );
        assert!(
            two.remember_jti("https://b", "1", later, now)
                .await
                .unwrap()
        );
        // All at once: one of them is the first.
        let mut tasks = vec![];
        for number in 0..40 {
            let store = if number % 2 == 0 {
                one.clone()
            } else {
                two.clone()
            };
            tasks.push(tokio::spawn(async move {
                store
                    .remember_jti("https://a", "2", later, now)
                    .await
                    .unwrap()
            }));
        }
        let mut first = 0;
        for task in tasks {
            first += u32::from(task.await.unwrap());
        }
        assert_eq!(first, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_full_refuses_at_once_and_counts() {
    let base = Base::sqlite();
    let settings = Settings {
        queue: 4,
        ..Settings::default()
    };
    let store = base.open_with(settings).await;
    let mut tasks = vec![];
    for number in 0..200 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            store.record(call(number, "r")).await
        }));
    }
    let (mut written, mut refused) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => written += 1,
            Err(StoreError::Busy(_)) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(refused > 0, "a queue of 4 took 200");
    assert_eq!(store.counts().refused_full, refused);
    assert_eq!(store.counts().records, written);
}

/// It is not refused for what is only kept beside it.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_too_large_is_recorded_without_the_whole() {
    let base = Base::sqlite();
    let store = base.open().await;
    let large = CallRecord {
        recorded: Some(RecordedCall {
            id: uuid(999),
            at: noon(0),
            service: "alerts".into(),
            request: "x".repeat(33 << 20),
            response: String::new(),
        }),
        ..call(999, "r")
    };
    store.record(large).await.unwrap();
    assert_eq!(store.reader().recorded(&uuid(999)).await.unwrap(), None);
    let all = AuditFilter::default();
    let entries = store.reader().entries(&all, 0, 10).await.unwrap();
    let said = entries[0].entry.details.iter();
    let said: Vec<_> = said
        .filter(|(name, _)| name == "recorded-in-full")
        .collect();
    assert!(
        said[0].1.starts_with("no: it has 34603008 bytes"),
        "{said:?}"
    );
    assert_eq!(base.number("SELECT COUNT(*) FROM cds_shown").await, 1);
}

/// However many were used in a short time: those of a busy hour are gone soon after it.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_expired_are_forgotten_all_of_them() {
    both(async |base| {
        let store = base.open().await;
        let numbers = match base.is_postgres {
            true => "SELECT generate_series(1, 2500) AS n",
            false => {
                "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2500) SELECT n FROM c"
            }
        };
        let (columns, values) = match base.is_postgres {
            true => ("id, expires, owner", "'x' || n, 1, 'y'"),
            false => ("id, expires", "printf('%032x', n), 1"),
        };
        base.sql(&format!(
            "INSERT INTO cds_jti ({columns}) SELECT {values} FROM ({numbers}) AS all_of_them"
        ))
        .await;
        for number in 0..4 {
            let jti = number.to_string();
            assert!(store.remember_jti("i", &jti, noon(9), noon(0)).await.unwrap());
            store.record(call(number, "r")).await.unwrap();
        }
        assert_eq!(base.number("SELECT COUNT(*) FROM cds_jti").await, 4);
    })
    .await;
}

/// Of SQLite: what one server took the next one knows, and of two at once the first writes nothing more, since it
/// would not know what the other takes.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_for_one_server_at_a_time() {
    let base = Base::sqlite();
    let settings = || Settings {
        wait: std::time::Duration::from_millis(300),
        ..Settings::default()
    };
    let (one, other) = (
        base.open_with(settings()).await,
        base.open_with(settings()).await,
    );
    let (now, later) = (noon(0), noon(3600));
    assert_eq!(one.remember_jti("i", "1", later, now).await, Ok(true));
    // It has no record: it is written all the same, a little later.
    let mut tries = 0;
    while base.number("SELECT COUNT(*) FROM cds_jti").await == 0 {
        tries += 1;
        assert!(tries < 100, "the token was not written");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // Others may write beside it, as a purge does, as long as they take no token.
    other.record(call(1, "r")).await.unwrap();
    one.record(call(2, "r")).await.unwrap();
    assert_eq!(other.remember_jti("i", "1", later, now).await, Ok(false));
    assert_eq!(other.remember_jti("i", "2", later, now).await, Ok(true));
    other.record(call(3, "r")).await.unwrap();
    // What the first takes now nobody else knows: its calls fail, with or without a record.
    let taken = one.remember_jti("i", "2", later, now).await;
    let refused = one.record(call(4, "r")).await.unwrap_err();
    assert!(refused.to_string().contains("another server"), "{refused}");
    assert!(matches!(refused, StoreError::Unavailable(_)), "{taken:?}");
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert!(!one.counts().is_up);
    one.remember_jti("i", "3", later, now).await.unwrap_err();
    other.record(call(5, "r")).await.unwrap();
}

/// A file of the version before keeps its entries, its chain and its tokens.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_first_version_is_brought_forward() {
    let base = Base::sqlite();
    let file = base.file();
    let first = include_str!("../../src/schema/1.sql")
        .replace("{ROW}", "INTEGER PRIMARY KEY")
        .replace("{RANDOM}", "'some-chain'");
    let used = cds_store::sha256(
        &[
            &1_u64.to_be_bytes()[..],
            b"i",
            &1_u64.to_be_bytes()[..],
            b"7",
        ]
        .concat(),
    );
    std::fs::write(&file, "").unwrap();
    base.sql(&first).await;
    base.sql(&format!(
        "INSERT INTO cds_schema_version VALUES (1); \
         INSERT INTO cds_jti VALUES ('{used}', {}, 'x'); \
         INSERT INTO cds_audit VALUES (1, 'a', 1, 'call', '', NULL, 'p', '{{}}', 'h'); \
         UPDATE cds_audit_head SET seq = 1, hash = 'h'",
        noon(900).as_microsecond()
    ))
    .await;
    let refused = cds_store::Reader::open(&base.url.parse().unwrap()).await;
    let refused = refused.err().unwrap().to_string();
    assert!(refused.contains("start the server"), "{refused}");
    let store = base.open().await;
    let is_first = store.remember_jti("i", "7", noon(900), noon(0)).await;
    assert_eq!(is_first, Ok(false));
    assert_eq!(
        store.remember_jti("i", "8", noon(900), noon(0)).await,
        Ok(true)
    );
    let head = store.record(call(1, "r")).await.unwrap();
    assert_eq!(head.seq, 2);
    assert_eq!(
        base.text("SELECT body FROM cds_audit WHERE seq = 1").await,
        "{}"
    );
    assert_eq!(base.number("SELECT COUNT(*) FROM cds_jti").await, 2);
}

/// It names patients: nobody else on the machine reads it.
#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let base = Base::sqlite();
    let store = base.open().await;
    store.record(call(1, "r")).await.unwrap();
    for end in ["", "-wal", "-shm"] {
        let file = format!("{}{end}", base.file().display());
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}
