//! From JSON text to definitions: finds the resources in a source and tells where each stands.

use std::sync::Arc;

use super::raw::{RawBundle, RawCodeSystem, RawResource, RawValueSet, Text};
use super::read::{Read, Spot};
use super::read_code_system::read_code_system;
use super::read_value_set::read_value_set;
use crate::finding::{Code, Finding};

impl Read {
    /// Reads one resource, or the resources of a Bundle.
    pub fn resource(&mut self, spot: &Spot, text: &str) {
        let Some(peek) = self.parse::<RawResource>(spot, text) else {
            return;
        };
        let resource_type = match peek.resource_type {
            Some(Text::Is(name)) => name,
            Some(Text::Not(kind)) => {
                let path = format!("{}.resourceType", spot.root("Resource"));
                return self.wrong_type(spot, path, kind);
            }
            None => {
                let path = format!("{}.resourceType", spot.root("Resource"));
                let issue = Finding::error(
                    Code::TerminologyNoResource,
                    "this object has no `resourceType`, so it is not a FHIR resource",
                )
                .placed(spot.place(path));
                return self
                    .issues
                    .push(issue.help("give a ValueSet, a CodeSystem or a Bundle of them"));
            }
        };
        match &*resource_type {
            "ValueSet" => {
                if let Some(raw) = self.parse::<RawValueSet>(spot, text) {
                    read_value_set(self, spot, raw);
                }
            }
            "CodeSystem" => {
                if let Some(raw) = self.parse::<RawCodeSystem>(spot, text) {
                    read_code_system(self, spot, raw);
                }
            }
            "Bundle" => self.bundle(spot, text),
            other => {
                let key = (Arc::clone(&spot.source), other.to_owned());
                *self.ignored.entry(key).or_default() += 1;
            }
        }
    }

    fn bundle(&mut self, spot: &Spot, text: &str) {
        let Some(bundle) = self.parse::<RawBundle<'_>>(spot, text) else {
            return;
        };
        let root = spot.root("Bundle");
        let (mut line, mut column, mut done) = (spot.line, spot.column, 0);
        for (index, entry) in bundle.entry.iter().enumerate() {
            let Some(resource) = entry.resource else {
                continue;
            };
            let inner = resource.get();
            // The raw value borrows from `text`, so the distance of the pointers is its offset.
            let offset = (inner.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
            let between = text.get(done..offset).unwrap_or_default();
            (line, column) = advance(line, column, between);
            done = offset;
            let inner_spot = Spot {
                source: Arc::clone(&spot.source),
                line,
                column,
                within: format!("{root}.entry[{index}].resource"),
            };
            self.resource(&inner_spot, inner);
        }
    }
}

/// Line and column after `text`.
fn advance(line: usize, column: usize, text: &str) -> (usize, usize) {
    let lines = text.bytes().filter(|byte| *byte == b'\n').count();
    match text.rfind('\n') {
        Some(last) => (line + lines, text.len() - last - 1),
        None => (line, column + text.len()),
    }
}
