//! What was read over, told once for all files.

use std::collections::BTreeMap;

use engine_patient::finding::{Code, Finding};

pub(super) fn no_fhir(files: &[String], issues: &mut Vec<Finding>) {
    let count = files.len();
    let message = match files {
        [] => return,
        [one] => format!("`{one}` is JSON without `resourceType`, so no FHIR resource: ignored"),
        [first, .., last] => format!(
            "{count} JSON files without `resourceType` are no FHIR resources: ignored, from `{first}` to `{last}`"
        ),
    };
    issues.push(Finding::info(Code::NoResource, message));
}

pub(super) fn ignored(ignored: &BTreeMap<String, usize>, issues: &mut Vec<Finding>) {
    if ignored.is_empty() {
        return;
    }
    let all: Vec<String> = ignored
        .iter()
        .map(|(ty, n)| format!("{n} `{ty}`"))
        .collect();
    let message = format!("ignored {}: not part of a measure package", all.join(", "));
    issues.push(Finding::info(Code::OtherResources, message));
}

pub(super) fn skipped(skipped: &BTreeMap<String, usize>, issues: &mut Vec<Finding>) {
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
        true => Finding::warning(Code::OtherFiles, message)
            .help("`.json` and `.ndjson` are read, also with `.gz` or `.zst`: unpack archives, translate CQL to ELM, write FHIR as JSON"),
        false => Finding::info(Code::OtherFiles, message),
    });
}
