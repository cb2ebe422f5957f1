//! The border between FHIR and CQL: what a FHIR value is for a report.
//!
//! Logic may hand over values as FHIR has them (`Patient.active`, `Coverage.type`). Criteria,
//! observations, strata and their components, supplemental data and risk variables all go through
//! [`cql_value`], so that a value means the same wherever it stands.

use std::sync::Arc;

use engine_elm::EvaluationState;
use engine_elm::Fault;
use engine_elm::fhir_elements::{derives, is_primitive, known};
use engine_elm::fhir_values::{
    code_of, concept_of, is_quantity, period_of, quantity_of, ratio_of, system_of_primitive,
};
use engine_elm::value::{Code, Fhir, Val};
use serde_json::{Value as Json, json};

use crate::score::Label;

/// `Encounter/1`, of a resource.
pub(crate) fn member_id(value: &Val<'_>) -> Option<Arc<str>> {
    let Val::Fhir(fhir) = value else {
        return None;
    };
    let element = fhir.element().filter(|_| is_resource(fhir))?;
    let id = element.get_str("id")?;
    Some(format!("{}/{id}", fhir.ty.name()).into())
}

/// A FHIR primitive, Coding, CodeableConcept, Quantity (and its profiles), Ratio or Period as the CQL
/// value that FHIRHelpers makes of it; anything else as it is. Null where there is nothing, where a
/// primitive cannot be read, and for a quantity with a comparator or a unit outside UCUM (noted for
/// the ledger, as FHIRHelpers does).
pub(super) fn cql_value<'a>(cx: &EvaluationState<'a>, value: Val<'a>) -> Result<Val<'a>, Fault> {
    let Val::Fhir(fhir) = value else {
        return Ok(value);
    };
    if is_primitive(fhir.ty) {
        return system_of_primitive(cx, &fhir);
    }
    let Some(element) = fhir.element() else {
        return Ok(Val::Null);
    };
    let known = known();
    if fhir.ty == known.coding {
        return cx.keep(code_of(cx, element)?).map(Val::Code);
    }
    if fhir.ty == known.concept {
        return cx.keep(concept_of(cx, element)?).map(Val::Concept);
    }
    if fhir.ty == known.ratio {
        return ratio_of(cx, element);
    }
    if fhir.ty == known.period {
        return period_of(cx, element);
    }
    if is_quantity(&fhir) {
        return match quantity_of(cx, element, true)? {
            Some(quantity) => cx.keep(quantity).map(Val::Quantity),
            None => Ok(Val::Null),
        };
    }
    Ok(value)
}

/// Whether it is a resource, as opposed to an element of one.
pub(super) fn is_resource(fhir: &Fhir<'_>) -> bool {
    derives(fhir.ty, known().resource)
}

/// Most values of one list, tuple or interval that a report shows, within each other as deep as they
/// may be: logic can nest them without end.
const PARTS: usize = 10_000;
/// Deepest of them.
const DEPTH: usize = 16;

/// A value as it stands in a report. Codes are `system|code`, several of one concept in their order
/// and with `, ` between them, and keep their displays beside. `None` for null and what holds nothing.
pub(super) fn label<'a>(cx: &EvaluationState<'a>, value: Val<'a>) -> Option<Label> {
    let mut writer = Writer { cx, left: PARTS };
    if let Some(codes) = writer.codes(value, DEPTH) {
        return codes.label();
    }
    writer.text(value, DEPTH).map(Label::from)
}

/// The codings of one value, and what it is called.
struct Codes<'a> {
    codes: Vec<Code<'a>>,
    display: Option<&'a str>,
}

impl Codes<'_> {
    fn label(self) -> Option<Label> {
        let mut keys: Vec<String> = vec![];
        let mut codings: Vec<Json> = vec![];
        for code in &self.codes {
            let (Some(value), system) = (code.code, code.system.unwrap_or_default()) else {
                continue;
            };
            let key = format!("{system}|{value}");
            if keys.contains(&key) {
                continue;
            }
            keys.push(key);
            let mut coding = json!({ "code": value });
            if let Some(fields) = coding.as_object_mut() {
                for (name, text) in [("system", code.system), ("display", code.display)] {
                    if let Some(text) = text.filter(|t| !t.is_empty()) {
                        fields.insert(name.into(), json!(text));
                    }
                }
            }
            codings.push(coding);
        }
        if codings.is_empty() {
            // A concept in words only is its words.
            let shown = self.codes.iter().find_map(|c| c.display);
            let text = self.display.or(shown).filter(|t| !t.trim().is_empty())?;
            return Some(Label::from(text.to_owned()));
        }
        // The same codes in another order are the same concept.
        keys.sort_unstable();
        let mut concept = json!({ "coding": codings });
        if let (Some(text), Some(fields)) = (self.display, concept.as_object_mut()) {
            fields.insert("text".into(), json!(text));
        }
        Some(Label {
            text: keys.join(", ").into(),
            coding: Some(concept.to_string().into()),
        })
    }
}

