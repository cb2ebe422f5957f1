//! Value sets of the user's: tables, bindings and the SNOMED CT codes, given to the commands that use them.

use serde_json::{Value, json};

use crate::support::{file, folder, import};

const URL: &str = "https://tandem-cds.dev/ValueSet/colonoscopy";

/// The url that VSAC has for an OID.
fn hospital_set(code: &str) -> String {
    json!({"resourceType": "ValueSet", "url": "http://cts.nlm.nih.gov/fhir/ValueSet/1.2.3", "version": "2026",
        "expansion": {"contains": [{"system": "http://hospital.example/procedures", "code": code}]}})
    .to_string()
}

#[test]
fn codes_of_a_hospital_reach_every_command() {
    let dir = folder();
    let at = |name: &str| dir.path().join(name);
    let lines = [
        json!({"resourceType": "Patient", "id": "a", "birthDate": "1965-06-15"}),
        json!({"resourceType": "Procedure", "id": "p", "status": "completed", "performedDateTime": "2020-03-01",
            "code": {"coding": [{"system": "http://hospital.example/procedures", "code": "COLO"}]},
            "subject": {"reference": "Patient/a"}}),
    ];
    let chart = file(at("chart.ndjson"), lines.map(|l| format!("{l}\n")).concat());
    let lake = at("lake");
    import(&lake, &[&chart]);
    let set = file(at("own/set.json"), hospital_set("COLO"));
    let bindings = "bindings:\n  - value_set: colonoscopy\n    to: urn:oid:1.2.3\n";
    let bindings_file = file(at("bindings.yaml"), bindings);
    let both = file(at("both/set.json"), hospital_set("COLO"));
    file(at("both/bindings.yaml"), bindings);
    let table = format!("value_set,system,code\n{URL},http://hospital.example/procedures,COLO\n");
    let table = file(at("table.csv"), table);
    let short = "value_set;system;code\ncolonoscopy;http://hospital.example/procedures;COLO\n";
    let short = file(at("short.csv"), short);
    let ways: [(Vec<&std::path::Path>, &str); 4] = [
        (
            vec![
                "--terminology".as_ref(),
                &set,
                "--bindings".as_ref(),
                &bindings_file,
            ],
            "2025.1+2026",
        ),
        (
            vec!["--terminology".as_ref(), both.parent().unwrap()],
            "2025.1+2026",
        ),
        (vec!["--terminology".as_ref(), &table], "2025.1+(none)"),
        (vec!["--terminology".as_ref(), &short], "2025.1+(none)"),
    ];
    for (number, (way, version)) in ways.iter().enumerate() {
        let way: Vec<&std::ffi::OsStr> = way.iter().map(|p| p.as_os_str()).collect();
        let with = |args: &[&str]| {
            let mut all: Vec<&std::ffi::OsStr> = args.iter().map(std::ffi::OsStr::new).collect();
            all.extend(&way);
            crate::support::run(&all).ok()
        };
        let lake = lake.to_str().unwrap();
        let rule = "colorectal-cancer-screening";
        let eval = with(&[
            "rule",
            "eval",
            rule,
            "--at",
            "2025-12-31",
            "--lake",
            lake,
            "--patient",
            "a",
        ]);
        assert!(eval.out.contains("does not apply"), "{}", eval.text());
        let out = at(&format!("out{number}"));
        let out = out.to_str().unwrap();
        let period = "2025-01-01..2025-12-31";
        with(&[
            "measure",
            "run",
            "--lake",
            lake,
            "--period",
            period,
            "--measure",
            rule,
            "--out",
            out,
        ]);
        let manifest = std::fs::read_to_string(format!("{out}/run.json")).unwrap();
        let manifest: Value = serde_json::from_str(&manifest).unwrap();
        assert!(
            manifest["valueSets"][format!("{URL}|{version}")].is_string(),
            "{manifest:#}"
        );
        let files = manifest["files"].to_string();
        assert_eq!(
            files.contains("bindings.yaml"),
            *version == "2025.1+2026",
            "{files}"
        );
        let checked = with(&["terminology", "check"]);
        assert!(checked.out.contains(version), "{}", checked.text());
        with(&["rule", "test"]);
    }
}

