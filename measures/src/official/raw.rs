//! From values of the logic to what scoring takes.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_patient::elm::doubt::InDoubt;
use engine_patient::elm::trace::holds;
use engine_patient::elm::value::Val;
use engine_patient::elm::{Evaluator, Expression, Fault};
use engine_patient::program::Truth;
use engine_patient::value::Value;
use rust_decimal::Decimal;

use super::program::CompiledStratifier;
use crate::package::Basis;
use crate::score::{Doubtful, Raw, RawStrata, RawSupplemental};

type Evaluated<'a> = Result<Val<'a>, Fault>;

/// Why an evaluation has no value. Texts of the engine and the library, never data.
fn reason(fault: &Fault) -> Arc<str> {
    fault.to_string().into()
}

/// `Encounter/1`, of a resource.
pub(crate) fn member_id(value: &Val<'_>) -> Option<Arc<str>> {
    let Val::Fhir(fhir) = value else {
        return None;
    };
    let element = fhir.element()?;
    let id = element.get_str("id")?;
    Some(format!("{}/{id}", fhir.ty.name()).into())
}

/// What a population's expression came to. Members are noted with their values.
pub(super) fn criterion<'a>(
    value: Evaluated<'a>,
    basis: &Basis,
    members: &mut BTreeMap<Arc<str>, Val<'a>>,
) -> Raw {
    let value = match value {
        Ok(value) => value,
        Err(fault) => return Raw::Failed(reason(&fault)),
    };
    match basis {
        Basis::Boolean => match value {
            Val::Null => Raw::Truth(Truth::Unknown, None),
            Val::Boolean(true) => Raw::Truth(Truth::True, None),
            Val::Boolean(false) => Raw::Truth(Truth::False, None),
            Val::List(_) | Val::Fhir(_) => match holds(&value) {
                Some(true) => Raw::Truth(Truth::True, None),
                _ => Raw::Truth(Truth::False, None),
            },
            other => Raw::Failed(unexpected(&other, "a Boolean")),
        },
        Basis::Resource(ty) => {
            let one = [value];
            let items = match value {
                // CQL reads a null list as an empty one.
                Val::Null => &[],
                Val::List(items) => items,
                Val::Fhir(_) => one.as_slice(),
                other => return Raw::Failed(unexpected(&other, &format!("a list of {ty}"))),
            };
            let mut ids = Vec::with_capacity(items.len());
            for item in items.iter().filter(|i| !i.is_null()) {
                let fits = matches!(item, Val::Fhir(f) if f.ty.name() == ty);
                let Some(id) = member_id(item).filter(|_| fits) else {
                    return Raw::Failed(unexpected(item, &format!("a {ty} with an id")));
                };
                members.insert(Arc::clone(&id), *item);
                ids.push(id);
            }
            Raw::Members(ids)
        }
    }
}

/// The same, with what is in doubt about it.
pub(super) fn in_doubt(
    raw: Raw,
    doubt: Option<InDoubt<'_>>,
    values: &BTreeMap<Arc<str>, Val<'_>>,
) -> Raw {
    let Some(doubt) = doubt.filter(|_| !matches!(raw, Raw::Failed(_) | Raw::InDoubt(_))) else {
        return raw;
    };
    let certain = |id: &&Arc<str>| values.get(*id).is_some_and(|v| doubt.is_certain(v));
    let certain = match &raw {
        Raw::Members(ids) => ids.iter().filter(certain).map(Arc::clone).collect(),
        _ => vec![],
    };
    let ids = |items: &Vec<Val<'_>>| items.iter().map(member_id).collect::<Option<Vec<_>>>();
    let perhaps = doubt.perhaps.as_ref().and_then(ids);
    Raw::InDoubt(Box::new(Doubtful {
        counted: raw,
        certain,
        perhaps,
        reason: doubt.why,
    }))
}

fn unexpected(value: &Val<'_>, wanted: &str) -> Arc<str> {
    format!(
        "the expression gives a {} where {wanted} was expected",
        value.type_name()
    )
    .into()
}

