//! An official package from check to rows, with a measure of our own (`measures/testdata`).

use std::ffi::OsStr;
use std::path::Path;

use serde_json::Value;

use crate::explain::{PERIOD, lake, package};
use crate::support::*;

/// `tandem measure <command> <package> --lake … --period …` and more.
fn measure(command: &str, package: &Path, lake: &Path, more: &[&str]) -> Ran {
    let mut args: Vec<&OsStr> = vec!["measure".as_ref(), command.as_ref(), package.as_ref()];
    args.extend([OsStr::new("--lake"), lake.as_ref()]);
    args.extend(["--period", PERIOD].map(OsStr::new));
    args.extend(more.iter().map(OsStr::new));
    run(&args)
}

#[test]
fn reports_rows_and_gaps() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let checked = tandem!("measure", "check", &package).ok();
    assert!(checked.out.contains("can be run"), "{}", checked.text());

    let out = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let (first, second) = (out("first"), out("second"));
    let summary = measure(
        "run",
        &package,
        &lake,
        &["--out", &first, "--format", "json"],
    )
    .ok();
    let reports: Value = serde_json::from_str(&summary.out).unwrap();
    assert_eq!(reports[0]["resourceType"], "MeasureReport");
    assert_eq!(reports[0]["group"][0]["population"][0]["count"], 1);
    // The same inputs give the same bytes, the manifest included.
    measure("run", &package, &lake, &["--out", &second]).ok();
    for name in ["results.parquet", "run.json", "subjects.csv"] {
        let read = |folder: &str| std::fs::read(Path::new(folder).join(name)).unwrap();
        assert!(read(&first) == read(&second), "{name} differs");
    }

    // A place is told in the manifest and the reports, and each end of the period has its own offset.
    let there = out("there");
    let place = ["--time-zone", "America/New_York", "--out", &there];
    measure("run", &package, &lake, &place).ok();
    let json = |name: &str| -> Value {
        let text = std::fs::read(Path::new(&there).join(name)).unwrap();
        serde_json::from_slice(&text).unwrap()
    };
    let manifest = json("run.json").to_string();
    for told in ["America/New_York", "-01-01T00:00:00.000-05:00"] {
        assert!(manifest.contains(told), "{manifest}");
    }

    // The rows, in SQL.
    let query =
        "SELECT patient_id FROM results WHERE population = 'initial-population' AND count = 1";
    let rows = tandem!(
        "sql",
        query,
        "--lake",
        &lake,
        "--results",
        &first,
        "--format",
        "csv"
    )
    .ok();
    assert_eq!(rows.out, "patient_id\na\n");
    let nowhere = out("nowhere");
    tandem!("sql", query, "--lake", &lake, "--results", &nowhere)
        .fails(2, &["--results", "tandem measure run --out"]);
    let other = package.join("measure.json");
    tandem!("sql", query, "--lake", &lake, "--results", &other)
        .fails(2, &["not a Parquet file of results"]);

    let one = [
        "--subject",
        "Patient/a",
        "--report",
        "individual",
        "--format",
        "json",
    ];
    let one = measure("run", &package, &lake, &one).ok();
    let one: Value = serde_json::from_str(&one.out).unwrap();
    assert_eq!(one[0]["type"], "individual");
    assert_eq!(one[0]["subject"]["reference"], "Patient/a");
    let gaps = measure("gaps", &package, &lake, &["--format", "csv"]).ok();
    let lines: Vec<&str> = gaps.out.lines().collect();
    // `b` and `c` are not in the initial population; whether `a` is excluded is not on record.
    let expected =
        "Demo,1.0.0,g,a,,could-not-be-evaluated,Patient.active is not there,,higher,assumed";
    assert_eq!(lines[1..], [expected], "{}", gaps.text());
}

#[test]
fn wrong_input_is_told() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let refused = |command: &str, more: &[&str], says: &[&str]| {
        measure(command, &package, &lake, more).fails(2, says);
    };
    for command in ["run", "explain"] {
        refused(command, &["--subject", "Patient/nobody"], &["no patient"]);
    }
    refused("run", &["--measure", "Demo2"], &["error[P090]", "Demo2"]);
    refused("run", &["--time-zone", "noon"], &["--time-zone"]);
    refused(
        "gaps",
        &["--time-zone", "america/new york"],
        &["did you mean America/New_York?"],
    );
    // A file that ends too early, and a value set that is not there.
    let text = std::fs::read_to_string(package.join("measure.json")).unwrap();
    file(package.join("measure.json"), &text[..text.len() / 2]);
    refused("run", &[], &["error[P001]", "measure.json"]);
    file(package.join("measure.json"), &text);
    std::fs::remove_file(package.join("valueset.json")).unwrap();
    refused("run", &[], &["error[E012]", "--allow-missing-valuesets"]);
    let allowed = measure("run", &package, &lake, &["--allow-missing-valuesets"]).ok();
    assert!(
        allowed.text().contains("value set missing"),
        "{}",
        allowed.text()
    );
}
