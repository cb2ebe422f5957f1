//! FHIR primitives and datatypes as CQL values (the FHIR model info's conversions).

use crate::context::fault::{Fault, Out};
use crate::context::state::EvaluationState;
use crate::fhir::elements::{derives, is_primitive, known};
use crate::values::types::TypeId;
use crate::values::value::{Code, Concept, Fhir, PointType, Quantity, Ratio, Val};
use engine_patient::fhir::names::Name;
use engine_patient::fhir::reading::{
    Reading, date_at, has_absent_reason, is_withheld, moment, present,
};
use engine_patient::record::{Element, Kind};
use engine_patient::system::time_of_day::Time;

/// A text of the record: where it stands, or unescaped into the arena.
pub fn text_of<'a>(
    cx: &EvaluationState<'a>,
    element: Element<'a>,
) -> Result<Option<&'a str>, Fault> {
    Ok(match element.as_str() {
        Some(std::borrow::Cow::Borrowed(text)) => Some(text),
        Some(std::borrow::Cow::Owned(text)) => Some(cx.text(&text)?),
        None => None,
    })
}

/// The system value of a FHIR primitive; null where it has no value. What is there and not of its
/// type, or is withheld, is null too, and noted as unreadable.
pub fn system_of_primitive<'a>(cx: &EvaluationState<'a>, fhir: &Fhir<'a>) -> Out<'a> {
    let found = fhir.element().filter(|e| e.kind() != Kind::Null);
    let Some(element) = found else {
        if let Some(shadow) = fhir.shadow().filter(|s| has_absent_reason(*s)) {
            cx.unreadable(shadow);
        }
        return Ok(Val::Null);
    };
    let value = value_of(cx, element, fhir.ty)?;
    if value.is_null() {
        cx.unreadable(element);
    }
    Ok(value)
}

/// Null where the JSON is no value of the type.
fn value_of<'a>(cx: &EvaluationState<'a>, element: Element<'a>, ty: TypeId) -> Out<'a> {
    let known = known();
    let moment = |ty: &str| element.as_str().and_then(|t| moment(ty, &t));
    Ok(if ty == known.boolean {
        element.as_bool().map_or(Val::Null, Val::Boolean)
    } else if ty == known.decimal {
        element.as_decimal().map_or(Val::Null, Val::Decimal)
    } else if derives(ty, known.integer) {
        let integer = element.as_i64().and_then(|i| i32::try_from(i).ok());
        integer.map_or(Val::Null, Val::Integer)
    } else if ty == known.date {
        moment("date").map_or(Val::Null, Val::Date)
    } else if ty == known.date_time || ty == known.instant {
        let ty = if ty == known.instant {
            "instant"
        } else {
            "dateTime"
        };
        moment(ty).map_or(Val::Null, |m| Val::DateTime(m.with_zone(cx.zone)))
    } else if ty == known.time {
        moment("time").map_or(Val::Null, |at| {
            Val::Time(Time {
                millis: at.millis,
                precision: at.precision,
            })
        })
    } else {
        text_of(cx, element)?.map_or(Val::Null, Val::String)
    })
}

/// The CQL value of anything: a FHIR primitive as its value; others as they are.
pub fn system_value<'a>(cx: &EvaluationState<'a>, value: Val<'a>) -> Out<'a> {
    match value {
        Val::Fhir(fhir) if is_primitive(fhir.ty) => system_of_primitive(cx, &fhir),
        other => Ok(other),
    }
}

/// Follows a single property of an object; an element that should be one and is not is noted.
fn get<'a>(cx: &EvaluationState<'a>, element: Element<'a>, name: &str) -> Option<Element<'a>> {
    if element.kind() != Kind::Object {
        cx.unreadable(element);
        return None;
    }
    let name = Name::of(name)?;
    let found = present(element, name);
    if found.is_none() && is_withheld(element, name) {
        let shadow = name.shadow().and_then(|shadow| element.get(shadow));
        cx.unreadable(shadow.unwrap_or(element));
    }
    found
}

fn text_at<'a>(
    cx: &EvaluationState<'a>,
    element: Element<'a>,
    name: &str,
) -> Result<Option<&'a str>, Fault> {
    let Some(found) = get(cx, element, name) else {
        return Ok(None);
    };
    let text = text_of(cx, found)?;
    if text.is_none() {
        cx.unreadable(found);
    }
    Ok(text)
}

/// `FHIR.Coding` as `System.Code`.
pub fn code_of<'a>(cx: &EvaluationState<'a>, coding: Element<'a>) -> Result<Code<'a>, Fault> {
    Ok(Code::new(
        text_at(cx, coding, "code")?,
        text_at(cx, coding, "system")?,
        text_at(cx, coding, "version")?,
        text_at(cx, coding, "display")?,
    ))
}

/// `FHIR.CodeableConcept` as `System.Concept`.
pub fn concept_of<'a>(
    cx: &EvaluationState<'a>,
    concept: Element<'a>,
) -> Result<Concept<'a>, Fault> {
    let mut codes = vec![];
    for coding in get(cx, concept, "coding")
        .into_iter()
        .flat_map(Element::items)
    {
        codes.push(code_of(cx, coding)?);
    }
    Ok(Concept {
        codes: cx.slice(&codes)?,
        display: text_at(cx, concept, "text")?,
    })
}