/// The number of an observation; `None` for null and for what is no number.
pub(super) fn observation(value: Evaluated<'_>) -> Option<Decimal> {
    match value.ok()? {
        Val::Quantity(quantity) => Some(quantity.value),
        other => engine_patient::elm::compare::number(&other),
    }
}

/// What a stratifier came to.
pub(super) fn stratum<'a>(
    evaluator: &mut Evaluator<'a>,
    stratifier: &CompiledStratifier,
    basis: &Basis,
) -> RawStrata {
    let mut one = |expression: Expression| match evaluator.expression(expression) {
        Err(fault) => RawStrata::Failed(reason(&fault)),
        Ok(Val::Boolean(b)) => {
            let truth = if b { Truth::True } else { Truth::False };
            RawStrata::Criterion(Raw::Truth(truth, None))
        }
        Ok(Val::Null) => match basis {
            Basis::Boolean => RawStrata::Criterion(Raw::Truth(Truth::Unknown, None)),
            Basis::Resource(_) => RawStrata::Criterion(Raw::Members(vec![])),
        },
        Ok(value @ (Val::List(_) | Val::Fhir(_))) if *basis != Basis::Boolean => {
            RawStrata::Criterion(criterion(Ok(value), basis, &mut BTreeMap::new()))
        }
        Ok(value) => match shown(&value) {
            Some(text) => RawStrata::Values(vec![text.into()]),
            None => RawStrata::Values(vec![]),
        },
    };
    match stratifier.criterion {
        Some(criterion) => one(criterion),
        None => RawStrata::Components(stratifier.components.iter().map(|c| one(*c)).collect()),
    }
}

/// What supplemental data came to: one value an item.
pub(super) fn supplemental(
    evaluator: &mut Evaluator<'_>,
    expression: Expression,
) -> RawSupplemental {
    let value = match evaluator.expression(expression) {
        Ok(value) => value,
        Err(fault) => return Err(reason(&fault)),
    };
    let items = match value {
        Val::List(items) => items.to_vec(),
        one => vec![one],
    };
    let texts = items.iter().filter_map(shown);
    Ok(texts.map(|t| Value::String(t.into())).collect())
}

/// Most values of one list, tuple or interval that a report shows, within each other as deep as they
/// may be: logic can nest them without end.
const PARTS: usize = 10_000;
/// Deepest of them.
const DEPTH: usize = 16;

/// A value as it stands in a report: codes as `system|code`.
pub(crate) fn shown(value: &Val<'_>) -> Option<String> {
    part(value, DEPTH, &mut { PARTS })
}

fn part(value: &Val<'_>, depth: usize, left: &mut usize) -> Option<String> {
    let (Some(depth), Some(less)) = (depth.checked_sub(1), left.checked_sub(1)) else {
        return Some("…".to_owned());
    };
    *left = less;
    let mut shown = |value: &Val<'_>| part(value, depth, left);
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
        Val::Code(code) => format!(
            "{}|{}",
            code.system.unwrap_or_default(),
            code.code.unwrap_or_default()
        ),
        Val::Concept(concept) => {
            let code = concept.codes.first()?;
            shown(&Val::Code(code))?
        }
        Val::Interval(interval) => format!(
            "{} – {}",
            shown(&interval.low).unwrap_or_default(),
            shown(&interval.high).unwrap_or_default()
        ),
        Val::List(items) => {
            let texts: Vec<String> = items.iter().filter_map(&mut shown).collect();
            texts.join(", ")
        }
        Val::Tuple(tuple) => {
            // Supplemental data come as tuples of codes and displays: the codes are the value.
            let code = ["codes", "code"].iter().find_map(|n| tuple.get(n));
            match code {
                Some(code) if !code.is_null() => return shown(&code),
                _ => {
                    let named = tuple.names.iter().zip(tuple.values);
                    let texts = named.filter_map(|(n, v)| Some(format!("{n}: {}", shown(v)?)));
                    texts.collect::<Vec<_>>().join(", ")
                }
            }
        }
        Val::Fhir(_) => member_id(value).map(|id| id.to_string())?,
        other => other.type_name().to_owned(),
    })
}
