//! Broken files: what can be read is imported, each reject is told with its place and reason.
//! That nothing panics and no data is repeated is checked in every run: see `support::run`.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::*;

/// Bytes that are one bad line, and what the user is told of it.
struct BadLine {
    name: &'static str,
    line: Vec<u8>,
    says: &'static str,
}

fn bad(name: &'static str, line: impl AsRef<[u8]>, says: &'static str) -> BadLine {
    BadLine {
        name,
        line: line.as_ref().to_vec(),
        says,
    }
}

/// A resource with a name, cut or bent by the caller.
fn secret(before: &str, after: &str) -> String {
    format!("{{{before}\"name\":[{{\"family\":\"{SECRET}\"}}]{after}}}")
}

const PATIENT: &str = "\"resourceType\":\"Patient\",\"id\":\"x\",";

fn bad_lines() -> Vec<BadLine> {
    let deep = |n: usize| {
        secret(
            PATIENT,
            &format!(",\"x\":{}{}", "[".repeat(n), "]".repeat(n)),
        )
    };
    let objects = |n: usize| {
        secret(
            PATIENT,
            &format!(",\"x\":{}1{}", "{\"y\":".repeat(n), "}".repeat(n)),
        )
    };
    let about = |subject: &str| {
        format!(
            "{{\"resourceType\":\"Observation\",\"id\":\"x\",\"subject\":{subject},\"note\":\"{SECRET}\"}}"
        )
    };
    let whole = secret(PATIENT, "");
    vec![
        bad(
            "cut off in a string",
            &whole[..whole.len() - 10],
            "ends inside a string",
        ),
        bad(
            "cut off between properties",
            &whole[..whole.len() - 1],
            "ends too early",
        ),
        bad("cut off at the start", "{", "ends too early"),
        bad("no JSON", format!("MRN;{SECRET};1970"), "not valid JSON"),
        bad(
            "XML",
            format!("<Patient><name value=\"{SECRET}\"/></Patient>"),
            "not valid JSON",
        ),
        bad(
            "not UTF-8",
            [whole.as_bytes(), b"\xff\xfe"].concat(),
            "not UTF-8",
        ),
        bad(
            "Latin-1",
            [
                b"{\"resourceType\":\"Patient\",\"id\":\"x\",\"name\":\"SECRETNAME M\xfcller\"}"
                    .as_slice(),
            ]
            .concat(),
            "not UTF-8",
        ),
        bad(
            "an array",
            format!("[{whole}]"),
            "a FHIR resource is a JSON object",
        ),
        bad("a number", "42", "a FHIR resource is a JSON object"),
        bad(
            "a string",
            format!("\"{SECRET}\""),
            "a FHIR resource is a JSON object",
        ),
        bad("null", "null", "a FHIR resource is a JSON object"),
        bad(
            "two resources in a line",
            format!("{whole}{whole}"),
            "text after the end",
        ),
        bad(
            "a comma after the resource",
            format!("{whole},"),
            "text after the end",
        ),
        bad(
            "no resourceType",
            secret("\"id\":\"x\",", ""),
            "no `resourceType`",
        ),
        bad(
            "resourceType a number",
            secret("\"resourceType\":1,\"id\":\"x\",", ""),
            "no `resourceType`",
        ),
        bad(
            "resourceType unknown",
            secret("\"resourceType\":\"Pateint\",\"id\":\"x\",", ""),
            "`Pateint` is not a FHIR R4 resource type",
        ),
        bad(
            "resourceType abstract",
            secret("\"resourceType\":\"DomainResource\",\"id\":\"x\",", ""),
            "not a FHIR R4 resource type",
        ),
        bad(
            "resourceType is data",
            format!("{{\"resourceType\":\"{SECRET} {SECRET}\",\"id\":\"x\"}}"),
            "is not a FHIR R4 resource type",
        ),
        bad(
            "no id",
            secret("\"resourceType\":\"Patient\",", ""),
            "no `id`",
        ),
        bad(
            "id empty",
            secret("\"resourceType\":\"Patient\",\"id\":\"\",", ""),
            "`id` is not a FHIR id",
        ),
        bad(
            "id a number",
            secret("\"resourceType\":\"Patient\",\"id\":7,", ""),
            "`id` is not a FHIR id",
        ),
        bad(
            "id with a slash",
            format!("{{\"resourceType\":\"Patient\",\"id\":\"../{SECRET}\"}}"),
            "`id` is not a FHIR id",
        ),
        bad(
            "id too long",
            format!(
                "{{\"resourceType\":\"Patient\",\"id\":\"{SECRET}{}\"}}",
                "x".repeat(55)
            ),
            "`id` is not a FHIR id",
        ),
        bad(
            "meta a string",
            secret(PATIENT, ",\"meta\":\"v1\""),
            "`meta` must be an object",
        ),
        bad(
            "meta an array",
            secret(PATIENT, ",\"meta\":[]"),
            "`meta` must be an object",
        ),
        bad(
            "subject a string",
            about(&format!("\"Patient/{SECRET}\"")),
            "`subject` must be a Reference",
        ),
        bad(
            "subject a number",
            about("1"),
            "`subject` must be a Reference",
        ),
        bad(
            "deep arrays",
            deep(5000),
            "nesting is deeper than 100 levels",
        ),
        bad(
            "deep objects",
            objects(5000),
            "nesting is deeper than 100 levels",
        ),
        bad(
            "very deep, never closed",
            "[".repeat(2_000_000),
            "nesting is deeper than 100 levels",
        ),
        bad(
            "a property twice",
            secret(PATIENT, ",\"id\":\"y\""),
            "a property occurs twice",
        ),
        bad(
            "a property twice below",
            secret(PATIENT, ",\"x\":[{\"a\":1,\"b\":2,\"a\":1}]"),
            "a property occurs twice",
        ),
        bad(
            "NUL in a string",
            secret(PATIENT, ",\"x\":\"\0\""),
            "control character",
        ),
        bad("NUL between", format!("\0{whole}"), "not valid JSON"),
        bad(
            "tab in a string",
            secret(PATIENT, ",\"x\":\"a\tb\""),
            "control character",
        ),
        bad(
            "half a surrogate",
            secret(PATIENT, ",\"x\":\"\\ud83d\""),
            "surrogate",
        ),
        bad(
            "unknown escape",
            secret(PATIENT, ",\"x\":\"\\x41\""),
            "unknown escape",
        ),
        bad("NaN", secret(PATIENT, ",\"x\":NaN"), "not valid JSON"),
        bad(
            "leading zero",
            secret(PATIENT, ",\"x\":007"),
            "must not start with a zero",
        ),
        bad("single quotes", whole.replace('"', "'"), "not valid JSON"),
        bad("comment", secret(PATIENT, "/* x */"), "not valid JSON"),
        bad("comma too many", secret(PATIENT, ","), "not valid JSON"),
        bad(
            "entry without resource",
            r#"{"resourceType":"Bundle","type":"batch","entry":[{"fullUrl":"urn:uuid:SECRETNAME"}]}"#,
            "a Bundle entry without a resource",
        ),
        bad(
            "entry that is no object",
            r#"{"resourceType":"Bundle","entry":["SECRETNAME"]}"#,
            "a Bundle entry without a resource",
        ),
        bad(
            "resource that is no object",
            r#"{"resourceType":"Bundle","entry":[{"resource":"SECRETNAME"}]}"#,
            "no `resourceType`",
        ),
        bad(
            "resource of an entry without id",
            format!(
                "{{\"resourceType\":\"Bundle\",\"entry\":[{{\"resource\":{}}}]}}",
                secret("\"resourceType\":\"Patient\",", "")
            ),
            "no `id`",
        ),
        bad(
            "Bundle cut off",
            format!("{{\"resourceType\":\"Bundle\",\"entry\":[{{\"resource\":{whole}}},"),
            "ends too early",
        ),
    ]
}

