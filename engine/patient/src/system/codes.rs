//! The codes of an element: one way through CodeableConcepts, Codings, plain codes, and lists of them,
//! for retrieves, rules, measures and the index of the lake.

use crate::record::{Element, Kind};
use crate::terminology::{ValueSet, code_key};

/// The Codings of a CodeableConcept, or of a list of them; a Coding or a plain `code` is its own.
pub fn codings<'r>(element: Element<'r>) -> impl Iterator<Item = Element<'r>> {
    element
        .items()
        .flat_map(|item| item.get_named("coding").unwrap_or(item).items())
}

/// The key of a Coding or plain code; `None` without a code. A missing system counts as empty: a plain
/// `code` has no system of its own.
pub fn key(coding: Element<'_>) -> Option<i64> {
    match coding.kind() {
        Kind::String => Some(code_key("", &coding.as_str()?)),
        _ => {
            let code = coding.get_str("code")?;
            let system = coding.get_str("system").unwrap_or_default();
            Some(code_key(&system, &code))
        }
    }
}

/// The keys of all its codes.
pub fn keys<'r>(element: Element<'r>) -> impl Iterator<Item = i64> {
    codings(element).filter_map(key)
}

/// Whether one of its codes is in the set.
pub fn any_in(element: Element<'_>, value_set: &ValueSet) -> bool {
    keys(element).any(|key| value_set.contains(key))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::record::PatientRecord;

    #[test]
    fn codes_wherever_they_stand() {
        let coding = |code: &str| format!(r#"{{"system":"s","code":"{code}"}}"#);
        let (a, b) = (coding("a"), coding("b"));
        for (element, codes) in [
            (
                format!(r#"{{"coding":[{a},{b}],"text":"t"}}"#),
                vec![("s", "a"), ("s", "b")],
            ),
            (
                format!(r#"[{{"coding":[{a}]}},{{"text":"t"}},{{"coding":[{b}]}}]"#),
                vec![("s", "a"), ("s", "b")],
            ),
            (format!("[{a},{b}]"), vec![("s", "a"), ("s", "b")]),
            (a.clone(), vec![("s", "a")]),
            (r#""a""#.into(), vec![("", "a")]),
            (r#"["a","b"]"#.into(), vec![("", "a"), ("", "b")]),
            (
                r#"{"coding":[{"code":"a"},{"system":"s"},7,null]}"#.into(),
                vec![("", "a")],
            ),
            (r#"{"text":"t"}"#.into(), vec![]),
            ("7".into(), vec![]),
        ] {
            let mut record = PatientRecord::new();
            let json = format!(r#"{{"resourceType":"Basic","id":"b","code":{element}}}"#);
            record.push(&json).unwrap();
            let resource = record.of_type_named("Basic").next().unwrap();
            let found: Vec<i64> = keys(resource.get_named("code").unwrap()).collect();
            let wanted: Vec<i64> = codes.iter().map(|(s, c)| code_key(s, c)).collect();
            assert_eq!(found, wanted, "{element}");
        }
    }
}
