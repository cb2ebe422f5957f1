//! Lines that threads find in any order, put in the order of the input at the end.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A scratch file of lines.
pub struct Ordered {
    path: PathBuf,
    file: BufWriter<File>,
    end: u64,
    /// Sequence, offset and length of each.
    index: Vec<(u64, u64, u64)>,
}

impl Ordered {
    pub fn create(path: PathBuf) -> std::io::Result<Ordered> {
        let file = BufWriter::new(File::create(&path)?);
        Ok(Ordered {
            path,
            file,
            end: 0,
            index: vec![],
        })
    }

    /// Adds a line, its end included.
    pub fn add(&mut self, sequence: u64, line: &str) -> std::io::Result<()> {
        self.file.write_all(line.as_bytes())?;
        self.index.push((sequence, self.end, line.len() as u64));
        self.end += line.len() as u64;
        Ok(())
    }

    /// Writes them to `target` if there are any. Removes the scratch file.
    pub fn finish(self, target: &Path) -> std::io::Result<()> {
        let Ordered {
            path,
            file,
            mut index,
            ..
        } = self;
        drop(file.into_inner().map_err(|e| e.into_error())?);
        if !index.is_empty() {
            if let Some(folder) = target.parent() {
                std::fs::create_dir_all(folder)?;
            }
            index.sort_unstable();
            let mut source = BufReader::new(File::open(&path)?);
            let mut out = BufWriter::new(File::create(target)?);
            for (_, offset, length) in index {
                source.seek(SeekFrom::Start(offset))?;
                std::io::copy(&mut source.by_ref().take(length), &mut out)?;
            }
            out.flush()?;
        }
        std::fs::remove_file(&path)
    }
}
