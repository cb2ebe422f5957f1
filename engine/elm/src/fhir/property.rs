//! `Property`: a path into a value (ELM "Property"; FHIR elements as the FHIR model info has them).

use crate::context::cx::{Cx, Fault, Out};
use crate::fhir::fhir_children::{child, choices, derives, is_primitive, known};
use crate::fhir::fhir_value::system_of_primitive;
use crate::values::types::TypeId;
use crate::values::value::{Fhir, NO_NODE, Val};
use engine_patient::fhir::names::Name;
use engine_patient::fhir::reading::has_absent_reason;
use engine_patient::record::{Element, Kind};

/// A compiled path, such as `performed` or `id.value`.
#[derive(Debug)]
pub struct Path {
    pub segments: Box<[Segment]>,
}

/// One step.
#[derive(Debug)]
pub struct Segment {
    pub name: Box<str>,
    plain: Option<Name>,
    /// `_name`: id and extensions of a primitive.
    shadow: Option<Name>,
    /// Names in JSON, with their shadows, where some type has a choice of this name.
    choices: Box<[(Name, Option<Name>)]>,
    /// `[3]` after the name.
    pub index: Option<usize>,
}

fn shadow_of(name: &str) -> Option<Name> {
    Name::of(name).and_then(Name::shadow)
}

impl Path {
    /// Reads `a.b[0].c`; `None` where it is none.
    pub fn parse(text: &str) -> Option<Path> {
        let segments: Option<Vec<Segment>> = text.split('.').map(Segment::parse).collect();
        let segments = segments?.into_boxed_slice();
        (!segments.is_empty()).then_some(Path { segments })
    }
}

impl Segment {
    fn parse(text: &str) -> Option<Segment> {
        let (name, index) = match text.split_once('[') {
            Some((name, rest)) => (name, Some(rest.strip_suffix(']')?.parse().ok()?)),
            None => (text, None),
        };
        if name.is_empty() {
            return None;
        }
        let choices = choices(name).iter().map(|n| (*n, shadow_of(n.as_str())));
        Some(Segment {
            name: name.into(),
            plain: Name::of(name),
            shadow: shadow_of(name),
            choices: choices.collect(),
            index,
        })
    }
}

/// Follows a path.
pub fn follow<'a>(cx: &Cx<'a>, mut value: Val<'a>, path: &Path) -> Out<'a> {
    for segment in &path.segments {
        value = step(cx, value, segment)?;
        if let Some(index) = segment.index {
            value = match value {
                Val::List(items) => items.get(index).copied().unwrap_or(Val::Null),
                _ => Val::Null,
            };
        }
        if value.is_null() {
            break;
        }
    }
    Ok(value)
}

/// A property of a value; null where it has none.
pub fn step<'a>(cx: &Cx<'a>, value: Val<'a>, segment: &Segment) -> Out<'a> {
    let text = |t: Option<&'a str>| t.map_or(Val::Null, Val::String);
    Ok(match value {
        Val::Null => Val::Null,
        Val::Fhir(fhir) => return fhir_step(cx, fhir, segment),
        Val::Tuple(tuple) => tuple.get(&segment.name).unwrap_or(Val::Null),
        Val::Interval(interval) => match &*segment.name {
            "low" => interval.low,
            "high" => interval.high,
            "lowClosed" => Val::Boolean(interval.low_closed),
            "highClosed" => Val::Boolean(interval.high_closed),
            _ => return Err(no_property(&value, segment)),
        },
        Val::Quantity(quantity) => match &*segment.name {
            "value" => Val::Decimal(quantity.value),
            "unit" => Val::String(quantity.unit),
            _ => return Err(no_property(&value, segment)),
        },
        Val::Ratio(ratio) => match &*segment.name {
            "numerator" => Val::Quantity(&ratio.numerator),
            "denominator" => Val::Quantity(&ratio.denominator),
            _ => return Err(no_property(&value, segment)),
        },
        Val::Code(code) => match &*segment.name {
            "code" => text(code.code),
            "system" => text(code.system),
            "version" => text(code.version),
            "display" => text(code.display),
            _ => return Err(no_property(&value, segment)),
        },
        Val::Concept(concept) => match &*segment.name {
            "codes" => {
                let mut codes = vec![];
                for code in concept.codes {
                    codes.push(Val::Code(code));
                }
                return cx.list(&codes);
            }
            "display" => text(concept.display),
            _ => return Err(no_property(&value, segment)),
        },
        Val::ValueSet(set) => match &*segment.name {
            "id" => Val::String(set.id),
            "version" => text(set.version),
            "name" => Val::String(set.name),
            _ => return Err(no_property(&value, segment)),
        },
        Val::CodeSystem(system) => match &*segment.name {
            "id" => Val::String(system.id),
            "version" => text(system.version),
            "name" => Val::String(system.name),
            _ => return Err(no_property(&value, segment)),
        },
        // `value` of a FHIR primitive that was converted already.
        Val::Boolean(_)
        | Val::Integer(_)
        | Val::Decimal(_)
        | Val::String(_)
        | Val::Date(_)
        | Val::DateTime(_)
        | Val::Time(_)
            if &*segment.name == "value" =>
        {
            value
        }
        _ => return Err(no_property(&value, segment)),
    })
}

