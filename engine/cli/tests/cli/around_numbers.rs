//! What stands around the numbers of a run: strata, what a score could be, the period, and mistakes of
//! the call.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::*;

const DECKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/decks");
const PERIOD: &str = "2026-01-01..2026-12-31";

/// The deck of systolic pressures: 28 patients in a lake, and the measure, its stratifier changed so.
fn deck(dir: &Path, changed: &[(&str, Value)]) -> (PathBuf, PathBuf) {
    let deck = Path::new(DECKS).join("SystolicControl");
    let lake = dir.join("lake");
    import(&lake, &[&deck.join("data")]);
    let package = dir.join("decks/SystolicControl");
    let text = std::fs::read_to_string(deck.join("measure.json")).unwrap();
    let mut measure: Value = serde_json::from_str(&text).unwrap();
    for (element, value) in changed {
        measure["group"][0]["stratifier"][0][*element] = value.clone();
    }
    file(package.join("measure.json"), measure.to_string());
    let sets = std::fs::read(deck.join("valuesets.ndjson")).unwrap();
    file(package.join("valuesets.ndjson"), sets);
    copy_folder(
        &Path::new(DECKS).join("libraries"),
        &dir.join("decks/libraries"),
    );
    (package, lake)
}

fn measure(command: &str, package: &Path, lake: &Path, more: &[&str]) -> Ran {
    let libraries = package.parent().unwrap().join("libraries");
    let mut args: Vec<&OsStr> = ["measure", command].map(OsStr::new).to_vec();
    args.extend([package.as_os_str(), libraries.as_os_str()]);
    args.extend([OsStr::new("--lake"), lake.as_os_str()]);
    if !more.contains(&"--period") {
        args.extend(["--period", PERIOD].map(OsStr::new));
    }
    args.extend(more.iter().map(OsStr::new));
    run(&args)
}

/// The cells of the table's row that begins so.
fn row(out: &str, begins: &str) -> Vec<String> {
    let line = out.lines().find(|line| line.starts_with(begins));
    let line = line.unwrap_or_else(|| panic!("no row `{begins}`:\n{out}"));
    let cells = line.split("  ").map(str::trim).filter(|c| !c.is_empty());
    cells.map(str::to_owned).collect()
}

