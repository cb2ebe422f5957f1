//! What is told of wrong content from outside: `tandem explain`, the form for programs, exit codes.

use serde_json::Value;

use crate::support::{file, folder};

#[test]
fn a_code_is_explained() {
    let page = tandem!("explain", "P051").ok();
    for part in [
        "P051: unsupported criteria language",
        "How to mend it",
        "text/cql-identifier",
    ] {
        assert!(page.out.contains(part), "{}", page.out);
    }
    // As it stands in the message.
    for shown in ["error[p051]:", "error[P051]: foo [bar]", "[P051]"] {
        assert_eq!(tandem!("explain", shown).ok().out, page.out);
    }
    let list = tandem!("explain").ok().out;
    for part in [
        "unknown-element",
        "T010",
        "E004",
        "P051",
        "F003",
        "V012",
        "measure packages",
    ] {
        assert!(list.contains(part), "{list}");
    }
    let all: Value =
        serde_json::from_str(&tandem!("explain", "--format", "json").ok().out).unwrap();
    let codes = all["codes"].as_array().unwrap();
    assert_eq!(codes.len(), engine_patient::finding::Code::ALL.len());
    assert!(
        codes
            .iter()
            .all(|c| c["mend"].as_str().is_some_and(|m| !m.is_empty()))
    );
    tandem!("explain", "unknown-elment").fails(2, &["did you mean `unknown-element`?"]);
    tandem!("explain", "xyzzyxyzzy").fails(2, &["`tandem explain` lists all"]);
}

#[test]
fn programs_read_one_form_and_the_exit_code_follows_blame() {
    let dir = folder();
    let measure = r#"{"resourceType":"Measure","id":"m","url":"http://x/M","version":"1","name":"M",
        "library":["http://x/L"],"scoring":{"coding":[{"code":"composite"}]},"group":[{"population":[]}]}"#;
    let path = file(dir.path().join("measure.json"), measure);
    let ran = tandem!("measure", "check", &path, "--format", "json");
    assert_eq!(ran.code, 2, "{}", ran.text());
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let findings = told["findings"].as_array().unwrap();
    let of = |code: &str| findings.iter().find(|f| f["code"] == code).unwrap();
    let composite = of("P032");
    assert_eq!(
        (&composite["severity"], &composite["blame"]),
        (&"error".into(), &"unsupported".into())
    );
    assert_eq!(composite["path"], "Measure.scoring");
    assert_eq!(composite["measures"][0], "M");
    assert!(composite.get("line").is_none());

    let sets = file(
        dir.path().join("vs.json"),
        r#"{"resourceType":"ValueSet","name":"A"}"#,
    );
    let ran = tandem!("terminology", "check", &sets, "--format", "json");
    assert_eq!(ran.code, 2, "{}", ran.text());
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["findings"][0]["code"], "T004");

    let rule = file(dir.path().join("gap.yaml"), "id: gap\nversion: 1\n");
    let ran = tandem!("rule", "test", &rule, "--format", "json");
    assert_eq!(ran.code, 2, "{}", ran.text());
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let findings = told["findings"].as_array().unwrap();
    let version = findings
        .iter()
        .find(|f| f["code"] == "wrong-value")
        .unwrap();
    assert_eq!(
        (&version["line"], &version["column"]),
        (&2.into(), &10.into())
    );
    assert_eq!(version["length"], 1);

    // What is not supported is nobody's mistake.
    let elm = r#"{"library":{"identifier":{"id":"M","version":"1"},"statements":{"def":[]}}}"#;
    let measure = r#"{"resourceType":"Measure","id":"m","url":"http://x/M","version":"1","name":"M",
        "library":["http://x/Library/M"],"improvementNotation":{"coding":[{"code":"increase"}]},
        "scoring":{"coding":[{"code":"composite"}]},"group":[{"population":[{"code":{"coding":[{"code":"initial-population"}]},
            "criteria":{"language":"text/cql-identifier","expression":"A"}}]}]}"#;
    let dir = folder();
    file(dir.path().join("measure.json"), measure);
    file(dir.path().join("M.json"), elm);
    let ran = tandem!("measure", "check", dir.path());
    assert_eq!(ran.code, 3, "{}", ran.text());
    assert!(ran.out.contains("not supported[P032]"), "{}", ran.out);
}
