//! Values that cannot be read: counted at import, null in views, and one that fails takes none along.
//! And counts beyond a thousand.

use std::fs;

use serde_json::{Value, json};

use crate::support::*;

const PERIOD: &str = "2025-01-01..2025-12-31";

#[test]
fn import_counts_what_cannot_be_read() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let visit = |id: &str, period: &str| {
        format!(
            "{{\"resourceType\":\"Encounter\",\"id\":\"{id}\",\"subject\":{{\"reference\":\"Patient/p\"}},\"period\":{period}}}\n"
        )
    };
    let masked = "{\"start\":\"2019\",\"_end\":{\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/data-absent-reason\",\"valueCode\":\"masked\"}]}}";
    let text = patient("p", ",\"birthDate\":\"06/04/1970\"")
        + &visit("a", "{\"start\":\"2019\",\"end\":\"06/04/2019\"}")
        + &visit("b", "{\"start\":20190604}")
        + &visit("c", "{\"end\":\"2019-06-04T24:00:00Z\"}")
        + &visit("d", masked)
        + &visit("e", "{\"start\":\"2019-06-04\"}");
    let path = file(dir.path().join("x.ndjson"), text);
    let report = import(&lake, &[&path]);
    assert_eq!(
        report["unreadable"]["unreadable"],
        json!({"Encounter.period.end": 2, "Encounter.period.start": 1, "Patient.birthDate": 1})
    );
    assert_eq!(
        report["unreadable"]["masked"],
        json!({"Encounter.period.end": 1})
    );
    let lines = fs::read_to_string(report["unreadable_file"].as_str().unwrap()).unwrap();
    let found: Vec<String> = lines
        .lines()
        .map(|l| {
            let line: Value = serde_json::from_str(l).unwrap();
            format!(
                "{} {}: {}",
                line["resource"].as_str().unwrap(),
                line["element"].as_str().unwrap(),
                line["problem"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "Patient/p Patient.birthDate: not a FHIR date",
            "Encounter/a Encounter.period.end: not a FHIR dateTime",
            "Encounter/b Encounter.period.start: not a FHIR dateTime",
            "Encounter/c Encounter.period.end: not a FHIR dateTime",
            "Encounter/d Encounter.period.end: masked (data-absent-reason)",
        ]
    );
    // The numbers are part of the snapshot, so that a run can name them.
    let (_, manifest) = newest_manifest(&lake).unwrap();
    assert_eq!(manifest["summary"]["unreadable"], report["unreadable"]);
    let told = tandem!("import", &path, "--lake", &dir.path().join("told")).ok();
    for part in [
        "cannot be read; they are unknown",
        "2  Encounter.period.end",
        "masked (data-absent-reason)",
    ] {
        assert!(told.out.contains(part), "{part}: {}", told.out);
    }
    // Data without a fault has no such file.
    let good = file(dir.path().join("good.ndjson"), patient("q", ""));
    let lake = dir.path().join("good");
    assert_eq!(import(&lake, &[&good])["unreadable_file"], Value::Null);
    assert!(!lake.join("_unreadable").exists());
}

/// One start that is a number: that cell is null and told, the other rows stand, the measures run.
#[test]
fn one_wrong_type_does_not_fail_a_view() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let visit = |id: &str, start: &str| {
        format!(
            "{{\"resourceType\":\"Encounter\",\"id\":\"{id}\",\"status\":\"finished\",\"class\":{{\"code\":\"IMP\"}},\"subject\":{{\"reference\":\"Patient/p\"}},\"period\":{{\"start\":{start},\"end\":\"2025-01-03\"}}}}\n"
        )
    };
    let text = patient("p", "") + &visit("bad", "20250101") + &visit("good", "\"2025-01-01\"");
    import(&lake, &[&file(dir.path().join("x.ndjson"), text)]);
    let query = "SELECT id, period_start FROM encounter_flat ORDER BY id";
    let ran = tandem!("sql", query, "--lake", &lake, "--format", "csv").ok();
    assert_eq!(ran.out, "id,period_start\nbad,\ngood,2025-01-01\n");
    assert!(
        ran.err
            .contains("encounter_flat, column `period_start`: a value that is no text")
            && ran.err.contains("(1: Encounter/bad)"),
        "{}",
        ran.err
    );
    let ran = tandem!("measure", "run", "--lake", &lake, "--period", PERIOD).ok();
    assert!(ran.out.contains("readmission-30-day"), "{}", ran.out);
    assert!(
        ran.out.contains("values that a view cannot use"),
        "{}",
        ran.out
    );
    assert!(ran.err.contains("Encounter/bad"), "{}", ran.err);
    assert!(
        !ran.out.contains("Encounter/bad"),
        "a ledger holds no ids: {}",
        ran.out
    );
}

/// DataFusion shows 1,000 as `1.00 K`: the counts of a run are numbers.
#[test]
fn counts_beyond_a_thousand() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let patients: String = (0..1500)
        .map(|n| patient(&format!("p{n}"), ",\"birthDate\":\"1960-01-01\""))
        .collect();
    import(&lake, &[&file(dir.path().join("x.ndjson"), patients)]);
    let out = dir.path().join("out");
    let ran = tandem!(
        "measure", "run", "--lake", &lake, "--period", PERIOD, "--out", &out
    )
    .ok();
    let told = ran.out.contains(" measures, 1,500 patients, 2025");
    assert!(told, "{}", ran.out);
    let report =
        fs::read_to_string(out.join("MeasureReport-colorectal-cancer-screening.json")).unwrap();
    assert!(report.contains("1500"), "{report}");
}
