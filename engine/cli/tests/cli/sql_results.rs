//! What `tandem sql` says of patients and of measure runs is what reports say.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::sql_examples::{lake_of_decks, measure};
use crate::support::*;

fn sql(query: &str, lake: &Path, results: &[&str]) -> Ran {
    let mut args = vec![
        "sql",
        query,
        "--lake",
        lake.to_str().unwrap(),
        "--format",
        "csv",
    ];
    for one in results {
        args.extend(["--results", one]);
    }
    run(&args.iter().map(std::ffi::OsStr::new).collect::<Vec<_>>())
}

/// The answer without its heading.
#[track_caller]
fn rows(query: &str, lake: &Path, results: &[&str]) -> Vec<String> {
    let out = sql(query, lake, results).ok().out;
    out.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn patients_are_those_of_whom_there_is_a_resource() {
    let dir = folder();
    let lake = lake_of_decks(dir.path());
    let count = |table: &str| rows(&format!("SELECT count(*) FROM {table}"), &lake, &[]);
    assert_eq!(count("patients"), ["60"]);
    assert_eq!(count("patient_flat"), ["60"]);
    assert_eq!(count("patient_references"), ["61"]);
    let only = "SELECT patient_id, rid FROM patient_references WHERE rid IS NULL";
    assert_eq!(rows(only, &lake, &[]), ["nobody,"]);
    let named = "SELECT count(*) FROM patients WHERE patient_id = 'nobody' OR rid IS NULL";
    assert_eq!(rows(named, &lake, &[]), ["0"]);
    let listed = rows("show tables", &lake, &[]);
    let says = |name: &str, words: &str| {
        let line = listed.iter().find(|l| l.starts_with(&format!("{name},")));
        assert!(
            line.is_some_and(|l| l.contains(words)),
            "{name}: {listed:#?}"
        );
    };
    says("patients", "with a Patient resource");
    says("patient_references", "only refer to");
    says("encounter_flat", "One row per encounter");
    assert!(!listed.iter().any(|l| l.starts_with("result")));
}

/// Count of each population, per group and stratum, as a report has them: the second population of a
/// code in a group is its second.
fn reported(folder: &Path) -> BTreeMap<String, i64> {
    let mut all = BTreeMap::new();
    for name in files(folder)
        .iter()
        .filter(|n| n.starts_with("MeasureReport-"))
    {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let report: Value = serde_json::from_str(&text).unwrap();
        let measure = report["measure"].as_str().unwrap();
        let mut add = |place: &str, counted: &Value| {
            let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
            for population in counted["population"].as_array().into_iter().flatten() {
                let code = population["code"]["coding"][0]["code"].as_str().unwrap();
                let nth = seen.entry(code).or_default();
                *nth += 1;
                let key = format!("{measure},{place},{code},{nth}");
                all.insert(key, population["count"].as_i64().unwrap());
            }
        };
        for (at, group) in report["group"].as_array().unwrap().iter().enumerate() {
            add(&format!("{at},"), group);
            for stratifier in group["stratifier"].as_array().into_iter().flatten() {
                let by = stratifier["code"][0]["text"].as_str();
                let by = by.or(stratifier["id"].as_str()).unwrap_or_default();
                for stratum in stratifier["stratum"].as_array().into_iter().flatten() {
                    let value = stratum["value"]["text"].as_str().unwrap();
                    add(&format!("{at},{by} {value}"), stratum);
                }
            }
        }
    }
    all
}

/// The same of `result_counts`.
fn counted(lake: &Path, results: &str) -> BTreeMap<String, i64> {
    let query = "SELECT url || '|' || version || ',' || c.group || ',' || \
                 coalesce(stratified_by || ' ' || stratum, '') || ',' || population || ',' || row_number() OVER \
                 (PARTITION BY url, version, c.group, stratifier, stratum, population ORDER BY c.index) \
                 AS place, c.count FROM result_counts c";
    let rows = rows(query, lake, &[results]);
    let counted = rows.iter().map(|line| {
        let (place, count) = line.rsplit_once(',').unwrap();
        (place.trim_matches('"').to_owned(), count.parse().unwrap())
    });
    counted.collect()
}

/// Published measures: a ratio, several groups, strata, resource bases, two populations of one code.
#[test]
fn counts_of_published_measures() {
    let Some(published) = shared("conformance/ecqm") else {
        return;
    };
    let dir = folder();
    let (lake, out) = (dir.path().join("lake"), dir.path().join("out"));
    let packages = [
        "CMS1017FHIRHHFI",
        "CMS1028FHIRPCSevereOBComps",
        "CMS986FHIRMalnutritionScore",
        "CMS146FHIRAppropriateTestingforPharyngitis",
    ];
    let data = packages.map(|name| published.join(name).join("data"));
    import(&lake, &data.each_ref().map(|path| path.as_path()));
    let mut args: Vec<std::ffi::OsString> = vec!["measure".into(), "run".into()];
    for name in packages {
        let folder = published.join(name);
        args.push(folder.join("measure.json").into());
        args.push(folder.join("valuesets.ndjson").into());
    }
    args.push(published.join("libraries").into());
    args.extend([
        "--lake".into(),
        lake.clone().into(),
        "--out".into(),
        out.clone().into(),
    ]);
    args.extend(
        [
            "--period",
            "2026-01-01..2026-12-31",
            "--allow-missing-valuesets",
        ]
        .map(Into::into),
    );
    let args: Vec<_> = args.iter().map(std::ffi::OsString::as_os_str).collect();
    run(&args).ok();
    let (counted, reported) = (counted(&lake, out.to_str().unwrap()), reported(&out));
    assert_eq!(counted, reported);
    // The ratio has observations of both sides.
    let second = |key: &&String| key.contains("HHFI") && key.ends_with("measure-observation,2");
    assert!(counted.keys().any(|key| second(&key)), "{counted:?}");
    assert!(counted.values().sum::<i64>() > 100);
}

#[test]
fn counts_are_those_of_reports_and_of_csv() {
    let dir = folder();
    let (lake, out) = (lake_of_decks(dir.path()), dir.path().join("out"));
    // A measure in SQL beside them has no result rows, and counts all the same.
    let csv = measure(&lake, &out, &["--built-in", "--format", "csv"])
        .ok()
        .out;
    let shown = out.to_str().unwrap();
    let reported = reported(&out);
    assert!(reported.len() > 30, "{reported:?}");
    let counted = counted(&lake, shown);
    assert_eq!(counted, reported);
    assert!(counted.keys().any(|k| k.contains("readmission-30-day")));
    // The score and what could not be told, as the CSV has them.
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let heading = reader.headers().unwrap().clone();
    let at = |name: &str| heading.iter().position(|h| h == name).unwrap();
    let printed: Vec<String> = reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            let cell = |name: &str| record.get(at(name)).unwrap().to_owned();
            let score: Option<f64> = cell("score").parse().ok();
            format!(
                "{},{},{score:?},{}",
                cell("measure"),
                cell("stratum"),
                cell("not_evaluable")
            )
        })
        .collect();
    let query = "SELECT measure, stratum, score, not_evaluable FROM result_scores";
    let scored: Vec<String> = rows(query, &lake, &[shown])
        .iter()
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let score: Option<f64> = cells[2].parse().ok();
            format!("{},{},{score:?},{}", cells[0], cells[1], cells[3])
        })
        .collect();
    assert_eq!(scored, printed);
    // The aggregate of observations, and who could not be told of.
    let query = "SELECT aggregate_method, aggregate, unit, counted FROM result_counts c \
                 WHERE population = 'measure-observation'";
    assert_eq!(rows(query, &lake, &[shown]), ["median,75.0,,observations"]);
    let query = "SELECT population, not_evaluable FROM result_counts \
                 WHERE measure = 'SystolicControl' AND stratum IS NULL AND not_evaluable > 0 ORDER BY 1";
    let told = [
        "denominator,1",
        "denominator-exclusion,1",
        "initial-population,1",
        "numerator,5",
    ];
    assert_eq!(rows(query, &lake, &[shown]), told);
    // Subjects add up to the counts; all rows do not.
    let sum = |table: &str| {
        let query = format!(
            "SELECT sum(t.count) FROM {table} t WHERE measure = 'PressureAtVisit' AND population = 'denominator'"
        );
        rows(&query, &lake, &[shown])
    };
    assert_eq!(sum("result_subjects"), ["39"]);
    assert_eq!(sum("result_counts"), ["39"]);
    assert_ne!(sum("results"), ["39"]);
}

