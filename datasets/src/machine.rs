//! What the machine gives: open files and disk.

use std::path::Path;

/// How many files may be open at once, after asking the system for as many as it allows.
pub fn raise_open_files() -> u64 {
    // Where it cannot be asked, what every system gives.
    rlimit::increase_nofile_limit(u64::MAX).unwrap_or(256)
}

/// Bytes that are free where a folder is or would be made; `None` where that cannot be told.
#[cfg(unix)]
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let folder = std::path::absolute(folder).ok()?;
    let there = folder.ancestors().find(|a| a.exists())?;
    let found = rustix::fs::statvfs(there).ok()?;
    found.f_bavail.checked_mul(found.f_frsize)
}

/// Bytes that are free where a folder is or would be made; `None` where that cannot be told.
#[cfg(not(unix))]
pub fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// What to do where the machine gave no more disk or open files, by the text of an error.
pub fn advice(error: &str) -> Option<&'static str> {
    let says = |words: &[&str]| words.iter().any(|w| error.contains(w));
    if says(&["No space left on device", "quota exceeded"]) {
        return Some(
            "No space left on device: the lake is unchanged. Free space there, or use another disk, and import again",
        );
    }
    says(&["Too many open files"]).then_some(
        "too many open files: raise the limit with `ulimit -n`, or give fewer --buckets for a new lake; the lake is unchanged",
    )
}
