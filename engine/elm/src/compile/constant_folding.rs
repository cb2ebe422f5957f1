//! Constants done at load: an operator applied to constants gives a constant.

use bumpalo::Bump;

use crate::context::metrics::EvaluationMetrics;
use crate::context::state::EvaluationState;
use crate::operators::operator::Attributes;
use crate::operators::operator::Operator;
use crate::tree::constant::Constant;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::units::Units;
use engine_patient::system::zone::UTC;

/// The value of an operator on constants; `None` where it cannot be told at load, or fails.
pub fn apply(operator: &Operator, args: &[&Constant], extra: &Attributes) -> Option<Constant> {
    let (arena, units) = (Bump::new(), Units::default());
    let cx = EvaluationState {
        arena: &arena,
        now: DateTime::parse("2000-01-01T00:00:00Z")?,
        zone: &UTC,
        units: &units,
        metrics: EvaluationMetrics::default(),
        doubts: crate::context::doubts::Doubts::default(),
        steps: std::cell::Cell::new(10_000),
        memory: crate::context::state::MEMORY,
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
    Constant::of((operator.run)(&cx, &values, extra).ok()?)
}

/// Whether a constant is the same in every run: a date-time without an offset takes that of the run.
fn is_told(constant: &Constant) -> bool {
    match constant {
        Constant::DateTime(_)
        | Constant::Ratio(_)
        | Constant::ValueSet(_)
        | Constant::CodeSystem(_) => false,
        Constant::List(items) => items.iter().all(is_told),
        _ => true,
    }
}
