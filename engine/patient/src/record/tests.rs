use super::*;

fn accepts(text: &str) -> Result<(), JsonError> {
    PatientRecord::new().push_document(text).map(|_| ())
}

/// What the strict parser takes, `serde_json` takes, and the other way round.
#[test]
fn agrees_with_serde_json() {
    let texts = [
        "{}",
        "[]",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1.5e3",
        "1E+2",
        "\"\"",
        " { } ",
        "[1,2]",
        "{\"a\":1,\"b\":[{},{\"c\":null}]}",
        "\"\\u00e9\\ud83d\\ude00\"",
        "\"é😀\"",
        "",
        " ",
        "{",
        "}",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "nul",
        "nulll",
        "tru",
        "01",
        "-",
        "-a",
        "1.",
        "1.e3",
        "1e",
        ".5",
        "+1",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "\"a\nb\"",
        "\"a\tb\"",
        "1 2",
        "{} x",
        "// c\n1",
        "NaN",
        "Infinity",
        "\"\u{7f}\"",
        "\"long enough to take the fast way with \\n and more text\"",
        "\u{feff}{}",
        "\"0123456701234567\u{1}\"",
        "\"\\u+123\"",
    ];
    for text in texts {
        let theirs = serde_json::from_str::<serde_json::Value>(text);
        assert_eq!(
            accepts(text).is_ok(),
            theirs.is_ok(),
            "{text:?}: {:?}",
            accepts(text)
        );
    }
}

#[test]
fn depth_is_bounded_and_doubles_are_refused() {
    let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
    assert!(accepts(&deep(100)).is_ok());
    assert!(accepts(&deep(101)).unwrap_err().message.contains("deeper"));
    assert!(accepts(&deep(1_000_000)).is_err());
    for twice in [
        "{\"id\":1,\"id\":2}",
        "{\"zz\":1,\"a\":2,\"zz\":3}",
        "{\"z\\u007a\":1,\"zz\":3}",
    ] {
        assert!(
            accepts(twice).unwrap_err().message.contains("twice"),
            "{twice}"
        );
    }
    assert!(accepts("{\"zz\":1,\"yy\":2,\"id\":{\"id\":3}}").is_ok());
}

