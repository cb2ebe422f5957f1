//! The terminology manifest: which value sets a run used, by content.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::hash::{ContentHash, HASH_ALGORITHM};
use super::store::TerminologyStore;
use super::value_set::canonical;

/// Value sets with their content hashes; the same content gives the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TerminologyManifest {
    /// How the hashes are made: [`HASH_ALGORITHM`].
    pub algorithm: String,
    /// Hash over `url|version|codes|completeness|hash` of every value set, in their order.
    pub hash: ContentHash,
    /// By url, then version, by bytes.
    pub value_sets: Vec<ManifestEntry>,
}

/// One value set in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManifestEntry {
    /// Canonical url.
    pub url: String,
    /// Business version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Number of different codes.
    pub codes: usize,
    /// `complete`, `empty`, `partial` or `not-expanded`.
    pub completeness: String,
    /// Hash of the codes.
    pub hash: ContentHash,
}

/// A value set that is not as a manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestDifference {
    /// In the manifest, not loaded.
    Missing(ManifestEntry),
    /// Loaded, not in the manifest.
    Added(ManifestEntry),
    /// Both, with different content.
    Changed {
        /// As pinned.
        pinned: ManifestEntry,
        /// As loaded.
        loaded: ManifestEntry,
    },
}

impl TerminologyManifest {
    /// The manifest of everything in a store.
    #[must_use]
    pub fn of(store: &TerminologyStore) -> Self {
        let entries = store.value_sets().map(|one| ManifestEntry {
            url: one.url.to_string(),
            version: one.version.as_ref().map(ToString::to_string),
            codes: one.len(),
            completeness: one.completeness().word().to_owned(),
            hash: one.hash(),
        });
        Self::of_entries(entries.collect())
    }

    /// The manifest of these entries, such as only the value sets a run asked for.
    #[must_use]
    pub fn of_entries(mut entries: Vec<ManifestEntry>) -> Self {
        entries.sort_by(|a, b| a.identity().cmp(&b.identity()));
        entries.dedup();
        let hash = ContentHash::of_lines(entries.iter().map(ManifestEntry::line));
        Self {
            algorithm: HASH_ALGORITHM.to_owned(),
            hash,
            value_sets: entries,
        }
    }

    /// As indented JSON with a final line feed.
    ///
    /// # Errors
    /// Those of the JSON writer; none are known for this structure.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// What differs in `loaded` from this pinned manifest; empty when the content is the same.
    #[must_use]
    pub fn differences(&self, loaded: &Self) -> Vec<ManifestDifference> {
        let of = |entries: &[ManifestEntry], wanted: &ManifestEntry| {
            entries
                .binary_search_by(|one| one.identity().cmp(&wanted.identity()))
                .ok()
                .and_then(|at| entries.get(at).cloned())
        };
        let mut found = Vec::new();
        for pinned in &self.value_sets {
            match of(&loaded.value_sets, pinned) {
                None => found.push(ManifestDifference::Missing(pinned.clone())),
                Some(loaded) if loaded != *pinned => found.push(ManifestDifference::Changed {
                    pinned: pinned.clone(),
                    loaded,
                }),
                Some(_) => {}
            }
        }
        for one in &loaded.value_sets {
            if of(&self.value_sets, one).is_none() {
                found.push(ManifestDifference::Added(one.clone()));
            }
        }
        found
    }
}

impl ManifestEntry {
    fn identity(&self) -> (&str, Option<&str>) {
        (&self.url, self.version.as_deref())
    }

    fn line(&self) -> String {
        let name = canonical(&self.url, self.version.as_deref());
        format!("{name}|{}|{}|{}", self.codes, self.completeness, self.hash)
    }
}

impl fmt::Display for ManifestDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |one: &ManifestEntry| canonical(&one.url, one.version.as_deref());
        match self {
            Self::Missing(one) => write!(f, "value set `{}` is pinned but not loaded", name(one)),
            Self::Added(one) => write!(f, "value set `{}` is loaded but not pinned", name(one)),
            Self::Changed { pinned, loaded } => write!(
                f,
                "value set `{}` differs: pinned with {} codes ({}, {}), loaded with {} ({}, {})",
                name(pinned),
                pinned.codes,
                pinned.completeness,
                pinned.hash,
                loaded.codes,
                loaded.completeness,
                loaded.hash
            ),
        }
    }
}
