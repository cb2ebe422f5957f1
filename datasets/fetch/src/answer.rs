//! What servers say, as a line for people.

use serde_json::Value;

/// The most characters of a text of the server's that are shown.
const SHOWN: usize = 300;

/// A text of others as one line of bounded length, without what a terminal would act on.
pub(crate) fn said(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: String = words
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    match line.chars().count() > SHOWN {
        true => line.chars().take(SHOWN).chain(['…']).collect(),
        false => line,
    }
}

/// What an OperationOutcome says: its codes and texts.
pub(crate) fn outcome(body: &str) -> Option<String> {
    let value: Value = serde_json::from_str(body).ok()?;
    if value.get("resourceType")?.as_str()? != "OperationOutcome" {
        return None;
    }
    let issues = value.get("issue")?.as_array()?.iter();
    let texts: Vec<String> = issues.filter_map(issue).collect();
    (!texts.is_empty()).then(|| said(&texts.join("; ")))
}

fn issue(issue: &Value) -> Option<String> {
    let text = |name: &str| issue.get(name).and_then(Value::as_str);
    let details = issue
        .get("details")
        .and_then(|d| d.get("text"))
        .and_then(Value::as_str);
    let said = details.or_else(|| text("diagnostics"));
    match (text("code"), said) {
        (Some("too-costly"), said) => Some(match said {
            Some(said) => format!("it has more codes than the server expands ({said})"),
            None => "it has more codes than the server expands".to_owned(),
        }),
        (_, Some(said)) => Some(said.to_owned()),
        (code, None) => code.map(str::to_owned),
    }
}
