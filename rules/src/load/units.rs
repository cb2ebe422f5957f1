//! Units in cases: of UCUM.

use engine_patient::fhir::model::Model;
use engine_patient::finding::Code;
use engine_patient::system::units::written;

use super::fields::Report;
use crate::yaml::{Entry, Node};

const UCUM: &str = "http://unitsofmeasure.org";

/// Whether a type has a number with a unit.
pub(super) fn is_quantity(ty: &str) -> bool {
    ty.starts_with(|c: char| c.is_ascii_uppercase()) && Model::r4().is_a(ty, "Quantity")
}

/// A Quantity that is written out: its code where it says that it is of UCUM. A warning only: data may have
/// what is no unit, and a case may say so.
pub(super) fn of_mapping(report: &mut Report<'_>, entries: &[Entry]) {
    let find = |name: &str| entries.iter().find(|e| e.key == name).map(|e| &e.value);
    let text = |node: &Node| node.scalar().map(|s| s.text.trim().to_owned());
    let system = find("system").and_then(text);
    if let (Some(UCUM), Some(code)) = (system.as_deref(), find("code"))
        && let Some(unit) = text(code)
    {
        check(report, code, &unit, false);
    }
}

/// The short form, which says that the unit is of UCUM: refused where it is none. No unit at all is a number
/// without one.
pub(super) fn of_text(report: &mut Report<'_>, node: &Node, unit: &str) {
    check(report, node, unit, true);
}

fn check(report: &mut Report<'_>, node: &Node, unit: &str, short: bool) {
    if unit.is_empty() {
        return;
    }
    let span = (node.at, node.end);
    if !written::is_ucum(unit) {
        let help = match written::meant(unit) {
            Some(meant) => format!("write `{meant}`"),
            None => "write it as UCUM has it, as in `mg/dL`, `mm[Hg]`, `%` or `mL/min/{1.73_m2}`; what it has no unit for stands in braces, as in `{score}`".into(),
        };
        let out = match short {
            true => "; for another system of units write the Quantity out",
            false => "",
        };
        let help = Some(format!("{help}{out}"));
        let message = format!("`{unit}` is not a unit of UCUM");
        match short {
            true => report.error(Code::NotAUnit, message, span, help),
            false => report.warning(Code::NotAUnit, message, span, help),
        }
    } else if let Some(usual) = written::mistaken(unit) {
        let message = format!("`{unit}` is a unit of UCUM, but another one than `{usual}`");
        let help = Some(format!("did you mean `{usual}`?"));
        report.warning(Code::NotAUnit, message, span, help);
    }
}
