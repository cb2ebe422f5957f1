//! Why a stream ends before its end.

use std::fmt;
use std::io::{Error, Read, Result};

use crate::packing::{Packing, ZSTD_WINDOW_LOG};

/// Why nothing more is read, in words for people.
#[derive(Debug)]
pub struct Refused {
    pub what: String,
    /// What to do, where that is one thing.
    pub help: Option<&'static str>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.help.map_or(Ok(()), |help| write!(f, ": {help}"))
    }
}

impl std::error::Error for Refused {}

/// An error with words of ours.
pub fn refused(text: impl Into<String>) -> Error {
    let (what, help) = (text.into(), None);
    Error::other(Refused { what, help })
}

/// Archives of several files are not looked into.
pub(crate) fn zip() -> Error {
    let what = "this is a zip archive".to_owned();
    let help = Some("unpack it and give the directory");
    Error::other(Refused { what, help })
}

/// A stream that ends in an error before it begins.
pub(crate) struct Stopped(pub Option<Error>);

impl Read for Stopped {
    fn read(&mut self, _: &mut [u8]) -> Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Why reading ended, in words for people.
pub fn reason(error: &Error) -> String {
    let own = error.get_ref().is_some_and(|e| e.is::<Refused>());
    let text = error.to_string();
    match !own && text.contains("too much memory") {
        true => format!(
            "it was packed with a window of more than {} MiB (zstd --long): pack it again without",
            (1u64 << ZSTD_WINDOW_LOG) >> 20
        ),
        false => text,
    }
}

/// What is told of an error while reading.
pub fn told(packing: Packing, error: &Error) -> String {
    let text = reason(error);
    match packing {
        Packing::Plain => format!("the file cannot be read further: {text}"),
        _ => format!("the compressed file is damaged or cut off: {text}"),
    }
}
