//! Which findings concern the measures that are run, and which are about libraries, value sets and
//! measures that none of them uses. A folder of libraries holds hundreds of the latter.

use std::collections::BTreeSet;

use engine_patient::finding::{Code, Finding};

use crate::official::Built;
use crate::package::{Loaded, MeasureDefinition};

/// Findings, sorted out.
#[derive(Debug, Default)]
pub struct Relevance {
    /// They concern what is run, or are errors.
    pub concern: Vec<Finding>,
    /// Nothing that is run depends on these.
    pub unused: Vec<Finding>,
}

/// About a library's resource; the place is its file.
const LIBRARY: [Code; 8] = [
    Code::LibraryNoElm,
    Code::LibraryNotBase64,
    Code::LibraryNotElm,
    Code::LibraryNames,
    Code::LibraryTwice,
    Code::FileVersion,
    Code::TranslatorError,
    Code::LibraryModel,
];

/// About the codes of a value set: of one that is used the linker says it, with the measures.
const CODES: [Code; 4] = [
    Code::ValueSetEmpty,
    Code::ValueSetPartial,
    Code::ValueSetNotExpanded,
    Code::IncludedValueSetUnknown,
];

/// Sorts out what was found of a package for these measures. Without measures all of it concerns.
pub fn relevance(loaded: &Loaded, built: &Built, chosen: &[&MeasureDefinition]) -> Relevance {
    let mut sorted = Relevance::default();
    let labels: BTreeSet<&str> = chosen.iter().map(|m| m.label()).collect();
    let package = &loaded.package;
    let refused: BTreeSet<&str> = package.refused.iter().map(|r| r.label.as_str()).collect();
    // Without `|version`, or with.
    let asked = |url: &str| built.asked.keys().any(|c| c.split('|').next() == Some(url));
    let of_loader = |finding: &Finding| {
        if finding.is_error() || labels.is_empty() {
            return true;
        }
        if !finding.measures.is_empty() {
            let mut measures = finding.measures.iter().map(String::as_str);
            return measures.any(|m| labels.contains(m) || refused.contains(m));
        }
        if LIBRARY.contains(&finding.code) && !finding.place.file.is_empty() {
            return built.reached_files.contains(&*finding.place.file);
        }
        let Some(canonical) = finding.place.canonical.as_deref() else {
            return true;
        };
        let url = canonical.split('|').next().unwrap_or(canonical);
        match finding.code {
            Code::SeveralVersions => {
                built.asked.contains_key(url) || package.terminology.is_included(url)
            }
            code if CODES.contains(&code) => false,
            _ => asked(url) || package.terminology.is_included(url),
        }
    };
    for finding in &loaded.issues {
        let own = match of_loader(finding) {
            true => &mut sorted.concern,
            false => &mut sorted.unused,
        };
        own.push(finding.clone());
    }
    for finding in &built.findings {
        // What no measure refers to was linked for its own sake.
        let own = match finding.measures.is_empty() && !finding.is_error() && !labels.is_empty() {
            true => &mut sorted.unused,
            false => &mut sorted.concern,
        };
        own.push(finding.clone());
    }
    sorted
}
