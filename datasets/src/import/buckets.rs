//! How many buckets a lake gets, and whether the disk has room.

use engine_population::lake::commit::Snapshot;
use sources::Source;

use super::discover::estimated_bytes;
use super::error::ImportError;
use super::options::ImportOptions;
use super::progress::Progress;

/// The number of buckets: the lake's own, the one asked for, or one that fits the size of the files.
pub(super) fn buckets(
    options: &ImportOptions,
    base: Option<&Snapshot>,
    files: &[Source],
) -> Result<u32, ImportError> {
    match (base, options.buckets) {
        (Some(base), Some(asked)) if asked != base.buckets => Err(ImportError::User(format!(
            "--buckets {asked}: this lake has {} buckets, and keeps them; leave the option out, or import into a new lake",
            base.buckets
        ))),
        (Some(base), _) => Ok(base.buckets),
        (None, Some(asked)) => Ok(asked),
        (None, None) => {
            let bytes: u64 = files.iter().map(estimated_bytes).sum();
            let wanted = bytes
                .div_ceil(options.limits.part.max(1))
                .clamp(8, 65_536)
                .next_power_of_two();
            Ok(u32::try_from(wanted).unwrap_or(65_536))
        }
    }
}

/// Scratch and lake together take at least as much as the data, packed tenfold or not: says so where
/// there is less. Whether it is enough turns out.
pub(super) fn note_disk(options: &ImportOptions, bytes: u64, progress: &Progress) {
    let free = crate::machine::free_bytes(&options.lake);
    if let Some(free) = free.filter(|free| *free < bytes) {
        let size = |bytes: u64| match bytes {
            2_000_000_000.. => format!("{} GB", bytes / 1_000_000_000),
            _ => format!("{} MB", bytes / 1_000_000),
        };
        progress.note(format!(
            "the data are about {} unpacked, and {} has {} free: the import may not have enough disk (if so it ends, and the lake stays as it is)",
            size(bytes),
            options.lake.display(),
            size(free)
        ));
    }
}
