//! How many records a second, and how long each waits: `cargo test -p cds-store load -- --ignored
//! --nocapture`. Not part of the gate, since it depends on the disk.

use std::time::{Duration, Instant};

use crate::support::*;

async fn load(base: Base, a_second: u64, seconds: u64, has_tokens: bool) {
    let store = base.open().await;
    let mut tasks = vec![];
    let started = Instant::now();
    for number in 0..a_second * seconds {
        let due = started + Duration::from_micros(number * 1_000_000 / a_second);
        tokio::time::sleep_until(due.into()).await;
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            // From when it was due: a queue that grows is not hidden.
            if has_tokens {
                let jti = number.to_string();
                let used = store.remember_jti("i", &jti, noon(9000), noon(0)).await;
                if used != Ok(true) {
                    return (false, due.elapsed());
                }
            }
            let done = store.record(call(number, "r")).await;
            (done.is_ok(), due.elapsed())
        }));
    }
    let mut waits = vec![];
    let mut failed = 0;
    for task in tasks {
        let (ok, wait) = task.await.unwrap();
        failed += u64::from(!ok);
        waits.push(wait);
    }
    waits.sort();
    let at = |percent: f64| waits[((waits.len() - 1) as f64 * percent / 100.0) as usize];
    let counts = store.counts();
    println!(
        "{} {a_second}/s for {seconds} s{}: p50 {:?} p99 {:?} p99.9 {:?} max {:?}, {failed} failed, {:.1} a transaction",
        if base.is_postgres {
            "PostgreSQL"
        } else {
            "SQLite"
        },
        if has_tokens {
            ", each with a token"
        } else {
            ""
        },
        at(50.0),
        at(99.0),
        at(99.9),
        at(100.0),
        counts.records as f64 / counts.commits as f64,
    );
    assert_eq!(failed, 0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures, for people"]
async fn load_of_a_server() {
    for has_tokens in [false, true] {
        for a_second in [500, 2000] {
            both(async |base| load(base, a_second, 10, has_tokens).await).await;
        }
    }
}
