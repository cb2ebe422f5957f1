use std::sync::Arc;

use super::super::{
    Code, DrugDictionary, TerminologyBuilder, TerminologyError, TerminologyProvider,
    TerminologyStore, ValueSet,
};
use super::{codes, expansion, load, shown};
use crate::finding::{Code as FindingCode, Severity};

#[test]
fn two_versions_give_the_highest_and_a_warning() {
    let v9 = expansion("http://x/u", "1.9", &["old"], "");
    let v10 = expansion("http://x/u", "1.10", &["new"], "");
    let (store, issues) = load(&[("b", &v10), ("a", &v9)]);
    assert_eq!(codes(&store, "http://x/u"), "complete [new]");
    assert_eq!(codes(&store, "http://x/u|1.9"), "complete [old]");
    assert_eq!(
        shown(&issues),
        [
            "T013 - value set `http://x/u` has versions 1.10, 1.9; without a version asked, 1.10 is used"
        ]
    );
    let error = store.value_set("http://x/u|2").unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown version `2` of value set `http://x/u`; loaded: 1.10, 1.9"
    );
}

/// A definition over a code system that is not loaded.
fn open(url: &str, version: &str) -> String {
    format!(
        r#"{{"resourceType": "ValueSet", "url": "{url}", "version": "{version}", "compose": {{"include":
        [{{"system": "http://snomed.info/sct", "filter": [{{"property": "concept", "op": "is-a", "value": "1"}}]}}]}}}}"#
    )
}

#[test]
fn a_version_with_its_codes_comes_before_a_higher_one_without() {
    let old = expansion("u", "1", &["old"], "");
    let cut = r#"{"resourceType": "ValueSet", "url": "u", "version": "2",
        "expansion": {"total": 9, "contains": [{"system": "s", "code": "cut"}]}}"#;
    let including = r#"{"resourceType": "ValueSet", "url": "w", "version": "1",
        "compose": {"include": [{"valueSet": ["u"]}]}}"#;
    let (store, issues) = load(&[
        ("c", &open("u", "3")),
        ("b", cut),
        ("a", &old),
        ("d", including),
    ]);
    assert_eq!(codes(&store, "u"), "complete [old]");
    // What includes it without a version has the same codes.
    assert_eq!(codes(&store, "w"), "complete [old]");
    assert!(store.is_included("u") && !store.is_included("w"));
    // A version that is asked for is that version.
    let pinned = store.value_set("u|3").unwrap();
    assert_eq!(pinned.completeness().word(), "not-expanded");
    let told = issues
        .iter()
        .find(|i| i.code == FindingCode::SeveralVersions);
    let message = &told.unwrap().message;
    let begins = "value set `u` has versions 3, 2, 1; without a version asked, 1 is used, since 3 is not expanded: ";
    assert!(message.starts_with(begins), "{message}");
    assert!(
        message.contains(", 2 is partial, 1 of 9 codes"),
        "{message}"
    );
    // Of two with codes the higher.
    let new = expansion("u", "4", &["new"], "");
    let (store, _) = load(&[("a", &old), ("b", &new), ("c", &open("u", "5"))]);
    assert_eq!(codes(&store, "u"), "complete [new]");
}

#[test]
fn an_expansion_comes_before_a_definition_of_the_same_version_that_is_open() {
    let whole = expansion("u", "1", &["a"], "");
    for files in [
        [("a", open("u", "1")), ("b", whole.clone())],
        [("a", whole.clone()), ("b", open("u", "1"))],
    ] {
        let files = files.iter().map(|(name, text)| (*name, text.as_str()));
        let (store, issues) = load(&files.collect::<Vec<_>>());
        assert_eq!(codes(&store, "u"), "complete [a]");
        assert!(
            issues.iter().all(|i| i.severity == Severity::Info),
            "{issues:?}"
        );
    }
    // A part is more than nothing, and no contradiction.
    let cut = r#"{"resourceType": "ValueSet", "url": "u", "version": "1",
        "expansion": {"total": 9, "contains": [{"system": "s", "code": "cut"}]}}"#;
    let (store, issues) = load(&[("a", &open("u", "1")), ("b", cut)]);
    assert_eq!(store.value_set("u").unwrap().len(), 1);
    assert!(
        issues.iter().all(|i| i.severity != Severity::Error),
        "{issues:?}"
    );
    // Other codes are one.
    let (_, issues) = load(&[("a", &whole), ("b", &expansion("u", "1", &["b"], ""))]);
    assert!(
        issues
            .iter()
            .any(|i| i.code == FindingCode::TerminologyConflict && i.severity == Severity::Error)
    );
}

