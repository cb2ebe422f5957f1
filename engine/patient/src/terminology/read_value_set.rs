//! A FHIR ValueSet: its expansion and its definition, not yet evaluated.

use std::sync::Arc;

use serde_json::Value;

use super::code::Code;
use super::raw::{RawClause, RawCompose, RawContains, RawExpansion, RawValueSet, Text};
use super::read::{Read, Spot};
use super::value_set_definition::{Clause, Compose, Expansion, Filter, SpotOf, ValueSetDefinition};
use crate::finding::{self, Finding};

/// Reads a value set into `read`, or reports why it cannot be used.
pub(super) fn read_value_set(read: &mut Read, spot: &Spot, raw: RawValueSet) {
    let root = spot.root("ValueSet");
    let id = read.text(spot, raw.id, || format!("{root}.id"));
    let name = read.text(spot, raw.name, || format!("{root}.name"));
    let title = read.text(spot, raw.title, || format!("{root}.title"));
    let version = read.text(spot, raw.version, || format!("{root}.version"));
    let missing = raw.url.is_none();
    let url = read.text(spot, raw.url, || format!("{root}.url"));
    let expansion = raw
        .expansion
        .map(|raw| read_expansion(read, spot, &root, raw));
    let compose = raw.compose.map(|raw| read_compose(read, spot, &root, raw));
    if missing {
        let which = title
            .or(name)
            .or(id)
            .unwrap_or_else(|| Arc::from("unnamed"));
        let message = format!("value set `{which}` has no url, so nothing can refer to it");
        let help = "add `url`, the canonical by which rules and measures name it";
        read.missing(spot, format!("{root}.url"), &message, help);
        return;
    }
    let Some(url) = url else { return };
    read.value_sets.push(ValueSetDefinition {
        url,
        version,
        id,
        name,
        title,
        spot: SpotOf {
            source: Arc::clone(&spot.source),
            line: (spot.line > 1).then_some(spot.line),
            root,
        },
        expansion,
        compose,
    });
}

/// The entries of an expansion, nested ones too: their codes, and how many there are.
#[derive(Default)]
struct Entries {
    codes: Vec<Code>,
    /// Entries with a code, counted as given.
    coded: usize,
    /// Entries without a code, which only group others.
    groups: usize,
    /// Entries left out because an element was missing or wrong.
    broken: usize,
}

fn read_expansion(read: &mut Read, spot: &Spot, root: &str, raw: RawExpansion) -> Expansion {
    let mut entries = Entries::default();
    entries.codes.reserve(raw.contains.len());
    let path = format!("{root}.expansion");
    contains(read, spot, &path, raw.contains, &mut entries);
    let total = raw
        .total
        .as_ref()
        .and_then(Value::as_u64)
        .and_then(|total| usize::try_from(total).ok());
    let offset = raw.offset.as_ref().and_then(Value::as_u64).unwrap_or(0);
    let mut reasons = Vec::new();
    if entries.broken > 0 {
        reasons.push(format!("{} entries were rejected", entries.broken));
    }
    if offset > 0 {
        reasons.push(format!("this is the page from offset {offset} on"));
    }
    reasons.extend(limits(&raw.parameter, &raw.extension, total, entries.coded));
    let given = entries.coded + entries.groups + entries.broken;
    let mut surplus = None;
    match total {
        Some(total) if given < total => {
            reasons.push(format!(
                "`expansion.total` is {total}, there are {given} entries"
            ));
        }
        Some(total) if entries.coded > total => surplus = Some((entries.coded, total)),
        _ => {}
    }
    Expansion {
        codes: entries.codes,
        partial: (!reasons.is_empty()).then(|| (total, reasons.join("; "))),
        surplus,
    }
}

/// Markers by which servers say that an expansion is cut.
fn limits(
    parameters: &[Value],
    extensions: &[Value],
    total: Option<usize>,
    have: usize,
) -> Vec<String> {
    let mut reasons = Vec::new();
    for parameter in parameters {
        let name = parameter.get("name").and_then(Value::as_str);
        let flag = parameter.get("valueBoolean").and_then(Value::as_bool);
        let number = parameter.get("valueInteger").and_then(Value::as_u64);
        match (name, flag, number) {
            (Some(name @ ("limitedExpansion" | "toocostly" | "too-costly")), Some(true), _) => {
                reasons.push(format!("the expansion is marked `{name}`"));
            }
            (Some("count"), _, Some(count))
                if total.is_none() && usize::try_from(count).is_ok_and(|n| n > 0 && n <= have) =>
            {
                reasons.push(format!(
                    "asked for at most {count} codes and no total is given"
                ));
            }
            _ => {}
        }
    }
    for extension in extensions {
        let url = extension.get("url").and_then(Value::as_str).unwrap_or("");
        let set = extension.get("valueBoolean").and_then(Value::as_bool);
        if set == Some(true)
            && (url.ends_with("valueset-toocostly") || url.ends_with("valueset-unclosed"))
        {
            reasons.push(format!("the expansion is marked `{url}`"));
        }
    }
    reasons
}

