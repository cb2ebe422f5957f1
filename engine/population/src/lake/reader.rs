//! Reading only what can match: pages of `facts` by the page index, rows of `resources` by number.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StringArray};
use engine_patient::fhir::names::Name;
use engine_patient::requirements::DataRequirement;
use futures::TryStreamExt;
use object_store::ObjectStore;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, RowSelection, RowSelector,
};
use parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;

use super::commit::DataFile;
use super::error::LakeError;
use super::file::{LakeFile, of_file};
use super::paths::{PRESENCE, REFERENCE_KEY, path_id, type_id};

/// The (type, path, key) triples of `facts` that a requirement asks for.
#[derive(Clone, Debug)]
pub struct FactsKey {
    /// Number of the resource type.
    pub rtype: i16,
    /// Number of the path.
    pub path: i16,
    /// Sorted; empty stands for any.
    pub keys: Vec<i64>,
}

impl FactsKey {
    /// Where `facts` holds what a requirement asks for. A path that `facts` does not have is
    /// answered by all resources of the type.
    pub fn of(requirement: &DataRequirement) -> FactsKey {
        let rtype = type_id(requirement.resource_type);
        let coded = requirement.codes.as_ref();
        let coded = coded.and_then(|c| Some((path_id(requirement.resource_type, c.path)?, c)));
        match coded {
            None => FactsKey {
                rtype,
                path: PRESENCE,
                keys: vec![],
            },
            Some((path, codes)) => {
                let mut keys: Vec<i64> = codes.value_set.keys().to_vec();
                keys.push(REFERENCE_KEY);
                keys.sort_unstable();
                FactsKey { rtype, path, keys }
            }
        }
    }

    /// All resources of a type.
    pub fn of_type(resource_type: Name) -> FactsKey {
        FactsKey {
            rtype: type_id(resource_type),
            path: PRESENCE,
            keys: vec![],
        }
    }

    /// Whether a row is asked for.
    #[inline]
    pub fn matches(&self, rtype: i16, path: i16, key: i64) -> bool {
        self.rtype == rtype
            && self.path == path
            && (self.keys.is_empty() || self.keys.binary_search(&key).is_ok())
    }

    pub(super) fn may_match(&self, page: &PageBounds) -> bool {
        let within = |v: i64, (min, max): (i64, i64)| min <= v && v <= max;
        if !within(self.rtype.into(), page.rtype) || !within(self.path.into(), page.path) {
            return false;
        }
        // Keys are sorted within one type and path only.
        let one_run = page.rtype.0 == page.rtype.1 && page.path.0 == page.path.1;
        if self.keys.is_empty() || !one_run {
            return true;
        }
        let first = self.keys.partition_point(|k| *k < page.key.0);
        self.keys.get(first).is_some_and(|k| *k <= page.key.1)
    }
}

/// The least and the greatest values of a page.
pub(super) struct PageBounds {
    rtype: (i64, i64),
    path: (i64, i64),
    key: (i64, i64),
    bucket: (i64, i64),
}

impl PageBounds {
    /// Whether one of these buckets is within the bounds.
    fn has_any(&self, buckets: &BTreeSet<u32>) -> bool {
        let (min, max) = self.bucket;
        buckets.iter().any(|b| (min..=max).contains(&i64::from(*b)))
    }

    /// Type, path and key, where all rows of the page have the same.
    pub(super) fn only(&self) -> Option<(i16, i16, i64)> {
        let same = |(min, max): (i64, i64)| (min == max).then_some(min);
        let rtype = i16::try_from(same(self.rtype)?).ok()?;
        let path = i16::try_from(same(self.path)?).ok()?;
        Some((rtype, path, same(self.key)?))
    }
}

/// What of a file will be read.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The rows of the whole file.
    pub rows: RowSelection,
    /// Pages of the file's leading column, and how many of them are selected.
    pub pages: usize,
    /// See `pages`.
    pub selected: usize,
}

/// Opens a file's footer and page index.
pub async fn metadata(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    file: &DataFile,
) -> Result<ArrowReaderMetadata, LakeError> {
    let mut reader = LakeFile::new(store, table, file);
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let loaded = ArrowReaderMetadata::load_async(&mut reader, options).await;
    loaded.map_err(|e| of_file(table, file, e))
}

/// The pages of a `facts` file that can hold rows of any of these keys, of these buckets (`None`: of
/// all).
pub fn select_facts(
    metadata: &ParquetMetaData,
    wanted: &[FactsKey],
    buckets: Option<&BTreeSet<u32>>,
) -> Result<Selection, LakeError> {
    select_pages(metadata, |page| {
        page.is_none_or(|page| {
            buckets.is_none_or(|b| page.has_any(b)) && wanted.iter().any(|w| w.may_match(page))
        })
    })
}

