//! The JSON Schemas and the table of fields are those of the loader, and what is built in fits them.
#![cfg(test)]
#![allow(
    clippy::disallowed_methods,
    reason = "the committed files are read, and written where asked"
)]

use std::path::Path;

use regex::Regex;
use rules::yaml::{self, Node, Style, Value as Yaml};
use serde_json::{Map, Value};

fn same(file: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("TANDEM_WRITE").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == made,
        "{file} is not what the loader says: run the test with TANDEM_WRITE=1"
    );
}

#[test]
fn the_schema_of_a_rule_is_committed() {
    same("schema/rule.schema.json", &rules::rule_schema());
}

#[test]
fn the_schema_of_a_library_is_committed() {
    same("schema/library.schema.json", &rules::library_schema());
}

/// Between two marks of the read-me stands what the loader knows.
#[test]
fn the_table_of_fields_is_in_the_read_me() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (begin, end) = ("<!-- fields -->\n", "<!-- /fields -->");
    let (head, rest) = text.split_once(begin).unwrap();
    let (_, tail) = rest.split_once(end).unwrap();
    let table = rules::fields_table();
    same("README.md", &format!("{head}{begin}{table}{end}{tail}"));
}

#[test]
fn what_is_built_in_fits_the_schemas() {
    let schema = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    let (rule, library) = (
        schema(rules::rule_schema()),
        schema(rules::library_schema()),
    );
    let mut count = 0;
    let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("content");
    let mut folders = vec![content];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|e| e != "yaml") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let file = path.display().to_string();
            let is_library = file.ends_with("/library.yaml");
            let wrong = problems(if is_library { &library } else { &rule }, &text);
            assert_eq!(wrong, Vec::<String>::new(), "{file}");
            count += 1;
        }
    }
    assert!(count >= 3, "{count}");
}

/// What the loader refuses of the form, the schema does, too.
#[test]
fn the_schema_refuses_what_the_loader_refuses() {
    let rule: Value = serde_json::from_str(&rules::rule_schema()).unwrap();
    let good = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("content/diabetes/hba1c-control.yaml"),
    )
    .unwrap();
    for (from, to, words) in [
        ("title:", "titel:", "titel"),
        ("kind: care-gap", "kind: caregap", "kind"),
        ("kind: care-gap", "kind: alert", "when"),
        ("kind: care-gap", "kind: alert", "eligible"),
        ("improvement:", "status: new\nimprovement:", "status"),
        ("unknown: ", "when: true\nunknown: ", "when"),
        ("  indicator: ", "  urgency: x\n  indicator: ", "urgency"),
        ("version: ", "version: v", "version"),
    ] {
        assert!(good.contains(from), "{from}");
        let wrong = problems(&rule, &good.replacen(from, to, 1));
        assert!(wrong.iter().any(|w| w.contains(words)), "{to}: {wrong:?}");
    }
}

/// An alert; the cases below write a part of it in another way.
const ALERT: &str = r#"id: pair
version: 1.0.0
kind: alert
title: A pair
description: What does not go together.
rationale: Why.
source: {title: T, publisher: P, year: 2025, url: "https://example.org", strength: A}
hooks: [order-sign]
for_each: {order: selections("MedicationRequest")}
when: isDrug(order, "ibuprofen")
unknown: silent
card:
  indicator: warning
  summary: x
  detail: x
  unknown_summary: x
  selection: any
  suggestions:
    - label: Remove
      recommended: true
      actions: [{description: Remove it, delete: order}]
  override_reasons: [{code: known, display: Known}]
cases:
  - name: yes
    at: 2025-12-31T12:00:00Z
    drafts:
      - {resourceType: MedicationRequest, status: draft, intent: order, medication: rxnorm|5640, subject: Patient/patient}
    expect: {applies: yes}
  - name: no
    at: 2025-12-31T12:00:00Z
    expect: {applies: no}
"#;

/// What the loader takes, an editor does not mark; what it refuses of a card, the schema does, too.
#[test]
fn the_schema_takes_what_the_loader_takes() {
    let schema: Value = serde_json::from_str(&rules::rule_schema()).unwrap();
    let reasons = "override_reasons: [{code: known, display: Known}]";
    for (from, to, good) in [
        ("", "", true),
        ("code: known", "code: not indicated", true),
        ("code: known", "code: 12", true),
        ("code: known", "code: \"12\"", true),
        ("display: Known", "display: 1", true),
        (
            "display: Known",
            "display: Known, system: \"urn:oid:1.2\"",
            true,
        ),
        ("display: Known", "display: Known, system: reasons", false),
        (
            "display: Known",
            "display: Known, system: \"https://a b\"",
            false,
        ),
        (", display: Known", "", false),
        ("code: known, ", "", false),
        (reasons, "override_reasons:", true),
        (reasons, "override_reasons: [known]", false),
        ("year: 2025", "year: \"2025\"", true),
        ("year: 2025", "year: soon", false),
        ("year: 2025", "year: 25", false),
        ("recommended: true", "recommended: \"true\"", true),
        ("recommended: true", "recommended: yes", false),
        ("hooks:", "owner:\ncooldown: {days: \"30\"}\nhooks:", true),
        ("hooks:", "status: draft\nreview: 2027-01-01\nhooks:", true),
        ("hooks:", "status:\nhooks:", true),
        ("applies: yes", "applies: \"yes\"", true),
        ("detail: x", "detail: x\n  why: true", true),
        ("detail: x", "detail: x\n  why: soon", false),
        ("version: 1.0.0", "version: 1.0", false),
        ("indicator: warning", "indicator: hard-stop", false),
    ] {
        assert!(ALERT.contains(from), "{from}");
        let text = ALERT.replacen(from, to, 1);
        let loaded = rules::load("pair.yaml", &text, &rules::built_in_terminology());
        assert_eq!(loaded.is_ok(), good, "{to}: {:#?}", loaded.err());
        let told = problems(&schema, &text);
        assert_eq!(told.is_empty(), good, "{to}: {told:?}");
    }
}