#[test]
fn mistakes_are_told_all_at_once_with_their_places() {
    let dir = folder();
    let at = |name: &str| dir.path().join(name);
    let bindings =
        "bindings:\n  - value_set: colonoscpy\n    to: [urn:oid:1.2.3, 'http://not/here']\n";
    let bindings = file(at("bindings.yaml"), bindings);
    let table = file(
        at("t.csv"),
        "value_set,system,code\ncolonoscopi,loinc,1\nhospice,lonic,2\n",
    );
    let set = file(at("set.json"), hospital_set("COLO"));
    let ran = tandem!(
        "rule",
        "test",
        "--terminology",
        &set,
        "--terminology",
        &table,
        "--bindings",
        &bindings
    );
    let ran = ran.fails(2, &["4 errors"]);
    for wanted in [
        "no built-in value set is called `colonoscopi`",
        "t.csv:2:1",
        "`lonic` is no code system",
        "t.csv:3:9",
        "bindings.yaml:2:16",
        "did you mean `colonoscopy`?",
        "no value set `http://not/here` is loaded",
        "bindings.yaml:3:25",
    ] {
        assert!(ran.err.contains(wanted), "{wanted}: {}", ran.err);
    }
    let wrong = tandem!("rule", "test", "--bindings", &set);
    wrong.fails(2, &["--bindings", "ends in .yaml"]);
    // Bindings of measures of packages are looked at by what reads these.
    let broken = file(at("broken.yaml"), "binding: []\n");
    let wrong = tandem!("measure", "check", &set, "--bindings", &broken);
    wrong.fails(
        2,
        &[
            "a binding has no field `binding`",
            "did you mean `bindings`?",
        ],
    );
    let none = at("nowhere");
    let args = ["rule", "test", "--snomed"].map(std::ffi::OsStr::new);
    let done = std::process::Command::new(crate::tandem())
        .args(args)
        .env("TANDEM_SNOMED", &none)
        .output()
        .unwrap();
    crate::support::checked(&done, &args).fails(2, &["TANDEM_SNOMED is", "no NOTICE.md"]);
}

/// `--snomed` is the folder of the repository, and says whose the codes are, once.
#[test]
fn snomed_is_one_flag() {
    let ran = tandem!("terminology", "check", "--snomed").ok();
    assert!(ran.out.contains("2025.1+2025.1-snomed"), "{}", ran.text());
    assert_eq!(
        ran.err.matches("affiliate licence").count(),
        1,
        "{}",
        ran.err
    );
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../datasets/content/snomed-optional"
    );
    let named = tandem!("terminology", "check", folder).ok();
    assert_eq!(ran.out, named.out);
    tandem!("terminology", "check", folder, "--snomed").ok();
}