/// The entries of a rejects file.
fn rejects(report: &Value) -> Vec<Value> {
    let text = fs::read_to_string(report["rejects_file"].as_str().unwrap()).unwrap();
    text.lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

/// A bad line is told with its file, line, byte and reason; its neighbours are imported.
#[test]
fn bad_lines_are_rejected_one_by_one() {
    let dir = folder();
    let before = patient("before", "");
    for (n, BadLine { name, line, says }) in bad_lines().into_iter().enumerate() {
        let path = dir.path().join(format!("{n}.ndjson"));
        let content = [
            before.as_bytes(),
            &line,
            b"\n",
            patient("after", "").as_bytes(),
        ]
        .concat();
        fs::write(&path, &content).unwrap();

        let report = import(&dir.path().join(format!("lake-{n}")), &[&path]);
        assert_eq!(
            (total(&report, "stored"), total(&report, "rejected")),
            (2, 1),
            "{name}: {report:#}"
        );
        let found = rejects(&report);
        assert_eq!(found.len(), 1, "{name}");
        let reject = &found[0];
        assert_eq!(
            (&reject["file"], &reject["line"]),
            (&json!(path), &json!(2)),
            "{name}"
        );
        assert!(
            reject["reason"].as_str().unwrap().contains(says),
            "{name}: {}",
            reject["reason"]
        );
        let offset = reject["offset"].as_u64().unwrap() as usize;
        assert!(
            (before.len()..before.len() + line.len()).contains(&offset),
            "{name}: byte {offset}"
        );
        let raw = reject["raw"].as_str().unwrap();
        let rest = String::from_utf8_lossy(&content[offset..]).into_owned();
        assert!(
            rest.contains(raw),
            "{name}: from byte {offset} on there is something else"
        );

        let told = tandem!("import", &path, "--lake", &dir.path().join("told")).ok();
        let place = format!("{}:2: ", path.display());
        let shown = told.out.lines().find(|l| l.contains(&place));
        assert!(
            shown.is_some_and(|l| l.contains(says)),
            "{name}: {}",
            told.out
        );
        assert!(
            told.out.contains("1 rejected, see "),
            "{name}: {}",
            told.out
        );
    }
}

/// Nothing is wrong with these.
#[test]
fn harmless_oddities() {
    let dir = folder();
    let two = patient("p", "") + &patient("q", "");
    let marked = format!(
        "\u{feff}{}\u{feff}\u{feff}{}",
        patient("p", ""),
        patient("q", "")
    );
    let cases: [(&str, Vec<u8>); 10] = [
        ("bom-within.ndjson", marked.clone().into_bytes()),
        ("bom-within.json", marked.into_bytes()),
        ("bom.ndjson", format!("\u{feff}{two}").into_bytes()),
        ("bom.json", format!("\u{feff}{two}").into_bytes()),
        ("crlf.ndjson", two.replace('\n', "\r\n").into_bytes()),
        (
            "blank.ndjson",
            two.replace('\n', "\n\n  \t\r\n\n").into_bytes(),
        ),
        ("no-end.ndjson", two.trim_end().as_bytes().to_vec()),
        ("spaces.jsonl", two.replace('{', "  {").into_bytes()),
        ("UPPER.NDJSON", two.clone().into_bytes()),
        (
            "number.ndjson",
            (patient("p", ",\"x\":1e999") + &patient("q", ",\"x\":-1E-999")).into_bytes(),
        ),
    ];
    for (name, content) in cases {
        let path = file(dir.path().join(name), &content);
        let lake = dir.path().join(format!("lake-{name}"));
        let report = import(&lake, &[&path]);
        assert_eq!(
            (total(&report, "read"), total(&report, "stored")),
            (2, 2),
            "{name}: {report:#}"
        );
        let text = String::from_utf8(content).unwrap();
        let lines = text
            .lines()
            .map(|l| l.trim_start_matches('\u{feff}').trim())
            .filter(|l| !l.is_empty());
        let lines: Vec<String> = lines.map(str::to_owned).collect();
        assert_eq!(exported(&lake), lines, "{name}");
    }
}

/// An escaped name is the same name.
#[test]
fn escaped_property_names() {
    let dir = folder();
    let text = "{\"resourceType\":\"Patient\",\"\\u0069d\":\"p\"}\n\
                {\"resourceType\":\"Patient\",\"id\":\"q\",\"\\u0069d\":\"r\"}\n";
    let path = file(dir.path().join("escaped.ndjson"), text);
    let report = import(&dir.path().join("lake"), &[&path]);
    let counts = (total(&report, "stored"), total(&report, "rejected"));
    assert_eq!(
        counts,
        (1, 1),
        "the first has an id, the second has two: {report:#}"
    );
    assert!(
        rejects(&report)[0]["reason"]
            .as_str()
            .unwrap()
            .contains("occurs twice")
    );
}

#[test]
fn empty_files() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let empty = file(dir.path().join("empty.ndjson"), "");
    let blank = file(dir.path().join("blank.ndjson"), "\n\n \r\n");
    let report = import(&lake, &[&empty, &blank]);
    assert_eq!(total(&report, "read"), 0);
    assert_eq!(exported(&lake), [""; 0]);
    // A document must be one.
    let report = import(&lake, &[&file(dir.path().join("empty.json"), "")]);
    assert_eq!(total(&report, "rejected"), 1);
    assert!(
        rejects(&report)[0]["reason"]
            .as_str()
            .unwrap()
            .contains("ends too early")
    );
    let report = import(
        &lake,
        &[&file(dir.path().join("real.ndjson"), patient("p", ""))],
    );
    assert_eq!(total(&report, "stored"), 1);
}

