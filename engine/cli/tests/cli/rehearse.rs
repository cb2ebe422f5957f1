//! `tandem rule rehearse` from outside: two versions, hooks, and a lake that has nothing of it.

use std::path::Path;

use crate::support::{file, folder, import, patient};

fn rule(id: &str, hook: &str, when: &str) -> String {
    format!(
        r#"id: {id}
version: 1.0.0
kind: alert
title: A rule
description: What it does.
rationale: Why.
hooks: [{hook}]
source: {{title: T, publisher: P, year: 2025, url: "https://example.org/a", strength: A}}
when: {when}
unknown: card
card:
  indicator: info
  summary: It applies
  detail: It applies.
  unknown_summary: It could not be checked
cases:
  - name: fires
    at: 2025-12-31T12:00:00Z
    patient: {{birthDate: 1960-01-01}}
    expect: {{applies: yes}}
  - name: does not fire
    at: 2025-12-31T12:00:00Z
    patient: {{birthDate: 2020-01-01}}
    expect: {{applies: no}}
  - name: missing
    at: 2025-12-31T12:00:00Z
    patient: {{gender: female}}
    expect: {{applies: unknown}}
"#
    )
}

const OLD: &str = "ageInYearsAt(at) >= 18";
const NEW: &str = "ageInYearsAt(at) >= 18 && Flag().isEmpty()";

