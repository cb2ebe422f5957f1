//! Codes in cases: of the required binding of their element.

use engine_patient::fhir::codes::{RequiredCodes, required};
use engine_patient::finding::Code;

use super::fields::Report;
use super::scalar::system_of;
use crate::yaml::Node;

/// The codes that a property must be of: `within` are those of the concept that it is a part of.
pub(super) fn of(
    within: Option<&'static RequiredCodes>,
    owner: &str,
    property: &str,
) -> Option<&'static RequiredCodes> {
    match (owner, property) {
        ("CodeableConcept", "coding") | ("Coding", "code" | "system") => within,
        ("CodeableConcept" | "Coding", _) => None,
        _ => required(owner, property),
    }
}

/// Refuses a text that is none of the codes, alone or after its system and `|`.
pub(super) fn check(
    report: &mut Report<'_>,
    node: &Node,
    text: &str,
    (owner, property): (&str, &str),
    codes: &RequiredCodes,
) {
    let text = text.trim();
    if owner == "Coding" && property == "system" {
        let known: Vec<&str> = codes.urls().collect();
        if !known.is_empty() && !known.contains(&text) {
            let message = format!("`{text}` is not the system of these codes");
            let help = format!("write `{}`", known.join("` or `"));
            report.wrong::<()>(Code::NotACode, message, node, &help);
        }
        return;
    }
    let (system, code) = match text.rsplit_once('|') {
        Some((system, code)) => (system_of(system.trim()), code.trim()),
        None => (None, text),
    };
    let known = match system {
        Some(system) => codes.has_in(system, code),
        None => codes.has(code),
    };
    if !known {
        let element = match owner {
            "Coding" => codes.name.to_owned(),
            _ => format!("{owner}.{property}"),
        };
        let message = format!("`{text}` is no code of `{element}`");
        let help = match codes.has(code) {
            true => format!(
                "write `{code}`: its system is `{}`",
                codes.urls().next().unwrap_or_default()
            ),
            false => codes.instead_of(code),
        };
        report.wrong::<()>(Code::NotACode, message, node, &help);
    }
}