/// The pages of a `facts` file that are wanted; asked without bounds where they are not known.
pub(super) fn select_pages(
    metadata: &ParquetMetaData,
    mut wanted: impl FnMut(Option<&PageBounds>) -> bool,
) -> Result<Selection, LakeError> {
    let no_index = || LakeError::Data("a `facts` file has no page index".into());
    let columns = metadata.column_index().ok_or_else(no_index)?;
    let offsets = metadata.offset_index().ok_or_else(no_index)?;
    let (mut ranges, mut pages, mut selected, mut base) =
        (Vec::<Range<usize>>::new(), 0, 0, 0usize);
    for ((group, columns), offsets) in metadata.row_groups().iter().zip(columns).zip(offsets) {
        let rows = usize::try_from(group.num_rows()).unwrap_or(0);
        let [rtype, path, key, bucket, ..] = columns.as_slice() else {
            return Err(no_index());
        };
        // The leading columns are cut at the same rows: the limit is a number of rows.
        let starts: Vec<usize> = match offsets.first() {
            Some(index) => index
                .page_locations()
                .iter()
                .map(|p| usize::try_from(p.first_row_index).unwrap_or(0))
                .collect(),
            None => return Err(no_index()),
        };
        let same = offsets.iter().take(4).all(|o| {
            o.page_locations()
                .iter()
                .map(|p| usize::try_from(p.first_row_index).unwrap_or(0))
                .eq(starts.iter().copied())
        });
        for (page, start) in starts.iter().enumerate() {
            let end = starts.get(page + 1).copied().unwrap_or(rows);
            pages += 1;
            let bounds = same.then(|| {
                Some(PageBounds {
                    rtype: bounds(rtype, page)?,
                    path: bounds(path, page)?,
                    key: bounds(key, page)?,
                    bucket: bounds(bucket, page)?,
                })
            });
            if wanted(bounds.flatten().as_ref()) {
                selected += 1;
                push_range(&mut ranges, base + start..base + end);
            }
        }
        base += rows;
    }
    let rows = RowSelection::from_consecutive_ranges(ranges.into_iter(), base);
    Ok(Selection {
        rows,
        pages,
        selected,
    })
}

fn bounds(index: &ColumnIndexMetaData, page: usize) -> Option<(i64, i64)> {
    match index {
        ColumnIndexMetaData::INT32(i) => Some((
            i64::from(*i.min_value(page)?),
            i64::from(*i.max_value(page)?),
        )),
        ColumnIndexMetaData::INT64(i) => Some((*i.min_value(page)?, *i.max_value(page)?)),
        _ => None,
    }
}

/// Appends a range after the others, joining neighbours.
fn push_range(ranges: &mut Vec<Range<usize>>, range: Range<usize>) {
    match ranges.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ => ranges.push(range),
    }
}

/// How many bytes a fetch decompressed, in pages of `raw`.
#[derive(Clone, Copy, Default, Debug)]
pub struct Fetched {
    /// Pages of `raw` that were read.
    pub pages: usize,
    /// Pages of `raw` the file has.
    pub pages_total: usize,
    /// Compressed bytes of the pages read.
    pub bytes: u64,
}

/// The JSON of the rows of these numbers, which must be sorted and without repeats. `each` is
/// called with the row's place in `rids` and its text.
pub async fn fetch_raw(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    file: &DataFile,
    metadata: ArrowReaderMetadata,
    rids: &[u32],
    mut each: impl FnMut(usize, &str),
) -> Result<Fetched, LakeError> {
    let mut fetched = Fetched::default();
    if rids.is_empty() {
        return Ok(fetched);
    }
    let parquet = Arc::clone(metadata.metadata());
    let raw = raw_column(&parquet)?;
    let total: usize = parquet
        .row_groups()
        .iter()
        .map(|g| usize::try_from(g.num_rows()).unwrap_or(0))
        .sum();
    let (groups, selection) = select_rows(&parquet, rids, raw, &mut fetched)?;
    if rids.last().is_some_and(|r| *r as usize >= total) {
        return Err(LakeError::bug(
            "a row number beyond the end of a resources file",
        ));
    }
    let reader = LakeFile::new(store, table, file).with_metadata(&parquet);
    let mask = ProjectionMask::leaves(parquet.file_metadata().schema_descr(), [raw]);
    let stream = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, metadata)
        .with_projection(mask)
        .with_row_groups(groups)
        .with_row_selection(selection)
        .with_batch_size(4096)
        .build()?;
    let batches = stream.map_err(|e| of_file(table, file, e));
    futures::pin_mut!(batches);
    let mut at = 0;
    while let Some(batch) = batches.try_next().await? {
        let texts = strings(&batch, 0)?;
        for i in 0..texts.len() {
            each(at, texts.value(i));
            at += 1;
        }
        // A batch is megabytes to unpack.
        tokio::task::yield_now().await;
    }
    if at != rids.len() {
        return Err(LakeError::bug(
            "a fetch of resources gave another number of rows than asked for",
        ));
    }
    Ok(fetched)
}

fn raw_column(metadata: &ParquetMetaData) -> Result<usize, LakeError> {
    let columns = metadata.file_metadata().schema_descr();
    let found = columns.columns().iter().position(|c| c.name() == "raw");
    found.ok_or_else(|| LakeError::Data("a `resources` file has no column `raw`".into()))
}

