use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_population::lake::{Lake, schema};

use super::shared_part;
use crate::import::{ImportOptions, ImportReport, Limits, Progress, import};

/// Imports with parts of so many bytes.
fn imported(lake: &Path, files: &[&PathBuf], part: u64, now_ms: i64) -> ImportReport {
    let options = ImportOptions {
        paths: files.iter().map(|f| f.to_path_buf()).collect(),
        lake: lake.to_owned(),
        buckets: Some(8),
        bases: vec![],
        strict: false,
        limits: Limits {
            part,
            ..Limits::default()
        },
        threads: 2,
        now_ms,
        lake_id: "test".into(),
    };
    let report = import(&options, &Arc::new(Progress::default())).unwrap();
    assert!(report.types.values().all(|t| t.adds_up()));
    report
}

fn organizations(range: std::ops::Range<u32>, version: u32) -> String {
    range
        .map(|n| {
            format!(
                "{{\"resourceType\":\"Organization\",\"id\":\"o{n}\",\"meta\":{{\"versionId\":\"{version}\"}},\"name\":\"{}\"}}\n",
                "x".repeat(400)
            )
        })
        .collect()
}

fn written(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

struct Seen {
    lines: BTreeSet<String>,
    /// Part and of how many.
    parts: Vec<(u32, u32)>,
    files: BTreeSet<String>,
}

fn seen(lake: &Path, out: &Path) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let lake = runtime.block_on(Lake::open(lake, None)).unwrap();
    let _ = std::fs::remove_dir_all(out);
    let done = crate::export::export(&lake, out, false, &|_| {});
    runtime.block_on(done).unwrap();
    let mut lines = BTreeSet::new();
    for entry in std::fs::read_dir(out).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in text.lines() {
            assert!(lines.insert(line.to_owned()), "twice");
        }
    }
    let files = lake.files(schema::SHARED);
    let mut parts: Vec<(u32, u32)> = files.iter().map(shared_part).collect();
    parts.sort_unstable();
    Seen {
        lines,
        parts,
        files: files.iter().map(|f| f.path.clone()).collect(),
    }
}

fn lines(texts: &[&str]) -> BTreeSet<String> {
    texts
        .iter()
        .flat_map(|t| t.lines())
        .map(str::to_owned)
        .collect()
}

/// Parts are made by size, only those that change are written, and all is dealt anew where they become
/// too large; nothing is lost or doubled, also of what moves to a patient or is deleted.
#[test]
fn resources_without_a_patient_are_kept_in_parts() {
    let dir = tempfile::tempdir().unwrap();
    let (lake, out) = (dir.path().join("lake"), dir.path().join("out"));
    let text = organizations(0..200, 1);
    let first = written(dir.path(), "first.ndjson", &text);

    // About 100 kB.
    let report = imported(&lake, &[&first], 30_000, 1_000);
    assert_eq!(report.total.stored, 200);
    let one = seen(&lake, &out);
    assert_eq!(one.parts, [(0, 4), (1, 4), (2, 4), (3, 4)]);
    assert_eq!(one.lines, lines(&[&text]));
    let report = imported(&lake, &[&first], 30_000, 2_000);
    assert_eq!((report.total.unchanged, report.committed), (200, false));

    // One resource: one file of them is new.
    let newer = organizations(7..8, 2);
    let second = written(dir.path(), "second.ndjson", &newer);
    let report = imported(&lake, &[&second], 30_000, 3_000);
    assert_eq!(report.total.replaced, 1);
    let two = seen(&lake, &out);
    assert_eq!(two.parts, one.parts);
    assert_eq!(two.files.intersection(&one.files).count(), 3);
    let rest = [organizations(0..7, 1), organizations(8..200, 1)];
    assert_eq!(two.lines, lines(&[&rest[0], &rest[1], &newer]));

    // Many more: dealt anew, and again nothing changes when they come again.
    let more = organizations(1000..2000, 1);
    let third = written(dir.path(), "third.ndjson", &more);
    let report = imported(&lake, &[&third], 30_000, 4_000);
    assert_eq!(report.total.stored, 1000);
    let three = seen(&lake, &out);
    assert!(three.parts.len() >= 16 && three.parts.iter().all(|p| p.1 >= 16));
    assert_eq!(three.lines, lines(&[&rest[0], &rest[1], &newer, &more]));
    let report = imported(&lake, &[&first, &second, &third], 30_000, 5_000);
    assert!(!report.committed);
    assert_eq!(seen(&lake, &out).files, three.files);

    // Parts that would be too large and bring nothing new leave nothing behind.
    let report = imported(&lake, &[&third], 1_000, 6_000);
    assert!(!report.committed);
    assert_eq!(seen(&lake, &out).files, three.files);
}

#[test]
fn what_moves_between_a_patient_and_none_is_there_once() {
    let dir = tempfile::tempdir().unwrap();
    let (lake, out) = (dir.path().join("lake"), dir.path().join("out"));
    let observation = |n: u32, version: u32, patient: Option<u32>| {
        let subject = patient.map_or(String::new(), |p| {
            format!(",\"subject\":{{\"reference\":\"Patient/p{p}\"}}")
        });
        format!(
            "{{\"resourceType\":\"Observation\",\"id\":\"x{n}\",\"meta\":{{\"versionId\":\"{version}\"}}{subject},\"status\":\"final\"}}\n"
        )
    };
    let all = |version: u32, with: fn(u32) -> Option<u32>| -> String {
        (0..60).map(|n| observation(n, version, with(n))).collect()
    };
    let states = [
        all(1, |_| None),
        all(2, |n| (n % 2 == 0).then_some(n)),
        all(3, |n| (n % 3 == 0).then_some(n + 1)),
        all(4, |_| None),
    ];
    for (time, text) in (1i64..).zip(&states) {
        let path = written(dir.path(), "x.ndjson", text);
        let report = imported(&lake, &[&path], 1_500, time * 1000);
        let stored = if time == 1 { 60 } else { 0 };
        assert_eq!(
            (report.total.stored, report.total.replaced),
            (stored, 60 - stored)
        );
        let seen = seen(&lake, &out);
        assert_eq!(seen.lines, lines(&[text]));
        assert!(seen.parts.iter().all(|p| p.1 > 1));
    }
    let deletions: String = (0..60)
        .map(|n| {
            format!(
                "{{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{{\"request\":{{\"method\":\"DELETE\",\"url\":\"Observation/x{n}\"}}}}]}}\n"
            )
        })
        .skip(1)
        .collect();
    let path = written(dir.path(), "deleted.ndjson", &deletions);
    let report = imported(&lake, &[&path], 1_500, 9_000);
    assert_eq!(report.total.deleted, 59);
    assert_eq!(seen(&lake, &out).lines, lines(&[&observation(0, 4, None)]));
}
