//! One patient of a file: a Bundle, a resource, or lines of them, packed or not.

use std::fmt::Display;
use std::path::Path;

use engine_patient::bundle::{Bundle, Context, LeftOut, References, push_entries, resolved};
use engine_patient::record::PatientRecord;

/// A patient's record, and what is to be told of how it came about.
pub struct PatientFile {
    pub record: PatientRecord,
    /// For people.
    pub notes: Vec<String>,
}

/// Reads the file of one patient. The error is the user's to mend.
pub fn read(path: &Path) -> Result<PatientFile, String> {
    let file = read_any(path)?;
    match file.record.of_type_named("Patient").count() {
        1 => Ok(file),
        n => {
            let shown = path.display();
            Err(format!(
                "{shown}: one Patient resource was expected, here are {n}"
            ))
        }
    }
}

/// The same of any resources, such as the drafts of orders.
pub fn read_any(path: &Path) -> Result<PatientFile, String> {
    let shown = path.display();
    let bytes = sources::read_path(path).map_err(|e| format!("{shown}: {e}"))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| format!("{shown}: not UTF-8 text"))?;
    let wrong = |line: usize, e: &dyn Display| format!("{shown}:{line}: {e}");
    let (mut record, mut notes) = (PatientRecord::new(), vec![]);
    let mut references = References::default();
    for (number, line) in documents(text).map_err(|(line, e)| wrong(line, &e))? {
        let mut one = PatientRecord::new();
        one.push(line).map_err(|e| wrong(number, &e))?;
        let Some(resource) = one.resources().next() else {
            continue;
        };
        if !resource
            .get_named("resourceType")
            .is_some_and(|t| t.is_str("Bundle"))
        {
            let context = Context::Line { own: &[] };
            let text = resolved(resource, None, false, &context, &mut references).text;
            record.push(&text).map_err(|e| wrong(number, &e))?;
            continue;
        }
        let bundle = Bundle::read(resource, &[]);
        let left_out =
            push_entries(&mut record, &bundle, &mut references).map_err(|e| wrong(number, &e))?;
        note_left_out(&left_out, &mut notes);
    }
    note_references(&references, &mut notes);
    record.seal();
    Ok(PatientFile { record, notes })
}

/// The documents of a text, each with its line: the whole text, or its lines.
fn documents(text: &str) -> Result<Vec<(usize, &str)>, (usize, String)> {
    let text = text.trim_start_matches('\u{feff}');
    let mut document = PatientRecord::new();
    let Err(error) = document.push_document(text.trim()) else {
        return Ok(vec![(1, text.trim())]);
    };
    if !error.is_text_behind {
        let before = text.trim().get(..error.offset).unwrap_or("");
        return Err((1 + before.matches('\n').count(), error.to_string()));
    }
    let blank = |c: char| c == '\u{feff}' || c.is_whitespace();
    let lines = text.lines().map(|line| line.trim_matches(blank));
    let numbered = (1..).zip(lines);
    Ok(numbered.filter(|(_, line)| !line.is_empty()).collect())
}

fn note_left_out(left_out: &LeftOut, notes: &mut Vec<String>) {
    if left_out.resources > 0 {
        notes.push(format!(
            "{} resources were left out: the Bundle deletes them, or they are another server's with an id of this one's",
            left_out.resources
        ));
    }
    if left_out.deletions > 0 {
        notes.push(format!(
            "{} deletions were not applied: they are conditional, of one version, of another server, or do not name Type/id; what they delete still counts",
            left_out.deletions
        ));
    }
}

fn note_references(references: &References, notes: &mut Vec<String>) {
    let foreign: u64 = references.foreign_entries.values().sum();
    if foreign > 0 {
        notes.push(format!(
            "{foreign} resources are of another server than their Bundle"
        ));
    }
    if references.unresolved() > 0 {
        notes.push(format!(
            "{} references name nothing that is here: searches, another server's, or urns that no entry has",
            references.unresolved()
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENT: &str = r#"{"resourceType":"Patient","id":"p"}"#;
    const CONDITION: &str =
        r#"{"resourceType":"Condition","id":"c","subject":{"reference":"Patient/p"}}"#;

    #[test]
    fn a_bundle_a_resource_and_lines_packed_or_not() {
        let dir = tempfile::tempdir().unwrap();
        let bundle = format!(
            "{{\"resourceType\":\"Bundle\",\"entry\":[\n{{\"resource\":{PATIENT}}},\n{{\"resource\":{CONDITION}}}]}}"
        );
        let lines = format!("\u{feff}{PATIENT}\n\n{CONDITION}\r\n");
        let zst = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
        let cases = [
            ("bundle.json", bundle.clone().into_bytes(), 2),
            ("bundle.json.zst", zst(&bundle), 2),
            ("lines.ndjson", lines.clone().into_bytes(), 2),
            ("lines.json", lines.clone().into_bytes(), 2),
            ("lines.ndjson.zst", zst(&lines), 2),
            ("alone", PATIENT.into(), 1),
        ];
        for (name, bytes, resources) in cases {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let read = read(&path).unwrap_or_else(|e| unreachable!("{name}: {e}"));
            assert_eq!(read.record.len(), resources, "{name}");
            assert!(read.notes.is_empty(), "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.ndjson");
        let told = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read(&path)
                .err()
                .unwrap()
                .replace(&path.display().to_string(), "p")
        };
        assert!(told(&format!("{PATIENT}\n{{\"a\"")).starts_with("p:2: "));
        assert!(told("{\"resourceType\":\n\n}").starts_with("p:3: "));
        assert!(
            told(&format!(
                "{PATIENT}\n{{\"resourceType\":\"Patient\",\"id\":\"q\"}}"
            ))
            .ends_with("here are 2")
        );
        assert_eq!(
            told(CONDITION),
            "p: one Patient resource was expected, here are 0"
        );
    }
}
