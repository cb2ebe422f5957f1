//! The first line of an explanation: in or out, and what decided, for decks of our own (`tests/decks`)
//! and for the official packages where they are here.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::*;

fn decks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/decks")
}

/// The first line for a patient of a deck, and the rest.
fn first_lines(deck: &str, patients: &[&str]) -> Vec<String> {
    let dir = folder();
    let lake = dir.path().join("lake");
    import(&lake, &[&decks().join(deck).join("data")]);
    let all = patients.iter().map(|patient| {
        let out = tandem!(
            "measure",
            "explain",
            &decks().join(deck),
            &decks().join("libraries"),
            "--lake",
            &lake,
            "--period",
            "2026-01-01..2026-12-31",
            "--subject",
            patient
        )
        .ok()
        .out;
        assert!(out.lines().all(|l| l.chars().count() <= 159), "{out}");
        let head = out.split("\n\n").next().unwrap();
        head.split("\n    ").collect::<Vec<_>>().join(" ")
    });
    all.collect()
}

fn check(deck: &str, expected: &[(&str, &str)]) {
    let patients: Vec<&str> = expected.iter().map(|(patient, _)| *patient).collect();
    let found = first_lines(deck, &patients);
    let found: Vec<(&str, &str)> = patients
        .iter()
        .copied()
        .zip(found.iter().map(String::as_str))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn of_a_proportion() {
    check(
        "SystolicControl",
        &[
            ("bp-01", "In the numerator: 8480-6 128 (2026-03-02), < 140"),
            (
                "bp-02",
                "In the denominator, numerator not met: 8480-6 150 (2026-03-02), not < 140",
            ),
            (
                "bp-12",
                "Excluded: Condition of \"End Stage Renal Disease\": N18.6, 2025-01-10",
            ),
            (
                "bp-16",
                "Out: no \"Hypertension Diagnoses\" (Condition of \"Hypertension\")",
            ),
            (
                "bp-19",
                "Out: no \"Visits\" (Encounter); AMB, 2026-03-02 –: E.status is planned, not finished",
            ),
            (
                "bp-20",
                "Out: no \"Visits\" (Encounter) in 2026; last 2025-12-31 (AMB)",
            ),
            ("bp-23", "Out: age 17, not in 18 to 85"),
            (
                "bp-28",
                "Initial population could not be told: Patient.birthDate is not there",
            ),
        ],
    );
}

#[test]
fn of_a_cohort() {
    check(
        "InfluenzaVaccinated",
        &[
            (
                "flu-01",
                "In the initial population: \"Vaccinations\": 150, 2026-10-12",
            ),
            (
                "flu-03",
                "Out: no \"Vaccinations\" (Immunization of \"Influenza Vaccine\"); 150, not done, 2026-10-12: I.status is not-done, not completed",
            ),
            (
                "flu-05",
                "Out: no \"Vaccinations\" (Immunization of \"Influenza Vaccine\") in 2026; last 2025-12-31 (150)",
            ),
            (
                "flu-09",
                "Initial population could not be told: a date is too imprecise to compare; \"Vaccinations\" (Immunization of \"Influenza Vaccine\") in 2026 cannot be told: 2026 (150)",
            ),
            (
                "flu-11",
                "Out: no \"Vaccinations\" (Immunization of \"Influenza Vaccine\")",
            ),
        ],
    );
}

#[test]
fn of_episodes() {
    check(
        "EmergencyStay",
        &[
            (
                "ed-03",
                "Excluded (initial population 1, measure population 1, measure population exclusion 1): Encounter: EMER, 2026-05-01",
            ),
            (
                "ed-06",
                "Out: no \"Emergency Visits\" (Encounter) in 2026; next 2027-01-01 (EMER)",
            ),
            (
                "ed-08",
                "Out: no \"Emergency Visits\" (Encounter); AMB, 2026-05-01: E.class.code is AMB, not EMER",
            ),
        ],
    );
    check(
        "PressureAtVisit",
        &[
            (
                "visit-01",
                "In the numerator (initial population 1, denominator 1, numerator 1): Encounter: AMB, 2026-03-02",
            ),
            (
                "visit-04",
                "Exception (initial population 1, denominator 1, denominator exception 1): Encounter: AMB, 2026-03-02",
            ),
            (
                "visit-07",
                "Excluded from the numerator (initial population 1, denominator 1, numerator 1, numerator exclusion 1): Encounter: AMB, 2026-03-02",
            ),
        ],
    );
}

/// What is told of who has no last reading is not about a reading that does not count.
#[test]
fn a_reading_that_was_not_taken_is_told_with_why() {
    let found = first_lines("SystolicControl", &["bp-08", "bp-10"]);
    assert!(
        found[0].contains("no \"Readings\"") && found[0].contains("O.status is entered-in-error"),
        "{}",
        found[0]
    );
    assert!(
        found[1].contains("no \"Readings\"") && found[1].contains("in 2026; last 2025-12-31"),
        "{}",
        found[1]
    );
}

#[test]
fn a_rule_begins_with_its_answer() {
    let dir = folder();
    let eval = |born: &str, more: &str| {
        let bundle = format!(
            r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{{"resourceType":"Patient","id":"p","birthDate":"{born}"}}}},{{"resource":{{"resourceType":"Condition","id":"c","subject":{{"reference":"Patient/p"}},"clinicalStatus":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}}]}},"code":{{"coding":[{{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"E11.9"}}]}},"onsetDateTime":"2015-01-01"}}}}{more}]}}"#
        );
        let path = file(dir.path().join("p.json"), bundle);
        tandem!(
            "rule",
            "eval",
            "hba1c-control",
            "--patient",
            &path,
            "--at",
            "2025-12-31"
        )
        .ok()
        .out
    };
    let result = |value: &str| {
        format!(
            r#",{{"resource":{{"resourceType":"Observation","id":"o","status":"final","subject":{{"reference":"Patient/p"}},"code":{{"coding":[{{"system":"http://loinc.org","code":"4548-4","display":"Hemoglobin A1c"}}]}},"effectiveDateTime":"2025-09-15","valueQuantity":{{"value":{value},"unit":"%","system":"http://unitsofmeasure.org","code":"%"}}}}}}"#
        )
    };
    let first = |text: &str| text.lines().next().unwrap().to_owned();
    let high = eval("1970-01-01", &result("9.3"));
    assert_eq!(
        first(&high),
        "Applies: HbA1c 9.3 % is above 9 % (Observation/o, Hemoglobin A1c, 2025-09-15, 9.3 %)",
        "{high}"
    );
    assert!(
        high.contains("Observation/o, Hemoglobin A1c, 2025-09-15, 9.3 %"),
        "{high}"
    );
    let low = eval("1970-01-01", &result("7.1"));
    assert!(
        first(&low).starts_with("Does not apply: what it recommends is done: "),
        "{low}"
    );
    assert!(first(&low).contains("7.1"), "{low}");
    let old = eval("1920-01-01", &result("9.3"));
    assert_eq!(
        first(&old),
        "Does not apply: not eligible: `ageInYearsAt(at) <= 75` does not hold: ageInYearsAt(at) is 105",
        "{old}"
    );
}

