//! kill -9 in the middle of writing: every record that was acknowledged is there, and the chain is whole.
//! The program that is killed is this test binary itself, which writes and prints what was acknowledged.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cds_store::{Checked, Place, Settings, Store};

use crate::postgres::Cluster;
use crate::support::*;

/// Where the child writes to, and from which number on.
const STORE: &str = "TANDEM_TEST_STORE";
const FROM: &str = "TANDEM_TEST_FROM";

/// Not a test of its own: what the child does. Without the variable it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Ok(url) = std::env::var(STORE) else {
        return;
    };
    let from: u64 = std::env::var(FROM).unwrap().parse().unwrap();
    let place: Place = url.parse().unwrap();
    let settings = Settings {
        checkpoint_every: 50,
        ..Settings::default()
    };
    let store = Store::open(&place, settings, "child").await.unwrap();
    // Sixteen at a time, as a server has.
    let mut tasks = vec![];
    for lane in 0..16 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            for number in 0.. {
                let number = from + number * 16 + lane;
                let said = match number % 3 {
                    0 => {
                        let said = batch(vec![overridden(&card(number), "2026-11-30T13:00:00Z")]);
                        store
                            .feedback(said, Some(&entry(number)))
                            .await
                            .map(|_| "feedback")
                    }
                    _ => {
                        let (jti, now) = (number.to_string(), noon(0));
                        let used = store.remember_jti("i", &jti, noon(900), now).await;
                        let recorded = store.record(call(number, "r")).await;
                        used.and(recorded).map(|_| "call")
                    }
                };
                match said {
                    // Printed after it was acknowledged, in one piece.
                    Ok(kind) => println!("ack {kind} {number}"),
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

fn spawn(url: &str, from: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::child", "--nocapture"])
        .env(STORE, url)
        .env(FROM, from.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Numbers from a seed: every run has other moments, and says which.
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn seed() -> u64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let seed = u64::try_from(since.as_nanos() & 0xffff_ffff).unwrap() | 1;
    println!("seed {seed}");
    seed
}

/// What was printed as acknowledged.
fn acknowledged(child: &mut Child) -> Vec<(String, u64)> {
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut all = vec![];
    for line in out.lines().map_while(Result::ok) {
        // The harness prints on the same line before the first.
        let Some(said) = line.find("ack ").and_then(|at| line.get(at..)) else {
            continue;
        };
        let words: Vec<&str> = said.split(' ').collect();
        // The last line may have come in part.
        if let (3, Some(Ok(number))) = (words.len(), words.get(2).map(|n| n.parse())) {
            all.push((words[1].to_owned(), number));
        }
    }
    all
}

/// What was acknowledged is there: `all` of one round, and the tokens of `calls` in all rounds.
async fn check(base: &Base, all: &[(String, u64)], calls: usize) {
    let tokens = base.number("SELECT COUNT(*) FROM cds_jti").await;
    assert!(
        usize::try_from(tokens).unwrap() >= calls,
        "{calls} calls with a token were acknowledged, {tokens} tokens are there"
    );
    let entries = base.texts("SELECT id FROM cds_audit").await;
    let calls = base.texts("SELECT call_id FROM cds_shown").await;
    let cards = base.texts("SELECT card FROM cds_feedback").await;
    for (kind, number) in all {
        let id = uuid(*number);
        assert!(
            entries.contains(&id),
            "the entry of {kind} {number} was lost"
        );
        let is_there = match kind.as_str() {
            "call" => calls.contains(&id),
            _ => cards.contains(&card(*number)),
        };
        assert!(is_there, "{kind} {number} was lost");
    }
    let checked = base
        .reader()
        .await
        .verify((None, None), None)
        .await
        .unwrap();
    match checked {
        Checked::Whole(verified) => assert!(verified.entries >= all.len() as u64),
        broken @ Checked::Broken { .. } => panic!("{broken:?}"),
    }
}

fn of_calls(all: &[(String, u64)]) -> usize {
    all.iter().filter(|(kind, _)| kind == "call").count()
}

/// Kills the writing process at random moments.
async fn kill_the_writer(base: &Base, times: u64) {
    let mut state = seed();
    let (mut total, mut calls) = (0, 0);
    for round in 0..times {
        let mut child = spawn(&base.url, 10_000_000 * (round + 1));
        let moment = 150 + random(&mut state) % 400;
        std::thread::sleep(Duration::from_millis(moment));
        child.kill().unwrap();
        let all = acknowledged(&mut child);
        child.wait().unwrap();
        calls += of_calls(&all);
        check(base, &all, calls).await;
        total += all.len();
    }
    println!("{total} acknowledged, {times} times killed, none lost");
    assert!(total > 100, "hardly anything was written: {total}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_writer_loses_nothing_in_sqlite() {
    let base = Base::sqlite();
    drop(base.open().await);
    kill_the_writer(&base, 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_writer_loses_nothing_in_postgres() {
    let Some(cluster) = crate::postgres::shared() else {
        return;
    };
    let base = Base::of(cluster);
    drop(base.open().await);
    kill_the_writer(&base, 20).await;
}

/// The postmaster is killed, the writer lives and goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_postgres_loses_nothing() {
    let Some(mut cluster) = Cluster::start() else {
        return;
    };
    let base = Base::of(&cluster);
    drop(base.open().await);
    let mut state = seed();
    let mut child = spawn(&base.url, 10_000_000);
    for _ in 0..5 {
        std::thread::sleep(Duration::from_millis(300 + random(&mut state) % 500));
        cluster.kill();
        cluster.start_again();
    }
    std::thread::sleep(Duration::from_millis(1500));
    child.kill().unwrap();
    let all = acknowledged(&mut child);
    child.wait().unwrap();
    println!("{} acknowledged", all.len());
    assert!(
        all.len() > 100,
        "hardly anything was written: {}",
        all.len()
    );
    check(&base, &all, of_calls(&all)).await;
}

/// Which other servers wait for at the end of the log: one that is frozen (a machine that is suspended) does
/// not keep it.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_does_not_hold_the_others_up() {
    let Some(cluster) = crate::postgres::shared() else {
        return;
    };
    let base = Base::of(cluster);
    let store = base.open().await;
    let mut child = spawn(&base.url, 10_000_000);
    let signal = |name: &str| {
        let pid = child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    };
    // In the middle of a transaction, with the row in its hands.
    let is_stuck = async || {
        let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                   AND state = 'idle in transaction' AND (query LIKE '%FOR UPDATE' \
                   OR query LIKE 'INSERT INTO cds_audit (%' OR query LIKE 'UPDATE cds_audit_head%')";
        base.number(sql).await > 0
    };
    let mut tries = 0;
    loop {
        std::thread::sleep(Duration::from_millis(60));
        signal("-STOP");
        std::thread::sleep(Duration::from_millis(30));
        if is_stuck().await {
            break;
        }
        signal("-CONT");
        tries += 1;
        assert!(tries < 400, "it was never stopped while it held the end");
    }
    let started = std::time::Instant::now();
    let mut refused = 0;
    while let Err(error) = store.record(call(1, "r")).await {
        assert!(error.is_passing(), "{error}");
        refused += 1;
        assert!(started.elapsed() < Duration::from_secs(20), "{error}");
    }
    let held = started.elapsed();
    println!("{refused} refused, written after {held:?}");
    assert!(
        held > Duration::from_millis(300),
        "it did not hold the end of the log: {held:?}"
    );
    // It goes on once it runs again, and all is one chain.
    signal("-CONT");
    std::thread::sleep(Duration::from_secs(1));
    child.kill().unwrap();
    let all = acknowledged(&mut child);
    child.wait().unwrap();
    check(&base, &all, of_calls(&all)).await;
}
