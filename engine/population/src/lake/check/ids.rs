//! One type and id is one row: hashes of all resources go to files by their first bits, and are sorted
//! a file at a time.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::PathBuf;
use std::sync::Mutex;

use xxhash_rust::xxh3::Xxh3;

use super::LakeError;

/// Files that the hashes are parted into.
const SHARDS: usize = 64;
/// A hash of 128 bits, a file and a row.
const ENTRY: usize = 24;
/// Bytes that wait in memory, of each shard.
const WAITING: usize = ENTRY * 4096;

/// A file and a row of it.
pub(super) type Place = (u32, u32);

/// Hashes of types and ids, and where they stand.
pub(super) struct Ids {
    scratch: Option<PathBuf>,
    shards: Vec<Mutex<Shard>>,
}

#[derive(Default)]
struct Shard {
    waiting: Vec<u8>,
    /// Without a name, so that it is gone with the process.
    file: Option<File>,
}

fn failed(e: &std::io::Error) -> LakeError {
    LakeError::User(format!(
        "the check cannot write what it sorts: {e}; it needs 24 bytes a resource in the folder for \
         temporary files (--scratch names another)"
    ))
}

impl Ids {
    pub(super) fn new(scratch: Option<PathBuf>) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default());
        Ids {
            scratch,
            shards: shards.collect(),
        }
    }

    pub(super) fn add(&self, ty: &str, id: &str, file: u32, row: u32) -> Result<(), LakeError> {
        let mut hash = Xxh3::new();
        hash.update(ty.as_bytes());
        hash.update(b"/");
        hash.update(id.as_bytes());
        let hash = hash.digest128();
        let shard = usize::try_from(hash >> 122).unwrap_or(0);
        let Some(Ok(mut shard)) = self.shards.get(shard).map(Mutex::lock) else {
            return Err(LakeError::bug("no shard of ids"));
        };
        shard.waiting.extend_from_slice(&hash.to_be_bytes());
        shard.waiting.extend_from_slice(&file.to_be_bytes());
        shard.waiting.extend_from_slice(&row.to_be_bytes());
        if shard.waiting.len() >= WAITING {
            let waiting = std::mem::take(&mut shard.waiting);
            let file = match &mut shard.file {
                Some(file) => file,
                none => none.insert(self.file()?),
            };
            file.write_all(&waiting).map_err(|e| failed(&e))?;
        }
        Ok(())
    }

    fn file(&self) -> Result<File, LakeError> {
        let made = match &self.scratch {
            Some(folder) => tempfile::tempfile_in(folder),
            None => tempfile::tempfile(),
        };
        made.map_err(|e| failed(&e))
    }

    /// Tells what stands more than once: the files and rows, in order.
    pub(super) fn repeated(&self, tell: &mut dyn FnMut(&[Place])) -> Result<(), LakeError> {
        for shard in &self.shards {
            let Ok(mut shard) = shard.lock() else {
                continue;
            };
            let mut bytes = std::mem::take(&mut shard.waiting);
            if let Some(file) = &mut shard.file {
                file.rewind().map_err(|e| failed(&e))?;
                file.read_to_end(&mut bytes).map_err(|e| failed(&e))?;
            }
            let mut entries: Vec<(u128, u32, u32)> = bytes
                .chunks_exact(ENTRY)
                .filter_map(|entry| {
                    let (hash, rest) = entry.split_first_chunk()?;
                    let (file, rest) = rest.split_first_chunk()?;
                    let (row, _) = rest.split_first_chunk()?;
                    let (file, row) = (u32::from_be_bytes(*file), u32::from_be_bytes(*row));
                    Some((u128::from_be_bytes(*hash), file, row))
                })
                .collect();
            drop(bytes);
            entries.sort_unstable();
            for same in entries.chunk_by(|a, b| a.0 == b.0).filter(|c| c.len() > 1) {
                let places: Vec<Place> = same.iter().map(|(_, f, r)| (*f, *r)).collect();
                tell(&places);
            }
        }
        Ok(())
    }
}
