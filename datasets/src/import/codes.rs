//! What the keys of codes stand for.

use engine_population::lake::writer::CodeTexts;
use rustc_hash::FxHashMap;

/// System, code and display of each key.
pub(super) type CodeMap = FxHashMap<i64, CodeTexts>;

/// Adds what a key stands for; the least of several texts, so that the order does not matter.
pub(super) fn add_code<S: std::hash::BuildHasher>(
    codes: &mut std::collections::HashMap<i64, CodeTexts, S>,
    key: i64,
    texts: CodeTexts,
    collision: &mut Option<String>,
) {
    let canonical = engine_patient::terminology::canonical_system;
    match codes.get_mut(&key) {
        None => {
            codes.insert(key, texts);
        }
        Some(there) => {
            if canonical(&there.0) != canonical(&texts.0) || there.1 != texts.1 {
                *collision = Some(format!(
                    "`{}|{}` and `{}|{}`",
                    there.0, there.1, texts.0, texts.1
                ));
            }
            if texts.0 < there.0 {
                there.0 = texts.0;
            }
            let display = there.2.take().into_iter().chain(texts.2).min();
            there.2 = display;
        }
    }
}

/// Adds what a key stands for in a resource, without a copy where that is known.
pub(super) fn see_code(
    codes: &mut CodeMap,
    key: i64,
    (system, code, display): (&str, &str, Option<&str>),
    collision: &mut Option<String>,
) {
    match codes.get_mut(&key) {
        Some((s, c, d)) => {
            let canonical = engine_patient::terminology::canonical_system;
            if canonical(s) != canonical(system) || c != code {
                *collision = Some(format!("`{s}|{c}` and `{system}|{code}`"));
            }
            // The least text, so that the order of reading does not matter.
            if let Some(display) = display
                && d.as_deref().is_none_or(|d| display < d)
            {
                *d = Some(display.to_owned());
            }
            if system < s.as_str() {
                *s = system.to_owned();
            }
        }
        None => {
            codes.insert(
                key,
                (
                    system.to_owned(),
                    code.to_owned(),
                    display.map(str::to_owned),
                ),
            );
        }
    }
}
