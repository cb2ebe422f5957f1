//! Supplemental data: contained Observations, referred to as DEQM asks.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::coded;
use super::extension::{CRITERIA_REFERENCE, MEASURE_INFO, SUPPLEMENTAL_DATA, count};
use crate::package::{SupplementalDefinition, Usage};
use crate::result::MeasureResult;
use crate::shape::MeasureShape;
use crate::subject::Subject;

fn name(definition: &SupplementalDefinition, index: usize) -> String {
    definition
        .id
        .clone()
        .unwrap_or_else(|| format!("supplemental-{}", index + 1))
}

fn observation(
    shape: &MeasureShape,
    (index, definition): (usize, &SupplementalDefinition),
    id: &str,
) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("resourceType".into(), json!("Observation"));
    out.insert("id".into(), json!(id));
    let info = json!({ "url": MEASURE_INFO, "extension": [
        { "url": "measure", "valueCanonical": shape.canonical() },
        { "url": "populationId", "valueString": name(definition, index) },
    ]});
    out.insert("extension".into(), json!([info]));
    out.insert("status".into(), json!("final"));
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
    let code = json!({
        "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/measure-data-usage",
            "code": usage,
        }],
        "text": text.unwrap_or(&definition.expression),
    });
    out.insert("code".into(), code);
    out
}

fn attach(report: &mut Map<String, Value>, contained: Vec<(String, String, Value)>) {
    if contained.is_empty() {
        return;
    }
    let mut resources = vec![];
    let mut references = vec![];
    for (id, criteria, resource) in contained {
        resources.push(resource);
        references.push(json!({ "url": SUPPLEMENTAL_DATA, "valueReference": {
            "extension": [{ "url": CRITERIA_REFERENCE, "valueString": criteria }],
            "reference": format!("#{id}"),
        }}));
    }
    append(report, "contained", resources);
    append(report, "extension", references);
}

pub(super) fn append(report: &mut Map<String, Value>, key: &str, more: Vec<Value>) {
    let list = report.entry(key).or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut() {
        list.extend(more);
    }
}

/// One Observation per expression: its values as components, with how many patients have each.
pub(super) fn of_summary(result: &MeasureResult, report: &mut Map<String, Value>) {
    let shape = &result.shape;
    let all = shape
        .supplemental
        .iter()
        .zip(&result.supplemental)
        .enumerate();
    let mut contained = vec![];
    for (index, (definition, own)) in all {
        if own.values.is_empty() && own.unknown == 0 {
            continue;
        }
        let id = format!("supplemental-{}", index + 1);
        let mut out = observation(shape, (index, definition), &id);
        let component = |(value, n): (&Arc<str>, &u64)| {
            let coding = own.codings.get(value).map(AsRef::as_ref);
            json!({ "code": coded(value, coding), "valueInteger": n })
        };
        let components: Vec<Value> = own.values.iter().map(component).collect();
        if !components.is_empty() {
            out.insert("component".into(), Value::Array(components));
        }
        if own.unknown > 0 {
            let unknown = json!({ "url": super::extension::NOT_EVALUABLE, "extension": [
                count("count", own.unknown) ]});
            append(&mut out, "extension", vec![unknown]);
        }
        contained.push((id, name(definition, index), Value::Object(out)));
    }
    attach(report, contained);
}

/// One Observation per value of a patient.
pub(super) fn of_individual(
    shape: &MeasureShape,
    subject: &Subject,
    report: &mut Map<String, Value>,
) {
    let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
    let mut contained = vec![];
    for value in &subject.supplemental {
        let Some(definition) = shape.supplemental.get(value.index) else {
            continue;
        };
        let number = numbers.entry(value.index).or_default();
        *number += 1;
        let id = format!("supplemental-{}-{number}", value.index + 1);
        let mut out = observation(shape, (value.index, definition), &id);
        let patient = format!("Patient/{}", subject.patient);
        out.insert("subject".into(), json!({ "reference": patient }));
        match &value.value {
            Ok(text) => match value.coding.as_deref() {
                Some(coding) => {
                    out.insert("valueCodeableConcept".into(), coded(text, Some(coding)));
                }
                None => {
                    out.insert("valueString".into(), json!(text));
                }
            },
            Err(reason) => {
                let absent = json!({ "text": &**reason });
                out.insert("dataAbsentReason".into(), absent);
            }
        }
        contained.push((id, name(definition, value.index), Value::Object(out)));
    }
    attach(report, contained);
}
