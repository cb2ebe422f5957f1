//! What a reader needs to find a resource: which it is, its code, its date, its value.

use engine_elm::value::Val;
use engine_patient::record::{Element, Kind};
use engine_patient::requirements::choice;

use super::{FACTS, Fact};
use crate::official::{member_id, plain};

/// Elements that hold a code, the telling first.
const CODES: [&str; 6] = [
    "code",
    "vaccineCode",
    "type",
    "serviceType",
    "category",
    "class",
];
/// Elements that hold a date or period, the telling first. A choice goes by its stem.
const DATES: [&str; 16] = [
    "effective",
    "performed",
    "onset",
    "occurrence",
    "period",
    "authoredOn",
    "administered",
    "whenHandedOver",
    "recordedDate",
    "recorded",
    "dateAsserted",
    "started",
    "issued",
    "created",
    "sent",
    "birthDate",
];
/// Longest text of a value.
const LONG: usize = 120;

/// The items of a value, and how many there are where it is a list.
pub fn facts(value: &Val<'_>) -> (Option<usize>, Vec<Fact>) {
    match value {
        Val::List(items) => {
            let facts = items.iter().take(FACTS).filter_map(fact).collect();
            (Some(items.len()), facts)
        }
        Val::Null | Val::Boolean(_) => (None, vec![]),
        one => (None, fact(one).into_iter().collect()),
    }
}

fn fact(value: &Val<'_>) -> Option<Fact> {
    let Val::Fhir(fhir) = value else {
        return Some(Fact {
            value: Some(value_text(value)?),
            ..Fact::default()
        });
    };
    let element = fhir.element()?;
    if element.resource_type().is_none() {
        return Some(Fact {
            value: Some(value_text(value)?),
            ..Fact::default()
        });
    }
    let reference = member_id(value).map(|id| id.to_string());
    Some(Fact {
        resource: Some(reference.unwrap_or_else(|| fhir.ty.name().to_owned())),
        code: code_of(element),
        date: date_of(element),
        value: choice(element, "value").and_then(text_of),
    })
}

/// A value for people; `None` of null.
pub fn value_text(value: &Val<'_>) -> Option<String> {
    let text = match value {
        Val::Fhir(fhir) => {
            let element = fhir.element()?;
            match element.resource_type() {
                Some(_) => member_id(value)?.to_string(),
                None => text_of(element)?,
            }
        }
        Val::List(items) => {
            let some = items.iter().take(5).filter_map(value_text);
            let mut text = some.collect::<Vec<_>>().join(", ");
            if items.len() > 5 {
                text.push_str(", …");
            }
            format!("{{ {text} }}")
        }
        Val::Interval(interval) => {
            let bound = |v: &Val<'_>| value_text(v).unwrap_or_default();
            format!("{} – {}", bound(&interval.low), bound(&interval.high))
        }
        Val::Tuple(tuple) => {
            let named = tuple.names.iter().zip(tuple.values);
            let texts = named.filter_map(|(n, v)| Some(format!("{n}: {}", value_text(v)?)));
            texts.collect::<Vec<_>>().join(", ")
        }
        Val::Code(code) => match (code.display, code.code) {
            (Some(display), _) => display.to_owned(),
            (None, code) => code?.to_owned(),
        },
        Val::Concept(concept) => match (concept.display, concept.codes.first()) {
            (Some(display), _) => display.to_owned(),
            (None, code) => value_text(&Val::Code(code?))?,
        },
        Val::ValueSet(set) => set.name.to_owned(),
        Val::Uncertain((low, high)) => {
            format!("{} to {}", value_text(low)?, value_text(high)?)
        }
        other => plain(other)?,
    };
    Some(super::clause_text::shortened(&text, LONG))
}

/// The code of a resource: its display, text or code.
fn code_of(resource: Element<'_>) -> Option<String> {
    let medication = choice(resource, "medication");
    let mut found = CODES.iter().filter_map(|name| resource.get_named(name));
    medication.or_else(|| found.next()).and_then(text_of)
}

fn date_of(resource: Element<'_>) -> Option<String> {
    let mut found = DATES
        .iter()
        .filter_map(|name| resource.get_named(name).or_else(|| choice(resource, name)));
    found.next().and_then(text_of)
}

/// A primitive, code, quantity, period or reference for people.
fn text_of(element: Element<'_>) -> Option<String> {
    let first = element.items().next()?;
    if first.kind() != Kind::Object {
        let text = match first.as_str() {
            Some(text) => text.into_owned(),
            None => first.raw().to_owned(),
        };
        return Some(text);
    }
    let get = |name: &str| first.get_str(name).map(std::borrow::Cow::into_owned);
    if let Some(coding) = first.get_named("coding").and_then(|c| c.items().next()) {
        let own = |name: &str| coding.get_str(name).map(std::borrow::Cow::into_owned);
        return own("display")
            .or_else(|| get("text"))
            .or_else(|| own("code"));
    }
    if let Some(value) = first.get_named("value") {
        let unit = get("unit").or_else(|| get("code")).unwrap_or_default();
        let value = match value.as_str() {
            Some(text) => text.into_owned(),
            None => value.raw().to_owned(),
        };
        return Some(format!("{value} {unit}").trim_end().to_owned());
    }
    if first.get_named("start").is_some() || first.get_named("end").is_some() {
        let bound = |name: &str| get(name).unwrap_or_default();
        return Some(format!("{} – {}", bound("start"), bound("end")));
    }
    ["display", "code", "text", "reference", "family"]
        .iter()
        .find_map(|name| get(name))
}
