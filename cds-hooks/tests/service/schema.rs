//! The JSON Schemas of requests and responses, written for this project from CDS Hooks 3.0 and not part of it:
//! `CDS_HOOKS_SCHEMAS` names their folder. Where that is not there, what needs them says so and passes.

use std::path::PathBuf;
use std::sync::OnceLock;

use regex::Regex;
use serde_json::Value;

/// Checks a document against the schema of this name (`response`); says where it does not fit.
pub fn check(name: &str, document: &Value) {
    let Some(root) = schema() else { return };
    let of_name = serde_json::json!({ "$ref": format!("#/$defs/{name}") });
    let wrong = flaws(root, &of_name, document, "$");
    assert!(wrong.is_empty(), "{name}: {wrong:#?}\n{document}");
}

/// Whether a document fits; `None` without schemas.
pub fn fits(name: &str, document: &Value) -> Option<bool> {
    let of_name = serde_json::json!({ "$ref": format!("#/$defs/{name}") });
    Some(flaws(schema()?, &of_name, document, "$").is_empty())
}

fn schema() -> Option<&'static Value> {
    static SCHEMA: OnceLock<Option<Value>> = OnceLock::new();
    let read = || {
        let folder = std::env::var_os("CDS_HOOKS_SCHEMAS").map(PathBuf::from);
        let folder = folder.unwrap_or_else(|| "/work/shared/cds-hooks/schemas".into());
        let file = folder.join("cds-hooks-response.schema.json");
        let Ok(text) = std::fs::read_to_string(&file) else {
            eprintln!("skipped: no JSON Schemas at {}", file.display());
            return None;
        };
        Some(serde_json::from_str(&text).unwrap())
    };
    SCHEMA.get_or_init(read).as_ref()
}

/// What does not fit. Knows the keywords that these schemas have, and panics at another.
fn flaws(root: &Value, schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let mut wrong = vec![];
    let fits = |schema: &Value, value: &Value| flaws(root, schema, value, path).is_empty();
    let schema = schema.as_object().unwrap();
    let text = value.as_str().map(|t| t.encode_utf16().count() as u64);
    let items = value.as_array();
    let members = value.as_object();
    let number = |v: &Value| v.as_u64().unwrap();
    for (keyword, wanted) in schema {
        let ok = match keyword.as_str() {
            "$schema" | "$comment" | "$defs" | "$id" | "title" | "description" | "then"
            | "minContains" | "maxContains" => true,
            "$ref" => {
                let name = wanted.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                wrong.extend(flaws(root, &root["$defs"][name], value, path));
                true
            }
            "type" => match wanted.as_str().unwrap() {
                "object" => members.is_some(),
                "array" => items.is_some(),
                "string" => text.is_some(),
                "integer" => value.is_i64() || value.is_u64(),
                "boolean" => value.is_boolean(),
                "null" => value.is_null(),
                other => panic!("type {other}"),
            },
            "const" => value == wanted,
            "enum" => wanted.as_array().unwrap().contains(value),
            "minLength" => text.is_none_or(|n| n >= number(wanted)),
            "maxLength" => text.is_none_or(|n| n <= number(wanted)),
            "pattern" => {
                let pattern = Regex::new(wanted.as_str().unwrap()).unwrap();
                value.as_str().is_none_or(|t| pattern.is_match(t))
            }
            "minimum" => value.as_i64().is_none_or(|n| n >= wanted.as_i64().unwrap()),
            "minItems" => items.is_none_or(|all| all.len() as u64 >= number(wanted)),
            "minProperties" => members.is_none_or(|all| all.len() as u64 >= number(wanted)),
            "items" => {
                for (n, item) in items.into_iter().flatten().enumerate() {
                    wrong.extend(flaws(root, wanted, item, &format!("{path}[{n}]")));
                }
                true
            }
            "contains" => items.is_none_or(|all| {
                let found = all.iter().filter(|item| fits(wanted, item)).count() as u64;
                let least = schema.get("minContains").map_or(1, number);
                let most = schema.get("maxContains").map_or(u64::MAX, number);
                (least..=most).contains(&found)
            }),
            "properties" => {
                for (name, inner) in wanted.as_object().unwrap() {
                    if let Some(value) = members.and_then(|all| all.get(name)) {
                        wrong.extend(flaws(root, inner, value, &format!("{path}.{name}")));
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                for (name, value) in members.into_iter().flatten() {
                    if known.is_some_and(|known| known.contains_key(name)) {
                        continue;
                    }
                    let path = format!("{path}.{name}");
                    match wanted {
                        Value::Bool(false) => wrong.push(format!("{path}: not allowed")),
                        wanted => wrong.extend(flaws(root, wanted, value, &path)),
                    }
                }
                true
            }
            "required" => members.is_none_or(|all| {
                let mut names = wanted.as_array().unwrap().iter();
                names.all(|name| all.contains_key(name.as_str().unwrap()))
            }),
            "allOf" => {
                for inner in wanted.as_array().unwrap() {
                    wrong.extend(flaws(root, inner, value, path));
                }
                true
            }
            "anyOf" => wanted
                .as_array()
                .unwrap()
                .iter()
                .any(|inner| fits(inner, value)),
            "not" => !fits(wanted, value),
            "if" => match (fits(wanted, value), schema.get("then")) {
                (true, Some(then)) => {
                    wrong.extend(flaws(root, then, value, path));
                    true
                }
                _ => true,
            },
            other => panic!("the keyword {other} is not known"),
        };
        if !ok {
            wrong.push(format!("{path}: {keyword} {wanted}"));
        }
    }
    wrong
}

/// The schemas refuse what is wrong: they are read, not just there.
#[test]
fn the_schemas_refuse_what_is_wrong() {
    let card = |more: &str| {
        let text =
            format!(r#"{{"cards":[{{"indicator":"info","source":{{"label":"a"}}{more}}}]}}"#);
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let Some(fit) = fits("response", &card(r#","summary":"a""#)) else {
        return;
    };
    assert!(fit);
    let long = format!(r#","summary":"{}""#, "x".repeat(140));
    let suggestion = r#","summary":"a","suggestions":[{"label":"a"}]"#;
    for more in [
        "",
        r#","summary":"""#,
        r#","summary":"a","links":[]"#,
        &long,
        suggestion,
    ] {
        assert_eq!(fits("response", &card(more)), Some(false), "{more}");
    }
    let none = serde_json::json!({"cards": [], "systemActions": []});
    assert_eq!(fits("response", &none), Some(false));
}