fn no_property(value: &Val<'_>, segment: &Segment) -> Fault {
    Fault::Raised(format!(
        "a {} has no property `{}`",
        value.type_name(),
        segment.name
    ))
}

fn fhir_step<'a>(cx: &Cx<'a>, fhir: Fhir<'a>, segment: &Segment) -> Out<'a> {
    if is_primitive(fhir.ty) {
        return match &*segment.name {
            "value" => system_of_primitive(cx, &fhir),
            "id" | "extension" => match fhir.shadow() {
                Some(shadow) => {
                    let parent = Fhir::of(shadow, fhir.ty);
                    Ok(member(cx, &parent, shadow, segment)?.unwrap_or(Val::Null))
                }
                None => Ok(Val::Null),
            },
            _ => Err(no_property(&Val::Fhir(fhir), segment)),
        };
    }
    let Some(element) = fhir.element() else {
        return Ok(Val::Null);
    };
    if element.kind() != Kind::Object {
        // A text where an object belongs: what it would hold is unknown, not absent.
        cx.unreadable(element);
        return Ok(Val::Null);
    }
    if let Some(found) = member(cx, &fhir, element, segment)? {
        return Ok(found);
    }
    // Of a datatype that is withheld as a whole, no part is known.
    let known = known();
    let parts = [known.period, known.range, known.quantity];
    if parts.iter().any(|ty| derives(fhir.ty, *ty)) && has_absent_reason(element) {
        cx.unreadable(element);
    }
    Ok(Val::Null)
}

/// A member of an object: under its own name, or as one of the types of a choice.
fn member<'a>(
    cx: &Cx<'a>,
    parent: &Fhir<'a>,
    element: Element<'a>,
    segment: &Segment,
) -> Result<Option<Val<'a>>, Fault> {
    if let Some(name) = segment.plain {
        let (found, shadow) = (
            element.get(name),
            segment.shadow.and_then(|s| element.get(s)),
        );
        if (found.is_some() || shadow.is_some())
            && let Some(info) = child(parent.ty, name)
        {
            return build(cx, found, shadow, info.ty, info.many).map(Some);
        }
    }
    if segment.choices.is_empty() {
        return Ok(None);
    }
    for candidate in element.children() {
        let name = candidate.name();
        let Some((json, shadow)) = segment
            .choices
            .iter()
            .find(|(n, s)| *n == name || *s == Some(name))
        else {
            continue;
        };
        let Some(info) = child(parent.ty, *json) else {
            continue;
        };
        let found = element.get(*json);
        let shadow = shadow.and_then(|s| element.get(s));
        return build(cx, found, shadow, info.ty, info.many).map(Some);
    }
    Ok(None)
}

/// A FHIR value of a JSON value and its shadow; a list where the element repeats.
fn build<'a>(
    cx: &Cx<'a>,
    found: Option<Element<'a>>,
    shadow: Option<Element<'a>>,
    ty: TypeId,
    many: bool,
) -> Out<'a> {
    if !many {
        // A list where one was expected stays what it is: the first would be a guess.
        return Ok(match one(found, shadow, ty) {
            Some(fhir) => Val::Fhir(fhir),
            None => Val::Null,
        });
    }
    let mut items = vec![];
    let mut shadows = shadow.into_iter().flat_map(Element::items);
    match found {
        Some(found) => {
            for item in found.items() {
                let shadow = shadows.next();
                if let Some(fhir) = one(Some(item), shadow, ty) {
                    items.push(Val::Fhir(fhir));
                }
            }
        }
        None => {
            for shadow in shadows {
                if let Some(fhir) = one(None, Some(shadow), ty) {
                    items.push(Val::Fhir(fhir));
                }
            }
        }
    }
    cx.list(&items)
}

/// One FHIR value; `None` for JSON null without a shadow. JSON of another kind than the type is there,
/// and cannot be read.
fn one<'a>(
    found: Option<Element<'a>>,
    shadow: Option<Element<'a>>,
    ty: TypeId,
) -> Option<Fhir<'a>> {
    let found = found.filter(|e| e.kind() != Kind::Null);
    let shadow = shadow.filter(|e| e.kind() == Kind::Object);
    let record = found.or(shadow)?.record;
    let ty = match found {
        // `contained` and the entries of Bundles say themselves what they are.
        Some(found) if ty == known().resource => {
            let own = found.resource_type().and_then(|n| TypeId::of(n.as_str()));
            own.filter(|own| derives(*own, ty)).unwrap_or(ty)
        }
        _ => ty,
    };
    Some(Fhir {
        record,
        index: found.map_or(NO_NODE, |f| f.index),
        shadow: shadow.map_or(NO_NODE, |s| s.index),
        ty,
    })
}
