//! The text of a draft: with an id, and without what is empty.

use engine_patient::record::{Element, Kind, PatientRecord};

use crate::json_text::{is_empty, push_name, push_raw};

/// The JSON of a resource under this id, without `null`, `""`, `[]` and `{}`: FHIR has none of them, and
/// clients send them for what is not filled in yet. An empty code would be read as another code than the
/// one asked for; without it there is no code, which is unknown.
pub(super) fn resource(resource: Element<'_>, id: &str) -> String {
    let mut out = String::with_capacity(resource.raw().len() + id.len() + 8);
    out.push_str("{\"id\":");
    out.push_str(&serde_json::Value::from(id).to_string());
    let members = resource.children().filter(|m| m.property() != "id");
    for member in members.filter(|member| !is_empty(*member)) {
        out.push(',');
        push_member(&mut out, member);
    }
    out.push('}');
    out
}

fn push_member(out: &mut String, member: Element<'_>) {
    push_name(out, member);
    push_value(out, member);
}

fn push_value(out: &mut String, element: Element<'_>) {
    let mut first = true;
    let mut comma = |out: &mut String| {
        if !std::mem::take(&mut first) {
            out.push(',');
        }
    };
    match element.kind() {
        Kind::Object => {
            out.push('{');
            for member in element.children().filter(|member| !is_empty(*member)) {
                comma(out);
                push_member(out, member);
            }
            out.push('}');
        }
        Kind::Array => {
            out.push('[');
            let kept = |item: &Element<'_>| item.kind() == Kind::Null || !is_empty(*item);
            for item in element.children().filter(kept) {
                comma(out);
                push_value(out, item);
            }
            out.push(']');
        }
        _ => push_raw(out, element),
    }
}

/// The JSON with other references, where there are others; `None` where nothing changes.
pub(super) fn with_references<'t>(
    json: &str,
    other: impl Fn(&str) -> Option<&'t str>,
) -> Option<String> {
    let mut record = PatientRecord::new();
    let root = record.push_document(json).ok()?;
    let (raw, start) = (root.raw(), root.position());
    let (mut out, mut done) = (String::with_capacity(raw.len() + 64), 0);
    for reference in root.references() {
        let Some(new) = reference.as_str().and_then(|text| other(&text)) else {
            continue;
        };
        let from = reference.position().saturating_sub(start) as usize;
        let quoted = serde_json::Value::from(new).to_string();
        out.push_str(raw.get(done..from)?);
        out.push_str(quoted.get(1..quoted.len().saturating_sub(1))?);
        done = from + reference.raw().len();
    }
    let changed = done > 0;
    out.push_str(raw.get(done..)?);
    changed.then_some(out)
}
