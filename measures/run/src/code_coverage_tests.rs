//! Counts of codes by the lake's index are those of a look at every resource.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datasets::import::{ImportOptions, Limits, Progress, import};
use engine_patient::fhir::model::Model;
use engine_patient::terminology::{Beyond, Binding, BindingMode, DrugDictionary, Named};
use engine_population::lake::Lake;
use serde_json::{Value, json};

use crate::code_coverage::{Coverage, InUse};

fn lake(dir: &Path, data: PathBuf) -> PathBuf {
    let options = ImportOptions {
        paths: vec![data],
        lake: dir.join("lake"),
        buckets: None,
        bases: vec![],
        strict: false,
        limits: Limits::default(),
        threads: 2,
        now_ms: 1_700_000_000_000,
        lake_id: "test".into(),
    };
    import(&options, &Arc::new(Progress::default())).unwrap();
    options.lake
}

fn in_use() -> InUse {
    let mut in_use = InUse::default();
    in_use.add_rules(&rules::built_in().unwrap());
    in_use
}

fn coverage(in_use: &InUse, lake: &Path) -> Coverage {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime
        .thread_stack_size(64 << 20)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let lake = Lake::open(lake, None).await.unwrap();
        in_use.coverage(&lake, 2).await.unwrap()
    })
}

/// The codings of an element, whatever its type.
fn codings(resource: &Value, path: &str) -> BTreeSet<(String, String)> {
    let of_choice = |key: &str| {
        let rest = key.strip_prefix(path);
        rest.is_some_and(|rest| {
            rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_uppercase())
        })
    };
    let object = resource.as_object().unwrap().iter();
    let found = object
        .filter(|(key, _)| of_choice(key))
        .map(|(_, value)| value);
    let one_or_many = |value: &Value| match value {
        Value::Array(all) => all.clone(),
        one => vec![one.clone()],
    };
    let concepts: Vec<Value> = found.flat_map(one_or_many).collect();
    let codings = concepts
        .iter()
        .flat_map(|concept| match concept.get("coding") {
            Some(codings) => one_or_many(codings),
            None => vec![concept.clone()],
        });
    let pair = |coding: Value| {
        let text = |name: &str| coding.get(name).and_then(Value::as_str).map(str::to_owned);
        Some((text("system").unwrap_or_default(), text("code")?))
    };
    codings.filter_map(pair).collect()
}

/// Resources and patients, by element and code.
type Counts = BTreeMap<(String, String, String), (BTreeSet<String>, BTreeSet<String>)>;

fn counted(lines: impl Iterator<Item = Value>) -> Counts {
    let mut counts = Counts::new();
    for resource in lines {
        let text = |name: &str| resource[name]["reference"].as_str().map(str::to_owned);
        let Some(patient) = text("subject").or_else(|| text("patient")) else {
            continue;
        };
        let ty = resource["resourceType"].as_str().unwrap();
        let id = format!("{ty}/{}", resource["id"].as_str().unwrap());
        let Some(path) = Model::r4().resource(ty).unwrap().primary_code_path else {
            continue;
        };
        for (system, code) in codings(&resource, path) {
            let (resources, patients) = counts
                .entry((format!("{ty}.{path}"), system, code))
                .or_default();
            resources.insert(id.clone());
            patients.insert(patient.clone());
        }
    }
    counts
}

