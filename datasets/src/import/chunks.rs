//! Files to chunks of whole lines, decompressed, in bounded memory.

use std::io::{Read, Result};

use sources::{Layout, Opened, Packing, Source, is_lines, open, refused, told};

use super::limits::{LARGE, Limits, Turn, Turns};
use super::progress::Progress;

/// How much of a file is handed to a worker at once.
const CHUNK: usize = 4 << 20;
/// What is kept of a line or document that is too large.
pub const SHOWN: usize = 200;
/// What is kept of a line that damage has cut.
const KEPT: usize = 16 << 10;
/// A line too long is passed over to its end; in a packed file only so far, since its end may be
/// terabytes away.
const PASSED_OVER: u64 = 16;

/// Something for a worker.
pub struct Chunk {
    /// Number of the source.
    pub file: usize,
    /// Line number of the first line, from 1.
    pub line: u64,
    /// Byte offset, unpacked, of the first byte.
    pub offset: u64,
    /// Where the file begins among all that is read, unpacked: orders what is read.
    pub base: u64,
    pub bytes: Vec<u8>,
    pub kind: ChunkKind,
    /// Why reading ended here, where the file is damaged.
    pub damage: Option<String>,
    /// What is large is in memory by turns: given back when the chunk is dropped.
    pub _turn: Option<Turn>,
}

/// What a chunk holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChunkKind {
    /// Whole lines.
    Lines,
    /// A whole document.
    Document,
    /// The beginning of a line that is longer than [`Limits::resource`], and how long it is, as far
    /// as it was read.
    LongLine(u64),
    /// The beginning of a document that is larger than [`Limits::document`], and how large it is.
    LargeDocument(u64),
    /// Where reading ended because the file is damaged: the beginning of the line that is cut there, if
    /// one is, and how long that is.
    Damaged(u64),
}

/// A file that could not be read to its end.
#[derive(Clone, Debug)]
pub struct Damage {
    pub line: u64,
    pub offset: u64,
    pub reason: String,
}

/// Reads sources to their ends and hands out their chunks, one source after the other.
pub struct Reader<'a> {
    pub limits: Limits,
    pub progress: &'a Progress,
    pub turns: Turns,
    /// Unpacked bytes of the sources before, and one for each: orders what is read of all of them.
    pub base: u64,
}

impl Reader<'_> {
    /// Reads a source. `hand` returns false to stop. Damage is handed out as a chunk, too. An error is
    /// that it cannot be opened.
    pub fn read(
        &mut self,
        index: usize,
        source: &Source,
        hand: &mut dyn FnMut(Chunk) -> bool,
    ) -> Result<Option<Damage>> {
        let Opened { mut bytes, packing } = open(source, self.progress)?;
        let mut input = Input {
            bytes: &mut bytes,
            packed: packing != Packing::Plain,
            limits: self.limits,
            turns: &self.turns,
            hand,
            file: index,
            base: self.base,
            line: 1,
            offset: 0,
            stopped: false,
            cut: vec![],
            damage: None,
        };
        let result = match source.layout {
            Layout::Lines => input.lines(vec![]),
            Layout::Document => input.document(),
        };
        let mut damage = None;
        if let Err(error) = result {
            // What came before it stays read: a truncated archive must not lose the rest.
            let reason = told(packing, &error);
            damage = Some(Damage {
                line: input.line,
                offset: input.offset,
                reason: reason.clone(),
            });
            // One damage, one reject: the line that it cut is part of it.
            let mut cut = std::mem::take(&mut input.cut);
            let length = cut.len() as u64;
            cut.truncate(KEPT);
            input.damage = Some(reason);
            input.give(cut, ChunkKind::Damaged(length), None, length.max(1));
        }
        self.base += input.offset + 1;
        Ok(damage)
    }
}

/// A source that is being read.
struct Input<'a> {
    bytes: &'a mut dyn Read,
    packed: bool,
    limits: Limits,
    turns: &'a Turns,
    hand: &'a mut dyn FnMut(Chunk) -> bool,
    file: usize,
    base: u64,
    line: u64,
    offset: u64,
    /// Nobody takes chunks any more.
    stopped: bool,
    /// The line that damage has cut.
    cut: Vec<u8>,
    damage: Option<String>,
}

