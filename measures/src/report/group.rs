//! Groups of a report: populations, score, strata, and what could not be told.

use engine_patient::system::units::Units;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Map, Value, json};

use super::extension::{
    AGGREGATE_METHOD, COUNT_QUANTITY, CQFM_CRITERIA_REFERENCE, GROUP_IMPROVEMENT,
    MISSING_OBSERVATIONS, NOT_EVALUABLE, RATE_AGGREGATION, RATE_BOUNDS, SCORING, concept, count,
};
use super::notation;
use crate::amount::{Unit, ucum};
use crate::package::{
    AggregateMethod, GroupDefinition, PopulationCode as Code, PopulationIndex, Scoring,
    StratifierDefinition,
};
use crate::result::{Counts, GroupResult, MeasureResult, Score};

/// Where a population stands: index of the population, and of stratifier and stratum.
pub(super) type Spot<'a> = (usize, Option<(usize, &'a str)>);

/// All groups. `subjects` gives a population's list of subjects, by group and spot.
pub(super) fn groups<F>(result: &MeasureResult, subjects: F) -> Vec<Value>
where
    F: Fn(usize, Spot) -> Option<Value>,
{
    let groups = result.shape.groups.iter().zip(&result.groups).enumerate();
    groups
        .map(|(i, (definition, own))| group(definition, own, &|spot| subjects(i, spot)))
        .collect()
}

fn group(
    definition: &GroupDefinition,
    own: &GroupResult,
    subjects: &dyn Fn(Spot) -> Option<Value>,
) -> Value {
    let mut body = Map::new();
    if let Some(id) = &definition.id {
        body.insert("id".into(), json!(id));
    }
    let scoring = concept(
        "http://terminology.hl7.org/CodeSystem/measure-scoring",
        definition.scoring.as_str(),
    );
    let mut extensions = vec![json!({ "url": SCORING, "valueCodeableConcept": scoring })];
    if let Some(improvement) = definition.improvement_notation {
        let notation = notation(improvement);
        extensions.push(json!({ "url": GROUP_IMPROVEMENT, "valueCodeableConcept": notation }));
    }
    if let Some(text) = &definition.rate_aggregation {
        extensions.push(json!({ "url": RATE_AGGREGATION, "valueString": text }));
    }
    extensions.extend(not_evaluable(&own.counts));
    extensions.extend(own.counts.rate_bounds().map(|(low, high)| {
        json!({ "url": RATE_BOUNDS, "extension": [
            { "url": "low", "valueDecimal": low }, { "url": "high", "valueDecimal": high } ]})
    }));
    body.insert("extension".into(), Value::Array(extensions));
    counted(
        definition,
        &own.counts,
        None,
        &|at| subjects((at, None)),
        &mut body,
    );
    let stratifiers = definition.stratifiers.iter().zip(&own.strata).enumerate();
    let stratifiers: Vec<Value> = stratifiers
        .map(|(index, (stratifier, strata))| {
            let codings = own.codings.get(index);
            let strata: Vec<Value> = strata
                .iter()
                .map(|(name, counts)| {
                    let subjects = |at| subjects((at, Some((index, name))));
                    let coding = codings.and_then(|c| c.get(name)).map(AsRef::as_ref);
                    let called = (&**name, coding);
                    stratum(definition, stratifier, called, counts, &subjects)
                })
                .collect();
            let mut out = Map::new();
            if let Some(id) = &stratifier.id {
                out.insert("id".into(), json!(id));
            }
            if let Some(code) = &stratifier.code {
                out.insert("code".into(), json!([{ "text": code }]));
            }
            if !strata.is_empty() {
                out.insert("stratum".into(), Value::Array(strata));
            }
            Value::Object(out)
        })
        .filter(|v| v.as_object().is_some_and(|o| !o.is_empty()))
        .collect();
    if !stratifiers.is_empty() {
        body.insert("stratifier".into(), Value::Array(stratifiers));
    }
    Value::Object(body)
}

fn stratum(
    definition: &GroupDefinition,
    stratifier: &StratifierDefinition,
    (name, coding): (&str, Option<&str>),
    counts: &Counts,
    subjects: &dyn Fn(usize) -> Option<Value>,
) -> Value {
    let mut body = Map::new();
    let parts: Option<Vec<String>> = match stratifier.components.is_empty() {
        true => None,
        false => serde_json::from_str(name).ok(),
    };
    match parts {
        Some(values) => {
            let codings = coding.and_then(|c| serde_json::from_str::<Vec<Value>>(c).ok());
            let mut codings = codings.unwrap_or_default().into_iter();
            let components = stratifier.components.iter().zip(values);
            let components = components.map(|(component, value)| {
                let code = component.code.as_ref().unwrap_or(&component.expression);
                let coded = codings.next().filter(Value::is_object);
                let value = coded.unwrap_or_else(|| json!({ "text": value }));
                json!({ "code": { "text": code }, "value": value })
            });
            body.insert("component".into(), components.collect());
        }
        None => {
            body.insert("value".into(), super::coded(name, coding));
        }
    }
    if let Some(extension) = not_evaluable(counts) {
        body.insert("extension".into(), json!([extension]));
    }
    counted(definition, counts, Some(stratifier), subjects, &mut body);
    Value::Object(body)
}