/// Every entry with a code is kept, also abstract and inactive ones and groups that have a code.
fn contains(
    read: &mut Read,
    spot: &Spot,
    path: &str,
    raw: Vec<RawContains>,
    entries: &mut Entries,
) {
    for (index, entry) in raw.into_iter().enumerate() {
        let here = |element: &str| format!("{path}.contains[{index}]{element}");
        let (no_code, no_system) = (entry.code.is_none(), entry.system.is_none());
        let system = read.text(spot, entry.system, || here(".system"));
        let code = read.text(spot, entry.code, || here(".code"));
        let version = read.text(spot, entry.version, || here(".version"));
        let display = read.text(spot, entry.display, || here(".display"));
        match (system, code) {
            (Some(system), Some(code)) => {
                entries.coded += 1;
                entries.codes.push(Code {
                    system: read.code_system(spot, &system, || here(".system")),
                    version,
                    code,
                    display,
                });
            }
            (_, None) if no_code && !entry.contains.is_empty() => entries.groups += 1,
            (_, None) if no_code => {
                entries.broken += 1;
                let help = "give a code, or nested `contains` if it groups others";
                read.missing(spot, here(".code"), "this entry has no code", help);
            }
            (None, Some(code)) if no_system => {
                entries.broken += 1;
                let message = format!("code `{code}` has no system, so it cannot be compared");
                read.missing(spot, here(".system"), &message, "add the code system url");
            }
            _ => entries.broken += 1,
        }
        if !entry.contains.is_empty() {
            contains(read, spot, &here(""), entry.contains, entries);
        }
    }
}

fn read_compose(read: &mut Read, spot: &Spot, root: &str, raw: RawCompose) -> Compose {
    let mut clauses = |kind: &str, raw: Vec<RawClause>| -> Vec<Clause> {
        raw.into_iter()
            .enumerate()
            .map(|(index, clause)| {
                read_clause(
                    read,
                    spot,
                    format!("{root}.compose.{kind}[{index}]"),
                    clause,
                )
            })
            .collect()
    };
    Compose {
        include: clauses("include", raw.include),
        exclude: clauses("exclude", raw.exclude),
        active_only: raw.inactive.as_ref().and_then(Value::as_bool) == Some(false),
    }
}

fn read_clause(read: &mut Read, spot: &Spot, path: String, raw: RawClause) -> Clause {
    let before = read.issues.len();
    for (found, meant) in raw.slips() {
        let message = format!("a clause of a value set has no element `{found}`");
        let finding = Finding::error(finding::Code::UnknownElement, message);
        let finding = finding.placed(spot.place(format!("{path}.{found}")));
        read.issues
            .push(finding.help(format!("did you mean `{meant}`?")));
    }
    let system = read
        .text(spot, raw.system, || format!("{path}.system"))
        .map(|system| read.code_system(spot, &system, || format!("{path}.system")));
    let version = read.text(spot, raw.version, || format!("{path}.version"));
    if system.is_none() && !(raw.concept.is_empty() && raw.filter.is_empty()) {
        let message = "concepts or filters without a system cannot be compared";
        read.missing(
            spot,
            format!("{path}.system"),
            message,
            "add the code system url",
        );
    }
    let mut concepts = Vec::with_capacity(raw.concept.len());
    for (index, concept) in raw.concept.into_iter().enumerate() {
        let here = |element: &str| format!("{path}.concept[{index}].{element}");
        if concept.code.is_none() {
            read.missing(spot, here("code"), "this concept has no code", "add `code`");
        }
        let code = read.text(spot, concept.code, || here("code"));
        let display = read.text(spot, concept.display, || here("display"));
        if let (Some(system), Some(code)) = (&system, code) {
            concepts.push(Code {
                system: Arc::clone(system),
                version: version.clone(),
                code,
                display,
            });
        }
    }
    let mut filters = Vec::with_capacity(raw.filter.len());
    for (index, filter) in raw.filter.into_iter().enumerate() {
        let here = |element: &str| format!("{path}.filter[{index}].{element}");
        let mut part = |value: Option<Text>, name: &str| {
            if value.is_none() {
                let message = format!("this filter has no `{name}`");
                read.missing(spot, here(name), &message, "give property, op and value");
            }
            read.text(spot, value, || here(name))
        };
        let parts = (
            part(filter.property, "property"),
            part(filter.op, "op"),
            part(filter.value, "value"),
        );
        if let (Some(property), Some(op), Some(value)) = parts {
            filters.push(Filter {
                property,
                op,
                value,
            });
        }
    }
    let mut value_sets = Vec::with_capacity(raw.value_set.len());
    for (index, canonical) in raw.value_set.into_iter().enumerate() {
        let text = read.text(spot, Some(canonical), || {
            format!("{path}.valueSet[{index}]")
        });
        value_sets.extend(text);
    }
    Clause {
        broken: read.issues.iter().skip(before).any(Finding::is_error),
        path,
        system,
        version,
        concepts,
        filters,
        value_sets,
    }
}
