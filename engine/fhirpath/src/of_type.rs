//! `ofType` and `as`: one type of a choice element, or of any resource.

use super::ast::Ast;
use super::compile::{Compiler, Typed};
use super::error::{Refused, wrong};
use super::expr::Expr;
use super::field::Field;
use super::members::property;
use super::types::{Kind, Type, canonical, is_abstract};
use engine_patient::fhir::model::{Cardinality, Model};
use engine_patient::fhir::names::choice_name;
use engine_patient::finding::Code;

impl Compiler<'_> {
    /// `base.ofType(wanted)`
    pub(super) fn of_type(
        &mut self,
        at: usize,
        base: Typed,
        wanted: &Ast,
    ) -> Result<Typed, Refused> {
        let wanted = self.type_argument(wanted)?;
        let model = Model::r4();
        let ty = Type {
            kind: Kind::Is(wanted),
            many: base.ty.many,
        };
        match base.ty.kind {
            Kind::Is(own) if model.is_a(own, wanted) => Ok(base),
            Kind::OneOf(types) if !types.iter().any(|t| canonical(t) == wanted) => Err(wrong(
                Code::PathChoice,
                at,
                format!("this element is never a `{wanted}`"),
            )
            .help(format!("it is {}", base.ty.shown()))),
            Kind::OneOf(_) => match choice(&base.expr) {
                Some(element) => Ok(Typed::new(
                    narrowed(base.expr, &choice_name(&element, wanted)),
                    ty,
                )),
                None => Err(wrong(
                    Code::PathChoice,
                    at,
                    "`ofType` must stand directly after the element that is the choice",
                )),
            },
            kind => {
                let resource = model.get(wanted).is_some_and(|t| t.is_resource);
                let open = matches!(kind, Kind::Unknown)
                    || matches!(kind, Kind::Is(own) if is_abstract(own));
                match choice(&base.expr) {
                    _ if resource && open => {
                        Ok(Typed::new(Expr::OfResource(base.boxed(), wanted), ty))
                    }
                    Some(element) if open => Ok(Typed::new(
                        narrowed(base.expr, &choice_name(&element, wanted)),
                        ty,
                    )),
                    _ => Err(
                        wrong(Code::PathType, at, format!("this is never a `{wanted}`"))
                            .help(format!("it is {}", base.ty.shown())),
                    ),
                }
            }
        }
    }
}

/// The choice element whose values an expression gives, seen through what only picks among them.
fn choice(expr: &Expr) -> Option<String> {
    let mut expr = expr;
    loop {
        match expr {
            Expr::Fields(_, fields) => {
                let names: Vec<&str> = match fields.last()? {
                    Field::Any(names) => names.iter().map(|n| n.as_str()).collect(),
                    Field::Named(names) => names.iter().map(|n| &**n).collect(),
                    Field::One(_) => return None,
                };
                return element_of(&names);
            }
            Expr::First(inner) | Expr::Last(inner) | Expr::Where(inner, _) | Expr::At(inner, _) => {
                expr = inner
            }
            _ => return None,
        }
    }
}

/// `value` of `valueQuantity`, `valueString`, …: what they share, up to the type's capital.
fn element_of(names: &[&str]) -> Option<String> {
    let elements = Model::r4().types().flat_map(|t| t.elements.iter());
    let mut elements = elements.filter(|e| e.cardinality == Cardinality::Choice);
    let first = names.iter().max_by_key(|n| n.len())?;
    let found = elements.find(|e| {
        let all = names.iter().all(|n| n.starts_with(e.name));
        all && e
            .types
            .iter()
            .any(|t| choice_name(e.name, canonical(t)) == *first)
    });
    found.map(|e| e.name.to_owned())
}

/// The choice narrowed to one type: by the name where the step is at hand, else by looking.
fn narrowed(expr: Expr, name: &str) -> Expr {
    match expr {
        Expr::Fields(inner, mut fields) => {
            fields.pop();
            fields.push(property(name));
            Expr::Fields(inner, fields)
        }
        other => Expr::OfChoice(Box::new(other), property(name)),
    }
}
