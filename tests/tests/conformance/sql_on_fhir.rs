//! The official tests of SQL on FHIR v2.

use std::path::{Path, PathBuf};

use engine_fhirpath::views::{ViewDefinition, ViewValue};
use engine_patient::record::PatientRecord;
use serde_json::{Map, Value};

use crate::Score;

/// Runs all files of a folder.
pub fn run(folder: &Path) -> Score {
    let mut score = Score::new("sql-on-fhir");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    files.sort();
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
        for test in suite["tests"].as_array().unwrap() {
            let title = test["title"].as_str().unwrap();
            let shown = format!("{name}: {title}");
            score.case(&name, &shown, check(test, &record), None);
        }
    }
    score
}

fn check(test: &Value, record: &PatientRecord) -> Result<(), String> {
    let ran = rows_of(&test["view"], record);
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

fn rows_of(view: &Value, record: &PatientRecord) -> Result<(Vec<Value>, Vec<Value>), String> {
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
        let mut noted = None;
        view.rows(resource, &mut row, &mut |note| {
            noted = Some(note.to_string())
        })
        .map_err(|e| e.to_string())?;
        if let Some(note) = noted {
            return Err(note);
        }
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
