//! Checksums of a data file: without them one flipped bit of the disk is another number, and nobody
//! is told.
//!
//! Three, each for its reader:
//! - The CRC-32 of every page, in its header, as the Parquet format has it: any Parquet reader can
//!   verify it (pyarrow: `page_checksum_verification=True`).
//! - A sum of every block of the pages' bytes, in the footer under [`BLOCKS`]. A page's CRC leaves out
//!   its header; the blocks leave out nothing, so this is what our own reading verifies.
//! - The hash of the page indexes and the footer (the tail), and the hash of the whole file, in the
//!   snapshot's manifest, which carries its own.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use flate2::Crc;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{
    ColumnChunkMetaData, KeyValue, OffsetIndexBuilder, PageIndexPolicy, ParquetMetaData,
    ParquetMetaDataOptions, ParquetMetaDataReader,
};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// Where in the footer the sums of the blocks are: `16384:` and the XXH3-64 of each block of so many
/// bytes from the start of the file to the tail, little-endian, in Base64.
pub const BLOCKS: &str = "tandem.blocks";
/// Bytes of a block. A retrieve reads pages of 5 to 15 KB here and there: with larger blocks it would
/// read and hash much that nobody asked for, with smaller ones the footer grows.
const BLOCK: usize = 16 << 10;

/// A file as it is stored, and what the manifest says of it.
pub(super) struct Sealed {
    pub(super) bytes: Vec<u8>,
    /// Where the page indexes and the footer begin.
    pub(super) tail: u64,
    pub(super) tail_hash: String,
    pub(super) hash: String,
}

/// The hash of a file or of a part of one: XXH3-128, 32 hexadecimal digits.
pub fn hash_of(bytes: &[u8]) -> String {
    format!("{:032x}", xxh3_128(bytes))
}

fn wrong(what: &str) -> ParquetError {
    ParquetError::General(format!("a file of our own making: {what}"))
}

fn place(n: i64) -> Result<usize> {
    usize::try_from(n).map_err(|_| wrong("an offset below 0"))
}

fn number(n: usize) -> Result<i64> {
    i64::try_from(n).map_err(|_| wrong("too long"))
}

/// Adds the checksums to an encoded Parquet file. `properties` are those it was written with.
pub(super) fn seal(encoded: Vec<u8>, properties: WriterProperties) -> Result<Sealed> {
    let encoded = Bytes::from(encoded);
    let options = ParquetMetaDataOptions::new().with_encoding_stats_as_mask(false);
    let metadata = ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Optional)
        .with_metadata_options(Some(options))
        .parse_and_finish(&encoded)?;
    let file = metadata.file_metadata();
    let schema = file.schema_descr().root_schema_ptr();
    let room = Vec::with_capacity(encoded.len() + encoded.len() / 64);
    let mut writer = SerializedFileWriter::new(room, schema, Arc::new(properties))?;
    for (index, group) in metadata.row_groups().iter().enumerate() {
        let mut out = writer.next_row_group()?;
        for (column, chunk) in group.columns().iter().enumerate() {
            let rows = u64::try_from(group.num_rows()).unwrap_or(0);
            let (bytes, close) =
                column_with_checksums(&encoded, &metadata, (index, column), chunk)?;
            let close = ColumnCloseResult {
                rows_written: rows,
                ..close
            };
            out.append_column(&bytes, close)?;
        }
        out.close()?;
    }
    for pair in file.key_value_metadata().into_iter().flatten() {
        writer.append_key_value_metadata(pair.clone());
    }
    writer.flush().map_err(ParquetError::from)?;
    let tail = writer.bytes_written();
    let pages = writer.inner().get(..tail).unwrap_or_default();
    let mut sums = Vec::with_capacity(tail.div_ceil(BLOCK) * 8);
    for block in pages.chunks(BLOCK) {
        sums.extend_from_slice(&xxh3_64(block).to_le_bytes());
    }
    let sums = format!("{BLOCK}:{}", STANDARD_NO_PAD.encode(sums));
    writer.append_key_value_metadata(KeyValue::new(BLOCKS.to_owned(), sums));
    let bytes = writer.into_inner()?;
    let end = bytes.get(tail..).ok_or_else(|| wrong("no tail"))?;
    Ok(Sealed {
        tail: tail as u64,
        tail_hash: hash_of(end),
        hash: hash_of(&bytes),
        bytes,
    })
}

