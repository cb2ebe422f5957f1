//! Damage done to a valid library, systematically: every value in it replaced, one at a time. What
//! comes of it is a finding, a fault or a value; never a panic.

use super::*;
use engine_patient::finding::Code;

/// The values of a document in order, as JSON pointers.
fn places(json: &Json, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    match json {
        Json::Object(map) => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                places(value, &format!("{at}/{key}"), into);
            }
        }
        Json::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{i}"), into);
            }
        }
        _ => {}
    }
}

fn check(document: &Json, what: &str) {
    let bytes = serde_json::to_vec(document).unwrap();
    let library = match Library::read("damaged.json", &bytes) {
        Ok(library) => [library],
        Err(issue) => {
            assert!(!issue.message.is_empty(), "{what}");
            assert!(issue.to_string().contains("damaged.json"), "{what}");
            return;
        }
    };
    let (compiled, issues) = link(&library, Options::default());
    for issue in issues {
        assert!(issue.code.as_str().starts_with('E'), "{issue}");
        assert!(!issue.message.is_empty(), "{what}");
    }
    evaluate(&library, &compiled, &RECORD, 50_000);
}

/// The library cut to one definition, so that each damage is quick.
fn cut(whole: &Json, keep: &[&str], index: usize) -> Json {
    let mut one = whole.clone();
    let definitions = one.pointer_mut("/library/statements/def").unwrap();
    let all = definitions.as_array().unwrap().clone();
    let kept = all.iter().enumerate().filter(|(i, d)| {
        *i == index || d["type"] == "FunctionDef" || keep.contains(&d["name"].as_str().unwrap())
    });
    *definitions = kept.map(|(_, d)| d.clone()).collect();
    one
}

#[test]
fn every_value_replaced() {
    let whole: Json = serde_json::from_str(NODES).unwrap();
    let damages = [
        json!(null),
        json!(true),
        json!(0),
        json!("x"),
        json!([]),
        json!({}),
    ];
    let definitions = whole
        .pointer("/library/statements/def")
        .unwrap()
        .as_array()
        .unwrap();
    let keep = ["Ints", "Patient", "Observations", "Encounters"];
    for (index, definition) in definitions.iter().enumerate() {
        let alone = cut(&whole, &keep, index);
        let list = alone
            .pointer("/library/statements/def")
            .unwrap()
            .as_array()
            .unwrap();
        let own = list.iter().position(|d| d == definition).unwrap();
        let mut all = vec![];
        places(&definition["expression"], "", &mut all);
        for place in all {
            let path = format!("/library/statements/def/{own}/expression{place}");
            for damage in &damages {
                let mut document = alone.clone();
                *document.pointer_mut(&path).unwrap() = damage.clone();
                check(&document, &format!("{path} = {damage}"));
            }
            // And nothing there at all.
            if let Some((parent, key)) = path.rsplit_once('/') {
                let mut document = alone.clone();
                if let Some(Json::Object(map)) = document.pointer_mut(parent) {
                    map.remove(key);
                    check(&document, &format!("{path} removed"));
                }
            }
        }
    }
}

/// The same outside of expressions.
#[test]
fn every_part_of_a_library_replaced() {
    let mut whole: Json = serde_json::from_str(NODES).unwrap();
    let definitions = whole.pointer_mut("/library/statements/def").unwrap();
    let all = definitions.as_array().unwrap().clone();
    let functions = all
        .iter()
        .filter(|d| d["type"] == "FunctionDef" || d["name"] == "Call");
    *definitions = functions.cloned().collect();
    let mut all = vec![];
    places(&whole, "", &mut all);
    for place in all {
        for damage in [
            json!(null),
            json!(true),
            json!(0),
            json!("x"),
            json!([]),
            json!({}),
            json!([[]]),
        ] {
            let mut document = whole.clone();
            *document.pointer_mut(&place).unwrap() = damage.clone();
            check(&document, &format!("{place} = {damage}"));
        }
    }
}

/// A text cut anywhere, and bytes that are no text.
#[test]
fn truncated() {
    let bytes = NODES.as_bytes();
    for end in (0..bytes.len()).step_by(997) {
        let issue = Library::read("cut.json", &bytes[..end]).unwrap_err();
        assert_eq!(issue.code, Code::ElmNotJson);
        assert!(issue.message.contains("line"), "{issue}");
    }
    for bytes in [
        &b"\xff\xfe"[..],
        b"",
        b"nul",
        b"{\"library\":{}} x",
        b"\"\\ud800\"",
    ] {
        assert_eq!(
            Library::read("cut.json", bytes).unwrap_err().code,
            Code::ElmNotJson
        );
    }
    for text in [
        "1",
        "[]",
        "null",
        "{}",
        r#"{"library":[]}"#,
        r#"{"library":{"identifier":{"id":""}}}"#,
    ] {
        let issue = Library::read("cut.json", text.as_bytes()).unwrap_err();
        assert_eq!(issue.code, Code::ElmWrongForm, "{text}");
        assert!(issue.help.unwrap().contains("cql-to-elm"));
    }
}
