//! Files that are read beside packages: value sets, code systems, bindings, rules.
#![allow(clippy::disallowed_methods, reason = "value sets are files")]

use std::path::Path;

use engine_patient::terminology::{TerminologyBuilder, is_drug_table, is_value_set_table};
use sources::{Kinds, Layout, Source, TERMINOLOGY, is_lines, list, read};

use crate::error::MeasureError;

/// Files under the given paths, in a fixed order. What is left alone in folders is told, for people.
/// They are read to be used, and again to be named in `run.json`: a pipe would be empty by then.
pub fn files<P: AsRef<Path>>(
    paths: &[P],
    kinds: Kinds,
    tell: &mut dyn FnMut(&str),
) -> Result<Vec<Source>, MeasureError> {
    let found = list(paths, kinds).map_err(MeasureError::User)?;
    let pipes = found.files.iter().filter(|source| source.pipe);
    let pipes: Vec<String> = pipes
        .map(|source| {
            let path = source.path.display();
            format!("{path}: this is a pipe, and it is read more than once: give a file")
        })
        .collect();
    if !pipes.is_empty() {
        return Err(MeasureError::User(pipes.join("\n")));
    }
    let empty: Vec<String> = paths
        .iter()
        .map(AsRef::as_ref)
        .filter(|path: &&Path| path.is_dir() && is_empty(path, kinds))
        .map(|path| {
            format!(
                "{}: there is nothing in this folder to read: {}",
                path.display(),
                kinds.text
            )
        })
        .collect();
    if !empty.is_empty() {
        return Err(MeasureError::User(empty.join("\n")));
    }
    for note in found.left_alone() {
        tell(&format!("note: {note}"));
    }
    Ok(found.files)
}

/// Whether a folder has no file of these kinds: a wrong path, which would pass for a right one.
fn is_empty(folder: &Path, kinds: Kinds) -> bool {
    list(&[folder], kinds).is_ok_and(|own| own.files.is_empty())
}

/// The bytes of a file, unpacked, without a byte order mark.
pub fn bytes(source: &Source) -> Result<Vec<u8>, MeasureError> {
    read(source).map_err(|e| MeasureError::User(format!("{}: {e}", source.path.display())))
}

/// What a file of terminology holds, by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holds {
    /// FHIR ValueSets and CodeSystems.
    Fhir,
    /// Value sets as a table.
    Table,
    /// Bindings of value sets.
    Bindings,
}

impl Holds {
    /// Of a path, packed or not.
    pub fn of(path: &Path) -> Holds {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_lowercase();
        let packed = name
            .strip_suffix(".gz")
            .or_else(|| name.strip_suffix(".zst"));
        let name = packed.unwrap_or(&name);
        let ends = |endings: &[&str]| endings.iter().any(|end| name.ends_with(end));
        match name {
            _ if ends(&[".csv"]) => Holds::Table,
            _ if ends(&[".yaml", ".yml"]) => Holds::Bindings,
            _ => Holds::Fhir,
        }
    }
}

/// Value sets and code systems: files, or folders of them. Bindings are not read here.
pub fn terminology<P: AsRef<Path>>(
    paths: &[P],
    tell: &mut dyn FnMut(&str),
) -> Result<TerminologyBuilder, MeasureError> {
    let mut builder = TerminologyBuilder::new();
    for source in files(paths, TERMINOLOGY, tell)? {
        let holds = Holds::of(&source.path);
        if holds == Holds::Bindings {
            continue;
        }
        let bytes = bytes(&source)?;
        let name = source.path.display().to_string();
        if holds == Holds::Table {
            // Folders may have other tables.
            match source.named || is_value_set_table(&bytes) || is_drug_table(&bytes) {
                true => builder.add_table(&name, &bytes),
                false => {
                    tell(&format!(
                        "note: {name}: not read, its first line does not name the columns value_set and code, nor those of drugs"
                    ));
                    &mut builder
                }
            };
            continue;
        }
        match source.layout == Layout::Lines || is_lines(&bytes) {
            true => builder.add_ndjson(&name, &bytes),
            false => builder.add_json(&name, &bytes),
        };
    }
    Ok(builder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine_patient::terminology::TerminologyProvider as _;
    use sources::FHIR;

    fn value_set(n: usize) -> String {
        format!(
            "{{\"resourceType\":\"ValueSet\",\"url\":\"http://x.org/{n}\",\"expansion\":{{\"contains\":[{{\"system\":\"s\",\"code\":\"c\"}}]}}}}"
        )
    }

    /// Packed or not, a document or lines: the same value sets.
    #[test]
    fn terminology_of_a_folder_packed_or_not() {
        let dir = tempfile::tempdir().unwrap();
        let zst = |text: String| zstd::encode_all(text.as_bytes(), 1).unwrap();
        let lines = format!("{}\n{}\n", value_set(4), value_set(5));
        for (name, bytes) in [
            ("1.json", value_set(1).into_bytes()),
            ("2.json.zst", zst(value_set(2))),
            ("more/3.jsonl.zst", zst(value_set(3) + "\n")),
            ("lines.json", lines.into_bytes()),
            ("6.txt", value_set(6).into_bytes()),
            (".7.json", value_set(7).into_bytes()),
        ] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let mut told = vec![];
        let named = dir.path().join("6.txt");
        let paths = [dir.path(), &named];
        let builder = terminology(&paths, &mut |note| told.push(note.to_owned())).unwrap();
        let (store, issues) = builder.build();
        assert_eq!(issues, []);
        for n in 1..=6 {
            let url = format!("http://x.org/{n}");
            assert!(store.value_set(&url).is_ok_and(|v| v.len() == 1), "{url}");
        }
        assert_eq!(store.len(), 6);
        assert_eq!(told.len(), 1);
        assert!(told.concat().contains(".7.json"));
    }

    /// A pipe that waits for its writer is told at once.
    #[test]
    fn a_pipe_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("sets.json");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|made| made.success()));
        for kinds in [FHIR, sources::RULES] {
            let Err(MeasureError::User(text)) = files(&[&pipe], kinds, &mut |_| {}) else {
                unreachable!("it cannot be read twice");
            };
            assert!(text.contains("sets.json: this is a pipe"), "{text}");
        }
    }

    /// An empty folder is told, also beside another that has files; one that is named twice has them.
    #[test]
    fn a_folder_with_nothing_to_read_is_a_mistake() {
        let dir = tempfile::tempdir().unwrap();
        let (empty, full) = (dir.path().join("empty"), dir.path().join("full"));
        std::fs::create_dir_all(&empty).unwrap();
        std::fs::create_dir_all(&full).unwrap();
        std::fs::write(full.join("1.json"), value_set(1)).unwrap();
        std::fs::write(empty.join("notes.txt"), "").unwrap();
        let Err(MeasureError::User(text)) = files(&[&full, &empty], FHIR, &mut |_| {}) else {
            unreachable!("one is empty");
        };
        assert!(
            text.contains("empty: there is nothing in this folder to read"),
            "{text}"
        );
        assert_eq!(files(&[&full, &full], FHIR, &mut |_| {}).unwrap().len(), 1);
    }

    #[test]
    fn what_is_not_there_is_told_whole() {
        let missing = ["/nowhere/a.json", "/nowhere/b.json"];
        let Err(MeasureError::User(text)) = terminology(&missing, &mut |_| {}) else {
            unreachable!("they are not there");
        };
        assert_eq!(text.lines().count(), 2);
    }
}