#[test]
fn runs_are_told_apart_by_their_names() {
    let dir = folder();
    let lake = lake_of_decks(dir.path());
    let [a, b, same] = ["a/2026", "b", "c/2026"].map(|n| dir.path().join(n));
    for out in [&a, &same] {
        std::fs::create_dir_all(out.parent().unwrap()).unwrap();
    }
    for out in [&a, &b, &same] {
        measure(&lake, out, &[]).ok();
    }
    let [a, b, same] = [&a, &b, &same].map(|p| p.to_str().unwrap());
    let runs = "SELECT run, count(*) FROM result_counts GROUP BY run ORDER BY run";
    assert_eq!(rows(runs, &lake, &[a, b]), ["2026,22", "b,22"]);
    let named = format!("x y={same}");
    assert_eq!(rows(runs, &lake, &[a, &named]), ["2026,22", "x y,22"]);
    for table in ["results", "result_subjects", "result_scores"] {
        let query = format!("SELECT DISTINCT run FROM {table} ORDER BY 1");
        assert_eq!(rows(&query, &lake, &[a, b]), ["2026", "b"], "{table}");
    }
    // The rows of a run by their file are the run.
    let file = format!("{a}/results.parquet");
    assert_eq!(rows(runs, &lake, &[&file]), ["2026,22"]);
    // All that is wrong is told at once.
    let lost = dir.path().join("lost");
    let lost = lost.to_str().unwrap();
    sql(runs, &lake, &[a, same, lost]).fails(
        2,
        &[
            "2 runs are called `2026`",
            "--results before=",
            "there is no such folder",
            "tandem measure run --out",
        ],
    );
    let twice = [format!("r={a}"), format!("r={b}")];
    sql(runs, &lake, &[&twice[0], &twice[1]]).fails(2, &["2 runs are called `r`"]);
    sql(runs, &lake, &[]).fails(2, &["`result_counts` is of a measure run", "--results out"]);
    sql("SELECT 1 FROM patient", &lake, &[]).fails(2, &["SHOW TABLES"]);
}

