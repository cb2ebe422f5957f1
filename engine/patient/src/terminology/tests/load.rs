use super::super::{Completeness, TerminologyProvider, code_key};
use super::{codes, expansion, load, shown};
use crate::finding::{Code, Severity};

#[test]
fn valid_value_set() {
    let text = r#"{"resourceType": "ValueSet", "id": "a1c", "url": "http://x/a1c", "version": "1",
        "name": "A1c", "title": "HbA1c tests", "status": "active",
        "expansion": {"timestamp": "2026-01-01", "total": 2, "contains": [
            {"system": "http://loinc.org", "version": "2.81", "code": "4548-4", "display": "A1c"},
            {"system": "urn:oid:2.16.840.1.113883.6.1", "code": "17856-6"},
            {"system": "http://loinc.org", "code": "4548-4", "display": "again"}]}}"#;
    // `total` is 2 and there are 3 entries: told, nothing is dropped.
    let (store, issues) = load(&[("a1c.json", text)]);
    assert_eq!(
        shown(&issues),
        ["T023 ValueSet.expansion.total `expansion.total` is 2, but there are 3 codes"]
    );
    let set = store.value_set("http://x/a1c").unwrap();
    assert_eq!(set.len(), 2);
    assert!(set.contains(code_key("http://loinc.org", "17856-6")));
    assert!(!set.contains(code_key("http://loinc.org", "17856-7")));
    assert_eq!(*set.completeness(), Completeness::Complete);
    assert_eq!(
        (&*set.source, set.title.as_deref()),
        ("a1c.json", Some("HbA1c tests"))
    );
    let found = set.find("urn:oid:2.16.840.1.113883.6.1", "4548-4").unwrap();
    assert_eq!(found.display.as_deref(), Some("A1c"));
    assert_eq!(found.version.as_deref(), Some("2.81"));
}

#[test]
fn nested_abstract_and_inactive_entries_are_kept() {
    let text = r#"{"resourceType": "ValueSet", "url": "u", "expansion": {"total": 4, "contains": [
        {"display": "group", "contains": [
            {"system": "s", "code": "1", "abstract": true, "contains": [{"system": "s", "code": "2"}]},
            {"system": "s", "code": "3", "inactive": true}]}]}}"#;
    let (store, issues) = load(&[("f", text)]);
    assert_eq!(
        (codes(&store, "u"), issues),
        ("complete [1 2 3]".to_owned(), vec![])
    );
}

#[test]
fn every_wrong_element_is_reported_with_its_path() {
    let text = r#"{"resourceType": "ValueSet", "url": "u", "name": 7, "expansion": {"contains": [
        {"system": "s", "code": "1"}, {"system": "s", "code": 2}, {"code": "3"}, {"system": "s"},
        {"system": "s", "code": "5", "contains": [{"system": ["s"], "code": "6"}]}]}}"#;
    let (store, issues) = load(&[("f.json", text)]);
    assert_eq!(
        shown(&issues),
        [
            "T005 ValueSet.name expected text, found a number",
            "T005 ValueSet.expansion.contains[1].code expected text, found a number",
            "T004 ValueSet.expansion.contains[2].system code `3` has no system, so it cannot be compared",
            "T004 ValueSet.expansion.contains[3].code this entry has no code",
            "T005 ValueSet.expansion.contains[4].contains[0].system expected text, found a list",
            "T021 - value set `u` is partial, 2 codes: 4 entries were rejected",
        ]
    );
    assert_eq!(codes(&store, "u"), "partial [1 5]");
}