/// A column of text of a batch of ours.
pub fn strings(batch: &RecordBatch, column: usize) -> Result<&StringArray, LakeError> {
    let column = batch.columns().get(column);
    let text = column.and_then(|c| c.as_any().downcast_ref::<StringArray>());
    text.ok_or_else(|| {
        LakeError::Data("a column of the lake has another type than it was written with".into())
    })
}

/// The row groups that hold these rows, and the rows within those groups.
fn select_rows(
    metadata: &ParquetMetaData,
    rids: &[u32],
    raw: usize,
    fetched: &mut Fetched,
) -> Result<(Vec<usize>, RowSelection), LakeError> {
    let no_index = || LakeError::Data("a `resources` file has no page index".into());
    let offsets = metadata.offset_index().ok_or_else(no_index)?;
    let (mut groups, mut selectors) = (vec![], vec![]);
    let (mut base, mut next) = (0usize, 0usize);
    for (index, (group, offsets)) in metadata.row_groups().iter().zip(offsets).enumerate() {
        let rows = usize::try_from(group.num_rows()).unwrap_or(0);
        let pages = offsets.get(raw).ok_or_else(no_index)?.page_locations();
        fetched.pages_total += pages.len();
        let in_group = rids.get(next..).unwrap_or_default();
        let count = in_group.partition_point(|r| (*r as usize) < base + rows);
        let wanted = in_group.get(..count).unwrap_or_default();
        if !wanted.is_empty() {
            groups.push(index);
            let mut at = 0;
            let mut ranges: Vec<Range<usize>> = vec![];
            for rid in wanted {
                let row = *rid as usize - base;
                push_range(&mut ranges, row..row + 1);
            }
            for range in &ranges {
                if range.start > at {
                    selectors.push(RowSelector::skip(range.start - at));
                }
                selectors.push(RowSelector::select(range.end - range.start));
                at = range.end;
            }
            if at < rows {
                selectors.push(RowSelector::skip(rows - at));
            }
            count_pages(pages, rows, &ranges, fetched);
        }
        next += count;
        base += rows;
    }
    Ok((groups, RowSelection::from(selectors)))
}

fn count_pages(
    pages: &[parquet::file::page_index::offset_index::PageLocation],
    rows: usize,
    ranges: &[Range<usize>],
    fetched: &mut Fetched,
) {
    let mut wanted = ranges.iter().peekable();
    for (i, page) in pages.iter().enumerate() {
        let start = usize::try_from(page.first_row_index).unwrap_or(0);
        let end = pages
            .get(i + 1)
            .map_or(rows, |p| usize::try_from(p.first_row_index).unwrap_or(rows));
        while wanted.peek().is_some_and(|r| r.end <= start) {
            wanted.next();
        }
        if wanted.peek().is_some_and(|r| r.start < end) {
            fetched.pages += 1;
            fetched.bytes += u64::try_from(page.compressed_page_size).unwrap_or(0);
        }
    }
}

/// All rows of a file of ours, some columns, in batches.
pub async fn read_columns(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    file: &DataFile,
    columns: &[&str],
) -> Result<Vec<RecordBatch>, LakeError> {
    let reader = LakeFile::new(store, table, file);
    let wrong = |e: ParquetError| of_file(table, file, e);
    let builder = ParquetRecordBatchStreamBuilder::new(reader)
        .await
        .map_err(wrong)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    let stream = builder
        .with_projection(mask)
        .with_batch_size(8192)
        .build()?;
    stream.try_collect().await.map_err(wrong)
}

/// Selected rows of a file of ours, some columns, batch by batch.
pub(super) async fn read_rows(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    file: &DataFile,
    metadata: ArrowReaderMetadata,
    rows: RowSelection,
    columns: &[&str],
    mut each: impl FnMut(&RecordBatch) -> Result<(), LakeError>,
) -> Result<(), LakeError> {
    if !rows.selects_any() {
        return Ok(());
    }
    let reader = LakeFile::new(store, table, file).with_metadata(metadata.metadata());
    let builder = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, metadata);
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    let stream = builder
        .with_projection(mask)
        .with_row_selection(rows)
        .with_batch_size(8192)
        .build()?;
    let batches = stream.map_err(|e| of_file(table, file, e));
    futures::pin_mut!(batches);
    while let Some(batch) = batches.try_next().await? {
        each(&batch)?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// The resources of these types that belong to no patient, by type and id.
pub async fn read_shared(
    store: &Arc<dyn ObjectStore>,
    files: &[DataFile],
    types: &[Name],
) -> Result<HashMap<(Name, String), String>, LakeError> {
    let mut out = HashMap::new();
    for file in files {
        let table = super::schema::SHARED;
        for batch in read_columns(store, table, file, &["resource_type", "id", "raw"]).await? {
            let (own, ids, raws) = (
                strings(&batch, 0)?,
                strings(&batch, 1)?,
                strings(&batch, 2)?,
            );
            for row in 0..ids.len() {
                let ty = Name::of(own.value(row)).filter(|ty| types.contains(ty));
                if let Some(ty) = ty {
                    out.insert((ty, ids.value(row).to_owned()), raws.value(row).to_owned());
                }
            }
        }
    }
    Ok(out)
}
