//! The settings file itself: it is read at the start only, and that somebody changed it is told.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::fingerprint::Fingerprint;

/// A settings file as it was at the start.
pub struct SettingsFile {
    path: PathBuf,
    at_start: Fingerprint,
    /// What was last told of.
    told: Mutex<Fingerprint>,
}

impl SettingsFile {
    /// From now on. Blocks.
    pub fn of(path: PathBuf) -> Self {
        let at_start = Fingerprint::of([&path], &Fingerprint::default());
        SettingsFile {
            told: Mutex::new(at_start.clone()),
            at_start,
            path,
        }
    }

    /// What to say where it has changed, once for each change. Blocks.
    pub fn look(&self) -> Option<String> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Fingerprint::of([&self.path], &Fingerprint::default());
        // One that is written just now may be gone for a moment.
        if now == Fingerprint::default() || now.same_content(&told) {
            return None;
        }
        let is_as_before = now.same_content(&self.at_start);
        *told = now;
        let path = self.path.display();
        Some(match is_as_before {
            true => format!("{path} is again as it was at the start"),
            false => format!(
                "{path} has changed: what it says counts after a restart only (what it names is read again without: rules, value sets, keys, certificates)"
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tandem.toml");
        std::fs::write(&path, "one").unwrap();
        let file = SettingsFile::of(path.clone());
        assert_eq!(file.look(), None);
        std::fs::write(&path, "two").unwrap();
        let said = file.look().unwrap();
        assert!(said.contains("tandem.toml has changed") && said.contains("restart"));
        assert_eq!(file.look(), None, "told twice");
        // It is gone while somebody writes it.
        std::fs::remove_file(&path).unwrap();
        assert_eq!(file.look(), None);
        std::fs::write(&path, "three").unwrap();
        assert!(file.look().unwrap().contains("has changed"));
        std::fs::write(&path, "one").unwrap();
        assert!(file.look().unwrap().contains("again as it was"));
        assert_eq!(file.look(), None);
    }
}
