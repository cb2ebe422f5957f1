//! What the loader accepts, and what it says about everything else.

mod libraries;
mod measures;
mod populations;
mod selection;
mod texts;

use engine_patient::finding::{Code, Finding, Severity};
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

const CQFM: &str = "http://hl7.org/fhir/us/cqfmeasures/StructureDefinition/cqfm-";

/// Files in a directory of their own, loaded by the name of the directory.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    fn json(&self, name: &str, content: &Value) -> PathBuf {
        self.put(name, serde_json::to_vec_pretty(content).unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn load(&self) -> Loaded {
        load(&[self.path()])
    }
}

fn elm(name: &str, version: &str) -> Value {
    json!({"library": {
        "annotation": [{"translatorVersion": "3.25.0", "type": "CqlToElmInfo"}],
        "identifier": {"id": name, "version": version},
        "usings": {"def": [{"localIdentifier": "QICore", "uri": "http://hl7.org/fhir"}]},
    }})
}

fn library_of(name: &str, version: &str, elm: &Value) -> Value {
    json!({
        "resourceType": "Library", "id": name, "name": name, "version": version,
        "url": format!("http://x.org/Library/{name}"),
        "type": {"coding": [{"code": "logic-library"}]},
        "content": [{
            "contentType": "application/elm+json",
            "data": STANDARD.encode(elm.to_string()),
        }],
    })
}

fn library(name: &str, version: &str) -> Value {
    library_of(name, version, &elm(name, version))
}

fn code(code: &str) -> Value {
    json!({"coding": [{"code": code}]})
}

fn population(word: &str) -> Value {
    json!({
        "id": format!("{word}-1"),
        "code": code(word),
        "criteria": {"language": "text/cql-identifier", "expression": word},
    })
}

fn observation(method: &str, reference: Option<&str>) -> Value {
    let mut new = population("measure-observation");
    let mut extensions = vec![extension("aggregateMethod", json!(method))];
    extensions.extend(reference.map(|r| extension("criteriaReference", json!(r))));
    new["extension"] = json!(extensions);
    new
}

/// An extension with text or with a code.
fn extension(name: &str, value: Value) -> Value {
    let kind = match value {
        Value::String(_) => "valueString",
        _ => "valueCodeableConcept",
    };
    json!({"url": format!("{CQFM}{name}"), kind: value})
}

fn measure(scoring: &str, populations: Vec<Value>) -> Value {
    json!({
        "resourceType": "Measure", "id": "M", "name": "M", "version": "1.0.0",
        "url": "http://x.org/Measure/M",
        "library": ["http://x.org/Library/M"],
        "scoring": code(scoring),
        "group": [{"id": "g", "population": populations}],
    })
}

fn proportion() -> Value {
    let populations = ["initial-population", "denominator", "numerator"];
    measure("proportion", populations.map(population).to_vec())
}

/// Loads a measure together with its library.
fn read(measure: &Value) -> Loaded {
    let files = Files::new();
    files.json("measure.json", measure);
    files.json("library.json", &library("M", "1.0.0"));
    files.load()
}

/// The findings without those that only inform.
fn told(loaded: &Loaded) -> Vec<(Severity, Code, &str)> {
    let all = loaded.issues.iter().filter(|i| i.severity > Severity::Info);
    all.map(|i| (i.severity, i.code, i.place.path.as_deref().unwrap_or("")))
        .collect()
}

/// The one error there is, after checking that the measure was refused.
fn refused(measure: &Value) -> Finding {
    let loaded = read(measure);
    let text: Vec<String> = loaded.issues.iter().map(Finding::to_string).collect();
    assert!(loaded.package.measures.is_empty(), "{text:?}");
    assert_eq!(loaded.package.refused.len(), 1, "{text:?}");
    let errors = loaded
        .issues
        .iter()
        .filter(|i| i.severity == Severity::Error);
    let errors: Vec<&Finding> = errors.collect();
    assert_eq!(errors.len(), 1, "{text:?}");
    assert_eq!(
        errors[0].measures,
        [loaded.package.refused[0].label.as_str()]
    );
    errors[0].clone()
}

/// The one warning there is, after checking that the measure is accepted.
fn warned(measure: &Value) -> (Finding, MeasureDefinition) {
    let loaded = read(measure);
    assert_eq!(told(&loaded).len(), 1, "{:?}", told(&loaded));
    let issue = loaded
        .issues
        .iter()
        .find(|i| i.severity == Severity::Warning);
    (issue.unwrap().clone(), loaded.package.measures[0].clone())
}

fn accepted(measure: &Value) -> MeasureDefinition {
    let loaded = read(measure);
    assert_eq!(told(&loaded), []);
    loaded.package.measures[0].clone()
}
