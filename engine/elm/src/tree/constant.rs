//! Constants of the compiled tree.

use std::sync::Arc;

use rust_decimal::Decimal;

use crate::context::fault::Out;
use crate::context::state::EvaluationState;
use crate::values::value::{Code, CodeSystemVal, Concept, Quantity, Ratio, Val, ValueSetVal};
use engine_patient::system::date_time::DateTime;
use engine_patient::system::time_of_day::Time;
use engine_patient::terminology::ValueSet;

/// A constant, as the compiled tree holds it.
#[derive(Clone, Debug)]
pub enum Constant {
    Null,
    Boolean(bool),
    Integer(i32),
    Long(i64),
    Decimal(Decimal),
    String(Box<str>),
    Date(DateTime),
    DateTime(DateTime),
    Time(Time),
    Quantity(Decimal, Box<str>),
    Ratio(Box<[(Decimal, Box<str>); 2]>),
    Code(Box<ConstantCode>),
    Concept(Box<[ConstantCode]>, Option<Box<str>>),
    ValueSet(Box<ConstantValueSet>),
    CodeSystem(Box<ConstantCodeSystem>),
    List(Box<[Constant]>),
}

#[derive(Clone, Debug)]
pub struct ConstantCode {
    pub code: Option<Box<str>>,
    pub system: Option<Box<str>>,
    pub version: Option<Box<str>>,
    pub display: Option<Box<str>>,
    pub key: i64,
}

#[derive(Clone, Debug)]
pub struct ConstantValueSet {
    pub id: Box<str>,
    pub version: Option<Box<str>>,
    pub name: Box<str>,
    pub set: Option<Arc<ValueSet>>,
}

#[derive(Clone, Debug)]
pub struct ConstantCodeSystem {
    pub id: Box<str>,
    pub version: Option<Box<str>>,
    pub name: Box<str>,
}

impl ConstantCode {
    fn of(code: &Code<'_>) -> Self {
        let text = |t: Option<&str>| t.map(Box::from);
        ConstantCode {
            code: text(code.code),
            system: text(code.system),
            version: text(code.version),
            display: text(code.display),
            key: code.key,
        }
    }

    fn value(&self) -> Code<'_> {
        Code {
            code: self.code.as_deref(),
            system: self.system.as_deref(),
            version: self.version.as_deref(),
            display: self.display.as_deref(),
            key: self.key,
        }
    }
}

impl Constant {
    /// A value that outlives its arena; `None` of what constants are not.
    pub fn of(value: Val<'_>) -> Option<Constant> {
        Some(match value {
            Val::Null => Constant::Null,
            Val::Boolean(b) => Constant::Boolean(b),
            Val::Integer(i) => Constant::Integer(i),
            Val::Long(l) => Constant::Long(l),
            Val::Decimal(d) => Constant::Decimal(d),
            Val::String(text) => Constant::String(text.into()),
            Val::Date(d) => Constant::Date(d),
            Val::Time(t) => Constant::Time(t),
            Val::Quantity(q) => Constant::Quantity(q.value, q.unit.into()),
            Val::Code(code) => Constant::Code(Box::new(ConstantCode::of(code))),
            Val::Concept(concept) => Constant::Concept(
                concept.codes.iter().map(ConstantCode::of).collect(),
                concept.display.map(Box::from),
            ),
            Val::List(items) => Constant::List(
                items
                    .iter()
                    .map(|i| Constant::of(*i))
                    .collect::<Option<_>>()?,
            ),
            _ => return None,
        })
    }

    /// Its value, in the arena where it is no plain one.
    pub fn value<'a>(&'a self, cx: &EvaluationState<'a>) -> Out<'a> {
        Ok(match self {
            Constant::Null => Val::Null,
            Constant::Boolean(b) => Val::Boolean(*b),
            Constant::Integer(i) => Val::Integer(*i),
            Constant::Long(l) => Val::Long(*l),
            Constant::Decimal(d) => Val::Decimal(*d),
            Constant::String(text) => Val::String(text),
            Constant::Date(d) => Val::Date(*d),
            Constant::DateTime(d) => Val::DateTime(d.with_zone(cx.zone)),
            Constant::Time(t) => Val::Time(*t),
            Constant::Quantity(value, unit) => return cx.quantity(*value, unit),
            Constant::Ratio(parts) => {
                let [(n, nu), (d, du)] = &**parts;
                let part = |value: Decimal, unit: &'a str| Quantity { value, unit };
                Val::Ratio(cx.keep(Ratio {
                    numerator: part(*n, nu),
                    denominator: part(*d, du),
                })?)
            }
            Constant::Code(code) => Val::Code(cx.keep(code.value())?),
            Constant::Concept(codes, display) => {
                let codes: Vec<Code<'a>> = codes.iter().map(ConstantCode::value).collect();
                Val::Concept(cx.keep(Concept {
                    codes: cx.slice(&codes)?,
                    display: display.as_deref(),
                })?)
            }
            Constant::ValueSet(set) => Val::ValueSet(cx.keep(ValueSetVal {
                id: &set.id,
                version: set.version.as_deref(),
                name: &set.name,
                set: set.set.as_deref(),
            })?),
            Constant::CodeSystem(system) => Val::CodeSystem(cx.keep(CodeSystemVal {
                id: &system.id,
                version: system.version.as_deref(),
                name: &system.name,
            })?),
            Constant::List(items) => {
                let mut out = Vec::with_capacity(items.len());
                for item in items {
                    out.push(item.value(cx)?);
                }
                cx.list(&out)?
            }
        })
    }
}
