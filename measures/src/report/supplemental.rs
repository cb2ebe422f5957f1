//! Supplemental data: contained Observations, referred to as DEQM asks.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::datatypes::{Coding, Concept, Extension, ExtensionValue, Reference};
use super::extension::{CRITERIA_REFERENCE, MEASURE_INFO, NOT_EVALUABLE, SUPPLEMENTAL_DATA};
use super::fhir::{Contained, MeasureReport, Observation, ObservationComponent};
use super::frame::coded;
use crate::package::{SupplementalDefinition, Usage};
use crate::result::MeasureResult;
use crate::structure::MeasureStructure;
use crate::subject::Subject;

fn name(definition: &SupplementalDefinition, index: usize) -> String {
    definition
        .id
        .clone()
        .unwrap_or_else(|| format!("supplemental-{}", index + 1))
}

fn observation(
    structure: &MeasureStructure,
    (index, definition): (usize, &SupplementalDefinition),
    id: &str,
) -> Observation {
    let measure = ExtensionValue::ValueCanonical(structure.canonical());
    let info = vec![
        Extension::new("measure", measure),
        Extension::text("populationId", name(definition, index)),
    ];
    let usage = match definition
        .usage
        .first()
        .copied()
        .unwrap_or(Usage::SupplementalData)
    {
        Usage::SupplementalData => "supplemental-data",
        Usage::RiskAdjustment => "risk-adjustment-factor",
    };
    let text = definition.description.as_ref();
    let code = Concept::Coded {
        coding: [Coding {
            code: usage,
            system: "http://terminology.hl7.org/CodeSystem/measure-data-usage",
        }],
        text: Some(text.unwrap_or(&definition.expression).clone()),
    };
    Observation {
        code,
        component: vec![],
        data_absent_reason: None,
        extension: vec![Extension::of(MEASURE_INFO, info)],
        id: id.to_owned(),
        resource_type: "Observation",
        status: "final",
        subject: None,
        value_codeable_concept: None,
        value_string: None,
    }
}

/// Puts an Observation into a report, which refers to it by the id of what it tells.
fn attach(report: &mut MeasureReport<'_>, criteria: String, observation: Observation) {
    let reference = Reference {
        extension: vec![Extension::text(CRITERIA_REFERENCE, criteria)],
        reference: format!("#{}", observation.id),
    };
    let reference = ExtensionValue::ValueReference(reference);
    report
        .extension
        .push(Extension::new(SUPPLEMENTAL_DATA, reference));
    report
        .contained
        .push(Contained::Observation(Box::new(observation)));
}

/// One Observation per expression: its values as components, with how many patients have each.
pub(super) fn of_summary(result: &MeasureResult, report: &mut MeasureReport<'_>) {
    let structure = &result.structure;
    let all = structure
        .supplemental
        .iter()
        .zip(&result.supplemental)
        .enumerate();
    for (index, (definition, own)) in all {
        if own.values.is_empty() && own.unknown == 0 {
            continue;
        }
        let id = format!("supplemental-{}", index + 1);
        let mut out = observation(structure, (index, definition), &id);
        let component = |(value, n): (&Arc<str>, &u64)| {
            let coding = own.codings.get(value).map(AsRef::as_ref);
            ObservationComponent {
                code: coded(value, coding),
                value_integer: *n,
            }
        };
        out.component = own.values.iter().map(component).collect();
        if own.unknown > 0 {
            let unknown = vec![Extension::count("count", own.unknown)];
            out.extension.push(Extension::of(NOT_EVALUABLE, unknown));
        }
        attach(report, name(definition, index), out);
    }
}

/// One Observation per value of a patient.
pub(super) fn of_individual(
    structure: &MeasureStructure,
    subject: &Subject,
    report: &mut MeasureReport<'_>,
) {
    let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
    for value in &subject.supplemental {
        let Some(definition) = structure.supplemental.get(value.index) else {
            continue;
        };
        let number = numbers.entry(value.index).or_default();
        *number += 1;
        let id = format!("supplemental-{}-{number}", value.index + 1);
        let mut out = observation(structure, (value.index, definition), &id);
        out.subject = Some(format!("Patient/{}", subject.patient).into());
        match (&value.value, value.coding.as_deref()) {
            (Ok(text), Some(coding)) => {
                out.value_codeable_concept = Some(coded(text, Some(coding)));
            }
            (Ok(text), None) => out.value_string = Some(text.to_string()),
            (Err(reason), _) => out.data_absent_reason = Some(Concept::text(&**reason)),
        }
        attach(report, name(definition, value.index), out);
    }
}
