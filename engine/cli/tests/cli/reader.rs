//! What a reader of a run sees: what is wrong once, with the measures it is of; value sets by name; which
//! measure was taken for a word; and a summary last. The same for machines.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use base64::Engine;
use serde_json::{Value, json};

use crate::explain::{PERIOD, lake};
use crate::support::*;

const VSAC: &str = "http://cts.nlm.nih.gov/fhir/ValueSet/";
const VISITS: &str = "http://cts.nlm.nih.gov/fhir/ValueSet/2.16.840.1.113762.1.4.1046.10";
const PAYER: &str = "http://cts.nlm.nih.gov/fhir/ValueSet/2.16.840.1.113762.1.4.1046.11";

fn definition(name: &str, expression: &Value) -> Value {
    json!({"name": name, "context": "Patient", "expression": expression})
}

fn of_set(ty: &str, path: &str, set: &str, id: &str) -> Value {
    json!({"type": "Retrieve", "localId": id, "dataType": format!("{{http://hl7.org/fhir}}{ty}"),
        "codeProperty": path, "codeComparator": "in",
        "codes": {"type": "ValueSetRef", "localId": format!("{id}0"), "name": set}})
}

fn exists(what: &Value) -> Value {
    json!({"type": "Exists", "operand": what})
}

/// A Library of ELM with these value sets, by name and id, and definitions.
fn library(name: &str, sets: &[Value], definitions: &[Value]) -> String {
    let patient = json!({"type": "SingletonFrom", "operand":
        {"type": "Retrieve", "dataType": "{http://hl7.org/fhir}Patient"}});
    let mut all = vec![definition("Patient", &patient)];
    all.extend(definitions.iter().cloned());
    let elm = json!({"library": {
        "identifier": {"id": name, "version": "1"},
        "usings": {"def": [{"localIdentifier": "FHIR", "uri": "http://hl7.org/fhir", "version": "4.0.1"}]},
        "valueSets": {"def": sets},
        "statements": {"def": all},
    }});
    let data = base64::engine::general_purpose::STANDARD.encode(elm.to_string());
    json!({"resourceType": "Library", "id": name, "name": name, "version": "1", "status": "active",
        "url": format!("http://example.org/Library/{name}"),
        "type": {"coding": [{"code": "logic-library"}]},
        "content": [{"contentType": "application/elm+json", "data": data}]})
    .to_string()
}

fn measure(id: &str, title: &str, more: &Value) -> String {
    let criteria = |name: &str| json!({"language": "text/cql-identifier", "expression": name});
    let population = |code: &str, name: &str| json!({"id": code, "code": {"coding": [{"code": code}]}, "criteria": criteria(name)});
    let mut measure = json!({
        "resourceType": "Measure", "id": id, "name": id, "version": "1.0.0", "title": title,
        "url": format!("http://example.org/Measure/{id}"), "status": "active",
        "library": ["http://example.org/Library/Main"],
        "scoring": {"coding": [{"code": "proportion"}]},
        "improvementNotation": {"coding": [{"code": "increase"}]},
        "group": [{"id": "g", "population": [
            population("initial-population", "All"),
            population("denominator", "All"),
            population("numerator", "Visited")],
            "stratifier": [{"id": "by-payer", "criteria": criteria("Insured")}]}],
        "supplementalData": [{"usage": [{"coding": [{"code": "supplemental-data"}]}],
            "criteria": criteria("SDE Payer")}],
    });
    for (key, value) in more.as_object().unwrap() {
        measure[key] = value.clone();
    }
    measure.to_string()
}

fn value_set(url: &str, version: &str, content: &Value) -> String {
    let mut set =
        json!({"resourceType": "ValueSet", "url": url, "version": version, "status": "active"});
    for (key, value) in content.as_object().unwrap() {
        set[key] = value.clone();
    }
    set.to_string()
}

fn expanded(code: &str) -> Value {
    json!({"expansion": {"contains": [{"system": "http://example.org/codes", "code": code}]}})
}

