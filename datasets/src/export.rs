//! Export: the lake back to NDJSON, every resource as it came.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use engine_patient::bundle::restored;
use engine_population::lake::{Lake, LakeError, reader, schema};

/// Resources written, by type.
pub type Exported = BTreeMap<String, u64>;

/// Why an export did not happen.
#[derive(Debug)]
pub enum ExportError {
    /// The user's mistake.
    User(String),
    /// The lake.
    Lake(LakeError),
    /// Writing.
    Io(PathBuf, std::io::Error),
}

impl std::fmt::Display for ExportError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(text) => f.write_str(text),
            Self::Lake(e) => write!(f, "{e}"),
            Self::Io(path, e) => write!(f, "{}: {e}", path.display()),
        }
    }
}

impl std::error::Error for ExportError {}

impl From<LakeError> for ExportError {
    fn from(e: LakeError) -> Self {
        Self::Lake(e)
    }
}

const COLUMNS: [&str; 3] = ["resource_type", "raw", "restore"];

/// Writes `<out>/<Type>.ndjson` for every type. The folder must not hold NDJSON files yet. Every
/// resource is as it came; with `resolved` as it is evaluated: references within Bundles are `Type/id`,
/// and what came without an id has the one it was given. `progress` is told the number of resources so far.
pub async fn export(
    lake: &Lake,
    out: &Path,
    resolved: bool,
    progress: &dyn Fn(u64),
) -> Result<Exported, ExportError> {
    let io = |e| ExportError::Io(out.to_owned(), e);
    crate::folder::make(out).map_err(ExportError::User)?;
    for entry in std::fs::read_dir(out).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|e| e == "ndjson") {
            let text = format!(
                "{} holds {} already: export into an empty folder",
                out.display(),
                path.display()
            );
            return Err(ExportError::User(text));
        }
    }
    let mut writers: BTreeMap<String, (BufWriter<File>, u64)> = BTreeMap::new();
    let mut done = 0;
    for table in [schema::SHARED, schema::RESOURCES] {
        for file in lake.files(table) {
            for batch in reader::read_columns(&lake.store, table, file, &COLUMNS).await? {
                let text = |name: &str| {
                    batch
                        .column_by_name(name)
                        .and_then(|c| c.as_string_opt::<i32>())
                };
                let Some(((types, raws), restores)) =
                    text("resource_type").zip(text("raw")).zip(text("restore"))
                else {
                    return Err(LakeError::bug("a table of resources has other columns").into());
                };
                for i in 0..raws.len() {
                    let ty = types.value(i);
                    let changed = (restores.is_valid(i) && !resolved).then(|| restores.value(i));
                    let raw = restored(raws.value(i), changed)
                        .map_err(|e| LakeError::Data(e.to_string()))?;
                    if !writers.contains_key(ty) {
                        let path = out.join(format!("{ty}.ndjson"));
                        let file = File::create(&path).map_err(|e| ExportError::Io(path, e))?;
                        writers.insert(ty.to_owned(), (BufWriter::with_capacity(1 << 20, file), 0));
                    }
                    if let Some((writer, count)) = writers.get_mut(ty) {
                        writer.write_all(raw.as_bytes()).map_err(io)?;
                        writer.write_all(b"\n").map_err(io)?;
                        *count += 1;
                    }
                }
                done += raws.len() as u64;
                progress(done);
            }
        }
    }
    let mut exported = Exported::new();
    for (ty, (mut writer, count)) in writers {
        writer.flush().map_err(io)?;
        exported.insert(ty, count);
    }
    Ok(exported)
}
