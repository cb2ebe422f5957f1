//! Files to chunks of whole lines, decompressed, in bounded memory.

use std::fs::File;
use std::io::{BufReader, Read};

use super::progress::Progress;
use super::sources::{Layout, Packing, Source};

/// How much of a file is handed to a worker at once.
const CHUNK: usize = 4 << 20;
/// Longest line, and largest `.json` document: beyond it the rest is left out and told.
pub const LARGEST: usize = 1 << 30;

/// Something for a worker.
pub struct Chunk {
    /// Number of the source.
    pub file: usize,
    /// Line number of the first line, from 1.
    pub line: u64,
    /// Byte offset, unpacked, of the first byte.
    pub offset: u64,
    pub bytes: Vec<u8>,
    pub kind: ChunkKind,
}

/// What a chunk holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChunkKind {
    /// Whole lines.
    Lines,
    /// A whole document.
    Document,
    /// A line or document larger than [`LARGEST`]: its beginning.
    TooLarge,
    /// Where reading ended because the file is damaged; the bytes are the message.
    Damaged,
}

/// Counts what is read from disk.
struct Counted<'p> {
    file: File,
    progress: &'p Progress,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.progress.add_bytes(read as u64);
        Ok(read)
    }
}

/// Reads a source to its end and hands out its chunks. `hand` returns false to stop.
pub fn read(
    index: usize,
    source: &Source,
    progress: &Progress,
    hand: &mut dyn FnMut(Chunk) -> bool,
) -> std::io::Result<()> {
    let file = Counted {
        file: File::open(&source.path)?,
        progress,
    };
    let mut reader: Box<dyn Read + '_> = match source.packing {
        Packing::Plain => Box::new(file),
        // Bulk exports are often several gzip members in a row.
        Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(
            BufReader::with_capacity(1 << 20, file),
        )),
        Packing::Zstd => Box::new(zstd::stream::read::Decoder::new(file)?),
    };
    let mut cursor = Cursor {
        file: index,
        line: 1,
        offset: 0,
    };
    let result = match source.layout {
        Layout::Lines => lines(&mut reader, &mut cursor, hand),
        Layout::Document => document(&mut reader, &mut cursor, hand),
    };
    if let Err(error) = result {
        // What came before it stays read: a truncated archive must not lose the rest.
        let message = match source.packing {
            Packing::Plain => format!("the file cannot be read further: {error}"),
            _ => format!("the compressed file is damaged or cut off: {error}"),
        };
        hand(cursor.chunk(message.into_bytes(), ChunkKind::Damaged));
    }
    Ok(())
}

struct Cursor {
    file: usize,
    line: u64,
    offset: u64,
}

impl Cursor {
    /// A chunk that starts here; the cursor moves behind it.
    fn chunk(&mut self, bytes: Vec<u8>, kind: ChunkKind) -> Chunk {
        let (file, line, offset) = (self.file, self.line, self.offset);
        if kind == ChunkKind::Lines {
            self.line += memchr::memchr_iter(b'\n', &bytes).count() as u64;
        }
        self.offset += bytes.len() as u64;
        Chunk {
            file,
            line,
            offset,
            bytes,
            kind,
        }
    }
}

fn lines(
    reader: &mut dyn Read,
    cursor: &mut Cursor,
    hand: &mut dyn FnMut(Chunk) -> bool,
) -> std::io::Result<()> {
    let mut buffer = Vec::with_capacity(CHUNK + (CHUNK >> 2));
    // Within a line that is too long: its rest is passed over.
    let mut skipping = false;
    loop {
        // What was looked through for line ends already.
        let mut from = buffer.len();
        let read = (&mut *reader).take(CHUNK as u64).read_to_end(&mut buffer);
        if skipping {
            let end = memchr::memchr(b'\n', &buffer);
            let gone = end.map_or(buffer.len(), |e| e + 1);
            cursor.offset += gone as u64;
            cursor.line += u64::from(end.is_some());
            buffer.drain(..gone);
            from = 0;
            skipping = end.is_none();
        }
        if !matches!(read, Ok(1..)) {
            // The end, or damage: the whole lines before it are good. A last, cut line is handed
            // out too: it is told as what it is.
            if !buffer.is_empty() {
                hand(cursor.chunk(std::mem::take(&mut buffer), ChunkKind::Lines));
            }
            return read.map(|_| ());
        }
        if skipping {
            continue;
        }
        match memchr::memrchr(b'\n', buffer.get(from..).unwrap_or_default()) {
            Some(last) => {
                let rest = buffer.split_off(from + last + 1);
                let whole =
                    std::mem::replace(&mut buffer, Vec::with_capacity(CHUNK + (CHUNK >> 2)));
                buffer.extend_from_slice(&rest);
                if !hand(cursor.chunk(whole, ChunkKind::Lines)) {
                    return Ok(());
                }
            }
            None if buffer.len() > LARGEST => {
                let start = buffer.get(..200).unwrap_or_default().to_vec();
                let whole = buffer.len() as u64;
                let shown = start.len() as u64;
                hand(cursor.chunk(start, ChunkKind::TooLarge));
                cursor.offset += whole - shown;
                buffer.clear();
                skipping = true;
            }
            None => {}
        }
    }
}

fn document(
    reader: &mut dyn Read,
    cursor: &mut Cursor,
    hand: &mut dyn FnMut(Chunk) -> bool,
) -> std::io::Result<()> {
    let mut buffer = vec![];
    (&mut *reader)
        .take(LARGEST as u64 + 1)
        .read_to_end(&mut buffer)?;
    if buffer.len() > LARGEST {
        buffer.truncate(200);
        hand(cursor.chunk(buffer, ChunkKind::TooLarge));
    } else {
        hand(cursor.chunk(buffer, ChunkKind::Document));
    }
    Ok(())
}