/// Populations and score.
fn counted(
    definition: &GroupDefinition,
    counts: &Counts,
    within: Option<&StratifierDefinition>,
    subjects: &dyn Fn(usize) -> Option<Value>,
    body: &mut Map<String, Value>,
) {
    let applies = |code: Code| {
        let listed = within.map_or(&[] as &[_], |s| s.applies_to.as_slice());
        listed.is_empty() || listed.contains(&code)
    };
    let mut populations = vec![];
    for (at, population) in PopulationIndex::each(&definition.populations) {
        let index = at.position();
        let of = population
            .reference
            .and_then(|i| i.get(&definition.populations));
        let observation = population.code == Code::MeasureObservation;
        // An observation is counted where the population that it is of is.
        let listed = of
            .filter(|_| observation)
            .map_or(population.code, |p| p.code);
        if !applies(listed) {
            continue;
        }
        let Some(own) = counts.populations.get(index) else {
            continue;
        };
        let mut out = Map::new();
        if let Some(id) = &population.id {
            out.insert("id".into(), json!(id));
        }
        let mut extensions = vec![];
        if observation {
            let method = population.aggregate_method.unwrap_or(AggregateMethod::Sum);
            extensions.push(json!({ "url": AGGREGATE_METHOD, "valueCode": method.as_str() }));
            if let Some(id) = of.and_then(|p| p.id.as_ref()) {
                extensions.push(json!({ "url": CQFM_CRITERIA_REFERENCE, "valueString": id }));
            }
            if own.observed.missing > 0 {
                extensions.push(count(MISSING_OBSERVATIONS, own.observed.missing));
            }
        }
        if !extensions.is_empty() {
            out.insert("extension".into(), Value::Array(extensions));
        }
        let code = concept(
            "http://terminology.hl7.org/CodeSystem/measure-population",
            population.code.as_str(),
        );
        out.insert("code".into(), code);
        out.insert("count".into(), json!(own.count));
        let aggregate = counts.aggregate(population, at).filter(|_| observation);
        if let Some(value) = aggregate {
            let quantity = quantity(decimal(value), &counts.unit(population, at));
            let extension = json!({ "url": COUNT_QUANTITY, "valueQuantity": quantity });
            out.insert("_count".into(), json!({ "extension": [extension] }));
        }
        if let Some(list) = subjects(index) {
            out.insert("subjectResults".into(), list);
        }
        populations.push(Value::Object(out));
    }
    if !populations.is_empty() {
        body.insert("population".into(), Value::Array(populations));
    }
    let scored = [Code::Numerator, Code::Denominator, Code::MeasurePopulation];
    let present = scored.iter().filter(|c| definition.position(**c).is_some());
    // A stratum that leaves out a side has no score.
    if !present.clone().all(|c| applies(*c)) {
        return;
    }
    if let Some((score, unit)) = counts.measured(definition) {
        let value = match score {
            Score::Number(n) => decimal(n),
            Score::Fraction(..) => json!(score.as_f64()),
        };
        let score = match definition.scoring {
            Scoring::Proportion => json!({ "value": value, "system": UCUM, "code": "1" }),
            _ => quantity(value, &unit),
        };
        body.insert("measureScore".into(), score);
    }
}

const UCUM: &str = "http://unitsofmeasure.org";

/// A FHIR Quantity: with a code where UCUM has the unit.
fn quantity(value: Value, unit: &Unit) -> Value {
    let Some(unit) = unit else {
        return json!({ "value": value });
    };
    match ucum(&Units::default(), unit) {
        Some(code) => json!({ "value": value, "unit": code, "system": UCUM, "code": code }),
        None => json!({ "value": value, "unit": &**unit }),
    }
}

/// A whole number as one, else the nearest double.
fn decimal(value: Decimal) -> Value {
    let value = value.normalize();
    match value.scale() {
        0 => value
            .to_i64()
            .map_or_else(|| json!(Score::Number(value).as_f64()), |n| json!(n)),
        _ => json!(Score::Number(value).as_f64()),
    }
}

/// Who could not be told of, and why: FHIR has no place of its own for them.
fn not_evaluable(counts: &Counts) -> Option<Value> {
    if counts.unknown == 0 {
        return None;
    }
    let mut parts = vec![count("count", counts.unknown)];
    for ((population, reason), n) in &counts.reasons {
        parts.push(json!({ "url": "reason", "extension": [
            { "url": "population", "valueCode": &**population },
            { "url": "text", "valueString": &**reason },
            count("count", *n),
        ]}));
    }
    Some(json!({ "url": NOT_EVALUABLE, "extension": parts }))
}
