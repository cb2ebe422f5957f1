//! Lines that are no resources: kept beside the lake's data, with where they stood and why.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Collects rejects in a scratch file; they are put in the order of the input at the end.
pub struct Rejects {
    path: PathBuf,
    names: Vec<String>,
    inner: Mutex<Inner>,
}

struct Inner {
    file: BufWriter<File>,
    end: u64,
    /// Sequence, offset and length of each.
    index: Vec<(u64, u64, u64)>,
    /// The first few, for the report.
    first: Vec<(u64, String)>,
}

/// How many rejects the report shows; all are in the file.
const SHOWN: usize = 10;

impl Rejects {
    pub fn create(path: PathBuf, names: Vec<String>) -> std::io::Result<Rejects> {
        let file = BufWriter::new(File::create(&path)?);
        let inner = Inner {
            file,
            end: 0,
            index: vec![],
            first: vec![],
        };
        Ok(Rejects {
            path,
            names,
            inner: Mutex::new(inner),
        })
    }

    #[expect(clippy::too_many_arguments, reason = "one line of the rejects file")]
    pub fn add(
        &self,
        sequence: u64,
        file: usize,
        line: u64,
        offset: u64,
        ty: &str,
        reason: &str,
        raw: &[u8],
    ) -> std::io::Result<()> {
        let name = self.names.get(file).map_or("", String::as_str);
        let entry = serde_json::json!({
            "file": name, "line": line, "offset": offset, "resourceType": ty, "reason": reason,
            "raw": String::from_utf8_lossy(raw),
        });
        let mut text = entry.to_string();
        text.push('\n');
        let mut inner = self
            .inner
            .lock()
            .map_err(|_| std::io::Error::other("another thread failed"))?;
        inner.file.write_all(text.as_bytes())?;
        let at = inner.end;
        inner.end += text.len() as u64;
        inner.index.push((sequence, at, text.len() as u64));
        let shown = format!("{name}:{line}: {reason} (byte {offset})");
        inner.first.push((sequence, shown));
        if inner.first.len() > 8 * SHOWN {
            inner.first.sort();
            inner.first.truncate(SHOWN);
        }
        Ok(())
    }

    /// Writes them, in the order of the input, to `target` if there are any. Returns the first few.
    pub fn finish(self, target: &Path) -> std::io::Result<Vec<String>> {
        let inner = self
            .inner
            .into_inner()
            .map_err(|_| std::io::Error::other("another thread failed"))?;
        let Inner {
            file,
            mut index,
            mut first,
            ..
        } = inner;
        drop(file.into_inner().map_err(|e| e.into_error())?);
        if !index.is_empty() {
            if let Some(folder) = target.parent() {
                std::fs::create_dir_all(folder)?;
            }
            index.sort_unstable();
            let mut source = BufReader::new(File::open(&self.path)?);
            let mut out = BufWriter::new(File::create(target)?);
            for (_, offset, length) in index {
                source.seek(SeekFrom::Start(offset))?;
                std::io::copy(&mut source.by_ref().take(length), &mut out)?;
            }
            out.flush()?;
        }
        std::fs::remove_file(&self.path)?;
        first.sort();
        Ok(first
            .into_iter()
            .take(SHOWN)
            .map(|(_, text)| text)
            .collect())
    }
}
