//! The published test decks, `$TANDEM_CONFORMANCE/ecqm` (by default beside the repository; skipped
//! without it), with and without `meta.profile`: decisions differ only where the content does not
//! tell the profile, or contradicts the tag. `cargo test -p engine-patient deck -- --nocapture`
//! prints every kind of difference with its count.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;
use crate::record::PatientRecord;

/// The profiles that the retrieves of the official packages name.
const ASKED: &[&str] = &[
    "AdverseEvent qicore-adverseevent",
    "AllergyIntolerance qicore-allergyintolerance",
    "Claim qicore-claim",
    "Communication qicore-communication",
    "Communication qicore-communicationnotdone",
    "Condition qicore-condition-encounter-diagnosis",
    "Condition qicore-condition-problems-health-concerns",
    "Coverage qicore-coverage",
    "DeviceRequest qicore-devicerequest",
    "Encounter qicore-encounter",
    "Immunization qicore-immunization",
    "Location qicore-location",
    "MedicationAdministration qicore-medicationadministration",
    "MedicationAdministration qicore-medicationadministrationnotdone",
    "MedicationDispense qicore-medicationdispense",
    "MedicationRequest qicore-medicationnotrequested",
    "MedicationRequest qicore-medicationrequest",
    "Observation qicore-observation-clinical-result",
    "Observation qicore-observation-lab",
    "Observation qicore-observation-screening-assessment",
    "Observation qicore-observationcancelled",
    "Observation qicore-simple-observation",
    "Observation us-core-blood-pressure",
    "Observation us-core-bmi",
    "Observation us-core-body-height",
    "Observation us-core-body-temperature",
    "Observation us-core-body-weight",
    "Observation us-core-heart-rate",
    "Observation us-core-observation-pregnancystatus",
    "Observation us-core-pulse-oximetry",
    "Observation us-core-respiratory-rate",
    "Patient qicore-patient",
    "Procedure qicore-procedure",
    "Procedure qicore-procedurenotdone",
    "ServiceRequest qicore-servicenotrequested",
    "ServiceRequest qicore-servicerequest",
    "Task qicore-task",
    "Task qicore-taskrejected",
];

fn url(name: &str) -> String {
    let guide = if name.starts_with("us-core") {
        "core"
    } else {
        "qicore"
    };
    format!("http://hl7.org/fhir/us/{guide}/StructureDefinition/{name}")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = vec![];
    let measures = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path());
    for data in measures.map(|m| m.join("data")).filter(|d| d.is_dir()) {
        files.extend(std::fs::read_dir(data).unwrap().map(|e| e.unwrap().path()));
    }
    files.sort();
    files
}

/// Why the decision without the tag is another one.
fn why(bare: Decision, tags: &[&Profile], resource: Element<'_>) -> &'static str {
    if let Some(reason) = bare.undecidable() {
        return reason;
    }
    let content = tags.iter().map(|t| t.decide(resource, ProfileMode::Decide));
    if content.clone().any(|d| d == Decision::No) {
        return "content contradicts the tag";
    }
    if content.clone().any(|d| d.undecidable().is_some()) {
        return "content does not tell whether the tag is right";
    }
    "UNEXPLAINED"
}

#[test]
fn deck_without_tags() {
    let beside = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/conformance").to_owned();
    let root = std::env::var("TANDEM_CONFORMANCE").unwrap_or_else(|_| beside());
    let folder = Path::new(&root).join("ecqm");
    if !folder.is_dir() {
        println!("skipped: no folder {}", folder.display());
        return;
    }
    let mut asked: HashMap<&str, Vec<(&str, Profile)>> = HashMap::new();
    for line in ASKED {
        let (ty, name) = line.split_once(' ').unwrap();
        let profile = Profile::of(&url(name), Name::of(ty).unwrap());
        assert!(profile.is_known(), "{line}");
        asked.entry(ty).or_default().push((name, profile));
    }
    let (mut decisions, mut strict) = (0_u32, BTreeMap::new());
    let mut differences: BTreeMap<(String, &str, &str, String), u32> = BTreeMap::new();
    for file in files(&folder) {
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            let mut json: Value = serde_json::from_str(line).unwrap();
            let ty = json["resourceType"].as_str().unwrap().to_owned();
            let Some(profiles) = asked.get(ty.as_str()) else {
                continue;
            };
            let tags = json["meta"]["profile"].as_array().cloned();
            let tags: Vec<String> = tags
                .unwrap_or_default()
                .iter()
                .map(|t| t.as_str().unwrap().to_owned())
                .collect();
            let mut record = PatientRecord::new();
            record.push(line).unwrap();
            json["meta"].as_object_mut().map(|m| m.remove("profile"));
            let mut stripped = PatientRecord::new();
            stripped.push(&json.to_string()).unwrap();
            let (with, without) = (record.resources().next(), stripped.resources().next());
            let (with, without) = (with.unwrap(), without.unwrap());
            let of_tags: Vec<&Profile> = profiles
                .iter()
                .map(|(_, p)| p)
                .filter(|p| tags.iter().any(|t| t == p.url()))
                .collect();
            let shown = tags.iter().map(|t| t.rsplit('/').next().unwrap());
            let shown = format!("{ty} {}", shown.collect::<Vec<_>>().join("+"));
            for (name, profile) in profiles {
                let decided = profile.decide(with, ProfileMode::Decide);
                let bare = profile.decide(without, ProfileMode::Decide);
                decisions += 1;
                let by_url = profile.decide(with, ProfileMode::Strict);
                if decided.is_taken() != by_url.is_taken() {
                    let key = (shown.clone(), *name, format!("{by_url:?} -> {decided:?}"));
                    *strict.entry(key).or_insert(0_u32) += 1;
                }
                if decided.is_taken() != bare.is_taken() {
                    let side = if bare.is_taken() { "gained" } else { "lost" };
                    let why = why(bare, &of_tags, without);
                    let key = (shown.clone(), *name, side, why.to_owned());
                    *differences.entry(key).or_default() += 1;
                }
            }
        }
    }
    println!("{decisions} decisions\n\nStrict against Decide:");
    for ((tag, asked, change), count) in &strict {
        println!("{count:5} | {tag} | {asked} | {change}");
    }
    println!("\nDecide with tags against without:");
    let mut unexplained = 0;
    for ((tag, asked, side, why), count) in &differences {
        println!("{count:5} | {tag} | {asked} | {side} | {why}");
        unexplained += if why == "UNEXPLAINED" { *count } else { 0 };
    }
    assert_eq!(unexplained, 0);
}
