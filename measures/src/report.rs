//! MeasureReport JSON, of type summary.

use engine_patient::time::DateTime;
use serde_json::{Value, json};

use crate::result::{Counts, MeasureResult};

/// Where the counts of what could not be told stand: FHIR has no place of its own for them.
const NOT_EVALUABLE: &str = "https://tandem-cds.dev/StructureDefinition/not-evaluable";

/// What a report says of its run.
#[derive(Clone, Debug)]
pub struct ReportContext {
    /// First and last day.
    pub period: (DateTime, DateTime),
    /// When the report was made.
    pub date: DateTime,
    /// Minutes east of UTC that dates without an offset were read in.
    pub zone: i16,
    /// The lake's snapshot.
    pub snapshot: u64,
}

/// A summary MeasureReport (FHIR R4, DEQM).
pub fn measure_report(result: &MeasureResult, context: &ReportContext) -> Value {
    let artifact = &result.artifact;
    let mut group = group(&result.counts);
    if let Some((by, strata)) = &result.strata {
        let strata = strata.iter().map(|(name, counts)| {
            let mut stratum = group_body(counts);
            stratum.insert("value".into(), json!({ "text": name }));
            Value::Object(stratum)
        });
        let strata: Vec<Value> = strata.collect();
        if let Some(group) = group.as_object_mut() {
            group.insert(
                "stratifier".into(),
                json!([{ "code": [{ "text": by }], "stratum": strata }]),
            );
        }
    }
    let sign = if context.zone < 0 { '-' } else { '+' };
    let zone = format!(
        "{sign}{:02}:{:02}",
        context.zone.abs() / 60,
        context.zone.abs() % 60
    );
    json!({
        "resourceType": "MeasureReport",
        "id": format!("{}-{}-{}", artifact.id, context.period.0, context.period.1),
        "extension": [{
            "url": "https://tandem-cds.dev/StructureDefinition/run",
            "extension": [
                { "url": "engine", "valueString": concat!("tandem ", env!("CARGO_PKG_VERSION")) },
                { "url": "snapshot", "valueInteger": context.snapshot },
                { "url": "timeZone", "valueString": zone },
            ],
        }],
        "status": "complete",
        "type": "summary",
        "measure": format!("{}|{}", artifact.url, artifact.version),
        "date": context.date.to_string(),
        "period": { "start": context.period.0.to_string(), "end": context.period.1.to_string() },
        "improvementNotation": {
            "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/measure-improvement-notation",
                "code": result.improvement.as_str(),
            }],
        },
        "group": [group],
    })
}

fn group(counts: &Counts) -> Value {
    Value::Object(group_body(counts))
}

fn group_body(counts: &Counts) -> serde_json::Map<String, Value> {
    let population = |code: &str, count: u64| {
        json!({
            "code": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/measure-population", "code": code }] },
            "count": count,
        })
    };
    let mut body = serde_json::Map::new();
    if counts.unknown > 0 {
        let mut parts = vec![json!({ "url": "count", "valueInteger": counts.unknown })];
        for ((population, reason), n) in &counts.reasons {
            parts.push(json!({ "url": "reason", "extension": [
                { "url": "population", "valueCode": population },
                { "url": "text", "valueString": reason },
                { "url": "count", "valueInteger": n },
            ]}));
        }
        body.insert(
            "extension".into(),
            json!([{ "url": NOT_EVALUABLE, "extension": parts }]),
        );
    }
    let populations = json!([
        population("initial-population", counts.eligible),
        population("denominator", counts.eligible),
        population("denominator-exclusion", counts.excluded),
        population("numerator", counts.satisfied),
    ]);
    body.insert("population".into(), populations);
    if let Some(rate) = counts.rate() {
        body.insert(
            "measureScore".into(),
            json!({ "value": rate, "system": "http://unitsofmeasure.org", "code": "1" }),
        );
    }
    body
}
