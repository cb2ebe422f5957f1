//! What the system tells of a path that is no plain file.

use std::fs::FileType;
use std::path::Path;

pub(crate) const PIPE: &str = "a named pipe";

/// Whether a file may be read, without opening it.
#[cfg(unix)]
pub(crate) fn readable(path: &Path) -> std::io::Result<()> {
    rustix::fs::access(path, rustix::fs::Access::READ_OK).map_err(std::io::Error::from)
}

#[cfg(not(unix))]
pub(crate) fn readable(path: &Path) -> std::io::Result<()> {
    std::fs::File::open(path).map(|_| ())
}

#[cfg(unix)]
pub(crate) fn is_loop(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

#[cfg(not(unix))]
pub(crate) fn is_loop(_: &std::io::Error) -> bool {
    false
}

#[cfg(unix)]
pub(crate) fn is_pipe(is: &FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(is)
}

#[cfg(not(unix))]
pub(crate) fn is_pipe(_: &FileType) -> bool {
    false
}

/// What something is that is neither a file nor a folder.
#[cfg(unix)]
pub(crate) fn name(is: &FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    match is {
        k if k.is_fifo() => PIPE,
        k if k.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
pub(crate) fn name(_: &FileType) -> &'static str {
    "neither a file nor a folder"
}
