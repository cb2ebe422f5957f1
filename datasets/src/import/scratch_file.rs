//! A scratch file: what was written to it must be there.

use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

/// Opens a scratch file; what was written to before must be there.
pub fn append_to(path: &Path, first: bool) -> Result<File> {
    File::options()
        .append(true)
        .create(first)
        .open(path)
        .map_err(gone)
}

/// Where a scratch file is not there, that is said.
pub fn gone(error: Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => damaged(),
        _ => error,
    }
}

/// A scratch file is not what was written.
pub fn damaged() -> Error {
    Error::other(
        "a scratch file of this import is gone or was changed by somebody else; the lake is unchanged, import again",
    )
}

/// A thread that writes to the same file ended in a bug.
pub fn failed() -> Error {
    Error::other("another thread failed")
}
