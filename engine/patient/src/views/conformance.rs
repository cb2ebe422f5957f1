//! The official tests of SQL on FHIR v2. Their folder is `$TANDEM_CONFORMANCE/sql-on-fhir`, by
//! default beside the repository; without it they are skipped.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::{ViewDefinition, ViewValue};
use crate::record::PatientRecord;

/// File, test, reason. One that passes all the same fails the run.
const EXCLUDED: &[(&str, &str, &str)] = &[];

fn folder() -> PathBuf {
    let beside = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/conformance").to_owned();
    let root = std::env::var("TANDEM_CONFORMANCE").unwrap_or_else(|_| beside());
    PathBuf::from(root).join("sql-on-fhir")
}

#[test]
fn official_tests() {
    let Ok(entries) = std::fs::read_dir(folder()) else {
        println!("skipped: no folder {}", folder().display());
        return;
    };
    let mut files: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    files.sort();
    let (mut passed, mut wrong) = (0, vec![]);
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".json") || name.starts_with('_') {
            continue;
        }
        let suite: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let mut record = PatientRecord::new();
        for resource in suite["resources"].as_array().unwrap() {
            record.push(&resource.to_string()).unwrap();
        }
        let tests = suite["tests"].as_array().unwrap();
        let mut passed_here = 0;
        for test in tests {
            let title = test["title"].as_str().unwrap();
            let outcome = check(test, &record);
            let excluded = EXCLUDED.iter().find(|(f, t, _)| *f == name && *t == title);
            match (outcome, excluded) {
                (Ok(()), None) => passed_here += 1,
                (Err(reason), None) => wrong.push(format!("{name}: {title}: {reason}")),
                (Ok(()), Some(_)) => wrong.push(format!("{name}: {title}: excluded, but passes")),
                (Err(_), Some((.., reason))) => println!("excluded {name}: {title}: {reason}"),
            }
        }
        println!("{name}: {passed_here} of {} passed", tests.len());
        passed += passed_here;
    }
    println!(
        "{passed} passed, {} wrong, {} excluded",
        wrong.len(),
        EXCLUDED.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(passed > 0, "no tests in {}", folder().display());
}

fn check(test: &Value, record: &PatientRecord) -> Result<(), String> {
    let ran = run(&test["view"], record);
    if test["expectError"] == true {
        return ran.map_or(Ok(()), |_| Err("an error was expected".to_owned()));
    }
    let (columns, mut rows) = ran?;
    if test["expectColumns"]
        .as_array()
        .is_some_and(|expected| *expected != columns)
    {
        return Err(format!("columns {columns:?}"));
    }
    if let Some(count) = test["expectCount"].as_u64() {
        return if rows.len() as u64 == count {
            Ok(())
        } else {
            Err(format!("{} rows", rows.len()))
        };
    }
    // The order of rows is not prescribed.
    for expected in test["expect"].as_array().unwrap() {
        let Some(at) = rows.iter().position(|row| same(row, expected)) else {
            return Err(format!("no row {expected} in {}", Value::Array(rows)));
        };
        rows.remove(at);
    }
    if rows.is_empty() {
        Ok(())
    } else {
        Err(format!("rows too many: {}", Value::Array(rows)))
    }
}

fn run(view: &Value, record: &PatientRecord) -> Result<(Vec<Value>, Vec<Value>), String> {
    let view = ViewDefinition::from_value(view).map_err(|errors| {
        let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
        shown.join("\n")
    })?;
    let mut rows = vec![];
    for resource in record.resources() {
        let mut row = |values: &[ViewValue<'_>]| {
            let names = view.columns.iter().map(|c| c.name.clone());
            rows.push(Value::Object(
                names.zip(values.iter().map(json)).collect::<Map<_, _>>(),
            ));
        };
        view.rows(resource, &mut row).map_err(|e| e.to_string())?;
    }
    Ok((
        view.columns
            .iter()
            .map(|c| Value::from(c.name.as_str()))
            .collect(),
        rows,
    ))
}

fn json(value: &ViewValue<'_>) -> Value {
    match value {
        ViewValue::Null => Value::Null,
        ViewValue::Bool(b) => Value::from(*b),
        ViewValue::Int(i) => Value::from(*i),
        ViewValue::Decimal(d) => serde_json::from_str(d).unwrap(),
        ViewValue::Str(s) => Value::from(&**s),
        ViewValue::List(list) => Value::Array(list.iter().map(json).collect()),
    }
}

/// Numbers by value, and an expected row may leave out a null.
fn same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.iter()
                .all(|(key, value)| same(value, b.get(key).unwrap_or(&Value::Null)))
                && b.keys().all(|key| a.contains_key(key))
        }
        (a, b) => a == b,
    }
}
