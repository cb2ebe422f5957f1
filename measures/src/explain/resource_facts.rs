//! Values as a reader knows them: a resource by its code, its date and its value.

use engine_elm::value::Val;
use engine_patient::describe::{described, text_of};

use super::{FACTS, Fact};
use crate::official::plain;

/// Longest text of a value.
const LONG: usize = 240;

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

/// A value; `None` of null.
pub fn fact(value: &Val<'_>) -> Option<Fact> {
    resource_fact(value).or_else(|| {
        Some(Fact {
            value: Some(value_text(value)?),
            ..Fact::default()
        })
    })
}

/// A resource; `None` of anything else.
pub fn resource_fact(value: &Val<'_>) -> Option<Fact> {
    let Val::Fhir(fhir) = value else {
        return None;
    };
    described(fhir.element()?).map(Fact::from)
}

/// A value for people; `None` of null.
pub fn value_text(value: &Val<'_>) -> Option<String> {
    let text = match value {
        Val::Fhir(fhir) => {
            let element = fhir.element()?;
            match described(element) {
                Some(resource) => resource.to_string(),
                None => text_of(element)?,
            }
        }
        Val::List(items) => {
            let some = items.iter().take(5).filter_map(value_text);
            let mut text = some.collect::<Vec<_>>().join("; ");
            if items.len() > 5 {
                text.push_str(&format!("; and {} more", items.len() - 5));
            }
            format!("{{ {text} }}")
        }
        Val::Interval(interval) => {
            let bound = |v: &Val<'_>| value_text(v).unwrap_or_else(|| "null".to_owned());
            format!(
                "Interval{}{}, {}{}",
                if interval.low_closed { '[' } else { '(' },
                bound(&interval.low),
                bound(&interval.high),
                if interval.high_closed { ']' } else { ')' },
            )
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
        Val::ValueSet(set) => format!("\"{}\"", set.name),
        Val::Uncertain((low, high)) => {
            format!("{} to {}", value_text(low)?, value_text(high)?)
        }
        other => plain(other)?,
    };
    Some(super::clause_text::shortened(&text, LONG))
}