#[test]
fn json_has_the_verdict_and_what_decided() {
    let dir = folder();
    let lake = dir.path().join("lake");
    import(&lake, &[&decks().join("SystolicControl").join("data")]);
    let out = tandem!(
        "measure",
        "explain",
        &decks().join("SystolicControl"),
        &decks().join("libraries"),
        "--lake",
        &lake,
        "--period",
        "2026-01-01..2026-12-31",
        "--subject",
        "bp-20",
        "--format",
        "json"
    )
    .ok()
    .out;
    let json: Value = serde_json::from_str(&out).unwrap();
    let verdict = &json[0]["groups"][0]["verdict"];
    assert_eq!(verdict["status"], "out", "{out}");
    let cause = &verdict["because"][0];
    assert_eq!(cause["definition"], "Visits");
    assert_eq!(
        cause["facts"][0]["date"].as_str().unwrap()[..10],
        *"2025-12-31"
    );
    let population = &json[0]["groups"][0]["populations"][0];
    assert_eq!(population["verdict"]["status"], "out");
}

/// Texts of clauses, over all the definitions of official packages: made from the ELM (2025), and the
/// authors' (2024).
#[test]
fn clauses_of_official_packages_are_whole() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/conformance");
    let root = std::env::var("TANDEM_CONFORMANCE").unwrap_or_else(|_| beside.to_owned());
    let dir = folder();
    let patient = r#"{"resourceType":"Patient","id":"p","birthDate":"1970-01-01"}"#;
    let lake = dir.path().join("lake");
    import(&lake, &[&file(dir.path().join("p.ndjson"), patient)]);
    for packages in ["ecqm", "ecqm-2024"] {
        let folder = Path::new(&root).join(packages);
        if !folder.is_dir() {
            println!("skipped: {} is not there", folder.display());
            continue;
        }
        let mut measures: Vec<PathBuf> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.join("measure.json").is_file())
            .collect();
        measures.sort();
        let mut args = vec!["measure".into(), "explain".into()];
        for measure in &measures {
            args.push(measure.join("measure.json").into_os_string());
            let sets = measure.join("valuesets.ndjson");
            args.extend(sets.is_file().then(|| sets.into_os_string()));
        }
        args.push(folder.join("libraries").into_os_string());
        for more in [
            "--subject",
            "p",
            "--period",
            "2026-01-01..2026-12-31",
            "--allow-missing-value-sets",
            "--format",
            "json",
            "--lake",
        ] {
            args.push(more.into());
        }
        args.push(lake.clone().into_os_string());
        let args: Vec<&std::ffi::OsStr> = args.iter().map(|a| &**a).collect();
        let ran = run(&args);
        let json: Value = serde_json::from_str(&ran.out).unwrap_or_else(|e| {
            panic!(
                "{packages}: {e}: {}",
                ran.err.chars().take(2000).collect::<String>()
            )
        });
        let all = json.as_array().unwrap();
        let (mut texts, mut wrong) = (0, vec![]);
        for measure in all {
            for definition in measure["definitions"].as_array().unwrap() {
                texts += 1;
                let annotated = definition["annotated"] == true;
                look(definition["text"].as_str().unwrap(), annotated, &mut wrong);
            }
            for group in measure["groups"].as_array().unwrap() {
                for population in group["populations"].as_array().unwrap() {
                    branch(&population["criterion"], &mut wrong);
                    let text = population["verdict"]["text"].as_str().unwrap();
                    assert!(!text.is_empty());
                }
                let text = group["verdict"]["text"].as_str().unwrap();
                assert!(!text.contains("is is "), "{text}");
            }
        }
        println!("{packages}: {} measures, {texts} texts", all.len());
        assert!(all.len() > 20 && texts > 500, "{} {texts}", all.len());
        wrong.sort();
        wrong.dedup();
        assert!(
            wrong.is_empty(),
            "{} wrong: {:#?}",
            wrong.len(),
            &wrong[..wrong.len().min(20)]
        );
    }
}