/// Rows alone, or of a version that wrote no counts: what can be asked is, the rest says what is missing.
#[test]
fn rows_without_counts() {
    let dir = folder();
    let (lake, out) = (lake_of_decks(dir.path()), dir.path().join("out"));
    measure(&lake, &out, &[]).ok();
    let alone = dir.path().join("rows.parquet");
    std::fs::copy(out.join("results.parquet"), &alone).unwrap();
    let alone = alone.to_str().unwrap();
    let query = "SELECT run, sum(s.count) FROM result_subjects s WHERE measure = 'SystolicControl' \
                 AND population = 'numerator' GROUP BY run";
    assert_eq!(rows(query, &lake, &[alone]), ["rows,11"]);
    let says = [
        "counts.parquet",
        "run the measures again",
        "`result_subjects` are there",
    ];
    sql("SELECT * FROM result_counts", &lake, &[alone]).fails(2, &says);
    let other = out.join("counts.parquet");
    let says = ["is not of a measure run", "patient_id"];
    sql("SELECT 1", &lake, &[other.to_str().unwrap()]).fails(2, &says);
    // What was changed since is refused.
    std::fs::write(&other, "PAR1").unwrap();
    let says = ["counts.parquet is not what its run wrote"];
    sql("SELECT 1", &lake, &[out.to_str().unwrap()]).fails(2, &says);
}

/// A run of measures in SQL alone has counts and no rows.
#[test]
fn a_run_without_rows() {
    let dir = folder();
    let (lake, out) = (lake_of_decks(dir.path()), dir.path().join("out"));
    let period = "2026-01-01..2026-12-31";
    tandem!(
        "measure",
        "run",
        "--lake",
        &lake,
        "--period",
        period,
        "--measure",
        "readmission-30-day",
        "--out",
        &out
    )
    .ok();
    assert!(!out.join("results.parquet").exists());
    let shown = out.to_str().unwrap();
    let counted = rows(
        "SELECT population, c.count, counted FROM result_counts c WHERE stratum IS NULL",
        &lake,
        &[shown],
    );
    assert_eq!(counted.len(), 4, "{counted:?}");
    assert!(counted[0].starts_with("initial-population,") && counted[0].ends_with(",stays"));
    assert_eq!(rows("SELECT count(*) FROM results", &lake, &[shown]), ["0"]);
}