impl Input<'_> {
    /// Hands out a chunk that starts here, and moves behind it: `length` bytes.
    fn give(&mut self, bytes: Vec<u8>, kind: ChunkKind, turn: Option<Turn>, length: u64) {
        let (file, line, offset, base) = (self.file, self.line, self.offset, self.base);
        self.line += match kind {
            ChunkKind::Lines => memchr::memchr_iter(b'\n', &bytes).count() as u64,
            ChunkKind::LongLine(_) => 1,
            _ => 0,
        };
        self.offset += length;
        let chunk = Chunk {
            file,
            line,
            offset,
            base,
            bytes,
            kind,
            damage: self.damage.take(),
            _turn: turn,
        };
        self.stopped |= !(self.hand)(chunk);
    }

    fn give_lines(&mut self, bytes: Vec<u8>, turn: Option<Turn>) {
        let length = bytes.len() as u64;
        self.give(bytes, ChunkKind::Lines, turn, length);
    }

    /// Hands out the whole lines before damage. A last line that is no whole JSON was cut by it.
    fn give_before_damage(&mut self, mut buffer: Vec<u8>, turn: Option<Turn>) {
        let end = memchr::memrchr(b'\n', &buffer).map_or(0, |at| at + 1);
        let last = buffer.get(end..).unwrap_or_default();
        let whole = serde_json::from_slice::<serde::de::IgnoredAny>(last).is_ok();
        if !whole && !last.trim_ascii().is_empty() {
            self.cut = buffer.split_off(end);
        }
        if !buffer.is_empty() {
            self.give_lines(buffer, turn);
        }
    }

    /// Appends up to a chunk of what comes; whether there was anything.
    fn more(&mut self, buffer: &mut Vec<u8>) -> Result<bool> {
        let read = (&mut *self.bytes).take(CHUNK as u64).read_to_end(buffer)?;
        Ok(read > 0)
    }

    /// Lines to the end, the first of them in the buffer.
    fn lines(&mut self, mut buffer: Vec<u8>) -> Result<()> {
        buffer.reserve(CHUNK + (CHUNK >> 2));
        // What was looked through for line ends already.
        let mut from = 0;
        let mut turn = None;
        loop {
            let new = buffer.get(from..).unwrap_or_default();
            if let Some(last) = memchr::memrchr(b'\n', new) {
                let rest = buffer.split_off(from + last + 1);
                let next = Vec::with_capacity(CHUNK + (CHUNK >> 2));
                let whole = std::mem::replace(&mut buffer, next);
                buffer.extend_from_slice(&rest);
                self.give_lines(whole, turn.take());
            } else if buffer.len() as u64 > self.limits.resource.max(CHUNK as u64) {
                turn = None;
                buffer = self.pass_over(buffer)?;
                from = 0;
                continue;
            } else if buffer.len() > LARGE && turn.is_none() {
                turn = Some(self.turns.take());
            }
            if self.stopped {
                return Ok(());
            }
            from = buffer.len();
            let more = self.more(&mut buffer);
            if !matches!(more, Ok(true)) {
                // The end, or damage: the whole lines before it are good.
                match more {
                    Err(_) => self.give_before_damage(buffer, turn),
                    Ok(_) if buffer.is_empty() => {}
                    Ok(_) => self.give_lines(buffer, turn),
                }
                return more.map(|_| ());
            }
        }
    }

    /// Reads on to the end of a line that is too long, whose beginning is in the buffer, and gives
    /// what comes behind it.
    fn pass_over(&mut self, buffer: Vec<u8>) -> Result<Vec<u8>> {
        let start = buffer.get(..SHOWN).unwrap_or_default().to_vec();
        let mut length = buffer.len() as u64;
        drop(buffer);
        let furthest = (self.limits.resource.saturating_mul(PASSED_OVER)).max(1 << 30);
        let mut buffer = Vec::with_capacity(CHUNK);
        loop {
            buffer.clear();
            let more = self.more(&mut buffer);
            if let Some(end) = memchr::memchr(b'\n', &buffer) {
                length += end as u64;
                self.give(start, ChunkKind::LongLine(length), None, length + 1);
                let rest = buffer.split_off(end + 1);
                if more.is_err() && !rest.is_empty() {
                    self.give_before_damage(rest, None);
                    return more.map(|_| vec![]);
                }
                return more.map(|_| rest);
            }
            length += buffer.len() as u64;
            let too_far = self.packed && length > furthest;
            if !matches!(more, Ok(true)) || too_far {
                self.give(start, ChunkKind::LongLine(length), None, length);
                return match too_far && more.is_ok() {
                    true => Err(refused(format!(
                        "a line does not end within {furthest} bytes; the rest is not read"
                    ))),
                    false => more.map(|_| vec![]),
                };
            }
        }
    }

    fn document(&mut self) -> Result<()> {
        let mut buffer = vec![];
        while buffer.len() < LARGE {
            match self.more(&mut buffer) {
                Ok(true) => {}
                Ok(false) => {
                    let length = buffer.len() as u64;
                    self.give_document(buffer, None, length);
                    return Ok(());
                }
                // Of lines in a `.json` file those before the damage are whole.
                Err(error) => {
                    if is_lines(&buffer) {
                        self.give_before_damage(buffer, None);
                    }
                    return Err(error);
                }
            }
        }
        if is_lines(&buffer) {
            return self.lines(buffer);
        }
        let turn = self.turns.take();
        while buffer.len() as u64 <= self.limits.document {
            if !self.more(&mut buffer)? {
                let length = buffer.len() as u64;
                self.give_document(buffer, Some(turn), length);
                return Ok(());
            }
        }
        // Too large: only how large it is.
        let mut length = buffer.len() as u64;
        buffer.truncate(SHOWN);
        buffer.shrink_to_fit();
        drop(turn);
        let mut rest = Vec::with_capacity(CHUNK);
        let mut more = Ok(true);
        while matches!(more, Ok(true)) {
            rest.clear();
            more = self.more(&mut rest);
            length += rest.len() as u64;
        }
        self.give_document(buffer, None, length);
        more.map(|_| ())
    }

    /// A document of so many bytes, or the beginning of one that is too large.
    fn give_document(&mut self, mut bytes: Vec<u8>, turn: Option<Turn>, length: u64) {
        let kind = match length > self.limits.document {
            true => {
                bytes.truncate(SHOWN);
                ChunkKind::LargeDocument(length)
            }
            false => ChunkKind::Document,
        };
        self.give(bytes, kind, turn, length);
    }
}

#[cfg(test)]
#[path = "chunks_tests.rs"]
mod tests;
