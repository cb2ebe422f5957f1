use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::*;

fn source(path: &Path, layout: Layout, packing: Packing) -> Source {
    Source {
        path: path.to_owned(),
        packing,
        layout,
        bytes: std::fs::metadata(path).unwrap().len(),
        pipe: false,
        named: true,
    }
}

type Seen = (ChunkKind, u64, u64, usize);

/// The chunks as kind, line, offset and length, and the damage.
fn read(source: &Source, limits: Limits) -> (Vec<Seen>, Option<Damage>) {
    let progress = Progress::default();
    let mut reader = Reader {
        limits,
        progress: &progress,
        turns: Turns::default(),
        base: 0,
    };
    let mut chunks = vec![];
    let damage = reader
        .read(0, source, &mut |c| {
            chunks.push((c.kind, c.line, c.offset, c.bytes.len()));
            true
        })
        .unwrap();
    (chunks, damage)
}

fn file(dir: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

const SMALL: Limits = Limits {
    resource: 5 << 20,
    document: 9 << 20,
    rejects: 10,
    part: 1 << 20,
};

#[test]
fn a_line_too_long_is_passed_over_and_its_neighbours_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let long = 21 << 20;
    let content = [b"one\n".as_slice(), &vec![b'x'; long], b"\ntwo\n"].concat();
    let path = file(dir.path(), "long.ndjson", &content);
    let (chunks, damage) = read(&source(&path, Layout::Lines, Packing::Plain), SMALL);
    assert!(damage.is_none());
    let end = content.len() as u64;
    assert_eq!(
        chunks,
        [
            (ChunkKind::Lines, 1, 0, 4),
            (ChunkKind::LongLine(long as u64), 2, 4, SHOWN),
            (ChunkKind::Lines, 3, end - 4, 4),
        ]
    );
    // Without an end.
    let path = file(dir.path(), "cut.ndjson", &content[..content.len() - 5]);
    let (chunks, damage) = read(&source(&path, Layout::Lines, Packing::Plain), SMALL);
    assert!(damage.is_none());
    assert_eq!(
        chunks[1..],
        [(ChunkKind::LongLine(long as u64), 2, 4, SHOWN)]
    );
}

#[test]
fn lines_in_a_document_are_read_as_lines_however_many() {
    let dir = tempfile::tempdir().unwrap();
    let line = format!("{{\"a\":\"{}\"}}\n", "x".repeat(1000));
    let path = file(dir.path(), "lines.json", line.repeat(20_000).as_bytes());
    let (chunks, _) = read(&source(&path, Layout::Document, Packing::Plain), SMALL);
    assert!(chunks.len() > 2 && chunks.iter().all(|c| c.0 == ChunkKind::Lines));
    assert_eq!(
        chunks.iter().map(|c| c.3).sum::<usize>(),
        20_000 * line.len()
    );
    let one = format!("{{\n\"a\":\"{}\"}}\n", "x".repeat(12 << 20));
    let path = file(dir.path(), "one.json", one.as_bytes());
    let (chunks, _) = read(&source(&path, Layout::Document, Packing::Plain), SMALL);
    assert_eq!(
        chunks,
        [(ChunkKind::LargeDocument(one.len() as u64), 1, 0, SHOWN)]
    );
}

fn zipped(content: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(vec![], flate2::Compression::best());
    out.write_all(content).unwrap();
    out.finish().unwrap()
}

#[test]
fn archives_end_where_they_end() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (zipped(b"one\n"), zipped(b"two\n"));
    let mut wrong = one.clone();
    let crc = wrong.len() - 6;
    wrong[crc] ^= 1;
    let cases: [(&str, Vec<u8>, usize, Option<&str>); 9] = [
        ("members", [&*one, &*two].concat(), 8, None),
        ("padding", [&*one, &[0; 1000]].concat(), 4, None),
        (
            "padded",
            [&*one, &[0; 1000], &*two].concat(),
            4,
            Some("no gzip"),
        ),
        ("garbage", [&*one, b"garbage"].concat(), 4, Some("no gzip")),
        ("empty", vec![], 0, Some("empty")),
        ("plain", b"one\n".to_vec(), 0, Some("no gzip file")),
        ("cut", one[..one.len() - 9].to_vec(), 4, Some("damaged")),
        ("checksum", wrong, 4, Some("damaged")),
        (
            "second-cut",
            [&*one, &two[..15]].concat(),
            8,
            Some("damaged"),
        ),
    ];
    for (name, content, kept, says) in cases {
        let path = file(dir.path(), name, &content);
        let (chunks, damage) = read(&source(&path, Layout::Lines, Packing::Gzip), SMALL);
        let lines = chunks.iter().filter(|c| c.0 == ChunkKind::Lines);
        let got: usize = lines.map(|c| c.3).sum();
        let reason = damage.map(|d| d.reason);
        assert!(
            got <= kept && (got == kept || name.contains("cut")),
            "{name}: {got}"
        );
        assert_eq!(reason.is_some(), says.is_some(), "{name}: {reason:?}");
        assert!(
            reason
                .unwrap_or_default()
                .contains(says.unwrap_or_default()),
            "{name}"
        );
    }
}

/// A few hundred kilobytes that would be gigabytes: the memory is bounded, and so is the time.
#[test]
fn bombs_are_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let block = vec![b' '; 1 << 20];
    let mut out = zstd::stream::write::Encoder::new(vec![], 3).unwrap();
    for n in 0..1200 {
        out.write_all(&block).unwrap();
        if n % 2 == 0 {
            out.write_all(b"\n").unwrap();
        }
    }
    let lines = out.finish().unwrap();
    let path = file(dir.path(), "lines.ndjson.zst", &lines);
    let (_, damage) = read(&source(&path, Layout::Lines, Packing::Zstd), SMALL);
    assert!(damage.unwrap().reason.contains("more than 500 times"));

    // A window that would take 2 GiB.
    let mut out = zstd::stream::write::Encoder::new(vec![], 1).unwrap();
    out.window_log(31).unwrap();
    out.write_all(&block).unwrap();
    let path = file(dir.path(), "window.ndjson.zst", &out.finish().unwrap());
    let (_, damage) = read(&source(&path, Layout::Lines, Packing::Zstd), SMALL);
    let reason = damage.unwrap().reason;
    assert!(reason.contains("zstd --long"), "{reason}");

    let path = file(dir.path(), "empty.ndjson.zst", b"");
    let (_, damage) = read(&source(&path, Layout::Lines, Packing::Zstd), SMALL);
    assert!(damage.unwrap().reason.contains("empty"));
}