/// Two measures of 2025 over one library, whose numerator is by visits, and whose stratifier and
/// supplemental data are by payers.
fn package(folder: &Path) -> PathBuf {
    let package = folder.join("package");
    let sets = [
        json!({"name": "Visits", "id": VISITS}),
        json!({"name": "Payer", "id": PAYER}),
    ];
    let yes = json!({"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Boolean", "value": "true"});
    let definitions = [
        definition("All", &yes),
        definition(
            "Visited",
            &exists(&of_set("Encounter", "type", "Visits", "10")),
        ),
        definition("SDE Payer", &of_set("Coverage", "type", "Payer", "20")),
        definition(
            "Insured",
            &exists(&of_set("Coverage", "type", "Payer", "30")),
        ),
    ];
    let year = json!({"effectivePeriod": {"start": "2025-01-01", "end": "2025-12-31"}});
    for (id, title) in [
        ("CMS901FHIRDiabetesCare", "Diabetes: Care"),
        ("CMS9012FHIRDiabetesEye", "Diabetes: Eye Exam"),
    ] {
        file(
            package.join(format!("{id}.json")),
            measure(id, title, &year),
        );
    }
    file(
        package.join("main.json"),
        library("Main", &sets, &definitions),
    );
    file(
        package.join("visits.json"),
        value_set(VISITS, "1", &expanded("visit")),
    );
    file(
        package.join("payer.json"),
        value_set(PAYER, "1", &expanded("payer")),
    );
    package
}

fn ask(command: &str, package: &Path, lake: &Path, more: &[&str]) -> Ran {
    let mut args: Vec<&OsStr> = vec!["measure".as_ref(), command.as_ref(), package.as_ref()];
    if !["check", "list"].contains(&command) {
        args.extend([OsStr::new("--lake"), lake.as_ref()]);
        if !more.contains(&"--period") {
            args.extend(["--period", PERIOD].map(OsStr::new));
        }
    }
    args.extend(more.iter().map(OsStr::new));
    run(&args)
}

fn lines_with<'t>(text: &'t str, part: &str) -> Vec<&'t str> {
    text.lines().filter(|l| l.contains(part)).collect()
}

const BOTH: &str = "(CMS9012FHIRDiabetesEye, CMS901FHIRDiabetesCare)";

/// What only supplemental data and strata need is left out with them; the counts are the same.
#[test]
fn a_value_set_of_supplemental_data_stops_no_measure() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let whole = ask("run", &package, &lake, &["--format", "csv"]).ok();
    assert_eq!(whole.out.lines().count(), 3, "{}", whole.out);
    std::fs::remove_file(package.join("payer.json")).unwrap();
    let out = dir.path().join("out");
    let out = ["--out", out.to_str().unwrap()];
    let without = ask(
        "run",
        &package,
        &lake,
        &[&["--format", "csv"], &out[..]].concat(),
    )
    .ok();
    assert_eq!(without.out, whole.out);
    // One line for the set, with its name first, its url, and both measures.
    let line = format!("  \"Payer\": {PAYER} {BOTH}");
    assert_eq!(
        lines_with(&without.err, PAYER),
        [line.as_str()],
        "{}",
        without.err
    );
    for what in [
        "stratifier `by-payer` is left out",
        "supplemental data `SDE Payer` is left out",
    ] {
        assert_eq!(lines_with(&without.err, what).len(), 1, "{}", without.err);
    }
    assert!(!without.err.contains("did you mean"), "{}", without.err);
    let read = |name: &str| -> Value {
        serde_json::from_slice(&std::fs::read(dir.path().join("out").join(name)).unwrap()).unwrap()
    };
    let findings = read("findings.json");
    let missing = &findings["missingValueSets"];
    assert_eq!(missing.as_array().unwrap().len(), 1, "{missing}");
    assert_eq!(
        (&missing[0]["name"], &missing[0]["url"]),
        (&json!("Payer"), &json!(PAYER))
    );
    assert_eq!(
        missing[0]["measures"],
        json!(["CMS9012FHIRDiabetesEye", "CMS901FHIRDiabetesCare"])
    );
    assert_eq!(
        findings["leftOut"].as_array().unwrap().len(),
        4,
        "{findings}"
    );
    assert!(read("run.json")["outputs"].get("findings.json").is_some());
    // Reports say it, too.
    let report = read("MeasureReport-CMS901FHIRDiabetesCare.json").to_string();
    assert!(
        report.contains("value set missing") && report.contains(PAYER),
        "{report}"
    );
    let checked = ask("check", &package, &lake, &[]).ok();
    assert_eq!(
        lines_with(&checked.out, "can be run, 2 left out").len(),
        2,
        "{}",
        checked.out
    );
    // Allowed, both are there, and what they say is unknown.
    let allowed = ask("run", &package, &lake, &["--allow-missing-valuesets"]).ok();
    assert!(!allowed.err.contains("is left out"), "{}", allowed.err);
}

