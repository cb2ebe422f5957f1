//! Reading elements of a resource: each with its FHIRPath, each wrong type told.

use serde_json::Value;

use engine_patient::finding::{Code, Finding};

/// An element and where it stands.
#[derive(Clone)]
pub(super) struct At<'v> {
    pub value: &'v Value,
    pub path: String,
}

/// The findings about one resource.
pub(super) struct Report {
    /// File as the user named it.
    pub file: String,
    /// Line where the resource begins, if that is worth telling.
    pub line: Option<usize>,
    /// The measure, if it is about one.
    pub measure: Option<String>,
    pub issues: Vec<Finding>,
}

impl Report {
    pub fn new(file: &str, line: Option<usize>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            measure: None,
            issues: vec![],
        }
    }

    /// Adds a finding and says where.
    pub fn add(&mut self, path: &str, issue: Finding) {
        let mut issue = issue.in_file(&*self.file).on_line(self.line, None).at(path);
        issue.measures = self.measure.clone().into_iter().collect();
        self.issues.push(issue);
    }

    pub fn has_errors(&self) -> bool {
        self.issues.iter().any(|i| i.is_error())
    }

    fn wrong_type(&mut self, path: &str, wanted: &str, found: &Value) {
        let message = format!("expected {wanted}, found {}", kind(found));
        let help = "compare with the FHIR R4 definition of the resource";
        self.add(path, Finding::error(Code::ElementType, message).help(help));
    }

    /// The text of an element; blank text counts as none.
    pub fn text(&mut self, of: &At<'_>, name: &str) -> Option<String> {
        let at = of.get(name)?;
        match at.value {
            Value::String(text) if text.trim().is_empty() => None,
            Value::String(text) => Some(text.trim().to_owned()),
            other => {
                self.wrong_type(&at.path, "text", other);
                None
            }
        }
    }

    /// An element that is an object.
    pub fn object<'v>(&mut self, of: &At<'v>, name: &str) -> Option<At<'v>> {
        let at = of.get(name)?;
        if at.value.is_object() {
            return Some(at);
        }
        self.wrong_type(&at.path, "an object", at.value);
        None
    }

    /// The objects of an element that is a list.
    pub fn objects<'v>(&mut self, of: &At<'v>, name: &str) -> Vec<At<'v>> {
        let mut all = self.items(of, name);
        all.retain(|at| {
            let fits = at.value.is_object();
            if !fits {
                self.wrong_type(&at.path, "an object", at.value);
            }
            fits
        });
        all
    }

    /// The texts of an element that is a list.
    pub fn texts(&mut self, of: &At<'_>, name: &str) -> Vec<(String, String)> {
        let mut texts = vec![];
        for at in self.items(of, name) {
            match at.value {
                Value::String(text) => texts.push((text.trim().to_owned(), at.path)),
                other => self.wrong_type(&at.path, "text", other),
            }
        }
        texts
    }

    fn items<'v>(&mut self, of: &At<'v>, name: &str) -> Vec<At<'v>> {
        let Some(at) = of.get(name) else {
            return vec![];
        };
        let Value::Array(items) = at.value else {
            self.wrong_type(&at.path, "a list", at.value);
            return vec![];
        };
        let item = |(index, value)| At {
            value,
            path: format!("{}[{index}]", at.path),
        };
        items.iter().enumerate().map(item).collect()
    }
}

impl<'v> At<'v> {
    /// The child of this name; null counts as none.
    pub fn get(&self, name: &str) -> Option<At<'v>> {
        let value = self.value.get(name).filter(|v| !v.is_null())?;
        Some(At {
            value,
            path: format!("{}.{name}", self.path),
        })
    }
}

/// What a reader of JSON calls it.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
