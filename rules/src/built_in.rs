//! The rules that come with Tandem, and their value sets.

use std::sync::Arc;

use engine_patient::finding::Finding;
use engine_patient::terminology::{TerminologyBuilder, TerminologyProvider, TerminologyStore};

use crate::load::load;
use crate::rule::Rule;

macro_rules! rule {
    ($path:literal) => {
        (
            concat!("rules/content/", $path, ".yaml"),
            include_str!(concat!("../content/", $path, ".yaml")),
        )
    };
}

macro_rules! value_set {
    ($id:literal) => {
        (
            concat!("rules/content/valuesets/", $id, ".json"),
            include_str!(concat!("../content/valuesets/", $id, ".json")),
        )
    };
}

/// Name and text of each rule file.
const RULES: &[(&str, &str)] = &[
    rule!("cancer-screening/colorectal-cancer-screening"),
    rule!("diabetes/hba1c-control"),
    rule!("hypertension/blood-pressure-control"),
];

/// Name and text of each value set.
const VALUE_SETS: &[(&str, &str)] = &[
    value_set!("absence-of-cervix"),
    value_set!("advanced-kidney-disease"),
    value_set!("aortic-aneurysm"),
    value_set!("ascvd"),
    value_set!("bilateral-mastectomy"),
    value_set!("bipolar-disorder"),
    value_set!("blood-pressure-panel"),
    value_set!("bmi"),
    value_set!("body-weight"),
    value_set!("breastfeeding"),
    value_set!("colonoscopy"),
    value_set!("colorectal-cancer"),
    value_set!("creatinine"),
    value_set!("ct-colonography"),
    value_set!("depression"),
    value_set!("depression-screening"),
    value_set!("diabetes"),
    value_set!("diabetic-retinopathy"),
    value_set!("dialysis"),
    value_set!("diastolic-bp"),
    value_set!("dxa-scan"),
    value_set!("egfr"),
    value_set!("essential-hypertension"),
    value_set!("flexible-sigmoidoscopy"),
    value_set!("fobt"),
    value_set!("hba1c-lab"),
    value_set!("hepatitis-b"),
    value_set!("hepatitis-b-vaccine"),
    value_set!("hepatitis-b-vaccine-two-dose"),
    value_set!("hepatitis-c"),
    value_set!("hepatitis-c-test"),
    value_set!("hiv"),
    value_set!("hiv-test"),
    value_set!("hospice"),
    value_set!("hpv-test"),
    value_set!("influenza-vaccine"),
    value_set!("inr"),
    value_set!("liver-disease"),
    value_set!("long-qt"),
    value_set!("mammography"),
    value_set!("nicotine-dependence"),
    value_set!("osteoporosis"),
    value_set!("palliative-care"),
    value_set!("pap-test"),
    value_set!("pneumococcal-complete"),
    value_set!("pneumococcal-conjugate"),
    value_set!("pneumococcal-ppsv23"),
    value_set!("potassium"),
    value_set!("pregnancy"),
    value_set!("pregnancy-due-date"),
    value_set!("psychosis"),
    value_set!("retinal-exam"),
    value_set!("sdna-fit"),
    value_set!("seizure"),
    value_set!("statin-intolerance"),
    value_set!("systolic-bp"),
    value_set!("tetanus-diphtheria-vaccine"),
    value_set!("tobacco-screening"),
    value_set!("urine-albumin-creatinine"),
    value_set!("zoster-vaccine"),
];

/// The built-in rules, checked against the built-in value sets.
///
/// # Errors
/// What is wrong with them; a test keeps that from happening.
pub fn built_in() -> Result<Vec<Arc<Rule>>, Vec<Finding>> {
    built_in_with(&built_in_terminology())
}

/// The built-in rules with other value sets: of several versions of a set the highest counts.
pub fn built_in_with(
    terminology: &dyn TerminologyProvider,
) -> Result<Vec<Arc<Rule>>, Vec<Finding>> {
    let (mut rules, mut problems) = (vec![], vec![]);
    for (file, text) in RULES {
        match load(file, text, terminology) {
            Ok(rule) => rules.push(Arc::new(rule)),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() {
        Ok(rules)
    } else {
        Err(problems)
    }
}

/// Name and text of the file of a built-in rule.
pub fn built_in_file(id: &str) -> Option<(&'static str, &'static str)> {
    let of = |file: &str| {
        file.rsplit('/')
            .next()
            .and_then(|name| name.strip_suffix(".yaml"))
            == Some(id)
    };
    RULES.iter().find(|(file, _)| of(file)).copied()
}

/// The value sets of the built-in rules.
pub fn built_in_terminology() -> TerminologyStore {
    let mut builder = TerminologyBuilder::new();
    for (name, json) in VALUE_SETS {
        builder.add_json(name, json.as_bytes());
    }
    builder.build().0
}
