//! Files as bytes, unpacked: a stream that ends in an error where it is damaged, cut, or a bomb.
//!
//! The first bytes say how a file is packed, whatever it is called. Where they say nothing the name is
//! believed, so that a damaged archive is told as one.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufReader, Chain, Cursor, Error, ErrorKind, Read, Result};
use std::path::Path;
use std::rc::Rc;

use crate::found_files::Source;
use crate::gzip::Gunzip;
use crate::packing::{HEAD, Packing, by_name, by_start};
use crate::stop::{Stopped, refused, zip};
use crate::zstandard::Unzstd;

const BUFFER: usize = 1 << 20;
/// FHIR packs ten- to fiftyfold. What unpacks to more than a gigabyte and five-hundredfold is made to
/// fill a machine.
const BOMB_BYTES: u64 = 1 << 30;
const BOMB_RATIO: u64 = 500;
const ZIP: &[u8] = b"PK\x03\x04";

/// Who is told how reading goes on.
pub trait Watcher {
    /// So many more bytes were read from disk.
    fn bytes(&self, _: u64) {}
    /// Opening this pipe waits for its writer; `None` when it does no more.
    fn waits_for(&self, _: Option<&Path>) {}
}

/// Nobody.
impl Watcher for () {}

/// A file that is being read.
pub struct Opened<'w> {
    /// Its bytes, unpacked.
    pub bytes: Box<dyn Read + 'w>,
    /// How it is packed, as it turned out.
    pub packing: Packing,
}

/// Opens a source.
pub fn open<'w>(source: &Source, watcher: &'w dyn Watcher) -> Result<Opened<'w>> {
    let file = match source.pipe {
        false => File::open(&source.path)?,
        true => {
            watcher.waits_for(Some(&source.path));
            let opened = File::open(&source.path);
            watcher.waits_for(None);
            opened?
        }
    };
    unpacked(file, source.packing, watcher)
}

/// Opens a file that the user names: it may be called anything.
pub fn open_path(path: &Path) -> Result<Opened<'static>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    unpacked(File::open(path)?, by_name(&name.to_lowercase()).1, &())
}

/// Opens a file of a folder by the name that a release gives it, as it is or packed.
pub fn open_beside(folder: &Path, name: &str) -> Result<Opened<'static>> {
    for ending in ["", ".gz", ".zst"] {
        match open_path(&folder.join(format!("{name}{ending}"))) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            opened => return opened,
        }
    }
    Err(Error::from(ErrorKind::NotFound))
}

fn unpacked<'w>(file: File, named: Packing, watcher: &'w dyn Watcher) -> Result<Opened<'w>> {
    let metadata = file.metadata()?;
    let size = match metadata.is_file() {
        true => metadata.len(),
        false => 0,
    };
    let read = Rc::new(Cell::new(0));
    let mut file = Counted {
        file,
        watcher,
        read: Rc::clone(&read),
        size,
    };
    let mut head = Vec::with_capacity(HEAD);
    let begun = (&mut file).take(HEAD as u64).read_to_end(&mut head);
    let packing = by_start(&head, named);
    if let Some(error) = begun.err().or(head.starts_with(ZIP).then(zip)) {
        let bytes = Box::new(Stopped(Some(error)));
        return Ok(Opened { bytes, packing });
    }
    let all: Chain<Cursor<Vec<u8>>, Counted<'w>> = Cursor::new(head).chain(file);
    let packed = |all| BufReader::with_capacity(BUFFER, all);
    let unpacked: Box<dyn Read + 'w> = match packing {
        Packing::Plain => {
            let bytes = Box::new(all);
            return Ok(Opened { bytes, packing });
        }
        Packing::Gzip => Box::new(Gunzip::Before(packed(all))),
        Packing::Zstd => Box::new(Unzstd::Before(packed(all))),
    };
    let bytes = Box::new(Guarded {
        unpacked,
        bytes: 0,
        read,
    });
    Ok(Opened { bytes, packing })
}

/// Counts what is read from disk, and notices a file that became shorter.
struct Counted<'w> {
    file: File,
    watcher: &'w dyn Watcher,
    read: Rc<Cell<u64>>,
    /// What the file had when it was opened; 0 for a pipe.
    size: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        // A decoder must not hear of an interruption: it would take it for the end.
        let read = loop {
            match self.file.read(buffer) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.watcher.bytes(read as u64);
        self.read.set(self.read.get() + read as u64);
        if read == 0 && !buffer.is_empty() && self.read.get() < self.size {
            let text = "the file became shorter while it was read";
            return Err(refused(text));
        }
        Ok(read)
    }
}

/// Stops a decompression bomb.
struct Guarded<'w> {
    unpacked: Box<dyn Read + 'w>,
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
