//! Every code is documented, and something in the tests has it.

use std::path::{Path, PathBuf};

use engine_patient::finding::Code;

use crate::folder;

/// What no input brings about.
const NOT_BY_INPUT: &[(Code, &str)] = &[
    (
        Code::CodeKeyCollision,
        "two codes with one 64-bit hash are not known",
    ),
    (
        Code::ParserFailed,
        "every panic of the parser that is known is kept from it",
    ),
];

/// Words that say nothing to a reader who does not know our code.
const PRIVATE: &[&str] = &[
    "sketch",
    "outline",
    "decisive",
    "shape",
    "walk",
    "came to",
    "is none of",
    "kleene",
    "conjunct",
    "arena",
];

#[test]
fn every_code_is_documented_in_plain_words() {
    for code in Code::ALL {
        let entry = code.entry();
        let texts = [entry.summary, entry.why, entry.example, entry.mend];
        for text in texts {
            assert!(text.len() > 2 && text.trim() == text, "{code}: {text:?}");
            let lower = text.to_lowercase();
            let private = PRIVATE.iter().find(|word| lower.contains(**word));
            assert_eq!(private, None, "{code}: {text}");
        }
        for text in [entry.summary, entry.why, entry.mend] {
            assert!(!text.ends_with('.'), "{code}: no full stop: {text}");
        }
        let same = Code::ALL.iter().filter(|c| c.as_str() == entry.name);
        assert_eq!(same.count(), 1, "{code} stands twice");
    }
}

#[test]
fn every_code_is_shown_by_a_test() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut texts = String::new();
    for krate in [
        "engine",
        "rules",
        "measures",
        "tests/tests",
        "datasets",
        "cds-hooks",
    ] {
        of_tests(&root.join(krate), &mut texts);
    }
    for entry in std::fs::read_dir(folder()).unwrap() {
        texts.push_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    let shown = |code: &Code| {
        let variant = format!("Code::{code:?}");
        let name = code.as_str();
        let mut after = texts
            .match_indices(&variant)
            .map(|(at, _)| &texts[at + variant.len()..]);
        after.any(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
            || texts.contains(&format!("\"{name}\""))
            || texts.contains(&format!("[{name}]"))
    };
    let excused = |code: &&Code| NOT_BY_INPUT.iter().any(|(c, _)| c == *code);
    let missing: Vec<_> = Code::ALL
        .iter()
        .filter(|code| !excused(code) && !shown(code))
        .collect();
    assert!(missing.is_empty(), "no test shows {missing:?}");
}

/// The text of tests: files of tests, and what follows `#[cfg(test)]` in others.
fn of_tests(folder: &Path, texts: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            of_tests(&path, texts);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("codes.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let shown = path.to_string_lossy().replace('\\', "/");
            match shown.contains("/tests/") || shown.ends_with("tests.rs") {
                true => texts.push_str(&text),
                false => {
                    let at = text.find("#[cfg(test)]").unwrap_or(text.len());
                    texts.push_str(&text[at..]);
                }
            }
        }
    }
}
