//! Creating, committing, rebasing, colliding.

use super::*;

#[tokio::test]
async fn create_commit_and_time_travel() {
    for (store, _folder) in stores() {
        let store = store.as_ref();
        let missing = latest(store).await.unwrap_err();
        assert!(matches!(missing, CommitError::NoLake { .. }), "{missing}");

        let zero = created(store).await;
        assert_eq!(
            (zero.number, zero.created_ms, zero.format),
            (0, 100, FORMAT)
        );
        let new = file("b23.parquet", &[2, 3]);
        let one = on(store, &zero, &change("facts", &["a23.parquet"], &[new])).await;
        assert_eq!(one.number, 1);
        assert_eq!(latest(store).await.unwrap(), one);
        assert_eq!(read(store, 0).await.unwrap(), zero);
        assert_eq!(
            names(&zero, "facts"),
            ["a0.parquet", "a1.parquet", "a23.parquet"]
        );
        assert_eq!(
            names(&one, "facts"),
            ["a0.parquet", "a1.parquet", "b23.parquet"]
        );

        let infos = list(store).await.unwrap();
        let infos: Vec<_> = infos.iter().map(|i| (i.number, i.files, i.bytes)).collect();
        assert_eq!(infos, [(0, 4, 40), (1, 4, 40)]);
    }
}

#[tokio::test]
async fn table_ids_are_fixed_and_in_the_form_of_a_uuid() {
    let store = InMemory::new();
    let zero = created(&store).await;
    let one = on(&store, &zero, &change("codes", &[], &[])).await;
    assert_eq!(zero.tables["facts"].id, one.tables["facts"].id);
    assert_ne!(one.tables["facts"].id, one.tables["codes"].id);
    let lengths: Vec<_> = one.tables["codes"].id.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    let again = created(&InMemory::new()).await;
    assert_eq!(zero.tables["facts"].id, again.tables["facts"].id);
}

#[tokio::test]
async fn a_clock_behind_stays_monotonic() {
    let store = InMemory::new();
    let zero = created(&store).await;
    let empty = change("facts", &[], &[]);
    let one = commit(&store, Base::On(&zero), &empty, 50).await.unwrap();
    assert_eq!(one.created_ms, 101);
}

#[tokio::test]
async fn different_buckets_both_land() {
    for (store, _folder) in stores() {
        let store = store.as_ref();
        let zero = created(store).await;
        let left = change("facts", &["a0.parquet"], &[file("b0.parquet", &[0])]);
        let right = change("facts", &["a23.parquet"], &[file("b23.parquet", &[2, 3])]);
        on(store, &zero, &left).await;
        let two = on(store, &zero, &right).await;
        assert_eq!(two.number, 2);
        assert_eq!(two.created_ms, 201);
        assert_eq!(
            names(&two, "facts"),
            ["a1.parquet", "b0.parquet", "b23.parquet"]
        );
    }
}

/// Commit `first`, then `second` on the same base: the second's error.
async fn refused(first: &Change, second: &Change) -> String {
    let mut said = Vec::new();
    for (store, _folder) in stores() {
        let store = store.as_ref();
        let zero = created(store).await;
        on(store, &zero, first).await;
        let error = commit(store, Base::On(&zero), second, 300)
            .await
            .unwrap_err();
        assert_eq!(error.family(), Family::Conflict, "{error}");
        assert_eq!(latest(store).await.unwrap().number, 1);
        said.push(error.to_string());
    }
    assert_eq!(said[0], said[1]);
    said.remove(0)
}

#[tokio::test]
async fn same_bucket_is_refused() {
    let first = change("facts", &["a23.parquet"], &[file("b23.parquet", &[2, 3])]);
    let second = change("facts", &["a23.parquet"], &[file("c23.parquet", &[2, 3])]);
    assert_eq!(
        refused(&first, &second).await,
        "another writer committed snapshot 1 first and changed the same data: bucket 2, \
         bucket 3, file `facts/a23.parquet` (removed); nothing was committed, run again on the \
         newest snapshot"
    );
}

#[tokio::test]
async fn same_bucket_of_another_table_is_refused() {
    let first = change("patients", &[], &[file("p1.parquet", &[1])]);
    let mut second = change("facts", &[], &[]);
    second.buckets.insert(1);
    assert!(refused(&first, &second).await.contains(": bucket 1;"));
    // Two appends to one bucket: the crate `deltalake` lets both land.
    let first = change("facts", &[], &[file("b5.parquet", &[5])]);
    let second = change("facts", &[], &[file("c5.parquet", &[5])]);
    assert!(refused(&first, &second).await.contains(": bucket 5;"));
}

