//! The codes of an element: one way through CodeableConcepts, Codings, plain codes, and lists of them,
//! for retrieves, rules, measures and the index of the lake.

use crate::record::{Element, Kind};
use crate::terminology::{ValueSet, code_key};

/// The Codings of a CodeableConcept; a Coding or a plain `code` is its own. A text among the Codings of
/// a concept is none, and a list (of a list, since `concept` is one of its items) is nothing of FHIR.
pub fn codings<'r>(concept: Element<'r>) -> impl Iterator<Item = Element<'r>> {
    let members = concept.get_named("coding");
    let plain = members.is_none() && concept.kind() != Kind::Array;
    let members = members.into_iter().flat_map(Element::items);
    let own = plain.then_some(concept).into_iter();
    own.chain(members.filter(|member| member.kind() == Kind::Object))
}

/// The key of what [`codings`] gives: a Coding, or a plain `code`, which has no system of its own.
fn key(code: Element<'_>) -> Option<i64> {
    match code.as_str() {
        Some(plain) => Some(code_key("", &plain)),
        None => coding_key(code),
    }
}

/// The key of a Coding; `None` without a code. A missing system counts as empty.
pub fn coding_key(coding: Element<'_>) -> Option<i64> {
    let code = coding.get_str("code")?;
    let system = coding.get_str("system").unwrap_or_default();
    Some(code_key(&system, &code))
}

/// What [`codings`] gives and has a code, with its key.
pub fn keyed<'r>(concept: Element<'r>) -> impl Iterator<Item = (i64, Element<'r>)> {
    codings(concept).filter_map(|code| Some((key(code)?, code)))
}

/// The keys of all codes of an element: of a concept, or of a list of them.
pub fn keys<'r>(element: Element<'r>) -> impl Iterator<Item = i64> {
    element.items().flat_map(keyed).map(|(key, _)| key)
}

/// Whether one of its codes is in the set.
pub fn any_in(element: Element<'_>, value_set: &ValueSet) -> bool {
    keys(element).any(|key| value_set.contains(key))
}

#[cfg(test)]
mod tests {
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
            // What is no Coding has no code, wherever it stands.
            (
                format!(r#"{{"coding":["44054006",{a},[{b}]]}}"#),
                vec![("s", "a")],
            ),
            (r#"{"coding":"44054006"}"#.into(), vec![]),
            (format!(r#"[[{a}],["b"],{b}]"#), vec![("s", "b")]),
            (format!(r#"{{"coding":{a}}}"#), vec![("s", "a")]),
            (format!(r#"{{"coding":[[{a}]]}}"#), vec![]),
            (r#"[null,"a"]"#.into(), vec![("", "a")]),
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