/// A visit and an order of an adult, and of somebody whose age is not known.
fn lake(folder: &Path) -> std::path::PathBuf {
    let mut lines = vec![
        patient("a", r#","birthDate":"1960-01-01""#),
        patient("b", ""),
    ];
    for id in ["a", "b"] {
        lines.push(format!(r#"{{"resourceType":"Encounter","id":"e{id}","status":"finished","class":{{"code":"AMB"}},"subject":{{"reference":"Patient/{id}"}},"period":{{"start":"2025-03-01T10:00:00Z","end":"2025-03-01T11:00:00Z"}}}}
"#));
        lines.push(format!(r#"{{"resourceType":"ServiceRequest","id":"s{id}","status":"active","intent":"order","subject":{{"reference":"Patient/{id}"}},"authoredOn":"2025-03-02T10:00:00Z"}}
"#));
    }
    let data = file(folder.join("data.ndjson"), lines.concat());
    let lake = folder.join("lake");
    import(&lake, &[&data]);
    lake
}

#[test]
fn versions_are_compared_and_what_could_not_be_checked_is_a_card() {
    let scratch = folder();
    let dir = scratch.path();
    let lake = lake(dir);
    let new = file(dir.join("new/adult.yaml"), rule("adult", "order-sign", NEW));
    let old = file(
        dir.join("old/adult.yaml"),
        rule("adult", "patient-view", OLD),
    );
    let other = file(dir.join("minor.yaml"), rule("minor", "order-sign", OLD));
    let year = "2025-01-01..2025-12-31";
    let against = |file: &Path, out: &Path| {
        tandem!(
            "rule",
            "rehearse",
            &new,
            "--lake",
            &lake,
            "--period",
            year,
            "--against",
            file,
            "--out",
            out
        )
    };
    against(&other, &dir.join("refused")).fails(2, &["its id is `minor`", "adult"]);

    // A hook that only the older has is called as well.
    let out = dir.join("out");
    let printed = against(&old, &out).ok().out;
    for said in [
        "could not check",
        "only adult 1.0.0: 2 calls",
        "adult.yaml: 2 calls",
        "Flag",
    ] {
        assert!(printed.contains(said), "{said}: {printed}");
    }
    let fired = std::fs::read_to_string(out.join("fired.csv")).unwrap();
    for line in [
        "a,2025-03-01T10:00:00.000Z,patient-view,adult,1.0.0,against,yes,true,info,It applies,",
        "b,2025-03-02T10:00:00.000Z,order-sign,adult,1.0.0,this,yes,unknown,info,It could not be checked",
    ] {
        assert!(fired.contains(line), "{line}: {fired}");
    }
    let csv = std::fs::read_to_string(out.join("rules.csv")).unwrap();
    let row = csv.lines().nth(1).unwrap();
    assert!(
        row.starts_with("adult,1.0.0,alert,active,order-sign,2,1,1,2,100.00,"),
        "{csv}"
    );
}

#[test]
fn a_named_rule_that_no_call_asks_and_a_year_without_calls_are_said() {
    let scratch = folder();
    let dir = scratch.path();
    let lake = lake(dir);
    let view = file(dir.join("view.yaml"), rule("view", "patient-view", OLD));
    let sign = file(dir.join("sign.yaml"), rule("sign", "order-sign", OLD));
    let ran = tandem!(
        "rule",
        "rehearse",
        &view,
        &sign,
        "--lake",
        &lake,
        "--period",
        "2019-01-01..2019-12-31",
        "--hook",
        "order-sign"
    )
    .ok();
    let text = ran.text();
    for said in [
        "the rule `view` is not asked at order-sign: it is left out",
        "There is no call from 2019-01-01 to 2019-12-31",
        "of 2025-03-02 to 2025-03-02",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

/// A clinician and a site that charts name by reference only have the name that the lake knows; how fast it
/// was stands beside the notes.
#[test]
fn clinicians_and_sites_have_their_names() {
    let scratch = folder();
    let dir = scratch.path();
    let lines = [
        patient("a", r#","birthDate":"1960-01-01""#),
        r#"{"resourceType":"Practitioner","id":"jo","name":[{"family":"Doe","given":["Jo"]}]}
{"resourceType":"Organization","id":"clinic","name":"The Clinic"}
{"resourceType":"Encounter","id":"e","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/a"},"participant":[{"individual":{"reference":"Practitioner/jo"}}],"serviceProvider":{"reference":"Organization/clinic"},"period":{"start":"2025-03-01T10:00:00Z","end":"2025-03-01T11:00:00Z"}}
"#
        .to_owned(),
    ];
    let lake = dir.join("lake");
    import(&lake, &[&file(dir.join("data.ndjson"), lines.concat())]);
    let view = file(dir.join("view.yaml"), rule("view", "patient-view", OLD));
    let out = dir.join("out");
    let ran = tandem!(
        "rule",
        "rehearse",
        &view,
        "--lake",
        &lake,
        "--period",
        "2025-01-01..2025-12-31",
        "--out",
        &out
    )
    .ok();
    for said in [
        "Doe, Jo (Practitioner/jo)",
        "The Clinic (Organization/clinic)",
    ] {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
        let page = std::fs::read_to_string(out.join("report.html")).unwrap();
        assert!(page.contains(said), "{said}");
    }
    assert!(ran.err.contains("1 patient and 1 call in "), "{}", ran.err);
    assert!(ran.err.contains(" patients/s, "), "{}", ran.err);
}

/// A patient of a lake is as known at the moment that is asked for: what came later is left out, and said.
#[test]
fn a_patient_of_the_lake_is_as_known_then() {
    let scratch = folder();
    let dir = scratch.path();
    let lake = lake(dir);
    let flagged = rule(
        "ordered",
        "patient-view",
        "ServiceRequest().exists(r, r.status == \"active\")",
    );
    let flagged = file(dir.join("ordered.yaml"), flagged);
    let at = |day: &str| {
        tandem!(
            "rule",
            "eval",
            &flagged,
            "--patient",
            "a",
            "--lake",
            &lake,
            "--at",
            day
        )
        .ok()
    };
    let then = at("2025-03-01");
    assert!(then.out.contains("does not apply"), "{}", then.out);
    assert!(
        then.err
            .contains("without 1 resource that came after 2025-03-01T23:59:59.999Z"),
        "{}",
        then.err
    );
    let later = at("2025-03-02");
    assert!(
        later.out.contains("applies") && !later.out.contains("does not"),
        "{}",
        later.out
    );
    assert!(!later.err.contains("that came after"), "{}", later.err);
}

/// A dose of some day of the year may have been given by then: to call it "not done" would be a false card.
#[test]
fn an_imprecise_date_is_unknown_and_not_undone() {
    let scratch = folder();
    let dir = scratch.path();
    let mut lines = vec![];
    for (id, date) in [
        ("year", "2025"),
        ("month", "2025-11"),
        ("day", "2025-11-09"),
        ("later", "2025-12"),
    ] {
        lines.push(format!(r#"{{"resourceType":"Patient","id":"{id}","birthDate":"1960-01-01"}}
{{"resourceType":"Encounter","id":"e{id}","status":"finished","class":{{"code":"AMB"}},"subject":{{"reference":"Patient/{id}"}},"period":{{"start":"2025-11-10T10:00:00-05:00","end":"2025-11-10T11:00:00-05:00"}}}}
{{"resourceType":"Immunization","id":"i{id}","status":"completed","vaccineCode":{{"coding":[{{"system":"http://hl7.org/fhir/sid/cvx","code":"150"}}]}},"patient":{{"reference":"Patient/{id}"}},"occurrenceDateTime":"{date}"}}"#));
    }
    let data = file(dir.join("data.ndjson"), lines.join("\n"));
    let lake = dir.join("lake");
    import(&lake, &[&data]);
    let flu = "influenza-vaccination";
    let eval = |patient: &str| {
        tandem!(
            "rule",
            "eval",
            flu,
            "--patient",
            patient,
            "--lake",
            &lake,
            "--at",
            "2025-11-10T10:00:00-05:00"
        )
        .ok()
    };
    for patient in ["year", "month"] {
        let ran = eval(patient);
        assert!(ran.out.contains("could not be checked"), "{}", ran.out);
        let told = "1 resource is dated (or ended) by a month or year only";
        assert!(ran.err.contains(told), "{}", ran.err);
    }
    assert!(eval("day").out.contains("does not apply"));
    assert!(eval("later").out.starts_with("Applies"));
    let ran = tandem!(
        "rule",
        "rehearse",
        flu,
        "--lake",
        &lake,
        "--period",
        "2025-11-01..2025-11-30",
        "--time-zone",
        "America/New_York",
        "--format",
        "json"
    )
    .ok();
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let rule = &report["rules"][0];
    assert_eq!(report["days"], 30);
    assert_eq!(rule["fired"], 1);
    assert_eq!(rule["unknown"], 2);
    assert_eq!(report["dating"]["imprecise"], 2);
}