#[test]
fn reads_what_was_written() {
    let mut record = PatientRecord::new();
    let patient = r#"{"resourceType":"Patient","id":"p1","name":[{"family":"O\"H\u00e9","given":["A","B"]}],"_birthDate":{"x":1},"multipleBirthInteger":2}"#;
    record.push(patient).unwrap();
    record
        .push(r#"{"resourceType":"Observation","id":"o1","valueQuantity":{"value":7.10}}"#)
        .unwrap();
    assert_eq!(record.len(), 2);
    let p = record.patient().unwrap();
    assert_eq!(p.raw(), patient);
    let name = p.get_named("name").unwrap().children().next().unwrap();
    assert_eq!(name.get_str("family").unwrap(), "O\"Hé");
    assert_eq!(name.get_named("given").unwrap().items().count(), 2);
    assert_eq!(
        p.get_named("_birthDate")
            .unwrap()
            .get_named("x")
            .unwrap()
            .as_i64(),
        Some(1)
    );
    assert_eq!(
        p.get_named("multipleBirthInteger").unwrap().as_i64(),
        Some(2)
    );
    let o = record
        .of_type(Name::of("Observation").unwrap())
        .next()
        .unwrap();
    let value = o.path(&["valueQuantity", "value"]).unwrap();
    assert_eq!((value.raw(), value.as_f64()), ("7.10", Some(7.1)));
}

#[test]
fn a_refused_resource_leaves_no_trace() {
    let mut record = PatientRecord::new();
    let cases = [
        ("{", "not valid JSON"),
        ("[1]", "object"),
        ("{}", "no `resourceType`"),
        (r#"{"resourceType":1}"#, "no `resourceType`"),
        (r#"{"resourceType":"Observatoin"}"#, "`Observatoin` is not"),
        (r#"{"resourceType":"John Doe, 1970"}"#, "`…` is not"),
        (r#"{"resourceType":"DomainResource"}"#, "is not a FHIR"),
    ];
    for (text, message) in cases {
        let error = record.push(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
        assert!(record.is_empty() && record.text.is_empty() && record.tree.nodes.is_empty());
    }
}

#[test]
fn sealing_orders_and_keeps_the_newest_of_each_id() {
    let mut record = PatientRecord::new();
    let o = |id: &str, meta: &str, value: u32| {
        format!(
            r#"{{"resourceType":"Observation","id":"{id}","meta":{{{meta}}},"valueInteger":{value}}}"#
        )
    };
    let (old, new) = (
        r#""lastUpdated":"2024-01-01T00:00:00Z""#,
        r#""lastUpdated":"2024-01-01T00:00:01+00:00""#,
    );
    for text in [o("b", new, 1), o("a", "", 2), o("b", old, 3), o("a", "", 4)] {
        record.push(&text).unwrap();
    }
    record.push(r#"{"resourceType":"Observation"}"#).unwrap();
    record.push(r#"{"resourceType":"Observation"}"#).unwrap();
    assert_eq!(record.seal(), 2);
    let values: Vec<_> = record
        .resources()
        .map(|r| r.get_named("valueInteger").and_then(|v| v.as_i64()))
        .collect();
    assert_eq!(values, [None, None, Some(4), Some(1)]);
}

/// Memory stays within a small multiple of the text.
#[test]
fn an_object_has_so_many_properties_that_are_not_fhir() {
    let object = |n: usize| {
        let all: Vec<String> = (0..n).map(|i| format!("\"x{i}\":0")).collect();
        format!("{{\"resourceType\":\"Basic\",{}}}", all.join(","))
    };
    let mut record = PatientRecord::new();
    assert!(record.push(&object(100_000)).is_ok());
    let error = record.push(&object(100_001)).unwrap_err();
    assert!(
        error.to_string().contains("more than 100,000 properties"),
        "{error}"
    );
}

/// What was parsed as a part of a document is the same as what is parsed alone.
#[test]
fn a_resource_taken_over_is_as_if_it_had_been_parsed() {
    let resources = [
        r#"{"resourceType":"Patient","id":"1","name":[{"family":"\u00e9"}],"x":{"y":[1,{"z":null}]},"active":true}"#,
        r#"{ "id" : "o", "resourceType":"Observation", "\u0078y":"\"", "valueQuantity":{"value":1.50} }"#,
        r#"{"resourceType":"List"}"#,
    ];
    let text = format!(
        r#"{{"é":0,"resourceType":"Bundle","unknown":{},"entry":[{{"resource":{}}},{{"more":[{}]}}],"after":1}}"#,
        resources[0], resources[1], resources[2]
    );
    let mut document = PatientRecord::new();
    let root = document.push_document(&text).unwrap();
    let entries: Vec<_> = root.get_named("entry").unwrap().items().collect();
    let more = entries[1].get_named("more").unwrap();
    let found = [
        root.get_named("unknown").unwrap(),
        entries[0].get_named("resource").unwrap(),
        more.items().next().unwrap(),
    ];
    let (mut parsed, mut taken) = (PatientRecord::new(), PatientRecord::new());
    for (json, element) in resources.iter().zip(found) {
        parsed.push(json).unwrap();
        taken.append(element).unwrap();
        // Nothing stays of what is refused.
        for wrong in [root.get_named("after").unwrap(), entries[1]] {
            assert!(taken.append(wrong).is_err());
        }
    }
    assert_eq!(parsed.text, taken.text);
    assert_eq!(parsed.roots, taken.roots);
    assert_eq!(format!("{:?}", parsed.tree), format!("{:?}", taken.tree));
    parsed.seal();
    taken.seal();
    for (a, b) in parsed.resources().zip(taken.resources()) {
        assert_eq!((a.resource_type(), a.raw()), (b.resource_type(), b.raw()));
        assert!(taken.is_root(b.index));
        for (a, b) in a.children().zip(b.children()) {
            assert_eq!((a.property(), a.raw()), (b.property(), b.raw()));
        }
    }
}