/// What criteria need stops the measure, is one line however many clauses refer to it, and is in JSON
/// and CSV with all of its places.
#[test]
fn a_value_set_of_criteria_is_one_line() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    std::fs::remove_file(package.join("visits.json")).unwrap();
    let failed = ask("run", &package, &lake, &[]).fails(2, &["E012", "1 value set is missing"]);
    let line = format!("  \"Visits\": {VISITS} {BOTH}");
    assert_eq!(
        lines_with(&failed.err, VISITS),
        [line.as_str()],
        "{}",
        failed.err
    );
    assert!(!failed.err.contains("definition"), "{}", failed.err);
    let each = ask("run", &package, &lake, &["--verbose"]).fails(2, &[]);
    assert!(each.err.contains("definition \"Visited\""), "{}", each.err);
    let checked = ask("check", &package, &lake, &["--format", "json"]);
    assert_eq!(checked.code, 2, "{}", checked.text());
    let json: Value = serde_json::from_str(&checked.out).unwrap();
    let codes = json["findings"].as_array().unwrap().iter();
    assert_eq!(codes.filter(|f| f["code"] == "E012").count(), 1, "{json}");
    assert_eq!(json["missingValueSets"][0]["name"], "Visits");
    assert_eq!(
        json["missingValueSets"][0]["touches"],
        json!(["Main: Visited"])
    );
    assert_eq!(json["measures"][0]["runnable"], false);
    let csv = ask("check", &package, &lake, &["--format", "csv"]);
    assert_eq!(csv.code, 2);
    let heading = "severity,code,message,help,measures,value_set,file,";
    assert!(csv.out.starts_with(heading), "{}", csv.out);
    let rows = lines_with(&csv.out, VISITS);
    assert_eq!(rows.len(), 1, "{}", csv.out);
    assert!(
        rows[0].contains("CMS9012FHIRDiabetesEye; CMS901FHIRDiabetesCare"),
        "{}",
        csv.out
    );
}

/// A library beside the measures that none of them includes.
#[test]
fn what_no_measure_uses_is_counted() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let gone = format!("{VSAC}2.16.840.1.113762.1.4.1046.99");
    let sets: Vec<Value> = vec![json!({"name": "Gone", "id": gone})];
    let definitions: Vec<Value> = (0..30)
        .map(|n| {
            let of = of_set("Condition", "code", "Gone", &(100 + n).to_string());
            definition(&format!("D{n}"), &exists(&of))
        })
        .collect();
    file(
        package.join("other.json"),
        library("Other", &sets, &definitions),
    );
    let told = ask("check", &package, &lake, &[]).ok();
    assert!(!told.out.contains("Gone"), "{}", told.out);
    assert!(told.out.contains("left out: 30 findings"), "{}", told.out);
    let all = ask("check", &package, &lake, &["--all"]).ok();
    assert_eq!(
        lines_with(&all.out, "no measure refers to it").len(),
        30,
        "{}",
        all.out
    );
    assert!(!all.out.contains("left out:"), "{}", all.out);
    let run = ask("run", &package, &lake, &[]).ok();
    assert!(!run.text().contains("Gone"), "{}", run.text());
    let json = ask("check", &package, &lake, &["--format", "json"]).ok();
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["findingsNotTold"], 30);
}

