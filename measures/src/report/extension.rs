//! Extensions: their addresses, and the parts that all reports share.

use engine_patient::system::zone::Zone;

use super::datatypes::{Coding, Concept, Decimal, Extension, ExtensionValue, Reference};
use crate::improvement_direction::Origin;
use crate::ledger::Ledger;
use crate::manifest::Manifest;
use crate::structure::MeasureStructure;

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
    ATTRIBUTION = "attribution";
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

impl Extension {
    /// With a value.
    pub(crate) fn new(url: &'static str, value: ExtensionValue) -> Self {
        Extension {
            extension: vec![],
            url,
            value: Some(value),
        }
    }

    /// Of parts.
    pub(crate) fn of(url: &'static str, extension: Vec<Extension>) -> Self {
        Extension {
            extension,
            url,
            value: None,
        }
    }

    pub(crate) fn text(url: &'static str, text: impl Into<String>) -> Self {
        Extension::new(url, ExtensionValue::ValueString(text.into()))
    }

    pub(crate) fn code(url: &'static str, code: impl Into<String>) -> Self {
        Extension::new(url, ExtensionValue::ValueCode(code.into()))
    }

    /// A count: an integer where FHIR's 32 bits hold it.
    pub(crate) fn count(url: &'static str, n: u64) -> Self {
        let value = match i32::try_from(n) {
            Ok(n) => ExtensionValue::ValueInteger(n),
            Err(_) => ExtensionValue::ValueDecimal(Decimal::Count(n)),
        };
        Extension::new(url, value)
    }
}

impl Concept {
    /// Of one code.
    pub(crate) fn coded(system: &'static str, code: &'static str) -> Self {
        Concept::Coded {
            coding: [Coding { code, system }],
            text: None,
        }
    }

    /// In words only.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Concept::Text { text: text.into() }
    }
}

impl From<String> for Reference {
    fn from(reference: String) -> Self {
        Reference {
            extension: vec![],
            reference,
        }
    }
}

/// Which way is better, where that is not simply as the measure says: once for all groups that have it
/// in common.
pub(super) fn directions(structure: &MeasureStructure) -> Vec<Extension> {
    let mut all: Vec<Extension> = vec![];
    for (index, direction) in structure.told_directions() {
        if direction.origin == Origin::Stated && direction.against.is_empty() {
            continue;
        }
        let several = structure.directions.iter().any(|d| d != direction);
        let settled = ExtensionValue::ValueBoolean(direction.is_settled());
        let mut parts = vec![
            Extension::code("code", direction.better.as_str()),
            Extension::new("settled", settled),
            Extension::text("text", direction.text()),
        ];
        if let Some(group) = structure.groups.get(index).filter(|_| several) {
            parts.push(Extension::text("group", group.name(index)));
        }
        let extension = Extension::of(DIRECTION, parts);
        if !all.contains(&extension) {
            all.push(extension);
        }
    }
    all
}

/// What the run was. `whole`: with all of its manifest.
pub(super) fn run(
    snapshot: u64,
    zone: &Zone,
    manifest: Option<&Manifest>,
    whole: bool,
) -> Extension {
    let engine = concat!("tandem ", env!("CARGO_PKG_VERSION"));
    let mut parts = vec![
        Extension::text("engine", engine),
        Extension::count("snapshot", snapshot),
        Extension::text("timeZone", zone.to_string()),
    ];
    if let Some(manifest) = manifest {
        parts.extend(manifest_parts(manifest, whole));
    }
    Extension::of(RUN, parts)
}

/// Parts of the `run` extension; `whole` with everything, else the hash only.
fn manifest_parts(manifest: &Manifest, whole: bool) -> Vec<Extension> {
    let text = |url, value: &str| Extension::text(url, value);
    let pair = |url, name: &str, value: &str| {
        Extension::of(url, vec![text("name", name), text("value", value)])
    };
    let mut parts = vec![text("manifest", &manifest.hash().to_string())];
    if !whole {
        return parts;
    }
    parts.extend(manifest.lake.iter().map(|lake| text("lake", lake)));
    parts.extend(
        manifest
            .terminology
            .iter()
            .map(|hash| text("terminology", hash)),
    );
    let attribution = manifest.attribution.iter();
    parts.extend(attribution.map(|how| text("attribution", how)));
    parts.extend(
        manifest
            .profile_mode
            .iter()
            .map(|mode| text("profileMode", mode)),
    );
    parts.extend(
        manifest
            .parameters
            .iter()
            .map(|(n, v)| pair("parameter", n, v)),
    );
    parts.extend(manifest.better.iter().map(|(n, v)| pair("better", n, v)));
    parts.extend(manifest.limits.iter().map(|(n, v)| pair("limit", n, v)));
    let sets = manifest.value_sets.iter();
    parts.extend(sets.map(|(n, v)| pair("valueSet", n, v)));
    parts.extend(manifest.files.iter().map(|(n, v)| pair("file", n, v)));
    parts.push(Extension::count("measures", manifest.measures.len() as u64));
    parts
}

/// What was read, and what was not found.
pub(super) fn ledger(ledger: &Ledger) -> Option<Extension> {
    let line = |(name, detail, n): (&str, &str, u64)| {
        let mut parts = vec![Extension::text("name", name)];
        if !detail.is_empty() {
            parts.push(Extension::text("detail", detail));
        }
        parts.push(Extension::count("count", n));
        Extension::of("line", parts)
    };
    let lines: Vec<Extension> = ledger.lines().map(line).collect();
    (!lines.is_empty()).then(|| Extension::of(LEDGER, lines))
}
