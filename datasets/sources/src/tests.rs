use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::*;

fn put(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// The files that were found, by their paths in the folder.
fn names(found: &Sources, folder: &Path) -> Vec<String> {
    let files = found.files.iter();
    let inside = files.map(|f| f.path.strip_prefix(folder).unwrap());
    inside.map(|p| p.to_string_lossy().into_owned()).collect()
}

#[test]
fn files_are_found_by_name_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let all = [
        "b.json",
        "a/z.NDJSON",
        "a/y.jsonl.zst",
        "c.json.gz",
        "d.txt",
        ".hidden.json",
        ".git/x.json",
        "_lake/0.json",
        "rule.yaml",
        "more/rule.yml.gz",
    ];
    for name in all {
        put(dir.path(), name, b"{}");
    }
    let of = |kinds| find(&[dir.path()], kinds);
    let data = ["a/y.jsonl.zst", "a/z.NDJSON", "b.json", "c.json.gz"];
    assert_eq!(names(&of(DATA), dir.path()), data);
    assert_eq!(of(DATA).hidden, [dir.path().join(".hidden.json")]);
    assert!(of(RULES).hidden.is_empty());
    assert_eq!(of(DATA).ignored.len(), 3);
    assert_eq!(of(DATA).files[0].layout, Layout::Lines);
    assert_eq!(of(DATA).files[3].layout, Layout::Document);
    // A lake's folder is one like others where no data is looked for.
    let packages = ["_lake/0.json", "a/y.jsonl.zst", "a/z.NDJSON", "b.json"];
    assert_eq!(names(&of(FHIR), dir.path())[..4], packages);
    assert_eq!(
        names(&of(RULES), dir.path()),
        ["more/rule.yml.gz", "rule.yaml"]
    );
    // In the order of the paths, each once; one that is hidden can be named.
    let (b, hidden) = (dir.path().join("b.json"), dir.path().join(".hidden.json"));
    let found = find(&[&hidden, &b, &dir.path().to_owned(), &b], DATA);
    assert_eq!(
        names(&found, dir.path()),
        [
            ".hidden.json",
            "b.json",
            "a/y.jsonl.zst",
            "a/z.NDJSON",
            "c.json.gz"
        ]
    );
    assert_eq!(
        found.files.iter().map(|f| f.named).collect::<Vec<_>>(),
        [true, true, false, false, false]
    );
    assert_eq!(found.passed_over.len(), 2);
}

#[test]
fn what_is_named_must_be_there_and_of_the_kind() {
    let dir = tempfile::tempdir().unwrap();
    let odd = put(dir.path(), "odd.txt", b"{}");
    let gone = dir.path().join("gone.json");
    let text = list(&[&odd, &gone], DATA).unwrap_err();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains("odd.txt: cannot tell what this is: files must end in .ndjson"));
    assert!(lines[1].ends_with("gone.json: there is no such file or folder"));
    assert_eq!(list(&[&odd], FHIR).unwrap().files.len(), 1);
    assert_eq!(list(&[&odd], RULES).unwrap().files.len(), 1);
}

#[cfg(unix)]
#[test]
fn links_loops_and_what_is_no_file() {
    use std::os::unix::fs::symlink;
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "a.json", b"{}");
    put(dir.path(), "sub/b.json", b"{}");
    let at = |name: &str| dir.path().join(name);
    symlink("nowhere.json", at("dead.json")).unwrap();
    symlink("self.json", at("self.json")).unwrap();
    symlink("..", at("sub/up")).unwrap();
    symlink("a.json", at("z.json")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(at("pipe.json"))
        .status();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket.json")).unwrap();
    let found = find(&[dir.path()], FHIR);
    assert_eq!(names(&found, dir.path()), ["a.json", "sub/b.json"]);
    let told: Vec<String> = found
        .passed_over
        .iter()
        .map(|p| p.reason.to_string())
        .collect();
    let mut wanted = vec!["a link to a file that is not there"];
    if made.is_ok_and(|m| m.success()) {
        wanted.push("a named pipe: name it itself to read from it");
    }
    wanted.extend(["a link that leads to itself", "a socket"]);
    assert_eq!(told[..wanted.len()], wanted);
    assert!(told[wanted.len()].starts_with("the same folder as "));
    assert!(told[wanted.len() + 1].starts_with("the same file as "));
    assert!(found.problems.is_empty());
    let problems = find(&[at("dead.json"), at("self.json")], FHIR).problems;
    assert_eq!(problems[0].reason, Why::DeadLink);
    assert_eq!(problems[1].reason, Why::Loop);
}

