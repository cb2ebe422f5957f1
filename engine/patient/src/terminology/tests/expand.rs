use super::super::{Completeness, TerminologyProvider};
use super::{codes, compose, expansion, load, shown};
use crate::finding::Severity;

const TREE: &str = r#"{"resourceType": "CodeSystem", "url": "t", "version": "1", "content": "complete", "concept": [
    {"code": "a", "display": "A", "concept": [{"code": "b", "concept": [{"code": "c"}]}, {"code": "d"}]},
    {"code": "e", "property": [{"code": "parent", "valueCode": "b"}]},
    {"code": "f", "property": [{"code": "child", "valueCode": "g"}, {"code": "status", "valueCode": "retired"}]},
    {"code": "g"}]}"#;

fn filter(property: &str, op: &str, value: &str) -> String {
    compose(
        "u",
        &format!(
            r#""include": [{{"system": "t", "filter": [{{"property": "{property}", "op": "{op}", "value": "{value}"}}]}}]"#
        ),
    )
}

#[test]
fn systems_and_filters() {
    for (text, expected) in [
        (
            compose("u", r#""include": [{"system": "t"}]"#),
            "complete [a b c d e f g]",
        ),
        (
            compose("u", r#""inactive": false, "include": [{"system": "t"}]"#),
            "complete [a b c d e g]",
        ),
        (
            compose("u", r#""include": [{"system": "t", "version": "1"}]"#),
            "complete [a b c d e f g]",
        ),
        (
            compose("u", r#""include": [{"system": "t", "version": "2"}]"#),
            "not-expanded []",
        ),
        (
            compose("u", r#""include": [{"system": "other"}]"#),
            "not-expanded []",
        ),
        (compose("u", r#""include": []"#), "not-expanded []"),
        (compose("u", r#""include": [{}]"#), "not-expanded []"),
        (filter("concept", "is-a", "b"), "complete [b c e]"),
        (filter("concept", "descendent-of", "b"), "complete [c e]"),
        (filter("concept", "descendent-of", "f"), "complete [g]"),
        (filter("concept", "descendent-of", "c"), "empty []"),
        (filter("concept", "is-a", "zzz"), "not-expanded []"),
        (filter("code", "=", "b"), "complete [b]"),
        (filter("code", "in", "b, d,zzz"), "complete [b d]"),
        (filter("code", "regex", "a.*"), "not-expanded []"),
        (filter("parent", "=", "a"), "not-expanded []"),
        (
            compose(
                "u",
                r#""include": [{"system": "t", "filter": [
                    {"property": "concept", "op": "is-a", "value": "b"},
                    {"property": "code", "op": "in", "value": "c,d"}]}]"#,
            ),
            "complete [c]",
        ),
        (
            compose(
                "u",
                r#""include": [{"system": "t"}], "exclude": [{"system": "t", "filter": [
                    {"property": "concept", "op": "is-a", "value": "b"}]}]"#,
            ),
            "complete [a d f g]",
        ),
        (
            compose(
                "u",
                r#""include": [{"system": "t"}], "exclude": [{"system": "other"}]"#,
            ),
            "not-expanded []",
        ),
        (
            compose(
                "u",
                r#""include": [{"system": "t", "concept": [{"code": "q"}]}, {"system": "other"}]"#,
            ),
            "partial [q]",
        ),
    ] {
        let (store, _) = load(&[("t.json", TREE), ("u.json", &text)]);
        assert_eq!(codes(&store, "u"), expected, "{text}");
    }
}

#[test]
fn reasons_name_what_is_in_the_way() {
    for (text, expected) in [
        (
            filter("code", "regex", "a.*"),
            "not expanded: filter `code regex a.*` on `t` is not supported",
        ),
        (
            filter("concept", "is-a", "b"),
            "not expanded: filter `concept is-a b` needs code system `t`, which is not loaded",
        ),
        (
            compose("u", r#""include": [{"system": "other"}]"#),
            "not expanded: includes all of code system `other`, which is not loaded",
        ),
    ] {
        let (store, issues) = load(&[("u.json", &text)]);
        let set = store.value_set("u").unwrap();
        assert_eq!(set.completeness().to_string(), expected);
        assert!(shown(&issues)[0].starts_with("T022"));
    }
    // Enumerating filters need no code system.
    let (store, _) = load(&[("u.json", &filter("code", "in", "b,d"))]);
    assert_eq!(codes(&store, "u"), "complete [b d]");
}

#[test]
fn code_system_fragments_give_partial_value_sets() {
    let fragment = TREE.replace("\"complete\"", "\"fragment\"");
    let nothing = r#"{"resourceType": "CodeSystem", "url": "t", "content": "not-present"}"#;
    let all = compose("u", r#""include": [{"system": "t"}]"#);
    assert_eq!(
        codes(&load(&[("t", &fragment), ("u", &all)]).0, "u"),
        "partial [a b c d e f g]"
    );
    assert_eq!(
        codes(&load(&[("t", nothing), ("u", &all)]).0, "u"),
        "not-expanded []"
    );
}

#[test]
fn includes_unite_and_value_sets_in_one_include_intersect() {
    let a = expansion("a", "1", &["1", "2", "3"], "");
    let b = expansion("b", "1", &["2", "3", "4"], "");
    let b2 = expansion("b", "2", &["3"], "");
    for (body, expected) in [
        (
            r#""include": [{"valueSet": ["a", "b|1"]}]"#,
            "complete [2 3]",
        ),
        (r#""include": [{"valueSet": ["a", "b"]}]"#, "complete [3]"),
        (
            r#""include": [{"valueSet": ["a"]}, {"valueSet": ["b|1"]}]"#,
            "complete [1 2 3 4]",
        ),
        (
            r#""include": [{"system": "s", "concept": [{"code": "1"}, {"code": "9"}], "valueSet": ["a"]}]"#,
            "complete [1]",
        ),
        (
            r#""include": [{"valueSet": ["a"]}], "exclude": [{"valueSet": ["b|1"]}]"#,
            "complete [1]",
        ),
        (
            r#""include": [{"valueSet": ["a"]}, {"valueSet": ["b|9"]}]"#,
            "partial [1 2 3]",
        ),
    ] {
        let u = compose("u", body);
        let (store, _) = load(&[("u", &u), ("a", &a), ("b", &b), ("b2", &b2)]);
        assert_eq!(codes(&store, "u"), expected, "{body}");
    }
}

#[test]
fn an_unknown_include_is_told_with_a_suggestion() {
    let a = expansion("http://x/ValueSet/diabetes", "1", &["1"], "");
    let u = compose(
        "u",
        r#""include": [{"valueSet": ["http://x/ValueSet/diabetis"]}]"#,
    );
    let (store, issues) = load(&[("u", &u), ("a", &a)]);
    assert_eq!(codes(&store, "u"), "not-expanded []");
    assert_eq!(
        shown(&issues)[0],
        "T011 ValueSet.compose.include[0] included value set `http://x/ValueSet/diabetis` is not loaded"
    );
    assert_eq!(
        issues[0].help.as_deref(),
        Some("did you mean `http://x/ValueSet/diabetes`?")
    );
    // It is an error only for what uses the set.
    assert_eq!(issues[0].severity, Severity::Warning);
}

/// A set says whether it lacks one that it includes, at whatever depth; one that says itself that it is
/// a part, or that needs a code system, lacks none.
#[test]
fn what_lacks_an_included_set_says_so() {
    let here = r#"{"system": "s", "concept": [{"code": "1"}]}"#;
    let gone = r#"{"valueSet": ["gone"]}"#;
    let u = compose("u", &format!(r#""include": [{here}, {gone}]"#));
    let v = compose(
        "v",
        &format!(r#""include": [{here}, {{"valueSet": ["w"]}}]"#),
    );
    let w = compose("w", &format!(r#""include": [{gone}]"#));
    let x = compose("x", r#""include": [{"valueSet": ["v"]}]"#);
    let y = compose("y", &format!(r#""include": [{here}, {{"system": "t"}}]"#));
    let p = expansion("p", "1", &["1"], r#""total": 7,"#);
    let sources = [
        ("u", &u),
        ("v", &v),
        ("w", &w),
        ("x", &x),
        ("y", &y),
        ("p", &p),
    ];
    let (store, _) = load(&sources.map(|(name, text)| (name, text.as_str())));
    for (url, lacks) in [
        ("u", true),
        ("v", true),
        ("x", true),
        ("y", false),
        ("p", false),
    ] {
        let set = store.value_set(url).unwrap();
        let Completeness::Partial { missing, have, .. } = set.completeness() else {
            panic!("{url}: {}", set.completeness());
        };
        assert_eq!(
            (*missing, *have),
            (lacks, 1),
            "{url}: {}",
            set.completeness()
        );
    }
    let w = store.value_set("w").unwrap();
    assert_eq!(
        w.completeness().to_string(),
        "not expanded: included value set `gone` is not loaded"
    );
}

#[test]
fn a_partial_include_makes_partial_and_a_partial_exclude_makes_unknown() {
    let part = expansion("p", "1", &["1"], r#""total": 7,"#);
    let include = compose("u", r#""include": [{"valueSet": ["p"]}]"#);
    let exclude = compose(
        "v",
        r#""include": [{"system": "s", "concept": [{"code": "1"}, {"code": "2"}]}], "exclude": [{"valueSet": ["p"]}]"#,
    );
    let (store, _) = load(&[("p", &part), ("u", &include), ("v", &exclude)]);
    assert_eq!(codes(&store, "u"), "partial [1]");
    assert_eq!(codes(&store, "v"), "not-expanded []");
}

#[test]
fn a_cut_expansion_is_replaced_by_a_whole_definition() {
    let text = r#"{"resourceType": "ValueSet", "url": "u",
        "compose": {"include": [{"system": "s", "concept": [{"code": "1"}, {"code": "2"}]}]},
        "expansion": {"total": 2, "contains": [{"system": "s", "code": "1"}]}}"#;
    assert_eq!(codes(&load(&[("u", text)]).0, "u"), "complete [1 2]");
}

#[test]
fn a_cycle_is_an_error_that_names_it_in_any_order() {
    let a = compose(
        "a",
        r#""include": [{"valueSet": ["b"]}, {"system": "s", "concept": [{"code": "1"}]}]"#,
    );
    let b = compose("b", r#""include": [{"valueSet": ["c"]}]"#);
    let c = compose("c", r#""include": [{"valueSet": ["a"]}]"#);
    let own = compose("own", r#""include": [{"valueSet": ["own"]}]"#);
    for order in [[&a, &b, &c], [&c, &b, &a], [&b, &a, &c]] {
        let (store, issues) = load(&[
            ("1", order[0]),
            ("2", order[1]),
            ("3", order[2]),
            ("4", &own),
        ]);
        for url in ["a", "b", "c", "own"] {
            assert_eq!(codes(&store, url), "not-expanded []", "{url}");
        }
        let cycles: Vec<String> = shown(&issues)
            .into_iter()
            .filter(|one| one.starts_with("T010"))
            .collect();
        assert_eq!(cycles.len(), 2);
        for url in ["`a`", "`b`", "`c`"] {
            assert!(cycles[0].contains(url), "{}", cycles[0]);
        }
        assert!(cycles[1].contains("`own` → `own`"), "{}", cycles[1]);
    }
}

#[test]
fn a_very_deep_chain_is_followed() {
    const DEEP: usize = 20_000;
    let sources: Vec<String> = (0..DEEP)
        .map(|at| {
            compose(
                &format!("v{at}"),
                &format!(r#""include": [{{"valueSet": ["v{}"]}}]"#, at + 1),
            )
        })
        .chain([expansion(&format!("v{DEEP}"), "1", &["x"], "")])
        .collect();
    let named: Vec<(&str, &str)> = sources.iter().map(|one| ("f", one.as_str())).collect();
    let (store, issues) = load(&named);
    assert_eq!(
        (codes(&store, "v0"), issues),
        ("complete [x]".to_owned(), vec![])
    );
}

#[test]
fn what_includes_a_cycle_is_not_expanded_in_any_order() {
    let a = compose(
        "a",
        r#""include": [{"valueSet": ["b"]}, {"valueSet": ["c"]}]"#,
    );
    let b = compose("b", r#""include": [{"valueSet": ["a"]}]"#);
    let c = compose(
        "c",
        r#""include": [{"system": "s", "concept": [{"code": "1"}]}, {"valueSet": ["b"]}]"#,
    );
    for order in [[&a, &b, &c], [&c, &b, &a], [&b, &c, &a]] {
        let (store, _) = load(&[("1", order[0]), ("2", order[1]), ("3", order[2])]);
        assert!(
            ["a", "b", "c"]
                .iter()
                .all(|url| codes(&store, url) == "not-expanded []")
        );
    }
    // An expansion that is whole needs no definition, so a cycle of definitions does not matter.
    let whole = r#"{"resourceType": "ValueSet", "url": "w", "compose": {"include": [{"valueSet": ["w"]}]},
        "expansion": {"contains": [{"system": "s", "code": "1"}]}}"#;
    let (store, issues) = load(&[("w", whole)]);
    assert_eq!(
        (codes(&store, "w"), issues),
        ("complete [1]".to_owned(), vec![])
    );
}

#[test]
fn a_cyclic_hierarchy_ends() {
    let system = r#"{"resourceType": "CodeSystem", "url": "t", "content": "complete", "concept": [
        {"code": "a", "property": [{"code": "parent", "valueCode": "b"}]},
        {"code": "b", "property": [{"code": "parent", "valueCode": "a"}]}]}"#;
    let (store, _) = load(&[("t", system), ("u", &filter("concept", "is-a", "a"))]);
    assert_eq!(codes(&store, "u"), "complete [a b]");
}
