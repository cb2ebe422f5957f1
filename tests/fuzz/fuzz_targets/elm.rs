//! `Library::read`, linking and evaluation of arbitrary ELM: an expression within a small library, or
//! a library as a whole. A mutator of its own swaps parts of the tree, so that most inputs stay ELM.
#![no_main]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a target fails by panicking"
)]

use std::fmt::Write;
use std::sync::LazyLock;

use cpu_time::ProcessTime;
use engine_elm::value::Val;
use engine_elm::{CompiledLibraries, Fault, Library, Linker, Options, Settings, with_evaluator};
use engine_patient::context::EvaluationContext;
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;
use engine_patient::terminology::TerminologyStore;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use serde_json::{Value as Json, json};

/// One definition of every kind of node: what the mutator takes parts from.
const NODES: &str = include_str!("../../../engine/elm/src/tests/nodes.json");

const RESOURCES: &[&str] = &[
    r#"{"resourceType":"Patient","id":"p","birthDate":"1960-06-15","gender":"female","name":[{"family":"A","given":["B","C"]}]}"#,
    r#"{"resourceType":"Condition","id":"c1","code":{"coding":[{"system":"urn:s","code":"x"}]},"onsetDateTime":"2010"}"#,
    r#"{"resourceType":"Observation","id":"o1","status":"final","code":{"coding":[{"system":"urn:s","code":"x"}]},"effectiveDateTime":"2025-03-01","valueQuantity":{"value":7.1,"system":"http://unitsofmeasure.org","code":"%"}}"#,
    r#"{"resourceType":"Observation","id":"o2","status":"final","code":{"coding":[{"system":"urn:s","code":"x"}]},"effectivePeriod":{"start":"9999-12-31T23:59:59.999-14:00"},"valueInteger":-9223372036854775808}"#,
    r#"{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"AMB"},"period":{"start":"2025-01-01T10:00:00+05:30","end":"2025-01-01T11:00:00+05:30"}}"#,
];
const SET: &str = r#"{"resourceType":"ValueSet","url":"urn:v","status":"active","expansion":{"timestamp":"2025-01-01","contains":[{"system":"urn:s","code":"x"},{"system":"urn:s","code":"y"}]}}"#;

static PARTS: LazyLock<(Json, Vec<Json>)> = LazyLock::new(|| {
    let library: Json = serde_json::from_str(NODES).expect("JSON");
    let definitions = library["library"]["statements"]["def"]
        .as_array()
        .expect("definitions");
    let parts = definitions
        .iter()
        .map(|d| d["expression"].clone())
        .collect();
    let mut head = library.clone();
    // What expressions refer to.
    let kept = |d: &&Json| {
        let name = d["name"].as_str().unwrap_or_default();
        d["type"] == "FunctionDef"
            || ["Ints", "Patient", "Observations", "Encounters"].contains(&name)
    };
    let kept: Vec<Json> = definitions.iter().filter(kept).cloned().collect();
    head["library"]["statements"]["def"] = Json::Array(kept);
    (head, parts)
});

static TERMINOLOGY: LazyLock<TerminologyStore> = LazyLock::new(|| {
    let mut builder = engine_patient::terminology::TerminologyBuilder::new();
    builder.add_json("fuzz", SET.as_bytes());
    builder.build().0
});

static RECORDS: LazyLock<[PatientRecord; 2]> = LazyLock::new(|| {
    let mut record = PatientRecord::new();
    for json in RESOURCES {
        record.push(json).expect("a resource");
    }
    record.seal();
    let mut empty = PatientRecord::new();
    empty.seal();
    [record, empty]
});

/// The input as a library: it is one, a definition, or an expression.
fn library(data: &[u8]) -> Vec<u8> {
    match serde_json::from_slice::<Json>(data) {
        Ok(json) if json.is_object() && json.get("library").is_none() => {
            let mut library = PARTS.0.clone();
            let definition = match json.get("name").is_some() && json.get("expression").is_some() {
                true => json,
                false => json!({"name": "A", "context": "Patient", "expression": json}),
            };
            let definitions = library["library"]["statements"]["def"].as_array_mut();
            definitions.expect("definitions").push(definition);
            serde_json::to_vec(&library).expect("JSON")
        }
        _ => data.to_vec(),
    }
}

