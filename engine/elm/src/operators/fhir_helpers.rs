//! The functions of the library FHIRHelpers, natively: they run for every date, code and quantity.
//!
//! *Invariant:* each gives what its ELM gives (`tests/tests/conformance` runs all decks both ways).

use crate::context::doubt::Doubt;
use crate::context::fault::Out;
use crate::context::state::EvaluationState;
use crate::fhir::elements::{derives, is_primitive, known};
use crate::fhir::values::{
    calendar_unit, code_of, concept_of, is_quantity, period_of, quantity_of, ratio_of,
    system_of_primitive,
};
use crate::operators::operator::Attributes;
use crate::operators::operator::{OpFn, Operator};
use crate::values::value::{Fhir, Interval, PointType, Val};
use engine_patient::record::Kind;

static FUNCTIONS: &[Operator] = &[
    row("ToValue", to_value),
    row("ToInterval", to_interval),
    row("ToQuantity", to_quantity),
    row(
        "ToQuantityIgnoringComparator",
        to_quantity_ignoring_comparator,
    ),
    row("ToRatio", to_ratio),
    row("ToCode", to_code),
    row("ToConcept", to_concept),
    row("ToCalendarUnit", to_calendar_unit),
    row("ToString", primitive),
    row("ToBoolean", primitive),
    row("ToDate", primitive),
    row("ToDateTime", primitive),
    row("ToDecimal", primitive),
    row("ToInteger", primitive),
    row("ToTime", primitive),
];

const fn row(name: &'static str, run: OpFn) -> Operator {
    Operator::new("FHIRHelpers", name, &["operand"], run).unwritten()
}

/// The native form of a function of FHIRHelpers, by its name.
pub fn find(name: &str) -> Option<&'static Operator> {
    FUNCTIONS.iter().find(|row| row.name == name)
}

/// The only operand: `Operator::takes` sees to it that there is one.
fn operand<'a>(args: &[Val<'a>]) -> Val<'a> {
    args.first().copied().unwrap_or(Val::Null)
}

/// The FHIR element of an operand; `None` for null and for what was converted already.
fn fhir<'a>(value: &Val<'a>) -> Option<Fhir<'a>> {
    match value {
        Val::Fhir(fhir) => Some(*fhir),
        _ => None,
    }
}

fn primitive<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _: &Attributes) -> Out<'a> {
    match operand(args) {
        Val::Fhir(fhir) if is_primitive(fhir.ty) => system_of_primitive(cx, &fhir),
        Val::Fhir(_) => Ok(Val::Null),
        other => Ok(other),
    }
}

/// `ToValue`: whatever the element is as a System value, the element itself where it is none.
pub fn to_value<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], extra: &Attributes) -> Out<'a> {
    let value = operand(args);
    let Some(fhir) = fhir(&value) else {
        return Ok(value);
    };
    if is_primitive(fhir.ty) {
        return system_of_primitive(cx, &fhir);
    }
    let known = known();
    if fhir.ty == known.concept {
        to_concept(cx, args, extra)
    } else if fhir.ty == known.coding {
        to_code(cx, args, extra)
    } else if fhir.ty == known.period || fhir.ty == known.range {
        to_interval(cx, args, extra)
    } else if fhir.ty == known.ratio {
        to_ratio(cx, args, extra)
    } else if is_quantity(&fhir) {
        to_quantity(cx, args, extra)
    } else {
        Ok(value)
    }
}

fn to_concept<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _: &Attributes) -> Out<'a> {
    let value = operand(args);
    match fhir(&value).and_then(|f| f.element()) {
        Some(element) => Ok(Val::Concept(cx.keep(concept_of(cx, element)?)?)),
        None => Ok(value),
    }
}

fn to_code<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _: &Attributes) -> Out<'a> {
    let value = operand(args);
    match fhir(&value).and_then(|f| f.element()) {
        Some(element) => Ok(Val::Code(cx.keep(code_of(cx, element)?)?)),
        None => Ok(value),
    }
}

fn to_ratio<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _: &Attributes) -> Out<'a> {
    let value = operand(args);
    match fhir(&value).and_then(|f| f.element()) {
        Some(element) => ratio_of(cx, element),
        None => Ok(value),
    }
}

fn quantity<'a>(cx: &EvaluationState<'a>, value: Val<'a>, comparator_matters: bool) -> Out<'a> {
    match fhir(&value).and_then(|f| f.element()) {
        Some(element) => match quantity_of(cx, element, comparator_matters)? {
            Some(quantity) => Ok(Val::Quantity(cx.keep(quantity)?)),
            None => Ok(Val::Null),
        },
        None => Ok(value),
    }
}

fn to_quantity<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _: &Attributes) -> Out<'a> {
    quantity(cx, operand(args), true)
}

fn to_quantity_ignoring_comparator<'a>(
    cx: &EvaluationState<'a>,
    args: &[Val<'a>],
    _: &Attributes,
) -> Out<'a> {
    quantity(cx, operand(args), false)
}

fn to_calendar_unit<'a>(_: &EvaluationState<'a>, args: &[Val<'a>], _: &Attributes) -> Out<'a> {
    Ok(match operand(args) {
        Val::String(unit) => Val::String(calendar_unit(unit)),
        other => other,
    })
}

fn to_interval<'a>(cx: &EvaluationState<'a>, args: &[Val<'a>], _: &Attributes) -> Out<'a> {
    let value = operand(args);
    let Some(fhir) = fhir(&value) else {
        return Ok(value);
    };
    let Some(element) = fhir.element() else {
        return Ok(Val::Null);
    };
    // A bound that is there and cannot be told is unknown, not the end of the type.
    let keep =
        |(low, no_low): (Val<'a>, Doubt), (high, no_high): (Val<'a>, Doubt), closed: [bool; 2]| {
            let [low_closed, high_closed] = closed;
            let interval = cx.keep(Interval {
                low,
                high,
                low_closed: low_closed && !no_low.is_there(),
                high_closed: high_closed && !no_high.is_there(),
                point: PointType::Quantity,
            })?;
            cx.doubt_interval(interval, no_low.or(no_high));
            Ok(Val::Interval(interval))
        };
    if fhir.ty == known().period {
        return period_of(cx, element);
    }
    if element.kind() != Kind::Object {
        cx.unreadable(element);
    }
    if fhir.ty == known().range {
        let bound = |name| match element.get_named(name) {
            Some(bound) => {
                cx.apart(|| quantity(cx, Val::Fhir(Fhir::of(bound, known().quantity)), true))
            }
            None => Ok((Val::Null, Doubt::NONE)),
        };
        return keep(bound("low")?, bound("high")?, [true, true]);
    }
    if !derives(fhir.ty, known().quantity) {
        return Ok(Val::Null);
    }
    let plain = |matters| cx.apart(|| quantity(cx, value, matters));
    let none = (Val::Null, Doubt::NONE);
    let comparator = element.get_named("comparator");
    if let Some(comparator) = comparator
        && !matches!(comparator.kind(), Kind::String | Kind::Null)
    {
        cx.unreadable(comparator);
        return Ok(Val::Null);
    }
    let is = |text| comparator.is_some_and(|c| c.is_str(text));
    if is("<") {
        keep(none, plain(false)?, [true, false])
    } else if is("<=") {
        keep(none, plain(false)?, [true, true])
    } else if is(">=") {
        keep(plain(false)?, none, [true, true])
    } else if is(">") {
        keep(plain(false)?, none, [false, true])
    } else {
        let quantity = plain(true)?;
        keep(quantity, quantity, [true, true])
    }
}