/// The list of unmapped codes, filled in and read back.
#[test]
fn codes_that_no_value_set_knows() {
    let dir = folder();
    let at = |name: &str| dir.path().join(name);
    let condition = |n: usize, code: &str| {
        json!({"resourceType": "Condition", "id": format!("c{n}"), "subject": {"reference": format!("Patient/p{}", n % 2)},
            "code": {"coding": [{"system": "http://hospital.example/problems", "code": code, "display": format!("=Text {code}")}]}})
    };
    let mut lines: Vec<Value> = (0..2)
        .map(|n| json!({"resourceType": "Patient", "id": format!("p{n}")}))
        .collect();
    lines.extend((0..5).map(|n| condition(n, "DM2")));
    lines.extend((5..8).map(|n| condition(n, "HT")));
    let data = file(
        at("data.ndjson"),
        lines.iter().map(|l| format!("{l}\n")).collect::<String>(),
    );
    let lake = at("lake");
    import(&lake, &[&data]);
    let out = at("unmapped.csv");
    let ran = tandem!("terminology", "coverage", "--lake", &lake, "--out", &out).ok();
    assert!(
        ran.out
            .contains("2 codes of the lake are in no value set in use"),
        "{}",
        ran.out
    );
    let text = std::fs::read_to_string(&out).unwrap();
    assert_eq!(
        text,
        "element,system,code,display,resources,patients,value_set\n\
         Condition.code,http://hospital.example/problems,DM2,'=Text DM2,5,2,\n\
         Condition.code,http://hospital.example/problems,HT,'=Text HT,3,2,\n"
    );
    let again = tandem!("terminology", "coverage", "--lake", &lake, "--out", &out);
    again.fails(2, &["it is there already"]);
    std::fs::write(&out, text.replace("5,2,\n", "5,2,diabetes\n")).unwrap();
    let bindings = "bindings:\n  - value_set: http://x/vs\n    to: diabetes\n    mode: replace\n";
    let bindings = file(at("bindings.yaml"), bindings);
    let args = ["--lake", lake.to_str().unwrap(), "--format", "json"];
    let ran = tandem!(
        "terminology",
        "coverage",
        args[0],
        args[1],
        args[2],
        args[3],
        "--terminology",
        &out,
        "--bindings",
        &bindings
    )
    .ok();
    for wanted in [
        "1 row has no value set yet: left out",
        "warning[T024]",
        "`http://x/vs`, which is bound",
    ] {
        assert!(ran.err.contains(wanted), "{wanted}: {}", ran.err);
    }
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    let unmapped = found["unmapped"].as_array().unwrap();
    assert_eq!((unmapped.len(), &unmapped[0]["code"]), (1, &json!("HT")));
    let sets = found["valueSets"].as_array().unwrap().iter();
    let diabetes: Vec<&Value> = sets
        .filter(|one| one["valueSet"] == "https://tandem-cds.dev/ValueSet/diabetes|2025.1+(none)")
        .collect();
    assert_eq!(diabetes.len(), 1);
    assert_eq!(
        (
            &diabetes[0]["element"],
            &diabetes[0]["resources"],
            &diabetes[0]["patients"]
        ),
        (&json!("Condition.code"), &json!(5), &json!(2))
    );
}

/// A terminology server: three codes for every value set, one on a page, for whoever has the key.
fn terminology_server() -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    use std::io::{BufRead, BufReader, Write};
    use std::sync::atomic::{AtomicUsize, Ordering};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/fhir", listener.local_addr().unwrap());
    let asked = std::sync::Arc::new(AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = lines.next().unwrap().unwrap();
            let headers: Vec<String> = lines
                .map(Result::unwrap)
                .take_while(|line| !line.is_empty())
                .collect();
            count.fetch_add(1, Ordering::SeqCst);
            let query = first
                .split(['?', ' '])
                .nth(2)
                .unwrap_or_default()
                .to_owned();
            let value = |name: &str| {
                let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
                let found = pairs.find(|(key, _)| *key == name);
                found
                    .map(|(_, value)| value.replace("%3A", ":").replace("%2F", "/"))
                    .unwrap_or_default()
            };
            // apikey:k3y
            let login = headers
                .iter()
                .any(|h| h.eq_ignore_ascii_case("authorization: Basic YXBpa2V5OmszeQ=="));
            let offset: usize = value("offset").parse().unwrap_or(0);
            let (status, body) = match login {
                false => (
                    "401 Unauthorized",
                    json!({"resourceType": "OperationOutcome",
                    "issue": [{"severity": "error", "code": "login", "diagnostics": "who are you"}]}),
                ),
                true => (
                    "200 OK",
                    json!({"resourceType": "ValueSet", "url": value("url"), "version": "2026",
                    "expansion": {"total": 3, "offset": offset,
                        "contains": [{"system": "http://loinc.org", "code": format!("{offset}-0")}]}}),
                ),
            };
            let body = body.to_string();
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    (address, asked)
}

