//! The settings file itself: it is read at the start only, and that somebody changed it is told.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// More than a settings file may have.
const LARGEST: u64 = 1 << 21;

/// A settings file as it was at the start.
pub struct SettingsFile {
    path: PathBuf,
    at_start: Option<Vec<u8>>,
    /// What was last told of.
    told: Mutex<Option<Vec<u8>>>,
}

impl SettingsFile {
    /// From now on. Blocks.
    pub fn of(path: PathBuf) -> Self {
        let at_start = content(&path);
        SettingsFile {
            told: Mutex::new(at_start.clone()),
            at_start,
            path,
        }
    }

    /// What to say where it has changed, once for each change. Blocks.
    pub fn look(&self) -> Option<String> {
        // One that is written just now may be gone for a moment.
        let now = content(&self.path)?;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.as_ref() == Some(&now) {
            return None;
        }
        let is_as_before = self.at_start.as_ref() == Some(&now);
        *told = Some(now);
        let path = self.path.display();
        Some(match is_as_before {
            true => format!("{path} is again as it was at the start"),
            false => format!(
                "{path} has changed: what it says counts after a restart only (what it names is read again without: rules, value sets, keys, certificates)"
            ),
        })
    }
}

fn content(path: &Path) -> Option<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = vec![];
    let file = std::fs::File::open(path).ok()?;
    file.take(LARGEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
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
