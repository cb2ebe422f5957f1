//! Files as bytes, unpacked: a stream that ends in an error where it is damaged, cut, or a bomb.

use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Error, Read, Result};
use std::rc::Rc;

use flate2::bufread::GzDecoder;

use super::progress::Progress;
use super::sources::{Packing, Source};

const BUFFER: usize = 1 << 20;
/// A window of zstd may take so much memory: 2^27 is what `zstd` itself unpacks unless told otherwise.
const ZSTD_WINDOW_LOG: u32 = 27;
/// FHIR packs ten- to fiftyfold. What unpacks to more than a gigabyte and five-hundredfold is made to
/// fill a machine.
const BOMB_BYTES: u64 = 1 << 30;
const BOMB_RATIO: u64 = 500;

/// Why a stream ends before its end, in words for people.
#[derive(Debug)]
pub struct Refused(pub String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// An error with words of ours.
pub fn refused(text: impl Into<String>) -> Error {
    Error::other(Refused(text.into()))
}

/// What is told of an error while reading.
pub fn told(packing: Packing, error: &Error) -> String {
    let own = error.get_ref().is_some_and(|e| e.is::<Refused>());
    let mut text = error.to_string();
    if !own && text.contains("too much memory") {
        text = format!(
            "it was packed with a window of more than {} MiB (zstd --long): pack it again without",
            (1u64 << ZSTD_WINDOW_LOG) >> 20
        );
    }
    match packing {
        Packing::Plain => format!("the file cannot be read further: {text}"),
        _ => format!("the compressed file is damaged or cut off: {text}"),
    }
}

/// Counts what is read from disk, and notices a file that became shorter.
struct Counted<'p> {
    file: File,
    progress: &'p Progress,
    read: Rc<Cell<u64>>,
    /// What the file had when it was opened; 0 for a pipe.
    size: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        // A decoder must not hear of an interruption: it would take it for the end.
        let read = loop {
            match self.file.read(buffer) {
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.progress.add_bytes(read as u64);
        self.read.set(self.read.get() + read as u64);
        if read == 0 && !buffer.is_empty() && self.read.get() < self.size {
            let text = "the file became shorter while it was read";
            return Err(refused(text));
        }
        Ok(read)
    }
}

/// Opens a source, and tells how it is packed.
pub fn open<'p>(source: &Source, progress: &'p Progress) -> Result<(Box<dyn Read + 'p>, Packing)> {
    let file = match source.pipe {
        false => File::open(&source.path)?,
        true => {
            progress.wait_for(Some(&source.path));
            let opened = File::open(&source.path);
            progress.wait_for(None);
            opened?
        }
    };
    let size = match source.pipe {
        true => 0,
        false => file.metadata()?.len(),
    };
    let read = Rc::new(Cell::new(0));
    let file = Counted {
        file,
        progress,
        read: Rc::clone(&read),
        size,
    };
    let mut packing = source.packing;
    if packing == Packing::Plain {
        return Ok((Box::new(file), packing));
    }
    let mut file = BufReader::with_capacity(BUFFER, file);
    if packing == Packing::Unnamed {
        packing = match file.fill_buf()? {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
            _ => Packing::Plain,
        };
    }
    let unpacked: Box<dyn Read + 'p> = match packing {
        Packing::Gzip => Box::new(Gunzip::Before(file)),
        Packing::Zstd => Box::new(Unzstd::Before(file)),
        Packing::Plain | Packing::Unnamed => return Ok((Box::new(file), Packing::Plain)),
    };
    let guarded = Guarded {
        unpacked,
        bytes: 0,
        read,
    };
    Ok((Box::new(guarded), packing))
}

/// Stops a decompression bomb.
struct Guarded<'p> {
    unpacked: Box<dyn Read + 'p>,
    bytes: u64,
    read: Rc<Cell<u64>>,
}

impl Read for Guarded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let read = self.unpacked.read(buffer)?;
        self.bytes += read as u64;
        if self.bytes > BOMB_BYTES && self.bytes / self.read.get().max(1) > BOMB_RATIO {
            return Err(refused(format!(
                "it unpacks to more than {BOMB_RATIO} times its size, as no FHIR data does; the rest is not read (unpack it yourself if it is right)"
            )));
        }
        Ok(read)
    }
}

/// Several gzip members in a row, as bulk exports often are. Zeros behind them are padding; anything
/// else is told.
enum Gunzip<R> {
    Before(R),
    Within(Box<GzDecoder<R>>),
    Done,
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(self, Gunzip::Done) {
                Gunzip::Done => return Ok(0),
                Gunzip::Before(mut packed) => match packed.fill_buf()? {
                    [] => return Err(refused("it is empty, no gzip file")),
                    [0x1f, ..] => *self = Gunzip::Within(Box::new(GzDecoder::new(packed))),
                    _ => return Err(refused("it is no gzip file, although its name says so")),
                },
                Gunzip::Within(mut decoder) => {
                    let read = decoder.read(buffer)?;
                    if read > 0 {
                        *self = Gunzip::Within(decoder);
                        return Ok(read);
                    }
                    let mut packed = decoder.into_inner();
                    let mut padded = false;
                    loop {
                        let next = packed.fill_buf()?;
                        match next.iter().position(|b| *b != 0) {
                            None if next.is_empty() => return Ok(0),
                            None => {
                                let zeros = next.len();
                                packed.consume(zeros);
                                padded = true;
                            }
                            Some(0) if next.first() == Some(&0x1f) && !padded => break,
                            Some(_) => {
                                let text =
                                    "behind the packed data stands something that is no gzip";
                                return Err(refused(text));
                            }
                        }
                    }
                    *self = Gunzip::Within(Box::new(GzDecoder::new(packed)));
                }
            }
        }
    }
}

/// Frames of zstd. An empty file is none.
enum Unzstd<'p, R: BufRead> {
    Before(R),
    Within(zstd::stream::read::Decoder<'p, R>),
    Done,
}

impl<R: BufRead> Read for Unzstd<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if let Unzstd::Within(decoder) = self {
            return decoder.read(buffer);
        }
        match std::mem::replace(self, Unzstd::Done) {
            Unzstd::Before(mut packed) => {
                if packed.fill_buf()?.is_empty() {
                    return Err(refused("it is empty, no zstd file"));
                }
                let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                let read = decoder.read(buffer);
                *self = Unzstd::Within(decoder);
                read
            }
            _ => Ok(0),
        }
    }
}
