//! A type and id is one resource, also when its newer version is another patient's and so belongs to
//! another bucket. Which ids stand in several buckets is found here, in bounded memory.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use engine_patient::fhir::names::Name;
use rustc_hash::{FxHashMap, FxHashSet};
use xxhash_rust::xxh3::Xxh3;

/// Ids are dealt to so many scratch files, of which one is in memory at a time.
const SHARDS: usize = 64;
const FLUSH: usize = 32 << 10;

/// A hash of type and id. Two that share one are looked at as if they were one, and then told apart
/// by their texts.
pub fn id_hash(ty: Name, id: &str) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(ty.as_str().as_bytes());
    hash.update(b"/");
    hash.update(id.as_bytes());
    hash.digest()
}

/// The scratch files.
pub struct IdShards {
    folder: PathBuf,
    files: Vec<Mutex<File>>,
    /// How long each file was when all was read.
    read: OnceLock<Vec<u64>>,
}

impl IdShards {
    pub fn create(folder: PathBuf) -> std::io::Result<IdShards> {
        let names =
            (0..SHARDS).map(|n| File::create(folder.join(format!("{n}.ids"))).map(Mutex::new));
        let files = names.collect::<std::io::Result<Vec<_>>>()?;
        let read = OnceLock::new();
        Ok(IdShards {
            folder,
            files,
            read,
        })
    }

    /// Back to the ids that were read: called before those of the lake are added, each time that is
    /// done.
    pub fn back_to_what_was_read(&self) -> std::io::Result<()> {
        let failed = |_| std::io::Error::other("another thread failed");
        if let Some(lengths) = self.read.get() {
            for (file, length) in self.files.iter().zip(lengths) {
                let mut file = file.lock().map_err(failed)?;
                file.set_len(*length)?;
                file.seek(SeekFrom::Start(*length))?;
            }
            return Ok(());
        }
        let mut lengths = vec![];
        for file in &self.files {
            lengths.push(file.lock().map_err(failed)?.stream_position()?);
        }
        let _ = self.read.set(lengths);
        Ok(())
    }

    fn append(&self, shard: usize, bytes: &[u8]) -> std::io::Result<()> {
        let Some(file) = self.files.get(shard) else {
            return Err(std::io::Error::other("a scratch file that does not exist"));
        };
        let mut file = file
            .lock()
            .map_err(|_| std::io::Error::other("another thread failed"))?;
        file.write_all(bytes)
    }

    /// The hashes that stand in more than one bucket.
    pub fn in_several_buckets(&self) -> std::io::Result<FxHashSet<u64>> {
        let mut out = FxHashSet::default();
        for shard in 0..SHARDS {
            let path = self.folder.join(format!("{shard}.ids"));
            let mut bytes = vec![];
            File::open(&path)?.read_to_end(&mut bytes)?;
            let (entries, _) = bytes.as_chunks::<12>();
            let mut pairs: Vec<(u64, u32)> = entries
                .iter()
                .map(|[a, b, c, d, e, f, g, h, i, j, k, l]| {
                    let hash = u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
                    (hash, u32::from_le_bytes([*i, *j, *k, *l]))
                })
                .collect();
            pairs.sort_unstable();
            pairs.dedup();
            let twice = pairs.array_windows::<2>().filter(|[a, b]| a.0 == b.0);
            out.extend(twice.map(|[a, _]| a.0));
        }
        Ok(out)
    }
}

/// One thread's buffers.
pub struct IdWriter<'s> {
    shards: &'s IdShards,
    buffers: Vec<Vec<u8>>,
}

impl<'s> IdWriter<'s> {
    pub fn new(shards: &'s IdShards) -> Self {
        let buffers = (0..SHARDS).map(|_| Vec::new()).collect();
        IdWriter { shards, buffers }
    }

    pub fn add(&mut self, hash: u64, bucket: u32) -> std::io::Result<()> {
        let shard = usize::try_from(hash % SHARDS as u64).unwrap_or(0);
        let Some(buffer) = self.buffers.get_mut(shard) else {
            return Ok(());
        };
        buffer.extend_from_slice(&hash.to_le_bytes());
        buffer.extend_from_slice(&bucket.to_le_bytes());
        if buffer.len() >= FLUSH {
            self.shards.append(shard, buffer)?;
            buffer.clear();
        }
        Ok(())
    }

    pub fn finish(self) -> std::io::Result<()> {
        for (shard, buffer) in self
            .buffers
            .iter()
            .enumerate()
            .filter(|(_, b)| !b.is_empty())
        {
            self.shards.append(shard, buffer)?;
        }
        Ok(())
    }
}

/// For each resource that stands in several buckets: which bucket has its newest version.
#[derive(Default)]
pub struct Moved {
    /// The hashes of their types and ids, and perhaps of others': see `id_hash`.
    pub hashes: FxHashSet<u64>,
    /// By type and id, `Observation/x1`.
    pub bucket: FxHashMap<String, u32>,
    /// Those of which the lake has a version already.
    pub known: FxHashSet<String>,
    /// Buckets from which the lake's version goes away.
    pub left: FxHashSet<u32>,
}
