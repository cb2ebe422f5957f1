//! A whole file in memory.

use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

use crate::found_files::Source;
use crate::packing::Packing;
use crate::stop::{Refused, refused, told};
use crate::unpack::{Opened, open, open_path};

/// What one file may take: more than any value set or chart has, less than a device gives.
const LARGEST: u64 = 4 << 30;

/// All bytes of a source, unpacked, without a byte order mark.
pub fn read(source: &Source) -> Result<Vec<u8>> {
    whole(open(source, &())?)
}

/// As [`read`], of a file that the user names.
pub fn read_path(path: &Path) -> Result<Vec<u8>> {
    whole(open_path(path)?)
}

/// As [`read_path`], of a text.
pub fn read_text(path: &Path) -> Result<String> {
    let not_text = |_| Error::new(ErrorKind::InvalidData, "not UTF-8 text; save it as UTF-8");
    String::from_utf8(read_path(path)?).map_err(not_text)
}

fn whole(opened: Opened<'_>) -> Result<Vec<u8>> {
    let (mut bytes, packing) = (vec![], opened.packing);
    let read = opened.bytes.take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(|e| in_words(packing, e))?;
    if bytes.len() as u64 > LARGEST {
        return Err(refused(format!(
            "it has more than {} GiB unpacked",
            LARGEST >> 30
        )));
    }
    Ok(without_mark(bytes))
}

/// What a decoder says (`incomplete deflate stream`) in words for people.
fn in_words(packing: Packing, error: Error) -> Error {
    let own = error.get_ref().is_some_and(|e| e.is::<Refused>());
    match packing {
        Packing::Plain => error,
        _ if own => error,
        _ => {
            let (what, help) = (told(packing, &error), None);
            Error::new(error.kind(), Refused { what, help })
        }
    }
}

/// Without the byte order mark that some programs put before a text.
fn without_mark(bytes: Vec<u8>) -> Vec<u8> {
    match bytes.strip_prefix(b"\xEF\xBB\xBF") {
        Some(rest) => rest.to_vec(),
        None => bytes,
    }
}