#[test]
fn no_oid_is_suggested_for_another() {
    let vsac = "http://cts.nlm.nih.gov/fhir/ValueSet/2.16.840.1.113762.1.4.1046.27";
    let (store, _) = load(&[("a", &expansion(&format!("{vsac}8"), "1", &["1"], ""))]);
    for asked in [format!("{vsac}9"), format!("urn:oid:{}", &vsac[40..])] {
        let error = store.value_set(&asked).unwrap_err().to_string();
        assert_eq!(error, format!("unknown value set `{asked}`"));
    }
}

#[test]
fn unknown_suggests_by_url_name_and_title() {
    let text = r#"{"resourceType": "ValueSet", "url": "http://x/ValueSet/2.16.840.1", "name": "Colonoscopy",
        "expansion": {"contains": [{"system": "s", "code": "1"}]}}"#;
    let (store, _) = load(&[
        (
            "a",
            &expansion("http://x/ValueSet/diabetes", "1", &["1"], ""),
        ),
        ("b", text),
    ]);
    for (asked, expected) in [
        (
            "http://x/ValueSet/diabetis",
            "unknown value set `http://x/ValueSet/diabetis`; did you mean `http://x/ValueSet/diabetes`?",
        ),
        (
            "diabetes",
            "unknown value set `diabetes`; did you mean `http://x/ValueSet/diabetes`?",
        ),
        (
            "http://y/colonoscopi|1",
            "unknown value set `http://y/colonoscopi|1`; did you mean `http://x/ValueSet/2.16.840.1`?",
        ),
        (
            "http://y/something-else",
            "unknown value set `http://y/something-else`",
        ),
    ] {
        assert_eq!(store.value_set(asked).unwrap_err().to_string(), expected);
    }
    assert!(matches!(
        store.code_system("http://loinc.org"),
        Err(TerminologyError::Unknown {
            kind: "code system",
            ..
        })
    ));
}

#[test]
fn oid_and_vsac_url_are_the_same_value_set() {
    let url = "http://cts.nlm.nih.gov/fhir/ValueSet/2.16.840.1.113883.3.526.3.1189";
    let (store, _) = load(&[("a", &expansion(url, "1", &["1"], ""))]);
    assert_eq!(
        codes(&store, "urn:oid:2.16.840.1.113883.3.526.3.1189"),
        "complete [1]"
    );
    assert_eq!(
        codes(&store, "urn:oid:2.16.840.1.113883.3.526.3.1189|1"),
        "complete [1]"
    );
}

