//! RRF lines: fields separated by `|`, a `|` at the end, no quoting.

use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;

use super::error::RxNormError;
use super::ledger::FileLedger;

/// What a line was good for.
pub(super) enum Line {
    /// It went into the result.
    Used,
    /// It was left out for this reason.
    Skipped(&'static str),
    /// It could not be read.
    Malformed(String),
}

/// Reads a file of `N` columns line by line, also one with `.gz` or `.zst` behind its name. `None` if
/// there is no such file.
///
/// Memory is one line. An empty line at the end is no line.
pub(super) fn each_line<const N: usize>(
    dir: &Path,
    name: &str,
    mut each: impl FnMut([&str; N]) -> Line,
) -> Result<Option<FileLedger>, RxNormError> {
    let path = dir.join(name);
    let io = |source| RxNormError::Io {
        path: path.clone(),
        source,
    };
    let opened = match sources::open_beside(dir, name) {
        Ok(opened) => opened,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    let mut reader = BufReader::with_capacity(1 << 20, opened.bytes);
    let mut ledger = FileLedger::new(name);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes).map_err(io)? == 0 {
            return Ok(Some(ledger));
        }
        ledger.lines += 1;
        match fields::<N>(&bytes).map_or_else(Line::Malformed, &mut each) {
            Line::Used => ledger.used += 1,
            Line::Skipped(reason) => ledger.skip(reason),
            Line::Malformed(reason) if ledger.lines == 1 => {
                return Err(RxNormError::NotRrf {
                    path,
                    line: 1,
                    reason,
                });
            }
            Line::Malformed(reason) => ledger.broken(ledger.lines, reason),
        }
    }
}

/// The fields of a line, or what is wrong with it.
fn fields<const N: usize>(bytes: &[u8]) -> Result<[&str; N], String> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| format!("byte {} is not UTF-8", error.valid_up_to() + 1))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    let Some(text) = text.strip_suffix('|') else {
        return Err("it does not end with `|`".to_owned());
    };
    let mut fields = [""; N];
    let mut count = 0;
    for field in text.split('|') {
        if let Some(slot) = fields.get_mut(count) {
            *slot = field;
        }
        count += 1;
    }
    if count == N {
        Ok(fields)
    } else {
        Err(format!("it has {count} columns, not {N}"))
    }
}

/// An RxCUI, or what is wrong with it.
pub(super) fn rxcui(text: &str) -> Result<u32, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(code) if digits => Ok(code),
        _ => Err(format!("`{text}` is not an RxCUI")),
    }
}
