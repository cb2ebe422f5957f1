use std::fmt::Write as _;
use std::time::Instant;

use super::super::{TerminologyBuilder, TerminologyProvider, code_key};

#[test]
fn a_value_set_of_300_000_codes_loads_whole() {
    const CODES: usize = 300_000;
    let mut text = String::from(
        r#"{"resourceType": "ValueSet", "url": "big", "expansion": {"total": 300000, "contains": ["#,
    );
    for code in 0..CODES {
        let comma = if code == 0 { "" } else { "," };
        write!(
            text,
            r#"{comma}{{"system": "http://snomed.info/sct", "version": "2025-03", "code": "{code}", "display": "Concept number {code}"}}"#
        )
        .unwrap();
    }
    text.push_str("]}}");
    let started = Instant::now();
    let mut builder = TerminologyBuilder::new();
    builder.add_json("big.json", text.as_bytes());
    let (store, issues) = builder.build();
    assert!(issues.is_empty(), "{issues:?}");
    let set = store.value_set("big").unwrap();
    assert_eq!((set.len(), set.keys().len()), (CODES, CODES));
    for code in 0..CODES {
        assert!(set.contains(code_key("http://snomed.info/sct", &code.to_string())));
    }
    assert!(!set.contains(code_key("http://snomed.info/sct", "300000")));
    // Generous: it takes well under a second on an idle core.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    println!("{CODES} codes in {:?}", started.elapsed());
}
