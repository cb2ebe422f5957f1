//! Every example of `tandem sql` in its help is run as it stands, by a shell, against a known answer (those
//! of the READMEs in `readme`). What is counted is reasoned in `tests/decks`; one Observation more moves one patient.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::*;

const PERIOD: &str = "2026-01-01..2026-12-31";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The measures of `tests/decks`: every scoring but ratio, both bases, strata.
fn decks() -> Vec<PathBuf> {
    let folder = root().join("tests/decks");
    let names = [
        "EmergencyStay",
        "InfluenzaVaccinated",
        "PressureAtVisit",
        "SystolicControl",
    ];
    let mut all = vec![folder.join("libraries")];
    for name in names {
        all.push(folder.join(name).join("measure.json"));
        all.push(folder.join(name).join("valuesets.ndjson"));
    }
    all
}

/// Runs the measures of the decks.
pub fn measure(lake: &Path, out: &Path, more: &[&str]) -> Ran {
    let mut args: Vec<std::ffi::OsString> = vec!["measure".into(), "run".into()];
    args.extend(decks().into_iter().map(Into::into));
    args.extend(["--lake".into(), lake.into()]);
    args.extend(["--period", PERIOD, "--out"].map(Into::into));
    args.push(out.into());
    args.extend(more.iter().map(Into::into));
    let args: Vec<_> = args.iter().map(std::ffi::OsString::as_os_str).collect();
    run(&args)
}

/// A lake of all patients of the decks, and a condition of somebody who is only referred to.
pub fn lake_of_decks(folder: &Path) -> PathBuf {
    let lake = folder.join("lake");
    let data = [
        "EmergencyStay",
        "InfluenzaVaccinated",
        "PressureAtVisit",
        "SystolicControl",
    ]
    .map(|name| root().join("tests/decks").join(name).join("data"));
    let ghost = r#"{"resourceType":"Condition","id":"of-nobody","subject":{"reference":"Patient/nobody"},
        "code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"I10"}]}}"#;
    let ghost = file(folder.join("ghost.json"), ghost);
    let mut paths: Vec<&Path> = data.iter().map(PathBuf::as_path).collect();
    paths.push(&ghost);
    import(&lake, &paths);
    lake
}

