//! Constants done at load: an operator applied to constants gives a constant.

use bumpalo::Bump;

use crate::context::cx::{Cx, Extra, Notes};
use crate::operators::operator::Operator;
use crate::tree::constant::Owned;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::units::Units;
use engine_patient::system::zone::UTC;

/// The value of an operator on constants; `None` where it cannot be told at load, or fails.
pub fn apply(operator: &Operator, args: &[&Owned], extra: &Extra) -> Option<Owned> {
    let (arena, units) = (Bump::new(), Units::default());
    let cx = Cx {
        arena: &arena,
        now: DateTime::parse("2000-01-01T00:00:00Z")?,
        zone: &UTC,
        units: &units,
        notes: Notes::default(),
        doubts: crate::context::doubts::Doubts::default(),
        steps: std::cell::Cell::new(10_000),
        memory: crate::context::cx::MEMORY,
        exhausted: Default::default(),
        nested: std::cell::Cell::new(0),
    };
    let mut values = vec![];
    for arg in args {
        if !is_told(arg) {
            return None;
        }
        values.push(arg.value(&cx).ok()?);
    }
    Owned::of((operator.run)(&cx, &values, extra).ok()?)
}

/// Whether a constant is the same in every run: a date-time without an offset takes that of the run.
fn is_told(constant: &Owned) -> bool {
    match constant {
        Owned::DateTime(_) | Owned::Ratio(_) | Owned::ValueSet(_) | Owned::CodeSystem(_) => false,
        Owned::List(items) => items.iter().all(is_told),
        _ => true,
    }
}
