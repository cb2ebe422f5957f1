//! Constants done at load: an operator applied to constants gives a constant.

use bumpalo::Bump;

use crate::context::cx::{Cx, Extra, Notes};
use crate::tree::node::{OpFn, Owned, OwnedCode};
use crate::values::value::{Code, Concept, Quantity, Val};
use engine_patient::system::date_time::DateTime;
use engine_patient::system::units::Units;
use engine_patient::system::zone::UTC;

/// The value of an operator on constants; `None` where it cannot be told at load, or fails.
pub fn apply(operator: OpFn, args: &[&Owned], extra: &Extra) -> Option<Owned> {
    let (arena, units) = (Bump::new(), Units::default());
    let cx = Cx {
        arena: &arena,
        now: DateTime::parse("2000-01-01T00:00:00Z")?,
        zone: &UTC,
        units: &units,
        notes: Notes::default(),
        doubts: crate::context::doubt::Doubts::default(),
        steps: std::cell::Cell::new(10_000),
        memory: crate::context::cx::MEMORY,
        exhausted: Default::default(),
        nested: std::cell::Cell::new(0),
    };
    let mut values = vec![];
    for arg in args {
        values.push(borrow(&cx, arg)?);
    }
    own(operator(&cx, &values, extra).ok()?)
}

fn code_ref(code: &OwnedCode) -> Code<'_> {
    Code {
        code: code.code.as_deref(),
        system: code.system.as_deref(),
        version: code.version.as_deref(),
        display: code.display.as_deref(),
        key: code.key,
    }
}

fn borrow<'a>(cx: &Cx<'a>, value: &'a Owned) -> Option<Val<'a>> {
    Some(match value {
        Owned::Null => Val::Null,
        Owned::Boolean(b) => Val::Boolean(*b),
        Owned::Integer(i) => Val::Integer(*i),
        Owned::Long(l) => Val::Long(*l),
        Owned::Decimal(d) => Val::Decimal(*d),
        Owned::String(text) => Val::String(text),
        Owned::Date(d) => Val::Date(*d),
        Owned::Time(t) => Val::Time(*t),
        Owned::Quantity(value, unit) => Val::Quantity(
            cx.keep(Quantity {
                value: *value,
                unit,
            })
            .ok()?,
        ),
        Owned::Code(code) => Val::Code(cx.keep(code_ref(code)).ok()?),
        Owned::Concept(codes, display) => {
            let codes: Vec<Code<'a>> = codes.iter().map(code_ref).collect();
            let concept = Concept {
                codes: cx.slice(&codes).ok()?,
                display: display.as_deref(),
            };
            Val::Concept(cx.keep(concept).ok()?)
        }
        Owned::List(items) => {
            let mut out = vec![];
            for item in items {
                out.push(borrow(cx, item)?);
            }
            cx.list(&out).ok()?
        }
        Owned::DateTime(_) | Owned::Ratio(_) | Owned::ValueSet(_) | Owned::CodeSystem(_) => {
            return None;
        }
    })
}

fn own_code(code: &Code<'_>) -> OwnedCode {
    let text = |t: Option<&str>| t.map(Box::from);
    OwnedCode {
        code: text(code.code),
        system: text(code.system),
        version: text(code.version),
        display: text(code.display),
        key: code.key,
    }
}

/// A value that outlives its arena; `None` of what constants are not.
fn own(value: Val<'_>) -> Option<Owned> {
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
        Val::Code(code) => Owned::Code(Box::new(own_code(code))),
        Val::Concept(concept) => Owned::Concept(
            concept.codes.iter().map(own_code).collect(),
            concept.display.map(Box::from),
        ),
        Val::List(items) => Owned::List(items.iter().map(|i| own(*i)).collect::<Option<_>>()?),
        _ => return None,
    })
}
