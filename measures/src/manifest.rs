//! What a run was made of, and what it wrote: two runs with the same manifest give the same bytes.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use engine_patient::terminology::ContentHash;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// The file of a run's manifest, beside what it wrote.
pub const LIST: &str = "run.json";

/// Everything that decides a run's numbers. Hashes tell change, not forgery.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// `tandem 0.1.0`
    pub engine: String,
    /// The command that wrote it: `measure run`, `measure gaps`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// `url|version` of every measure, in the order of the run.
    pub measures: Vec<String>,
    /// Files of packages, of rules and SQL measures, and of `--terminology`, with the hash of their bytes.
    pub files: BTreeMap<String, String>,
    /// Which way is better of a measure (`url|version`), as `--better` says: `increase` or `decrease`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub better: BTreeMap<String, String>,
    /// Hash of the terminology manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminology: Option<String>,
    /// `url|version` of each value set of the rules that were run, with the hash of its codes. Codes
    /// that `--terminology` added show in both: `…|2025.1+2026.3`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub value_sets: BTreeMap<String, String>,
    /// The lake's name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lake: Option<String>,
    /// Number of the lake's snapshot.
    pub snapshot: u64,
    /// First and last day.
    pub period: (String, String),
    /// Measures (`url|version`) that are made for another period than this one, and for which: `2026`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub other_period: BTreeMap<String, String>,
    /// Parameters of libraries.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// Where times without an offset are taken to be: `+00:00`, `America/New_York`.
    pub time_zone: String,
    /// By what patients are attributed to places, where results are by them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<String>,
    /// How resources without profile tags are matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_mode: Option<String>,
    /// Limits of evaluation that are not the usual ones: `patient-steps`, `patient-memory`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, String>,
    /// The files that the run wrote beside this one. They follow from the rest, and reports name the
    /// hash of that: it is taken without them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Output>,
}

/// A file that a run wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Output {
    /// Of its bytes.
    pub hash: String,
    pub bytes: u64,
}

impl Manifest {
    /// Its bytes: JSON, fields and keys in a fixed order.
    pub fn bytes(&self) -> Vec<u8> {
        // Of texts, numbers and maps with text keys: this does not fail.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Hash of its bytes without the list of outputs.
    pub fn hash(&self) -> ContentHash {
        let inputs = Manifest {
            outputs: BTreeMap::new(),
            ..self.clone()
        };
        hash(&inputs.bytes())
    }

    /// The command that wrote it; lists of before it was named are told by their files.
    pub fn written_by(&self) -> Option<&str> {
        let own = self.command.as_deref();
        own.or_else(|| match self.outputs.contains_key("gaps.csv") {
            true => Some("measure gaps"),
            false if self.outputs.contains_key("counts.parquet") => Some("measure run"),
            false => None,
        })
    }

    /// Writes the list of the folder's files into it, as part of the manifest.
    #[allow(clippy::disallowed_methods, reason = "it is asked for a folder")]
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        let mut names = vec![];
        for entry in std::fs::read_dir(folder)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        let mut listed = self.clone();
        for name in names.into_iter().filter(|name| name != LIST) {
            let output = hash_of(&folder.join(&name))?;
            listed.outputs.insert(name, output);
        }
        std::fs::write(folder.join(LIST), listed.bytes())
    }

    /// Records a file.
    pub fn file(&mut self, name: &str, bytes: &[u8]) {
        self.files.insert(name.to_owned(), hash(bytes).to_string());
    }
}

/// The hash of a file's bytes, as it stands in a manifest.
pub fn hash(bytes: &[u8]) -> ContentHash {
    ContentHash(xxh3_128(bytes))
}

/// The hash and length of a file, read piece by piece.
#[allow(clippy::disallowed_types, reason = "it is asked for a file")]
pub fn hash_of(path: &Path) -> std::io::Result<Output> {
    let mut file = std::fs::File::open(path)?;
    let (mut hash, mut bytes) = (Xxh3::new(), 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = match file.read(&mut buffer) {
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if n == 0 {
            break;
        }
        hash.update(buffer.get(..n).unwrap_or_default());
        bytes += n as u64;
    }
    Ok(Output {
        hash: ContentHash(hash.digest128()).to_string(),
        bytes,
    })
}