/// What can be read of a damaged archive is imported; that the rest is missing is told.
#[test]
fn damaged_archives() {
    let dir = folder();
    let text: String = (0..2000u64)
        .map(|n| patient(&format!("p{n}"), &format!(",\"x\":\"{:x}\"", n * n * 7919)))
        .collect();
    for (program, ending) in [("gzip", "gz"), ("zstd", "zst")] {
        let plain = file(dir.path().join("plain.ndjson"), &text);
        let Ok(done) = Command::new(program).arg("-c").arg(&plain).output() else {
            println!("skipped: there is no `{program}`");
            continue;
        };
        let whole = done.stdout;
        let cases = [
            ("cut", whole[..whole.len() / 2].to_vec()),
            (
                "no-archive",
                format!("{SECRET}, not packed at all").into_bytes(),
            ),
        ];
        for (name, content) in cases {
            let path = file(dir.path().join(format!("{name}.ndjson.{ending}")), content);
            let lake = dir.path().join(format!("lake-{name}-{ending}"));
            let ran = tandem!("import", &path, "--lake", &lake, "--format", "json");
            let ran = ran.fails(1, &["could not be read to their end"]);
            let report: Value = serde_json::from_str(&ran.out).unwrap();
            adds_up(&report);
            let damaged = &report["damaged"][0];
            assert_eq!(damaged["file"], json!(path));
            assert_eq!(damaged["resources"], report["total"]["stored"]);
            let found = rejects(&report);
            let told = found
                .iter()
                .any(|r| r["reason"].as_str().unwrap().contains("damaged or cut off"));
            assert!(told, "{name}.{ending}: {found:#?}");
            // The end, with the line that is cut there, once.
            assert_eq!(total(&report, "rejected"), 1, "{name}.{ending}: {report:#}");
            if name == "cut" && ending == "gz" {
                assert!(total(&report, "stored") > 100, "{report:#}");
            }
            let ran = tandem!("import", &path, "--lake", &dir.path().join("told"));
            let ran = ran.fails(1, &["could not be read to their end"]);
            assert!(
                ran.out.contains(&format!("{}:", path.display()))
                    && ran.out.contains("damaged or cut off"),
                "{}",
                ran.out
            );
            // Nothing of it with --strict.
            let strict = dir.path().join(format!("strict-{name}-{ending}"));
            let ran = tandem!("import", &path, "--lake", &strict, "--strict");
            let ran = ran.fails(1, &["--strict"]);
            assert!(
                ran.out
                    .contains("Nothing was imported, and no lake was made.")
                    && !ran.out.contains("newest"),
                "{}",
                ran.out
            );
            assert_eq!(newest_manifest(&strict), None);
            let json = tandem!(
                "import", &path, "--lake", &strict, "--strict", "--format", "json"
            );
            let strict: Value = serde_json::from_str(&json.fails(1, &["--strict"]).out).unwrap();
            assert_eq!(strict["snapshot"], Value::Null);
            assert_eq!(
                strict["total"]["not_imported"].as_u64().unwrap_or(0) + 1,
                total(&report, "read")
            );
        }
    }
}