/// A measure goes by the beginning of its id, name, title or identifier where only it begins so.
#[test]
fn a_measure_by_the_beginning_of_its_name() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let subject = ["--subject", "Patient/a"];
    for (command, more) in [
        ("run", &[][..]),
        ("gaps", &[]),
        ("explain", &subject),
        ("check", &[]),
    ] {
        let all = ["CMS901", "901", "cms901", "Diabetes: C", "CMS901|1.0.0"];
        // Each command takes them from the same place.
        let words = if command == "check" {
            &all[..]
        } else {
            &all[..2]
        };
        for word in words {
            let ran = ask(
                command,
                &package,
                &lake,
                &[&["--measure", word], more].concat(),
            )
            .ok();
            assert!(
                ran.out.contains("CMS901FHIRDiabetesCare"),
                "{command} {word}: {}",
                ran.text()
            );
            assert!(
                !ran.out.contains("CMS9012"),
                "{command} {word}: {}",
                ran.text()
            );
        }
        let both = ["--measure", "CMS901", "--measure", "9012"];
        let ran = ask(command, &package, &lake, &[&both[..], more].concat()).ok();
        assert!(
            ran.out.contains("CMS9012FHIRDiabetesEye"),
            "{command}: {}",
            ran.text()
        );
        // Several begin so, and a number that goes on is another number.
        for word in ["Diabetes", "CMS90"] {
            let ran = ask(
                command,
                &package,
                &lake,
                &[&["--measure", word], more].concat(),
            );
            assert_eq!(ran.code, 2, "{command} {word}: {}", ran.text());
            let text = ran.text();
            let named = ["`CMS901FHIRDiabetesCare`", "`CMS9012FHIRDiabetesEye`"];
            assert!(
                named.iter().all(|n| text.contains(n)),
                "{command} {word}: {text}"
            );
        }
    }
    let taken = ask("run", &package, &lake, &["--measure", "CMS901"]).ok();
    let note = "note: --measure CMS901 is taken as `CMS901FHIRDiabetesCare`";
    assert!(taken.err.contains(note), "{}", taken.err);
    let exact = ask(
        "run",
        &package,
        &lake,
        &["--measure", "CMS901FHIRDiabetesCare"],
    )
    .ok();
    assert!(!exact.err.contains("is taken as"), "{}", exact.err);
    let edition = ask("run", &package, &lake, &["--measure", "CMS901v14"]);
    edition.fails(2, &["P090", "did you mean `CMS901FHIRDiabetesCare`?"]);
    let better = ["--better", "CMS901=decrease", "--format", "csv"];
    let ran = ask("run", &package, &lake, &better).ok();
    let note = "note: --better CMS901 is taken as `CMS901FHIRDiabetesCare`";
    assert!(ran.err.contains(note), "{}", ran.err);
    assert_eq!(ran.out.matches("lower,option").count(), 1, "{}", ran.text());
    let listed = ask("list", &package, &lake, &["--measure", "CMS901"]).ok();
    assert_eq!(
        lines_with(&listed.out, "FHIRDiabetes").len(),
        1,
        "{}",
        listed.out
    );
    // Built-in measures, too.
    let built_in = tandem!(
        "measure",
        "run",
        "--lake",
        &lake,
        "--period",
        PERIOD,
        "--measure",
        "HBA1C"
    )
    .ok();
    let note = "note: --measure HBA1C is taken as `hba1c-control`";
    assert!(built_in.err.contains(note), "{}", built_in.text());
    assert!(
        built_in.out.contains("1 measure, 3 patients, 2025"),
        "{}",
        built_in.text()
    );
}

/// Numbers of a measure of another year are told, in one warning for all measures of that year.
#[test]
fn a_measure_of_another_year() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let out = dir.path().join("out");
    let more = [
        "--period",
        "2020-01-01..2020-12-31",
        "--out",
        out.to_str().unwrap(),
    ];
    let ran = ask("run", &package, &lake, &more).ok();
    let told = "warning[P094]: made for 2025 (by its effectivePeriod) and run for 2020";
    assert_eq!(lines_with(&ran.err, told).len(), 1, "{}", ran.err);
    let measures = "2 measures: CMS9012FHIRDiabetesEye, CMS901FHIRDiabetesCare";
    assert!(ran.err.contains(measures), "{}", ran.err);
    let list: Value =
        serde_json::from_slice(&std::fs::read(out.join("run.json")).unwrap()).unwrap();
    let key = "http://example.org/Measure/CMS901FHIRDiabetesCare|1.0.0";
    assert_eq!(list["otherPeriod"][key], "2025");
    let report = out.join("MeasureReport-CMS901FHIRDiabetesCare.json");
    let report = std::fs::read_to_string(report).unwrap();
    assert!(report.contains("warning P094"), "{report}");
    for period in [PERIOD, "2024-07-01..2025-06-30"] {
        let ran = ask("run", &package, &lake, &["--period", period]).ok();
        assert!(!ran.err.contains("P094"), "{}", ran.err);
    }
}

