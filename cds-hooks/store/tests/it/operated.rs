//! What operators do with a store: look before they purge, copy it, read the report of a tenant.

use cds_store::{
    Asked, AuditEntry, AuditFilter, AuditKind, By, Purged, RecordedCall, Settings, page,
};

use crate::support::*;

/// What would go is what goes, to the entry.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_what_a_purge_removes() {
    both(async |base| {
        let settings = Settings {
            checkpoint_every: 10,
            ..Settings::default()
        };
        let store = base.open_with(settings).await;
        for number in 0..37 {
            let mut record = call(number, "r");
            record.recorded = (number < 4).then(|| RecordedCall {
                id: record.entry.id.clone(),
                at: record.entry.at,
                service: "alerts".into(),
                request: "{}".into(),
                response: "{}".into(),
            });
            store.record(record).await.unwrap();
        }
        let said = batch(vec![overridden(&card(1), "2026-11-30T13:00:00Z")]);
        store.feedback(said, None).await.unwrap();
        let nothing = store.reader().due(noon(-1)).await.unwrap();
        assert_eq!(nothing, Purged::default());
        // Before the first checkpoint no entry of the log goes; cards do.
        let few = store.reader().due(noon(5)).await.unwrap();
        assert_eq!(
            (few.entries, few.shown, few.recorded, &few.last),
            (0, 5, 4, &None)
        );
        for (number, before) in [noon(25), noon(26), at("2026-12-01T00:00:00Z")]
            .into_iter()
            .enumerate()
        {
            let due = store.reader().due(before).await.unwrap();
            let mut all = Purged::default();
            loop {
                let id = uuid(900 + u64::try_from(number).unwrap() * 10 + all.shown);
                let entry = AuditEntry::new(id, at("2026-12-01T00:00:00Z"), AuditKind::Purge);
                let purged = store.purge(before, entry).await.unwrap();
                all.entries += purged.entries;
                all.recorded += purged.recorded;
                all.shown += purged.shown;
                all.feedback += purged.feedback;
                all.last = purged.last.or(all.last);
                if !purged.more {
                    break;
                }
            }
            assert_eq!(due, all, "{before}");
        }
        assert_eq!(
            store.reader().due(noon(25)).await.unwrap(),
            Purged::default()
        );
    })
    .await;
}

/// A copy of the one file, made while the store is open, has all that was acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_settled_is_whole() {
    let base = Base::sqlite();
    let store = base.open().await;
    for number in 0..20 {
        store.record(call(number, "r")).await.unwrap();
    }
    store.settle().await.unwrap();
    let copy = base.file().with_file_name("copy.db");
    std::fs::copy(base.file(), &copy).unwrap();
    let place = copy.display().to_string().parse().unwrap();
    let reader = cds_store::Reader::open(&place).await.unwrap();
    let all = reader
        .entries(&AuditFilter::default(), 0, 100)
        .await
        .unwrap();
    assert_eq!(all.len(), 20);
    // It goes on, and what is not there is not made.
    store.record(call(20, "r")).await.unwrap();
    drop(store);
    let store = base.open().await;
    std::fs::rename(base.file(), base.file().with_extension("away")).unwrap();
    assert!(store.settle().await.is_err());
    assert!(!base.file().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_are_told_apart_by_tenant() {
    both(async |base| {
        let store = base.open().await;
        for (number, tenant) in ["north", "north", "south", ""].into_iter().enumerate() {
            let mut record = call(u64::try_from(number).unwrap(), "r");
            record.shown.as_mut().unwrap().tenant = tenant.into();
            store.record(record).await.unwrap();
        }
        let asked = Asked {
            by: vec![By::Tenant],
            ..Asked::new(at("2026-12-01T00:00:00Z"))
        };
        let report = store.reader().report(&asked).await.unwrap();
        let cells = report.cells(By::Tenant);
        assert_eq!(cells.heading[..3], ["tenant", "rule", "shown"]);
        let rows = cells.rows.iter().map(|row| {
            let row: Vec<String> = row[..3].iter().map(|field| field.for_people()).collect();
            row.join(" ")
        });
        let rows: Vec<String> = rows.collect();
        assert_eq!(rows, ["north r 2", "no tenant r 1", "south r 1"]);
        let page = page(&report);
        assert!(
            page.contains("no tenant") && page.contains("south"),
            "{page}"
        );
    })
    .await;
}