#[tokio::test]
async fn unbucketed_table_changed_by_both_is_refused() {
    let first = change("shared", &["s0.parquet"], &[file("s1.parquet", &[])]);
    let second = change("shared", &[], &[file("s2.parquet", &[])]);
    assert!(refused(&first, &second).await.contains(": table `shared`;"));
    // A bucket beside it is not its business.
    let store = InMemory::new();
    let zero = created(&store).await;
    on(&store, &zero, &first).await;
    on(
        &store,
        &zero,
        &change("facts", &[], &[file("b5.parquet", &[5])]),
    )
    .await;
}

/// A type and id is one resource over all buckets: an import of bucket 0 collides with one of bucket 1.
#[tokio::test]
async fn a_change_of_all_lands_on_its_base_only() {
    let first = change("facts", &["a1.parquet"], &[file("b1.parquet", &[1])]);
    let mut second = change("facts", &["a0.parquet"], &[file("c0.parquet", &[0])]);
    second.of_all = true;
    assert!(refused(&first, &second).await.contains(": table `facts`;"));
    // What changes no file is no collision.
    for (store, _folder) in stores() {
        let store = store.as_ref();
        let zero = created(store).await;
        on(store, &zero, &change("facts", &[], &[])).await;
        assert_eq!(on(store, &zero, &second).await.number, 2);
    }
}

#[tokio::test]
async fn one_of_two_creators_wins() {
    for (store, _folder) in stores() {
        let store = store.as_ref();
        created(store).await;
        let other = NewLake {
            lake_id: "lake-2".to_owned(),
            buckets: 8,
        };
        let second = commit(store, Base::Create(&other), &Change::default(), 100).await;
        let error = second.unwrap_err();
        assert_eq!(error.family(), Family::Conflict);
        assert!(error.to_string().contains("already created"), "{error}");
        assert_eq!(latest(store).await.unwrap().lake_id, "lake-1");
    }
}

#[tokio::test]
async fn impossible_changes_are_refused_before_writing() {
    let store = InMemory::new();
    let zero = created(&store).await;
    let cases = [
        (
            change("facts", &["x.parquet"], &[]),
            "snapshot 0 does not list it",
        ),
        (
            change("facts", &[], &[file("a0.parquet", &[0])]),
            "added twice",
        ),
        (
            change("facts", &[], &[file("x.parquet", &[8])]),
            "out of range",
        ),
        (
            change("facts", &[], &[file("x.parquet", &[3, 2])]),
            "sort them",
        ),
        (
            change("facts", &[], &[file("../x.parquet", &[2])]),
            "not every reader",
        ),
        (change("_lake", &[], &[]), "not every reader"),
        (change("facts/more", &[], &[]), "inside table `facts`"),
    ];
    for (change, said) in cases {
        let error = commit(&store, Base::On(&zero), &change, 1)
            .await
            .unwrap_err();
        assert_eq!(error.family(), Family::User);
        assert!(error.to_string().contains(said), "{error}");
    }
    assert_eq!(list(&store).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_writer_cannot_commit_into_the_vacuumed_past() {
    for (store, _folder) in stores() {
        let store = store.as_ref();
        let zero = created(store).await;
        let mut head = zero.clone();
        for bucket in 4..7 {
            let add = [file(&format!("b{bucket}.parquet"), &[bucket])];
            head = on(store, &head, &change("facts", &[], &add)).await;
        }
        let keep = super::vacuum::policy(1, 0);
        let plan = plan_vacuum(store, &keep).await.unwrap();
        apply_vacuum(store, &plan).await.unwrap();
        let late = on(
            store,
            &zero,
            &change("facts", &[], &[file("c7.parquet", &[7])]),
        )
        .await;
        assert_eq!(late.number, 4);
        assert_eq!(late.tables["facts"].files.len(), 7);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_writers_on_different_buckets_all_land() {
    for (store, _folder) in stores() {
        let zero = created(store.as_ref()).await;
        let mut tasks = tokio::task::JoinSet::new();
        for bucket in 0..8 {
            let (store, zero) = (Arc::clone(&store), zero.clone());
            tasks.spawn(async move {
                let add = [file(&format!("b{bucket}.parquet"), &[bucket])];
                on(store.as_ref(), &zero, &change("new", &[], &add))
                    .await
                    .number
            });
        }
        let mut numbers = tasks.join_all().await;
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=8).collect::<Vec<u64>>());
        let last = latest(store.as_ref()).await.unwrap();
        assert_eq!(last.tables["new"].files.len(), 8);
        let infos = list(store.as_ref()).await.unwrap();
        assert!(infos.is_sorted_by(|a, b| a.created_ms < b.created_ms));
    }
}
