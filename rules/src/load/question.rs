//! What a rule asks of a patient, by its kind.

use std::sync::OnceLock;

use engine_cel::{Compiled, Ty};
use engine_patient::finding::Code;

use super::compile::Compiler;
use super::defines::define_name;
use super::fields::Fields;
use crate::program::{Alert, Gap, Question};
use crate::table::Table;
use crate::words::Kind;
use crate::yaml::Node;

impl Compiler<'_, '_> {
    /// Checks the list of `for_each`, and makes its item and the row known.
    pub fn for_each(
        &mut self,
        fields: &Fields<'_>,
        table: Option<&Table>,
    ) -> Result<Option<engine_cel::Compiled>, ()> {
        let columns = table.map(Table::typed).unwrap_or_default();
        let Some(node) = fields.get("for_each") else {
            self.checker.iterate(None, columns);
            return Ok(None);
        };
        let entries = self.report.entries(node, "`for_each`");
        let [entry] = entries else {
            if !entries.is_empty() {
                let message = format!("`for_each` has {} names", entries.len());
                let help =
                    "one name and its list, as in `order: selections(\"MedicationRequest\")`";
                self.report
                    .wrong::<()>(Code::WrongValue, message, node, help);
            }
            self.checker.iterate(None, columns);
            return Err(());
        };
        define_name(self.report, entry);
        if self.is_defined(fields, &entry.key) {
            let name = entry.key.as_str();
            let message = format!("`{name}` is the name of a definition, too");
            let help = "give the item a name of its own".to_owned();
            let span = (entry.at, entry.at + name.chars().count());
            self.report.error(Code::BadName, message, span, Some(help));
        }
        let list = Ty::List(Box::new(Ty::Any));
        let compiled = self.expression(Some(&entry.value), Some(&list));
        let ty = match compiled.as_ref().map(|c| &c.ty) {
            Some(Ty::List(item)) => item.as_ref().clone(),
            _ => Ty::Any,
        };
        self.checker.iterate(Some((entry.key.clone(), ty)), columns);
        compiled.map(Some).ok_or(())
    }

    /// The criteria of a rule.
    pub fn question(
        &mut self,
        fields: &Fields<'_>,
        kind: Kind,
        items: Result<Option<engine_cel::Compiled>, ()>,
        table: Option<Table>,
    ) -> Option<Question> {
        let truth = Some(&Ty::Bool);
        if kind == Kind::CareGap {
            let eligible = self.expression(fields.get("eligible"), truth);
            let excluded = self.expression(fields.get("excluded"), truth);
            let satisfied = self.expression(fields.get("satisfied"), truth);
            let due = fields.get("due");
            let due = due.map(|n| self.expression(Some(n), Some(&Ty::Time)));
            return Some(Question::Gap(Box::new(Gap {
                eligible: eligible?,
                excluded: excluded?,
                satisfied: satisfied?,
                due: match due {
                    Some(due) => Some(due?),
                    None => None,
                },
            })));
        }
        let when = self.expression(fields.get("when"), truth);
        let acted_on = fields.get("acted_on");
        let acted_on = acted_on.map(|n| self.expression(Some(n), truth));
        let per = fields.get("one_card_per");
        let per = per.map(|n| self.text_or_texts(n));
        Some(Question::Alert(Box::new(Alert {
            items: items.ok()?,
            table,
            when: when?,
            acted_on: match acted_on {
                Some(acted_on) => Some(acted_on?),
                None => None,
            },
            one_card_per: match per {
                Some(per) => Some(per?),
                None => None,
            },
            by_drug: OnceLock::new(),
        })))
    }

    /// A text, or a list of them.
    fn text_or_texts(&mut self, node: &Node) -> Option<Compiled> {
        let several = Ty::String.list();
        let source = self.report.text_of(node)?;
        let is_list = self.checker.compile(&source, Some(&several)).is_ok();
        let wanted = if is_list { several } else { Ty::String };
        self.expression(Some(node), Some(&wanted))
    }
}
