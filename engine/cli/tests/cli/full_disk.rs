//! A disk that is full at any moment of `--out`: the last run stays whole, the command says so with
//! exit code 4, and once there is room the same command completes. (Imports: `limits.rs`.)
//!
//! The disk is a `tmpfs` of a chosen size in a mount namespace of its own; where such a namespace is
//! not to be had the tests say that they were skipped.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::*;

/// How full the disk is: from nearly no room to enough, in so many steps (`TANDEM_FILL_LEVELS`).
fn levels() -> u64 {
    let asked = std::env::var("TANDEM_FILL_LEVELS").ok();
    asked.map_or(15, |n| n.parse().unwrap())
}

/// Runs a script in a mount namespace. `$0` is the binary.
fn in_namespace(script: &str, args: &[&OsStr]) -> std::process::Output {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-euc", script]);
    command.arg(crate::tandem()).args(args);
    command.stdin(Stdio::null()).output().unwrap()
}

fn disks_can_be_made(dir: &Path) -> bool {
    let mount = dir.join("probe");
    std::fs::create_dir(&mount).unwrap();
    let probe = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-euc"])
        .arg("mount -t tmpfs -o size=64k tmpfs \"$0\"")
        .arg(&mount)
        .output();
    let can = probe.is_ok_and(|p| p.status.success());
    if !can {
        println!("skipped: no mount namespace can be made here");
    }
    can
}

/// What a folder takes on such a disk, in KiB: whole pages.
fn kib(folder: &Path) -> u64 {
    let sizes = files(folder).into_iter();
    let sizes = sizes.map(|f| std::fs::metadata(folder.join(f)).unwrap().len());
    sizes.map(|bytes| bytes.div_ceil(4096) * 4).sum()
}

/// `$1` the disk, `$2` KiB, `$3` a folder of reports of another period, `$4` the lake, `$5` where to put
/// what was seen.
const RUN: &str = r#"
mount -t tmpfs -o size="$2"k tmpfs "$1"
cp -r "$3" "$1/out"
run() { "$0" measure run --lake "$4" --period 2025-01-01..2025-12-31 --out "$1/out"; }
code=0; run "$@" >"$5/first.out" 2>"$5/first.err" || code=$?
echo $code >"$5/first.code"
cp -r "$1/out" "$5/first"
mount -o remount,size=1g "$1"
code=0; run "$@" >"$5/again.out" 2>"$5/again.err" || code=$?
echo $code >"$5/again.code"
cp -r "$1/out" "$5/again"
ls -A "$1" >"$5/left"
"#;

#[test]
fn a_disk_that_is_full_leaves_the_last_reports() {
    let dir = folder();
    let dir = dir.path();
    if !disks_can_be_made(dir) {
        return;
    }
    let disk = dir.join("disk");
    std::fs::create_dir(&disk).unwrap();
    let lake = dir.join("lake");
    import(&lake, &[&synth(dir, "population", 30, &[])]);
    let [old, new] = ["2024", "2025"].map(|year| {
        let out = dir.join(year);
        let period = format!("{year}-01-01..{year}-12-31");
        let (lake, out_) = (&lake, &out);
        tandem!(
            "measure", "run", "--lake", lake, "--period", &period, "--out", out_
        )
        .ok();
        out
    });
    let (mut failed, mut landed) = (0, 0);
    let levels = levels();
    for level in 0..=levels {
        let size = kib(&old) + kib(&new) * 5 / 4 * level / levels + 4;
        let seen = dir.join(format!("seen-{level}"));
        std::fs::create_dir(&seen).unwrap();
        let asked = size.to_string();
        let args = [disk.as_os_str(), asked.as_ref(), old.as_os_str()];
        let args = [&args[..], &[lake.as_os_str(), seen.as_os_str()]].concat();
        let done = in_namespace(RUN, &args);
        assert!(done.status.success(), "{size} KiB: {done:?}");
        let text = |name: &str| std::fs::read_to_string(seen.join(name)).unwrap();
        let err = text("first.err");
        assert!(!err.contains("panicked"), "{size} KiB: {err}");
        let there = match text("first.code").trim() {
            "0" => {
                landed += 1;
                &new
            }
            "4" => {
                failed += 1;
                assert!(err.contains("No space left on device"), "{size} KiB: {err}");
                &old
            }
            code => panic!("{size} KiB: exit code {code}: {err}"),
        };
        same_folders(&seen.join("first"), there);
        assert_eq!(text("again.code").trim(), "0", "{}", text("again.err"));
        same_folders(&seen.join("again"), &new);
        assert_eq!(text("left").trim(), "out", "{size} KiB: something is left");
    }
    println!("{failed} runs failed for want of space, {landed} landed");
    assert!(failed > 0 && landed > 0, "the levels are not chosen well");
}
