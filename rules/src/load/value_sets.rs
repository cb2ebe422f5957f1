//! `value_sets`: names for value sets, resolved.

use std::sync::Arc;

use engine_patient::finding::{Code, Finding};
use engine_patient::terminology::{Completeness, TerminologyError, TerminologyProvider, ValueSet};

use super::elsewhere;
use super::fields::Report;
use crate::library::Library;
use crate::scan::Named;
use crate::yaml::{Entry, Node};

/// Each name with its value set; an empty one stands for what was not found.
pub(super) fn value_sets(
    report: &mut Report<'_>,
    node: &Node,
    terminology: &dyn TerminologyProvider,
) -> Vec<(String, Arc<ValueSet>)> {
    let mut found = vec![];
    for Entry { key, at, value } in report.entries(node, "`value_sets`") {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if key.is_empty() || !key.chars().all(good) {
            let help = Some("letters, digits, `-` and `_`".to_owned());
            report.error(
                Code::BadName,
                format!("`{key}` is not a name for a value set"),
                (*at, at + key.chars().count()),
                help,
            );
        }
        let Some(url) = report.line(value) else {
            // Known by name, so that its users are not blamed too.
            found.push((key.clone(), nothing()));
            continue;
        };
        found.push((key.clone(), resolve(report, value, &url, terminology)));
    }
    found
}

/// The value set of a url that stands at a node; an empty one where there is none.
fn resolve(
    report: &mut Report<'_>,
    value: &Node,
    url: &str,
    terminology: &dyn TerminologyProvider,
) -> Arc<ValueSet> {
    match terminology.value_set(url) {
        Ok(set) => {
            let what = match set.completeness() {
                Completeness::Complete => None,
                Completeness::Empty => Some((
                    Code::EmptyValueSet,
                    "has no codes: nothing will ever match it".to_owned(),
                )),
                other => Some((Code::IncompleteValueSet, format!("is {other}"))),
            };
            if let Some((code, what)) = what {
                let help = Some("load an expansion that has all its codes".to_owned());
                let message = format!("the value set `{url}` {what}");
                let span = (value.at, value.end);
                // Codes of a set that includes one which is not here would read as "no".
                match set.completeness() {
                    Completeness::NotExpanded { .. }
                    | Completeness::Partial { missing: true, .. } => {
                        report.error(code, message, span, help);
                    }
                    _ => report.warning(code, message, span, help),
                }
            }
            tell_misshapen(report, value, url, &set);
            set
        }
        Err(e) => {
            let help = match &e {
                TerminologyError::Unknown { suggestions, .. } => {
                    match elsewhere::near(url).as_ref().or(suggestions.first()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "give the file or folder that has it with `--terminology`".into(),
                    }
                }
                TerminologyError::UnknownVersion { available, .. } => {
                    format!("loaded: {}", available.join(", "))
                }
            };
            let message = match &e {
                TerminologyError::Unknown { .. } => format!("no value set has the url `{url}`"),
                TerminologyError::UnknownVersion { .. } => {
                    format!("the value set of `{url}` is not here in this version")
                }
            };
            report.error(
                Code::UnknownValueSetUrl,
                message,
                (value.at, value.end),
                Some(help),
            );
            nothing()
        }
    }
}

/// Warns of codes of a value set that cannot be of their system: no data will ever have them.
fn tell_misshapen(report: &mut Report<'_>, value: &Node, url: &str, set: &ValueSet) {
    let mut misshapen = set.misshapen();
    let Some(first) = misshapen.next() else {
        return;
    };
    let message = match misshapen.count() {
        0 => format!("in the value set `{url}` {first}"),
        more => format!("in the value set `{url}` {first}; the same of {more} more"),
    };
    let help = "look the codes up, and write them in its file as they are there";
    let span = (value.at, value.end);
    report.warning(Code::CodesOfNoSystem, message, span, Some(help.into()));
}

/// The value sets of a library that expressions name; a rule's own of the same name win.
pub(super) fn shared(
    report: &mut Report<'_>,
    library: Option<&Library>,
    named: &Named,
    own: &[(String, Arc<ValueSet>)],
    terminology: &dyn TerminologyProvider,
) -> Vec<(String, Arc<ValueSet>)> {
    let Some(library) = library else {
        return vec![];
    };
    let used = library.value_sets.iter().filter(|shared| {
        named.texts.contains(&shared.name) && !own.iter().any(|(name, _)| *name == shared.name)
    });
    let mut found = vec![];
    for shared in used {
        let set = terminology
            .value_set(shared.text.trim())
            .unwrap_or_else(|_| {
                let message = format!("no value set has the url `{}`", shared.text.trim());
                let error = Finding::error(Code::UnknownValueSetUrl, message)
                    .help("give the file or folder that has it with `--terminology`");
                let file = library.file.as_str();
                report.elsewhere(error.in_file(file).spanning(shared.span.clone()));
                nothing()
            });
        found.push((shared.name.clone(), set));
    }
    found
}

fn nothing() -> Arc<ValueSet> {
    Arc::new(ValueSet::from_codes("", None, vec![], ""))
}
