//! Making folders, with an error that says what to do.

use std::path::Path;

use engine_population::lake::local::make_folder;

/// Makes a folder and those above it, so that they survive a loss of power. The error is the user's to mend.
pub(crate) fn make(folder: &Path) -> Result<(), String> {
    let not_a_folder = folder.ancestors().find(|a| a.exists() && !a.is_dir());
    if let Some(file) = not_a_folder {
        return Err(format!(
            "{}: {} is a file, a folder was expected: give another place",
            folder.display(),
            file.display()
        ));
    }
    make_folder(folder).map_err(|e| format!("{}: the folder cannot be made: {e}", folder.display()))
}
