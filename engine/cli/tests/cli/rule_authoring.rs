//! The tools of who writes rules: `rule check`, `new`, `fmt`, `show`, and what `rule test` tells of cases.

use std::path::Path;

use serde_json::Value;

use crate::support::{folder, run};

fn typed(line: &str, dir: &Path) -> crate::support::Ran {
    let dir = dir.to_str().unwrap();
    let words: Vec<String> = line.split('|').map(|w| w.replace("DIR", dir)).collect();
    run(&words.iter().map(std::ffi::OsStr::new).collect::<Vec<_>>())
}

const NEW: &str =
    "rule|new|--kind|alert|--title|Ibuprofen with warfarin|--hook|order-sign|--out|DIR/new";

#[test]
fn a_new_rule_is_written_once_and_asks_to_be_written() {
    let dir = folder();
    let dir = dir.path();
    typed(NEW, dir).ok();
    let file = dir.join("new/ibuprofen-with-warfarin.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    typed(NEW, dir).fails(2, &["is there already", "choose another title"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let checked = typed("rule|check|DIR/new", dir);
    checked.fails(2, &[]);
    typed("rule|test|DIR/new", dir).ok();
    std::fs::write(&file, text.replace("TODO ", "").replace("TODO", "x")).unwrap();
    let out = typed("rule|check|DIR/new", dir).ok().out;
    assert!(out.contains("1 rule: nothing found"), "{out}");
    // Nobody can be asked here.
    typed("rule|new|--title|A|--out|DIR/new", dir).fails(2, &["--kind", "care-gap, alert"]);
    typed(
        "rule|new|--kind|alert|--title|A|--hook|order-dispatch|--out|DIR",
        dir,
    )
    .fails(2, &["order-dispatch", "order-sign"]);
}

#[test]
fn what_is_found_is_told_to_programs_and_reviews() {
    let dir = folder();
    let dir = dir.path();
    typed(NEW, dir).ok();
    let json = typed("rule|check|DIR/new|--format|json", dir);
    assert_eq!(json.code, 2);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    let found = json["findings"].as_array().unwrap();
    assert!(
        found
            .iter()
            .all(|f| f["code"] == "todo" && f["line"].is_u64()),
        "{json:#}"
    );
    let sarif = typed("rule|check|DIR/new|--format|sarif", dir);
    let sarif: Value = serde_json::from_str(&sarif.out).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), found.len());
    let github = typed("rule|check|DIR/new|--format|github", dir);
    let lines: Vec<&str> = github.out.lines().collect();
    assert_eq!(lines.len(), found.len());
    assert!(
        lines
            .iter()
            .all(|l| l.starts_with("::error file=") && l.contains(",line="))
    );
    // A date makes the source old.
    let old = typed("rule|check|--today|2050-01-01|--format|json", dir)
        .ok()
        .out;
    assert!(old.contains("old-source"), "{old}");
    typed("rule|check|--today|soon", dir).fails(2, &["--today soon", "2026-12-31"]);
}

#[test]
fn the_usual_form_is_kept_and_given() {
    let dir = folder();
    let dir = dir.path();
    typed(NEW, dir).ok();
    typed("rule|fmt|DIR/new|--check", dir).ok();
    let file = dir.join("new/ibuprofen-with-warfarin.yaml");
    let usual = std::fs::read_to_string(&file).unwrap();
    // A field that stands elsewhere, with its comment, and other spaces.
    let moved = "# True or false, of one order";
    let at = usual.find(moved).unwrap();
    let (head, tail) = usual.split_at(at);
    let (chunk, rest) = tail.split_at(tail.find("# What to do where").unwrap());
    let other = format!(
        "{}{rest}\n{}\n",
        head.replace("\n  order: ", "\n     order: "),
        chunk.trim_end()
    );
    std::fs::write(&file, &other).unwrap();
    typed("rule|fmt|DIR/new|--check", dir).fails(1, &["without --check"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), other);
    typed("rule|fmt|DIR/new", dir).ok();
    let new = std::fs::read_to_string(&file).unwrap();
    let lines = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(|l| l.trim().to_owned()).collect();
        lines.retain(|l| !l.is_empty());
        lines
    };
    assert_eq!(lines(&new), lines(&usual));
    assert!(new.contains("\n  order: "), "{new}");
    // What belongs to the file and its folder stays: ends of lines, a link, rights, a file of the same name.
    let windows = other.replace('\n', "\r\n");
    let real = dir.join("real.yaml");
    std::fs::write(&real, &windows).unwrap();
    std::fs::write(dir.join("new/ibuprofen-with-warfarin.yaml.tmp"), "mine").unwrap();
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(&real, &file).unwrap();
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(&real, mode(0o640)).unwrap();
    typed("rule|fmt|DIR/new", dir).ok();
    assert!(std::fs::symlink_metadata(&file).unwrap().is_symlink());
    let kept = std::fs::metadata(&real).unwrap().permissions();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&kept) & 0o777,
        0o640
    );
    assert_eq!(
        std::fs::read_to_string(&real).unwrap(),
        new.replace('\n', "\r\n")
    );
    let tmp = dir.join("new/ibuprofen-with-warfarin.yaml.tmp");
    assert_eq!(std::fs::read_to_string(tmp).unwrap(), "mine");
    typed("rule|fmt|DIR/new|--check", dir).ok();
}

