//! The part of FHIR `compose.include.filter` that is evaluated.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::code::Code;
use super::code_system::{CodeSystem, Concept};
use super::value_set_definition::{Clause, Filter};

/// Codes by key.
pub(super) type Codes = FxHashMap<i64, Code>;

/// The codes of `system` that pass all filters of the clause, or why that cannot be told.
///
/// Known: `concept` or `code` with `is-a` (itself included) and `descendent-of` over the hierarchy of a
/// loaded code system, and with `=` and `in` (values separated by commas). `=` and `in` also work
/// without the code system: the values are then taken as given.
pub(super) fn filtered(
    clause: &Clause,
    system: &Arc<str>,
    loaded: Option<&CodeSystem>,
    active_only: bool,
) -> Result<Codes, String> {
    let mut result: Option<Codes> = None;
    for filter in &clause.filters {
        let found = one(clause, filter, system, loaded, active_only)?;
        match &mut result {
            Some(result) => result.retain(|key, _| found.contains_key(key)),
            None => result = Some(found),
        }
    }
    Ok(result.unwrap_or_default())
}

fn one(
    clause: &Clause,
    filter: &Filter,
    system: &Arc<str>,
    loaded: Option<&CodeSystem>,
    active_only: bool,
) -> Result<Codes, String> {
    let Filter {
        property,
        op,
        value,
    } = filter;
    let unsupported = || {
        Err(format!(
            "filter `{property} {op} {value}` on `{system}` is not supported"
        ))
    };
    if !matches!(&**property, "concept" | "code") {
        return unsupported();
    }
    let concepts: Vec<&Concept> = match (&**op, loaded) {
        ("is-a" | "descendent-of", None) => {
            return Err(format!(
                "filter `{property} {op} {value}` needs code system `{system}`, which is not loaded"
            ));
        }
        ("is-a" | "descendent-of", Some(loaded)) if loaded.concept(value).is_none() => {
            return Err(format!(
                "filter `{property} {op} {value}`: code system `{system}` as loaded has no `{value}`"
            ));
        }
        ("is-a", Some(loaded)) => {
            let mut found = loaded.descendants(value);
            found.extend(loaded.concept(value));
            found
        }
        ("descendent-of", Some(loaded)) => loaded.descendants(value),
        ("=" | "in", Some(loaded)) => values(op, value)
            .filter_map(|code| loaded.concept(code))
            .collect(),
        ("=" | "in", None) => {
            return Ok(by_key(values(op, value).map(|code| Code {
                system: Arc::clone(system),
                version: clause.version.clone(),
                code: Arc::from(code),
                display: None,
            })));
        }
        _ => return unsupported(),
    };
    Ok(of_concepts(concepts, system, clause, active_only))
}

fn values<'a>(op: &str, value: &'a str) -> impl Iterator<Item = &'a str> {
    let separator = if op == "in" { ',' } else { '\0' };
    value.split(separator).map(str::trim)
}

/// Concepts of a system as codes.
pub(super) fn of_concepts<'a>(
    concepts: impl IntoIterator<Item = &'a Concept>,
    system: &Arc<str>,
    clause: &Clause,
    active_only: bool,
) -> Codes {
    by_key(
        concepts
            .into_iter()
            .filter(|concept| !(active_only && concept.inactive))
            .map(|concept| Code {
                system: Arc::clone(system),
                version: clause.version.clone(),
                code: Arc::clone(&concept.code),
                display: concept.display.clone(),
            }),
    )
}

/// Codes by key; of two with one key the first is kept.
pub(super) fn by_key(codes: impl IntoIterator<Item = Code>) -> Codes {
    let mut result = Codes::default();
    for code in codes {
        result.entry(code.key()).or_insert(code);
    }
    result
}
