//! Tests of the whole: from the JSON of libraries to values.

mod accepted;
mod bare_property;
mod chains;
mod damage;
mod doubt;
mod hoist;
mod hostile;
mod lacking;
mod messages;
mod prefilter;
mod table;
pub mod testing;
pub mod testing_dates;

use engine_patient::finding::Finding;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value as Json, json};

use super::{CompiledLibraries, Fault, Library, Linker, Options, Settings, with_evaluator};
use crate::run::evaluator::STEPS;
use crate::values::value::Val;
use engine_patient::context::EvaluationContext;
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::UTC;
use engine_patient::terminology::{TerminologyBuilder, TerminologyStore};

/// One definition of every kind of node.
const NODES: &str = include_str!("nodes.json");

const RESOURCES: [&str; 5] = [
    r#"{"resourceType":"Patient","id":"p","birthDate":"1960-06-15","gender":"female"}"#,
    r#"{"resourceType":"Condition","id":"c1","code":{"coding":[{"system":"urn:s","code":"x"}]}}"#,
    r#"{"resourceType":"Observation","id":"o1","status":"final","code":{"coding":[{"system":"urn:s","code":"x"}]},"valueInteger":1}"#,
    r#"{"resourceType":"Observation","id":"o2","status":"final","code":{"coding":[{"system":"urn:s","code":"y"}]},"valueInteger":2}"#,
    r#"{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"AMB"},"period":{"start":"2024-03-01","end":"2024-03-02"}}"#,
];

fn record(resources: &[&str]) -> PatientRecord {
    let mut record = PatientRecord::new();
    for json in resources {
        record.push(json).unwrap();
    }
    record.seal();
    record
}

/// A record of them all.
static RECORD: LazyLock<PatientRecord> = LazyLock::new(|| record(&RESOURCES));

/// A value set `urn:v` of `urn:s|x` and `urn:s|y`.
fn terminology() -> TerminologyStore {
    let mut builder = TerminologyBuilder::new();
    let set = json!({"resourceType": "ValueSet", "url": "urn:v", "status": "active", "expansion": {
        "timestamp": "2025-01-01",
        "contains": [{"system": "urn:s", "code": "x"}, {"system": "urn:s", "code": "y"}],
    }});
    builder.add_json("test", set.to_string().as_bytes());
    builder.build().0
}

/// A library of such definitions.
fn library(name: &str, definitions: &[(&str, Json)]) -> Json {
    let definitions: Vec<Json> = definitions
        .iter()
        .map(|(name, e)| json!({"name": name, "localId": "d", "context": "Patient", "expression": e}))
        .collect();
    json!({"library": {
        "identifier": {"id": name, "version": "1"},
        "valueSets": {"def": [{"name": "V", "id": "urn:v"}]},
        "codeSystems": {"def": [{"name": "S", "id": "urn:s"}]},
        "codes": {"def": [{"name": "X", "id": "x", "codeSystem": {"name": "S"}}]},
        "statements": {"def": definitions},
    }})
}

fn integer(value: i64) -> Json {
    json!({"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Integer", "value": value.to_string()})
}

fn string(value: &str) -> Json {
    json!({"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}String", "value": value})
}

fn node(name: &str, operand: Json) -> Json {
    json!({"type": name, "operand": operand})
}

fn definition(name: &str) -> Json {
    json!({"type": "ExpressionRef", "name": name})
}

/// What came of a library.
struct Outcome {
    issues: Vec<Finding>,
    values: Vec<(String, Result<String, Fault>)>,
}

impl Outcome {
    /// The value of a definition.
    fn value(&self, name: &str) -> &Result<String, Fault> {
        let found = self.values.iter().find(|(n, _)| n == name);
        &found
            .unwrap_or_else(|| panic!("no `{name}`: {:#?}", self.issues))
            .1
    }

