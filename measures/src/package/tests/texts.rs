//! Files, directories, JSON, Bundles and terminology.

use engine_patient::finding::{Code, Finding, Severity};
use std::io::Write;

use super::*;

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// The one finding with this code.
fn the(loaded: &Loaded, code: Code) -> Finding {
    let found: Vec<&Finding> = loaded.issues.iter().filter(|i| i.code == code).collect();
    assert_eq!(found.len(), 1, "{code:?} in {:?}", loaded.issues);
    found[0].clone()
}

#[test]
fn a_package_in_a_directory() {
    let files = Files::new();
    let bundle = json!({"resourceType": "Bundle", "entry": [
        {"resource": proportion()},
        {"resource": {"resourceType": "Bundle", "entry": [{"resource": library("M", "1.0.0")}]}},
    ]});
    let value_set = r#"{"resourceType":"ValueSet","url":"http://x.org/vs","expansion":{"contains":[{"system":"s","code":"c"}]}}"#;
    files.json("a/bundle.json", &bundle);
    files.put(
        "b/terms.ndjson.gz",
        gz(format!("{value_set}\n\n").as_bytes()),
    );
    let patients = "{\"resourceType\":\"Patient\"}\n".repeat(3);
    files.put("data/Patient.ndjson", patients);
    files.put("README.md", "hello");
    files.put(".hidden.json", "no");
    files.put("expected.json", "[1]");
    let loaded = files.load();
    assert_eq!(told(&loaded), []);
    let package = &loaded.package;
    assert_eq!(package.measures[0].path, "Bundle.entry[0].resource");
    assert_eq!(
        package.measures[0].groups[0].path,
        "Bundle.entry[0].resource.group[0]"
    );
    let path = "Bundle.entry[1].resource.entry[0].resource.content[0].data";
    assert_eq!(package.libraries[0].fhir_path, path);
    assert_eq!(package.terminology.len(), 1);
    assert_eq!(package.ignored, BTreeMap::from([("Patient".to_owned(), 3)]));
    assert_eq!(package.skipped, BTreeMap::from([("md".to_owned(), 1)]));
    let names: Vec<&str> = package
        .files
        .iter()
        .map(|f| f.path.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(names, ["bundle.json", "terms.ndjson.gz"]);
    assert!(
        the(&loaded, Code::OtherResources)
            .message
            .contains("3 `Patient`")
    );
    assert!(
        the(&loaded, Code::NoResource)
            .message
            .contains("expected.json")
    );
    assert!(the(&loaded, Code::OtherFiles).message.contains("1 `.md`"));
}

#[test]
fn packed_and_plain_files_have_the_same_hash() {
    let files = Files::new();
    let text = proportion().to_string();
    let plain = files.put("a.json", &text);
    let gz = files.put("a.json.gz", gz(text.as_bytes()));
    let zst = files.put("a.json.zst", zstd::encode_all(text.as_bytes(), 1).unwrap());
    let hash = |path: &PathBuf| load(&[path]).package.files[0].hash;
    assert_eq!(hash(&plain), hash(&gz));
    assert_eq!(hash(&plain), hash(&zst));
}

#[test]
fn a_file_named_twice_is_read_once() {
    let files = Files::new();
    let path = files.json("measure.json", &proportion());
    let loaded = load(&[path.as_path(), files.path(), files.path()]);
    assert_eq!(loaded.package.files.len(), 1);
    assert!(!loaded.issues.iter().any(|i| i.code == Code::MeasureTwice));
}

#[test]
fn broken_json_is_told_with_its_position() {
    let files = Files::new();
    let path = files.put(
        "m.json",
        "{\n  \"resourceType\": \"Measure\",\n  \"id\": x\n}",
    );
    let issue = the(&load(&[&path]), Code::NotJson);
    assert_eq!((issue.line(), issue.column()), (Some(3), Some(9)));
    assert!(issue.message.starts_with("not JSON"));

    let path = files.put("t.json", "{\"resourceType\": \"Measure\",\n \"group\": [");
    let issue = the(&load(&[&path]), Code::NotJson);
    assert_eq!((issue.line(), issue.severity), (Some(2), Severity::Error));
    assert_eq!(issue.message, "the JSON ends before it is complete");

    let path = files.put("x.json", "<Measure/>");
    assert_eq!(
        the(&load(&[&path]), Code::NotJson).message,
        "this is XML, not JSON"
    );
    let path = files.put("e.json", "");
    assert_eq!(
        the(&load(&[&path]), Code::NotJson).message,
        "the file is empty"
    );
    let path = files.put("two.json", "{\"resourceType\": \"Measure\"} {}");
    assert!(
        the(&load(&[&path]), Code::NotJson)
            .help
            .unwrap()
            .contains(".ndjson")
    );
}

#[test]
fn broken_lines_do_not_stop_the_others() {
    let files = Files::new();
    let text = format!(
        "{}\n{{\"resourceType\"\n\n{}\n",
        proportion(),
        library("M", "1.0.0")
    );
    let path = files.put("all.ndjson", text);
    let loaded = load(&[&path]);
    let issue = the(&loaded, Code::NotJson);
    assert_eq!(issue.line(), Some(2));
    assert_eq!(loaded.package.measures.len(), 1);

    let path = files.put("many.ndjson", "{\n".repeat(30));
    let loaded = load(&[&path]);
    assert_eq!(
        loaded
            .issues
            .iter()
            .filter(|i| i.code == Code::NotJson)
            .count(),
        21
    );
    assert!(
        loaded
            .issues
            .iter()
            .any(|i| i.message == "10 more lines are broken")
    );
}

#[test]
fn data_beside_the_package_do_not_break_it() {
    let files = Files::new();
    files.put("Patient.ndjson", "{\"resourceType\":\"Patient\"}\n{\n");
    assert_eq!(
        the(&files.load(), Code::NotJson).severity,
        Severity::Warning
    );
}

#[test]
fn text_that_is_not_utf8() {
    let files = Files::new();
    let path = files.put("m.json", b"{\n\"id\": \"\xff\"}");
    let issue = the(&load(&[&path]), Code::NotUtf8);
    assert_eq!((issue.line(), issue.column()), (Some(2), Some(8)));
    files.put("bom.json", format!("\u{feff}{}", proportion()));
    assert_eq!(
        load(&[files.path().join("bom.json")]).package.refused.len(),
        1
    );
}

#[test]
fn json_that_is_no_resource() {
    let files = Files::new();
    let path = files.put("a.json", "{\"a\": 1}");
    assert_eq!(
        the(&load(&[&path]), Code::NoResource).severity,
        Severity::Error
    );
    // Found in a directory it is only mentioned.
    assert_eq!(
        the(&files.load(), Code::NoResource).severity,
        Severity::Info
    );
    let path = files.put("b.json", "[{\"resourceType\": \"Measure\"}]");
    assert_eq!(
        the(&load(&[&path]), Code::NoResource).severity,
        Severity::Error
    );
    let path = files.put("c.json", "{\"resourceType\": 7}");
    assert_eq!(
        the(&load(&[&path]), Code::ElementType).place.path.unwrap(),
        "Resource.resourceType"
    );
    let entry =
        json!({"resourceType": "Bundle", "entry": [{"resource": {}}, {"resource": proportion()}]});
    let path = files.json("d.json", &entry);
    let issue = the(&load(&[&path]), Code::NoResource);
    assert_eq!((issue.severity, issue.line()), (Severity::Error, Some(4)));
}

#[test]
fn unknown_resource_type() {
    let files = Files::new();
    let path = files.put("a.json", "{\"resourceType\": \"Messure\"}");
    let issue = the(&load(&[&path]), Code::UnknownResourceType);
    assert_eq!(issue.help.as_deref(), Some("did you mean `Measure`?"));
}

#[test]
fn bundles_within_bundles_end() {
    let files = Files::new();
    let text = "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":".repeat(40)
        + &proportion().to_string()
        + &"}]}".repeat(40);
    let path = files.put("deep.json", text);
    the(&load(&[&path]), Code::BundleDepth);
    // Brackets without end.
    let path = files.put("brackets.json", "[".repeat(100_000));
    the(&load(&[&path]), Code::NotJson);
    let path = files.put("objects.json", "{\"a\":".repeat(100_000));
    the(&load(&[&path]), Code::NotJson);
}

#[test]
fn paths_that_cannot_be_read() {
    let files = Files::new();
    let path = files.json("measure.json", &proportion());
    let issue = the(
        &load(&[path.with_file_name("mesure.json")]),
        Code::NoSuchPath,
    );
    assert_eq!(
        issue.help,
        Some(format!("did you mean `{}`?", path.display()))
    );

    let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    let issue = crate::package::files::problem(&path, &denied);
    assert_eq!(issue.code, Code::UnreadablePath);
    assert!(issue.message.ends_with("permission denied"));

    let zip = files.put("m.json", b"PK\x03\x04....");
    assert_eq!(
        the(&load(&[&zip]), Code::UnreadablePath).message,
        "this is a zip archive"
    );

    let mut packed = gz(proportion().to_string().as_bytes());
    packed.truncate(packed.len() / 2);
    let path = files.put("cut.json.gz", packed);
    assert!(
        the(&load(&[&path]), Code::UnreadablePath)
            .message
            .contains("ends before it is complete")
    );
}

#[test]
fn nothing_to_read() {
    let loaded = load::<&Path>(&[]);
    assert_eq!(
        the(&loaded, Code::NothingToRead).message,
        "no path was given"
    );
    let files = Files::new();
    let loaded = files.load();
    let messages: Vec<&str> = loaded.issues.iter().map(|i| i.message.as_str()).collect();
    assert!(messages[0].starts_with("there are no files in the directory"));
    assert_eq!(messages[1], "there is no Measure in the files");
    files.put("package.zip", "");
    assert_eq!(
        the(&files.load(), Code::OtherFiles).severity,
        Severity::Warning
    );
}

#[test]
fn findings_about_terminology_keep_their_line() {
    let files = Files::new();
    let good = r#"{"resourceType":"ValueSet","url":"http://x.org/vs","expansion":{"contains":[{"system":"s","code":"c"}]}}"#;
    let bad = r#"{"resourceType":"ValueSet","expansion":{"contains":[{"system":"s","code":"c"}]}}"#;
    let text = format!(
        "{{\"resourceType\":\"Patient\"}}\n{good}\n\n{}\n{bad}\n",
        proportion()
    );
    let path = files.put("all.ndjson", text);
    let loaded = load(&[&path]);
    let issue = the(&loaded, Code::TerminologyMissing);
    assert_eq!((issue.severity, issue.line()), (Severity::Error, Some(5)));
    assert!(
        !loaded
            .issues
            .iter()
            .any(|i| i.code == Code::TerminologyIgnored)
    );
    assert_eq!(loaded.package.terminology.len(), 1);
}

#[test]
fn terminology_from_elsewhere_is_kept() {
    let mut builder = engine_patient::terminology::TerminologyBuilder::new();
    builder.add_json("mine", br#"{"resourceType":"ValueSet","url":"http://x.org/vs","expansion":{"contains":[{"system":"s","code":"c"}]}}"#);
    let loaded = load_with::<&Path>(&[], builder);
    assert_eq!(loaded.package.terminology.len(), 1);
}

/// A package as it comes from a server: packed, in whatever files, lines in a `.json` file too.
#[test]
fn a_package_in_packed_files_and_in_lines() {
    let files = Files::new();
    let (measure, library) = (proportion().to_string(), library("M", "1.0.0").to_string());
    let value_set = r#"{"resourceType":"ValueSet","url":"http://x.org/vs","expansion":{"contains":[{"system":"s","code":"c"}]}}"#;
    let lines = format!("{measure}\n{library}\n{value_set}\n");
    let zst = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
    let packages: [&[(&str, Vec<u8>)]; 4] = [
        &[("all.json.gz", gz(lines.as_bytes()))],
        &[("all.jsonl.zst", zst(&lines))],
        // Called otherwise than they are.
        &[
            ("m.json.gz", measure.clone().into_bytes()),
            ("rest.ndjson", gz(&lines.as_bytes()[measure.len() + 1..])),
        ],
        &[
            ("m.json", zst(&measure)),
            ("l.json", library.into_bytes()),
            ("v.json.zst", gz(value_set.as_bytes())),
        ],
    ];
    for package in packages {
        let files = Files::new();
        for (name, bytes) in package {
            files.put(name, bytes);
        }
        let loaded = files.load();
        let (names, package) = (package.iter().map(|(n, _)| *n), &loaded.package);
        let names: Vec<&str> = names.collect();
        assert_eq!(told(&loaded), [], "{names:?}");
        assert_eq!(
            (package.measures.len(), package.libraries.len()),
            (1, 1),
            "{names:?}"
        );
        assert_eq!(package.terminology.len(), 1, "{names:?}");
    }
    let broken = files.put("two.json", format!("{measure}\n{{}}\n"));
    assert_eq!(the(&load(&[&broken]), Code::NoResource).line(), Some(2));
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_told_and_not_waited_for() {
    let files = Files::new();
    files.json("measure.json", &proportion());
    let _socket = std::os::unix::net::UnixListener::bind(files.path().join("s.json")).unwrap();
    let issue = the(&files.load(), Code::OtherFiles);
    assert_eq!(issue.severity, Severity::Warning);
    assert!(issue.message.ends_with("was not read: a socket"));
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_end() {
    let files = Files::new();
    files.json("a/measure.json", &proportion());
    std::os::unix::fs::symlink(files.path(), files.path().join("a/up")).unwrap();
    assert_eq!(files.load().package.files.len(), 1);
}

#[test]
fn deep_bundles_are_not_handed_on() {
    let files = Files::new();
    let value_set = r#"{"resource":{"resourceType":"ValueSet","url":"http://x.org/vs"}}"#;
    let deep = "{\"resource\":{\"resourceType\":\"Bundle\",\"entry\":[".repeat(20_000)
        + &"]}}".repeat(20_000);
    let text = format!("{{\"resourceType\":\"Bundle\",\"entry\":[{value_set},{deep}]}}");
    let path = files.put("deep.json", text);
    the(&load(&[&path]), Code::BundleDepth);
}

/// What a shell makes of `packages/*`: a file without a resource beside folders is passed over and told;
/// one that is no JSON is a mistake, and alone both are.
#[test]
fn files_that_are_named_among_folders() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("package");
    std::fs::create_dir(&folder).unwrap();
    let (other, text) = (dir.path().join("other.json"), dir.path().join("README.md"));
    std::fs::write(&other, "{\"a\": 1}").unwrap();
    std::fs::write(&text, "# Read me").unwrap();
    let found = |paths: &[&std::path::Path]| {
        let loaded = load(paths);
        let of = loaded
            .issues
            .iter()
            .filter(|i| i.severity != Severity::Info);
        of.map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let among = found(&[&folder, &other]);
    assert!(
        among.contains("warning[P003]")
            && among.contains("not read")
            && !among.contains("error[P003]"),
        "{among}"
    );
    assert!(found(&[&other]).contains("error[P003]"));
    for paths in [&[&*folder, &*text][..], &[&*text]] {
        let text = found(paths);
        assert!(
            text.contains("error[P001]") && text.contains("name the folder as a whole"),
            "{text}"
        );
    }
}
