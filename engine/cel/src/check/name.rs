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
                    None => self
                        .of_variable(name)
                        .or_else(|| known_elsewhere(name))
                        .or_else(|| of_patient(name))
                        .or_else(|| self.in_quotes(name))
                        .or_else(|| self.of_item(name))
                        .unwrap_or_else(|| self.known_names()),
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

impl Pass<'_> {
    /// `status` for `o.status`, where `o` is a variable around it.
    pub(super) fn of_variable(&self, name: &str) -> Option<String> {
        let mut scope = self.scope.iter().rev();
        let (variable, _) = scope.find(|(_, ty)| {
            matches!(ty, Ty::Element(owner) if Model::r4().element(owner, name).is_some())
        })?;
        Some(format!("write `{variable}.{name}`"))
    }

    /// The name of a drug or a value set without its quotes.
    fn in_quotes(&mut self, name: &str) -> Option<String> {
        let is_set = names(&self.symbols.value_sets).any(|set| set == name);
        // `anything` would be a text somewhere: only what is known to be one.
        let known = is_set || self.symbols.drugs().set_of(name).is_ok();
        known.then(|| format!("a name of a drug or a value set stands in quotes: `\"{name}\"`"))
    }

    /// What an alert is about, where that has another name, or none.
    fn of_item(&self, name: &str) -> Option<String> {
        let is_item = [
            "order",
            "draft",
            "item",
            "prescription",
            "drug",
            "medication",
        ]
        .contains(&name.to_ascii_lowercase().as_str());
        if !is_item {
            return None;
        }
        Some(match &self.symbols.item {
            Some((item, _)) => format!("the item of `for_each` is called `{item}`"),
            None => format!(
                "write `for_each: {{{name}: selections(\"MedicationRequest\")}}` above: then each order is called `{name}`"
            ),
        })
    }

    /// The names that there are; of very many definitions only where they stand.
    fn known_names(&self) -> String {
        let item = self.symbols.item.iter().map(|(name, _)| name.as_str());
        let own: Vec<&str> = item.chain(names(&self.symbols.definitions)).collect();
        match own.len() {
            0 => format!("{KNOWN} and the names under `define`, of which there is none above"),
            1..=12 => format!("{KNOWN}, and `{}` of this rule", own.join("`, `")),
            _ => format!("{KNOWN} and the names under `define`"),
        }
    }
}

/// `gender` for `patient.gender`.
fn of_patient(name: &str) -> Option<String> {
    let element = Model::r4().element("Patient", name)?;
    Some(format!("{OF_PATIENT}{}`", element.name))
}