#[test]
fn what_is_missing_is_fetched_once() {
    use std::sync::atomic::Ordering;
    let dir = folder();
    let at = |name: &str| dir.path().join(name);
    let rule = file(
        at("rules/mine.yaml"),
        "id: mine\nvalue_sets:\n  a: http://x/vs/a\n  c: https://tandem-cds.dev/ValueSet/diabetes\n",
    );
    // Of the folder, which a single file of it is loaded with as well.
    file(
        at("rules/library.yaml"),
        "value_sets:\n  b: urn:oid:1.2.3\n",
    );
    let bindings = file(
        at("bindings.yaml"),
        "bindings:\n  - value_set: hospice\n    to: http://x/vs/h\n",
    );
    let (address, asked) = terminology_server();
    let out = at("valuesets");
    let fetch = |key: &str, more: &[&str]| {
        let mut args = vec![
            "terminology",
            "fetch",
            address.as_str(),
            "--rules",
            rule.to_str().unwrap(),
        ];
        args.extend([
            "--bindings",
            bindings.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
        ]);
        args.extend([
            "--key-env",
            "TANDEM_TEST_KEY",
            "--page",
            "1",
            "--now",
            "2026-11-29",
        ]);
        args.extend(more);
        let args: Vec<&std::ffi::OsStr> = args.iter().map(std::ffi::OsStr::new).collect();
        let mut command = std::process::Command::new(crate::tandem());
        let done = command
            .args(&args)
            .env("TANDEM_TEST_KEY", key)
            .output()
            .unwrap();
        crate::support::checked(&done, &args)
    };
    let ran = fetch("k3y", &["--dry-run"]).ok();
    assert!(
        ran.out.contains("http://x/vs/a") && asked.load(Ordering::SeqCst) == 0,
        "{}",
        ran.text()
    );
    let ran = fetch("wr0ng", &[]).fails(
        2,
        &[
            "401 Unauthorized: who are you",
            "3 value sets were not fetched",
        ],
    );
    assert!(!ran.text().contains("wr0ng"), "{}", ran.text());
    assert_eq!(
        asked.load(Ordering::SeqCst),
        1,
        "a login that is refused is not tried with the others"
    );
    let ran = fetch("k3y", &["--format", "json"]).ok();
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    let sets = found["valueSets"].as_array().unwrap();
    let urls: Vec<&str> = sets
        .iter()
        .map(|one| one["valueSet"].as_str().unwrap())
        .collect();
    assert_eq!(urls, ["http://x/vs/a", "http://x/vs/h", "urn:oid:1.2.3"]);
    assert!(
        sets.iter()
            .all(|one| one["codes"] == 3 && one["version"] == "2026" && one["status"] == "fetched")
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1 + 3 * 3);
    let list = std::fs::read_to_string(out.join("fetched.list")).unwrap();
    assert!(
        list.contains("\"at\": \"2026-11-29\"") && list.contains(&address),
        "{list}"
    );
    let ran = fetch("k3y", &[]).ok();
    assert!(ran.out.contains("there already"), "{}", ran.out);
    assert_eq!(
        asked.load(Ordering::SeqCst),
        10,
        "nothing is asked for again"
    );
    // What was fetched is used, also by the binding.
    let checked = tandem!("terminology", "check", &out, "--bindings", &bindings).ok();
    assert!(
        checked.err.contains("ValueSet/hospice")
            && checked.err.contains("`http://x/vs/h|2026` (3)"),
        "{}",
        checked.err
    );
    let ran = fetch("k3y", &["--terminology", out.to_str().unwrap()]).ok();
    assert_eq!(ran.out.trim(), "Nothing is missing.");
    let more = ["--terminology", out.to_str().unwrap(), "--format", "json"];
    let found: Value = serde_json::from_str(&fetch("k3y", &more).ok().out).unwrap();
    assert_eq!(found["valueSets"], json!([]));
    // A key in the address is shown in no case.
    for address in ["apikey:s3cret@x/fhir", "https://x/fhir?apikey=s3cret"] {
        let ran = tandem!(
            "terminology",
            "fetch",
            address,
            "--value-set",
            "http://x/vs/a",
            "--out",
            &out,
            "--dry-run",
            "--format",
            "json"
        );
        assert!(!ran.fails(2, &["the address"]).text().contains("s3cret"));
    }
    tandem!("terminology", "fetch", &address, "--out", &out).fails(2, &["say for what"]);
}

