//! Groups of a report: populations, score, strata, and what could not be told.

use engine_patient::system::units::Units;
use rust_decimal::Decimal as Exact;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value;

use super::datatypes::{Concept, Decimal, Extension, ExtensionValue, Quantity, Reference};
use super::extension::{
    AGGREGATE_METHOD, COUNT_QUANTITY, CQFM_CRITERIA_REFERENCE, GROUP_IMPROVEMENT,
    MISSING_OBSERVATIONS, NOT_EVALUABLE, RATE_AGGREGATION, RATE_BOUNDS, SCORING,
};
use super::fhir::{Counted, Extended, Group, Population, Stratifier, Stratum, StratumComponent};
use super::frame::{coded, notation};
use crate::observation_quantity::{Unit, ucum};
use crate::package::{
    AggregateMethod, GroupDefinition, PopulationCode as Code, PopulationDefinition,
    PopulationIndex, Scoring, StratifierDefinition,
};
use crate::result::{Counts, GroupResult, MeasureResult, Score};

/// Where a population stands: index of the population, and of stratifier and stratum.
pub(super) type Spot<'a> = (usize, Option<(usize, &'a str)>);

/// All groups. `subjects` gives a population's list of subjects, by group and spot.
pub(super) fn groups<F>(result: &MeasureResult, subjects: F) -> Vec<Group>
where
    F: Fn(usize, Spot) -> Option<Reference>,
{
    let groups = result
        .structure
        .groups
        .iter()
        .zip(&result.groups)
        .enumerate();
    groups
        .map(|(i, (definition, own))| group(definition, own, &|spot| subjects(i, spot)))
        .collect()
}

fn group(
    definition: &GroupDefinition,
    own: &GroupResult,
    subjects: &dyn Fn(Spot) -> Option<Reference>,
) -> Group {
    let scoring = Concept::coded(
        "http://terminology.hl7.org/CodeSystem/measure-scoring",
        definition.scoring.as_str(),
    );
    let concept = |url, concept| Extension::new(url, ExtensionValue::ValueCodeableConcept(concept));
    let mut extension = vec![concept(SCORING, scoring)];
    if let Some(improvement) = definition.improvement_notation {
        extension.push(concept(GROUP_IMPROVEMENT, notation(improvement)));
    }
    if let Some(text) = &definition.rate_aggregation {
        extension.push(Extension::text(RATE_AGGREGATION, text));
    }
    extension.extend(not_evaluable(&own.counts));
    extension.extend(own.counts.rate_bounds().map(|(low, high)| {
        let bound = |url, rate| {
            let rate = ExtensionValue::ValueDecimal(Decimal::Double(rate));
            Extension::new(url, rate)
        };
        Extension::of(RATE_BOUNDS, vec![bound("low", low), bound("high", high)])
    }));
    let stratifiers = definition.stratifiers.iter().zip(&own.strata).enumerate();
    let stratifiers = stratifiers.map(|(index, (stratifier, strata))| {
        let codings = own.codings.get(index);
        let strata = strata.iter().map(|(name, counts)| {
            let subjects = |at| subjects((at, Some((index, name))));
            let coding = codings.and_then(|c| c.get(name)).map(AsRef::as_ref);
            let called = (&**name, coding);
            stratum(definition, stratifier, called, counts, &subjects)
        });
        Stratifier {
            code: stratifier.code.as_ref().map(|code| [Concept::text(code)]),
            id: stratifier.id.clone(),
            stratum: strata.collect(),
        }
    });
    let told = |s: &Stratifier| s.code.is_some() || s.id.is_some() || !s.stratum.is_empty();
    Group {
        extension,
        id: definition.id.clone(),
        counted: counted(definition, &own.counts, None, &|at| subjects((at, None))),
        stratifier: stratifiers.filter(told).collect(),
    }
}

fn stratum(
    definition: &GroupDefinition,
    stratifier: &StratifierDefinition,
    (name, coding): (&str, Option<&str>),
    counts: &Counts,
    subjects: &dyn Fn(usize) -> Option<Reference>,
) -> Stratum {
    let parts: Option<Vec<String>> = match stratifier.components.is_empty() {
        true => None,
        false => serde_json::from_str(name).ok(),
    };
    let value = match parts {
        Some(_) => None,
        None => Some(coded(name, coding)),
    };
    let component = parts.map(|values| {
        let codings = coding.and_then(|c| serde_json::from_str::<Vec<Value>>(c).ok());
        let mut codings = codings.unwrap_or_default().into_iter();
        let components = stratifier.components.iter().zip(values);
        let components = components.map(|(component, value)| {
            let code = component.code.as_ref().unwrap_or(&component.expression);
            let coded = codings.next().filter(Value::is_object);
            StratumComponent {
                code: Concept::text(code),
                value: coded.map_or_else(|| Concept::text(value), Concept::Data),
            }
        });
        components.collect()
    });
    Stratum {
        component,
        extension: not_evaluable(counts).map(|extension| [extension]),
        counted: counted(definition, counts, Some(stratifier), subjects),
        value,
    }
}