/// The bytes decide, not the name.
#[test]
fn the_first_bytes_say_how_a_file_is_packed() {
    let dir = tempfile::tempdir().unwrap();
    let text: &[u8] = b"{\"resourceType\":\"Patient\"}";
    let marked = [b"\xef\xbb\xbf", text].concat();
    let two = [gz(&text[..5]), gz(&text[5..])].concat();
    let all = [
        ("a.json", text.to_vec()),
        ("bom.json", marked.clone()),
        ("a.json.gz", gz(text)),
        ("a.json.zst", zst(text)),
        ("gz-in.json", gz(text)),
        ("zst-in.json", zst(text)),
        ("zst-in.json.gz", zst(text)),
        ("gz-in.json.zst", gz(&marked)),
        ("plain.json.gz", text.to_vec()),
        ("plain-bom.json.zst", marked),
        ("two.json.gz", two),
    ];
    for (name, bytes) in &all {
        let path = put(dir.path(), name, bytes);
        assert_eq!(read_path(&path).unwrap(), text, "{name}");
    }
    let found = find(&[dir.path()], FHIR);
    assert_eq!(found.files.len(), all.len());
    for file in &found.files {
        assert_eq!(read(file).unwrap(), text, "{}", file.path.display());
    }
}

#[test]
fn what_is_damaged_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let whole = gz(&b"{\"resourceType\":\"Patient\"}".repeat(100));
    let cases: [(&str, &[u8], &str); 6] = [
        ("cut.gz", &whole[..whole.len() / 2], "damaged or cut off"),
        ("cut.zst", &zst(&[7; 5000])[..9], "damaged or cut off"),
        ("none.gz", b"one\n", "it is no gzip file"),
        ("none.zst", b"one\n", "damaged or cut off"),
        ("empty.gz", b"", "it is empty, no gzip file"),
        (
            "a.zip",
            b"PK\x03\x04....",
            "this is a zip archive: unpack it",
        ),
    ];
    for (name, bytes, says) in cases {
        let path = put(dir.path(), name, bytes);
        let whole = read_path(&path).unwrap_err().to_string();
        assert!(whole.contains(says), "{name}: {whole}");
        let mut opened = open_path(&path).unwrap();
        let error = opened.bytes.read_to_end(&mut vec![]).unwrap_err();
        let text = told(opened.packing, &error);
        assert!(text.contains(says), "{name}: {text}");
    }
}

#[test]
fn a_release_is_read_packed_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let read = |name: &str| {
        let mut text = String::new();
        let mut opened = open_beside(dir.path(), name)?;
        opened.bytes.read_to_string(&mut text).map(|_| text)
    };
    put(dir.path(), "A.RRF", b"a");
    put(dir.path(), "B.RRF.gz", &gz(b"b"));
    put(dir.path(), "C.RRF.zst", &zst(b"c"));
    for (name, wanted) in [("A.RRF", "a"), ("B.RRF", "b"), ("C.RRF", "c")] {
        assert_eq!(read(name).unwrap(), wanted);
    }
    let missing = read("D.RRF").unwrap_err();
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn lines_are_told_from_a_document() {
    for (text, lines) in [
        ("{\"a\":1}\n{\"b\":2}\n", true),
        ("\u{feff}{\"a\":1}\r\n\r\n{\"b\":", true),
        ("{\"a\":1}", false),
        ("{\n\"a\":1}\n", false),
        ("{\"a\":\n{}}", false),
        ("", false),
    ] {
        assert_eq!(is_lines(text.as_bytes()), lines, "{text}");
    }
}

#[test]
fn a_file_is_found_by_its_name_or_with_another_ending() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "measure.ndjson.gz", b"");
    put(dir.path(), "measures.json", b"");
    let found = |name| named(dir.path(), name, FHIR).map(|p| p.file_name().unwrap().to_owned());
    assert_eq!(found("measure.json").unwrap(), "measure.ndjson.gz");
    assert_eq!(found("valuesets.ndjson"), None);
    for name in ["measure.json", "valuesets.json", "valuesets.ndjson"] {
        put(dir.path(), name, b"");
    }
    put(dir.path(), "measure.ndjson", b"");
    for name in ["measure.json", "valuesets.ndjson"] {
        assert_eq!(found(name).unwrap(), name);
    }
}
