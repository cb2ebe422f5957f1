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
        "bindings.yaml:3:24",
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
