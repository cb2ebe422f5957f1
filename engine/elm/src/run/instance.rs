//! `Instance`: a structured value by its class. System classes become system values; FHIR classes stay
//! tuples that know their class.

use crate::context::cx::{Cx, Out};
use crate::operators::compare::number;
use crate::values::value::{Code, Concept, Quantity, Ratio, Tuple, Val, ValueSetVal};

fn text<'a>(tuple: &Tuple<'a>, name: &str) -> Option<&'a str> {
    match tuple.get(name) {
        Some(Val::String(text)) => Some(text),
        _ => None,
    }
}

/// The value of an instance of a class, given without its namespace.
pub fn of<'a>(cx: &Cx<'a>, class: &'a str, tuple: Tuple<'a>) -> Out<'a> {
    Ok(match class {
        "System.Quantity" => match tuple.get("value").and_then(|v| number(&v)) {
            Some(value) => {
                let unit = text(&tuple, "unit")
                    .filter(|u| !u.is_empty())
                    .unwrap_or("1");
                Val::Quantity(cx.keep(Quantity { value, unit })?)
            }
            None => Val::Null,
        },
        "System.Ratio" => match (tuple.get("numerator"), tuple.get("denominator")) {
            (Some(Val::Quantity(n)), Some(Val::Quantity(d))) => Val::Ratio(cx.keep(Ratio {
                numerator: *n,
                denominator: *d,
            })?),
            _ => Val::Null,
        },
        "System.Code" => Val::Code(cx.keep(Code::new(
            text(&tuple, "code"),
            text(&tuple, "system"),
            text(&tuple, "version"),
            text(&tuple, "display"),
        ))?),
        "System.Concept" => {
            let codes: Vec<Code<'a>> = match tuple.get("codes") {
                Some(Val::List(items)) => items.iter().filter_map(code).collect(),
                Some(one) => code(&one).into_iter().collect(),
                None => vec![],
            };
            Val::Concept(cx.keep(Concept {
                codes: cx.slice(&codes)?,
                display: text(&tuple, "display"),
            })?)
        }
        "System.ValueSet" => Val::ValueSet(cx.keep(ValueSetVal {
            id: text(&tuple, "id").unwrap_or_default(),
            version: text(&tuple, "version"),
            name: text(&tuple, "name").unwrap_or_default(),
            set: None,
        })?),
        _ => Val::Tuple(cx.keep(tuple)?),
    })
}

fn code<'a>(value: &Val<'a>) -> Option<Code<'a>> {
    match value {
        Val::Code(code) => Some(**code),
        _ => None,
    }
}