#[test]
fn broken_sources_are_told_with_line_and_column() {
    let cut = "{\"resourceType\": \"ValueSet\",\n \"url\": \"u\", \"expansion\": {\"contains\": [{";
    let structure = "{\"resourceType\": \"ValueSet\",\n \"url\": \"u\", \"expansion\": 5}";
    let two = "{\"resourceType\": \"Patient\"}\n{\"resourceType\": \"Patient\"}";
    let (store, issues) = load(&[
        ("cut.json", cut),
        ("structure.json", structure),
        ("two.json", two),
        ("xml.json", "<ValueSet/>"),
        ("none.json", ""),
        ("list.json", "[]"),
        ("object.json", "{}"),
    ]);
    assert!(store.is_empty());
    let texts: Vec<String> = issues.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts[0],
        "error[T002]: the JSON ends before it is complete\n  --> cut.json:2:41\n   \
         = help: the file may be truncated: fetch or write it again"
    );
    assert!(
        texts[1].contains("expected an object, found integer `5`"),
        "{}",
        texts[1]
    );
    assert!(texts[1].contains("structure.json:2:"), "{}", texts[1]);
    assert!(
        texts[2].contains("two.json:2:1") && texts[2].contains("NDJSON"),
        "{}",
        texts[2]
    );
    assert!(
        texts[3].contains("xml.json:1:1") && texts[3].contains("not XML"),
        "{}",
        texts[3]
    );
    assert!(texts[4].contains("ends before"), "{}", texts[4]);
    assert!(
        texts[5].contains("expected an object, found a list"),
        "{}",
        texts[5]
    );
    assert!(texts[6].contains("no `resourceType`"), "{}", texts[6]);
    assert_eq!(issues.len(), 7);
}

#[test]
fn a_source_that_is_not_utf8_is_told() {
    let mut builder = super::TerminologyBuilder::new();
    builder.add_json("latin1.json", b"{\n \"a\xe9\": 1}");
    let (_, issues) = builder.build();
    assert_eq!(
        (issues[0].code, issues[0].line(), issues[0].column()),
        (Code::TerminologyNotUtf8, Some(2), Some(4))
    );
}

#[test]
fn a_missing_url_is_an_error() {
    let (store, issues) = load(&[
        (
            "v",
            r#"{"resourceType": "ValueSet", "name": "Nameless", "expansion": {}}"#,
        ),
        (
            "c",
            r#"{"resourceType": "CodeSystem", "content": "complete"}"#,
        ),
    ]);
    assert!(store.is_empty());
    assert_eq!(
        shown(&issues),
        [
            "T004 ValueSet.url value set `Nameless` has no url, so nothing can refer to it",
            "T004 CodeSystem.url this code system has no url, so no code can refer to it",
        ]
    );
}

#[test]
fn bundle_with_other_types_and_places_inside() {
    let text = format!(
        "{{\"resourceType\": \"Bundle\", \"entry\": [\n{{\"resource\": {}}},\n{{}},\n\
         {{\"resource\": {{\"resourceType\": \"Measure\"}}}},\n{{\"resource\": {{\"resourceType\": \"Measure\"}}}},\n\
         {{\"resource\": {{\"resourceType\": \"ValueSet\",\n\"url\": \"v\", \"expansion\": []}}}},\n\
         {{\"resource\": {{\"resourceType\": \"ValueSet\"}}}}]}}",
        expansion("u", "1", &["a"], "").replace('\n', " ")
    );
    let (store, issues) = load(&[("b.json", &text)]);
    assert_eq!(codes(&store, "u"), "complete [a]");
    assert_eq!(
        shown(&issues),
        [
            "T002 Bundle.entry[4].resource not the structure of this FHIR resource: expected an object, found a list",
            "T004 Bundle.entry[5].resource.url value set `unnamed` has no url, so nothing can refer to it",
            "T006 - ignored 2 `Measure`: only ValueSet, CodeSystem and Bundle are terminology",
        ]
    );
    assert_eq!(issues[1].line(), Some(8));
    assert_eq!(issues[2].severity, Severity::Info);
}

#[test]
fn structure_error_in_a_bundle_has_the_line_of_the_file() {
    let text = "{\"resourceType\": \"Bundle\", \"entry\": [\n  {\"resource\": {\"resourceType\": \"ValueSet\",\n    \
                \"url\": \"v\", \"expansion\": 7}}]}";
    let (_, issues) = load(&[("b.json", text)]);
    let place = &issues[0].place;
    assert_eq!((issues[0].line(), issues[0].column()), (Some(3), Some(30)));
    assert_eq!(place.path.as_deref(), Some("Bundle.entry[0].resource"));
}

