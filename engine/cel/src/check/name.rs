//! Names.

use engine_patient::fhir::model::Model;
use engine_patient::finding::{Code, did_you_mean};

use super::habits::known_elsewhere;
use super::pass::{Checked, Pass};
use super::symbols::{find, names};
use crate::nodes::{Node, NodeKind, Span};
use crate::types::Ty;

/// The names of every expression.
pub(super) const KNOWN: &str = "known are `patient`, `at`, `period_start`, `period_end`";

/// How the help for an element of the patient begins.
pub(super) const OF_PATIENT: &str = "write `patient.";

impl Pass<'_> {
    /// A variable, a definition, or one of the names that every expression has.
    pub(super) fn identifier(&mut self, name: &str, span: Span) -> Checked {
        let node = |kind| Node { kind, span };
        if let Some(slot) = self.scope.iter().rposition(|(n, _)| n == name) {
            let ty = self.scope.get(slot).map_or(Ty::Any, |(_, t)| t.clone());
            return (node(NodeKind::Local(slot)), ty);
        }
        // Before the definitions: one of a library must not stand in for what the rule is about.
        if let Some((_, ty)) = self.symbols.item.as_ref().filter(|(item, _)| item == name) {
            self.varies = true;
            return (node(NodeKind::Item), ty.clone());
        }
        if let Some((index, definition)) = find(&mut self.symbols.definitions, name) {
            self.deepest = self.deepest.max(self.depth + definition.depth);
            let ty = definition.ty.clone();
            self.varies |= definition.varies;
            self.by_row |= definition.by_row;
            return (node(NodeKind::Define(index)), ty);
        }
        match name {
            "hook" => (node(NodeKind::Hook), Ty::String),
            "userId" => (node(NodeKind::User), Ty::String),
            "patient" => (node(NodeKind::Patient), Ty::Element("Patient")),
            "at" => (node(NodeKind::At), Ty::Time),
            "period_start" => (node(NodeKind::PeriodStart), Ty::Time),
            "period_end" => (node(NodeKind::PeriodEnd), Ty::Time),
            _ => {
                let known = [
                    "patient",
                    "at",
                    "period_start",
                    "period_end",
                    "hook",
                    "userId",
                ];
                let known = known.into_iter();
                let locals = self.scope.iter().map(|(n, _)| n.as_str());
                let defines = names(&self.symbols.definitions);
                let item = self.symbols.item.iter().map(|(n, _)| n.as_str());
                let near = did_you_mean(name, known.chain(locals).chain(defines).chain(item));
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => known_elsewhere(name)
                        .or_else(|| of_patient(name))
                        .unwrap_or_else(|| format!("{KNOWN} and the names under `define`")),
                };
                self.wrong(
                    Code::UnknownName,
                    format!("unknown name `{name}`"),
                    span,
                    Some(help),
                )
            }
        }
    }
}

/// `gender` for `patient.gender`.
fn of_patient(name: &str) -> Option<String> {
    let element = Model::r4().element("Patient", name)?;
    Some(format!("{OF_PATIENT}{}`", element.name))
}
