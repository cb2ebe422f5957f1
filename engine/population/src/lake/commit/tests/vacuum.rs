//! Vacuum and pins.

use super::*;

/// Names that our writer gives.
const LOST: &str = "facts/0199aaaaaaaa0-b00000-0123456789abcdef.parquet";
const SLOW: &str = "facts/0199bbbbbbbb0-b00006-0123456789abcdef.parquet";

/// Keep the last `keep_last`; orphans of any age are collected at `now_ms` in the far future.
pub(super) fn policy(keep_last: usize, min_age_ms: i64) -> VacuumPolicy {
    VacuumPolicy {
        keep_last,
        keep_since_ms: None,
        pinned: BTreeSet::new(),
        min_age_ms,
        now_ms: i64::MAX,
    }
}

/// Snapshots 0 to 3, each replacing bucket 0's file `a0` by `b1`, `b2`, `b3`, all files written.
async fn four(store: &dyn ObjectStore) -> Snapshot {
    let mut head = created(store).await;
    for path in [
        "facts/a0.parquet",
        "facts/a1.parquet",
        "facts/a23.parquet",
        "shared/s0.parquet",
    ] {
        put(store, path, "0123456789").await;
    }
    let mut old = "a0.parquet".to_owned();
    for n in 1..4 {
        let new = format!("b{n}.parquet");
        put(store, &format!("facts/{new}"), "0123456789").await;
        let change = change("facts", &[&old], &[file(&new, &[0])]);
        head = commit(store, Base::On(&head), &change, n * 1000)
            .await
            .unwrap();
        old = new;
    }
    head
}

fn deleted(plan: &VacuumPlan) -> Vec<&str> {
    plan.delete.iter().map(|f| f.path.as_str()).collect()
}

#[tokio::test]
async fn pinned_and_newest_stay() {
    for (store, _folder) in stores() {
        let store = store.as_ref();
        let head = four(store).await;
        pin(store, 1, "report 2024").await.unwrap();
        assert_eq!(
            pins(store).await.unwrap(),
            BTreeMap::from([(1, "report 2024".to_owned())])
        );

        let plan = plan_vacuum(store, &policy(0, 0)).await.unwrap();
        assert_eq!(
            (plan.drop.as_slice(), plan.kept.as_slice()),
            (&[0, 2][..], &[1, 3][..])
        );
        assert_eq!(deleted(&plan), ["facts/a0.parquet", "facts/b2.parquet"]);
        assert!(plan.delete.iter().all(|f| f.size == 10 && !f.orphan));
        assert!(exists(store, "facts/b2.parquet").await);

        let done = apply_vacuum(store, &plan).await.unwrap();
        assert_eq!((done.dropped, done.files, done.bytes), (vec![0, 2], 2, 20));
        assert!(!exists(store, "facts/b2.parquet").await);
        assert_eq!(latest(store).await.unwrap(), head);
        for path in [
            "facts/b1.parquet",
            "facts/b3.parquet",
            "facts/a1.parquet",
            "shared/s0.parquet",
        ] {
            assert!(exists(store, path).await, "{path}");
        }
        let gone = read(store, 2).await.unwrap_err();
        assert!(
            gone.to_string().starts_with("snapshot 2 was vacuumed"),
            "{gone}"
        );
        assert!(matches!(
            pin(store, 2, "late").await,
            Err(CommitError::Vacuumed { .. })
        ));
        let left: Vec<u64> = list(store)
            .await
            .unwrap()
            .iter()
            .map(|i| i.number)
            .collect();
        assert_eq!(left, [1, 3]);

        unpin(store, 1).await.unwrap();
        unpin(store, 1).await.unwrap();
        let plan = plan_vacuum(store, &policy(1, 0)).await.unwrap();
        assert_eq!(
            (plan.drop.as_slice(), deleted(&plan)),
            (&[1][..], vec!["facts/b1.parquet"])
        );
    }
}

#[tokio::test]
async fn the_rules_add_up() {
    let store = InMemory::new();
    four(&store).await;
    let mut keep = policy(1, 0);
    keep.keep_since_ms = Some(2000);
    assert_eq!(plan_vacuum(&store, &keep).await.unwrap().kept, [2, 3]);
    keep.pinned.insert(0);
    assert_eq!(plan_vacuum(&store, &keep).await.unwrap().kept, [0, 2, 3]);
    assert_eq!(
        plan_vacuum(&store, &policy(9, 0)).await.unwrap().drop,
        Vec::<u64>::new()
    );
}

