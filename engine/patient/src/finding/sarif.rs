//! Findings as SARIF 2.1.0, the form that editors and reviews of changes read.

use serde_json::{Map, Value, json};

use super::{Code, Finding, Severity};

/// The schema that the form is of.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

impl Finding {
    /// One run of a check of this version of the program, with the codes that were found described.
    pub fn to_sarif(findings: &[Finding], version: &str) -> Value {
        run(findings, version)
    }
}

fn run(findings: &[Finding], version: &str) -> Value {
    let mut codes: Vec<Code> = findings.iter().map(|f| f.code).collect();
    codes.sort();
    codes.dedup();
    let described = codes.iter().map(|code| {
        let entry = code.entry();
        json!({
            "id": entry.name,
            "shortDescription": { "text": entry.summary },
            "fullDescription": { "text": entry.why },
            "help": { "text": entry.mend },
        })
    });
    let results = findings.iter().map(|finding| {
        let index = codes.binary_search(&finding.code).unwrap_or_default();
        let text = match &finding.help {
            Some(help) => format!("{}. Help: {help}", finding.message),
            None => finding.message.clone(),
        };
        let mut result = json!({
            "ruleId": finding.code.as_str(),
            "ruleIndex": index,
            "level": level(finding.severity),
            "message": { "text": text },
        });
        if let (Some(location), Some(fields)) = (location(finding), result.as_object_mut()) {
            fields.insert("locations".into(), json!([location]));
        }
        result
    });
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Tandem",
                "version": version,
                "rules": described.collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// The file and the characters in it; `None` where no file is known.
fn location(finding: &Finding) -> Option<Value> {
    let place = &*finding.place;
    if place.file.is_empty() {
        return None;
    }
    let mut physical = Map::new();
    physical.insert(
        "artifactLocation".into(),
        json!({ "uri": uri(&place.file) }),
    );
    if let Some(span) = place.span.as_ref().filter(|_| place.is_of_file()) {
        let mut region = Map::new();
        region.insert("startLine".into(), json!(span.line));
        if let Some(column) = span.column {
            region.insert("startColumn".into(), json!(column));
            region.insert("endColumn".into(), json!(column + span.length));
        }
        physical.insert("region".into(), region.into());
    }
    Some(json!({ "physicalLocation": physical }))
}

/// A path as a relative reference: what cannot stand in one is written `%20`.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.replace('\\', "/").bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte);
        match plain {
            true => out.push(char::from(byte)),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
    // A name with a `:` would pass for a scheme; it was written `%3A`.
    out
}