#[test]
fn ndjson_lines_stand_alone() {
    let text = format!(
        "{}\r\n\n{{\"resourceType\": \"ValueSet\", \"url\"\n{}\n",
        expansion("u", "1", &["a"], "").replace('\n', " "),
        expansion("v", "1", &["b"], "").replace('\n', " ")
    );
    let (store, issues) = load(&[("x.ndjson", &text)]);
    assert_eq!(
        (codes(&store, "u"), codes(&store, "v")),
        ("complete [a]".into(), "complete [b]".into())
    );
    assert_eq!(issues.len(), 1);
    assert_eq!(
        (issues[0].code, issues[0].line()),
        (Code::TerminologyNotJson, Some(3))
    );
}

#[test]
fn partial_expansions_say_so() {
    for (more, expected) in [
        (r#""total": 2,"#, "complete"),
        (
            r#""total": 2, "parameter": [{"name": "count", "valueInteger": 2}],"#,
            "complete",
        ),
        (
            r#""total": 500,"#,
            "partial, 2 of 500 codes: `expansion.total` is 500, there are 2 entries",
        ),
        (
            r#""parameter": [{"name": "limitedExpansion", "valueBoolean": true}],"#,
            "partial, 2 codes: the expansion is marked `limitedExpansion`",
        ),
        (
            r#""parameter": [{"name": "limitedExpansion", "valueBoolean": false}],"#,
            "complete",
        ),
        (
            r#""parameter": [{"name": "count", "valueInteger": 2}],"#,
            "partial, 2 codes: asked for at most 2 codes and no total is given",
        ),
        (
            r#""parameter": [{"name": "count", "valueInteger": 1000}],"#,
            "complete",
        ),
        (
            r#""offset": 1000,"#,
            "partial, 2 codes: this is the page from offset 1000 on",
        ),
        (
            r#""extension": [{"url": "http://hl7.org/fhir/StructureDefinition/valueset-toocostly", "valueBoolean": true}],"#,
            "partial, 2 codes: the expansion is marked `http://hl7.org/fhir/StructureDefinition/valueset-toocostly`",
        ),
    ] {
        let (store, issues) = load(&[("f", &expansion("u", "1", &["a", "b"], more))]);
        let set = store.value_set("u").unwrap();
        assert_eq!(set.completeness().to_string(), expected, "{more}");
        assert_eq!(set.len(), 2);
        assert_eq!(issues.is_empty(), expected == "complete", "{more}");
    }
}

#[test]
fn empty_and_unexpanded_are_loud() {
    let (store, issues) = load(&[
        ("e", &expansion("e", "1", &[], "")),
        ("n", r#"{"resourceType": "ValueSet", "url": "n"}"#),
    ]);
    assert_eq!(codes(&store, "e"), "empty []");
    assert_eq!(codes(&store, "n"), "not-expanded []");
    assert_eq!(
        issues.iter().map(|one| one.code).collect::<Vec<_>>(),
        [Code::ValueSetEmpty, Code::ValueSetNotExpanded]
    );
    assert!(issues.iter().all(|one| one.severity == Severity::Warning));
    assert_eq!(store.issues(), issues);
    assert_eq!(store.incomplete().count(), 2);
}

/// A slip in the name of an element would make a clause all of its code system, a slip in the url of a
/// system one that no data has.
#[test]
fn slips_of_names_and_systems() {
    let set = |include: &str| {
        format!(
            r#"{{"resourceType": "ValueSet", "url": "u", "compose": {{"include": [{include}]}}}}"#
        )
    };
    let concepts = set(r#"{"system": "s", "concepts": [{"code": "a"}]}"#);
    let (_, issues) = load(&[("a.json", &concepts)]);
    assert!(
        shown(&issues).contains(
            &"unknown-element ValueSet.compose.include[0].concepts a clause of a value set has no element `concepts`"
                .to_owned()
        ),
        "{issues:#?}"
    );
    assert!(
        !shown(&issues).join(" ").contains("all of code system"),
        "{issues:#?}"
    );
    for system in ["loinc", "http://loinc.org/"] {
        let named = set(&format!(
            r#"{{"system": "{system}", "concept": [{{"code": "4548-4"}}]}}"#
        ));
        let (store, issues) = load(&[("a.json", &named)]);
        let [one] = issues.as_slice() else {
            panic!("{issues:#?}")
        };
        assert!(!one.is_error());
        assert_eq!(one.help.as_deref(), Some("write `http://loinc.org`"));
        assert_eq!(store.value_set("u").map(|set| set.len()), Ok(1));
    }
}