/// Rejects of a Bundle are told by the line and byte of the entry.
#[test]
fn place_of_an_entry() {
    let dir = folder();
    let pretty = "{\"resourceType\": \"Bundle\", \"entry\": [\n\
        {\"resource\": {\n  \"resourceType\": \"Patient\",\n  \"id\": \"good\"\n}},\n\
        {\"resource\": {\n  \"resourceType\": \"Patient\",\n  \"birthDate\": \"SECRETNAME\"\n}}]}\n";
    for (n, before) in ["", "\n\n", "\u{feff}"].into_iter().enumerate() {
        let path = file(
            dir.path().join(format!("{n}.json")),
            format!("{before}{pretty}"),
        );
        let report = import(&dir.path().join(format!("lake-{n}")), &[&path]);
        assert_eq!(
            (total(&report, "stored"), total(&report, "rejected")),
            (1, 1)
        );
        let reject = &rejects(&report)[0];
        let (line, offset) = (
            reject["line"].as_u64().unwrap(),
            reject["offset"].as_u64().unwrap() as usize,
        );
        let content = fs::read(&path).unwrap();
        assert_eq!(
            content[offset], b'{',
            "after {before:?} byte {offset} is not where the entry begins"
        );
        let line = line - before.matches('\n').count() as u64;
        assert_eq!(line, 6, "after {before:?}");
    }
}

