//! Codes, concepts and extensions of a measure.

use serde_json::Value;

use super::element::{At, Report};
use engine_patient::finding::{Code, Finding};

/// The code of a CodeableConcept, Coding or text; of several codings the first that `known` accepts,
/// else the first.
pub(super) fn code_of(value: &Value, known: impl Fn(&str) -> bool) -> Option<String> {
    let codes = all_codes(value);
    let best = codes.iter().find(|c| known(c)).or(codes.first());
    best.cloned()
}

fn all_codes(value: &Value) -> Vec<String> {
    let text = |v: Option<&Value>| {
        let text = v.and_then(Value::as_str).map(str::trim);
        text.filter(|t| !t.is_empty()).map(str::to_owned)
    };
    match value {
        Value::String(_) => text(Some(value)).into_iter().collect(),
        Value::Object(object) => {
            let codings = object.get("coding").and_then(Value::as_array);
            let codings = codings.into_iter().flatten();
            let mut codes: Vec<String> = codings.filter_map(|c| text(c.get("code"))).collect();
            codes.extend(text(object.get("code")));
            codes.extend(text(object.get("text")));
            codes
        }
        _ => vec![],
    }
}

/// What a person reads: text, else display, else code.
pub(super) fn text_of(value: &Value) -> Option<String> {
    let text = |v: Option<&Value>| v.and_then(Value::as_str).map(str::to_owned);
    let codings = value.get("coding").and_then(Value::as_array);
    let display = codings
        .into_iter()
        .flatten()
        .find_map(|c| text(c.get("display")));
    text(value.get("text"))
        .or(display)
        .or_else(|| code_of(value, |_| true))
}

/// Tells extensions that cannot be read, which could otherwise be missed in silence.
pub(super) fn check_extensions(report: &mut Report, of: &At<'_>) {
    for list in ["extension", "modifierExtension"] {
        for extension in report.objects(of, list) {
            let given = extension.get("url").is_some();
            if report.text(&extension, "url").is_none() && !given {
                let issue = Finding::error(Code::Extension, "an extension without `url`");
                let help = "the url says what the extension means";
                report.add(&extension.path, issue.help(help));
            }
        }
    }
}

/// The values of an extension, known by the last part of its url without `cqfm-`, `crmi-` or `cqf-`.
pub(super) fn extensions<'v>(of: &At<'v>, name: &str) -> Vec<At<'v>> {
    let mut values = vec![];
    for list in ["extension", "modifierExtension"] {
        let Some(at) = of.get(list) else { continue };
        for (index, extension) in at.value.as_array().into_iter().flatten().enumerate() {
            let url = extension.get("url").and_then(Value::as_str);
            if url.and_then(known_name) != Some(name) {
                continue;
            }
            let mut members = extension.as_object().into_iter().flatten();
            let value = members.find(|(key, _)| key.starts_with("value"));
            values.push(At {
                value: value.map_or(&Value::Null, |(_, value)| value),
                path: format!("{}[{index}]", at.path),
            });
        }
    }
    values
}

fn known_name(url: &str) -> Option<&str> {
    let last = url.rsplit('/').next()?;
    ["cqfm-", "crmi-", "cqf-"]
        .iter()
        .find_map(|prefix| last.strip_prefix(prefix))
}

/// The code of an extension that may stand once, with its place.
pub(super) fn extension_code(
    report: &mut Report,
    of: &At<'_>,
    name: &str,
    known: impl Fn(&str) -> bool,
) -> Option<(String, String)> {
    let mut first: Option<(String, String)> = None;
    for at in extensions(of, name) {
        let Some(code) = code_of(at.value, &known) else {
            let message = format!("the extension `{name}` has no value");
            report.add(&at.path, Finding::error(Code::Extension, message));
            continue;
        };
        match &first {
            None => first = Some((code, at.path)),
            Some((before, _)) if *before == code => {}
            Some((before, _)) => {
                let message = format!("the extension `{name}` is both `{before}` and `{code}`");
                let help = "keep the one that is meant";
                report.add(
                    &at.path,
                    Finding::error(Code::Extension, message).help(help),
                );
            }
        }
    }
    first
}
