//! A FHIR CodeSystem: concepts, nested or linked by `parent` and `child` properties.

use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde_json::Value;

use super::code_system::{CodeSystem, CodeSystemContent, Concept};
use super::raw::{RawCodeSystem, RawConcept};
use super::read::{Read, Spot};
use crate::finding::{Code, Finding};

/// Reads a code system into `read`, or reports why it cannot be used.
pub(super) fn read_code_system(read: &mut Read, spot: &Spot, raw: RawCodeSystem) {
    let root = spot.root("CodeSystem");
    let before = read.issues.len();
    let name = read.text(spot, raw.name, || format!("{root}.name"));
    let title = read.text(spot, raw.title, || format!("{root}.title"));
    let version = read.text(spot, raw.version, || format!("{root}.version"));
    let content = read.text(spot, raw.content, || format!("{root}.content"));
    let missing = raw.url.is_none();
    let url = read.text(spot, raw.url, || format!("{root}.url"));
    let mut concepts = Vec::with_capacity(raw.concept.len());
    let mut links = Vec::new();
    read_concepts(
        read,
        spot,
        &root,
        raw.concept,
        None,
        &mut concepts,
        &mut links,
    );
    let known: FxHashSet<Arc<str>> = concepts.iter().map(|c| Arc::clone(&c.code)).collect();
    links.retain(|(_, child)| known.contains(child));
    for (parent, child) in links {
        concepts.push(Concept {
            code: child,
            display: None,
            parents: vec![parent],
            inactive: false,
        });
    }
    if missing {
        let help = "add `url`, the system by which codes name it";
        let message = "this code system has no url, so no code can refer to it";
        return read.missing(spot, format!("{root}.url"), message, help);
    }
    let Some(url) = url else { return };
    let content = match content.as_deref() {
        Some("supplement") => {
            let place = spot.place(format!("{root}.content"));
            let message = format!("`{url}` is a supplement: it adds no codes and was ignored");
            let issue = Finding::info(Code::TerminologyIgnored, message).placed(place);
            return read.issues.push(issue.about(url));
        }
        Some("fragment" | "example") => CodeSystemContent::Fragment,
        Some("not-present") => CodeSystemContent::NotPresent,
        // A rejected concept is missing from the system.
        _ if read.issues.len() > before => CodeSystemContent::Fragment,
        _ => CodeSystemContent::Complete,
    };
    let url = read.system(&url);
    let source = Arc::clone(&spot.source);
    let mut system = CodeSystem::new(url, version, content, concepts, source);
    system.name = name;
    system.title = title;
    read.code_systems.push(system);
}

fn read_concepts(
    read: &mut Read,
    spot: &Spot,
    path: &str,
    raw: Vec<RawConcept>,
    above: Option<&Arc<str>>,
    concepts: &mut Vec<Concept>,
    links: &mut Vec<(Arc<str>, Arc<str>)>,
) {
    for (index, concept) in raw.into_iter().enumerate() {
        let here = |element: &str| format!("{path}.concept[{index}]{element}");
        if concept.code.is_none() {
            read.missing(
                spot,
                here(".code"),
                "this concept has no code",
                "add `code`",
            );
        }
        let code = read.text(spot, concept.code, || here(".code"));
        let display = read.text(spot, concept.display, || here(".display"));
        if let Some(code) = &code {
            let mut parents: Vec<Arc<str>> = above.into_iter().cloned().collect();
            let mut inactive = false;
            for property in &concept.property {
                let name = property.get("code").and_then(Value::as_str);
                let value = property.get("valueCode").and_then(Value::as_str);
                match (name, value) {
                    (Some("parent" | "subsumedBy"), Some(parent)) => parents.push(parent.into()),
                    (Some("child"), Some(child)) => links.push((Arc::clone(code), child.into())),
                    (Some("status"), Some("inactive" | "retired")) => inactive = true,
                    (Some("inactive"), _) => {
                        inactive |=
                            property.get("valueBoolean").and_then(Value::as_bool) == Some(true);
                    }
                    _ => {}
                }
            }
            concepts.push(Concept {
                code: Arc::clone(code),
                display,
                parents,
                inactive,
            });
        }
        if !concept.concept.is_empty() {
            let above = code.as_ref().or(above);
            read_concepts(
                read,
                spot,
                &here(""),
                concept.concept,
                above,
                concepts,
                links,
            );
        }
    }
}
