//! `tandem rule test --watch`: once more, each time a file changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::failure::Failure;

/// How often files are looked at.
const PAUSE: Duration = Duration::from_millis(400);

/// When each file was changed last.
type Times = BTreeMap<PathBuf, SystemTime>;

/// Does the work, and again after each change below the paths; ended by Ctrl-C. What fails is told.
pub fn watch(paths: &[PathBuf], mut work: impl FnMut() -> Result<(), Failure>) -> ! {
    let mut known = times(paths);
    loop {
        if let Err(failure) = work() {
            failure.tell();
        }
        note!("waiting for a change; Ctrl-C ends");
        let changed = loop {
            std::thread::sleep(PAUSE);
            let now = times(paths);
            if now != known {
                let changed = now
                    .iter()
                    .find(|(path, time)| known.get(*path) != Some(*time));
                let gone = known.keys().find(|path| !now.contains_key(*path));
                let path = changed.map(|(path, _)| path).or(gone).cloned();
                known = now;
                break path;
            }
        };
        if let Some(path) = changed {
            say!("\n━━ {} changed\n", path.display());
        }
    }
}

fn times(paths: &[PathBuf]) -> Times {
    let mut all = Times::new();
    paths.iter().for_each(|path| gather(path, 0, &mut all));
    all
}

fn gather(path: &Path, depth: usize, all: &mut Times) {
    let Ok(about) = std::fs::metadata(path) else {
        return;
    };
    if let (true, Ok(time)) = (about.is_file(), about.modified()) {
        all.insert(path.to_owned(), time);
    }
    // A link may lead back up.
    if about.is_dir() && depth < 16 {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.for_each(|entry| gather(&entry.path(), depth + 1, all));
    }
}