/// Populations and score.
fn counted(
    definition: &GroupDefinition,
    counts: &Counts,
    within: Option<&StratifierDefinition>,
    subjects: &dyn Fn(usize) -> Option<Reference>,
) -> Counted {
    let all = PopulationIndex::each(&definition.populations);
    let population = all.filter_map(|(at, own)| {
        let of = own.reference.and_then(|i| i.get(&definition.populations));
        let subjects = || subjects(at.position());
        let told = definition.is_divided(own, within);
        let told = told.then(|| population(counts, at, (own, of), &subjects));
        told.flatten()
    });
    let score = counts.measured(definition);
    let score = score.filter(|_| definition.is_scored(within));
    let measure_score = score.map(|(score, unit)| {
        let value = match score {
            Score::Number(n) => decimal(n),
            Score::Fraction(..) => Decimal::Double(score.as_f64()),
        };
        match definition.scoring {
            Scoring::Proportion => Quantity {
                code: Some("1".to_owned()),
                system: Some(UCUM),
                unit: None,
                value,
            },
            _ => quantity(value, &unit),
        }
    });
    Counted {
        measure_score,
        population: population.collect(),
    }
}

/// A population's count; of an observation with what came of it.
fn population(
    counts: &Counts,
    at: PopulationIndex,
    (definition, of): (&PopulationDefinition, Option<&PopulationDefinition>),
    subjects: &dyn Fn() -> Option<Reference>,
) -> Option<Population> {
    let own = at.get(&counts.populations)?;
    let observation = definition.code == Code::MeasureObservation;
    let mut extension = vec![];
    if observation {
        let method = definition.aggregate_method.unwrap_or(AggregateMethod::Sum);
        extension.push(Extension::code(AGGREGATE_METHOD, method.as_str()));
        if let Some(id) = of.and_then(|p| p.id.as_ref()) {
            extension.push(Extension::text(CQFM_CRITERIA_REFERENCE, id));
        }
        if own.observed.missing > 0 {
            extension.push(Extension::count(MISSING_OBSERVATIONS, own.observed.missing));
        }
    }
    let aggregate = counts.aggregate(definition, at).filter(|_| observation);
    let count_extension = aggregate.map(|value| {
        let quantity = quantity(decimal(value), &counts.unit(definition, at));
        let quantity = ExtensionValue::ValueQuantity(quantity);
        Extended {
            extension: [Extension::new(COUNT_QUANTITY, quantity)],
        }
    });
    let code = Concept::coded(
        "http://terminology.hl7.org/CodeSystem/measure-population",
        definition.code.as_str(),
    );
    Some(Population {
        count_extension,
        code,
        count: own.count,
        extension,
        id: definition.id.clone(),
        subject_results: subjects(),
    })
}

const UCUM: &str = "http://unitsofmeasure.org";

/// A FHIR Quantity: with a code where UCUM has the unit.
fn quantity(value: Decimal, unit: &Unit) -> Quantity {
    let known = unit.as_deref().and_then(|u| ucum(&Units::default(), u));
    let code = known.map(str::to_owned);
    Quantity {
        system: code.is_some().then_some(UCUM),
        unit: code.clone().or_else(|| unit.as_deref().map(str::to_owned)),
        code,
        value,
    }
}

/// A whole number as one, else the nearest double.
fn decimal(value: Exact) -> Decimal {
    let value = value.normalize();
    let whole = value.to_i64().filter(|_| value.scale() == 0);
    whole.map_or_else(
        || Decimal::Double(Score::Number(value).as_f64()),
        Decimal::Whole,
    )
}

/// Who could not be told of, and why: FHIR has no place of its own for them.
fn not_evaluable(counts: &Counts) -> Option<Extension> {
    if counts.unknown == 0 {
        return None;
    }
    let mut parts = vec![Extension::count("count", counts.unknown)];
    for ((population, reason), n) in &counts.reasons {
        let reason = vec![
            Extension::code("population", &**population),
            Extension::text("text", &**reason),
            Extension::count("count", *n),
        ];
        parts.push(Extension::of("reason", reason));
    }
    Some(Extension::of(NOT_EVALUABLE, parts))
}
