//! Codes in cases: of the required binding of their element.

use engine_patient::fhir::codes::{RequiredCodes, required};
use engine_patient::finding::{Code, did_you_mean};

use super::fields::Report;
use super::scalar::system_of;
use crate::yaml::{Node, Value};

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

/// Refuses a text that is none of the codes.
pub(super) fn code(
    report: &mut Report<'_>,
    node: &Node,
    text: &str,
    element: &str,
    codes: &RequiredCodes,
) {
    let text = text.trim();
    if !codes.has(text) {
        let message = format!("`{text}` is no code of `{element}`");
        report.wrong::<()>(Code::NotACode, message, node, &codes.instead_of(text));
    }
}

/// Refuses a CodeableConcept without one of the codes. One is enough: beside it may be codes of other
/// systems. A slip of the pen is refused in any case.
pub(super) fn concept(report: &mut Report<'_>, node: &Node, element: &str, codes: &RequiredCodes) {
    let mut codings = vec![];
    collect(node, &mut codings);
    // What is made of expressions is looked at when it is made.
    codings.retain(|coding| !coding.code.0.contains("{{"));
    let enough = codings.iter().any(|coding| coding.is_of(codes));
    for coding in codings.iter().filter(|coding| !coding.is_of(codes)) {
        if !enough || coding.is_slip(codes) {
            coding.refuse(report, element, codes);
        }
    }
}

/// A system and a code as they are written in a case.
struct Coding<'n> {
    /// As in FHIR, with where it stands.
    system: Option<(String, &'n Node)>,
    code: (String, &'n Node),
    /// Whether it is written as one text; without a system that of the codes is meant.
    short: bool,
}

fn collect<'n>(node: &'n Node, found: &mut Vec<Coding<'n>>) {
    let text = |node: &'n Node| node.scalar().map(|s| (s.text.trim().to_owned(), node));
    match &node.value {
        Value::Scalar(scalar) => {
            let (system, code) = match scalar.text.rsplit_once('|') {
                Some((system, code)) => (system_of(system.trim()), code.trim()),
                None => (None, scalar.text.trim()),
            };
            found.push(Coding {
                system: system.map(|system| (system.to_owned(), node)),
                code: (code.to_owned(), node),
                short: true,
            });
        }
        Value::Sequence(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Mapping(entries) => {
            let find = |name: &str| entries.iter().find(|e| e.key == name).map(|e| &e.value);
            if let Some(codings) = find("coding") {
                collect(codings, found);
            } else if let Some(code) = find("code").and_then(text) {
                found.push(Coding {
                    system: find("system").and_then(text),
                    code,
                    short: false,
                });
            }
        }
    }
}

impl Coding<'_> {
    fn is_of(&self, codes: &RequiredCodes) -> bool {
        match &self.system {
            Some((system, _)) => codes.has_in(system, &self.code.0),
            None => codes.has(&self.code.0),
        }
    }

    /// Whether it is one of the codes, but for how it or its system is written.
    fn is_slip(&self, codes: &RequiredCodes) -> bool {
        let code = &self.code.0;
        match &self.system {
            None => self.short || codes.is_slip(code),
            Some((system, _)) if codes.urls().any(|url| url == system) => codes.is_slip(code),
            Some((system, _)) => codes.has(code) && did_you_mean(system, codes.urls()).is_some(),
        }
    }

    fn refuse(&self, report: &mut Report<'_>, element: &str, codes: &RequiredCodes) {
        let (code, node) = &self.code;
        let system = self.system.as_ref().filter(|_| codes.has(code));
        let (message, node, help) = match system {
            Some((system, node)) => {
                let urls: Vec<&str> = codes.urls().collect();
                let urls = urls.join("` or `");
                let help = match self.short {
                    true => format!("write `{code}`: its system is `{urls}`"),
                    false => format!("write `{urls}`"),
                };
                let message = format!("`{system}` is not the system of `{code}` in `{element}`");
                (message, *node, help)
            }
            None => {
                let message = format!("`{code}` is no code of `{element}`");
                (message, *node, codes.instead_of(code))
            }
        };
        report.wrong::<()>(Code::NotACode, message, node, &help);
    }
}
