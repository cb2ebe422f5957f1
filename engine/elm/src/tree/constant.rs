//! Constants of the compiled tree.

use std::sync::Arc;

use rust_decimal::Decimal;

use crate::context::cx::{Cx, Out};
use crate::values::value::{Code, CodeSystemVal, Concept, Quantity, Ratio, Val, ValueSetVal};
use engine_patient::system::date_time::DateTime;
use engine_patient::system::time_of_day::Time;
use engine_patient::terminology::ValueSet;

/// A constant, as the unit holds it.
#[derive(Clone, Debug)]
pub enum Owned {
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
    Code(Box<OwnedCode>),
    Concept(Box<[OwnedCode]>, Option<Box<str>>),
    ValueSet(Box<OwnedValueSet>),
    CodeSystem(Box<OwnedCodeSystem>),
    List(Box<[Owned]>),
}

#[derive(Clone, Debug)]
pub struct OwnedCode {
    pub code: Option<Box<str>>,
    pub system: Option<Box<str>>,
    pub version: Option<Box<str>>,
    pub display: Option<Box<str>>,
    pub key: i64,
}

#[derive(Clone, Debug)]
pub struct OwnedValueSet {
    pub id: Box<str>,
    pub version: Option<Box<str>>,
    pub name: Box<str>,
    pub set: Option<Arc<ValueSet>>,
}

#[derive(Clone, Debug)]
pub struct OwnedCodeSystem {
    pub id: Box<str>,
    pub version: Option<Box<str>>,
    pub name: Box<str>,
}

impl OwnedCode {
    fn of(code: &Code<'_>) -> Self {
        let text = |t: Option<&str>| t.map(Box::from);
        OwnedCode {
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

impl Owned {
    /// A value that outlives its arena; `None` of what constants are not.
    pub fn of(value: Val<'_>) -> Option<Owned> {
        Some(match value {
            Val::Null => Owned::Null,
            Val::Boolean(b) => Owned::Boolean(b),
            Val::Integer(i) => Owned::Integer(i),
            Val::Long(l) => Owned::Long(l),
            Val::Decimal(d) => Owned::Decimal(d),
            Val::String(text) => Owned::String(text.into()),
            Val::Date(d) => Owned::Date(d),
            Val::Time(t) => Owned::Time(t),
            Val::Quantity(q) => Owned::Quantity(q.value, q.unit.into()),
            Val::Code(code) => Owned::Code(Box::new(OwnedCode::of(code))),
            Val::Concept(concept) => Owned::Concept(
                concept.codes.iter().map(OwnedCode::of).collect(),
                concept.display.map(Box::from),
            ),
            Val::List(items) => {
                Owned::List(items.iter().map(|i| Owned::of(*i)).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }

    /// Its value, in the arena where it is no plain one.
    pub fn value<'a>(&'a self, cx: &Cx<'a>) -> Out<'a> {
        Ok(match self {
            Owned::Null => Val::Null,
            Owned::Boolean(b) => Val::Boolean(*b),
            Owned::Integer(i) => Val::Integer(*i),
            Owned::Long(l) => Val::Long(*l),
            Owned::Decimal(d) => Val::Decimal(*d),
            Owned::String(text) => Val::String(text),
            Owned::Date(d) => Val::Date(*d),
            Owned::DateTime(d) => Val::DateTime(d.with_zone(cx.zone)),
            Owned::Time(t) => Val::Time(*t),
            Owned::Quantity(value, unit) => return cx.quantity(*value, unit),
            Owned::Ratio(parts) => {
                let [(n, nu), (d, du)] = &**parts;
                let part = |value: Decimal, unit: &'a str| Quantity { value, unit };
                Val::Ratio(cx.keep(Ratio {
                    numerator: part(*n, nu),
                    denominator: part(*d, du),
                })?)
            }
            Owned::Code(code) => Val::Code(cx.keep(code.value())?),
            Owned::Concept(codes, display) => {
                let codes: Vec<Code<'a>> = codes.iter().map(OwnedCode::value).collect();
                Val::Concept(cx.keep(Concept {
                    codes: cx.slice(&codes)?,
                    display: display.as_deref(),
                })?)
            }
            Owned::ValueSet(set) => Val::ValueSet(cx.keep(ValueSetVal {
                id: &set.id,
                version: set.version.as_deref(),
                name: &set.name,
                set: set.set.as_deref(),
            })?),
            Owned::CodeSystem(system) => Val::CodeSystem(cx.keep(CodeSystemVal {
                id: &system.id,
                version: system.version.as_deref(),
                name: &system.name,
            })?),
            Owned::List(items) => {
                let mut out = Vec::with_capacity(items.len());
                for item in items {
                    out.push(item.value(cx)?);
                }
                cx.list(&out)?
            }
        })
    }
}
