//! Lines that are no resources: kept beside the lake's data, with where they stood and why.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::ordered::Ordered;

/// Collects rejects in a scratch file.
pub struct Rejects {
    names: Vec<String>,
    inner: Mutex<Inner>,
}

struct Inner {
    lines: Ordered,
    /// The first few, for the report.
    first: Vec<(u64, String)>,
}

/// How many rejects the report shows; all are in the file.
const SHOWN: usize = 10;

impl Rejects {
    pub fn create(path: PathBuf, names: Vec<String>) -> std::io::Result<Rejects> {
        let inner = Inner {
            lines: Ordered::create(path)?,
            first: vec![],
        };
        Ok(Rejects {
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
        inner.lines.add(sequence, &text)?;
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
        let Inner { lines, mut first } = inner;
        lines.finish(target)?;
        first.sort();
        Ok(first
            .into_iter()
            .take(SHOWN)
            .map(|(_, text)| text)
            .collect())
    }
}
