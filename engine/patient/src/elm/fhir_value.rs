//! FHIR primitives and datatypes as CQL values (the FHIR model info's conversions).

use super::cx::{Cx, Fault, Out};
use super::fhir_children::{derives, is_primitive, known};
use super::value::{Code, Concept, Fhir, PointType, Quantity, Ratio, Time, Val};
use crate::record::{Element, Kind};
use crate::time::{DateTime, Precision};

/// A text of the record: where it stands, or unescaped into the arena.
pub fn text_of<'a>(cx: &Cx<'a>, element: Element<'a>) -> Result<Option<&'a str>, Fault> {
    Ok(match element.as_str() {
        Some(std::borrow::Cow::Borrowed(text)) => Some(text),
        Some(std::borrow::Cow::Owned(text)) => Some(cx.text(&text)?),
        None => None,
    })
}

/// The system value of a FHIR primitive; null where it has no value, or none of its type.
pub fn system_of_primitive<'a>(cx: &Cx<'a>, fhir: &Fhir<'a>) -> Out<'a> {
    let Some(element) = fhir.element() else {
        return Ok(Val::Null);
    };
    let known = known();
    Ok(match element.kind() {
        Kind::True => Val::Boolean(true),
        Kind::False => Val::Boolean(false),
        Kind::Number if fhir.ty == known.decimal => {
            element.as_decimal().map_or(Val::Null, Val::Decimal)
        }
        Kind::Number => {
            let integer = element.as_i64().and_then(|i| i32::try_from(i).ok());
            integer.map_or(Val::Null, Val::Integer)
        }
        Kind::String => {
            if fhir.ty == known.date {
                let date = element.as_str().and_then(|t| DateTime::parse(&t));
                let date = date.filter(|d| d.precision() <= Precision::Day);
                date.map_or(Val::Null, Val::Date)
            } else if fhir.ty == known.date_time || fhir.ty == known.instant {
                let moment = element.as_str().and_then(|t| DateTime::parse(&t));
                moment.map_or(Val::Null, |m| Val::DateTime(with_zone(m, cx.zone)))
            } else if fhir.ty == known.time {
                element
                    .as_str()
                    .and_then(|t| parse_time(&t))
                    .map_or(Val::Null, Val::Time)
            } else {
                text_of(cx, element)?.map_or(Val::Null, Val::String)
            }
        }
        _ => Val::Null,
    })
}

/// A date-time always has an offset in CQL: the run's where the data has none.
pub fn with_zone(moment: DateTime, zone: i16) -> DateTime {
    DateTime {
        offset: Some(moment.offset.unwrap_or(zone)),
        ..moment
    }
}

/// `hh:mm:ss[.fff]`
pub fn parse_time(text: &str) -> Option<Time> {
    let at = DateTime::parse(&format!("2000-01-01T{text}"))?;
    (at.offset.is_none() && at.precision >= Precision::Hour).then_some(Time {
        millis: at.millis,
        precision: at.precision,
    })
}

/// The CQL value of anything: a FHIR primitive as its value; others as they are.
pub fn system_value<'a>(cx: &Cx<'a>, value: Val<'a>) -> Out<'a> {
    match value {
        Val::Fhir(fhir) if is_primitive(fhir.ty) => system_of_primitive(cx, &fhir),
        other => Ok(other),
    }
}

/// Follows a single property of an object.
fn get<'a>(element: Element<'a>, name: &str) -> Option<Element<'a>> {
    element.get_named(name).filter(|e| e.kind() != Kind::Null)
}

fn text_at<'a>(cx: &Cx<'a>, element: Element<'a>, name: &str) -> Result<Option<&'a str>, Fault> {
    match get(element, name) {
        Some(found) => text_of(cx, found),
        None => Ok(None),
    }
}

/// `FHIR.Coding` as `System.Code`.
pub fn code_of<'a>(cx: &Cx<'a>, coding: Element<'a>) -> Result<Code<'a>, Fault> {
    Ok(Code::new(
        text_at(cx, coding, "code")?,
        text_at(cx, coding, "system")?,
        text_at(cx, coding, "version")?,
        text_at(cx, coding, "display")?,
    ))
}

/// `FHIR.CodeableConcept` as `System.Concept`.
pub fn concept_of<'a>(cx: &Cx<'a>, concept: Element<'a>) -> Result<Concept<'a>, Fault> {
    let mut codes = vec![];
    for coding in get(concept, "coding").into_iter().flat_map(Element::items) {
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
    cx: &Cx<'a>,
    quantity: Element<'a>,
    comparator_matters: bool,
) -> Result<Option<Quantity<'a>>, Fault> {
    let Some(value) = get(quantity, "value").and_then(Element::as_decimal) else {
        return Ok(None);
    };
    if comparator_matters && get(quantity, "comparator").is_some() {
        cx.notes
            .message("FHIRHelpers.ToQuantity.ComparatorQuantityNotSupported");
        return Ok(None);
    }
    let ucum = match get(quantity, "system") {
        None => true,
        Some(system) => {
            system.is_str("http://unitsofmeasure.org")
                || system.is_str("http://hl7.org/fhirpath/CodeSystem/calendar-units")
        }
    };
    if !ucum {
        cx.notes
            .message("FHIRHelpers.ToQuantity.InvalidFHIRQuantity");
        return Ok(None);
    }
    let unit = match text_at(cx, quantity, "code")? {
        Some(code) => code,
        None => text_at(cx, quantity, "unit")?.unwrap_or("1"),
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
pub fn ratio_of<'a>(cx: &Cx<'a>, ratio: Element<'a>) -> Out<'a> {
    let part = |name| match get(ratio, name) {
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

/// A `dateTime` property as a CQL DateTime.
pub fn date_time_at<'a>(cx: &Cx<'a>, element: Element<'a>, name: &str) -> Val<'a> {
    let text = get(element, name).and_then(Element::as_str);
    let moment = text.and_then(|t| DateTime::parse(&t));
    moment.map_or(Val::Null, |m| Val::DateTime(with_zone(m, cx.zone)))
}

/// `FHIR.Period` as `Interval<DateTime>`: no start is unknown, no end is open-ended, as
/// `FHIRHelpers.ToInterval` has it.
pub fn period_of<'a>(cx: &Cx<'a>, period: Element<'a>) -> Out<'a> {
    let has_start = get(period, "start").is_some() || get(period, "_start").is_some();
    let interval = super::value::Interval {
        low: date_time_at(cx, period, "start"),
        high: date_time_at(cx, period, "end"),
        low_closed: has_start,
        high_closed: true,
        point: PointType::DateTime,
    };
    cx.keep(interval).map(Val::Interval)
}

/// Whether it is a quantity: `Quantity` or one of its profiles.
pub fn is_quantity(fhir: &Fhir<'_>) -> bool {
    derives(fhir.ty, known().quantity)
}