fuzz_target!(|data: &[u8]| {
    let start = ProcessTime::now();
    let bytes = library(data);
    let libraries = match Library::read("fuzz", &bytes) {
        Ok(library) => [library],
        Err(issue) => {
            assert!(!issue.message.is_empty());
            return;
        }
    };
    let once = compiled(&libraries, true);
    let each = compiled(&libraries, false);
    for (record, empty) in RECORDS.iter().zip([false, true]) {
        let (a, b) = (
            outcomes(&libraries[0], &once, record),
            outcomes(&libraries[0], &each, record),
        );
        for ((name, a, needs), (_, b, _)) in a.iter().zip(&b) {
            match (a, b) {
                (Outcome::Stopped, _) | (_, Outcome::Stopped) => {}
                _ => assert!(
                    a == b,
                    "{name}: {a:?} with what is constant evaluated once, {b:?} without"
                ),
            }
            let void = !matches!(a, Outcome::Value(_, false));
            assert!(
                !(empty && *needs) || void,
                "{name}: {a:?}, but it needs a match"
            );
        }
    }
    let took = start.elapsed();
    assert!(took.as_secs() < 3, "took {took:?} of processor time");
});

fn compiled(libraries: &[Library], hoist: bool) -> CompiledLibraries {
    let options = Options {
        allow_missing_value_sets: true,
        hoist,
        ..Options::default()
    };
    let mut linker = Linker::new(libraries, &*TERMINOLOGY, options);
    linker.everything(0);
    let (compiled, issues) = linker.finish();
    for issue in issues {
        assert!(!issue.to_string().is_empty());
    }
    compiled
}

#[derive(PartialEq, Debug)]
enum Outcome {
    /// And whether it is null, false or of nothing.
    Value(String, bool),
    Raised,
    Stopped,
}

fn outcomes<'l>(
    library: &'l Library,
    compiled: &CompiledLibraries,
    record: &PatientRecord,
) -> Vec<(&'l str, Outcome, bool)> {
    let time = |text| DateTime::parse(text).expect("a date");
    let context = EvaluationContext::for_period(time("2025"), time("2025-12"), Zone::fixed(-300));
    let mut settings = Settings::of(&context);
    settings.steps = 300_000;
    let mut out = vec![];
    let done = with_evaluator(compiled, record, &settings, |evaluator| {
        for definition in library.definitions.iter().filter(|d| !d.is_function) {
            let Some(expression) = compiled.expression(0, &definition.name) else {
                continue;
            };
            let needs = !compiled.required_retrieves(expression).is_empty();
            for term in compiled.terms(expression).iter().take(3) {
                let _ = evaluator.term(term);
            }
            let value = evaluator.expression(expression);
            let outcome = match &value {
                Ok(value) => {
                    let mut text = String::new();
                    show(value, 0, &mut text);
                    let void = match value {
                        Val::Null | Val::Boolean(false) => true,
                        Val::List(items) => items.is_empty(),
                        _ => false,
                    };
                    Outcome::Value(text, void)
                }
                Err(Fault::Raised(text)) => {
                    assert!(!text.is_empty());
                    Outcome::Raised
                }
                Err(Fault::Budget(_)) => Outcome::Stopped,
                // Whatever is wrong with a library, what was compiled of it is whole.
                Err(bug @ Fault::Bug(_)) => panic!("{bug}"),
            };
            out.push((&*definition.name, outcome, needs));
        }
    });
    match done {
        Ok(()) => out,
        Err(_) => vec![],
    }
}

fn show(value: &Val<'_>, depth: usize, out: &mut String) {
    if depth > 6 || out.len() > 10_000 {
        return;
    }
    let _ = match value {
        Val::Null => write!(out, "null"),
        Val::Boolean(b) => write!(out, "{b}"),
        Val::Integer(i) => write!(out, "{i}"),
        Val::Long(l) => write!(out, "{l}L"),
        Val::Decimal(d) => write!(out, "{d}"),
        Val::String(s) => write!(out, "{s:.200?}"),
        Val::Date(d) | Val::DateTime(d) => write!(out, "@{d}"),
        Val::Time(t) => write!(out, "{t:?}"),
        Val::Quantity(q) => write!(out, "{q:?}"),
        Val::Ratio(r) => write!(out, "{r:?}"),
        Val::Code(c) => write!(out, "{c:?}"),
        Val::Concept(c) => write!(out, "{c:?}"),
        Val::Interval(i) => {
            let _ = write!(
                out,
                "Interval{}{}{:?} ",
                i.low_closed, i.high_closed, i.point
            );
            show(&i.low, depth + 1, out);
            show(&i.high, depth + 1, out);
            Ok(())
        }
        Val::List(items) => {
            let _ = write!(out, "[{}:", items.len());
            for item in items.iter().take(50) {
                show(item, depth + 1, out);
                out.push(',');
            }
            write!(out, "]")
        }
        Val::Tuple(tuple) => {
            for (name, value) in tuple.names.iter().zip(tuple.values).take(50) {
                let _ = write!(out, "{name:.200}:");
                show(value, depth + 1, out);
            }
            Ok(())
        }
        Val::Uncertain((low, high)) => {
            show(low, depth + 1, out);
            show(high, depth + 1, out);
            write!(out, "?")
        }
        Val::Fhir(f) => write!(out, "{}#{}.{}", f.ty.name(), f.index, f.shadow),
        other => write!(out, "{}", other.type_name()),
    };
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut rng = Rng(u64::from(seed) | 1 << 40);
    if rng.below(8) > 0
        && let Some(text) = data.get(..size)
        && let Ok(mut json) = serde_json::from_slice::<Json>(text)
    {
        for _ in 0..=rng.below(3) {
            mutate(&mut json, &mut rng);
        }
        let bytes = serde_json::to_vec(&json).unwrap_or_default();
        if bytes.len() <= max_size && !bytes.is_empty() {
            data[..bytes.len()].copy_from_slice(&bytes);
            return bytes.len();
        }
    }
    fuzzer_mutate(data, size, max_size)
});