struct Writer<'c, 'a> {
    cx: &'c EvaluationState<'a>,
    left: usize,
}

impl<'a> Writer<'_, 'a> {
    fn value(&self, value: Val<'a>) -> Val<'a> {
        // Memory that is used up makes the value one of unknown text, which is told by its type.
        cql_value(self.cx, value).unwrap_or(value)
    }

    /// Of a code, a concept, and of a tuple of codes and their display, as supplemental data have them.
    fn codes(&mut self, value: Val<'a>, depth: usize) -> Option<Codes<'a>> {
        let depth = depth.checked_sub(1)?;
        self.left = self.left.checked_sub(1)?;
        match self.value(value) {
            Val::Code(code) => Some(Codes {
                codes: vec![*code],
                display: None,
            }),
            Val::Concept(concept) => Some(Codes {
                codes: concept.codes.to_vec(),
                display: concept.display,
            }),
            Val::Tuple(tuple) => {
                let found = ["codes", "code"].iter().find_map(|n| tuple.get(n))?;
                let mut own = match self.value(found) {
                    Val::List(items) => {
                        let mut all = vec![];
                        for item in items.iter().take(PARTS).filter(|i| !i.is_null()) {
                            all.extend(self.codes(*item, depth)?.codes);
                        }
                        Codes {
                            codes: all,
                            display: None,
                        }
                    }
                    other => self.codes(other, depth)?,
                };
                if own.codes.is_empty() && own.display.is_none() {
                    return None;
                }
                if let Some(Val::String(text)) = tuple.get("display").map(|d| self.value(d)) {
                    own.display = own.display.or(Some(text));
                }
                Some(own)
            }
            _ => None,
        }
    }

    fn text(&mut self, value: Val<'a>, depth: usize) -> Option<String> {
        let (Some(depth), Some(left)) = (depth.checked_sub(1), self.left.checked_sub(1)) else {
            return Some("…".to_owned());
        };
        self.left = left;
        let value = self.value(value);
        if let Some(codes) = self.codes(value, depth) {
            return Some(codes.label()?.text.to_string());
        }
        Some(match value {
            Val::Interval(interval) => {
                let mut bound = |v| self.text(v, depth).unwrap_or_default();
                let low = bound(interval.low);
                format!("{low} – {}", bound(interval.high))
            }
            Val::List(items) => {
                let texts: Vec<String> = items
                    .iter()
                    .filter_map(|item| self.text(*item, depth))
                    .collect();
                texts.join(", ")
            }
            Val::Tuple(tuple) => {
                let mut texts = vec![];
                for (name, value) in tuple.names.iter().zip(tuple.values) {
                    let text = self.text(*value, depth);
                    texts.extend(text.map(|text| format!("{name}: {text}")));
                }
                texts.join(", ")
            }
            Val::Fhir(fhir) => match member_id(&value) {
                Some(id) => id.to_string(),
                None => self.element(&fhir)?,
            },
            other => plain(&other)?,
        })
    }

    /// An element that CQL has no value for, such as an address: its JSON.
    fn element(&mut self, fhir: &Fhir<'a>) -> Option<String> {
        let element = fhir.element()?;
        if is_resource(fhir) {
            return Some(fhir.ty.name().to_owned());
        }
        // Without the spaces that it may have come with.
        let json = serde_json::from_str::<Json>(element.raw());
        Some(json.map_or_else(|_| element.raw().to_owned(), |json| json.to_string()))
    }
}

/// A value of a system type that holds no others; of others their type. `None` for null.
pub(crate) fn plain(value: &Val<'_>) -> Option<String> {
    Some(match value {
        Val::Null => return None,
        Val::Boolean(b) => b.to_string(),
        Val::Integer(i) => i.to_string(),
        Val::Long(l) => l.to_string(),
        Val::Decimal(d) => d.normalize().to_string(),
        Val::String(text) => (*text).to_owned(),
        Val::Date(d) | Val::DateTime(d) => d.to_string(),
        Val::Time(t) => format!("{} ms after midnight", t.millis),
        Val::Quantity(q) => format!("{} {}", q.value.normalize(), q.unit),
        other => other.type_name().to_owned(),
    })
}
