//! A Parquet file of the lake, read through the object store: nothing is handed on that is not, byte
//! for byte, what was written (see [`super::seal`]).

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};

use super::commit::{self, DataFile};
use super::error::LakeError;
use super::local::not_a_file;
use super::plain::plain;
use super::seal::{Blocks, hash_of};

/// One file, by what the snapshot says of it: neither a listing nor its own length is asked.
#[derive(Debug)]
pub(super) struct LakeFile {
    store: Arc<dyn ObjectStore>,
    table: String,
    file: DataFile,
    path: Path,
    /// The page indexes and the footer, once read.
    tail: Option<Bytes>,
    /// The sums of what is before them.
    blocks: Option<Arc<Blocks>>,
}

impl LakeFile {
    pub(super) fn new(store: &Arc<dyn ObjectStore>, table: &str, file: &DataFile) -> Self {
        LakeFile {
            store: Arc::clone(store),
            table: table.to_owned(),
            file: file.clone(),
            path: Path::from(format!("{table}/{}", file.path)),
            tail: None,
            blocks: None,
        }
    }

    /// With the footer that was read (and verified) before.
    pub(super) fn with_metadata(mut self, metadata: &ParquetMetaData) -> Self {
        self.blocks = Blocks::of(metadata, self.file.tail).map(Arc::new);
        self
    }

    fn damaged(&self, what: &str) -> ParquetError {
        external(damaged(&self.table, &self.file, what))
    }

    async fn read(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        match self.store.get_ranges(&self.path, ranges).await {
            Ok(bytes) => {
                let mut pairs = ranges.iter().zip(&bytes);
                if pairs.any(|(r, b)| b.len() as u64 != r.end - r.start) {
                    let seen = look(self.store.as_ref(), &self.table, &self.file).await;
                    return Err(seen.map_or_else(external, |()| self.damaged("it was cut off")));
                }
                Ok(bytes)
            }
            Err(e) => {
                let (store, table) = (self.store.as_ref(), self.table.as_str());
                Err(external(unread(store, table, &self.file, e).await))
            }
        }
    }

    /// The page indexes and the footer.
    async fn tail(&mut self) -> Result<Bytes> {
        if let Some(tail) = &self.tail {
            return Ok(tail.clone());
        }
        let range = self.file.tail..self.file.size;
        let read = self.read(std::slice::from_ref(&range)).await?;
        let tail = read.into_iter().next().unwrap_or_default();
        if hash_of(&tail) != self.file.tail_hash {
            return Err(self.damaged(CHECKSUM));
        }
        self.tail = Some(tail.clone());
        Ok(tail)
    }

    async fn metadata(&mut self, options: Option<&ArrowReaderOptions>) -> Result<ParquetMetaData> {
        let tail = self.tail().await?;
        let wanted = |policy: Option<PageIndexPolicy>| policy.unwrap_or(PageIndexPolicy::Skip);
        let mut reader = ParquetMetaDataReader::new()
            .with_column_index_policy(wanted(options.map(ArrowReaderOptions::column_index_policy)))
            .with_offset_index_policy(wanted(options.map(ArrowReaderOptions::offset_index_policy)));
        let parsed = reader.try_parse_sized(&tail, self.file.size);
        let parsed = parsed.and_then(|()| reader.finish());
        // The bytes are those that were written.
        let metadata =
            parsed.map_err(|e| self.damaged(&format!("its footer cannot be read: {e}")))?;
        let blocks = Blocks::of(&metadata, self.file.tail);
        let blocks = blocks.ok_or_else(|| self.damaged("it has no checksums of its blocks"))?;
        self.blocks = Some(Arc::new(blocks));
        Ok(metadata)
    }

    async fn blocks(&mut self) -> Result<Arc<Blocks>> {
        if self.blocks.is_none() {
            self.metadata(None).await?;
        }
        let blocks = self.blocks.clone();
        blocks.ok_or_else(|| self.damaged("it has no checksums of its blocks"))
    }

    async fn ranges(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let blocks = self.blocks().await?;
        let size = blocks.size;
        // Whole blocks, neighbours joined; what is asked for of the tail is in memory.
        let mut whole: Vec<Range<u64>> = ranges
            .iter()
            .filter(|r| r.start < blocks.end)
            .map(|r| r.start / size * size..(r.end.div_ceil(size) * size).min(blocks.end))
            .collect();
        whole.sort_unstable_by_key(|r| r.start);
        whole.dedup_by(|next, last| {
            let joined = next.start <= last.end;
            if joined {
                last.end = last.end.max(next.end);
            }
            joined
        });
        let read = self.read(&whole).await?;
        for (range, bytes) in whole.iter().zip(&read) {
            if !blocks.holds(range.start, bytes) {
                return Err(self.damaged(CHECKSUM));
            }
        }
        let tail = match ranges.iter().any(|r| r.start >= blocks.end) {
            true => self.tail().await?,
            false => Bytes::new(),
        };
        let cut = |r: &Range<u64>| {
            let (start, bytes) = match r.start >= blocks.end {
                true => (blocks.end, &tail),
                false => {
                    let at = whole.partition_point(|w| w.end <= r.start);
                    (whole.get(at)?.start, read.get(at)?)
                }
            };
            let from = usize::try_from(r.start - start).ok()?;
            let to = usize::try_from(r.end - start).ok()?;
            (from <= to && to <= bytes.len()).then(|| bytes.slice(from..to))
        };
        let cut: Option<Vec<Bytes>> = ranges.iter().map(cut).collect();
        cut.ok_or_else(|| self.damaged("its footer names bytes that it does not have"))
    }
}

