//! The rules that come with Tandem, and their value sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine_patient::finding::Finding;
use engine_patient::terminology::{
    DrugDictionary, TerminologyBuilder, TerminologyProvider, TerminologyStore,
};

use crate::library::Library;
use crate::load::load_with;
use crate::rule::Rule;
use crate::surroundings::Surroundings;

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

macro_rules! table {
    ($path:literal) => {
        (
            concat!("rules/content/", $path, ".csv"),
            include_str!(concat!("../content/", $path, ".csv")),
        )
    };
}

/// Name and text of each rule file.
const RULES: &[(&str, &str)] = &[
    rule!("cancer-screening/colorectal-cancer-screening"),
    rule!("diabetes/hba1c-control"),
    rule!("hypertension/blood-pressure-control"),
    rule!("bone/osteoporosis-screening"),
    rule!("cancer-screening/breast-cancer-screening"),
    rule!("cancer-screening/cervical-cancer-screening"),
    rule!("cancer-screening/lung-cancer-screening"),
    rule!("cardiovascular/aortic-aneurysm-screening"),
    rule!("cardiovascular/statin-in-ascvd"),
    rule!("cardiovascular/statin-in-diabetes"),
    rule!("diabetes/diabetes-eye-exam"),
    rule!("diabetes/kidney-health-evaluation"),
    rule!("diabetes/prediabetes-screening"),
    rule!("drug-safety/drug-allergy"),
    rule!("drug-safety/drug-allergy-cross-reactivity"),
    rule!("drug-safety/drug-drug-interactions"),
    rule!("drug-safety/drug-drug-interactions-unconfirmed"),
    rule!("drug-safety/duplicate-therapy"),
    rule!("drug-safety/high-risk-medicines-65"),
    rule!("drug-safety/metformin-renal"),
    rule!("drug-safety/pregnancy-caution"),
    rule!("drug-safety/pregnancy-risk"),
    rule!("drug-safety/pregnancy-risk-unconfirmed"),
    rule!("drug-safety/qt-prolongation"),
    rule!("drug-safety/renal-dosing"),
    rule!("drug-safety/renal-dosing-unconfirmed"),
    rule!("immunizations/hepatitis-b-vaccination"),
    rule!("immunizations/influenza-vaccination"),
    rule!("immunizations/pneumococcal-vaccination"),
    rule!("immunizations/tetanus-booster"),
    rule!("immunizations/zoster-vaccination"),
    rule!("infections/hepatitis-c-screening"),
    rule!("infections/hiv-screening"),
    rule!("mental-health/depression-screening"),
    rule!("prevention/smoking-cessation-help"),
    rule!("prevention/tobacco-use-screening"),
];

/// Name and text of what they share.
const LIBRARY: (&str, &str) = (
    "rules/content/library.yaml",
    include_str!("../content/library.yaml"),
);

/// Name and text of each table, which stands beside its rule.
const TABLES: &[(&str, &str)] = &[
    table!("drug-safety/drug-allergy-cross-reactivity"),
    table!("drug-safety/drug-drug-interactions"),
    table!("drug-safety/drug-drug-interactions-unconfirmed"),
    table!("drug-safety/duplicate-therapy"),
    table!("drug-safety/high-risk-medicines-65"),
    table!("drug-safety/pregnancy-caution"),
    table!("drug-safety/pregnancy-risk"),
    table!("drug-safety/pregnancy-risk-unconfirmed"),
    table!("drug-safety/qt-prolongation"),
    table!("drug-safety/renal-dosing"),
    table!("drug-safety/renal-dosing-unconfirmed"),
];

