//! The import's line splitter (see `build.rs`), and what it gives for lines in.
#![allow(dead_code, reason = "the splitter is used in part")]

use std::io::{Error, Read};

use chunks::{Chunk, ChunkKind};

/// Longest line that is read, so that inputs of a fuzzer's size cross it.
const LARGEST: usize = 256;

#[path = "../../../../datasets/src/import/limits.rs"]
pub mod limits;

// Only what the file names: nothing is opened here.
pub mod progress {
    pub struct Progress;

    impl sources::Watcher for Progress {}
}

pub mod chunks {
    include!(concat!(env!("OUT_DIR"), "/chunks.rs"));
}

/// Gives so many bytes a call, and an error in place of the end where the file is damaged.
struct Reads<'d> {
    data: &'d [u8],
    step: usize,
    damaged: bool,
}

impl Read for Reads<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.step.min(self.data.len()).min(buffer.len());
        if n == 0 && self.damaged && !buffer.is_empty() {
            return Err(Error::other("damaged"));
        }
        let (now, rest) = self.data.split_at(n);
        buffer[..n].copy_from_slice(now);
        self.data = rest;
        Ok(n)
    }
}

/// Every line of `data` must be handed out once, in order, with its place; of one that is too long
/// its beginning.
pub fn check(data: &[u8]) {
    // Any choice will do that is the same for the same input.
    let seed = data.iter().fold(data.len(), |h, b| {
        h.wrapping_mul(31).wrapping_add(usize::from(*b))
    });
    let step = [1, 5, 31, 32, 33, 1000][seed % 6];
    for damaged in [false, true] {
        let mut found = vec![];
        let mut reader = Reads {
            data,
            step,
            damaged,
        };
        chunks::split(&mut reader, LARGEST as u64, &mut |chunk| {
            found.push(chunk);
            true
        });
        check_chunks(data, &found, damaged);
    }
}

fn check_chunks(data: &[u8], found: &[Chunk], damaged: bool) {
    let (mut at, mut line) = (0, 1);
    let mut too_large = false;
    for (index, chunk) in found.iter().enumerate() {
        let last = index + 1 == found.len();
        assert_eq!(chunk.offset, at as u64, "chunk {index} begins elsewhere");
        assert_eq!(chunk.line, line, "chunk {index} has another line");
        let damage = matches!(chunk.kind, ChunkKind::Damaged(_));
        assert!(at == 0 || too_large || damage || data[at - 1] == b'\n');
        too_large = false;
        match chunk.kind {
            ChunkKind::Lines => {
                let end = at + chunk.bytes.len();
                assert_eq!(
                    data.get(at..end),
                    Some(&chunk.bytes[..]),
                    "chunk {index} has other bytes"
                );
                let rest_is_damage = damaged && index + 2 == found.len();
                assert!(
                    last || rest_is_damage || chunk.bytes.ends_with(b"\n"),
                    "chunk {index} cuts a line"
                );
                at = end;
                line += memchr::memchr_iter(b'\n', &chunk.bytes).count() as u64;
            }
            ChunkKind::LongLine(told) => {
                let rest = &data[at..];
                let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                assert_eq!(told, length as u64, "chunk {index} tells another length");
                assert!(
                    length > LARGEST && rest.starts_with(&chunk.bytes),
                    "chunk {index} is not too large"
                );
                at += (length + 1).min(rest.len());
                too_large = true;
                // Also where it ends with the file, without a line feed.
                line += 1;
            }
            ChunkKind::Damaged(told) => {
                assert!(damaged && last, "chunk {index} is not damaged");
                let rest = &data[at..];
                assert_eq!(told, rest.len() as u64, "the cut line has another length");
                assert_eq!(rest, &chunk.bytes[..], "the cut line has other bytes");
                at = data.len();
            }
            ChunkKind::Document | ChunkKind::LargeDocument(_) => panic!("lines are no document"),
        }
    }
    assert_eq!(at, data.len(), "the last bytes were not handed out");
    assert_eq!(
        damaged,
        found
            .last()
            .is_some_and(|c| matches!(c.kind, ChunkKind::Damaged(_)))
    );
}
