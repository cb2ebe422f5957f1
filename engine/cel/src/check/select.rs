//! Elements of resources and datatypes, by the FHIR model.

use cel::common::ast::{Expr, SelectExpr};
use engine_patient::fhir::model::Model;
use engine_patient::finding::{Code, did_you_mean};

use super::pass::{Checked, Pass};
use crate::nodes::{Node, NodeKind, Select, Span};
use crate::types::{self, Ty};
use crate::value::Val;

impl Pass<'_> {
    /// `row.name`: a column of the table, where there is one and `row` is no variable.
    fn column(&mut self, select: &SelectExpr, span: Span) -> Option<Checked> {
        let is_row = matches!(&select.operand.expr, Expr::Ident(name) if name == "row");
        let shadowed = self.scope.iter().any(|(name, _)| name == "row");
        if !is_row || shadowed || self.symbols.columns.is_empty() {
            return None;
        }
        let columns = &self.symbols.columns;
        let field = select.field.as_str();
        let found = columns.iter().position(|(name, _)| name == field);
        let Some((index, ty)) = found.and_then(|i| Some((i, columns.get(i)?.1.clone()))) else {
            let names = columns.iter().map(|(name, _)| name.as_str());
            let help = match did_you_mean(field, names.clone()) {
                Some(near) => format!("did you mean `row.{near}`?"),
                None => format!("it has `{}`", names.collect::<Vec<_>>().join("`, `")),
            };
            let message = format!("the table has no column `{field}`");
            return Some(self.wrong(Code::UnknownElement, message, span, Some(help)));
        };
        self.varies = true;
        self.by_row = true;
        if select.test {
            let kind = NodeKind::HasCell(index);
            return Some((Node { kind, span }, Ty::Bool));
        }
        let kind = NodeKind::Column(index);
        Some((Node { kind, span }, ty))
    }

    pub(super) fn select(&mut self, select: &SelectExpr, span: Span) -> Checked {
        if let Some(column) = self.column(select, span) {
            return column;
        }
        let (operand, ty) = self.expr(&select.operand);
        let field = select.field.as_str();
        let place = self.places.field(operand.span.1, field);
        let owner = match &ty {
            Ty::Element(owner) => *owner,
            Ty::Any => {
                return (
                    Node {
                        kind: NodeKind::Constant(Val::unknown(
                            "an empty list has no item to read from",
                        )),
                        span,
                    },
                    Ty::Any,
                );
            }
            Ty::List(_) => {
                let message = format!("`{field}` cannot be read from a list");
                let help = format!(
                    "say which: `.exists(x, x.{field} …)`, `.latest().{field}` or `.first().{field}`"
                );
                return self.wrong(Code::List, message, place, Some(help));
            }
            Ty::Choice(_, name) => {
                let message =
                    format!("`{name}` can be of several types: `{field}` cannot be read from it");
                let help = format!("name the type, as in `{name}Quantity.{field}`");
                return self.wrong(Code::Choice, message, place, Some(help));
            }
            other => {
                let message = format!("{other} has no element `{field}`");
                return self.wrong(Code::WrongType, message, place, None);
            }
        };
        let Some(found) = types::select(owner, field) else {
            let model = Model::r4();
            let near = did_you_mean(field, model.elements(owner).map(|e| e.name));
            let help = match near {
                _ if known_elsewhere_of(owner, field).is_some() => {
                    known_elsewhere_of(owner, field).unwrap_or_default()
                }
                Some(near) => format!("did you mean `{near}`?"),
                None if owner == "Resource" => {
                    "items of `medications()` are requests and statements: ask `isDrug(x, …)`, `drugName(x)`, `start(x)`, or take `MedicationRequest()`".to_owned()
                }
                None => {
                    let names: Vec<_> = model.elements(owner).map(|e| e.name).take(14).collect();
                    format!("it has `{}`", names.join("`, `"))
                }
            };
            let message = format!("`{owner}` has no element `{field}`");
            return self.wrong(Code::UnknownElement, message, place, Some(help));
        };
        let select_node = Box::new(Select {
            operand,
            owner,
            name: field.to_owned(),
            properties: found.properties,
            many: found.many,
            coded: types::coded_element(owner, field),
            missing: format!("`{owner}.{field}` is missing"),
            withheld: format!("`{owner}.{field}` has no value, but a reason why"),
            malformed: format!("`{owner}.{field}` is not as FHIR has it"),
        });
        if select.test {
            if owner == "Patient" && field.starts_with("deceased") {
                let message = format!(
                    "`has(patient.{field})` tells that something is recorded, also that the patient lives or when they died later"
                );
                let help = "write `deceased(at)`: whether the patient was dead at that moment";
                self.problem(Code::PresenceIsNotDeath, message, place, Some(help.into()));
            }
            return (
                Node {
                    kind: NodeKind::Has(select_node),
                    span,
                },
                Ty::Bool,
            );
        }
        let ty = if found.many {
            found.ty.list()
        } else {
            found.ty
        };
        (
            Node {
                kind: NodeKind::Select(select_node),
                span,
            },
            ty,
        )
    }
}

/// What stands for an element that FHIR has elsewhere, or under another name.
fn known_elsewhere_of(owner: &str, field: &str) -> Option<String> {
    let told = match (owner, field.to_ascii_lowercase().as_str()) {
        ("Patient", "age" | "ageinyears") => "write `ageInYearsAt(at)`",
        ("Patient", "sex") => "write `patient.gender`",
        ("Patient", "dob" | "dateofbirth" | "birthday" | "born") => "write `patient.birthDate`",
        ("Patient", "dead" | "died" | "alive") => {
            "write `deceased(at)`; the dead are left out of rules already"
        }
        ("MedicationRequest", "dose" | "dosage" | "dosequantity" | "strength") => {
            "the dose stands in the instructions: `dosageInstruction.exists(d, d.doseAndRate.exists(r, quantityIn(r.dose, \"mg\") > 50.0))`"
        }
        ("MedicationRequest" | "MedicationStatement", "drug" | "ingredient" | "name" | "code") => {
            "ask `isDrug(x, \"warfarin\")` or `inDrugClass(x, \"nsaid\")`; `drugName(x)` is the name"
        }
        (_, "date" | "time" | "when") => {
            "write `start(x)`, or `end(x)`: the date that a resource has"
        }
        _ => return None,
    };
    Model::r4()
        .element(owner, field)
        .is_none()
        .then(|| told.to_owned())
}
