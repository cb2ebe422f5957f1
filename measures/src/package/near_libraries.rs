//! Where a library that a measure lacks may stand: published packages have one folder of libraries beside
//! the folders of their measures.
#![allow(clippy::disallowed_methods, reason = "a package is files")]

use std::path::{Path, PathBuf};

use engine_patient::finding::{Code, Finding};

/// What folders of libraries are called.
const FOLDERS: [&str; 3] = ["libraries", "library", "Library"];

/// Adds to what is said of missing libraries the folder near them that was not given.
pub(super) fn suggest(issues: &mut [Finding], given: &[&Path]) {
    for issue in issues.iter_mut().filter(|i| i.code == Code::LibraryMissing) {
        let Some(help) = issue.help.as_mut() else {
            continue;
        };
        let file = PathBuf::from(&*issue.place.file);
        if let Some(folder) = near(&file, given) {
            help.push_str(&format!(
                "; there is a folder `{}`: if it stands there, give that folder, too",
                folder.display()
            ));
        }
    }
}

/// A folder of libraries beside a file or beside its folder.
fn near(file: &Path, given: &[&Path]) -> Option<PathBuf> {
    let folder = file.parent()?;
    let above = match folder.file_name() {
        Some(_) => folder.parent().unwrap_or(folder).to_owned(),
        None => folder.join(".."),
    };
    let all = [folder.to_owned(), above];
    let mut all = all.iter().flat_map(|f| FOLDERS.map(|name| f.join(name)));
    // What lies within what was given has been searched.
    all.find(|found| found.is_dir() && !given.iter().any(|g| found.starts_with(g)))
}
