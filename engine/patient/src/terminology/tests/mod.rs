mod bind;
mod code;
mod drugs;
mod expand;
mod large;
mod load;
mod manifest;
mod store;
mod tables;

use super::{TerminologyBuilder, TerminologyStore};
use crate::finding::Finding;

/// Loads sources; each name ending in `.ndjson` as lines.
fn load(sources: &[(&str, &str)]) -> (TerminologyStore, Vec<Finding>) {
    let mut builder = TerminologyBuilder::new();
    for (name, text) in sources {
        if name.ends_with(".ndjson") {
            builder.add_ndjson(name, text.as_bytes());
        } else {
            builder.add_json(name, text.as_bytes());
        }
    }
    builder.build()
}

/// Issues as `code place message`, one text each.
fn shown(issues: &[Finding]) -> Vec<String> {
    issues
        .iter()
        .map(|one| {
            let path = one.place.path.as_deref().unwrap_or("-");
            format!("{} {path} {}", one.code, one.message)
        })
        .collect()
}

/// A value set with an expansion of `a`-codes in system `s`.
fn expansion(url: &str, version: &str, codes: &[&str], more: &str) -> String {
    let contains: Vec<String> = codes
        .iter()
        .map(|code| format!(r#"{{"system": "s", "code": "{code}"}}"#))
        .collect();
    format!(
        r#"{{"resourceType": "ValueSet", "url": "{url}", "version": "{version}",
            "expansion": {{{more} "contains": [{}]}}}}"#,
        contains.join(", ")
    )
}

/// A value set with a definition.
fn compose(url: &str, body: &str) -> String {
    format!(r#"{{"resourceType": "ValueSet", "url": "{url}", "compose": {{{body}}}}}"#)
}

/// The codes of a value set as one text.
fn codes(store: &TerminologyStore, canonical: &str) -> String {
    use super::TerminologyProvider;
    let value_set = store.value_set(canonical).unwrap();
    let codes: Vec<&str> = value_set.entries().iter().map(|one| &*one.code).collect();
    format!("{} [{}]", value_set.completeness().word(), codes.join(" "))
}
