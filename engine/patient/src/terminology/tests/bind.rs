use super::super::{Beyond, Binding, BindingMode, Named, TerminologyProvider, TerminologyStore};
use super::{codes, expansion, load, shown};
use crate::finding::{Code, Finding, Place};

fn named(name: &str, line: usize) -> Named {
    Named {
        name: name.into(),
        place: Place::known("bindings.yaml", Some(line), Some(5), None),
    }
}

fn binding(line: usize, set: &str, to: &[&str], mode: BindingMode) -> Binding {
    Binding {
        value_set: named(set, line),
        to: to.iter().map(|one| named(one, line + 1)).collect(),
        mode,
    }
}

const OWN: &str = "https://tandem-cds.dev/ValueSet/diabetes";
const VSAC: &str = "http://cts.nlm.nih.gov/fhir/ValueSet/2.16.840.1";

fn store() -> TerminologyStore {
    let sets = [
        ("own.json", expansion(OWN, "2025.1", &["a", "b"], "")),
        ("vsac.json", expansion(VSAC, "2026", &["b", "c"], "")),
        ("x.json", expansion("http://x/vs", "1", &["d"], "")),
        ("empty.json", expansion("http://x/empty", "1", &[], "")),
        (
            "part.json",
            expansion("http://x/part", "1", &["p"], "\"total\": 3,"),
        ),
    ];
    let sets: Vec<(&str, &str)> = sets.iter().map(|(name, text)| (*name, &**text)).collect();
    load(&sets).0
}

fn bound(bindings: &[Binding], beyond: Beyond) -> (TerminologyStore, Vec<Finding>) {
    let mut store = store();
    let issues = store.bind(bindings, beyond);
    (store, issues)
}

#[test]
fn codes_are_added_or_put_in_place() {
    for (mode, to, wanted, version) in [
        (
            BindingMode::Union,
            vec!["urn:oid:2.16.840.1"],
            "complete [a b c]",
            "2025.1+2026",
        ),
        (
            BindingMode::Union,
            vec![VSAC, "http://x/vs"],
            "complete [a b c d]",
            "2025.1+2026+1",
        ),
        (
            BindingMode::Replace,
            vec![VSAC, "http://x/vs|1"],
            "complete [b c d]",
            "bound+2026+1",
        ),
        (
            BindingMode::Union,
            vec!["http://x/part"],
            "partial [a b p]",
            "2025.1+1",
        ),
    ] {
        let (store, issues) = bound(&[binding(2, "diabetes", &to, mode)], Beyond::Nothing);
        assert_eq!(codes(&store, OWN), wanted);
        assert_eq!(
            store.value_set(OWN).unwrap().version.as_deref(),
            Some(version)
        );
        // As it was loaded, where a version is asked for.
        assert_eq!(codes(&store, &format!("{OWN}|2025.1")), "complete [a b]");
        assert_eq!(
            (issues.len(), issues[0].code),
            (1, Code::ValueSetBound),
            "{issues:?}"
        );
        assert_eq!(issues[0].line(), Some(2));
    }
}

/// Whatever the order: what is bound to is bound first.
#[test]
fn bindings_through_bindings() {
    let mut bindings = vec![
        binding(2, OWN, &["http://mine/vs"], BindingMode::Union),
        binding(
            4,
            "http://mine/vs",
            &["http://x/vs", VSAC],
            BindingMode::Replace,
        ),
    ];
    for _ in 0..2 {
        let (store, issues) = bound(&bindings, Beyond::Nothing);
        assert_eq!(codes(&store, OWN), "complete [a b c d]", "{issues:?}");
        assert_eq!(codes(&store, "http://mine/vs"), "complete [b c d]");
        bindings.reverse();
    }
}

#[test]
fn every_mistake_is_told_at_once_and_nothing_is_bound() {
    let bindings = [
        binding(2, "diabetis", &["http://x/vs"], BindingMode::Union),
        binding(
            4,
            "diabetes",
            &["http://x/sv", "http://x/empty", OWN],
            BindingMode::Union,
        ),
        binding(6, OWN, &["http://x/vs"], BindingMode::Union),
        binding(8, "http://x/vs", &["http://x/part"], BindingMode::Union),
        binding(10, "http://x/part", &["http://x/vs"], BindingMode::Union),
        binding(
            12,
            "http://unknown/vs",
            &["http://x/vs"],
            BindingMode::Union,
        ),
        binding(14, "http://x/vs|1", &["http://x/part"], BindingMode::Union),
    ];
    let (store, issues) = bound(&bindings, Beyond::Nothing);
    assert_eq!(
        shown(&issues),
        [
            "T017 - no value set `diabetis` is loaded: there is nothing to bind",
            "T017 - no value set `http://x/sv` is loaded: its codes are not known",
            "T020 - value set `http://x/empty` has no codes",
            "T018 - value set `https://tandem-cds.dev/ValueSet/diabetes` is bound to itself",
            "T019 - value set `https://tandem-cds.dev/ValueSet/diabetes` is bound a second time",
            "T017 - no value set `http://unknown/vs` is loaded: there is nothing to bind",
            "T017 - `http://x/vs|1` has a version: what is bound is a url",
            "T018 - value sets are bound to each other in a circle: `http://x/vs`, `http://x/part`",
        ]
    );
    for code in [
        Code::BindingUnknown,
        Code::BindingCircle,
        Code::BindingTwice,
        Code::ValueSetEmpty,
    ] {
        assert!(issues.iter().any(|one| one.code == code), "{code}");
    }
    assert_eq!(issues[0].help.as_deref(), Some("did you mean `diabetes`?"));
    assert_eq!(issues[1].line(), Some(5));
    assert_eq!(codes(&store, OWN), "complete [a b]");
    assert_eq!(codes(&store, "http://x/vs"), "complete [d]");
}

#[test]
fn what_another_store_knows_is_left_alone() {
    let of_package = [binding(
        2,
        "urn:oid:9.9",
        &["http://x/vs"],
        BindingMode::Union,
    )];
    assert_eq!(bound(&of_package, Beyond::Packages).1, []);
    assert_eq!(
        bound(&of_package, Beyond::BuiltIn).1[0].code,
        Code::BindingUnknown
    );
    let built_in = [binding(2, "hospice", &["http://x/vs"], BindingMode::Union)];
    assert_eq!(bound(&built_in, Beyond::BuiltIn).1, []);
    let here = [binding(
        2,
        "diabetes",
        &["palliative-care"],
        BindingMode::Union,
    )];
    assert_eq!(bound(&here, Beyond::BuiltIn).1, []);
    assert_eq!(
        bound(&built_in, Beyond::Packages).1[0].code,
        Code::BindingUnknown
    );
}