#[test]
fn a_rule_is_shown_as_a_page() {
    let dir = folder();
    let out = typed("rule|show|hba1c-control", dir.path()).ok().out;
    for part in [
        "care-gap",
        "eligible",
        "Value sets",
        "hba1c-lab",
        "Cases",
        "applies",
        "Source",
    ] {
        assert!(out.contains(part), "{part}\n{out}");
    }
    // In words, with titles and counts of codes.
    for part in [
        "the age in years is at least 18",
        "diagnoses in “Diabetes” (280 codes) that are active",
        "Whom it is for",
    ] {
        assert!(out.contains(part), "{part}\n{out}");
    }
    let markdown = typed(
        "rule|show|drug-drug-interactions|--format|markdown",
        dir.path(),
    );
    let markdown = markdown.ok().out;
    for part in [
        "\n## Cases\n\n| case | at |",
        "\n## The table: ",
        "| interaction | severity | indicator |",
    ] {
        assert!(markdown.contains(part), "{part}\n{markdown}");
    }
    let html = typed("rule|show|statin-in-ascvd|--format|html", dir.path())
        .ok()
        .out;
    assert!(
        html.starts_with("<!doctype html>") && html.ends_with("</html>\n"),
        "{html}"
    );
    assert_eq!(html.matches("<ul>").count(), html.matches("</ul>").count());
    assert!(
        !html.contains(">= ") && html.contains("<h2>Value sets</h2>"),
        "{html}"
    );
    let json = typed("rule|show|hba1c-control|--format|json", dir.path())
        .ok()
        .out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["id"], "hba1c-control");
    assert!(json["document"]["cases"].as_array().unwrap().len() > 3);
    typed("rule|show|hba1c", dir.path()).fails(2, &["there is no rule `hba1c`"]);
}

#[test]
fn cases_are_measured() {
    let dir = folder();
    let dir = dir.path();
    typed(NEW, dir).ok();
    let out = typed("rule|test|DIR/new|--coverage", dir).ok().out;
    assert!(
        out.contains("when: true, false, unknown: isDrug(order"),
        "{out}"
    );
    let tested = typed("rule|test|DIR/new|--mutate|--format|json", dir);
    let json: Value = serde_json::from_str(&tested.out).unwrap();
    let changes = &json["rules"][0]["changes"];
    let count = |name: &str| changes[name].as_u64().unwrap();
    let survivors = changes["survivors"].as_array().unwrap();
    assert_eq!(
        count("tried"),
        count("found") + count("refused") + u64::try_from(survivors.len()).unwrap()
    );
    assert!(count("found") > 3, "{changes:#}");
    assert_eq!(
        tested.code,
        if survivors.is_empty() { 0 } else { 1 },
        "{changes:#}"
    );
}

/// The same alert for a chart and drafts in files.
#[test]
fn an_alert_is_evaluated_with_drafts() {
    let dir = folder();
    let dir = dir.path();
    typed(NEW, dir).ok();
    let drug = |code: &str| {
        format!(
            r#"{{"coding":[{{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"{code}"}}]}}"#
        )
    };
    let chart = format!(
        r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{{"resourceType":"Patient","id":"a","birthDate":"1960-01-01"}}}},{{"resource":{{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order","subject":{{"reference":"Patient/a"}},"medicationCodeableConcept":{}}}}}]}}"#,
        drug("11289")
    );
    let drafts = format!(
        r#"{{"resourceType":"MedicationRequest","id":"d1","status":"draft","intent":"order","subject":{{"reference":"Patient/a"}},"medicationCodeableConcept":{}}}"#,
        drug("5640")
    );
    std::fs::write(dir.join("chart.json"), chart).unwrap();
    std::fs::write(dir.join("drafts.json"), &drafts).unwrap();
    let eval =
        "rule|eval|DIR/new/ibuprofen-with-warfarin.yaml|--patient|DIR/chart.json|--at|2025-12-31";
    let with = format!("{eval}|--hook|order-sign|--drafts|DIR/drafts.json");
    let out = typed(&with, dir).ok().out;
    for part in [
        "Applies",
        "ibuprofen",
        "why",
        "isDrug(order, \"ibuprofen\")",
        "isDrug(m, \"warfarin\") is true",
    ] {
        assert!(out.contains(part), "{part}\n{out}");
    }
    let out = typed(&format!("{with}|--format|json"), dir).ok().out;
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["cards"].as_array().unwrap().len(), 1, "{json:#}");
    let criteria = json["criteria"].as_array().unwrap();
    assert!(
        criteria.iter().any(|c| c["criterion"] == "when"),
        "{json:#}"
    );
    // Without an order it would be silent, whatever is ordered.
    typed(eval, dir).fails(2, &["order-sign", "--drafts FILE"]);
    let with = |name: &str, text: &str| {
        std::fs::write(dir.join(name), text).unwrap();
        typed(&format!("{eval}|--drafts|DIR/{name}"), dir)
    };
    for (name, text) in [
        (
            "empty.json",
            r#"{"resourceType":"Bundle","type":"collection"}"#,
        ),
        ("chart2.json", r#"{"resourceType":"Observation","id":"o"}"#),
    ] {
        with(name, text).fails(2, &[name, "there is no order in it"]);
    }
    let another = drafts.replace("Patient/a", "Patient/b");
    with("another.json", &another).fails(2, &["MedicationRequest `d1`", "another patient"]);
    let with = format!("{eval}|--hook|order-sign|--drafts|DIR/drafts.json");
    typed(&format!("{eval}|--hook|patient-view"), dir).fails(2, &["order-sign"]);
    typed(&format!("{with}|--select|MedicationRequest/x"), dir).fails(2, &["MedicationRequest/x"]);
}
