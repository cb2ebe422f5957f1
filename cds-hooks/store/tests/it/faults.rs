//! Databases that go away, come back, are full, or are others than before. Nothing waits for ever, and
//! what was acknowledged is there.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cds_store::{Checked, Event, Settings, Store, StoreError};

use crate::postgres::Cluster;
use crate::support::*;

type Events = Arc<Mutex<Vec<Event>>>;

fn told() -> (Settings, Events) {
    let events = Events::default();
    let there = Arc::clone(&events);
    let settings = Settings {
        wait: Duration::from_millis(600),
        told: Some(Arc::new(move |event| there.lock().unwrap().push(event))),
        ..Settings::default()
    };
    (settings, events)
}

/// Until the store is written to again.
async fn back(store: &Store, number: u64) {
    let end = Instant::now() + Duration::from_secs(30);
    while let Err(error) = store.record(call(number, "r")).await {
        assert!(Instant::now() < end, "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !is_so().await {
        assert!(Instant::now() < end, "not so: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn whole(store: &Store) -> u64 {
    match store.reader().verify((None, None), None).await.unwrap() {
        Checked::Whole(verified) => verified.entries,
        broken @ Checked::Broken { .. } => panic!("{broken:?}"),
    }
}

fn has(events: &Events, wanted: impl Fn(&Event) -> bool) -> bool {
    events.lock().unwrap().iter().any(wanted)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_moved_away_and_back() {
    let base = Base::sqlite();
    let (settings, events) = told();
    let store = base.open_with(settings).await;
    store.record(call(1, "r")).await.unwrap();
    let away = base.file().with_extension("away");
    // As an administrator may do who does not know that the server runs: the whole of it.
    let files = ["", "-wal", "-shm"];
    let move_all = |from: &std::path::Path, to: &std::path::Path| {
        for end in files {
            let name = |path: &std::path::Path| format!("{}{end}", path.display());
            let _ = std::fs::rename(name(from), name(to));
        }
    };
    move_all(&base.file(), &away);
    let started = Instant::now();
    let refused = store.record(call(2, "r")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    assert!(started.elapsed() < Duration::from_secs(3));
    // Nothing is written to a file that nobody finds again, and no other is made in its place.
    assert!(!base.file().exists());
    // While it is known to be away nobody waits.
    let _ = store.record(call(2, "r")).await;
    let started = Instant::now();
    store.record(call(2, "r")).await.unwrap_err();
    assert!(
        started.elapsed() < Duration::from_millis(300),
        "{:?}",
        started.elapsed()
    );
    assert!(!store.counts().is_up);
    move_all(&away, &base.file());
    back(&store, 3).await;
    assert!(store.counts().is_up);
    assert_eq!(whole(&store).await, 2);
    assert!(has(&events, |e| matches!(e, Event::Down(_))) && has(&events, |e| *e == Event::Up));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_store_in_its_place_is_not_written_to() {
    let base = Base::sqlite();
    let other = Base::sqlite();
    drop(other.open().await.record(call(9, "r")).await.unwrap());
    let (settings, _) = told();
    let store = base.open_with(settings).await;
    store.record(call(1, "r")).await.unwrap();
    std::fs::remove_file(base.file()).unwrap();
    let _ = std::fs::remove_file(format!("{}-wal", base.file().display()));
    let _ = std::fs::remove_file(format!("{}-shm", base.file().display()));
    other
        .sql(&format!("VACUUM INTO '{}'", base.file().display()))
        .await;
    let refused = store.record(call(2, "r")).await.unwrap_err();
    assert!(refused.to_string().contains("another store"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_once_there_is_room_all_goes_on() {
    let base = Base::sqlite();
    let store = base.open().await;
    store.record(call(1, "r")).await.unwrap();
    // A disk that is full refuses pages; so does SQLite beyond this limit, which is of the connection. A
    // real one follows below.
    drop(store);
    // A tmpfs of a chosen size, where one can be mounted.
    let disk = tempfile::tempdir().unwrap();
    let mount = |options: &str| {
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(disk.path())
            .output();
        mounted.is_ok_and(|o| o.status.success())
    };
    if !mount("size=1m") {
        println!("skipped: no tmpfs can be mounted here");
        return;
    }
    struct Unmount(std::path::PathBuf);
    impl Drop for Unmount {
        fn drop(&mut self) {
            let _ = std::process::Command::new("umount")
                .arg("-l")
                .arg(&self.0)
                .output();
        }
    }
    let _unmount = Unmount(disk.path().to_owned());
    let place = disk
        .path()
        .join("store.db")
        .display()
        .to_string()
        .parse()
        .unwrap();
    let store = Store::open(&place, Settings::default(), "test")
        .await
        .unwrap();
    let mut acknowledged = 0;
    let error = loop {
        let mut record = call(acknowledged, "r");
        record.entry.outcome = Some("x".repeat(10_000));
        match store.record(record).await {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 1000, "a disk of 1 MB took 10 MB");
    };
    assert!(matches!(error, StoreError::Full(_)), "{error}");
    assert!(error.is_passing());
    // It is told each time, at once, and nothing is lost.
    let started = Instant::now();
    let mut large = call(5000, "r");
    large.entry.outcome = Some("x".repeat(100_000));
    assert!(matches!(
        store.record(large.clone()).await,
        Err(StoreError::Full(_))
    ));
    assert!(started.elapsed() < Duration::from_secs(2));
    assert!(
        !store.counts().is_up,
        "nothing can be written, and it seems to be up"
    );
    assert!(mount("remount,size=50m"));
    // It finds out by itself: who is told that it is not ready sends no calls.
    until("it is up again", async || store.counts().is_up).await;
    store.record(large).await.unwrap();
    assert_eq!(whole(&store).await, acknowledged + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_another_holds_is_waited_for() {
    use sqlx::{ConnectOptions, Connection, Executor};
    let base = Base::sqlite();
    let store = base.open().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(base.file());
    let mut other = options.connect().await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.record(call(1, "r")).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished());
    other.execute("COMMIT").await.unwrap();
    waiting.await.unwrap().unwrap();
    // Held for good: an error after a bounded wait.
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let started = Instant::now();
    let refused = store.record(call(2, "r")).await.unwrap_err();
    assert!(refused.is_passing(), "{refused}");
    assert!(started.elapsed() < Duration::from_secs(5));
    other.close().await.unwrap();
    back(&store, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_is_killed_and_comes_back() {
    let Some(mut cluster) = Cluster::start() else {
        return;
    };
    let base = Base::of(&cluster);
    let (settings, events) = told();
    let store = base.open_with(settings).await;
    store.record(call(1, "r")).await.unwrap();
    cluster.kill();
    // A part of it may outlive it for a moment, and what that acknowledges counts.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let started = Instant::now();
    // Some that come while it is away: they are refused in bounded time.
    let mut tasks = vec![];
    for number in 2..50 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            store.record(call(number, "r")).await
        }));
    }
    let (mut written, mut refused) = (1, 0);
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => written += 1,
            Err(StoreError::Unavailable(_)) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(refused > 0);
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    tokio::time::sleep(Duration::from_millis(700)).await;
    store.record(call(70, "r")).await.unwrap_err();
    assert!(!store.counts().is_up);
    cluster.start_again();
    back(&store, 60).await;
    assert_eq!(whole(&store).await, written + 1);
    assert!(has(&events, |e| matches!(e, Event::Down(_))) && has(&events, |e| *e == Event::Up));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_cut_loses_and_doubles_nothing() {
    let Some(cluster) = crate::postgres::shared() else {
        return;
    };
    let base = Base::of(cluster);
    // So long that a machine with other work to do connects again within it.
    let store = base
        .open_with(Settings {
            wait: Duration::from_secs(20),
            ..Settings::default()
        })
        .await;
    let name = base
        .url
        .split("localhost/")
        .nth(1)
        .unwrap()
        .split('?')
        .next()
        .unwrap()
        .to_owned();
    let cutting = tokio::spawn(async move {
        let other = Base::of(cluster);
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(40)).await;
            let sql = format!(
                "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
                 WHERE application_name = 'tandem' AND datname = '{name}'"
            );
            other.number(&sql).await;
        }
    });
    let mut acknowledged = 0;
    for number in 0..400 {
        if store.record(call(number, "r")).await.is_ok() {
            acknowledged += 1;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    cutting.await.unwrap();
    assert!(store.counts().lost > 0, "no connection was cut");
    assert_eq!(
        acknowledged, 400,
        "a cut connection is made again within the wait"
    );
    assert_eq!(whole(&store).await, 400);
    assert_eq!(base.number("SELECT COUNT(*) FROM cds_shown").await, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_set_back_is_told() {
    let base = Base::sqlite();
    let (settings, events) = told();
    let store = base.open_with(settings).await;
    for number in 1..=5 {
        store.record(call(number, "r")).await.unwrap();
    }
    // As a copy that was restored.
    base.sql("DELETE FROM cds_audit WHERE seq > 2").await;
    base.sql(
        "UPDATE cds_audit_head SET seq = 2, hash = (SELECT hash FROM cds_audit WHERE seq = 2)",
    )
    .await;
    store.record(call(6, "r")).await.unwrap();
    let is_told = |event: &Event| matches!(event, Event::SetBack { acknowledged, found } if acknowledged.seq == 5 && found.seq == 2);
    assert!(has(&events, is_told));
    assert_eq!(store.counts().set_back, 1);
}

/// It starts all the same where that is wanted, makes the store once the database is there, and notices that it
/// goes away again although nobody writes.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_at_the_start() {
    let Some(mut cluster) = Cluster::start() else {
        return;
    };
    let base = Base::of(&cluster);
    cluster.kill();
    let refused = Store::open(&base.place, Settings::default(), "test").await;
    assert!(matches!(refused.err(), Some(StoreError::Unavailable(_))));
    let (settings, events) = told();
    let settings = Settings {
        starts_without: true,
        ..settings
    };
    let store = base.open_with(settings.clone()).await;
    assert!(!store.counts().is_up);
    assert!(has(&events, |e| matches!(e, Event::Down(_))));
    let started = Instant::now();
    let refused = store.record(call(1, "r")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    assert!(started.elapsed() < Duration::from_millis(300));
    cluster.start_again();
    until("it is up", async || store.counts().is_up).await;
    store.record(call(2, "r")).await.unwrap();
    assert_eq!(whole(&store).await, 1);
    // Nothing is written meanwhile.
    cluster.kill();
    until("it is noticed", async || !store.counts().is_up).await;
    cluster.start_again();
    until("it is up again", async || store.counts().is_up).await;
    store.record(call(3, "r")).await.unwrap();
    // What somebody has to put right stops the start.
    let wrong: cds_store::Place = base.url.replace("/test_", "/no_such_").parse().unwrap();
    let refused = Store::open(&wrong, settings, "test").await.err().unwrap();
    assert!(matches!(refused, StoreError::NotAllowed(_)), "{refused}");
}

/// A token that was used is known after a crash of the database, once a record was acknowledged after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_as_durable_as_the_record_of_its_call() {
    let Some(mut cluster) = Cluster::start() else {
        return;
    };
    let base = Base::of(&cluster);
    let store = base.open().await;
    for number in 0..20 {
        let jti = number.to_string();
        assert!(
            store
                .remember_jti("i", &jti, noon(900), noon(0))
                .await
                .unwrap()
        );
        store.record(call(number, "r")).await.unwrap();
    }
    cluster.kill();
    cluster.start_again();
    let again = base.open().await;
    for number in 0..20 {
        let jti = number.to_string();
        let is_first = again.remember_jti("i", &jti, noon(900), noon(0)).await;
        assert!(!is_first.unwrap(), "{jti}");
    }
}

/// Also where others have written so much since that its end is further on than what was acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_set_back_and_written_to_since_is_told() {
    let Some(cluster) = crate::postgres::shared() else {
        return;
    };
    let base = Base::of(cluster);
    let (settings, events) = told();
    let store = base.open_with(settings).await;
    for number in 1..=5 {
        store.record(call(number, "r")).await.unwrap();
    }
    base.sql("DELETE FROM cds_audit WHERE seq > 2").await;
    base.sql(
        "UPDATE cds_audit_head SET seq = 2, hash = (SELECT hash FROM cds_audit WHERE seq = 2)",
    )
    .await;
    let other = base.open().await;
    for number in 10..=20 {
        other.record(call(number, "r")).await.unwrap();
    }
    // As a failover does.
    base.number(
        "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
         WHERE application_name = 'tandem' AND datname = current_database()",
    )
    .await;
    back(&store, 30).await;
    let is_told = |event: &Event| matches!(event, Event::SetBack { acknowledged, found } if acknowledged.seq == 5 && found.seq >= 13);
    assert!(has(&events, is_told), "{:?}", events.lock().unwrap());
    back(&store, 31).await;
    assert_eq!(store.counts().set_back, 1);
}

/// However long the file could not be written to: whoever takes the record's word for the call finds its token used.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_never_there_without_the_token_of_its_call() {
    use sqlx::ConnectOptions;
    let base = Base::sqlite();
    let settings = Settings {
        wait: Duration::from_millis(200),
        ..Settings::default()
    };
    let store = base.open_with(settings).await;
    let (later, now) = (noon(900), noon(0));
    assert_eq!(store.remember_jti("i", "0", later, now).await, Ok(true));
    store.record(call(0, "r")).await.unwrap();
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(base.file());
    let mut other = file.connect().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    assert_eq!(store.remember_jti("i", "1", later, now).await, Ok(true));
    // Longer than anything waits.
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(store.record(call(1, "r")).await.is_err());
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    let started = Instant::now();
    while store.record(call(1, "r")).await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(10));
    }
    assert_eq!(base.number("SELECT COUNT(*) FROM cds_jti").await, 2);
}

/// Also one that has no record.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_waits_for_is_written_before_the_end() {
    let base = Base::sqlite();
    let store = base.open().await;
    assert_eq!(
        store.remember_jti("i", "1", noon(9), noon(0)).await,
        Ok(true)
    );
    store.settle().await.unwrap();
    assert_eq!(base.number("SELECT COUNT(*) FROM cds_jti").await, 1);
}