#[test]
fn same_canonical_needs_same_content() {
    let one = expansion("u", "1", &["a", "b"], "");
    let same = expansion("u", "1", &["b", "a"], r#""identifier": "x","#);
    let other = expansion("u", "1", &["a"], "");
    assert_eq!(load(&[("x", &one), ("y", &same)]).1, []);
    let (store, issues) = load(&[("x.json", &one), ("y.json", &other)]);
    assert_eq!(
        shown(&issues),
        [
            "T012 - value set `u|1` is in `x.json` and in `y.json` with different content; the first is used"
        ]
    );
    assert_eq!(issues[0].severity, Severity::Error);
    assert_eq!(codes(&store, "u"), "complete [a b]");
}

#[test]
fn a_whole_copy_replaces_a_partial_one() {
    let whole = expansion("u", "1", &["a", "b"], "");
    let part = expansion("u", "1", &["a"], r#""total": 2,"#);
    let wrong = expansion("u", "1", &["z"], r#""total": 2,"#);
    for order in [[("w", &whole), ("p", &part)], [("p", &part), ("w", &whole)]] {
        let (store, issues) = load(&order.map(|(name, text)| (name, text.as_str())));
        assert_eq!(codes(&store, "u"), "complete [a b]");
        assert_eq!(
            (issues[0].code, issues[0].severity),
            (FindingCode::TerminologyConflict, Severity::Info)
        );
    }
    let (_, issues) = load(&[("w", &whole), ("z", &wrong)]);
    assert_eq!(
        (issues[0].code, issues[0].severity),
        (FindingCode::TerminologyConflict, Severity::Error)
    );
}

#[test]
fn code_systems_conflict_too() {
    let system = |code: &str| {
        format!(
            r#"{{"resourceType": "CodeSystem", "url": "urn:oid:2.16.840.1.113883.6.1", "content": "complete", "concept": [{{"code": "{code}"}}]}}"#
        )
    };
    let (store, issues) = load(&[
        ("a", &system("1")),
        ("b", &system("1")),
        ("c", &system("2")),
    ]);
    assert_eq!(issues.len(), 1);
    assert_eq!(issues[0].code, FindingCode::TerminologyConflict);
    let loinc = store.code_system("http://loinc.org").unwrap();
    assert_eq!(loinc.concepts().len(), 1);
    assert!(loinc.concept("1").is_some() && loinc.concept("2").is_none());
}

#[test]
fn merge_follows_the_rules_of_loading() {
    let (mut store, _) = load(&[("a", &expansion("u", "1", &["a"], ""))]);
    let (same, _) = load(&[("b", &expansion("u", "1", &["a"], ""))]);
    assert_eq!(store.merge(same), []);
    let (other, _) = load(&[
        ("c", &expansion("u", "1", &["c"], "")),
        ("d", &expansion("v", "1", &["d"], "")),
        ("e", &expansion("e", "1", &[], "")),
    ]);
    let issues = store.merge(other);
    assert_eq!(
        issues.iter().map(|one| one.code).collect::<Vec<_>>(),
        [FindingCode::TerminologyConflict]
    );
    let (more, _) = load(&[("f", &expansion("u", "2", &["f"], ""))]);
    assert_eq!(store.merge(more)[0].code, FindingCode::SeveralVersions);
    let (more, _) = load(&[("g", &expansion("u", "3", &["g"], ""))]);
    assert_eq!(store.merge(more)[0].code, FindingCode::SeveralVersions);
    assert_eq!(codes(&store, "u"), "complete [g]");
    assert_eq!(codes(&store, "u|1"), "complete [a]");
    assert!(
        store
            .issues()
            .iter()
            .any(|one| one.code == FindingCode::ValueSetEmpty)
    );
    assert_eq!(store.len(), 5);
}

#[test]
fn value_sets_can_be_inserted() {
    let mut store = TerminologyStore::default();
    let set = ValueSet::from_codes("u", None, vec![Code::new("s", "1")], "test");
    assert_eq!(store.insert(set), []);
    assert_eq!(codes(&store, "u"), "complete [1]");
    assert_eq!(
        store.insert(ValueSet::from_codes("e", None, vec![], "test"))[0].code,
        FindingCode::ValueSetEmpty
    );
    let provider: &dyn TerminologyProvider = &store;
    assert!(provider.value_set("u").is_ok());
}

/// Value sets of one's own add to those that are there, and replace none, whatever their versions.
#[test]
fn uniting_adds_codes_and_loses_none() {
    let store = || load(&[("own", &expansion("http://x/u", "1", &["a", "b"], ""))]).0;
    for (version, codes_added, all, now) in [
        ("2", &["c"][..], "complete [a b c]", "1+2"),
        ("0.9", &["b", "c"], "complete [a b c]", "1+0.9"),
        ("1", &["c"], "complete [a b c]", "1+1"),
        ("2", &["a"], "complete [a b]", "1"),
    ] {
        let mut store = store();
        let (other, _) = load(&[("mine", &expansion("http://x/u", version, codes_added, ""))]);
        let issues = store.unite(other);
        assert_eq!(codes(&store, "http://x/u"), all);
        let united = store.value_set("http://x/u").unwrap();
        assert_eq!(united.version.as_deref(), Some(now));
        // Who asks for a version gets it as it was.
        assert_eq!(codes(&store, "http://x/u|1"), "complete [a b]");
        if version != "1" {
            let asked = codes(&store, &format!("http://x/u|{version}"));
            assert_eq!(asked, format!("complete [{}]", codes_added.join(" ")));
        }
        let severities: Vec<_> = issues.iter().map(|i| (i.code, i.severity)).collect();
        assert_eq!(
            severities,
            [(FindingCode::ValueSetExtended, Severity::Info)]
        );
    }
    let mut one = store();
    let (other, _) = load(&[
        ("mine", &expansion("http://x/u", "2", &["c"], "")),
        ("mine", &expansion("http://x/v", "2", &["d"], "")),
    ]);
    let said = shown(&one.unite(other));
    assert_eq!(
        said,
        ["T015 - 1 code is added to the 2 of value set `http://x/u|1`: its version is now 1+2"]
    );
    assert_eq!(codes(&one, "http://x/v"), "complete [d]");
    // The same again changes nothing.
    let mut again = store();
    let (same, _) = load(&[("mine", &expansion("http://x/u", "1", &["b", "a"], ""))]);
    assert!(again.unite(same).is_empty());
    // What is only a part makes the whole a part.
    let mut part = store();
    let (other, _) = load(&[(
        "mine",
        &expansion("http://x/u", "2", &["c"], r#""total": 9,"#),
    )]);
    part.unite(other);
    assert_eq!(codes(&part, "http://x/u"), "partial [a b c]");
}

/// Drugs are added as value sets are: of two tables of codes both count.
#[test]
fn drugs_of_both_stores() {
    let store = |row: &str| {
        let mut drugs = (*DrugDictionary::built_in_arc()).clone();
        let table = format!("system,code,display,drug\n{row}\n");
        drugs.add_codes(("codes.csv", table.as_bytes())).unwrap();
        let (mut store, _) = TerminologyBuilder::new().build();
        store.drugs = Some(Arc::new(drugs));
        store
    };
    let mut one = store("snomed,1,,warfarin");
    one.unite(store("snomed,2,,aspirin"));
    let known = |code| {
        one.drugs()
            .meaning("http://snomed.info/sct", code)
            .is_some()
    };
    assert!(known("1") && known("2") && !known("3"));
}
