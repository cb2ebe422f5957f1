//! What was read of terminology, and what reading needs: where something stands, and what is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde::Deserialize;

use super::code::canonical_system;
use super::code_system::CodeSystem;
use super::raw::Text;
use super::value_set_definition::ValueSetDefinition;
use crate::finding::{Code, Finding, Place};

/// Everything that has been read so far.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub value_sets: Vec<ValueSetDefinition>,
    pub code_systems: Vec<CodeSystem>,
    pub issues: Vec<Finding>,
    /// Per source and resource type, how many were ignored.
    pub ignored: BTreeMap<(Arc<str>, String), usize>,
    systems: FxHashSet<Arc<str>>,
}

/// Where a piece of JSON stands in its source.
#[derive(Clone)]
pub(super) struct Spot {
    pub source: Arc<str>,
    /// Line of its first character, from 1.
    pub line: usize,
    /// Bytes before its first character on that line.
    pub column: usize,
    /// FHIRPath of the resource, if it is inside another; empty otherwise.
    pub within: String,
}

impl Spot {
    pub fn start(source: &Arc<str>) -> Self {
        Self {
            source: Arc::clone(source),
            line: 1,
            column: 0,
            within: String::new(),
        }
    }

    /// FHIRPath of the resource: `ValueSet`, or `Bundle.entry[3].resource`.
    pub fn root(&self, resource_type: &str) -> String {
        if self.within.is_empty() {
            resource_type.to_owned()
        } else {
            self.within.clone()
        }
    }

    /// A place in this resource known by path.
    pub fn place(&self, path: String) -> Place {
        let line = (self.line > 1).then_some(self.line);
        Place::known(Arc::clone(&self.source), line, None, Some(path))
    }
}

impl Read {
    /// Parses; an error is reported with its line and column in the source.
    pub fn parse<'a, T: Deserialize<'a>>(&mut self, spot: &Spot, text: &'a str) -> Option<T> {
        let error = match serde_json::from_str::<T>(text) {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let line = spot.line + error.line().saturating_sub(1);
        let column = if error.line() <= 1 {
            spot.column + error.column()
        } else {
            error.column()
        };
        let path = (!spot.within.is_empty()).then(|| spot.within.clone());
        let place = Place::known(Arc::clone(&spot.source), Some(line), Some(column), path);
        let (message, help) = if error.is_eof() {
            (
                "the JSON ends before it is complete".to_owned(),
                "the file may be truncated: fetch or write it again",
            )
        } else if error.is_data() {
            (
                format!(
                    "not the structure of this FHIR resource: {}",
                    structure_error(&error)
                ),
                "compare with the FHIR R4 definition of the resource",
            )
        } else if error.to_string().starts_with("trailing characters") {
            (
                "there is more text after the end of the JSON value".to_owned(),
                "for one resource per line give it as NDJSON (`add_ndjson`, `.ndjson`)",
            )
        } else {
            let text = error.to_string();
            let what = text.split(" at line ").next().unwrap_or(&text).to_owned();
            (
                format!("not JSON: {what}"),
                "give FHIR JSON, not XML or text",
            )
        };
        let issue = Finding::error(Code::TerminologyNotJson, message).placed(place);
        self.issues.push(issue.help(help));
        None
    }

    /// The text of an element; a wrong type is reported at `path()`.
    pub fn text(
        &mut self,
        spot: &Spot,
        value: Option<Text>,
        path: impl FnOnce() -> String,
    ) -> Option<Arc<str>> {
        match value? {
            Text::Is(text) => Some(text),
            Text::Not(kind) => {
                self.wrong_type(spot, path(), kind);
                None
            }
        }
    }

    pub fn has_system(&self, system: &str) -> bool {
        self.systems.contains(canonical_system(system))
    }

    /// The url of a code system, canonical, shared between all codes of it.
    pub fn system(&mut self, system: &str) -> Arc<str> {
        let system = canonical_system(system);
        if let Some(known) = self.systems.get(system) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(system);
        self.systems.insert(Arc::clone(&new));
        new
    }

    /// Reports an element that must be there.
    pub fn missing(&mut self, spot: &Spot, path: String, message: &str, help: &str) {
        let place = spot.place(path);
        let issue = Finding::error(Code::TerminologyMissing, message).placed(place);
        self.issues.push(issue.help(help));
    }

    pub fn wrong_type(&mut self, spot: &Spot, path: String, kind: &str) {
        let place = spot.place(path);
        let message = format!("expected text, found {kind}");
        let issue = Finding::error(Code::TerminologyWrongType, message).placed(place);
        self.issues.push(issue.help("write the value in quotes"));
    }
}

/// What a reader of FHIR understands of an error of structure.
fn structure_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text);
    let word = |text: &str| match text {
        "map" => "an object".to_owned(),
        "sequence" | "a sequence" => "a list".to_owned(),
        other if other.starts_with("struct ") => "an object".to_owned(),
        other => other.to_owned(),
    };
    if text.starts_with("invalid length") {
        return "expected an object, found a list".to_owned();
    }
    match text
        .strip_prefix("invalid type: ")
        .and_then(|rest| rest.split_once(", expected "))
    {
        Some((found, wanted)) => format!("expected {}, found {}", word(wanted), word(found)),
        None => text.to_owned(),
    }
}
