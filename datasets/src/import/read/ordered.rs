//! Lines that threads find in any order, put in the order of the input at the end, and of each file
//! of the input only so many.

use std::fs::File;
use std::io::{BufReader, BufWriter, Error, Read, Result, Write};
use std::path::{Path, PathBuf};

use engine_population::lake::local::{make_folder, sync_folder};
use rustc_hash::FxHashMap;

use crate::import::scratch_file::damaged;

/// A scratch file of blocks of lines. Which lines are kept depends on the input only, not on the
/// threads: the first of each file.
pub struct Ordered {
    path: PathBuf,
    out: BufWriter<File>,
    end: u64,
    /// Lines kept of each file.
    most: u64,
    blocks: Vec<Block>,
    files: FxHashMap<usize, OfFile>,
}

struct Block {
    sequence: u64,
    file: usize,
    offset: u64,
    length: u64,
}

/// What is known of a file's lines.
#[derive(Default)]
struct OfFile {
    /// All that were found.
    found: u64,
    /// The places of the blocks that are kept, and their lines.
    kept: Vec<(u64, u64)>,
    sum: u64,
    /// The blocks up to this place are enough.
    enough: Option<u64>,
}

impl OfFile {
    /// Whether a block is needed.
    fn wants(&self, sequence: u64) -> bool {
        self.enough.is_none_or(|enough| sequence < enough)
    }

    fn keep(&mut self, sequence: u64, lines: u64, most: u64) {
        self.kept.push((sequence, lines));
        self.sum += lines;
        if self.sum < most {
            return;
        }
        self.kept.sort_unstable();
        let mut sum = 0;
        let needed = self.kept.iter().position(|(_, lines)| {
            sum += lines;
            sum >= most
        });
        if let Some(needed) = needed {
            self.kept.truncate(needed + 1);
            self.sum = sum;
            self.enough = self.kept.last().map(|(place, _)| *place);
        }
    }
}

/// Lines of one file that one thread found one after the other.
#[derive(Default)]
pub struct Found {
    /// Number of the file.
    pub file: usize,
    /// Where the first of them stands: later in the input is greater.
    pub sequence: u64,
    /// Their ends included; not more than are kept of a file.
    pub text: String,
    /// How many lines are in the text.
    pub lines: u64,
    /// How many there were.
    pub found: u64,
}

impl Found {
    /// Takes in one more line, without its end.
    pub fn push(&mut self, sequence: u64, line: &str) {
        if self.lines == 0 {
            self.sequence = sequence;
        }
        self.text += line;
        self.text.push('\n');
        self.lines += 1;
    }

    /// They were handed over.
    pub fn clear(&mut self) {
        self.text.clear();
        (self.lines, self.found) = (0, 0);
    }
}

/// Lines of a file that are not kept.
pub type NotKept = Vec<(usize, u64)>;

impl Ordered {
    /// `most` lines are kept of each file.
    pub fn create(path: PathBuf, most: u64) -> Result<Ordered> {
        let out = BufWriter::new(File::create(&path)?);
        Ok(Ordered {
            path,
            out,
            end: 0,
            most,
            blocks: vec![],
            files: FxHashMap::default(),
        })
    }

    pub fn add(&mut self, found: &Found) -> Result<()> {
        let of = self.files.entry(found.file).or_default();
        of.found += found.found;
        if found.lines == 0 || !of.wants(found.sequence) {
            return Ok(());
        }
        of.keep(found.sequence, found.lines, self.most);
        self.out.write_all(found.text.as_bytes())?;
        let length = found.text.len() as u64;
        self.blocks.push(Block {
            sequence: found.sequence,
            file: found.file,
            offset: self.end,
            length,
        });
        self.end += length;
        Ok(())
    }

    /// Writes them to `target` if there are any: the first of each file, and behind them, where there
    /// are more, what `footer` says of so many. Removes the scratch file.
    pub fn finish(self, target: &Path, footer: impl Fn(usize, u64) -> String) -> Result<NotKept> {
        let path = self.path.clone();
        let written = self.write(target, footer);
        if written.is_err() {
            // Half of it would look whole.
            let _ = std::fs::remove_file(target);
        }
        let not_kept = written?;
        std::fs::remove_file(&path)?;
        Ok(not_kept)
    }

