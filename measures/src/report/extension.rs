//! Extensions: their addresses, and the parts that all reports share.

use serde_json::{Value, json};

use super::ReportContext;
use crate::direction::Origin;
use crate::shape::MeasureShape;

macro_rules! urls {
    ($base:literal: $($name:ident = $id:literal;)*) => {
        $(pub(crate) const $name: &str = concat!($base, $id);)*
    };
}

urls! { "https://tandem-cds.dev/StructureDefinition/":
    RUN = "run";
    NOT_EVALUABLE = "not-evaluable";
    RATE_BOUNDS = "rate-bounds";
    MISSING_OBSERVATIONS = "observations-without-value";
    MEMBER = "member";
    DIRECTION = "improvement-direction";
}
/// What was read, and what was not found.
pub const LEDGER: &str = "https://tandem-cds.dev/StructureDefinition/ledger";

urls! { "http://hl7.org/fhir/us/davinci-deqm/StructureDefinition/":
    SUMMARY_PROFILE = "summary-measurereport-deqm";
    SUBJECT_LIST_PROFILE = "subjectlist-measurereport-deqm";
    INDIVIDUAL_PROFILE = "indv-measurereport-deqm";
    SCORING = "extension-measureScoring";
    GROUP_IMPROVEMENT = "extension-groupImprovementNotation";
    GAP_STATUS = "extension-gapStatus";
    GAPS_BUNDLE_PROFILE = "gaps-bundle-deqm";
    GAPS_COMPOSITION_PROFILE = "gaps-composition-deqm";
    GAPS_ISSUE_PROFILE = "gaps-detectedissue-deqm";
}
urls! { "http://hl7.org/fhir/us/cqfmeasures/StructureDefinition/":
    RATE_AGGREGATION = "cqfm-rateAggregation";
    AGGREGATE_METHOD = "cqfm-aggregateMethod";
    CQFM_CRITERIA_REFERENCE = "cqfm-criteriaReference";
}
urls! { "http://hl7.org/fhir/StructureDefinition/":
    COUNT_QUANTITY = "measurereport-countQuantity";
    SUPPLEMENTAL_DATA = "measurereport-supplementalData";
    CRITERIA_REFERENCE = "cqf-criteriaReference";
    MEASURE_INFO = "cqf-measureInfo";
}

/// A count: an integer where FHIR's 32 bits hold it.
pub fn count(url: &str, n: u64) -> Value {
    match i32::try_from(n) {
        Ok(n) => json!({ "url": url, "valueInteger": n }),
        Err(_) => json!({ "url": url, "valueDecimal": n }),
    }
}

/// A coded concept of one code.
pub(crate) fn concept(system: &str, code: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code }] })
}

/// Which way is better, where that is not simply as the measure says: once for all groups that have it
/// in common.
pub(super) fn directions(shape: &MeasureShape) -> Vec<Value> {
    let mut all: Vec<Value> = vec![];
    for (index, direction) in shape.told_directions() {
        if direction.origin == Origin::Stated && direction.against.is_empty() {
            continue;
        }
        let several = shape.directions.iter().any(|d| d != direction);
        let mut parts = vec![
            json!({ "url": "code", "valueCode": direction.better.as_str() }),
            json!({ "url": "settled", "valueBoolean": direction.is_settled() }),
            json!({ "url": "text", "valueString": direction.text() }),
        ];
        if let Some(group) = shape.groups.get(index).filter(|_| several) {
            parts.push(json!({ "url": "group", "valueString": group.name(index) }));
        }
        let extension = json!({ "url": DIRECTION, "extension": parts });
        if !all.contains(&extension) {
            all.push(extension);
        }
    }
    all
}

/// What the run was. `whole`: with all of its manifest.
pub(super) fn run(context: &ReportContext, whole: bool) -> Value {
    let mut parts = vec![
        json!({ "url": "engine", "valueString": concat!("tandem ", env!("CARGO_PKG_VERSION")) }),
        count("snapshot", context.snapshot),
        json!({ "url": "timeZone", "valueString": context.zone.to_string() }),
    ];
    if let Some(manifest) = &context.manifest {
        parts.extend(manifest.parts(whole));
    }
    json!({ "url": RUN, "extension": parts })
}