#[tokio::test]
async fn only_old_orphans_of_ours_go() {
    for (store, _folder) in stores() {
        let store = store.as_ref();
        four(store).await;
        let untouched = [
            "facts/_delta_log/00000000000000000000.json",
            "facts/_delta_log/x.parquet",
            "facts/.tmp/x.parquet",
            "facts/README.md",
            "facts/mine.parquet",
            "facts/0199aaaaaaaa0-b00000-0123456789abcdeg.parquet",
            "facts/0199aaaaaaaa0-c00000-0123456789abcdef.parquet",
            "facts/0199aaaaaaaa0-0123456789abcdef.parquet.bak",
            "_rejects/lost.parquet",
            "elsewhere/lost.parquet",
        ];
        for path in untouched.iter().chain(&[LOST]) {
            put(store, path, "123").await;
        }
        let lost = Path::from(LOST);
        let written = store
            .head(&lost)
            .await
            .unwrap()
            .last_modified
            .timestamp_millis();
        let mut keep = policy(9, 60_000);
        keep.now_ms = written + 60_000;
        assert!(plan_vacuum(store, &keep).await.unwrap().delete.is_empty());
        keep.now_ms = written + 60_001;
        let plan = plan_vacuum(store, &keep).await.unwrap();
        assert_eq!(deleted(&plan), [LOST]);
        assert!(plan.delete[0].orphan && plan.drop.is_empty());
        apply_vacuum(store, &plan).await.unwrap();
        assert!(!exists(store, LOST).await);
        for path in untouched {
            assert!(exists(store, path).await, "{path}");
        }
    }
}

#[tokio::test]
async fn what_happened_since_the_plan_is_respected() {
    let store = InMemory::new();
    let head = four(&store).await;
    put(&store, SLOW, "123").await;
    let plan = plan_vacuum(&store, &policy(1, 0)).await.unwrap();
    assert_eq!(
        deleted(&plan),
        [
            SLOW,
            "facts/a0.parquet",
            "facts/b1.parquet",
            "facts/b2.parquet"
        ]
    );
    // A slow import lands, and somebody pins an old snapshot.
    on(
        &store,
        &head,
        &change("facts", &[], &[file(&SLOW["facts/".len()..], &[6])]),
    )
    .await;
    pin(&store, 1, "audit").await.unwrap();
    let done = apply_vacuum(&store, &plan).await.unwrap();
    assert_eq!((done.dropped, done.files), (vec![0, 2], 2));
    assert!(exists(&store, SLOW).await);
    assert!(exists(&store, "facts/b1.parquet").await);
    assert_eq!(read(&store, 1).await.unwrap().number, 1);
    assert_eq!(latest(&store).await.unwrap().number, 4);
}

/// What our writer names is ours; of each table.
#[test]
fn names_of_ours() {
    use super::super::names::is_data_file;
    for name in [
        "0199aaaaaaaa0-b00012-0123456789abcdef.parquet",
        "0199aaaaaaaa0-b00001of00004-0123456789abcdef.parquet",
        "0199aaaaaaaa0-0123456789abcdef.parquet",
    ] {
        assert!(is_data_file(name), "{name}");
    }
    for name in [
        "0199aaaaaaaa0-b-0123456789abcdef.parquet",
        "0199aaaaaaaa0-bof4-0123456789abcdef.parquet",
        "part-00000-0123456789abcdef.parquet",
        "0199aaaaaaaa0-b00012-0123456789abcdef",
    ] {
        assert!(!is_data_file(name), "{name}");
    }
}

/// What was a pin, or is meant for one, and keeps nothing.
#[tokio::test]
async fn what_is_no_pin_is_told() {
    for (store, folder) in stores() {
        let store = store.as_ref();
        four(store).await;
        pin(store, 1, "report").await.unwrap();
        assert_eq!(not_pins(store).await.unwrap(), Vec::<String>::new());
        put(store, "_lake/pins/00000000000000000002.old", "report").await;
        if let Some(folder) = &folder {
            let pins = folder.path().join("_lake/pins");
            std::fs::create_dir(pins.join("00000000000000000003")).unwrap();
        } else {
            put(store, "_lake/pins/00000000000000000003/x", "x").await;
        }
        let told = not_pins(store).await.unwrap();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("2.old: its name is no"), "{told:?}");
        assert!(told[1].contains("3: it is a folder"), "{told:?}");
        assert_eq!(pins(store).await.unwrap().len(), 1);
    }
}
