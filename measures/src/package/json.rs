//! JSON text: what type of resource it is, and where it is broken.

use serde::Deserialize;
use serde_json::value::RawValue;

use engine_patient::finding::{Code, Finding};

/// Where a piece of JSON stands in its file.
#[derive(Clone)]
pub(super) struct Spot {
    /// Line of its first character, from 1.
    pub line: usize,
    /// Bytes before its first character on that line.
    pub column: usize,
    /// FHIRPath of the resource if it is inside another; empty otherwise.
    pub within: String,
    /// How many Bundles are around it.
    pub depth: usize,
}

impl Spot {
    pub fn line(line: usize) -> Self {
        Self {
            line,
            column: 0,
            within: String::new(),
            depth: 0,
        }
    }

    /// FHIRPath of the resource.
    pub fn root(&self, resource_type: &str) -> String {
        if self.within.is_empty() {
            resource_type.to_owned()
        } else {
            self.within.clone()
        }
    }

    /// The line, unless it is the first of a file.
    pub fn told(&self) -> Option<usize> {
        (self.line > 1).then_some(self.line)
    }

    /// The spot after `text`.
    pub fn advance(&mut self, text: &str) {
        self.line += text.bytes().filter(|b| *b == b'\n').count();
        self.column = match text.rfind('\n') {
            Some(last) => text.len() - last - 1,
            None => self.column + text.len(),
        };
    }
}

/// What decides what a document is. Reading it checks the syntax of all of it, however deep.
#[derive(Deserialize)]
pub(super) struct Peek<'a> {
    #[serde(borrow, rename = "resourceType")]
    pub resource_type: Option<&'a RawValue>,
    /// Where an ELM file, not wrapped in a FHIR resource, has its content.
    #[serde(borrow)]
    pub library: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct RawBundle<'a> {
    #[serde(borrow, default)]
    pub entry: Vec<RawEntry<'a>>,
}

#[derive(Deserialize)]
pub(super) struct RawEntry<'a> {
    #[serde(borrow)]
    pub resource: Option<&'a RawValue>,
}

/// UTF-8 without its mark.
pub(super) fn utf8<'b>(bytes: &'b [u8], spot: &Spot) -> Result<&'b str, Box<Finding>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let mut spot = spot.clone();
        spot.advance(&String::from_utf8_lossy(before));
        let help = "FHIR JSON is UTF-8: convert the file";
        let issue = Finding::error(Code::NotUtf8, "this is not UTF-8 text").help(help);
        Box::new(issue.on_line(Some(spot.line), Some(spot.column + 1)))
    })
}

/// Parses; an error has its line and column in the file.
pub(super) fn parse<'a, T: Deserialize<'a>>(text: &'a str, spot: &Spot) -> Result<T, Box<Finding>> {
    let error = match serde_json::from_str::<T>(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let mut issue = explain(&error, text);
    let line = spot.line + error.line().saturating_sub(1);
    let column = if error.line() <= 1 {
        spot.column + error.column()
    } else {
        error.column()
    };
    issue.place.path = (!spot.within.is_empty()).then(|| spot.within.clone());
    Err(Box::new(issue.on_line(Some(line), Some(column))))
}

/// What is wrong, without a place.
pub(super) fn explain(error: &serde_json::Error, text: &str) -> Finding {
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or(&said);
    if text.trim_start().starts_with('<') {
        let help = "give FHIR JSON (`.json`): XML is not read";
        return Finding::error(Code::NotJson, "this is XML, not JSON").help(help);
    }
    if text.trim().is_empty() {
        return Finding::error(Code::NotJson, "the file is empty").help("fetch or write it again");
    }
    if error.is_eof() {
        let help = "it may be truncated: fetch or write it again";
        return Finding::error(Code::NotJson, "the JSON ends before it is complete").help(help);
    }
    if error.is_data() {
        let message = format!(
            "not the structure of a FHIR resource: {}",
            structure_error(said)
        );
        let help = "compare with the FHIR R4 definition of the resource";
        return Finding::error(Code::ElementType, message).help(help);
    }
    if said.starts_with("trailing characters") {
        let help = "a file with one resource per line is NDJSON: name it `.ndjson`";
        return Finding::error(
            Code::NotJson,
            "there is more text after the end of the JSON value",
        )
        .help(help);
    }
    Finding::error(Code::NotJson, format!("not JSON: {said}")).help("give FHIR JSON")
}

/// What a reader of JSON understands of an error of structure.
fn structure_error(said: &str) -> String {
    let word = |text: &str| match text {
        "map" => "an object".to_owned(),
        "sequence" | "a sequence" => "a list".to_owned(),
        other if other.starts_with("struct ") => "an object".to_owned(),
        other => other.to_owned(),
    };
    if said.starts_with("invalid length") {
        return "expected an object, found a list".to_owned();
    }
    let rest = said.strip_prefix("invalid type: ");
    match rest.and_then(|rest| rest.split_once(", expected ")) {
        Some((found, wanted)) => format!("expected {}, found {}", word(wanted), word(found)),
        None => said.to_owned(),
    }
}
