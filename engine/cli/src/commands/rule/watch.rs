//! `tandem rule test --watch`: once more, each time a file changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::failure::Failure;

/// How often files are looked at.
const PAUSE: Duration = Duration::from_millis(400);
/// How many folders above a rule its library is looked for in.
const ABOVE: usize = 3;

/// When each file was changed last, and how long it is: a clock may be coarse.
type Seen = BTreeMap<PathBuf, (SystemTime, u64)>;

/// Does the work, and again after each change below the paths; ended by Ctrl-C. What fails is told.
pub fn watch(
    paths: &[PathBuf],
    mut work: impl FnMut() -> Result<(), Failure>,
) -> Result<std::convert::Infallible, Failure> {
    if let Some(path) = paths.iter().find(|path| !path.exists()) {
        let text = format!(
            "{}: there is no such file or folder to watch",
            path.display()
        );
        return Err(Failure::User(text));
    }
    let mut known = seen(paths);
    loop {
        if let Err(failure) = work() {
            failure.tell();
        }
        note!("waiting for a change; Ctrl-C ends");
        let (path, what) = loop {
            std::thread::sleep(PAUSE);
            let now = seen(paths);
            if let Some(change) = change(&known, &now) {
                known = now;
                break change;
            }
        };
        say!("\n━━ {} {what}\n", path.display());
    }
}

/// The first file that is not as it was, and what became of it.
fn change(known: &Seen, now: &Seen) -> Option<(PathBuf, &'static str)> {
    let other = now
        .iter()
        .find(|(path, seen)| known.get(*path) != Some(*seen));
    let gone = known.keys().find(|path| !now.contains_key(*path));
    match (other, gone) {
        (Some((path, _)), _) if known.contains_key(path) => Some((path.clone(), "changed")),
        (Some((path, _)), _) => Some((path.clone(), "is new")),
        (None, Some(path)) => Some((path.clone(), "is gone")),
        (None, None) => None,
    }
}

/// The files below the paths, and what a rule is read with beside them: its tables and libraries.
fn seen(paths: &[PathBuf]) -> Seen {
    let mut all = Seen::new();
    for path in paths {
        gather(path, 0, &mut all);
        let mut folder = match path.is_dir() {
            true => path.parent(),
            false => {
                let beside = path.parent().map(of_here);
                tables(beside.as_deref(), &mut all);
                path.parent()
            }
        };
        for _ in 0..=ABOVE {
            let Some(here) = folder else { break };
            one(&of_here(here).join("library.yaml"), &mut all);
            folder = here.parent();
        }
    }
    all
}

/// The folder that no name stands for is the one that the program runs in.
fn of_here(folder: &Path) -> PathBuf {
    match folder.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => folder.to_owned(),
    }
}

/// The tables beside a rule.
fn tables(folder: Option<&Path>, all: &mut Seen) {
    let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok());
    for entry in entries.into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|e| e == "csv") {
            one(&path, all);
        }
    }
}

fn one(path: &Path, all: &mut Seen) {
    if let Ok(about) = std::fs::metadata(path)
        && let (true, Ok(time)) = (about.is_file(), about.modified())
    {
        all.insert(path.to_owned(), (time, about.len()));
    }
}

fn gather(path: &Path, depth: usize, all: &mut Seen) {
    one(path, all);
    // A link may lead back up.
    if path.is_dir() && depth < 16 {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        for entry in entries {
            // What an editor keeps for itself is no change.
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if !name.starts_with('.') && !name.ends_with('~') {
                gather(&entry.path(), depth + 1, all);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let rules = folder.path().join("rules");
        std::fs::create_dir(&rules).unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("rules/a.yaml", "a");
        let paths = [rules.clone()];
        let before = seen(&paths);
        assert_eq!(change(&before, &seen(&paths)), None);
        // An editor's own files.
        write("rules/.a.yaml.swp", "x");
        write("rules/a.yaml~", "x");
        assert_eq!(change(&before, &seen(&paths)), None);
        write("rules/a.yaml", "longer");
        assert_eq!(
            change(&before, &seen(&paths)),
            Some((rules.join("a.yaml"), "changed"))
        );
        let before = seen(&paths);
        write("rules/b.csv", "x");
        assert_eq!(
            change(&before, &seen(&paths)),
            Some((rules.join("b.csv"), "is new"))
        );
        let before = seen(&paths);
        std::fs::remove_file(rules.join("b.csv")).unwrap();
        assert_eq!(
            change(&before, &seen(&paths)),
            Some((rules.join("b.csv"), "is gone"))
        );
        // What a rule is read with stands above it, or beside its file.
        let before = seen(&paths);
        write("library.yaml", "x");
        let library = folder.path().join("library.yaml");
        assert_eq!(change(&before, &seen(&paths)), Some((library, "is new")));
        let file = [rules.join("a.yaml")];
        let before = seen(&file);
        write("rules/t.csv", "x");
        assert_eq!(
            change(&before, &seen(&file)),
            Some((rules.join("t.csv"), "is new"))
        );
    }
}
