//! `kill -9` in the midst of vacuum: what a snapshot needs stays, and the next vacuum completes.
//! (Imports: `crash.rs`; `--out`: `out.rs`.)

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::*;

/// Moments at which a command is killed (`TANDEM_KILLS`).
fn kills() -> u32 {
    let asked = std::env::var("TANDEM_KILLS").ok();
    asked.map_or(20, |n| n.parse().unwrap())
}

/// Starts `tandem` and kills it after a while; whether it was still at work.
fn kill(args: &[&str], after: Duration) -> bool {
    let mut child = Command::new(crate::tandem())
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    sleep(after);
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(
        status.success() || status.code().is_none(),
        "the command failed by itself: {status}"
    );
    !status.success()
}

/// The `n`-th of so many moments within the time that a command takes, and a little after.
fn moment(n: u32, of: u32, whole: Duration) -> Duration {
    // Within its share at a place that differs from one to the next.
    let within = f64::from((n * 7919) % 101) / 101.0;
    whole.mul_f64(1.1 * (f64::from(n) + within) / f64::from(of))
}

#[test]
fn a_killed_vacuum_loses_nothing_that_a_snapshot_needs() {
    let dir = folder();
    let dir = dir.path();
    let base = dir.join("base");
    for n in 0..8 {
        let seed = n.to_string();
        let data = synth(dir, &format!("data-{n}"), 8, &["--seed", &seed]);
        import(&base, &[&data]);
    }
    tandem!("lake", "snapshots", &base, "--pin", "2").ok();
    let (newest, pinned) = (exported(&base), exported_at(&base, 2));
    let command = [
        "lake",
        "vacuum",
        "LAKE",
        "--keep",
        "1",
        "--min-age-hours",
        "0",
    ];
    let timed = dir.join("timed");
    copy_folder(&base, &timed);
    sleep(Duration::from_millis(5));
    let start = Instant::now();
    vacuum(&timed).ok();
    let whole = start.elapsed();

    let count = kills();
    let mut killed = 0;
    for n in 0..count {
        let lake = dir.join("lake");
        let _ = std::fs::remove_dir_all(&lake);
        copy_folder(&base, &lake);
        sleep(Duration::from_millis(5));
        let args = command.map(|a| {
            if a == "LAKE" {
                lake.to_str().unwrap()
            } else {
                a
            }
        });
        killed += u32::from(kill(&args, moment(n, count, whole)));
        same_lines(&exported(&lake), &newest);
        same_lines(&exported_at(&lake, 2), &pinned);
        // Each snapshot that is still listed is whole.
        let listed = tandem!("lake", "snapshots", &lake).ok().out;
        for number in listed
            .lines()
            .filter_map(|l| l.split_whitespace().next()?.parse().ok())
        {
            exported_at(&lake, number);
        }
        vacuum(&lake).ok();
        same_lines(&exported(&lake), &newest);
        same_lines(&exported_at(&lake, 2), &pinned);
        assert_eq!(data_files(&lake), data_files(&timed));
    }
    println!("{killed} of {count} were at work when killed");
    assert!(killed > 0, "every vacuum was done before it was killed");
}

fn exported_at(lake: &Path, snapshot: u64) -> Vec<String> {
    let (out, number) = (folder(), snapshot.to_string());
    tandem!(
        "export",
        "--lake",
        lake,
        "--snapshot",
        &number,
        "--out",
        out.path()
    )
    .ok();
    lines(out.path())
}
