//! SQLite's log is taken over into the file beside the writer, and begins anew.

use std::path::Path;
use std::time::Duration;

use crate::support::*;

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |found| found.len())
}

const MIB: u64 = 1 << 20;

/// Some 100 MiB, without a pause.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_taken_over_while_others_write_and_does_not_grow_for_ever() {
    let base = Base::sqlite();
    let store = base.open().await;
    let file = base.file();
    let log = file.with_file_name(format!(
        "{}-wal",
        file.file_name().unwrap().to_str().unwrap()
    ));
    let evidence = format!("[\"{}\"]", "x".repeat(100_000));
    let mut lanes = tokio::task::JoinSet::new();
    for lane in 0..8 {
        let (store, evidence) = (store.clone(), evidence.clone());
        lanes.spawn(async move {
            for number in 0..125 {
                let mut call = call(lane * 1_000 + number, "r");
                call.shown.as_mut().unwrap().cards[0].evidence = evidence.clone();
                store.record(call).await.unwrap();
            }
        });
    }
    lanes.join_all().await;
    // The store is still open: closing it would take over all.
    let mut tries = 0;
    while length(&file) < 90 * MIB {
        tries += 1;
        assert!(tries < 100, "{} bytes in the file", length(&file));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(length(&log) < 64 * MIB, "{} bytes", length(&log));
    assert_eq!(base.number("SELECT COUNT(*) FROM cds_shown").await, 1_000);
    let checked = store.reader().verify((None, None), None).await.unwrap();
    assert!(
        matches!(checked, cds_store::Checked::Whole(_)),
        "{checked:?}"
    );
}
