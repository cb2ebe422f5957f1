//! Data in SNOMED CT: unknown to the built-in rules, and matched with the supplement.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{file, folder, import};

fn supplement() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/content/snomed-optional")
}

/// The first code of a set of the supplement.
fn code(set: &str) -> Value {
    let path = supplement().join(format!("{set}-snomed.json"));
    let set: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    json!({ "coding": [{ "system": set["expansion"]["contains"][0]["system"], "code": set["expansion"]["contains"][0]["code"] }] })
}

fn chart(id: &str, procedure: &Value) -> String {
    let lines = [
        json!({"resourceType": "Patient", "id": id, "birthDate": "1965-06-15"}),
        json!({"resourceType": "Procedure", "id": format!("p-{id}"), "status": "completed", "code": procedure,
            "performedDateTime": "2020-03-01", "subject": {"reference": format!("Patient/{id}")}}),
        json!({"resourceType": "Condition", "id": format!("c-{id}"), "code": code("essential-hypertension"),
            "clinicalStatus": {"coding": [{"code": "active"}]}, "subject": {"reference": format!("Patient/{id}")}}),
    ];
    lines.map(|l| l.to_string() + "\n").concat()
}

#[test]
fn snomed_is_unknown_without_the_supplement_and_matched_with_it() {
    let dir = folder();
    let other = json!({"coding": [{"system": "http://snomed.info/sct", "code": "0"}]});
    let charts = chart("screened", &code("colonoscopy")) + &chart("not-screened", &other);
    let data = file(dir.path().join("data/all.ndjson"), charts);
    let lake = dir.path().join("lake");
    import(&lake, &[&data]);
    let run = |out: &Path, more: &[&str]| {
        let mut args = vec!["measure", "run", "--period", "2025-01-01..2025-12-31"];
        args.extend([
            "--measure",
            "colorectal-cancer-screening",
            "--format",
            "json",
        ]);
        args.extend([
            "--lake",
            lake.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
        ]);
        args.extend(more);
        let args: Vec<&std::ffi::OsStr> = args.iter().map(std::ffi::OsStr::new).collect();
        let ran = crate::support::run(&args).ok();
        let reports: Value = serde_json::from_str(&ran.out).unwrap();
        let group = reports[0]["group"][0].clone();
        let count = |code: &str| {
            let populations = group["population"].as_array().unwrap();
            let found = populations
                .iter()
                .find(|p| p["code"]["coding"][0]["code"] == code);
            found.unwrap()["count"].as_i64().unwrap()
        };
        let manifest = std::fs::read_to_string(out.join("run.json")).unwrap();
        let manifest: Value = serde_json::from_str(&manifest).unwrap();
        let counts = [count("denominator"), count("numerator")];
        (counts, group.to_string(), manifest, ran.err)
    };
    let url = "https://tandem-cds.dev/ValueSet/colonoscopy";
    let (counts, report, manifest, _) = run(&dir.path().join("without"), &[]);
    assert_eq!(counts, [2, 0]);
    assert!(
        report.contains("is coded in http://snomed.info/sct here"),
        "{report}"
    );
    assert!(
        manifest["valueSets"][format!("{url}|2025.1")].is_string(),
        "{manifest:#}"
    );
    let folder = supplement();
    let more = ["--terminology", folder.to_str().unwrap()];
    let (counts, report, manifest, said) = run(&dir.path().join("with"), &more);
    assert_eq!(counts, [2, 1]);
    assert!(!report.contains("is coded in"), "{report}");
    let united = &manifest["valueSets"][format!("{url}|2025.1+2025.1-snomed")];
    assert!(united.is_string(), "{manifest:#}");
    assert!(said.contains("info[T015]"), "{said}");
    // One patient of the lake, and her chart alone, say the same.
    let eval = |args: &[&str]| {
        let mut all = vec![
            "rule",
            "eval",
            "colorectal-cancer-screening",
            "--at",
            "2025-12-31",
        ];
        all.extend(args);
        let all: Vec<&std::ffi::OsStr> = all.iter().map(std::ffi::OsStr::new).collect();
        crate::support::run(&all).ok().out
    };
    let lake = lake.to_str().unwrap();
    let alone = eval(&["--patient", "screened", "--lake", lake]);
    assert!(alone.contains("could not be checked: "), "{alone}");
    assert!(
        alone.contains("Procedure.code is coded in http://snomed.info/sct here"),
        "{alone}"
    );
    let alone = eval(&["--patient", "screened", "--lake", lake, more[0], more[1]]);
    assert!(alone.contains("does not apply"), "{alone}");
    let chart = file(
        dir.path().join("one.ndjson"),
        chart("screened", &code("colonoscopy")),
    );
    let alone = eval(&["--patient", chart.to_str().unwrap()]);
    assert!(alone.contains("could not be checked: "), "{alone}");
}