/// The bytes of a column chunk with a checksum in each page header, from offset 0, and its metadata.
fn column_with_checksums(
    file: &Bytes,
    metadata: &ParquetMetaData,
    (group, column): (usize, usize),
    chunk: &ColumnChunkMetaData,
) -> Result<(Bytes, ColumnCloseResult)> {
    let no_index = || wrong("no offset index");
    let index = metadata.offset_index().ok_or_else(no_index)?;
    let index = index
        .get(group)
        .and_then(|g| g.get(column))
        .ok_or_else(no_index)?;
    let pages = index.page_locations();
    let old = place(chunk.compressed_size())?;
    let mut out = Vec::with_capacity(old + (pages.len() + 1) * 8);
    let mut dictionary = None;
    if let Some(at) = chunk.dictionary_page_offset() {
        let (from, to) = (place(at)?, place(chunk.data_page_offset())?);
        push_page(&mut out, file.get(from..to))?;
        dictionary = Some(0);
    }
    let first = number(out.len())?;
    let mut offsets = OffsetIndexBuilder::new();
    let mut values = index.unencoded_byte_array_data_bytes().map(|v| v.iter());
    for (i, page) in pages.iter().enumerate() {
        let from = place(page.offset)?;
        let to = from + place(i64::from(page.compressed_page_size))?;
        let at = out.len();
        push_page(&mut out, file.get(from..to))?;
        let size = i32::try_from(out.len() - at).map_err(|_| wrong("too long a page"))?;
        offsets.append_offset_and_size(number(at)?, size);
        let next = pages.get(i + 1).map(|p| p.first_row_index);
        // The rows of the last page are not asked for: only the first row of each is written.
        offsets.append_row_count(next.unwrap_or(page.first_row_index) - page.first_row_index);
        let bytes = values.as_mut().and_then(Iterator::next).copied();
        offsets.append_unencoded_byte_array_data_bytes(bytes);
    }
    let more = number(out.len())? - chunk.compressed_size();
    let plain = chunk.clone().into_builder();
    let changed = plain
        .set_dictionary_page_offset(dictionary)
        .set_data_page_offset(first)
        .set_total_compressed_size(number(out.len())?)
        .set_total_uncompressed_size(chunk.uncompressed_size() + more)
        .set_offset_index_offset(None)
        .set_offset_index_length(None)
        .set_column_index_offset(None)
        .set_column_index_length(None)
        .build()?;
    let bounds = metadata.column_index();
    let bounds = bounds.and_then(|b| b.get(group)?.get(column)).cloned();
    let close = ColumnCloseResult {
        bytes_written: out.len() as u64,
        rows_written: 0,
        metadata: changed,
        bloom_filter: None,
        column_index: bounds.filter(|b| !matches!(b, ColumnIndexMetaData::NONE)),
        offset_index: Some::<OffsetIndexMetaData>(offsets.build()),
    };
    Ok((Bytes::from(out), close))
}

/// Appends a page with the CRC of its data in its header: field 4, an `i32`, of `PageHeader` in the
/// compact protocol of Thrift. The fields 1 to 3 are there always; what follows then counts from 4.
fn push_page(out: &mut Vec<u8>, page: Option<&[u8]>) -> Result<()> {
    const I32: u8 = 5;
    let page = page.ok_or_else(|| wrong("a page beyond the end"))?;
    let other = || wrong("a page header of another structure");
    let (mut at, mut size) = (0, 0);
    for _ in 0..3 {
        if page.get(at) != Some(&(1 << 4 | I32)) {
            return Err(other());
        }
        (size, at) = varint(page, at + 1).ok_or_else(other)?;
    }
    let next = *page.get(at).ok_or_else(other)?;
    // Two at least: field 4 is not there, and one of 5 to 8 is.
    if next >> 4 < 2 {
        return Err(other());
    }
    // Zigzag, of a number that is not negative.
    let size = usize::try_from(size / 2).map_err(|_| other())?;
    let data = page.len().checked_sub(size).and_then(|s| page.get(s..));
    let mut crc = Crc::new();
    crc.update(data.ok_or_else(other)?);
    let (head, rest) = page.split_at(at);
    out.extend_from_slice(head);
    out.push(1 << 4 | I32);
    let signed = i32::from_le_bytes(crc.sum().to_le_bytes());
    let mut zigzag = u32::from_le_bytes(((signed << 1) ^ (signed >> 31)).to_le_bytes());
    loop {
        let [low, ..] = zigzag.to_le_bytes();
        zigzag >>= 7;
        if zigzag == 0 {
            out.push(low & 0x7f);
            break;
        }
        out.push(low | 0x80);
    }
    out.push(next - (1 << 4));
    out.extend_from_slice(rest.get(1..).unwrap_or_default());
    Ok(())
}

/// A variable-length number, and where it ends.
fn varint(bytes: &[u8], mut at: usize) -> Option<(u64, usize)> {
    let (mut value, mut shift) = (0u64, 0);
    loop {
        let byte = *bytes.get(at)?;
        at += 1;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value, at));
        }
        shift += 7;
        if shift > 28 {
            return None;
        }
    }
}

/// The sums of a file's blocks.
#[derive(Debug)]
pub(super) struct Blocks {
    /// Bytes of a block; the last is shorter.
    pub(super) size: u64,
    /// Where they end and the tail begins.
    pub(super) end: u64,
    sums: Vec<u8>,
}

impl Blocks {
    /// As the footer tells them; nothing where it does not, or where they do not cover the file.
    pub(super) fn of(metadata: &ParquetMetaData, tail: u64) -> Option<Blocks> {
        let pairs = metadata.file_metadata().key_value_metadata()?;
        let text = pairs.iter().rfind(|p| p.key == BLOCKS)?.value.as_deref()?;
        let (size, sums) = text.split_once(':')?;
        let size: u64 = size.parse().ok().filter(|s| (512..=1 << 24).contains(s))?;
        let sums = STANDARD_NO_PAD.decode(sums).ok()?;
        (sums.len() as u64 == tail.div_ceil(size) * 8).then_some(Blocks {
            size,
            end: tail,
            sums,
        })
    }

    /// Whether these bytes, which begin at a block's start and end at one's end, are as written.
    pub(super) fn holds(&self, start: u64, bytes: &[u8]) -> bool {
        let (Ok(size), Ok(first)) = (
            usize::try_from(self.size),
            usize::try_from(start / self.size),
        ) else {
            return false;
        };
        let Some(sums) = self.sums.get(first * 8..) else {
            return false;
        };
        let blocks = bytes.chunks(size);
        blocks.len() * 8 <= sums.len()
            && blocks
                .zip(sums.chunks_exact(8))
                .all(|(block, sum)| xxh3_64(block).to_le_bytes() == sum)
    }
}

#[cfg(test)]
#[path = "seal_tests.rs"]
mod tests;
