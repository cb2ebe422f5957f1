use super::*;

fn rule() -> Finding {
    let text = "id: a\nx diabetis";
    let source = Source::new("a.yaml", text);
    Finding::error(Code::UnknownValueSet, "unknown value set `diabetis`")
        .help("did you mean `diabetes`?")
        .in_file("a.yaml")
        .spanning(source.span((8, 16)))
}

#[test]
fn a_place_in_a_text_is_marked() {
    assert_eq!(
        rule().to_string(),
        "error[unknown-value-set]: unknown value set `diabetis`\n  --> a.yaml:2:3\n   |\n 2 | x diabetis\n   |   ^^^^^^^^\n   = help: did you mean `diabetes`?"
    );
}

#[test]
fn marks_stand_under_what_is_shown_of_control_characters() {
    let source = Source::new("a.yaml", "\u{1b}[2J\tbad");
    let finding = Finding::error(Code::Syntax, "x\ny").in_file("a\u{7}.yaml");
    let shown = finding.spanning(source.span((5, 8))).to_string();
    assert_eq!(
        shown,
        "error[syntax]: x\\ny\n  --> a\\u{7}.yaml:1:6\n   |\n 1 | \\u{1b}[2J\\tbad\n   |            ^^^"
    );
}

#[test]
fn an_expression_at_a_path_is_shown_without_a_number() {
    let source = Source::new("", "name.foo()");
    let finding =
        Finding::unsupported(Code::PathUnsupported, "the function `foo` is not supported")
            .in_file("v.json")
            .at("select[0].path")
            .spanning(source.span((5, 6)));
    assert_eq!(
        finding.to_string(),
        "not supported[F003]: the function `foo` is not supported\n  --> v.json select[0].path\n   |\n   | name.foo()\n   |      ^"
    );
    assert_eq!(finding.to_json()["column"], 6);
}

#[test]
fn a_node_of_elm_is_named() {
    let node = ElmNode {
        library: "Common|1.0".into(),
        definition: Some("A".into()),
        local_id: Some("7".into()),
        locator: Some("3:1-3:9".into()),
    };
    let mut finding = Finding::unsupported(Code::ElmUnsupportedNode, "`Message` is not supported")
        .placed(Place::of_elm("common.json", node));
    finding.measures = (0..7).map(|i| format!("M{i}")).collect();
    assert_eq!(
        finding.to_string(),
        "not supported[E004]: `Message` is not supported\n  --> common.json: library Common|1.0, definition \"A\", localId 7, CQL 3:1-3:9\n   = measures: M0, M1, M2, M3, M4 and 2 more"
    );
    let json = finding.to_json();
    assert_eq!(json["blame"], "unsupported");
    assert_eq!(json["localId"], "7");
    assert_eq!(json["measures"].as_array().map(Vec::len), Some(7));
    assert!(json.get("help").is_none());
}

#[test]
fn blame_and_count() {
    let mistake = rule();
    let unsupported = Finding::unsupported(Code::CriteriaLanguage, "x");
    let bug = Finding::bug(Code::ParserFailed, "x");
    let warning = Finding::warning(Code::Unused, "x");
    assert_eq!(blame([&warning]), None);
    assert_eq!(blame([&unsupported, &warning]), Some(Blame::Unsupported));
    assert_eq!(blame([&unsupported, &mistake]), Some(Blame::User));
    assert_eq!(blame([&bug, &mistake]), Some(Blame::Bug));
    let all = [&mistake, &mistake, &unsupported, &warning];
    assert_eq!(count(all), "2 errors, 1 unsupported feature, 1 warning");
}

#[test]
fn every_code_is_found_by_its_name_and_stands_once() {
    for code in Code::ALL {
        assert_eq!(Code::of(code.as_str()), Some(*code));
        assert_eq!(Code::of(&code.as_str().to_uppercase()), Some(*code));
    }
}

#[test]
fn a_finding_stands_beside_the_line_of_a_change() {
    assert_eq!(
        rule().to_github(),
        "::error file=a.yaml,line=2,col=3,endColumn=11,title=unknown-value-set::unknown value set `diabetis`%0Ahelp: did you mean `diabetes`?"
    );
    let odd = Finding::warning(Code::Unused, "100%\nno").in_file("a:b, c.yaml");
    assert_eq!(
        odd.to_github(),
        "::warning file=a%3Ab%2C c.yaml,title=unused::100%25\\nno"
    );
}

#[test]
fn findings_as_sarif() {
    let unused = Finding::warning(Code::Unused, "x").in_file("my rules/ä:b.yaml");
    let lost = Finding::info(Code::NoOwner, "nobody");
    let form = Finding::to_sarif(&[rule(), unused, lost], "1.2.3");
    assert_eq!(form["version"], "2.1.0");
    let run = &form["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(
        (&driver["name"], &driver["version"]),
        (&"Tandem".into(), &"1.2.3".into())
    );
    let results = run["results"].as_array().unwrap();
    for result in results {
        let index = result["ruleIndex"].as_u64().unwrap();
        let described = &driver["rules"][usize::try_from(index).unwrap()];
        assert_eq!(described["id"], result["ruleId"]);
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(described[text]["text"].is_string(), "{described}");
        }
    }
    let levels: Vec<&str> = results
        .iter()
        .map(|r| r["level"].as_str().unwrap())
        .collect();
    assert_eq!(levels, ["error", "warning", "note"]);
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a.yaml");
    let region = serde_json::json!({ "startLine": 2, "startColumn": 3, "endColumn": 11 });
    assert_eq!(place["region"], region);
    let place = &results[1]["locations"][0]["physicalLocation"];
    assert_eq!(
        place["artifactLocation"]["uri"],
        "my%20rules/%C3%A4%3Ab.yaml"
    );
    assert!(results[2].get("locations").is_none());
}
