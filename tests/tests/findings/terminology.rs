//! Value sets and code systems.

use engine_patient::finding::Finding;
use engine_patient::terminology::TerminologyBuilder;

use crate::{case, snapshot};

fn load(files: &[(&str, &str)]) -> Vec<Finding> {
    let mut builder = TerminologyBuilder::new();
    for (name, text) in files {
        builder.add_json(name, text.as_bytes());
    }
    builder.build().1
}

#[test]
fn value_sets() {
    let set = |more: &str| {
        format!(r#"{{"resourceType":"ValueSet","url":"http://x/a","version":"1",{more}}}"#)
    };
    let one = |code: &str| {
        set(&format!(
            r#""expansion":{{"contains":[{{"system":"s","code":"{code}"}}]}}"#
        ))
    };
    let cases = [
        case(
            "cut off",
            load(&[("cut.json", "{\"resourceType\": \"ValueSet\",\n \"url\"")]),
        ),
        case(
            "no resource",
            load(&[("none.json", "{\"url\": \"http://x/a\"}")]),
        ),
        case("XML", load(&[("vs.xml", "<ValueSet/>")])),
        case(
            "no url",
            load(&[("a.json", r#"{"resourceType":"ValueSet","name":"A"}"#)]),
        ),
        case(
            "numbers for texts",
            load(&[(
                "a.json",
                &set(r#""name":7,"expansion":{"contains":[{"system":"s","code":1}]}"#),
            )]),
        ),
        case(
            "the same version with other codes",
            load(&[("a.json", &one("1")), ("b.json", &one("2"))]),
        ),
        case(
            "no codes",
            load(&[("a.json", &set(r#""expansion":{"contains":[]}"#))]),
        ),
        case(
            "a part of the codes",
            load(&[(
                "a.json",
                &set(r#""expansion":{"total":5,"contains":[{"system":"s","code":"1"}]}"#),
            )]),
        ),
        case(
            "more codes than the total",
            load(&[(
                "a.json",
                &set(
                    r#""expansion":{"total":1,"contains":[{"system":"s","code":"1"},{"system":"s","code":"2"}]}"#,
                ),
            )]),
        ),
        case(
            "an included set that is not there",
            load(&[(
                "a.json",
                &set(r#""compose":{"include":[{"valueSet":["http://x/b"]}]}"#),
            )]),
        ),
        case(
            "itself",
            load(&[(
                "a.json",
                &set(r#""compose":{"include":[{"valueSet":["http://x/a"]}]}"#),
            )]),
        ),
        case(
            "other resources",
            load(&[("p.json", r#"{"resourceType":"Patient"}"#)]),
        ),
    ];
    snapshot("terminology.txt", &cases);
}
