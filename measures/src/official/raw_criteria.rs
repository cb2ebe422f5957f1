//! From values of the logic to what scoring takes.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_elm::EvaluationState;
use engine_elm::InDoubt;
use engine_elm::compare::number;
use engine_elm::value::Val;
use engine_elm::{Evaluator, Expression, Fault};
use engine_patient::system::truth::Truth;

use super::compiled_measure::CompiledStratifier;
use super::fhir_values::{cql_value, is_resource, label, member_id};
use super::null_reason::null_reason;
use crate::package::Basis;
use crate::score::{Doubtful, Label, ObservationQuantity, Raw, RawStrata, RawSupplemental};

type Evaluated<'a> = Result<Val<'a>, Fault>;

/// Why an evaluation has no value. Texts of the engine and the library, never data. A mistake of ours is
/// noted: it must not pass for what the data leaves open.
fn reason(cx: &EvaluationState<'_>, fault: &Fault) -> Arc<str> {
    cx.metrics.fault(fault);
    fault.to_string().into()
}

/// The result of a population's expression. Members are noted with their values. A FHIR boolean is its
/// value; of a boolean basis a list of resources is true where it has any.
pub(super) fn criterion<'a>(
    cx: &EvaluationState<'a>,
    value: Evaluated<'a>,
    basis: &Basis,
    members: &mut BTreeMap<Arc<str>, Val<'a>>,
) -> Raw {
    let value = match value.and_then(|value| cql_value(cx, value)) {
        Ok(value) => value,
        Err(fault) => return Raw::Failed(reason(cx, &fault)),
    };
    match basis {
        Basis::Boolean => match value {
            Val::Null => Raw::Truth(Truth::Unknown, None),
            Val::Boolean(true) => Raw::Truth(Truth::True, None),
            Val::Boolean(false) => Raw::Truth(Truth::False, None),
            Val::Fhir(fhir) if is_resource(&fhir) => Raw::Truth(Truth::True, None),
            Val::List(items) => of_list(items),
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

/// A list where a Boolean was expected: there is something, or there is nothing. A list of values that
/// are true or false themselves says neither.
fn of_list(items: &[Val<'_>]) -> Raw {
    let mut any = Truth::False;
    for item in items.iter().filter(|i| !i.is_null()) {
        match item {
            Val::Fhir(fhir) if is_resource(fhir) => any = Truth::True,
            Val::Tuple(_) | Val::Interval(_) => any = Truth::True,
            other => {
                let what = format!("a list of {}", other.type_name());
                return Raw::Failed(
                    format!("the expression gives {what} where a Boolean was expected").into(),
                );
            }
        }
    }
    Raw::Truth(any, None)
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

/// The quantity of an observation, or why there is none.
/// A value that is in doubt is counted; `value` and what it is made of raised the mark that stands.
pub(super) fn observation<'a>(
    cx: &EvaluationState<'a>,
    value: Evaluated<'a>,
) -> Result<ObservationQuantity, Arc<str>> {
    let quantity = quantity(cx, value);
    match (quantity, cx.why(cx.take_doubt())) {
        (Ok(quantity), doubt) => Ok(ObservationQuantity { doubt, ..quantity }),
        (Err(null), Some(why)) if *null == *NO_VALUE => Err(why),
        (failed, _) => failed,
    }
}

fn quantity<'a>(
    cx: &EvaluationState<'a>,
    value: Evaluated<'a>,
) -> Result<ObservationQuantity, Arc<str>> {
    let value = value.and_then(|value| cql_value(cx, value));
    match value.map_err(|fault| reason(cx, &fault))? {
        Val::Null => Err(Arc::from(NO_VALUE)),
        Val::Quantity(quantity) => Ok(ObservationQuantity::of(quantity.value, quantity.unit)),
        other => match number(&other) {
            Some(value) => Ok(ObservationQuantity::of(value, "1")),
            None => Err(format!("the observation gives a {}", other.type_name()).into()),
        },
    }
}

/// Why an observation that is null is not evaluable.
pub(super) const NO_VALUE: &str = "the observation has no value";

/// The strata that a stratifier gives.
pub(super) fn stratum<'a>(
    evaluator: &mut Evaluator<'a>,
    stratifier: &CompiledStratifier,
    basis: &Basis,
) -> RawStrata {
    let mut one = |expression: Expression| {
        evaluator.cx.take_doubt();
        let value = evaluator.expression(expression);
        let value = value.and_then(|value| cql_value(&evaluator.cx, value));
        let strata = match value {
            Err(fault) => RawStrata::Failed(reason(&evaluator.cx, &fault)),
            Ok(Val::Boolean(b)) => {
                let truth = if b { Truth::True } else { Truth::False };
                RawStrata::Criterion(Raw::Truth(truth, None))
            }
            Ok(Val::Null) => match basis {
                Basis::Boolean => {
                    let why = null_reason(evaluator, expression);
                    RawStrata::Criterion(Raw::Truth(Truth::Unknown, Some(why)))
                }
                Basis::Resource(_) => RawStrata::Criterion(Raw::Members(vec![])),
            },
            Ok(value) if *basis != Basis::Boolean && of_resources(&value) => {
                let none = &mut BTreeMap::new();
                RawStrata::Criterion(criterion(&evaluator.cx, Ok(value), basis, none))
            }
            Ok(value) => RawStrata::Values(labels(&evaluator.cx, value)),
        };
        match (strata, why(evaluator, expression)) {
            (failed @ RawStrata::Failed(_), _) => failed,
            (strata, Some(why)) => RawStrata::InDoubt(Box::new(strata), why),
            (strata, None) => strata,
        }
    };
    match stratifier.criterion {
        Some(criterion) => one(criterion),
        None => RawStrata::Components(stratifier.components.iter().map(|c| one(*c)).collect()),
    }
}

/// Why an expression that was just evaluated is in doubt, itself or by what was read of its value.
fn why(evaluator: &Evaluator<'_>, expression: Expression) -> Option<Arc<str>> {
    let own = evaluator.cx.take_doubt();
    let of_value = evaluator.in_doubt(expression).map(|doubt| doubt.why);
    of_value.or_else(|| evaluator.cx.why(own))
}

/// Whether it is a resource, or a list of them; an empty list may be one.
fn of_resources(value: &Val<'_>) -> bool {
    let is = |v: &Val<'_>| matches!(v, Val::Fhir(fhir) if is_resource(fhir));
    match value {
        Val::List(items) => items.iter().all(|i| i.is_null() || is(i)),
        other => is(other),
    }
}

/// The values of an expression, each once: one an item of a list.
fn labels<'a>(cx: &EvaluationState<'a>, value: Val<'a>) -> Vec<Label> {
    let one = [value];
    let items = match value {
        Val::List(items) => items,
        _ => one.as_slice(),
    };
    let mut all: Vec<Label> = items.iter().filter_map(|item| label(cx, *item)).collect();
    all.sort();
    all.dedup_by(|a, b| a.text == b.text);
    all
}

/// The results of supplemental data: the values of its items, each once.
pub(super) fn supplemental(
    evaluator: &mut Evaluator<'_>,
    expression: Expression,
) -> RawSupplemental {
    evaluator.cx.take_doubt();
    let value = match evaluator.expression(expression) {
        Ok(value) => value,
        Err(fault) => return Err(reason(&evaluator.cx, &fault)).into(),
    };
    RawSupplemental {
        values: Ok(labels(&evaluator.cx, value)),
        doubt: why(evaluator, expression),
    }
}
