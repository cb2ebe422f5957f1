//! `tandem sql` within its limits, beside imports and vacuums, and over lakes that are damaged.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::{data_files, file, folder, import, vacuum};

fn patients(n: usize, version: usize) -> String {
    let line = |i: usize| {
        format!(
            "{{\"resourceType\":\"Patient\",\"id\":\"p{i}\",\"meta\":{{\"versionId\":\"{version}\",\"lastUpdated\":\"2024-01-01T00:00:{:02}Z\"}}}}\n",
            version % 60
        )
    };
    (0..n).map(line).collect()
}

fn lake_of(dir: &Path, n: usize) -> PathBuf {
    let (lake, path) = (dir.join("lake"), file(dir.join("p.ndjson"), patients(n, 0)));
    import(&lake, &[&path]);
    lake
}

fn left_in(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

const MANY: &str = "FROM generate_series(1, 3000) a(x) CROSS JOIN generate_series(1, 300) b(y)";

#[test]
fn memory_ends_in_an_error_or_on_disk() {
    let dir = folder();
    let lake = lake_of(dir.path(), 3);
    let spill = dir.path().join("spill");
    fs::create_dir(&spill).unwrap();
    let sorted = format!("SELECT x, y, repeat('x', 60) t {MANY} ORDER BY y * x % 977, x, y");
    // 900,000 rows of some 80 bytes do not fit: they are sorted on disk, and printed row by row.
    let csv = tandem!(
        "sql", &sorted, "--lake", &lake, "--memory", "40MB", "--spill", &spill, "--format", "csv"
    )
    .ok();
    assert_eq!(csv.out.lines().count(), 900_001);
    assert_eq!(left_in(&spill), 0);
    // A table is printed as a whole.
    let says = ["more memory than the 40.0 MB", "--memory", "--format csv"];
    tandem!(
        "sql", &sorted, "--lake", &lake, "--memory", "40MB", "--spill", &spill
    )
    .fails(2, &says);
    // Small numbers are texts, too: 500,000 cells of 8 bytes are more than 32 MB.
    let numbers = "SELECT value FROM generate_series(1, 500000)";
    tandem!("sql", numbers, "--lake", &lake, "--memory", "32MB").fails(2, &["more memory"]);
    let fewer = numbers.replace("500000", "50000");
    tandem!("sql", &fewer, "--lake", &lake, "--memory", "32MB").ok();
    // What no operator accounts for.
    let text = "SELECT length(repeat(repeat('x', 1000000), 2000))";
    let ran = tandem!(
        "sql", text, "--lake", &lake, "--memory", "32MB", "--spill", &spill
    );
    assert!(ran.code == 2 || ran.code == 0, "{}", ran.text());
    assert_eq!(left_in(&spill), 0);
    tandem!("sql", "SELECT 1", "--lake", &lake, "--memory", "1MB").fails(2, &["32MB at least"]);
    tandem!("sql", "SELECT 1", "--lake", &lake, "--memory", "2GiB").fails(2, &["no unit of size"]);
    tandem!(
        "sql",
        "SELECT 1",
        "--lake",
        &lake,
        "--spill",
        &dir.path().join("none")
    )
    .fails(2, &["--spill"]);
}

#[test]
fn time_ends_in_an_error() {
    let dir = folder();
    let lake = lake_of(dir.path(), 3);
    let spill = dir.path().join("spill");
    fs::create_dir(&spill).unwrap();
    let forever = "SELECT sum(a.x % b.y) FROM generate_series(1, 1000000) a(x) \
        CROSS JOIN generate_series(1, 1000000) b(y)";
    tandem!(
        "sql",
        forever,
        "--lake",
        &lake,
        "--timeout",
        "1s",
        "--spill",
        &spill
    )
    .fails(2, &["longer than 1 s", "--timeout"]);
    assert_eq!(left_in(&spill), 0);
    tandem!("sql", "SELECT 1", "--lake", &lake, "--timeout", "0").ok();
    tandem!("sql", "SELECT 1", "--lake", &lake, "--timeout", "soon").fails(2, &["30s, 10m or 2h"]);
}

#[test]
fn deep_queries_end_in_an_answer_or_an_error() {
    let dir = folder();
    let lake = lake_of(dir.path(), 3);
    let long = |first: &str, more: &str, n: usize| {
        format!("SELECT {first}{} AS n FROM patients", more.repeat(n))
    };
    let or: Vec<String> = (0..5000).map(|n| format!("patient_id='p{n}'")).collect();
    let or = format!(
        "SELECT count(*) AS n FROM patients WHERE {}",
        or.join(" OR ")
    );
    assert!(
        tandem!("sql", &or, "--lake", &lake)
            .ok()
            .out
            .contains("| 3 ")
    );
    let deep = tandem!(
        "sql",
        &long("sum(pat", "+pat", 900).replace(" AS n", ") AS n"),
        "--lake",
        &lake
    )
    .ok();
    assert!(deep.out.contains("1 row"));
    for (query, says) in [
        (long("pat", "+pat", 20_000), "nests more than 1000"),
        (long("'a'", "||'a'", 20_000), "nests more than 1000"),
        (
            ["SELECT 1"; 5000].join(" UNION ALL "),
            "more than 1000 SELECTs",
        ),
        (
            format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000)),
            "more than 50 parentheses",
        ),
    ] {
        tandem!("sql", &query, "--lake", &lake).fails(2, &[says]);
    }
}