/// What the lake says is what every resource says.
fn same(coverage: &Coverage, in_use: &InUse, counts: &Counts) {
    let drugs = DrugDictionary::built_in().unwrap();
    let known = |element: &str, system: &str, code: &str| {
        let name = element.split_once('.').unwrap();
        let mut sets = in_use.sets();
        !in_use.reads(name.0)
            || sets.any(|one| {
                let asked = one.elements.iter().chain(&one.compared).any(|e| *e == name);
                asked && one.set.find(system, code).is_some()
            })
    };
    let drug = |element: &str, system: &str, code: &str| {
        element.ends_with(".medication") && system.ends_with("rxnorm") && drugs.kind(code).is_some()
    };
    let unmapped: BTreeMap<_, _> = coverage
        .unmapped
        .iter()
        .map(|one| {
            let key = (one.element.clone(), one.system.clone(), one.code.clone());
            (key, (one.resources, one.patients.unwrap()))
        })
        .collect();
    let wanted: BTreeMap<_, _> = counts
        .iter()
        .filter(|((element, system, code), _)| {
            !known(element, system, code) && !drug(element, system, code)
        })
        .map(|(key, (resources, patients))| {
            (key.clone(), (resources.len() as u64, patients.len() as u64))
        })
        .collect();
    assert_eq!(unmapped, wanted);
    let frequent = coverage
        .unmapped
        .windows(2)
        .all(|two| two[0].resources >= two[1].resources);
    assert!(frequent, "most frequent first");
    for one in in_use.sets() {
        let mut wanted: BTreeMap<String, (BTreeSet<&String>, BTreeSet<&String>)> = BTreeMap::new();
        for ((element, system, code), (resources, patients)) in counts {
            if one.set.find(system, code).is_some() {
                let (r, p) = wanted.entry(element.clone()).or_default();
                r.extend(resources);
                p.extend(patients);
            }
        }
        let canonical = one.set.canonical();
        let rows = coverage
            .sets
            .iter()
            .filter(|row| row.value_set == canonical);
        let found: BTreeMap<String, (u64, u64)> = rows
            .filter_map(|row| Some((row.element.clone()?, (row.resources?, row.patients?))))
            .filter(|(_, counts)| *counts != (0, 0))
            .collect();
        let wanted: BTreeMap<String, (u64, u64)> = wanted
            .into_iter()
            .map(|(e, (r, p))| (e, (r.len() as u64, p.len() as u64)))
            .collect();
        assert_eq!(found, wanted, "{canonical}");
    }
}

const SNOMED: &str = "http://snomed.info/sct";
const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";

fn concept(codes: &[(&str, &str)]) -> Value {
    let codings = codes
        .iter()
        .map(|(system, code)| json!({"system": system, "code": code, "display": "Text"}));
    json!({"coding": codings.collect::<Vec<_>>()})
}

#[test]
fn a_small_lake() {
    let mut lines = vec![];
    for patient in ["a", "b"] {
        let subject = json!({"reference": format!("Patient/{patient}")});
        let mut add = |ty: &str, number: usize, more: Value| {
            let mut resource = more;
            resource["resourceType"] = json!(ty);
            resource["id"] = json!(format!("{ty}-{patient}-{number}"));
            resource["subject"] = subject.clone();
            lines.push(resource);
        };
        // One of two codes is known; twice the same code is one resource.
        add(
            "Condition",
            1,
            json!({"code": concept(&[("http://hl7.org/fhir/sid/icd-10-cm", "E11.9"), (SNOMED, "44054006")])}),
        );
        add(
            "Condition",
            2,
            json!({"code": concept(&[(SNOMED, "44054006"), (SNOMED, "44054006")])}),
        );
        add(
            "Observation",
            1,
            json!({"status": "final", "code": concept(&[("http://loinc.org", "4548-4")]),
            "category": [concept(&[("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory")])]}),
        );
        add(
            "MedicationRequest",
            1,
            json!({"medicationCodeableConcept": concept(&[(RXNORM, "6809")])}),
        );
        add(
            "MedicationRequest",
            2,
            json!({"medicationCodeableConcept": concept(&[(RXNORM, "999999999")])}),
        );
        add(
            "Procedure",
            1,
            json!({"status": "completed", "code": {"text": "colonoscopy"}}),
        );
        // A set that is asked of conditions knows no procedure.
        let diabetes = concept(&[("http://hl7.org/fhir/sid/icd-10-cm", "E11.9")]);
        add(
            "Procedure",
            2,
            json!({"status": "completed", "code": diabetes}),
        );
        // No rule reads it.
        add(
            "Claim",
            1,
            json!({"type": concept(&[("urn:hospital", "C1")])}),
        );
    }
    let counts = counted(lines.clone().into_iter());
    lines.push(json!({"resourceType": "Patient", "id": "a"}));
    lines.push(json!({"resourceType": "Patient", "id": "b"}));
    lines.push(json!({"resourceType": "Medication", "id": "m", "code": concept(&[("urn:hospital", "M1")])}));
    lines.push(json!({"resourceType": "MedicationRequest", "id": "r", "subject": {"reference": "Patient/a"},
        "medicationReference": {"reference": "Medication/m"}}));
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("all.ndjson");
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(&data, text).unwrap();
    let in_use = in_use();
    let mut found = coverage(&in_use, &lake(dir.path(), data));
    // What stands in another resource is counted there.
    assert_eq!(found.references, 1);
    let medication = found
        .unmapped
        .iter()
        .position(|one| one.element == "Medication.code")
        .unwrap();
    let medication = found.unmapped.remove(medication);
    assert_eq!(
        (&*medication.code, medication.resources, medication.patients),
        ("M1", 1, None)
    );
    let elements = found.unmapped.iter().map(|one| &*one.element);
    assert_eq!(
        elements.collect::<Vec<_>>(),
        [
            "Condition.code",
            "MedicationRequest.medication",
            "Procedure.code"
        ]
    );
    assert_eq!(
        (
            &*found.unmapped[0].code,
            found.unmapped[0].resources,
            found.unmapped[0].patients
        ),
        ("44054006", 4, Some(2))
    );
    assert_eq!(found.unmapped[0].display.as_deref(), Some("Text"));
    same(&found, &in_use, &counts);
    // Asked, and not there: none. Only within resources: not told.
    let of = |set: &str| {
        let url = format!("https://tandem-cds.dev/ValueSet/{set}|");
        found
            .sets
            .iter()
            .find(|row| row.value_set.starts_with(&url))
            .unwrap()
    };
    assert_eq!(
        (of("colonoscopy").asked, of("colonoscopy").resources),
        (true, Some(0))
    );
    assert_eq!(
        (of("diabetes").asked, of("diabetes").patients),
        (true, Some(2))
    );
    assert_eq!(
        (of("smoker").element.clone(), of("smoker").resources),
        (None, None)
    );
}

