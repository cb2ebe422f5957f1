//! One page of an expansion.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::answer::outcome;

/// A ValueSet as a server expanded it, in whole or in part.
pub(crate) struct Page {
    /// The resource without its entries.
    pub resource: Map<String, Value>,
    /// `expansion.contains`.
    pub entries: Vec<Value>,
    /// `expansion.total`.
    pub total: Option<usize>,
    /// `expansion.offset`: the server pages.
    pub offset: Option<usize>,
}

impl Page {
    /// Nothing.
    pub fn empty() -> Page {
        Page {
            resource: Map::new(),
            entries: vec![],
            total: None,
            offset: None,
        }
    }

    /// Reads an answer; what is wrong with it, in words.
    pub fn read(body: &str) -> Result<Page, String> {
        let value: Value = serde_json::from_str(body).map_err(|_| match body.trim_start() {
            "" => "the answer is empty".to_owned(),
            text if text.starts_with('<') => {
                "the answer is XML or a web page, no FHIR as JSON: is the address that of the FHIR service?".to_owned()
            }
            _ => "the answer is not JSON, or was cut off".to_owned(),
        })?;
        let Value::Object(mut resource) = value else {
            return Err("the answer is JSON, and no FHIR resource".into());
        };
        match resource.get("resourceType").and_then(Value::as_str) {
            Some("ValueSet") => {}
            Some("OperationOutcome") => {
                let said = outcome(body).unwrap_or_else(|| "it does not say why".to_owned());
                return Err(format!("the server answers with an error: {said}"));
            }
            Some(_) => return Err("the answer is another resource than a ValueSet".into()),
            None => return Err("the answer is JSON, and no FHIR resource".into()),
        }
        let Some(Value::Object(expansion)) = resource.get_mut("expansion") else {
            return Err("the answer is a ValueSet without an expansion".into());
        };
        let entries = match expansion.remove("contains") {
            None => vec![],
            Some(Value::Array(entries)) => entries,
            Some(_) => return Err("`expansion.contains` is no list".into()),
        };
        let number = |name: &str, expansion: &mut Map<String, Value>| {
            let number = expansion.remove(name).and_then(|n| n.as_u64());
            number.and_then(|n| usize::try_from(n).ok())
        };
        let (total, offset) = (number("total", expansion), number("offset", expansion));
        Ok(Page {
            resource,
            entries,
            total,
            offset,
        })
    }

    /// The business version.
    pub fn version(&self) -> Option<&str> {
        self.resource.get("version").and_then(Value::as_str)
    }

    /// The canonical url.
    pub fn url(&self) -> Option<&str> {
        self.resource.get("url").and_then(Value::as_str)
    }

    /// How many entries, those within others included.
    pub fn count(&self) -> usize {
        self.entries.iter().map(entries_of).sum()
    }

    /// The codes, those within others included.
    pub fn codes(&self) -> BTreeSet<String> {
        let mut codes = BTreeSet::new();
        self.entries
            .iter()
            .for_each(|entry| collect(entry, &mut codes));
        codes
    }
}

fn within(entry: &Value) -> impl Iterator<Item = &Value> {
    entry
        .get("contains")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn entries_of(entry: &Value) -> usize {
    1 + within(entry).map(entries_of).sum::<usize>()
}

fn collect(entry: &Value, codes: &mut BTreeSet<String>) {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    if !text("code").is_empty() {
        codes.insert(format!("{}|{}", text("system"), text("code")));
    }
    within(entry).for_each(|inner| collect(inner, codes));
}
