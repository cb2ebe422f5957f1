//! What an OperationOutcome says, as far as it can be repeated.

use serde::Deserialize;

/// `issue-type` of FHIR R4. Only these are repeated: other texts may hold anything.
const CODES: [&str; 31] = [
    "invalid",
    "structure",
    "required",
    "value",
    "invariant",
    "security",
    "login",
    "unknown",
    "expired",
    "forbidden",
    "suppressed",
    "processing",
    "not-supported",
    "duplicate",
    "multiple-matches",
    "not-found",
    "deleted",
    "too-long",
    "code-invalid",
    "extension",
    "too-costly",
    "business-rule",
    "conflict",
    "transient",
    "lock-error",
    "no-store",
    "exception",
    "timeout",
    "incomplete",
    "throttled",
    "informational",
];

#[derive(Deserialize)]
struct Outcome {
    #[serde(rename = "resourceType")]
    resource_type: String,
    issue: Vec<Issue>,
}

#[derive(Deserialize)]
struct Issue {
    code: Option<String>,
}

/// The codes of its issues: `not-found`, `forbidden`; at most three. `None` for anything else.
pub(crate) fn codes(json: &[u8]) -> Option<String> {
    let outcome: Outcome = serde_json::from_slice(json).ok()?;
    if outcome.resource_type != "OperationOutcome" {
        return None;
    }
    let mut codes: Vec<&str> = vec![];
    for issue in &outcome.issue {
        let known = CODES
            .iter()
            .find(|code| issue.code.as_deref() == Some(code));
        if let Some(code) = known
            && !codes.contains(code)
        {
            codes.push(code);
        }
    }
    codes.truncate(3);
    (!codes.is_empty()).then(|| codes.join(", "))
}