/// 150 real Synthea patients, where they are there: `TANDEM_SAMPLES`, or `../shared/samples` beside the
/// repository.
#[test]
fn real_charts() {
    let beside = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/samples").to_owned();
    let charts = PathBuf::from(std::env::var("TANDEM_SAMPLES").unwrap_or_else(|_| beside()));
    let charts = charts.join("synthea-r4");
    if !charts.is_dir() {
        println!("skipped: {} is not there", charts.display());
        return;
    }
    let mut lines = vec![];
    for source in sources::list(&[&charts], sources::DATA).unwrap().files {
        let bytes = sources::read(&source).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let read = text.lines().filter(|line| !line.is_empty());
        lines.extend(read.map(|line| serde_json::from_str::<Value>(line).unwrap()));
    }
    assert!(lines.len() > 40_000);
    let dir = tempfile::tempdir().unwrap();
    let in_use = in_use();
    let found = coverage(&in_use, &lake(dir.path(), charts));
    let counts = counted(lines.into_iter());
    assert!(found.unmapped.len() > 100 && counts.len() > found.unmapped.len());
    same(&found, &in_use, &counts);
}

#[test]
fn a_binding_that_nothing_asks_for_is_told() {
    let named = |name: &str| Named {
        name: name.into(),
        place: engine_patient::finding::Place::in_file("bindings.yaml"),
    };
    let bindings: Vec<Binding> = ["diabetes", "http://x/vs"]
        .into_iter()
        .map(|name| Binding {
            value_set: named(name),
            to: vec![named("hospice")],
            mode: BindingMode::Replace,
        })
        .collect();
    let mut store = rules::built_in_terminology();
    assert!(
        !store
            .bind(&bindings, Beyond::Nothing)
            .iter()
            .any(|issue| issue.is_error())
    );
    let told = in_use().unused(&bindings, &store);
    assert_eq!(told[0].code, engine_patient::finding::Code::BindingUnused);
    let messages: Vec<&str> = told.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(
        messages,
        ["nothing in use asks for value set `http://x/vs`, which is bound"]
    );
}
