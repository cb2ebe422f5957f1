//! Names that mean something to the built-in rules, and not where they are used: what an author copies. The
//! file itself is within the program only, so that the help has all that is to be copied.

use std::sync::LazyLock;

use engine_patient::finding::{Code, Finding};
use engine_patient::terminology::TerminologyProvider;

use crate::yaml::{self, Entry, Value};

/// What the built-in rules share, as its author wrote it.
const LIBRARY: &str = include_str!("../../content/library.yaml");
/// Where it was, for the reader of the YAML.
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
    let sets = &SHARED.value_sets;
    let longer = |name: &str| {
        name.ends_with(&format!("-{wanted}")) || name.starts_with(&format!("{wanted}-"))
    };
    let found = sets.iter().find(|(name, _)| name == wanted);
    let found = found.or_else(|| sets.iter().find(|(name, _)| longer(name)));
    found.map(|(_, url)| url.clone())
}

/// `end_of_life`
fn definition(name: &str) -> Option<String> {
    let find = |name: &str| SHARED.defines.iter().find(|(known, _)| known == name);
    let mut copied = vec![find(name)?];
    // It, and what it names, through what those name.
    let mut at = 0;
    while let Some((_, text)) = copied.get(at) {
        // Between quotes stand names of value sets.
        let code = text.split('"').step_by(2);
        let words = code.flat_map(|code| code.split(|c: char| !c.is_alphanumeric() && c != '_'));
        for word in words {
            if let Some(found) = find(word).filter(|found| !copied.contains(found)) {
                copied.push(found);
            }
        }
        at += 1;
    }
    let names = |set: &str| {
        let quoted = format!("\"{set}\"");
        copied.iter().any(|(_, text)| text.contains(&quoted))
    };
    let sets = SHARED.value_sets.iter().filter(|(set, _)| names(set));
    let sets: Vec<String> = sets
        .map(|(set, url)| format!("`{set}: {}`", url.trim()))
        .collect();
    let shared = SHARED.defines.iter().filter(|one| copied.contains(one));
    let defines = shared.map(|(name, text)| {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        // In quotes no character of it means something to YAML.
        format!("`{name}: '{}'`", text.replace('\'', "''"))
    });
    let mut help = format!(
        "it is defined for the built-in rules only: write under `define` of this rule, or of a library.yaml beside it, {}",
        defines.collect::<Vec<_>>().join(", ")
    );
    if !sets.is_empty() {
        help.push_str(&format!("; and under `value_sets`, {}", sets.join(", ")));
    }
    Some(help)
}

/// `diabetes`
fn value_set(name: &str) -> Option<String> {
    let mut sets = SHARED.value_sets.iter();
    let (_, url) = sets.find(|(known, _)| known == name)?;
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
    for (set, url) in &SHARED.value_sets {
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

/// The names and texts of the parts of the library.
#[derive(Default)]
struct Shared {
    value_sets: Vec<(String, String)>,
    defines: Vec<(String, String)>,
}

/// Read once, not for each finding.
static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    let Ok((_, root)) = yaml::read(FILE, LIBRARY) else {
        return Shared::default();
    };
    let part = |name: &str| -> Vec<(String, String)> {
        let Value::Mapping(all) = &root.value else {
            return vec![];
        };
        let inner = all.iter().find(|e| e.key == name).map(|e| &e.value.value);
        let Some(Value::Mapping(inner)) = inner else {
            return vec![];
        };
        let text = |e: &Entry| Some((e.key.clone(), e.value.scalar()?.text.clone()));
        inner.iter().filter_map(text).collect()
    };
    Shared {
        value_sets: part("value_sets"),
        defines: part("define"),
    }
});
