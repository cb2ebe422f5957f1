//! The JSON Schema of rule files, for editors, and the table of fields in the read-me: both made from the
//! tables that the loader itself uses.

use serde_json::{Map, Value, json};

use crate::document::{ALL, Field, LIBRARY, Object, RULE, Shape, Wanted};
use crate::words::{Kind, Word};

/// The JSON Schema of a rule's file, with a line end.
pub fn rule_schema() -> String {
    let mut schema = top(
        &RULE,
        "rule",
        "A rule of Tandem: a care gap, an alert or a family of alerts.",
    );
    let by_kind: Vec<Value> = Kind::WORDS.iter().map(|(_, kind)| of_kind(*kind)).collect();
    schema.insert("allOf".into(), by_kind.into());
    printed(schema)
}

/// The JSON Schema of `library.yaml`, with a line end.
pub fn library_schema() -> String {
    let about = "What the rules of a folder share: value sets, definitions, drug classes.";
    printed(top(&LIBRARY, "library", about))
}

/// The fields of a rule and of its card as a Markdown table.
pub fn fields_table() -> String {
    let mut out = String::from("| Field | | |\n|---|---|---|\n");
    for field in RULE.fields {
        line(&mut out, field.name, field);
        if let Shape::Object(object) = field.shape
            && field.name == "card"
        {
            for inner in object.fields {
                line(&mut out, &format!("card.{}", inner.name), inner);
            }
        }
    }
    out
}

fn line(out: &mut String, name: &str, field: &Field) {
    let of: Vec<&str> = field.kinds.iter().map(|k| k.as_str()).collect();
    let of = match field.kinds.len() < ALL.len() {
        true => of.join(", "),
        false => String::new(),
    };
    let need = match (field.required.is_empty(), field.required == field.kinds) {
        (true, _) => String::new(),
        (false, true) => "required".to_owned(),
        (false, false) => {
            let of: Vec<&str> = field.required.iter().map(|k| k.as_str()).collect();
            format!("required: {}", of.join(", "))
        }
    };
    let both: Vec<&str> = [of.as_str(), need.as_str()]
        .into_iter()
        .filter(|t| !t.is_empty())
        .collect();
    // A `|` of a text would end its cell.
    let doc = field.doc.replace('|', "\\|");
    out.push_str(&format!("| `{name}` | {} | {doc} |\n", both.join("; ")));
}

fn printed(schema: Map<String, Value>) -> String {
    format!("{:#}\n", Value::Object(schema))
}

fn top(object: &'static Object, name: &str, about: &str) -> Map<String, Value> {
    let mut schema = object_schema(object);
    schema.insert(
        "$schema".into(),
        "http://json-schema.org/draft-07/schema#".into(),
    );
    let id = format!("https://tandem-cds.dev/schema/{name}.schema.json");
    schema.insert("$id".into(), id.into());
    schema.insert("title".into(), about.into());
    schema
}

/// What a rule of this kind must have beside, and must not.
fn of_kind(kind: Kind) -> Value {
    let required = RULE.fields.iter().filter(|f| f.is_required(Some(kind)));
    let required: Vec<&str> = required.map(|f| f.name).collect();
    let foreign = RULE.fields.iter().filter(|f| !f.is_of(Some(kind)));
    let foreign: Map<String, Value> = foreign.map(|f| (f.name.into(), false.into())).collect();
    json!({
        "if": {"properties": {"kind": {"const": kind.as_str()}}, "required": ["kind"]},
        "then": {"required": required, "properties": foreign},
    })
}

fn object_schema(object: &'static Object) -> Map<String, Value> {
    let properties = object.fields.iter().map(|field| {
        let mut schema = shape(field.shape);
        if let Value::Object(schema) = &mut schema {
            // What may be left out may also be left empty.
            if field.required.is_empty() {
                nullable(schema);
            }
            schema.insert("description".into(), field.doc.into());
        }
        (field.name.to_owned(), schema)
    });
    let properties: Map<String, Value> = properties.collect();
    let required = object.fields.iter().filter(|f| f.is_required(None));
    let required: Vec<&str> = required.map(|f| f.name).collect();
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    schema.insert("properties".into(), properties.into());
    schema.insert("additionalProperties".into(), false.into());
    if !required.is_empty() {
        schema.insert("required".into(), required.into());
    }
    schema
}

/// Nothing fits, too.
fn nullable(schema: &mut Map<String, Value>) {
    match schema.get_mut("type") {
        Some(Value::Array(types)) => types.push("null".into()),
        Some(ty) => *ty = json!([ty.clone(), "null"]),
        None => {}
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.push(Value::Null);
    }
    if let Some(Value::Array(ways)) = schema.get_mut("anyOf") {
        ways.push(json!({"type": "null"}));
    }
}

/// A scalar as YAML may read it: the loader takes its text.
const SCALAR: [&str; 3] = ["string", "number", "boolean"];

fn shape(shape: Shape) -> Value {
    match shape {
        Shape::Text | Shape::Template => json!({"type": SCALAR}),
        Shape::Expression(wanted) => {
            let gives = match wanted {
                Wanted::Any => "a value",
                Wanted::Truth => "true or false",
                Wanted::Date => "a date",
                Wanted::Text => "a text",
                Wanted::List => "a list",
                Wanted::Resource => "a resource",
            };
            json!({"type": SCALAR, "$comment": format!("a CEL expression that gives {gives}")})
        }
        Shape::Pattern(pattern, example) => {
            json!({"type": "string", "pattern": pattern, "examples": [example]})
        }
        // In quotes it is the same to the loader.
        Shape::Whole(from, to) => {
            json!({"type": ["integer", "string"], "minimum": from, "maximum": to, "pattern": "^[0-9]+$"})
        }
        Shape::Flag => json!({"enum": [true, false, "true", "false"]}),
        Shape::Words(words) => json!({"enum": enumerated(words())}),
        Shape::WordsOr(words, form) => json!({"anyOf": [
            {"enum": enumerated(words())},
            {"type": "string", "pattern": form},
        ]}),
        Shape::Object(object) => Value::Object(object_schema(object)),
        Shape::Named(inner) => {
            json!({"type": "object", "additionalProperties": self::shape(*inner)})
        }
        Shape::List(inner) => json!({"type": "array", "items": self::shape(*inner)}),
        Shape::Resource { .. } | Shape::Elements => json!({"type": "object"}),
        Shape::ResourceType => json!({"type": "string", "pattern": "^[A-Z][A-Za-z]+$"}),
    }
}

/// Words; `true` and `yes` are a truth to some readers of YAML.
fn enumerated(words: Vec<&'static str>) -> Vec<Value> {
    let mut all: Vec<Value> = words.iter().copied().map(Value::from).collect();
    for word in &words {
        match *word {
            "true" | "yes" => all.push(true.into()),
            "false" | "no" => all.push(false.into()),
            _ => {}
        }
    }
    all
}
