//! The folder of what was fetched: a file a value set, and a list that says what is from where. Each file
//! is whole or not there; the list is written after the file, so that what was begun is fetched again.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use engine_patient::terminology::{ContentHash, TerminologyBuilder};
use serde::{Deserialize, Serialize};

use crate::error::FetchError;
use crate::expand::{Asked, Expansion};

/// The name of the list.
pub const LIST: &str = "fetched.list";

/// A value set that is in the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kept {
    /// As it was asked for.
    pub asked: String,
    /// Its canonical url.
    pub url: String,
    /// Its version, as the server said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its file.
    pub file: String,
    /// How many codes.
    pub codes: usize,
    /// Hash of the codes, as in the manifest of a run.
    pub hash: ContentHash,
    /// The server.
    pub server: String,
    /// When, as it was told.
    pub at: String,
}

/// What the list holds.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct List {
    value_sets: Vec<Kept>,
}

/// A folder of fetched value sets.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    list: List,
}

impl Folder {
    /// A folder that is there with its list, or is made.
    ///
    /// # Errors
    /// Where it cannot be read or made, or its list is not one.
    pub fn open(path: &Path) -> Result<Folder, FetchError> {
        let shown = path.display();
        let wrong = |e: std::io::Error| FetchError::Folder(format!("{shown}: {e}"));
        std::fs::create_dir_all(path).map_err(wrong)?;
        let list = match std::fs::read(path.join(LIST)) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| {
                FetchError::Folder(format!("{shown}/{LIST} is not the list of a fetch ({e}): remove it, or give another folder"))
            })?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => List::default(),
            Err(e) => return Err(wrong(e)),
        };
        let path = path.to_owned();
        Ok(Folder { path, list })
    }

    /// What is there of a value set, with the codes that the list says.
    #[must_use]
    pub fn has(&self, asked: &Asked) -> Option<&Kept> {
        let canonical = asked.canonical();
        let kept = self
            .list
            .value_sets
            .iter()
            .find(|one| one.asked == canonical)?;
        let bytes = std::fs::read(self.path.join(&kept.file)).ok()?;
        let mut builder = TerminologyBuilder::new();
        builder.add_json(&kept.file, &bytes);
        let (store, _) = builder.build();
        let set = store.value_sets().next()?;
        (set.hash() == kept.hash && set.completeness().is_trusted()).then_some(kept)
    }

    /// All that the list names.
    #[must_use]
    pub fn kept(&self) -> &[Kept] {
        &self.list.value_sets
    }

    /// Writes an expansion and its line of the list.
    ///
    /// # Errors
    /// Where it cannot be written, or its file is there and not ours.
    pub fn keep(
        &mut self,
        asked: &Asked,
        expansion: &Expansion,
        server: &str,
        at: &str,
    ) -> Result<&Kept, FetchError> {
        let canonical = asked.canonical();
        let others = self
            .list
            .value_sets
            .iter()
            .filter(|one| one.asked != canonical);
        let taken: BTreeSet<&str> = others.map(|one| one.file.as_str()).collect();
        let file = file_name(asked, expansion.version.as_deref(), &taken);
        let ours = self.list.value_sets.iter().any(|one| one.file == file);
        if self.path.join(&file).exists() && !ours {
            return Err(FetchError::Folder(format!(
                "{}: {file} is there and was not fetched by this command: it is left alone; give another folder",
                self.path.display()
            )));
        }
        let text = format!("{:#}\n", expansion.resource);
        self.write(&file, &text)?;
        let (before, others) = std::mem::take(&mut self.list.value_sets)
            .into_iter()
            .partition::<Vec<_>, _>(|one| one.asked == canonical);
        self.list.value_sets = others;
        self.list.value_sets.push(Kept {
            asked: canonical,
            url: asked.url.clone(),
            version: expansion.version.clone(),
            file,
            codes: expansion.codes,
            hash: expansion.hash,
            server: server.to_owned(),
            at: at.to_owned(),
        });
        self.list.value_sets.sort_by(|a, b| a.asked.cmp(&b.asked));
        let list = serde_json::to_string_pretty(&self.list);
        let list = list.map_err(|e| FetchError::Folder(e.to_string()))?;
        self.write(LIST, &(list + "\n"))?;
        before.iter().try_for_each(|old| self.remove(&old.file))?;
        let canonical = asked.canonical();
        let kept = self
            .list
            .value_sets
            .iter()
            .find(|one| one.asked == canonical);
        kept.ok_or_else(|| FetchError::Folder(format!("{canonical} was not kept")))
    }

    /// Removes a file that the list no longer names: two versions of one value set would be read as one.
    fn remove(&self, name: &str) -> Result<(), FetchError> {
        let is_here = Path::new(name).file_name() == Some(std::ffi::OsStr::new(name));
        if !is_here || self.list.value_sets.iter().any(|one| one.file == name) {
            return Ok(());
        }
        let path = self.path.join(name);
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(FetchError::Folder(format!("{}: {e}", path.display())))
            }
            _ => Ok(()),
        }
    }

    /// Writes aside, and moves it into place when it is on the disk.
    fn write(&self, name: &str, text: &str) -> Result<(), FetchError> {
        let path = self.path.join(name);
        let aside = self.path.join(format!(".{name}.part"));
        let written = || -> std::io::Result<()> {
            let mut file = std::fs::File::create(&aside)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&aside, &path)
        };
        written().map_err(|e| FetchError::Folder(format!("{}: {e}", path.display())))
    }
}

/// A name that people know it by: the end of its url, and its version.
fn file_name(asked: &Asked, version: Option<&str>, taken: &BTreeSet<&str>) -> String {
    let plain = |text: &str| -> String {
        let kept = text.chars().map(|c| match c {
            c if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') => c,
            _ => '-',
        });
        kept.take(100)
            .collect::<String>()
            .trim_matches(['.', '-'])
            .to_owned()
    };
    let end = asked.url.rsplit(['/', ':']).find(|part| !part.is_empty());
    let mut name = plain(end.unwrap_or("value-set"));
    if let Some(version) = version {
        name = format!("{name}-{}", plain(version));
    }
    let mut file = format!("{name}.json");
    let mut number = 2;
    while taken.contains(file.as_str()) {
        file = format!("{name}-{number}.json");
        number += 1;
    }
    file
}