/// `lake` with two runs: `out`, and `out-new` after one more reading of the patient `bp-02`.
fn two_runs(folder: &Path) {
    let lake = lake_of_decks(folder);
    measure(&lake, &folder.join("out"), &[]).ok();
    let reading = r#"{"resourceType":"Observation","id":"later","status":"final",
        "code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},
        "subject":{"reference":"Patient/bp-02"},"effectiveDateTime":"2026-11-02T09:10:00Z",
        "valueQuantity":{"value":120,"unit":"mm[Hg]","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}"#;
    import(&lake, &[&file(folder.join("later.json"), reading)]);
    measure(&lake, &folder.join("out-new"), &[]).ok();
}

/// A shell in the folder, with `tandem` on its path.
pub fn shell(command: &str, folder: &Path) -> Output {
    let own = Path::new(crate::tandem()).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(own).chain(std::env::split_paths(&path));
    Command::new("sh")
        .args(["-c", command])
        .env("PATH", std::env::join_paths(all).unwrap())
        .current_dir(folder)
        .output()
        .unwrap()
}

/// What an example prints as CSV.
#[track_caller]
fn answer(command: &str, folder: &Path) -> String {
    let csv = match command.contains("--format") {
        true => command.to_owned(),
        false => format!("{command} --format csv"),
    };
    let done = shell(&csv, folder);
    let (out, err) = (
        String::from_utf8_lossy(&done.stdout).into_owned(),
        String::from_utf8_lossy(&done.stderr).into_owned(),
    );
    assert!(done.status.success(), "{command}\n{out}{err}");
    out
}

/// The commands among lines: from `tandem sql "` on, as long as a quote is open, the line ends in a
/// backslash, or the next one stands further in.
fn examples(text: &str) -> Vec<String> {
    let mut found: Vec<String> = vec![];
    let mut open = false;
    for line in text.lines() {
        let own = line.trim_start();
        if !open && own.starts_with("tandem sql \"") {
            found.push(own.to_owned());
        } else if let (true, Some(last)) = (open, found.last_mut()) {
            last.push('\n');
            last.push_str(line);
        } else {
            continue;
        }
        let last = found.last().map(String::as_str).unwrap_or_default();
        open = last.matches('"').count() % 2 == 1 || last.ends_with('\\');
    }
    found
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What an example begins with, without regard to how it is broken into lines, and its answer.
const KNOWN: [(&str, &str); 9] = [
    (
        "tandem sql \"SELECT count(*) FROM patients\"",
        "count(*)\n60\n",
    ),
    (
        "tandem sql \"SELECT code_system, code, count(DISTINCT patient_id) AS patients FROM condition_flat JOIN patients",
        "code_system,code,patients\n\
         http://hl7.org/fhir/sid/icd-10-cm,I10,25\n\
         http://hl7.org/fhir/sid/icd-10-cm,N18.6,4\n\
         http://hl7.org/fhir/sid/icd-10-cm,E11.9,1\n\
         https://example.org/local,HTN,1\n\
         https://example.org/local,I10,1\n",
    ),
    ("tandem sql \"SELECT * FROM encounter_flat\"", ""),
    (
        "tandem sql \"SHOW TABLES\"",
        "table_name,kind,description\n",
    ),
    (
        "tandem sql \"DESCRIBE condition_flat\"",
        "column_name,data_type,is_nullable\nid,Utf8,YES\npatient_id,Utf8,YES\n",
    ),
    (
        "tandem sql \"SELECT measure, population, count FROM result_counts WHERE stratum IS NULL\"",
        "measure,population,count\n\
         EmergencyStay,initial-population,10\n\
         EmergencyStay,measure-population,10\n\
         EmergencyStay,measure-population-exclusion,2\n\
         EmergencyStay,measure-observation,8\n\
         InfluenzaVaccinated,initial-population,4\n\
         PressureAtVisit,initial-population,39\n\
         PressureAtVisit,denominator,39\n\
         PressureAtVisit,denominator-exception,2\n\
         PressureAtVisit,numerator,28\n\
         PressureAtVisit,numerator-exclusion,1\n\
         SystolicControl,initial-population,21\n\
         SystolicControl,denominator,21\n\
         SystolicControl,denominator-exclusion,2\n\
         SystolicControl,numerator,11\n",
    ),
    (
        "tandem sql \"SELECT measure, stratum, score, not_evaluable FROM result_scores\"",
        "measure,stratum,score,not_evaluable\n\
         EmergencyStay,,75.0,0\n\
         InfluenzaVaccinated,,,1\n\
         PressureAtVisit,,0.7297297297297297,0\n\
         SystolicControl,,0.5789473684210527,5\n\
         SystolicControl,65 and over,0.5,0\n\
         SystolicControl,under 65,0.5882352941176471,4\n",
    ),
    (
        "tandem sql \"SELECT c.measure, c.population, sum(c.count) FILTER (WHERE run = 'before') AS before",
        "measure,population,before,after\n\
         EmergencyStay,initial-population,10,10\n\
         EmergencyStay,measure-population,10,10\n\
         EmergencyStay,measure-population-exclusion,2,2\n\
         EmergencyStay,measure-observation,8,8\n\
         InfluenzaVaccinated,initial-population,4,4\n\
         PressureAtVisit,initial-population,39,39\n\
         PressureAtVisit,denominator,39,39\n\
         PressureAtVisit,denominator-exception,2,2\n\
         PressureAtVisit,numerator,28,28\n\
         PressureAtVisit,numerator-exclusion,1,1\n\
         SystolicControl,initial-population,21,21\n\
         SystolicControl,denominator,21,21\n\
         SystolicControl,denominator-exclusion,2,2\n\
         SystolicControl,numerator,11,12\n",
    ),
    (
        "tandem sql \"SELECT s.measure, s.population, s.patient_id, coalesce(",
        "measure,population,patient_id,before,after\nSystolicControl,numerator,bp-02,0,1\n",
    ),
];

/// Those whose answer is looked at by its beginning, since its end is not for this test.
const BEGINNINGS: [&str; 2] = ["SHOW TABLES", "DESCRIBE"];

#[test]
fn every_example_of_the_help_has_its_known_answer() {
    let dir = folder();
    two_runs(dir.path());
    let help = tandem!("sql", "--help").ok().out;
    let all = examples(&help);
    assert!(all.len() >= 10, "{all:#?}");
    for command in all {
        let got = answer(&command, dir.path());
        let flat = words(&command);
        if flat.contains("FROM result_subjects WHERE population = 'numerator'") {
            // 27 patients have a visit with a reading, and 11 their last below 140.
            let of = |m: &str| got.lines().filter(|l| l.starts_with(m)).count();
            assert_eq!(
                (of("PressureAtVisit,"), of("SystolicControl,")),
                (27, 11),
                "{got}"
            );
            assert_eq!(got.lines().count(), 1 + 27 + 11, "{got}");
            continue;
        }
        let known = KNOWN.iter().find(|(begins, _)| flat.starts_with(begins));
        let Some((_, wanted)) = known else {
            panic!("this example has no known answer: {command}");
        };
        if BEGINNINGS.iter().any(|word| command.contains(word)) {
            assert!(got.starts_with(wanted), "{command}\n{got}");
        } else {
            assert_eq!(&got, wanted, "{command}");
        }
    }
    // 54 encounters of the decks; Parquet begins and ends with its mark.
    let file = fs::File::open(dir.path().join("encounters.parquet")).unwrap();
    let rows =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    assert_eq!(rows.metadata().file_metadata().num_rows(), 54);
}

#[test]
fn examples_are_found_wherever_they_stand() {
    let help = "  tandem sql \"SELECT\n      1\" \\\n      --lake lake\nOther\n  tandem sql \"SELECT 2\" --lake l\n";
    let all = examples(help);
    assert_eq!(all.len(), 2);
    assert_eq!(words(&all[0]), "tandem sql \"SELECT 1\" \\ --lake lake");
}