/// Without a version asked, the version whose codes are known is used, and that is said.
#[test]
fn an_expanded_version_comes_before_one_that_is_not() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let numerators = |ran: &Ran| {
        let json: Value = serde_json::from_str(&ran.out).unwrap();
        let populations = json[0]["group"][0]["population"]
            .as_array()
            .unwrap()
            .clone();
        let numerator = populations.iter().find(|p| p["id"] == "numerator");
        numerator.map(|n| n["count"].clone())
    };
    let json = ["--format", "json"];
    let before = ask("run", &package, &lake, &json).ok();
    assert_eq!(numerators(&before), Some(json!(2)));
    let not_expanded = json!({"compose": {"include": [{"system": "http://example.org/codes",
        "filter": [{"property": "concept", "op": "is-a", "value": "v"}]}]}});
    file(
        package.join("newer.json"),
        value_set(VISITS, "2", &not_expanded),
    );
    let ran = ask("run", &package, &lake, &json).ok();
    assert_eq!(numerators(&ran), Some(json!(2)));
    let said = "without a version asked, 1 is used, since 2 is not expanded";
    let told = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("T013") && told.contains(said), "{}", ran.err);
    // The same file in another folder, without an expansion, takes nothing away.
    file(
        package.join("again.json"),
        value_set(VISITS, "1", &not_expanded),
    );
    assert_eq!(
        numerators(&ask("run", &package, &lake, &json).ok()),
        Some(json!(2))
    );
    // Other codes under the same version are a contradiction.
    let other = file(
        package.join("other.json"),
        value_set(VISITS, "1", &expanded("other")),
    );
    ask("run", &package, &lake, &json).fails(2, &["T012", "with different content"]);
    std::fs::remove_file(other).unwrap();
    // A version that is asked for stays the one.
    let sets = [
        json!({"name": "Visits", "id": VISITS, "version": "2"}),
        json!({"name": "Payer", "id": PAYER}),
    ];
    let yes = json!({"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Boolean", "value": "true"});
    let definitions = [
        definition("All", &yes),
        definition(
            "Visited",
            &exists(&of_set("Encounter", "type", "Visits", "10")),
        ),
        definition("SDE Payer", &of_set("Coverage", "type", "Payer", "20")),
        definition(
            "Insured",
            &exists(&of_set("Coverage", "type", "Payer", "30")),
        ),
    ];
    file(
        package.join("main.json"),
        library("Main", &sets, &definitions),
    );
    ask("run", &package, &lake, &json).fails(2, &["E013", &format!("{VISITS}|2"), "not expanded"]);
}

/// Findings are on standard error, before; a table ends with how many measures, patients and findings.
#[test]
fn the_last_line_says_what_was_run() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let ran = ask("run", &package, &lake, &[]).ok();
    let last = ran.out.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("2 measures, 3 patients, 2025"),
        "{}",
        ran.out
    );
    assert!(ran.out.starts_with("measure "), "{}", ran.out);
    assert!(!ran.out.contains("resources evaluated"), "{}", ran.out);
    let whole = ask("run", &package, &lake, &["--verbose"]).ok();
    assert!(whole.out.contains("resources evaluated"), "{}", whole.out);
    // Machines get results only.
    let csv = ask("run", &package, &lake, &["--format", "csv"]).ok();
    assert_eq!(csv.out.lines().count(), 3, "{}", csv.out);
    assert!(
        csv.err.contains("2 measures, 3 patients, 2025"),
        "{}",
        csv.err
    );
}
