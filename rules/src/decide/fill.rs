//! The resources of suggestions, with their values.

use engine_cel::explain::show;
use engine_cel::{Compiled, Evaluation, Val};
use engine_patient::fhir::model::{Cardinality, Model};
use engine_patient::fhir::names::choice_name;
use engine_patient::program::EvaluationError;
use engine_patient::record::{Element, Kind};
use engine_patient::system::date_time::DateTime;

use crate::load::scalar::{expand, quoted};
use crate::outcome::CardChange;
use crate::program::{ChangeProgram, Fragment, Hole, Piece, ResourceProgram};
use crate::text::day;
use crate::yaml::{Scalar, Style};

/// What was made, or why it could not be: for people, without patient data.
pub(super) type Made<T, E = String> = Result<T, E>;

/// What an action does.
pub(super) fn change<'r>(
    evaluation: &Evaluation<'r>,
    program: &'r ChangeProgram,
) -> Result<Made<CardChange>, EvaluationError> {
    Ok(match program {
        ChangeProgram::Create(resource) => json(evaluation, resource)?.map(CardChange::Create),
        ChangeProgram::Delete(expression) => {
            let found = element(evaluation, expression)?;
            found.and_then(|e| reference(e)).map(CardChange::Delete)
        }
        ChangeProgram::Update(expression, set) => {
            let changed = json(evaluation, set)?;
            let found = element(evaluation, expression)?;
            found.and_then(|e| {
                reference(e)?;
                Ok(CardChange::Update(replaced(e, &changed?, &set.elements)))
            })
        }
    })
}

/// The resource of an expression.
fn element<'r>(
    evaluation: &Evaluation<'r>,
    expression: &'r Compiled,
) -> Result<Made<Element<'r>>, EvaluationError> {
    Ok(match evaluation.evaluate(expression)? {
        Val::Element(element) => Ok(element),
        Val::Unknown(reason) => Err(reason.into_owned()),
        _ => Err("there is no such resource".to_owned()),
    })
}

/// `Type/id`
fn reference(resource: Element<'_>) -> Made<String> {
    let (ty, id) = (resource.resource_type(), resource.get_str("id"));
    match (ty, id) {
        (Some(ty), Some(id)) if !id.is_empty() => Ok(format!("{}/{id}", ty.as_str())),
        (Some(ty), _) => Err(format!("the {} has no id", ty.as_str())),
        _ => Err("it is no resource".to_owned()),
    }
}

/// FHIR JSON with its holes filled.
fn json<'r>(
    evaluation: &Evaluation<'r>,
    resource: &'r ResourceProgram,
) -> Result<Made<String>, EvaluationError> {
    let mut out = String::new();
    for piece in &resource.pieces {
        match piece {
            Piece::Json(json) => out.push_str(json),
            Piece::Hole(hole) => match filled(evaluation, hole)? {
                Ok(json) => out.push_str(&json),
                Err(reason) => return Ok(Err(reason)),
            },
        }
    }
    Ok(Ok(out))
}

/// The JSON of a value that is made of expressions.
fn filled<'r>(
    evaluation: &Evaluation<'r>,
    hole: &'r Hole,
) -> Result<Made<String>, EvaluationError> {
    let mut text = String::new();
    let alone = hole.template.len() == 1;
    for fragment in &hole.template {
        let compiled = match fragment {
            Fragment::Text(fixed) => {
                text.push_str(fixed);
                continue;
            }
            Fragment::Value(compiled) => compiled,
        };
        match evaluation.evaluate(compiled)? {
            Val::Unknown(reason) => return Ok(Err(reason.into_owned())),
            // A copy of an element.
            Val::Element(element) if alone => return Ok(Ok(raw(element))),
            // Of a moment, where a date is wanted: its day.
            Val::Time(time) if hole.ty == "date" => text.push_str(&day(time, evaluation.zone())),
            Val::Time(time) => text.push_str(&time.to_string()),
            value => text.push_str(&show(&value)),
        }
    }
    let mut text = text.trim();
    // Of a moment, where a date is wanted: its day.
    if hole.ty == "date"
        && DateTime::parse(text).is_some()
        && let Some((of, _)) = text.split_once('T')
    {
        text = of;
    }
    let scalar = Scalar {
        text: text.to_owned(),
        style: Style::Double,
    };
    let fits = |_: &String| {
        hole.codes
            .is_none_or(|codes| hole.ty != "code" || codes.has(&scalar.text))
    };
    let made = expand(&scalar, hole.ty, hole.codes).ok().filter(fits);
    let empty = scalar.text.is_empty();
    Ok(match made {
        Some(json) if !empty => Ok(json),
        _ => Err(format!("the value for {} does not fit it", hole.element)),
    })
}

/// A resource with these elements in place of its own: of a choice, whatever type it had.
fn replaced(resource: Element<'_>, set: &str, names: &[String]) -> String {
    let owner = resource.resource_type().map_or("", |ty| ty.as_str());
    let gone: Vec<String> = names.iter().flat_map(|name| same(owner, name)).collect();
    let is_gone = |property: &str| {
        let bare = property.strip_prefix('_').unwrap_or(property);
        gone.iter().any(|name| name == bare)
    };
    let (mut kept, mut replaced) = (String::new(), String::new());
    let mut contained = vec![];
    for child in resource.children() {
        let property = child.property();
        let text = raw(child);
        match (is_gone(&property), &*property) {
            (true, _) => replaced.push_str(&text),
            (false, "contained") => contained.extend(child.items()),
            (false, _) => kept.push_str(&format!("{}:{text},", quoted(&property))),
        }
    }
    let contained = still_meant(contained, &format!("{kept}{set}"), replaced);
    if !contained.is_empty() {
        let contained: Vec<String> = contained.into_iter().map(raw).collect();
        kept.push_str(&format!("\"contained\":[{}],", contained.join(",")));
    }
    format!("{{{kept}{set}}}")
}

/// The contained resources without those that only what is replaced refers to: FHIR has none that nothing
/// refers to.
fn still_meant<'r>(
    mut contained: Vec<Element<'r>>,
    kept: &str,
    mut replaced: String,
) -> Vec<Element<'r>> {
    let refers = |text: &str, id: &str| text.contains(&quoted(&format!("#{id}")));
    loop {
        let gone = contained.iter().position(|resource| {
            let Some(id) = resource.get_str("id") else {
                return false;
            };
            let mut others = contained.iter().filter(|other| *other != resource);
            refers(&replaced, &id)
                && !refers(kept, &id)
                && !others.any(|other| refers(other.raw(), &id))
        });
        let Some(gone) = gone else {
            return contained;
        };
        // What only it refers to goes with it.
        replaced.push_str(contained.remove(gone).raw());
    }
}

/// Its JSON.
fn raw(element: Element<'_>) -> String {
    match element.kind() {
        Kind::String => format!("\"{}\"", element.raw()),
        _ => element.raw().to_owned(),
    }
}

/// The element of this name, or all types of the choice that it is one of.
fn same(owner: &str, name: &str) -> Vec<String> {
    let choices = Model::r4()
        .elements(owner)
        .filter(|e| e.cardinality == Cardinality::Choice);
    for choice in choices {
        let all = choice.types.iter().map(|ty| choice_name(choice.name, ty));
        let all: Vec<String> = all.collect();
        if all.iter().any(|n| n == name) {
            return all;
        }
    }
    vec![name.to_owned()]
}