/// A `FHIR.Quantity` as `FHIRHelpers.ToQuantity` takes it: null without a value; null, with a message
/// for the ledger, where it has a comparator or a unit of another system than UCUM.
pub fn quantity_of<'a>(
    cx: &EvaluationState<'a>,
    quantity: Element<'a>,
    comparator_matters: bool,
) -> Result<Option<Quantity<'a>>, Fault> {
    let Some(found) = get(cx, quantity, "value") else {
        if quantity.kind() == Kind::Object && has_absent_reason(quantity) {
            cx.unreadable(quantity);
        }
        return Ok(None);
    };
    let Some(value) = found.as_decimal() else {
        cx.unreadable(found);
        return Ok(None);
    };
    if comparator_matters && get(cx, quantity, "comparator").is_some() {
        cx.error("FHIRHelpers.ToQuantity.ComparatorQuantityNotSupported");
        return Ok(None);
    }
    let ucum = match get(cx, quantity, "system") {
        None => true,
        Some(system) => {
            system.is_str("http://unitsofmeasure.org")
                || system.is_str("http://hl7.org/fhirpath/CodeSystem/calendar-units")
        }
    };
    if !ucum {
        cx.error("FHIRHelpers.ToQuantity.InvalidFHIRQuantity");
        return Ok(None);
    }
    // A unit that is there and no text is not "no unit".
    let unreadable = |name| {
        let found = Name::of(name).and_then(|name| present(quantity, name));
        found.is_some_and(|e| e.kind() != Kind::String)
    };
    let unit = match text_at(cx, quantity, "code")? {
        Some(code) => code,
        None if unreadable("code") => return Ok(None),
        None => match text_at(cx, quantity, "unit")? {
            None if unreadable("unit") => return Ok(None),
            unit => unit.unwrap_or("1"),
        },
    };
    let unit = calendar_unit(unit);
    Ok(Some(Quantity { value, unit }))
}

/// `FHIRHelpers.ToCalendarUnit`.
pub fn calendar_unit(unit: &str) -> &str {
    match unit {
        "ms" => "millisecond",
        "s" => "second",
        "min" => "minute",
        "h" => "hour",
        "d" => "day",
        "wk" => "week",
        "mo" => "month",
        "a" => "year",
        other => other,
    }
}

/// `FHIR.Ratio` as `System.Ratio`.
pub fn ratio_of<'a>(cx: &EvaluationState<'a>, ratio: Element<'a>) -> Out<'a> {
    let part = |name| match get(cx, ratio, name) {
        Some(part) => quantity_of(cx, part, true),
        None => Ok(None),
    };
    match (part("numerator")?, part("denominator")?) {
        (Some(numerator), Some(denominator)) => Ok(Val::Ratio(cx.keep(Ratio {
            numerator,
            denominator,
        })?)),
        _ => Ok(Val::Null),
    }
}

/// A bound of a Period as DateTime; noted where it is there and cannot be read.
fn bound<'a>(cx: &EvaluationState<'a>, period: Element<'a>, name: &str) -> Out<'a> {
    let at = Name::of(name);
    match at.map(|name| date_at(period, name, "dateTime")) {
        Some(Reading::Value(moment)) => return Ok(Val::DateTime(moment.with_zone(cx.zone))),
        Some(Reading::Unreadable) => {
            let named = |name: Name| present(period, name).or_else(|| period.get(name.shadow()?));
            cx.unreadable(at.and_then(named).unwrap_or(period));
        }
        // Neither bound is known of a Period that is withheld, or is none.
        _ if period.kind() != Kind::Object || has_absent_reason(period) => cx.unreadable(period),
        _ => {}
    }
    Ok(Val::Null)
}

/// `FHIR.Period` as `Interval<DateTime>`: no start is unknown, no end is open-ended, as
/// `FHIRHelpers.ToInterval` has it. A bound that is there and cannot be read is unknown.
pub fn period_of<'a>(cx: &EvaluationState<'a>, period: Element<'a>) -> Out<'a> {
    let (low, no_low) = cx.apart(|| bound(cx, period, "start"))?;
    let (high, no_high) = cx.apart(|| bound(cx, period, "end"))?;
    // An element without a value, which may have an id, is no null to FHIRHelpers.
    let has_start = ["start", "_start"].iter().any(|name| {
        let found = period.get_named(name);
        found.is_some_and(|e| e.kind() != Kind::Null)
    });
    let interval = cx.keep(crate::values::value::Interval {
        low,
        high,
        low_closed: has_start && no_low.is_none(),
        high_closed: no_high.is_none(),
        point: PointType::DateTime,
    })?;
    cx.doubt_interval(interval, no_low.or(no_high));
    Ok(Val::Interval(interval))
}

/// Whether it is a quantity: `Quantity` or one of its profiles.
pub fn is_quantity(fhir: &Fhir<'_>) -> bool {
    derives(fhir.ty, known().quantity)
}