/// Name and text of each value set.
const VALUE_SETS: &[(&str, &str)] = &[
    value_set!("abdominal-aorta-imaging"),
    value_set!("absence-of-cervix"),
    value_set!("advanced-kidney-disease"),
    value_set!("aortic-aneurysm"),
    value_set!("ascvd"),
    value_set!("bilateral-mastectomy"),
    value_set!("bipolar-disorder"),
    value_set!("blood-pressure-panel"),
    value_set!("bmi"),
    value_set!("body-weight"),
    value_set!("breast-cancer"),
    value_set!("breastfeeding"),
    value_set!("cervical-cancer"),
    value_set!("chest-ct-screening"),
    value_set!("colonoscopy"),
    value_set!("colorectal-cancer"),
    value_set!("creatinine"),
    value_set!("ct-colonography"),
    value_set!("depression"),
    value_set!("depression-screening"),
    value_set!("diabetes"),
    value_set!("diabetic-retinopathy"),
    value_set!("dialysis"),
    value_set!("dialysis-dependence"),
    value_set!("diastolic-bp"),
    value_set!("dxa-scan"),
    value_set!("egfr"),
    value_set!("essential-hypertension"),
    value_set!("flexible-sigmoidoscopy"),
    value_set!("fobt"),
    value_set!("former-smoker"),
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
    value_set!("immunocompromised"),
    value_set!("influenza-vaccine"),
    value_set!("inr"),
    value_set!("left-mastectomy"),
    value_set!("liver-disease"),
    value_set!("long-qt"),
    value_set!("lung-cancer"),
    value_set!("mammography"),
    value_set!("nicotine-dependence"),
    value_set!("non-smoker"),
    value_set!("osteoporosis"),
    value_set!("pack-years"),
    value_set!("palliative-care"),
    value_set!("pap-test"),
    value_set!("pneumococcal-complete"),
    value_set!("pneumococcal-conjugate"),
    value_set!("pneumococcal-ppsv23"),
    value_set!("pneumococcal-risk"),
    value_set!("potassium"),
    value_set!("pregnancy"),
    value_set!("pregnancy-due-date"),
    value_set!("pregnancy-ended"),
    value_set!("psychosis"),
    value_set!("retinal-exam"),
    value_set!("right-mastectomy"),
    value_set!("sdna-fit"),
    value_set!("seizure"),
    value_set!("smoker"),
    value_set!("smoking-cessation-help"),
    value_set!("smoking-status"),
    value_set!("statin-intolerance"),
    value_set!("systolic-bp"),
    value_set!("tetanus-diphtheria-vaccine"),
    value_set!("tobacco-screening"),
    value_set!("type-1-diabetes"),
    value_set!("urine-albumin-creatinine"),
    value_set!("zoster-risk"),
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
    let shared = BuiltInShared::new(terminology)?;
    let (mut rules, mut problems) = (vec![], vec![]);
    for loaded in shared.all() {
        match loaded {
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

/// What is loaded once for all built-in rules.
pub struct BuiltInShared<'t> {
    terminology: &'t dyn TerminologyProvider,
    library: Library,
    drugs: Arc<DrugDictionary>,
}

impl<'t> BuiltInShared<'t> {
    /// With these value sets.
    ///
    /// # Errors
    /// What is wrong with the built-in library; a test keeps that from happening.
    pub fn new(terminology: &'t dyn TerminologyProvider) -> Result<Self, Vec<Finding>> {
        let library = built_in_library()?;
        let drugs = library.drugs(&terminology.drugs())?;
        Ok(BuiltInShared {
            terminology,
            library,
            drugs,
        })
    }

    /// Loads all, in their order. Parsing their expressions is most of the start of a service, and no rule
    /// waits for another.
    #[allow(clippy::disallowed_methods, reason = "all end before the call does")]
    fn all(&self) -> Vec<Result<Rule, Vec<Finding>>> {
        /// More gain nothing: one file is a large part of the whole.
        const THREADS: usize = 4;
        let next = AtomicUsize::new(0);
        let load = || {
            let mut loaded = vec![];
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some((file, text)) = RULES.get(number) else {
                    return loaded;
                };
                let rule = self.beside(file, |beside| load_with(file, text, beside));
                loaded.push((number, rule));
            }
        };
        let mut all = std::thread::scope(|scope| {
            let threads: Vec<_> = (1..THREADS).map(|_| scope.spawn(load)).collect();
            let mut all = load();
            for thread in threads {
                match thread.join() {
                    Ok(loaded) => all.extend(loaded),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            all
        });
        all.sort_by_key(|(number, _)| *number);
        all.into_iter().map(|(_, rule)| rule).collect()
    }

    /// Loads something with what stands beside the file of a built-in rule.
    pub fn beside<T>(&self, file: &str, load: impl FnOnce(&Surroundings<'_>) -> T) -> T {
        load(&Surroundings {
            terminology: self.terminology,
            drugs: Arc::clone(&self.drugs),
            library: Some(&self.library),
            tables: &|name| built_in_table(file, name),
        })
    }
}

/// What the built-in rules share.
///
/// # Errors
/// What is wrong with it; a test keeps that from happening.
pub fn built_in_library() -> Result<Library, Vec<Finding>> {
    Library::load(LIBRARY.0, LIBRARY.1)
}

/// The bytes of a table beside the file of a built-in rule.
pub fn built_in_table(rule: &str, name: &str) -> Option<Vec<u8>> {
    let (folder, _) = rule.rsplit_once('/')?;
    let is = |(file, _): &&(&str, &str)| file.rsplit_once('/') == Some((folder, name));
    let (_, text) = TABLES.iter().find(is)?;
    Some(text.as_bytes().to_vec())
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
