//! What ELM says about itself: its name, what the translator thought of it, the data model.
//!
//! Only this is read here: how the logic is evaluated is the engine's business.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::element::Report;
use super::json::explain;
use super::library::{LibrarySource, TRANSLATOR};
use engine_patient::finding::{Code, Finding};

#[derive(Deserialize)]
struct RawElm<'a> {
    #[serde(borrow)]
    library: Option<RawLibrary<'a>>,
}

#[derive(Deserialize)]
struct RawLibrary<'a> {
    identifier: Option<RawIdentifier>,
    #[serde(borrow)]
    annotation: Option<&'a RawValue>,
    #[serde(borrow)]
    usings: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawIdentifier {
    id: Option<String>,
    version: Option<String>,
    system: Option<String>,
}

/// Reads what the ELM says about itself. `None` is told.
pub(super) fn elm(
    report: &mut Report,
    bytes: &[u8],
    path: &str,
    label: &str,
) -> Option<LibrarySource> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else {
        let message = format!("the ELM of library `{label}` is not UTF-8 text");
        let help = "decode the base64 and look: it should be JSON that begins with `{\"library\"`";
        report.add(
            path,
            Finding::error(Code::LibraryNotElm, message).help(help),
        );
        return None;
    };
    let parsed = match serde_json::from_str::<RawElm<'_>>(text) {
        Ok(parsed) => parsed.library,
        Err(error) => {
            let what = explain(&error, text).message;
            let message = format!(
                "the ELM of library `{label}` cannot be read: {what} (line {}, column {} of the decoded content)",
                error.line(),
                error.column()
            );
            report.add(
                path,
                Finding::error(Code::LibraryNotElm, message).help(TRANSLATOR),
            );
            return None;
        }
    };
    let identifier = parsed.as_ref().and_then(|l| l.identifier.as_ref());
    let name = identifier.and_then(|i| i.id.clone());
    let (Some(library), Some(identifier), Some(name)) = (&parsed, identifier, name) else {
        let message = format!(
            "the content of library `{label}` is JSON, but not ELM: it has no `library.identifier.id`"
        );
        report.add(
            path,
            Finding::error(Code::LibraryNotElm, message).help(TRANSLATOR),
        );
        return None;
    };
    let mut usable = !translation_errors(report, path, &name, library.annotation);
    usable &= !other_model(report, path, &name, library.usings);
    usable.then(|| LibrarySource {
        name,
        version: identifier.version.clone(),
        namespace: identifier.system.clone(),
        url: None,
        resource_version: None,
        id: None,
        source: report.file.clone(),
        elm: bytes.to_vec(),
        fhir_path: path.to_owned(),
    })
}

/// The translator writes ELM in spite of errors, with nulls in their place: the numbers would be wrong.
fn translation_errors(
    report: &mut Report,
    path: &str,
    name: &str,
    annotation: Option<&RawValue>,
) -> bool {
    let all = annotation.and_then(|a| serde_json::from_str::<Vec<Value>>(a.get()).ok());
    let mut found = false;
    for one in all.iter().flatten() {
        let text = |key: &str| one.get(key).and_then(Value::as_str);
        if text("errorSeverity") != Some("error") {
            continue;
        }
        let line = one.get("startLine").and_then(Value::as_u64);
        let line = line.map_or(String::new(), |l| format!(" (line {l} of the CQL)"));
        let said = text("message").unwrap_or("no message");
        let message = format!("the translator left an error in the ELM of `{name}`: {said}{line}");
        let help = "correct the CQL and translate it again";
        report.add(
            path,
            Finding::error(Code::TranslatorError, message).help(help),
        );
        found = true;
    }
    found
}

/// Libraries on QDM work on other data.
fn other_model(report: &mut Report, path: &str, name: &str, usings: Option<&RawValue>) -> bool {
    let usings = usings.and_then(|u| serde_json::from_str::<Value>(u.get()).ok());
    let all = usings.as_ref().and_then(|u| u.get("def"));
    let all = all.and_then(Value::as_array);
    let model = |u: &Value| u.get("localIdentifier").and_then(Value::as_str) == Some("QDM");
    let found = all.into_iter().flatten().any(model);
    if found {
        let message = format!("library `{name}` is written for QDM, not for FHIR");
        let help = "use the FHIR (QI-Core) edition of the measure";
        report.add(
            path,
            Finding::error(Code::LibraryModel, message)
                .not_supported()
                .help(help),
        );
    }
    found
}

/// Whether two ELM texts mean the same: white space and the notes that do not take part in evaluation
/// count nothing.
pub(super) fn same_elm(a: &[u8], b: &[u8]) -> bool {
    if a == b {
        return true;
    }
    // Very deep ELM is not parsed here; then only equal text is the same.
    let parsed = |bytes: &[u8]| {
        let mut value = serde_json::from_slice::<Value>(bytes).ok()?;
        strip_notes(&mut value);
        Some(value)
    };
    matches!((parsed(a), parsed(b)), (Some(a), Some(b)) if a == b)
}

/// Its depth is bounded by that of the parser.
fn strip_notes(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|key, _| !matches!(key.as_str(), "annotation" | "localId" | "locator"));
            members.values_mut().for_each(strip_notes);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_notes),
        _ => {}
    }
}
