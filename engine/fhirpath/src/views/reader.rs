//! What reading the parts of a definition shares: gathered mistakes, and typed access to JSON.

use serde_json::{Map, Value};

use super::column::ColumnInfo;
use super::error::{placed, wrong};
use crate::{Constant, Path, Scope, Type};
use engine_patient::finding::{Code, Finding, did_you_mean};

/// What is gathered while reading.
#[derive(Default)]
pub(super) struct Reader {
    pub errors: Vec<Finding>,
    pub warnings: Vec<Finding>,
    /// Columns so far, with their places.
    pub columns: Vec<(ColumnInfo, String)>,
    pub selects: usize,
    pub resource: Option<&'static str>,
    pub constants: Vec<Constant>,
}

impl Reader {
    pub fn error(&mut self, code: Code, at: impl Into<String>, message: impl Into<String>) {
        self.errors.push(wrong(code, at, message));
    }

    /// Compiles a path; notes what is wrong.
    pub fn path(&mut self, at: &str, text: &str, focus: Type) -> Option<Path> {
        let scope = Scope {
            resource: self.resource.unwrap_or("Resource"),
            focus,
            constants: &self.constants,
        };
        match Path::compile(text, &scope) {
            Ok(path) => {
                let warnings = path.warnings().iter().cloned();
                self.warnings.extend(warnings.map(|w| placed(w, at)));
                Some(path)
            }
            Err(error) => {
                self.errors.push(placed(error, at));
                None
            }
        }
    }

    /// Refuses properties that are not known.
    pub fn only(&mut self, at: &str, map: &Map<String, Value>, known: &[&str]) {
        for key in map
            .keys()
            .filter(|k| !k.starts_with('_') && !known.contains(&k.as_str()))
        {
            let error = wrong(
                Code::ViewUnknownProperty,
                join(at, key),
                "a ViewDefinition has no such property here",
            );
            self.errors
                .push(match did_you_mean(key, known.iter().copied()) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error,
                });
        }
    }

    pub fn object<'v>(&mut self, at: &str, value: &'v Value) -> Option<&'v Map<String, Value>> {
        let object = value.as_object();
        if object.is_none() {
            self.error(Code::ViewWrongType, at, "a JSON object was expected");
        }
        object
    }

    /// The items of an array property, with their places.
    pub fn items<'v>(
        &mut self,
        at: &str,
        map: &'v Map<String, Value>,
        key: &str,
    ) -> Vec<(String, &'v Value)> {
        let at = join(at, key);
        match map.get(key) {
            None => vec![],
            Some(Value::Array(items)) if !items.is_empty() => items
                .iter()
                .enumerate()
                .map(|(i, v)| (format!("{at}[{i}]"), v))
                .collect(),
            Some(_) => {
                self.error(
                    Code::ViewWrongType,
                    at,
                    "a JSON array with something in it was expected",
                );
                vec![]
            }
        }
    }

    /// A text property, if it is there.
    pub fn text(&mut self, at: &str, map: &Map<String, Value>, key: &str) -> Option<String> {
        match map.get(key)? {
            Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
            _ => {
                self.error(Code::ViewWrongType, join(at, key), "a text was expected");
                None
            }
        }
    }

    /// A text property that must be there.
    pub fn required(&mut self, at: &str, map: &Map<String, Value>, key: &str) -> Option<String> {
        if !map.contains_key(key) {
            self.error(Code::ViewMissing, at, format!("`{key}` is missing"));
        }
        self.text(at, map, key)
    }

    /// A name fit for SQL.
    pub fn name(&mut self, at: &str, map: &Map<String, Value>, required: bool) -> Option<String> {
        let name = match required {
            true => self.required(at, map, "name")?,
            false => self.text(at, map, "name")?,
        };
        let letter = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if letter && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Some(name);
        }
        let error = wrong(
            Code::ViewName,
            join(at, "name"),
            format!("`{name}` is no SQL name"),
        );
        self.errors
            .push(error.help("a letter, then letters, digits and `_`"));
        None
    }
}

/// `select[0]` and `column` give `select[0].column`.
pub(super) fn join(at: &str, key: &str) -> String {
    if at.is_empty() {
        key.to_owned()
    } else {
        format!("{at}.{key}")
    }
}