const CHECKSUM: &str = "its checksum does not match";

fn external(e: LakeError) -> ParquetError {
    ParquetError::External(Box::new(e))
}

/// An error of one file, by its name.
pub(super) fn damaged(table: &str, file: &DataFile, what: &str) -> LakeError {
    LakeError::Data(format!(
        "damaged: {table}/{} of the lake: {what}; restore it from a backup, or import anew into an \
         empty folder",
        file.path
    ))
}

/// What a failed read means: a file that vacuum removed, one that is lost or cut off, or a disk that
/// does not answer.
pub(super) async fn unread(
    store: &dyn ObjectStore,
    table: &str,
    file: &DataFile,
    error: object_store::Error,
) -> LakeError {
    let path = Path::from(format!("{table}/{}", file.path));
    if matches!(error, object_store::Error::NotFound { .. }) {
        return gone(store, table, file).await;
    }
    if let Some(what) = not_a_file(&error) {
        return damaged(table, file, &what.to_string());
    }
    match store.head(&path).await {
        Ok(found) if found.size != file.size => other_size(table, file, found.size),
        _ => LakeError::Data(format!(
            "{table}/{} of the lake cannot be read: {}; check the disk and the permissions",
            file.path,
            plain(&error)
        )),
    }
}

fn other_size(table: &str, file: &DataFile, found: u64) -> LakeError {
    let what = format!("it has {found} bytes, and the snapshot says {}", file.size);
    damaged(table, file, &what)
}

/// A file that is not there. Vacuum makes a snapshot unreadable before it deletes its files: what no
/// snapshot lists any more was removed by it.
async fn gone(store: &dyn ObjectStore, table: &str, file: &DataFile) -> LakeError {
    let listed = match commit::live(store).await {
        Ok(snapshots) => snapshots.iter().any(|s| {
            let files = s.tables.get(table).map_or(&[][..], |t| &t.files);
            files.iter().any(|f| f.path == file.path)
        }),
        Err(_) => true,
    };
    match listed {
        true => damaged(table, file, "the file is not there"),
        false => LakeError::Vacuumed(format!(
            "{table}/{} of the lake is not there any more: the snapshot that is read was vacuumed \
             meanwhile; run again on the newest one (pin a snapshot to keep it)",
            file.path
        )),
    }
}

/// Looks whether a file is there, in the size that the snapshot says.
pub(crate) async fn look(
    store: &dyn ObjectStore,
    table: &str,
    file: &DataFile,
) -> std::result::Result<(), LakeError> {
    let path = Path::from(format!("{table}/{}", file.path));
    match store.head(&path).await {
        Ok(found) if found.size == file.size => Ok(()),
        Ok(found) => Err(other_size(table, file, found.size)),
        Err(e) => Err(unread(store, table, file, e).await),
    }
}

/// The error of the lake within one of Parquet, Arrow or DataFusion, whatever is around it.
pub fn lake_error<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e LakeError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<LakeError>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// An error of reading one file: the lake's own, or that its content is no Parquet.
pub(super) fn of_file(table: &str, file: &DataFile, error: ParquetError) -> LakeError {
    let decoded = |e: &dyn std::fmt::Display| damaged(table, file, &format!("not decoded: {e}"));
    match error {
        ParquetError::External(inner) => match inner.downcast::<LakeError>() {
            Ok(own) => *own,
            Err(other) => decoded(&other),
        },
        other => decoded(&other),
    }
}

impl AsyncFileReader for LakeFile {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        async move {
            let read = self.ranges(std::slice::from_ref(&range)).await?;
            Ok(read.into_iter().next().unwrap_or_default())
        }
        .boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>>> {
        async move { self.ranges(&ranges).await }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        async move { Ok(Arc::new(self.metadata(options).await?)) }.boxed()
    }
}

/// Opens a table's files for DataFusion.
#[derive(Debug)]
pub(crate) struct LakeFiles {
    store: Arc<dyn ObjectStore>,
    table: String,
    files: Vec<DataFile>,
}

impl LakeFiles {
    pub(crate) fn new(store: &Arc<dyn ObjectStore>, table: &str, files: &[DataFile]) -> Self {
        let mut files = files.to_vec();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        LakeFiles {
            store: Arc::clone(store),
            table: table.to_owned(),
            files,
        }
    }
}

impl ParquetFileReaderFactory for LakeFiles {
    fn create_reader(
        &self,
        _partition: usize,
        file: PartitionedFile,
        _metadata_size_hint: Option<usize>,
        _metrics: &ExecutionPlanMetricsSet,
    ) -> datafusion::error::Result<Box<dyn AsyncFileReader + Send>> {
        let location = file.object_meta.location.as_ref();
        let path = location.strip_prefix(&format!("{}/", self.table));
        let found = path.and_then(|path| {
            let at = self.files.binary_search_by(|f| f.path.as_str().cmp(path));
            self.files.get(at.ok()?)
        });
        let found = found.ok_or_else(|| {
            DataFusionError::Internal(format!("{location} is no file of the table {}", self.table))
        })?;
        Ok(Box::new(LakeFile::new(&self.store, &self.table, found)))
    }
}
