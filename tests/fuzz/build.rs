//! The import's line splitter with a chunk of 32 bytes and a longest line of 256, so that inputs of
//! a fuzzer's size cross both bounds. Everything else of it is as it stands in `datasets`.

use std::path::Path;

const SOURCE: &str = "../../datasets/src/import/chunks.rs";

/// Hands out what `chunks::read` hands out, from any reader.
const SPLIT: &str = r#"
pub fn split(reader: &mut dyn Read, hand: &mut dyn FnMut(Chunk) -> bool) {
    let mut cursor = Cursor { file: 0, line: 1, offset: 0 };
    if let Err(error) = lines(reader, &mut cursor, hand) {
        hand(cursor.chunk(error.to_string().into_bytes(), ChunkKind::Damaged));
    }
}
"#;

fn main() {
    println!("cargo::rerun-if-changed={SOURCE}");
    let mut text = std::fs::read_to_string(SOURCE).expect(SOURCE);
    for (from, to) in [
        ("const CHUNK: usize = 4 << 20;", "pub const CHUNK: usize = 32;"),
        ("pub const LARGEST: usize = 1 << 30;", "pub const LARGEST: usize = 256;"),
    ] {
        assert_eq!(text.matches(from).count(), 1, "`{from}` is not in {SOURCE} once: adapt build.rs");
        text = text.replace(from, to);
    }
    // `include!` takes no inner comments.
    let lines = text.lines().filter(|line| !line.starts_with("//!"));
    let text = lines.collect::<Vec<_>>().join("\n") + SPLIT;
    let out = std::env::var("OUT_DIR").expect("OUT_DIR");
    std::fs::write(Path::new(&out).join("chunks.rs"), text).expect("OUT_DIR can be written");
}