#[test]
fn lost_files_are_errors_and_named() {
    let dir = folder();
    let lake = lake_of(dir.path(), 50);
    for table in ["facts", "patients", "resources"] {
        let data = data_files(&lake)
            .into_iter()
            .find(|f| f.starts_with(table))
            .unwrap();
        let whole = fs::read(lake.join(&data)).unwrap();
        fs::remove_file(lake.join(&data)).unwrap();
        let query = format!("SELECT count(*) FROM {table}");
        tandem!("sql", &query, "--lake", &lake).fails(4, &[&data, "not there", "backup"]);
        let checked = tandem!("lake", "check", &lake);
        assert!(
            checked.code == 1 && checked.out.contains(&data),
            "{}",
            checked.text()
        );
        let mut bad = whole.clone();
        let at = bad.len() / 3;
        bad[at] ^= 16;
        fs::write(lake.join(&data), &bad).unwrap();
        let checked = tandem!("lake", "check", &lake, "--format", "json");
        let json: serde_json::Value = serde_json::from_str(&checked.out).unwrap();
        assert_eq!(checked.code, 1);
        assert_eq!(json["findings"][0]["examples"][0], data);
        fs::write(lake.join(&data), &whole).unwrap();
    }
    let view = tandem!("sql", "SELECT count(*) FROM patient_flat", "--lake", &lake).ok();
    assert!(view.out.contains("| 50 "), "{}", view.out);
    let checked = tandem!("lake", "check", &lake).ok();
    assert!(checked.out.contains("The lake is whole."));
}

/// Each import changes every patient, each vacuum removes what was there: a query counts all, of the
/// snapshot it began with or of a newer one. `TANDEM_ROUNDS` queries of each kind (10 by default).
#[test]
fn queries_beside_imports_and_vacuums_lose_nothing() {
    let rounds = std::env::var("TANDEM_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(10);
    let dir = folder();
    let lake = lake_of(dir.path(), 200);
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for version in 1.. {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let path = file(dir.path().join("p.ndjson"), patients(200, version));
                import(&lake, &[&path]);
                vacuum(&lake).ok();
            }
        });
        for round in 0..rounds {
            let query = match round % 3 {
                0 => "SELECT count(*) FROM resources",
                1 => "SELECT count(DISTINCT id) FROM resources WHERE length(raw) > 0",
                _ => "SELECT count(id) FROM patient_flat",
            };
            let ran = tandem!("sql", query, "--lake", &lake);
            match ran.code {
                0 => assert!(ran.out.contains("| 200 "), "{}", ran.text()),
                // Five vacuums in a row were quicker.
                _ => {
                    ran.fails(2, &["vacuumed"]);
                }
            }
        }
        ended.store(true, Ordering::Relaxed);
    });
    tandem!("lake", "check", &lake).ok();
}
