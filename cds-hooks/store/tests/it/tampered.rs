//! Whoever can write to the database cannot change the audit log unnoticed.

use cds_store::{Checked, Head, Settings};

use crate::support::*;

/// What the verifier says after a change made behind the store's back.
async fn found(changes: &[&str], expected: Option<u64>) -> Vec<(u64, String)> {
    let mut all = vec![];
    let mut bases = vec![Base::sqlite()];
    bases.extend(crate::postgres::shared().map(Base::of));
    for base in bases {
        let settings = Settings {
            checkpoint_every: 10,
            ..Settings::default()
        };
        let store = base.open_with(settings).await;
        let mut noted = Head::default();
        for number in 1..=30 {
            let head = store.record(call(number, "r")).await.unwrap();
            if Some(number) == expected {
                noted = head;
            }
        }
        drop(store);
        for change in changes {
            assert!(base.sql(change).await > 0, "nothing was changed: {change}");
        }
        let noted = expected.map(|_| noted);
        let checked = base
            .reader()
            .await
            .verify((None, None), noted.as_ref())
            .await
            .unwrap();
        match checked {
            Checked::Broken { seq, why } => all.push((seq, why)),
            Checked::Whole(_) => panic!("not noticed: {changes:?}"),
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_was_changed() {
    let change = "UPDATE cds_audit SET body = REPLACE(body, 'fired', 'silent') WHERE seq = 12";
    for (seq, why) in found(&[change], None).await {
        assert_eq!(seq, 12);
        assert!(why.contains("changed"), "{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_was_changed() {
    for column in ["patient", "kind", "tenant", "client"] {
        let change = format!("UPDATE cds_audit SET {column} = 'x' WHERE seq = 12");
        for (seq, why) in found(&[&change], None).await {
            assert_eq!(seq, 12);
            assert!(why.contains("searched by"), "{why}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_was_taken_out() {
    for (seq, why) in found(&["DELETE FROM cds_audit WHERE seq = 12"], None).await {
        assert_eq!(seq, 12);
        assert!(why.contains("missing"), "{why}");
    }
    // With those after it moved up.
    let renumber = [
        "DELETE FROM cds_audit WHERE seq = 12",
        "UPDATE cds_audit SET seq = -seq WHERE seq > 12",
        "UPDATE cds_audit SET seq = -seq - 1 WHERE seq < 0",
        "UPDATE cds_audit_head SET seq = 29",
    ];
    for (seq, _) in found(&renumber, None).await {
        assert_eq!(seq, 12);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_was_put_in() {
    let changes = [
        "UPDATE cds_audit SET seq = -seq WHERE seq > 12",
        "UPDATE cds_audit SET seq = -seq + 1 WHERE seq < 0",
        "INSERT INTO cds_audit SELECT 13, 'x', at, kind, tenant, client, patient, body, hash FROM cds_audit WHERE seq = 12",
        "UPDATE cds_audit_head SET seq = 31",
    ];
    for (seq, _) in found(&changes, None).await {
        assert_eq!(seq, 13);
    }
    let at_the_end = "INSERT INTO cds_audit SELECT 31, 'x', at, kind, tenant, client, patient, body, hash FROM cds_audit WHERE seq = 12";
    for (seq, why) in found(&[at_the_end], None).await {
        assert_eq!(seq, 31);
        assert!(why.contains("after the head"), "{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_changed_places() {
    let changes = [
        "UPDATE cds_audit SET seq = -1 WHERE seq = 12",
        "UPDATE cds_audit SET seq = 12 WHERE seq = 13",
        "UPDATE cds_audit SET seq = 13 WHERE seq = -1",
    ];
    for (seq, _) in found(&changes, None).await {
        assert_eq!(seq, 12);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_was_cut_off() {
    for (seq, why) in found(&["DELETE FROM cds_audit WHERE seq > 25"], None).await {
        assert_eq!(seq, 26);
        assert!(why.contains("missing"), "{why}");
    }
    // With the head set back as well, it shows by a head that was noted.
    let changes = [
        "DELETE FROM cds_audit WHERE seq > 25",
        "DELETE FROM cds_audit_checkpoint WHERE seq > 25",
        "UPDATE cds_audit_head SET seq = 25, hash = (SELECT hash FROM cds_audit WHERE seq = 25)",
    ];
    for (seq, why) in found(&changes, Some(28)).await {
        assert_eq!(seq, 26);
        assert!(why.contains("entry 28 was noted"), "{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beginning_that_was_removed_without_a_purge() {
    let changes = [
        "INSERT INTO cds_audit_stub SELECT 1, seq, hash, id FROM cds_audit WHERE seq = 10",
        "DELETE FROM cds_audit WHERE seq <= 10",
    ];
    for (seq, why) in found(&changes, None).await {
        assert_eq!(seq, 10);
        assert!(why.contains("no entry of the log says"), "{why}");
    }
    for (seq, _) in found(&["DELETE FROM cds_audit WHERE seq <= 10"], None).await {
        assert_eq!(seq, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_or_head_that_was_changed() {
    for (seq, _) in found(
        &["UPDATE cds_audit_checkpoint SET hash = 'x' WHERE seq = 20"],
        None,
    )
    .await
    {
        assert_eq!(seq, 20);
    }
    for (seq, _) in found(&["UPDATE cds_audit_head SET hash = 'x'"], None).await {
        assert_eq!(seq, 30);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_log_in_its_place() {
    // The same entries in another store: a chain of its own.
    let (one, two) = (Base::sqlite(), Base::sqlite());
    let (first, second) = (one.open().await, two.open().await);
    let noted = first.audit(&entry(1)).await.unwrap();
    let other = second.audit(&entry(1)).await.unwrap();
    assert_ne!(noted, other);
    let checked = second
        .reader()
        .verify((None, None), Some(&noted))
        .await
        .unwrap();
    assert!(
        matches!(checked, Checked::Broken { seq: 1, .. }),
        "{checked:?}"
    );
}