    fn write(self, target: &Path, footer: impl Fn(usize, u64) -> String) -> Result<NotKept> {
        let (most, files, mut blocks) = (self.most, self.files, self.blocks);
        drop(self.out.into_inner().map_err(|e| e.into_error())?);
        let mut not_kept: NotKept = files
            .iter()
            .filter(|(_, of)| of.found > most)
            .map(|(file, of)| (*file, of.found - most))
            .collect();
        not_kept.sort_unstable();
        if files.values().all(|of| of.found == 0) {
            return Ok(not_kept);
        }
        if let Some(folder) = target.parent() {
            make_folder(folder)?;
        }
        let scratch = File::open(&self.path)?;
        if scratch.metadata()?.len() != self.end {
            return Err(damaged());
        }
        blocks.sort_unstable_by_key(|b| (b.sequence, b.offset));
        let mut source = BufReader::with_capacity(1 << 18, scratch);
        let mut out = BufWriter::with_capacity(1 << 18, File::create(target)?);
        let (mut at, mut text, mut left) = (0u64, vec![], (usize::MAX, most));
        let mut footers = not_kept.iter().peekable();
        let mut end_file = |until: usize, out: &mut BufWriter<File>| -> Result<()> {
            while let Some((file, n)) = footers.next_if(|(file, _)| *file < until) {
                out.write_all(footer(*file, *n).as_bytes())?;
            }
            Ok(())
        };
        for block in blocks {
            if left.0 != block.file {
                end_file(block.file, &mut out)?;
                left = (block.file, most);
            }
            if left.1 == 0 {
                continue;
            }
            let distance = i64::try_from(block.offset).ok().zip(i64::try_from(at).ok());
            let (to, from) = distance.ok_or_else(|| Error::other("a scratch file too large"))?;
            source.seek_relative(to - from)?;
            text.clear();
            (&mut source).take(block.length).read_to_end(&mut text)?;
            if text.len() as u64 != block.length {
                return Err(damaged());
            }
            at = block.offset + block.length;
            let mut lines = 0;
            let wanted = memchr::memchr_iter(b'\n', &text)
                .take(usize::try_from(left.1).unwrap_or(usize::MAX))
                .inspect(|_| lines += 1)
                .last();
            out.write_all(text.get(..wanted.map_or(0, |w| w + 1)).unwrap_or_default())?;
            left.1 -= lines;
        }
        end_file(usize::MAX, &mut out)?;
        out.flush()?;
        // The commit to come names it.
        out.get_ref().sync_all()?;
        if let Some(folder) = target.parent() {
            sync_folder(folder)?;
        }
        Ok(not_kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(file: usize, from: u64, n: u64) -> Found {
        Found {
            file,
            sequence: from,
            text: (from..from + n).map(|l| format!("{file}:{l}\n")).collect(),
            lines: n,
            found: n,
        }
    }

    /// In whatever order blocks come, the first lines of each file are kept.
    #[test]
    fn the_first_of_each_file_in_the_order_of_the_input() {
        let dir = tempfile::tempdir().unwrap();
        let wanted = "0:1\n0:2\n0:5\nfile 0: 5 more\n1:20\n1:21\n1:22\nfile 1: 1 more\n2:40\n";
        let mut order = vec![(0, 5, 4), (1, 20, 4), (0, 1, 2), (2, 40, 1), (0, 11, 2)];
        for turn in 0..5 {
            order.rotate_left(1);
            let target = dir.path().join(format!("{turn}/out"));
            let mut all = Ordered::create(dir.path().join("scratch"), 3).unwrap();
            for (file, from, n) in &order {
                all.add(&lines(*file, *from, *n)).unwrap();
            }
            let not_kept = all.finish(&target, |file, n| format!("file {file}: {n} more\n"));
            assert_eq!(not_kept.unwrap(), [(0, 5), (1, 1)]);
            assert_eq!(std::fs::read_to_string(&target).unwrap(), wanted);
        }
    }

    #[test]
    fn a_scratch_file_that_is_short_or_gone_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        for harm in ["gone", "short"] {
            let path = dir.path().join(harm);
            let mut all = Ordered::create(path.clone(), 100).unwrap();
            all.add(&lines(0, 1, 50)).unwrap();
            all.out.flush().unwrap();
            match harm {
                "gone" => std::fs::remove_file(&path).unwrap(),
                _ => File::options()
                    .write(true)
                    .open(&path)
                    .unwrap()
                    .set_len(30)
                    .unwrap(),
            }
            let target = dir.path().join("out");
            assert!(all.finish(&target, |_, _| String::new()).is_err(), "{harm}");
            assert!(!target.exists());
        }
    }
}