fn branch(at: &Value, wrong: &mut Vec<String>) {
    // Of `and` and `or` the parts are the text.
    let label = at["label"].as_str().filter(|label| !label.is_empty());
    if let Some(label) = label {
        let role = at["role"].as_str().unwrap_or_default();
        look(&format!("{role} {label}"), false, wrong);
    }
    for part in at["parts"].as_array().into_iter().flatten() {
        branch(part, wrong);
    }
}

/// No word twice, no bracket left open, no operator at the end. Comments are the author's affair.
fn look(text: &str, annotated: bool, wrong: &mut Vec<String>) {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let twice = [
        "where where",
        "return return",
        "such that such that",
        "with with",
    ];
    if twice.iter().any(|words| line.contains(words)) {
        wrong.push(format!("a word twice: {line}"));
    }
    if !annotated && line.contains("Interval(") && line.contains("true, true") {
        wrong.push(format!("an interval: {line}"));
    }
    // What an author wrote has comments, with brackets as in "1)".
    if annotated {
        return;
    }
    let mut open = vec![];
    let mut quote = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (_, '\\') => {
                chars.next();
            }
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => open.push(c),
            // An interval may be open on one side.
            (None, ')' | ']' | '}') if open.pop().is_none() => {
                wrong.push(format!("a bracket too many: {line}"));
                return;
            }
            _ => {}
        }
    }
    if !open.is_empty() || quote.is_some() {
        wrong.push(format!("a bracket or quote is open: {line}"));
    }
    let last = line.split(' ').next_back().unwrap_or_default();
    let operators = [
        "and", "or", "=", "~", "in", "during", "union", "where", "is", "not", ">=", "<=",
    ];
    if operators.contains(&last) {
        wrong.push(format!("ends in an operator: {line}"));
    }
}