/// A bad first line of lines in a `.json` file costs that line only.
#[test]
fn json_file_of_lines_with_a_bad_one() {
    let dir = folder();
    let good = patient("p", "") + &patient("q", "");
    for (n, text) in [
        format!("{good}{{\"resourceType\":\n"),
        format!("{{\"resourceType\":\n{good}"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = file(dir.path().join(format!("{n}.json")), text);
        let report = import(&dir.path().join(format!("lake-{n}")), &[&path]);
        assert_eq!(
            (total(&report, "stored"), total(&report, "rejected")),
            (2, 1),
            "file {n}: {report:#}"
        );
    }
}

#[test]
fn document_that_is_no_fhir() {
    let dir = folder();
    let cases = [
        (
            "cut.json",
            "{\n\"resourceType\": \"Bundle\",\n\"entry\": [\n{\"resource\": {\"resourceType\": \"Pat",
            "ends inside a string",
        ),
        (
            "config.json",
            "{\n \"name\": \"SECRETNAME\"\n}\n",
            "no `resourceType`",
        ),
        (
            "array.json",
            "[\n {\"resourceType\": \"Patient\", \"id\": \"SECRETNAME\"}\n]\n",
            "a FHIR resource is a JSON object",
        ),
    ];
    for (name, content, says) in cases {
        let path = file(dir.path().join(name), content);
        let report = import(&dir.path().join(format!("lake-{name}")), &[&path]);
        assert_eq!(
            (total(&report, "read"), total(&report, "rejected")),
            (1, 1),
            "{name}: {report:#}"
        );
        assert!(
            rejects(&report)[0]["reason"]
                .as_str()
                .unwrap()
                .contains(says),
            "{name}: {report:#}"
        );
    }
}

/// The report shows the first ten rejects in the order of the input, the file has them all.
#[test]
fn many_rejects() {
    let dir = folder();
    let text: String = (0..500)
        .map(|n| patient(&n.to_string(), "") + SECRET + "\n")
        .collect();
    let path = file(dir.path().join("many.ndjson"), text);
    let report = import(&dir.path().join("lake"), &[&path]);
    assert_eq!(
        (total(&report, "stored"), total(&report, "rejected")),
        (500, 500)
    );
    let lines: Vec<u64> = rejects(&report)
        .iter()
        .map(|r| r["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, (0..500).map(|n| 2 * n + 2).collect::<Vec<u64>>());
    let told = tandem!("import", &path, "--lake", &dir.path().join("told")).ok();
    let shown = told.out.lines().filter(|l| l.contains("many.ndjson:"));
    let shown: Vec<&str> = shown
        .map(|l| {
            l.rsplit("many.ndjson:")
                .next()
                .unwrap()
                .split(':')
                .next()
                .unwrap()
        })
        .collect();
    assert_eq!(
        shown,
        ["2", "4", "6", "8", "10", "12", "14", "16", "18", "20"]
    );
}

/// Files put one after the other: a byte order mark starts each, and not every one ends its line.
#[test]
fn byte_order_marks_between_documents() {
    let dir = folder();
    let pretty = |id: &str| format!("{{\n  \"resourceType\": \"Patient\",\n  \"id\": \"{id}\"\n}}");
    let (one, two) = (patient("p", ",\"x\":\"\u{feff}\""), patient("q", ""));
    let cases = [
        (
            "joined.ndjson",
            format!("{}\u{feff}{two}", one.trim_end()),
            2,
        ),
        (
            "joined.json",
            format!(
                "{}\u{feff}{}\n\u{feff}{}",
                pretty("p"),
                pretty("q"),
                pretty("r")
            ),
            3,
        ),
        (
            "bundle.json",
            format!(
                "{}\u{feff}{{\"resourceType\":\"Bundle\",\"entry\":[{{\"resource\":{two}}}]}}",
                pretty("p")
            ),
            2,
        ),
    ];
    for (name, text, count) in cases {
        let lake = dir.path().join(format!("lake-{name}"));
        let report = import(&lake, &[&file(dir.path().join(name), text)]);
        assert_eq!(
            (total(&report, "stored"), total(&report, "rejected")),
            (count, 0),
            "{name}: {report:#}"
        );
    }
    // One of them bad: told by its place, the other imported.
    let path = file(
        dir.path().join("bad.ndjson"),
        format!("{}\u{feff}{{\"id\":1}}\n", one.trim_end()),
    );
    let report = import(&dir.path().join("lake-bad"), &[&path]);
    assert_eq!(
        (total(&report, "stored"), total(&report, "rejected")),
        (1, 1),
        "{report:#}"
    );
    let offset = rejects(&report)[0]["offset"].as_u64().unwrap() as usize;
    assert!(fs::read(&path).unwrap()[offset..].starts_with(b"{\"id\""));
    // Another encoding is named.
    let wide: Vec<u8> = format!("\u{feff}{two}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for name in ["wide.ndjson", "wide.json"] {
        let report = import(
            &dir.path().join(format!("lake-{name}")),
            &[&file(dir.path().join(name), &wide)],
        );
        assert!(
            rejects(&report)[0]["reason"]
                .as_str()
                .unwrap()
                .contains("UTF-16"),
            "{report:#}"
        );
    }
}

/// An odd `meta.versionId` costs nothing: it is kept as it came, and its number counts.
#[test]
fn odd_versions() {
    let dir = folder();
    for (n, version) in ["W/\\\"2\\\"", "2 ", "a b", "", "v2", "\u{1F600}"]
        .into_iter()
        .enumerate()
    {
        let lake = dir.path().join(format!("lake-{n}"));
        let line = patient("p", &format!(",\"meta\":{{\"versionId\":\"{version}\"}}"));
        let path = file(dir.path().join(format!("{n}.ndjson")), &line);
        let report = import(&lake, &[&path]);
        assert_eq!(total(&report, "stored"), 1, "{version}: {report:#}");
        assert_eq!(exported(&lake), [line.trim_end()]);
    }
    let long = patient(
        "p",
        &format!(",\"meta\":{{\"versionId\":\"{}\"}}", "x".repeat(100_000)),
    );
    let report = import(
        &dir.path().join("long"),
        &[&file(dir.path().join("long.ndjson"), long)],
    );
    assert_eq!(total(&report, "stored"), 1, "{report:#}");
}