    /// The only error; it must say where it is.
    fn error(&self) -> &Finding {
        let errors: Vec<_> = self.issues.iter().filter(|i| i.is_error()).collect();
        let [one] = errors.as_slice() else {
            panic!("{errors:#?}");
        };
        assert!(!one.message.is_empty() && one.node().is_some() && !one.place.file.is_empty());
        one
    }

    fn budget(&self, name: &str) -> &'static str {
        match self.value(name) {
            Err(Fault::Budget(what)) => what,
            other => panic!("{name}: {other:?}"),
        }
    }
}

fn read(libraries: &[Json]) -> Vec<Library> {
    let read = |l: &Json| Library::read("test.json", &serde_json::to_vec(l).unwrap()).unwrap();
    libraries.iter().map(read).collect()
}

fn link(libraries: &[Library], options: Options) -> (CompiledLibraries, Vec<Finding>) {
    static TERMINOLOGY: LazyLock<TerminologyStore> = LazyLock::new(terminology);
    let mut linker = Linker::new(libraries, &*TERMINOLOGY, options);
    for index in 0..libraries.len() {
        linker.everything(u32::try_from(index).unwrap());
    }
    linker.finish()
}

fn evaluate(
    libraries: &[Library],
    compiled: &CompiledLibraries,
    record: &PatientRecord,
    steps: u64,
) -> Vec<(String, Result<String, Fault>)> {
    let time = |text| DateTime::parse(text).unwrap();
    let context = EvaluationContext::for_period(time("2024"), time("2024-12"), UTC.clone());
    let mut settings = Settings::of(&context);
    settings.steps = steps;
    let names = (0..).zip(libraries).flat_map(|(index, library)| {
        let all = library.definitions.iter().filter(|d| !d.is_function);
        all.map(move |d| (index, &d.name))
    });
    let done = with_evaluator(compiled, record, &settings, |evaluator| {
        let mut out = vec![];
        for (index, name) in names {
            let Some(expression) = compiled.expression(index, name) else {
                continue;
            };
            // Each with a budget of its own.
            evaluator.cx.steps.set(steps);
            let value = evaluator.expression(expression);
            // Whatever is wrong with the library, what was compiled of it is whole.
            if let Err(bug @ Fault::Bug(_)) = &value {
                panic!("{name}: {bug}");
            }
            out.push((name.to_string(), value.map(|v| show(&v, 0))));
        }
        out
    });
    done.unwrap_or_default()
}

fn run_with(libraries: &[Json], options: Options, steps: u64) -> Outcome {
    let libraries = read(libraries);
    let (compiled, issues) = link(&libraries, options);
    let values = evaluate(&libraries, &compiled, &RECORD, steps);
    Outcome { issues, values }
}

fn run(libraries: &[Json]) -> Outcome {
    run_with(libraries, Options::default(), STEPS)
}

/// One expression, as definition `A`, with a budget that a test can wait for.
fn run_one(expression: Json) -> Outcome {
    run_with(
        &[library("L", &[("A", expression)])],
        Options::default(),
        5_000_000,
    )
}

fn show(value: &Val<'_>, depth: usize) -> String {
    if depth > 8 {
        return "…".into();
    }
    let of = |v: &Val<'_>| show(v, depth + 1);
    match value {
        Val::Interval(i) => format!(
            "{}{} {}{}",
            i.low_closed,
            of(&i.low),
            of(&i.high),
            i.high_closed
        ),
        Val::List(items) => {
            let items: Vec<String> = items.iter().take(20).map(of).collect();
            format!("{{{}}}", items.join(", "))
        }
        Val::Tuple(tuple) => {
            let named = tuple.names.iter().zip(tuple.values);
            let parts: Vec<String> = named.map(|(n, v)| format!("{n}: {}", of(v))).collect();
            format!("({})", parts.join(", "))
        }
        Val::Fhir(f) => format!("{}#{}", f.ty.name(), f.index),
        other => crate::tests::testing::show(*other),
    }
}