/// A table of what codes of other systems stand for, and the folder of an RxNorm release, reach the rules.
#[test]
fn drugs_of_a_hospital_reach_the_rules() {
    let dir = folder();
    let at = |name: &str| dir.path().join(name);
    let rule = r#"id: allergic
version: 1.0.0
kind: alert
title: Allergy
description: d
rationale: r
source: {title: t, publisher: p, year: 2025, url: "https://example.org", strength: label}
hooks: [patient-view]
when: allergies().isAllergen("amoxicillin").exists() || medications().isDrug("amoxicillin").exists()
unknown: silent
card: {indicator: info, summary: s, detail: d, unknown_summary: u}
cases:
  - {name: nothing, at: 2025-12-31T12:00:00Z, patient: {birthDate: 1960-05-01}, expect: {applies: no}}
  - {name: takes it, at: 2025-12-31T12:00:00Z, patient: {birthDate: 1960-05-01}, resources: [{resourceType: MedicationRequest, status: active, intent: order, medication: rxnorm|723}], expect: {applies: yes}}
"#;
    let rule = file(at("rules/allergic.yaml"), rule);
    let chart = |name: &str, resource: Value| {
        let entry = |resource: Value| json!({ "resource": resource });
        let patient = json!({"resourceType": "Patient", "id": "a", "birthDate": "1965-06-15"});
        let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [entry(patient), entry(resource)]});
        file(at(name), bundle.to_string())
    };
    let allergy = chart(
        "allergy.json",
        json!({"resourceType": "AllergyIntolerance", "id": "x", "patient": {"reference": "Patient/a"},
            "clinicalStatus": {"coding": [{"code": "active"}]},
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "1"}]}}),
    );
    // A component of a drug, as Synthea codes them.
    let order = chart(
        "order.json",
        json!({"resourceType": "MedicationRequest", "id": "x", "status": "active", "intent": "order",
            "subject": {"reference": "Patient/a"}, "medicationCodeableConcept": {"coding": [
                {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "999999999"}]}}),
    );
    let codes = file(
        at("codes.csv"),
        "system,code,display,drug\nsnomed,1,Penicillin,class:penicillin\nsnomed,2,,none known\n",
    );
    file(
        at("release/ingredients.csv"),
        "rxcui,tty,name,in_rxcui\n723,IN,amoxicillin,\n",
    );
    file(
        at("release/products.csv"),
        "rxcui,tty,name,ingredients,precise_ingredients\n999999999,SCDC,amoxicillin 1 MG,723,\n",
    );
    let release = at("release");
    let eval = |chart: &std::path::Path, drugs: &std::path::Path| {
        tandem!(
            "rule",
            "eval",
            &rule,
            "--patient",
            chart,
            "--at",
            "2025-12-31",
            "--drugs",
            drugs
        )
        .ok()
        .out
    };
    assert!(eval(&allergy, &codes).contains("allergic 1.0.0 at 2025-12-31T23:59:59.999Z: applies"));
    assert!(eval(&order, &release).contains("allergic 1.0.0 at 2025-12-31T23:59:59.999Z: applies"));
    assert!(!eval(&allergy, &release).contains("59.999Z: applies"));
    assert!(!eval(&order, &codes).contains("59.999Z: applies"));

    let checked = tandem!(
        "terminology",
        "check",
        "--drugs",
        &codes,
        "--drugs",
        &release
    )
    .ok();
    let words = checked.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("0 NDCs, 2 codes of other systems"),
        "{words}"
    );
    let wrong = file(
        at("wrong.csv"),
        "system,code,display,drug\nsnomed,1,,penicilin\n",
    );
    tandem!("terminology", "check", "--drugs", &wrong).fails(
        2,
        &[
            "T033",
            "no ingredient of RxNorm is named `penicilin`",
            "wrong.csv:2",
        ],
    );
}
