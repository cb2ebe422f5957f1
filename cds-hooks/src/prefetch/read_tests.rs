use std::sync::Arc;

use engine_patient::requirements::DataRequirement;
use engine_patient::terminology::{Code, ValueSet};

use super::*;

/// What a sample shows may be left out and may go on: whoever counts learns whether it came.
#[test]
fn the_state_of_a_sample() {
    let codes = vec![Code::new("http://loinc.org", "1-1")];
    let set = ValueSet::from_codes("http://x.org/ValueSet/a", None, codes, "test");
    let coded = DataRequirement::coded("Procedure", Arc::new(set)).unwrap();
    let templates = Templates::of_parts(&[coded], true);
    let page =
        r#"{"resourceType":"Bundle","type":"searchset","link":[{"relation":"next","url":"x"}]}"#;
    let failed =
        r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"timeout"}]}"#;
    for (sent, state) in [
        (None, KeyState::Absent),
        (Some("null"), KeyState::Null),
        (Some(page), KeyState::Honoured),
        (Some(failed), KeyState::Failed),
        (Some("7"), KeyState::Failed),
        (Some("{"), KeyState::Failed),
    ] {
        let sent: Vec<(&str, &str)> = sent
            .map(|json| ("procedure-sample", json))
            .into_iter()
            .collect();
        let read = read(&templates, &sent, &Patient::default(), &[]);
        assert_eq!(read.keys.last().unwrap().state, state, "{sent:?}");
    }
}

/// One id with two contents is unknown; the same content is the same, whatever its `meta`, its spaces and the order
/// of its properties, also after others came.
#[test]
fn what_is_the_same_twice() {
    let templates = Templates::of(&[DataRequirement::of_type("Condition").unwrap()]);
    let patient = Patient {
        id: "p1".to_owned(),
        server: None,
    };
    let of = |rest: &str| {
        format!(
            r#"{{"resource":{{"resourceType":"Condition","id":"c","subject":{{"reference":"Patient/p1"}}{rest}}}}}"#
        )
    };
    let one = of(r#","code":{"text":"a"},"recordedDate":"2020""#);
    let same = of(r#" , "recordedDate" : "2020","meta":{"source":"x"},"code":{"text":"a"}"#);
    let other = of(r#","code":{"text":"b"}"#);
    for (entries, left_out) in [
        ([&one, &same, &same], 0),
        ([&one, &other, &same], 1),
        ([&one, &other, &other], 2),
    ] {
        let entries = entries.map(String::as_str).join(",");
        let json = format!(r#"{{"resourceType":"Bundle","type":"searchset","entry":[{entries}]}}"#);
        let read = read(&templates, &[("condition", &json)], &patient, &[]);
        assert_eq!(read.left_out, left_out, "{json}");
        assert_eq!(read.record.len(), 1);
    }
}
