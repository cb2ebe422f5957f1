//! What is wrong with the table of a family: at its place in the CSV.

use crate::alerts::{FAMILY, PAIRS, check, found};
use crate::{is_told, spoilt};

/// Replaces a piece of the good table, as `check` does.
fn table(from: &str, to: &str, code: &str, words: &str) {
    let (text, marked) = spoilt(PAIRS, from, to);
    let found = found(FAMILY, Some(&text), None);
    is_told(&found, "rules/pairs.csv", &text, marked, code, words);
}

#[test]
fn cells() {
    table(
        "aspirin|ibuprofen",
        "aspirin|⟦ibuprofn⟧",
        "wrong-value",
        "did you mean `ibuprofen`?",
    );
    table(
        "\"fluoxetine\"",
        "\"⟦fluoxetin⟧\"",
        "wrong-value",
        "did you mean `fluoxetine`?",
    );
    table(
        "class:vka",
        "⟦class:vkaa⟧",
        "wrong-value",
        "did you mean `vka`?",
    );
    table("class:vka,5", "⟦99999999⟧,5", "wrong-value", "");
    table(
        "5,critical",
        "⟦many⟧,critical",
        "wrong-value",
        "is not a number",
    );
    table(
        "critical",
        "⟦grave⟧",
        "wrong-value",
        "one of `info`, `warning`, `critical`",
    );
}

#[test]
fn rows_and_headers() {
    table(
        "\"fluoxetine\",class:maoi,2.5,warning,\"fever, tremor\"",
        "⟦\"⟧fluoxetine\",class:maoi,2.5,warning,fever, tremor",
        "wrong-value",
        "6 cells, the header has 5",
    );
    table(
        "urgency,text\n",
        "urgency,⟦Text⟧\n",
        "bad-name",
        "not a name for a column",
    );
    table(
        "urgency,text\n",
        "urgency,⟦a⟧\n",
        "bad-name",
        "another column `a`",
    );
    table(
        "\"fever, tremor\"",
        "⟦\"⟧fever, tremor",
        "wrong-value",
        "a quote of this row",
    );
}

#[test]
fn the_file() {
    check(
        "file: pairs.csv",
        "file: ⟦pairs.xlsx⟧",
        "wrong-value",
        "not the name of a CSV file",
    );
    check(
        "file: pairs.csv",
        "file: ⟦../pairs.csv⟧",
        "wrong-value",
        "no folder",
    );
    check(
        "columns: {a: drugs",
        "columns: {⟦c⟧: drugs, a: drugs",
        "unknown-element",
        "did you mean `a`?",
    );
    check(
        "limit: number",
        "limit: ⟦nmber⟧",
        "wrong-value",
        "did you mean `number`?",
    );
    let none = found(FAMILY, None, None);
    assert!(
        none[0]
            .to_string()
            .contains("there is no file `pairs.csv` beside the rule")
    );
    assert_eq!(none.len(), 1, "{none:#?}");
    let empty = found(FAMILY, Some("a,b,limit,urgency,text\n"), None);
    assert!(empty[0].message.contains("has no rows"), "{empty:?}");
    let bytes = found(FAMILY, Some(""), None);
    assert!(!bytes.is_empty());
}