fn csv_rows(text: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

/// `under 65`: 19 in the denominator, 2 excluded, 10 met, as the deck expects. 10 of 17 is 58.8 %.
#[test]
fn a_table_of_strata_has_what_its_score_is_made_of() {
    let dir = folder();
    let (package, lake) = deck(
        dir.path(),
        &[("description", json!("By age,\n  at the end"))],
    );
    let ran = measure("run", &package, &lake, &[]).ok();
    assert!(
        ran.out
            .contains("\nSystolicControl, by Age (By age, at the end):\n"),
        "{}",
        ran.out
    );
    for heading in ["denominator", "exclusions", "numerator", "score could be"] {
        assert!(
            ran.out.matches(heading).count() >= 2,
            "{heading}: {}",
            ran.out
        );
    }
    let under = [
        "under 65",
        "19",
        "19",
        "2",
        "10",
        "58.8 %",
        "4",
        "56.2–76.5 %",
    ];
    assert_eq!(row(&ran.out, "under 65"), under, "{}", ran.out);
    let over = ["65 and over", "2", "2", "0", "1", "50.0 %", "0"];
    assert_eq!(row(&ran.out, "65 and over"), over, "{}", ran.out);
    // CSV has the bounds: 10 of 19 with an open one, 15 of 20.
    let rows = csv_rows(
        &measure("run", &package, &lake, &["--format", "csv"])
            .ok()
            .out,
    );
    let whole = &rows[0];
    assert_eq!(whole["score_could_be"], "52.6–75.0 %");
    let number = |name: &str| whole[name].parse::<f64>().unwrap();
    assert!(
        (number("score_low") - 10.0 / 19.0).abs() < 1e-9,
        "{whole:?}"
    );
    assert!((number("score_high") - 0.75).abs() < 1e-9, "{whole:?}");
}

/// `appliesTo` leaves populations out: no count of them, and no score.
#[test]
fn strata_without_a_numerator_have_no_score() {
    let dir = folder();
    let system = "http://terminology.hl7.org/CodeSystem/measure-population";
    let applies = |code: &str| {
        json!({
            "url": "http://hl7.org/fhir/us/cqfmeasures/StructureDefinition/cqfm-appliesTo",
            "valueCodeableConcept": {"coding": [{"system": system, "code": code}]},
        })
    };
    let extension = json!([applies("initial-population"), applies("denominator")]);
    let (package, lake) = deck(dir.path(), &[("extension", extension)]);
    let ran = measure("run", &package, &lake, &[]).ok();
    assert!(
        ran.out.contains("by Age; counts without a score"),
        "{}",
        ran.out
    );
    let under = ["under 65", "19", "19", "0"];
    assert_eq!(row(&ran.out, "under 65"), under, "{}", ran.out);
    let rows = csv_rows(
        &measure("run", &package, &lake, &["--format", "csv"])
            .ok()
            .out,
    );
    let under = rows
        .iter()
        .find(|row| row["stratum"] == "under 65")
        .unwrap();
    assert_eq!(
        (&*under["denominator"], &*under["not_evaluable"]),
        ("19", "0")
    );
    for empty in [
        "denominator_exclusion",
        "numerator",
        "score",
        "score_low",
        "score_could_be",
    ] {
        assert_eq!(under[empty], "", "{empty}: {under:?}");
    }
    assert_eq!(rows[0]["numerator"], "11", "the whole has them");
}

/// 5 of the deck cannot be evaluated: the subject list names them.
#[test]
fn a_subject_list_names_those_not_evaluable() {
    let dir = folder();
    let (package, lake) = deck(dir.path(), &[]);
    let list = ["--report", "subject-list", "--format", "json"];
    let reports: Value =
        serde_json::from_str(&measure("run", &package, &lake, &list).ok().out).unwrap();
    let report = &reports[0];
    let contained = report["contained"].as_array().unwrap();
    let named = contained
        .iter()
        .find(|c| c["id"] == "not-evaluable-1")
        .unwrap();
    assert_eq!(named["entry"].as_array().unwrap().len(), 5, "{named}");
    let told = |of: &Value| {
        let mut extensions = of["extension"].as_array().unwrap().iter();
        let told = |e: &&Value| e["url"].as_str().unwrap().ends_with("/not-evaluable");
        extensions.find(told).unwrap()["extension"].clone()
    };
    assert_eq!(told(&report["group"][0])[0]["valueInteger"], 5);
    let subjects = &told(report)[1];
    assert_eq!(subjects["url"], "subjects");
    assert_eq!(subjects["valueReference"]["reference"], "#not-evaluable-1");
}

#[test]
fn a_period_without_data_or_of_another_length_is_said() {
    let dir = folder();
    let (package, lake) = deck(dir.path(), &[]);
    let of = |period: &str| {
        measure("run", &package, &lake, &["--period", period])
            .ok()
            .err
    };
    let later = of("2040-01-01..2040-12-31");
    assert!(
        later.contains("no visit (Encounter) of the lake lies in the period 2040-01-01 to 2040-12-31: the last is of 2026-"),
        "{later}"
    );
    assert!(of("1850-01-01..1850-12-31").contains("the first is of 20"));
    let month = of("2026-03-01..2026-03-31");
    assert!(
        month.contains("P094") && month.contains("made for one year"),
        "{month}"
    );
    assert_eq!(of(PERIOD), "", "nothing to say of the year it is made for");
}

#[test]
fn a_day_outside_of_the_period_is_said() {
    let dir = folder();
    let (package, lake) = deck(dir.path(), &[]);
    for (day, says) in [("2025-01-01", "before"), ("2027-01-01", "after")] {
        for command in ["run", "gaps"] {
            let ran = measure(command, &package, &lake, &["--as-of", day]).ok();
            let said = format!("--as-of lies {says} the period");
            assert!(ran.err.contains(&said), "{}", ran.text());
        }
    }
    let within = measure("run", &package, &lake, &["--as-of", "2026-06-30"]).ok();
    assert_eq!(within.err, "");
}

#[test]
fn options_without_effect_or_sense_are_refused() {
    let dir = folder();
    let (package, lake) = deck(dir.path(), &[]);
    for kind in ["individual", "subject-list"] {
        measure("run", &package, &lake, &["--report", kind])
            .fails(2, &["--report", "--out", "--format json"]);
    }
    for who in [
        "Foo",
        "Patient/1",
        "Organization/",
        "x/Organization/1",
        "Organization/a b",
    ] {
        for command in ["run", "gaps"] {
            measure(command, &package, &lake, &["--reporter", who])
                .fails(2, &["--reporter", "Organization/1"]);
        }
    }
    for who in [
        "Organization/1",
        "https://example.org/fhir/Practitioner/a-1",
    ] {
        let more = ["--reporter", who, "--format", "json"];
        let ran = measure("run", &package, &lake, &more).ok();
        assert!(ran.out.contains(&format!("\"reference\": \"{who}\"")));
    }
}

#[test]
fn lower_and_higher_are_directions() {
    let dir = folder();
    let (package, lake) = deck(dir.path(), &[]);
    for (word, shown) in [
        ("lower", "lower"),
        ("Higher", "higher"),
        ("decrease", "lower"),
    ] {
        let better = format!("SystolicControl={word}");
        let ran = measure("run", &package, &lake, &["--better", &better]).ok();
        assert!(
            ran.out.contains(&format!("{shown} (--better)")),
            "{}",
            ran.text()
        );
    }
    for (wrong, part) in [
        ("SystolicControl=up", "`up` is no direction"),
        ("SystolicControl", "does not say which way"),
        ("=lower", "does not say of which measure"),
    ] {
        measure("run", &package, &lake, &["--better", wrong])
            .fails(2, &["P093", part, "=lower", "=higher"]);
    }
}

/// Mistakes of the call stand alone: what is wrong with packages is another matter.
#[test]
fn mistakes_of_the_call_are_told_first() {
    let dir = folder();
    let (package, lake) = deck(dir.path(), &[]);
    // A measure whose direction is contradicted, which is a warning.
    let path = package.join("measure.json");
    let mut measure_json: Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    measure_json["improvementNotation"]["coding"][0]["display"] =
        json!("Decreased score indicates improvement");
    file(&path, measure_json.to_string());
    let warns = measure("run", &package, &lake, &[]).ok();
    assert!(warns.err.contains("warning[P035]"), "{}", warns.err);
    let inside = lake.join("results").to_string_lossy().into_owned();
    let nowhere = dir.path().join("nowhere");
    for command in ["run", "gaps"] {
        for (ran, says) in [
            (measure(command, &package, &nowhere, &[]), "is not a folder"),
            (
                measure(command, &package, &lake, &["--snapshot", "9"]),
                "snapshot 9",
            ),
            (
                measure(command, &package, &lake, &["--subject", "nobody"]),
                "no patient `nobody`",
            ),
            (
                measure(command, &package, &lake, &["--out", &inside]),
                "--out",
            ),
        ] {
            let ran = ran.fails(2, &[says]);
            assert!(!ran.err.contains("P035"), "{command}: {}", ran.err);
        }
    }
    // Two mistakes are told together.
    let both = measure("run", &package, &nowhere, &["--measure", "SystolicContol"]);
    both.fails(2, &["is not a folder", "did you mean `SystolicControl`?"]);
}

/// The table of known measures settles the direction of CMS122: one line, and no warning.
#[test]
fn a_settled_direction_is_one_line() {
    let dir = folder();
    let (package, lake) = deck(dir.path(), &[]);
    let path = package.join("measure.json");
    let text = std::fs::read_to_string(&path).unwrap();
    file(
        &path,
        text.replace("\"name\":\"SystolicControl\"", "\"name\":\"CMS122FHIR\""),
    );
    let ran = measure("run", &package, &lake, &[]).ok();
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert!(
        ran.err
            .starts_with("note: which way is better is by the table"),
        "{}",
        ran.err
    );
    assert!(ran.out.contains("lower (table)"), "{}", ran.out);
    let whole = measure("run", &package, &lake, &["--verbose"]).ok();
    assert!(whole.err.contains("info[P035]"), "{}", whole.err);
}

#[test]
fn a_list_has_what_a_run_has() {
    let dir = folder();
    let (package, lake) = deck(dir.path(), &[]);
    let libraries = package.parent().unwrap().join("libraries");
    let listed = tandem!("measure", "list", &package, &libraries).ok();
    assert!(listed.out.contains("SystolicControl"), "{}", listed.out);
    assert!(!listed.out.contains("colorectal"), "{}", listed.out);
    let both = tandem!("measure", "list", &package, &libraries, "--built-in").ok();
    assert!(
        both.out.contains("colorectal-cancer-screening"),
        "{}",
        both.out
    );
    // Without the libraries neither can do anything, and both say where these may be.
    let near = "libraries`: if it stands there, give that folder, too";
    tandem!("measure", "list", &package).fails(2, &["P023", near]);
    tandem!(
        "measure", "run", &package, "--lake", &lake, "--period", PERIOD
    )
    .fails(2, &["P023", near]);
}

/// Lines of the ledger are words that a reader knows, and say nothing of nothing.
#[test]
fn the_ledger_has_no_zeros() {
    let dir = folder();
    let (package, lake) = deck(dir.path(), &[]);
    let ran = measure("run", &package, &lake, &["--verbose"]).ok();
    for word in ["decisive", "undecidable"] {
        assert!(!ran.out.contains(word), "{}", ran.out);
    }
    let ledger = ran.out.split("\nledger ").nth(1).unwrap();
    let lines = ledger.lines().skip(2).take_while(|line| !line.is_empty());
    for line in lines {
        assert!(!line.trim_end().ends_with(" 0"), "{line}");
    }
}