struct Rng(u64);

impl Rng {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) as usize % n.max(1)
    }
}

fn count(json: &Json) -> usize {
    1 + match json {
        Json::Array(items) => items.iter().map(count).sum(),
        Json::Object(map) => map.values().map(count).sum(),
        _ => 0,
    }
}

/// The value of this number in the order of the text.
fn at<'j>(json: &'j mut Json, number: &mut usize) -> Option<&'j mut Json> {
    if *number == 0 {
        return Some(json);
    }
    *number -= 1;
    match json {
        Json::Array(items) => items.iter_mut().find_map(|i| at(i, number)),
        Json::Object(map) => map.values_mut().find_map(|v| at(v, number)),
        _ => None,
    }
}

/// A part of what the mutator has: a whole expression, or something within one.
fn part(rng: &mut Rng) -> Json {
    let parts = &PARTS.1;
    let mut chosen = parts[rng.below(parts.len())].clone();
    if rng.below(3) > 0 {
        return chosen;
    }
    let mut number = rng.below(count(&chosen));
    at(&mut chosen, &mut number)
        .map(Json::take)
        .unwrap_or_default()
}

fn constant(rng: &mut Rng) -> Json {
    let texts = [
        "",
        "0",
        "-1",
        "2147483647",
        "-2147483648",
        "9223372036854775807",
        "9999999999999999999999999999",
        "0.00000001",
        "-0.5",
        "9999-12-31T23:59:59.999",
        "0001-01-01",
        "T23:59:59.999",
        "mg",
        "year",
        "week",
        "1",
        "(a*)*b",
        "x",
        "Ints",
        "value",
        "$this",
        "asc",
        "desc",
        "\u{1F600}ß",
        "{http://hl7.org/fhir}Period",
        "{urn:hl7-org:elm-types:r1}Decimal",
        "{urn:hl7-org:elm-types:r1}String",
        "{urn:hl7-org:elm-types:r1}DateTime",
    ];
    match rng.below(8) {
        0 => Json::Null,
        1 => json!(true),
        2 => json!([]),
        3 => json!({}),
        4 => json!(1e30),
        5 => {
            json!({"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Decimal", "value": texts[1 + rng.below(8)]})
        }
        6 => {
            json!({"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Integer", "value": texts[1 + rng.below(4)]})
        }
        _ => json!(texts[rng.below(texts.len())]),
    }
}

fn mutate(json: &mut Json, rng: &mut Rng) {
    let total = count(json);
    let copy = match rng.below(4) {
        0 => at(json, &mut rng.below(total)).cloned(),
        _ => None,
    };
    let Some(place) = at(json, &mut rng.below(total)) else {
        return;
    };
    // Where an expression stands, an expression goes.
    let expression = place.get("type").is_some();
    match (rng.below(10), place) {
        (0..=1, Json::Array(items)) => match rng.below(3) {
            0 => drop(items.pop()),
            1 => items.push(part(rng)),
            _ => items.reverse(),
        },
        (0..=1, Json::Object(map)) => {
            let keys: Vec<String> = map.keys().cloned().collect();
            let key = keys.get(rng.below(keys.len())).cloned().unwrap_or_default();
            match rng.below(3) {
                0 => drop(map.remove(&key)),
                1 => drop(map.insert(key, part(rng))),
                // The same operands under another operator.
                _ => drop(map.insert("type".into(), part(rng)["type"].clone())),
            }
        }
        (2, place) if expression => {
            let inner = place.take();
            *place = json!({"type": "List", "element": [inner, part(rng)]});
        }
        (_, place) => {
            *place = match (copy, expression) {
                (Some(copy), _) => copy,
                (None, true) => part(rng),
                (None, false) => constant(rng),
            }
        }
    }
}
