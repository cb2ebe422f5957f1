//! A type and id is one resource, also when its newer version is another patient's and so belongs to
//! another bucket. Which ids stand in several buckets is found here, in bounded memory.

use std::fs::File;
use std::io::{Error, Read, Result, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};

use engine_patient::fhir::names::Name;
use engine_population::lake::rows::Row;
use rustc_hash::{FxHashMap, FxHashSet};
use xxhash_rust::xxh3::Xxh3;

use super::scratch_file::{append_to, damaged, failed, gone};

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

/// Type and id of a row of these texts, `Observation/x1`.
pub fn name_of(row: &Row, text: &str) -> String {
    let id = text.get(row.id.clone()).unwrap_or("");
    format!("{}/{id}", row.ty.as_str())
}

/// The scratch files. What the lake has is added behind what was read, and taken away again when the
/// import has to look at a newer snapshot. Opened for each block: they need no handles.
pub struct IdShards {
    folder: PathBuf,
    shards: Vec<Mutex<Shard>>,
}

/// Bytes of one file.
#[derive(Clone, Copy, Default)]
struct Shard {
    bytes: u64,
    /// Those of what was read, once that is complete.
    read: Option<u64>,
}

impl IdShards {
    pub fn create(folder: PathBuf) -> Result<IdShards> {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Ok(IdShards { folder, shards })
    }

    fn path(&self, shard: usize) -> PathBuf {
        self.folder.join(format!("{shard}.ids"))
    }

    fn shard(&self, shard: usize) -> Result<MutexGuard<'_, Shard>> {
        let shard = self.shards.get(shard);
        let shard = shard.ok_or_else(|| Error::other("a scratch file that does not exist"))?;
        shard.lock().map_err(|_| failed())
    }

    fn append(&self, shard: usize, bytes: &[u8]) -> Result<()> {
        let path = self.path(shard);
        let mut shard = self.shard(shard)?;
        append_to(&path, shard.bytes == 0)?.write_all(bytes)?;
        shard.bytes += bytes.len() as u64;
        Ok(())
    }

    /// All is read, and nothing of the lake is in: to be called before the ids of a snapshot are
    /// added, each time.
    pub fn without_the_lake(&self) -> Result<()> {
        for number in 0..SHARDS {
            let mut shard = self.shard(number)?;
            let all = shard.bytes;
            let read = *shard.read.get_or_insert(all);
            if read < shard.bytes {
                let file = append_to(&self.path(number), false)?;
                if file.metadata()?.len() != shard.bytes {
                    return Err(damaged());
                }
                file.set_len(read)?;
                shard.bytes = read;
            }
        }
        Ok(())
    }

    /// The hashes that stand in more than one bucket.
    pub fn in_several_buckets(&self) -> Result<FxHashSet<u64>> {
        let mut out = FxHashSet::default();
        for number in 0..SHARDS {
            let length = self.shard(number)?.bytes;
            if length == 0 {
                continue;
            }
            let mut file = File::open(self.path(number)).map_err(gone)?;
            let mut bytes = vec![];
            file.read_to_end(&mut bytes)?;
            if bytes.len() as u64 != length {
                return Err(damaged());
            }
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

    pub fn add(&mut self, hash: u64, bucket: u32) -> Result<()> {
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

    pub fn finish(self) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lake_is_added_anew_for_each_snapshot_and_a_changed_file_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let ids = IdShards::create(dir.path().to_owned()).unwrap();
        let add = |all: &[(u64, u32)]| {
            let mut writer = IdWriter::new(&ids);
            all.iter().for_each(|(h, b)| writer.add(*h, *b).unwrap());
            writer.finish().unwrap();
        };
        let several = || {
            let mut all: Vec<u64> = ids.in_several_buckets().unwrap().into_iter().collect();
            all.sort_unstable();
            all
        };
        add(&[(1, 0), (2, 0), (3, 0), (3, 1)]);
        ids.without_the_lake().unwrap();
        add(&[(1, 5), (2, 0), (64, 1)]);
        assert_eq!(several(), [1, 3]);
        // Another snapshot.
        ids.without_the_lake().unwrap();
        add(&[(2, 7)]);
        assert_eq!(several(), [2, 3]);
        assert_eq!(several(), [2, 3]);
        for harm in ["short", "gone"] {
            let path = dir.path().join("3.ids");
            match harm {
                "short" => std::fs::write(&path, [0; 12]).unwrap(),
                _ => std::fs::remove_file(&path).unwrap(),
            }
            assert!(ids.in_several_buckets().is_err(), "{harm}");
            let mut writer = IdWriter::new(&ids);
            writer.add(3, 9).unwrap();
            assert!(harm == "short" || writer.finish().is_err());
            let _ = std::fs::write(&path, [0; 12]);
        }
    }
}
