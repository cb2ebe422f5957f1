//! Lines that are no resources: kept beside the lake's data, with where they stood and why. Of each
//! file so many, all are counted.

use std::collections::BTreeMap;
use std::io::Result;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::ordered::{Found, Ordered};
use crate::import::scratch_file::failed;

/// Collects rejects in a scratch file.
pub struct Rejects {
    names: Arc<[String]>,
    most: u64,
    inner: Mutex<Inner>,
}

struct Inner {
    lines: Ordered,
    /// The first few, for the report.
    first: Vec<(u64, String)>,
}

/// How many rejects the report shows; the file has more.
const SHOWN: usize = 10;
/// Bytes kept of a rejected line.
const RAW: usize = 16 << 10;
/// Buffered by a thread.
const FLUSH: usize = 1 << 20;

/// A rejected line.
pub struct Reject<'r> {
    pub sequence: u64,
    pub line: u64,
    pub offset: u64,
    pub ty: &'r str,
    pub reason: &'r str,
    pub raw: &'r [u8],
    /// All its bytes, where `raw` is its beginning only.
    pub length: u64,
}

/// What was kept, and what was not.
#[derive(Default)]
pub struct Kept {
    /// The first few: file, line, reason.
    pub first: Vec<String>,
    /// Per file: how many are counted only.
    pub not_kept: BTreeMap<String, u64>,
}

impl Rejects {
    pub fn create(path: PathBuf, names: Arc<[String]>, most: u64) -> Result<Rejects> {
        let inner = Inner {
            lines: Ordered::create(path, most)?,
            first: vec![],
        };
        Ok(Rejects {
            names,
            most,
            inner: Mutex::new(inner),
        })
    }

    /// Writes them, in the order of the input, to `target` if there are any.
    pub fn finish(self, target: &Path) -> Result<Kept> {
        let (names, most) = (self.names, self.most);
        let inner = self.inner.into_inner().map_err(|_| failed())?;
        let Inner { lines, mut first } = inner;
        let name = |file: usize| names.get(file).map_or("", String::as_str);
        let not_kept = lines.finish(target, |file, n| {
            footer(name(file), n, most, "lines were rejected")
        })?;
        first.sort();
        Ok(Kept {
            first: first.into_iter().take(SHOWN).map(|(_, t)| t).collect(),
            not_kept: not_kept
                .into_iter()
                .map(|(file, n)| (name(file).to_owned(), n))
                .collect(),
        })
    }
}

/// The last line of a file's rejects, where there are more.
pub fn footer(file: &str, n: u64, most: u64, what: &str) -> String {
    let reason =
        format!("{n} more {what}; they are counted, and not listed here (--max-rejects {most})");
    let entry = serde_json::json!({"file": file, "not_listed": n, "reason": reason});
    format!("{entry}\n")
}

/// One thread's rejects of one file.
pub struct RejectWriter<'s> {
    all: &'s Rejects,
    found: Found,
    /// Kept of this chunk.
    kept: u64,
    first: Vec<(u64, String)>,
}

impl<'s> RejectWriter<'s> {
    pub fn new(all: &'s Rejects) -> Self {
        RejectWriter {
            all,
            found: Found::default(),
            kept: 0,
            first: vec![],
        }
    }

    /// What comes is of this file.
    pub fn start(&mut self, file: usize) {
        self.found.file = file;
        self.kept = 0;
    }

    pub fn add(&mut self, reject: &Reject<'_>) -> Result<()> {
        self.found.found += 1;
        let name = self
            .all
            .names
            .get(self.found.file)
            .map_or("", String::as_str);
        if self.first.len() < SHOWN {
            let shown = format!(
                "{name}:{}: {} (byte {})",
                reject.line, reject.reason, reject.offset
            );
            self.first.push((reject.sequence, shown));
        }
        if self.kept >= self.all.most {
            return Ok(());
        }
        let raw = reject.raw.get(..RAW).unwrap_or(reject.raw);
        let mut entry = serde_json::json!({
            "file": name, "line": reject.line, "offset": reject.offset, "resourceType": reject.ty,
            "reason": reject.reason, "raw": String::from_utf8_lossy(raw),
        });
        // What is there is the beginning.
        if let Some(fields) = entry
            .as_object_mut()
            .filter(|_| reject.length > raw.len() as u64)
        {
            fields.insert("length".into(), reject.length.into());
        }
        self.found.push(reject.sequence, &entry.to_string());
        self.kept += 1;
        match self.found.text.len() >= FLUSH {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Hands over what is buffered.
    pub fn flush(&mut self) -> Result<()> {
        if self.found.found == 0 {
            return Ok(());
        }
        let mut inner = self.all.inner.lock().map_err(|_| failed())?;
        inner.lines.add(&self.found)?;
        inner.first.append(&mut self.first);
        if inner.first.len() > 8 * SHOWN {
            inner.first.sort();
            inner.first.truncate(SHOWN);
        }
        drop(inner);
        self.found.clear();
        Ok(())
    }
}
