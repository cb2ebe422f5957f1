//! Names that mean something to the built-in rules, and not where they are used: what an author copies.

use engine_patient::finding::{Code, Finding};
use engine_patient::terminology::TerminologyProvider;

use crate::yaml::{self, Entry, Value};

/// What the built-in rules share, as its author wrote it.
const LIBRARY: &str = include_str!("../../content/library.yaml");
/// How it is called in a message.
const FILE: &str = "rules/content/library.yaml";
/// Most value sets that are named as having a code.
const SETS: usize = 3;

/// A finding whose help names what the built-in library has under what is written there.
pub(super) fn told(
    mut finding: Finding,
    written: &str,
    terminology: &dyn TerminologyProvider,
) -> Finding {
    let name = written.trim().trim_matches(['"', '\'']);
    let begins = |words: &str| finding.help.as_ref().is_some_and(|h| h.starts_with(words));
    let guessed = begins("did you mean");
    let help = match finding.code {
        Code::UnknownName if begins("known are") => definition(name),
        Code::UnknownValueSet if !guessed => {
            value_set(name).or_else(|| with_code(name, &finding, terminology))
        }
        _ => None,
    };
    if help.is_some() {
        finding.help = help;
    }
    finding
}

/// The urls of the built-in value sets whose names have a name, or are a part of it.
pub(super) fn near(url: &str) -> Option<String> {
    let wanted = url.rsplit('/').next().unwrap_or(url);
    let sets = of_library("value_sets");
    let longer = |name: &str| {
        name.ends_with(&format!("-{wanted}")) || name.starts_with(&format!("{wanted}-"))
    };
    let found = sets.iter().find(|(name, _)| name == wanted);
    let found = found.or_else(|| sets.iter().find(|(name, _)| longer(name)));
    found.map(|(_, url)| url.clone())
}

/// `end_of_life`
fn definition(name: &str) -> Option<String> {
    let defines = of_library("define");
    let (_, text) = defines.iter().find(|(known, _)| known == name)?;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(format!(
        "it is defined for the built-in rules only, in {FILE}: copy it, and the value sets that it names, under `define` and `value_sets` of this rule or of a library.yaml beside it: `{name}: {text}`"
    ))
}

/// `diabetes`
fn value_set(name: &str) -> Option<String> {
    let sets = of_library("value_sets");
    let (_, url) = sets.iter().find(|(known, _)| known == name)?;
    Some(format!(
        "there is a built-in one: write `{name}: {url}` under `value_sets`"
    ))
}

/// `I50.9`: the built-in sets that have the code.
fn with_code(
    name: &str,
    finding: &Finding,
    terminology: &dyn TerminologyProvider,
) -> Option<String> {
    let code = name.rsplit('|').next().unwrap_or(name);
    let mut found = vec![];
    for (set, url) in of_library("value_sets") {
        let known = terminology.value_set(url.trim()).ok();
        if known.is_some_and(|set| set.entries().iter().any(|entry| &*entry.code == code)) {
            found.push(format!("{set}: {}", url.trim()));
        }
    }
    let more = found.len().saturating_sub(SETS);
    found.truncate(SETS);
    if found.is_empty() {
        return None;
    }
    let and = match more {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let help = finding.help.clone().unwrap_or_default();
    Some(format!(
        "{help}; built in, and with this code: `{}`{and}",
        found.join("`, `")
    ))
}

/// The names and texts of a part of the library.
fn of_library(part: &str) -> Vec<(String, String)> {
    let Ok((_, root)) = yaml::read(FILE, LIBRARY) else {
        return vec![];
    };
    let entries = |value: &Value, name: &str| -> Vec<(String, String)> {
        let Value::Mapping(all) = value else {
            return vec![];
        };
        let inner = all.iter().find(|e| e.key == name).map(|e| &e.value.value);
        let Some(Value::Mapping(inner)) = inner else {
            return vec![];
        };
        let text = |e: &Entry| Some((e.key.clone(), e.value.scalar()?.text.clone()));
        inner.iter().filter_map(text).collect()
    };
    entries(&root.value, part)
}
