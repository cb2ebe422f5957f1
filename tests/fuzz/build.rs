//! The import's line splitter with a chunk of 32 bytes, so that inputs of a fuzzer's size cross it.
//! Everything else of it is as it stands in `datasets`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a build fails by panicking"
)]

use std::path::Path;

const SOURCE: &str = "../../datasets/src/import/chunks.rs";

/// Hands out what the reader hands out of lines, from any reader.
const SPLIT: &str = r#"
pub fn split(reader: &mut dyn Read, resource: u64, hand: &mut dyn FnMut(Chunk) -> bool) {
    let turns = Turns::default();
    let mut input = Input {
        bytes: reader,
        packed: false,
        limits: Limits { resource, ..Limits::default() },
        turns: &turns,
        hand,
        file: 0,
        base: 0,
        line: 1,
        offset: 0,
        stopped: false,
        cut: vec![],
        damage: None,
    };
    if let Err(error) = input.lines(vec![]) {
        let cut = std::mem::take(&mut input.cut);
        let length = cut.len() as u64;
        input.damage = Some(error.to_string());
        input.give(cut, ChunkKind::Damaged(length), None, length.max(1));
    }
}
"#;

fn main() {
    println!("cargo::rerun-if-changed={SOURCE}");
    let mut text = std::fs::read_to_string(SOURCE).expect(SOURCE);
    let (from, to) = ("const CHUNK: usize = 4 << 20;", "const CHUNK: usize = 32;");
    assert_eq!(
        text.matches(from).count(),
        1,
        "`{from}` is not in {SOURCE} once: adapt build.rs"
    );
    text = text.replace(from, to);
    // `include!` takes no inner comments.
    let lines = text.lines().filter(|line| !line.starts_with("//!"));
    let text = lines.collect::<Vec<_>>().join("\n") + SPLIT;
    let out = std::env::var("OUT_DIR").expect("OUT_DIR");
    std::fs::write(Path::new(&out).join("chunks.rs"), text).expect("OUT_DIR can be written");
}
