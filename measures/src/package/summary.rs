//! What was read over, told once for all files.

use std::collections::BTreeMap;

use super::issue::Issue;

pub(super) fn no_fhir(files: &[String], issues: &mut Vec<Issue>) {
    let count = files.len();
    let message = match files {
        [] => return,
        [one] => format!("`{one}` is JSON without `resourceType`, so no FHIR resource: ignored"),
        [first, .., last] => format!(
            "{count} JSON files without `resourceType` are no FHIR resources: ignored, from `{first}` to `{last}`"
        ),
    };
    issues.push(Issue::info("P003", message));
}

pub(super) fn ignored(ignored: &BTreeMap<String, usize>, issues: &mut Vec<Issue>) {
    if ignored.is_empty() {
        return;
    }
    let all: Vec<String> = ignored
        .iter()
        .map(|(ty, n)| format!("{n} `{ty}`"))
        .collect();
    let message = format!("ignored {}: not part of a measure package", all.join(", "));
    issues.push(Issue::info("P005", message));
}

pub(super) fn skipped(skipped: &BTreeMap<String, usize>, issues: &mut Vec<Issue>) {
    if skipped.is_empty() {
        return;
    }
    let name = |extension: &str| match extension {
        "" => "without extension".to_owned(),
        some => format!("`.{some}`"),
    };
    let all: Vec<String> = skipped
        .iter()
        .map(|(e, n)| format!("{n} {}", name(e)))
        .collect();
    let message = format!("files that were not read: {}", all.join(", "));
    // These may well be the package.
    let suspect = ["zip", "cql", "xml", "tgz"]
        .iter()
        .any(|e| skipped.contains_key(*e));
    issues.push(match suspect {
        true => Issue::warning("P006", message)
            .help("`.json` and `.ndjson` are read, also with `.gz` or `.zst`: unpack archives, translate CQL to ELM, write FHIR as JSON"),
        false => Issue::info("P006", message),
    });
}
