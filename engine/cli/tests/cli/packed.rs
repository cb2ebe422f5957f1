//! Whatever takes files takes them packed, as lines or as documents, and gives the same.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde_json::{Value, json};

use crate::explain::{self, PERIOD};
use crate::support::*;

fn gz(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    std::io::Write::write_all(&mut out, bytes.as_ref()).unwrap();
    out.finish().unwrap()
}

fn zst(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    zstd::encode_all(bytes.as_ref(), 1).unwrap()
}

/// A file as it stands, packed otherwise under another name; the file is gone.
fn repacked(path: PathBuf, to: &str, pack: impl Fn(Vec<u8>) -> Vec<u8>) {
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    file(path.with_file_name(to), pack(bytes));
}

/// What `measure run` says, without where the files are.
fn measured(package: &Path, lake: &Path) -> Value {
    let ran = tandem!(
        "measure", "run", package, "--lake", lake, "--period", PERIOD, "--format", "json",
    );
    let mut reports: Value = serde_json::from_str(&ran.ok().out).unwrap();
    reports[0]["group"].take()
}

#[test]
fn a_package_packed_and_called_otherwise() {
    let dir = folder();
    let (package, lake) = (explain::package(dir.path()), explain::lake(dir.path()));
    let plain = measured(&package, &lake);
    assert!(plain.to_string().contains("initial-population"));
    // One file of lines, in a `.json` that is packed.
    let whole = ["measure.json", "valueset.json", "library.json"].map(|name| {
        let text = std::fs::read_to_string(package.join(name)).unwrap();
        serde_json::from_str::<Value>(&text).unwrap().to_string() + "\n"
    });
    let one = file(dir.path().join("one/all.json.gz"), gz(whole.concat()));
    assert_eq!(measured(&one, &lake), plain);
    repacked(package.join("measure.json"), "measure.json.gz", gz);
    repacked(package.join("valueset.json"), "valueset.json", zst);
    repacked(package.join("library.json"), "library.json.zst", zst);
    assert_eq!(measured(&package, &lake), plain);
}

/// A deck of test cases: measure, value sets, data and cases packed, as lines and as a Bundle.
#[test]
fn a_deck_packed_and_in_lines() {
    let dir = folder();
    let deck = dir.path().join("deck");
    let line = |text: &str| serde_json::from_str::<Value>(text).unwrap().to_string() + "\n";
    file(deck.join("measure.ndjson.gz"), gz(line(explain::MEASURE)));
    file(
        deck.join("valuesets.jsonl.zst"),
        zst(line(explain::VALUE_SET)),
    );
    let library = json!({
        "resourceType": "Library", "id": "Demo", "name": "Demo", "version": "1.0.0",
        "url": "http://example.org/Library/Demo", "status": "active",
        "type": {"coding": [{"code": "logic-library"}]},
        "content": [{
            "contentType": "application/elm+json",
            "data": base64::engine::general_purpose::STANDARD.encode(explain::ELM),
        }],
    });
    let libraries = dir.path().join("libraries/all.ndjson.zst");
    file(libraries, zst(library.to_string()));
    explain::lake(dir.path());
    let data = std::fs::read_to_string(dir.path().join("all.ndjson")).unwrap();
    let (first, rest) = data.split_at(data.find('\n').unwrap() + 1);
    file(deck.join("data/lines.ndjson.gz"), gz(rest));
    let patient: Value = serde_json::from_str(first).unwrap();
    let bundle =
        json!({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}]});
    file(deck.join("data/bundle.json.zst"), zst(bundle.to_string()));
    let case = |patient: &str, ip: u64| {
        json!({"case": patient, "patient": patient, "periodStart": "2025-01-01", "periodEnd": "2025-12-31",
            "groups": [{"id": "g", "populations": {"initial-population": ip}}]})
    };
    let cases = json!([case("a", 1), case("b", 0), case("c", 0)]);
    file(deck.join("expected.json.gz"), gz(cases.to_string()));
    for more in [&[][..], &["--without-tags"]] {
        let mut args = vec![
            std::ffi::OsStr::new("measure"),
            "test".as_ref(),
            deck.as_ref(),
        ];
        args.extend(more.iter().map(std::ffi::OsStr::new));
        let ran = run(&args).ok();
        assert!(ran.out.contains("3 passed, 0 failed"), "{}", ran.text());
    }
}

/// Value sets, a rule and a patient: what a rule says of one patient is the same.
#[test]
fn terminology_rules_and_a_patient() {
    let dir = folder();
    let patient = json!({"resourceType": "Patient", "id": "p", "birthDate": "1965-04-12"});
    let plain = file(dir.path().join("p.json"), patient.to_string());
    let packed = file(
        dir.path().join("p.ndjson.gz"),
        gz(patient.to_string() + "\n"),
    );
    let eval = |patient: &Path| {
        let (rule, at) = ("hba1c-control", "2025-12-31");
        tandem!("rule", "eval", rule, "--patient", patient, "--at", at)
            .ok()
            .out
    };
    assert_eq!(eval(&plain), eval(&packed));

    let sets = dir.path().join("sets");
    file(sets.join("a/visits.json.zst"), zst(explain::VALUE_SET));
    file(sets.join(".draft.json"), explain::VALUE_SET);
    let check = |path: &Path| tandem!("terminology", "check", path).ok();
    let checked = check(&sets);
    assert!(
        checked.err.contains(".draft.json: not read"),
        "{}",
        checked.text()
    );
    let same = file(dir.path().join("visits.json"), explain::VALUE_SET);
    assert_eq!(checked.out, check(&same).out);

    // The first rule of the README.
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let block = |name: &str| {
        let at = readme.find(name).unwrap();
        let start = at + readme[at..].find("```").unwrap();
        let start = start + readme[start..].find('\n').unwrap() + 1;
        readme[start..start + readme[start..].find("```").unwrap()].to_owned()
    };
    let rules = dir.path().join("rules");
    file(
        rules.join("tobacco-status-recorded.yaml.gz"),
        gz(block("my-rules/tobacco-")),
    );
    let set = file(
        sets.join("s.jsonl.zst"),
        zst(block("my-sets/smoking-").replace('\n', " ")),
    );
    let tested = |paths: &[&Path]| {
        let mut args: Vec<&std::ffi::OsStr> = vec!["rule".as_ref(), "test".as_ref()];
        args.extend(paths.iter().map(|p| p.as_os_str()));
        args.extend(["--terminology".as_ref(), set.as_os_str()]);
        run(&args).ok().out
    };
    let both = tested(&[&rules, &rules.join("tobacco-status-recorded.yaml.gz")]);
    assert!(both.ends_with("4 cases passed, 0 failed\n"), "{both}");
}
