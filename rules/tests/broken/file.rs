//! Files that are no YAML of the kind that rules use, and many mistakes at once.

use crate::{GOOD, check, diagnose};

#[test]
fn yaml() {
    check(
        "title: A gap",
        "title: A ⟦:⟧ gap: b",
        "yaml-syntax",
        "in quotes",
    );
}

#[test]
fn yaml_that_is_refused() {
    check(
        "title: A gap",
        "title: A gap\n⟦title⟧: B",
        "duplicate-key",
        "second time",
    );
    check(
        "title: A gap",
        "title: ⟦&x A⟧",
        "yaml-unsupported",
        "anchors",
    );
    check("title: A gap", "title: ⟦*x⟧", "yaml-syntax", "\"*x\"`");
    check("title: A gap", "title: ⟦!x A⟧", "yaml-unsupported", "tags");
}

#[test]
fn files_out_of_bounds() {
    let first = |text: &str| diagnose(text).first().map(|d| d.code.as_str());
    assert_eq!(first(""), Some("yaml-unsupported"));
    assert_eq!(first("# nothing\n"), Some("yaml-unsupported"));
    assert_eq!(first("text"), Some("wrong-kind"));
    assert_eq!(first(&"a".repeat(2 << 20)), Some("too-large"));
    assert_eq!(
        first(&format!("{}{}", "[".repeat(50), "]".repeat(50))),
        Some("too-deep")
    );
    assert!(first(&"[".repeat(5000)).is_some());
    assert!(first(&"- ".repeat(5000)).is_some());
    assert_eq!(first("a: 1\n---\nb: 1\n"), Some("yaml-unsupported"));
    assert_eq!(first("{[a]: 1}"), Some("yaml-unsupported"));
    assert_eq!(first("\u{0}"), Some("yaml-syntax"));
}

#[test]
fn all_problems_come_at_once_in_the_order_of_the_file() {
    let text = GOOD
        .replace("kind: care-gap", "kind: gap")
        .replace("year: 2025", "year: soon")
        .replace("isFinal(o)", "isFinl(o)")
        .replace("\"false\"", "foo && bar")
        .replace("indicator: info", "indicator: red")
        .replace("birthDate: 1960", "birthDate: x")
        .replace("title: A gap\n", "");
    let found = diagnose(&text);
    let codes: Vec<_> = found.iter().map(|d| d.code.as_str()).collect();
    let expected = [
        "missing-field",
        "wrong-value",
        "wrong-value",
        "unknown-function",
        "unknown-name",
        "unknown-name",
        "wrong-value",
        "wrong-value",
    ];
    assert_eq!(codes, expected, "{found:?}");
}

/// A key that is misspelt is told once: what it holds is looked at as if it were right.
#[test]
fn a_misspelt_key_is_told_once() {
    for (from, to, words) in [
        ("satisfied:", "satisfyed:", "did you mean `satisfied`?"),
        ("value_sets:", "valuesets:", "did you mean `value_sets`?"),
        ("  summary:", "  headline:", "did you mean `summary`?"),
        (
            "eligible:",
            "xyzzy: x\neligible:",
            "begins two blanks further in",
        ),
    ] {
        let found = diagnose(&GOOD.replacen(from, to, 1));
        let errors: Vec<_> = found
            .iter()
            .filter(|f| f.code.as_str() == "unknown-field")
            .collect();
        assert_eq!(errors.len(), 1, "{to}: {found:#?}");
        let help = errors[0].help.clone().unwrap_or_default();
        assert!(help.contains(words), "{to}: {help}");
        if !to.contains("xyzzy") {
            assert_eq!(found.len(), 1, "{to}: {found:#?}");
        }
    }
}

/// What is missing says what has to stand there.
#[test]
fn a_missing_part_says_what_it_holds() {
    let (head, rest) = GOOD.split_once("card:\n").unwrap();
    let (_, cases) = rest.split_once("cases:\n").unwrap();
    let found = diagnose(&format!("{head}cases:\n{cases}"));
    let help = found[0].help.clone().unwrap_or_default();
    assert!(
        help.contains("`summary`, `detail`, `unknown_summary`"),
        "{found:#?}"
    );
    let found = diagnose(GOOD.split_once("cases:\n").unwrap().0);
    let help = found[0].help.clone().unwrap_or_default();
    assert!(help.contains("each item has `name`"), "{found:#?}");
}