fn problems(schema: &Value, text: &str) -> Vec<String> {
    let (_, root) = yaml::read("a.yaml", text).unwrap();
    let mut wrong = vec![];
    check(schema, &json(&root), "", &mut wrong);
    wrong
}

/// As a reader of YAML 1.2 understands it.
fn json(node: &Node) -> Value {
    match &node.value {
        Yaml::Mapping(entries) => {
            let entries = entries.iter().map(|e| (e.key.clone(), json(&e.value)));
            Value::Object(entries.collect::<Map<String, Value>>())
        }
        Yaml::Sequence(items) => items.iter().map(json).collect(),
        Yaml::Scalar(scalar) if scalar.style == Style::Plain => match scalar.text.as_str() {
            "true" => true.into(),
            "false" => false.into(),
            "" | "~" | "null" => Value::Null,
            text => match text.parse::<i64>() {
                Ok(number) => number.into(),
                Err(_) => text
                    .parse::<f64>()
                    .map_or_else(|_| text.into(), Value::from),
            },
        },
        Yaml::Scalar(scalar) => scalar.text.as_str().into(),
    }
}

/// The keywords that our schemas use; another one fails.
fn check(schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let schema = match schema {
        Value::Bool(true) => return,
        Value::Bool(false) => return wrong.push(format!("{at} is not allowed")),
        Value::Object(schema) => schema,
        other => panic!("{other}"),
    };
    let empty = Map::new();
    let object = value.as_object().unwrap_or(&empty);
    for (keyword, wanted) in schema {
        match keyword.as_str() {
            "$schema" | "$id" | "$comment" | "title" | "description" | "examples" | "then" => {}
            "type" => {
                let wanted: Vec<&str> = match wanted {
                    Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
                    one => one.as_str().into_iter().collect(),
                };
                let is = |ty: &&str| match *ty {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "number" => value.is_number(),
                    "integer" => value.is_i64(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    other => panic!("{other}"),
                };
                if !wanted.iter().any(is) {
                    wrong.push(format!("{at} is no {}: {value}", wanted.join(" or ")));
                }
            }
            "enum" => {
                if !wanted.as_array().unwrap().contains(value) {
                    wrong.push(format!("{at} is none of {wanted}: {value}"));
                }
            }
            "const" => {
                if value != wanted {
                    wrong.push(format!("{at} is not {wanted}"));
                }
            }
            "pattern" => {
                let pattern = Regex::new(wanted.as_str().unwrap()).unwrap();
                if value.as_str().is_some_and(|text| !pattern.is_match(text)) {
                    wrong.push(format!("{at} does not fit {wanted}: {value}"));
                }
            }
            "minimum" | "maximum" => {
                let (number, bound) = (value.as_f64(), wanted.as_f64().unwrap());
                let beyond = match keyword.as_str() {
                    "minimum" => number.is_some_and(|n| n < bound),
                    _ => number.is_some_and(|n| n > bound),
                };
                if beyond {
                    wrong.push(format!("{at} is beyond {wanted}"));
                }
            }
            "required" => {
                for name in wanted.as_array().unwrap() {
                    if !object.contains_key(name.as_str().unwrap()) {
                        wrong.push(format!("{at} needs {name}"));
                    }
                }
            }
            "properties" => {
                for (name, schema) in wanted.as_object().unwrap() {
                    if let Some(inner) = object.get(name) {
                        check(schema, inner, &format!("{at}.{name}"), wrong);
                    }
                }
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                for (name, inner) in object {
                    if !known.is_some_and(|k| k.contains_key(name)) {
                        check(wanted, inner, &format!("{at}.{name}"), wrong);
                    }
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(wanted, item, &format!("{at}[{index}]"), wrong);
                }
            }
            "allOf" => {
                for schema in wanted.as_array().unwrap() {
                    check(schema, value, at, wrong);
                }
            }
            "anyOf" => {
                let fits = |schema: &Value| {
                    let mut unfit = vec![];
                    check(schema, value, at, &mut unfit);
                    unfit.is_empty()
                };
                if !wanted.as_array().unwrap().iter().any(fits) {
                    wrong.push(format!("{at} is none of {wanted}: {value}"));
                }
            }
            "if" => {
                let mut unfit = vec![];
                check(wanted, value, at, &mut unfit);
                if unfit.is_empty() {
                    check(schema.get("then").unwrap(), value, at, wrong);
                }
            }
            other => panic!("the check does not know `{other}`"),
        }
    }
}
