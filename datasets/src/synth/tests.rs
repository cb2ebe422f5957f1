use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::{fs, process};

use super::{ResourceSink, SynthOptions, patient, shared_resources, write_population};

/// Keeps all lines.
#[derive(Default)]
struct Lines(Vec<(&'static str, String)>);

impl ResourceSink for Lines {
    fn write(&mut self, resource_type: &'static str, json: &str) {
        self.0.push((resource_type, json.to_owned()));
    }
}

fn lines(options: &SynthOptions) -> Vec<(&'static str, String)> {
    let mut sink = Lines::default();
    shared_resources(options, &mut sink);
    for index in 0..options.patients {
        patient(options, index, &mut sink);
    }
    sink.0
}

fn options(patients: u64) -> SynthOptions {
    SynthOptions {
        patients,
        ..SynthOptions::default()
    }
}

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("tandem-synth-{}-{name}", process::id()));
    let _ = fs::remove_dir_all(&path);
    path
}

fn contents(path: &PathBuf) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        files.insert(
            entry.file_name().into_string().unwrap(),
            fs::read(entry.path()).unwrap(),
        );
    }
    files
}

/// The text after each occurrence of `key` up to the next quote.
fn values<'l>(line: &'l str, key: &'l str) -> impl Iterator<Item = &'l str> {
    line.split(key)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
}

fn id(line: &str) -> &str {
    values(line, "\"id\":\"").next().unwrap()
}

#[test]
fn same_seed_same_bytes_on_any_number_of_threads() {
    let mut options = options(150);
    options.dirty = 0.1;
    let (one, three) = (folder("one"), folder("three"));
    let first = write_population(&options, &one, 1, &|_| {}).unwrap();
    let second = write_population(&options, &three, 3, &|_| {}).unwrap();
    assert_eq!(contents(&one), contents(&three));
    assert_eq!(first.patients, 150);
    assert_eq!(
        (first.resources, first.bytes),
        (second.resources, second.bytes)
    );
    let size: usize = contents(&one).values().map(Vec::len).sum();
    assert_eq!(size as u64, first.bytes);
    for path in [one, three] {
        fs::remove_dir_all(path).unwrap();
    }
}

#[test]
fn another_seed_differs() {
    let mut other = options(5);
    other.seed = 43;
    assert_ne!(lines(&options(5)), lines(&other));
}

#[test]
fn clean_ids_are_unique_and_valid() {
    let mut seen = HashSet::new();
    for (kind, line) in lines(&options(300)) {
        let id = id(&line);
        assert!(
            id.len() <= 64
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.'),
            "{id}"
        );
        assert!(seen.insert((kind, id.to_owned())), "{kind}/{id} twice");
    }
}

#[test]
fn references_have_targets() {
    let lines = lines(&options(120));
    let known: HashSet<String> = lines
        .iter()
        .map(|(kind, line)| format!("{kind}/{}", id(line)))
        .collect();
    for (_, line) in &lines {
        for reference in values(line, "\"reference\":\"") {
            assert!(known.contains(reference), "{reference} in {line}");
        }
    }
}

#[test]
fn mean_number_of_resources() {
    let count = lines(&options(600)).len() as f64 / 600.0;
    assert!(
        (150.0..=400.0).contains(&count),
        "{count} resources a patient"
    );
}

/// Every date lies between birth and the end, or the death, of the patient's record.
#[test]
fn dates_lie_within_the_life() {
    let keys = [
        "lastUpdated\":\"",
        "start\":\"",
        "end\":\"",
        "DateTime\":\"",
        "recordedDate\":\"",
        "issued\":\"",
        "authoredOn\":\"",
    ];
    let options = options(400);
    for index in 0..options.patients {
        let mut sink = Lines::default();
        patient(&options, index, &mut sink);
        let (_, person) = sink.0.first().unwrap();
        let birth = values(person, "birthDate\":\"").next().unwrap().to_owned();
        let last = values(person, "deceasedDateTime\":\"")
            .next()
            .unwrap_or("2025-12-31")[..10]
            .to_owned();
        for (_, line) in &sink.0 {
            for date in keys.iter().flat_map(|key| values(line, key)) {
                let date = &date[..10];
                assert!(
                    date >= birth.as_str() && date <= last.as_str(),
                    "{date} not in {birth}..{last}: {line}"
                );
            }
        }
    }
}

#[test]
fn json_is_balanced_even_when_dirty() {
    let mut options = options(120);
    options.dirty = 1.0;
    for (_, line) in lines(&options) {
        let mut depth = 0i32;
        let mut inside = false;
        let mut escaped = false;
        for c in line.chars() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => inside = !inside,
                '{' | '[' if !inside => depth += 1,
                '}' | ']' if !inside => depth -= 1,
                _ => {}
            }
            assert!(depth >= 0, "{line}");
        }
        assert!(depth == 0 && !inside && !line.contains('\n'), "{line}");
        assert!(
            !line.contains(",,") && !line.contains("{,") && !line.contains(",}"),
            "{line}"
        );
    }
}

/// Defects do not disturb the resources that have none.
#[test]
fn dirty_leaves_the_rest_as_it_was() {
    let clean: HashSet<String> = lines(&options(60))
        .into_iter()
        .map(|(_, line)| line)
        .collect();
    let mut options = options(60);
    options.dirty = 0.2;
    let dirty = lines(&options);
    let same = dirty
        .iter()
        .filter(|(_, line)| clean.contains(line))
        .count() as f64
        / clean.len() as f64;
    assert!((0.78..0.86).contains(&same), "{same} unchanged");
}

#[test]
fn refuses_a_folder_in_use_and_bad_options() {
    let path = folder("full");
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("Patient.ndjson"), "{}\n").unwrap();
    let error = write_population(&options(1), &path, 1, &|_| {}).unwrap_err();
    assert!(error.to_string().contains("already holds"), "{error}");
    assert_eq!(fs::read(path.join("Patient.ndjson")).unwrap(), b"{}\n");
    fs::remove_dir_all(&path).unwrap();
    for dirty in [-0.1, 1.5, f64::NAN] {
        let bad = SynthOptions {
            dirty,
            ..options(1)
        };
        let error = write_population(&bad, &path, 1, &|_| {}).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    }
    let bad = SynthOptions {
        end: (2025, 2, 30),
        ..options(1)
    };
    assert!(write_population(&bad, &path, 1, &|_| {}).is_err());
    assert!(!path.exists());
}

/// The estimate is near, and needs no more than a part of the work.
#[test]
fn the_size_is_known_before() {
    for patients in [20, 300] {
        let path = folder("estimate");
        let said = super::estimate(&options(patients)).unwrap() as f64;
        let made = write_population(&options(patients), &path, 2, &|_| {}).unwrap();
        let ratio = said / made.bytes as f64;
        assert!((0.8..1.25).contains(&ratio), "{patients} patients: {ratio}");
        fs::remove_dir_all(&path).unwrap();
    }
    assert!(super::estimate(&options(0)).unwrap() > 0);
    assert!(super::estimate(&options(u64::MAX)).unwrap() > 1 << 62);
}

/// Where it fails in the midst nothing is left that looks like a population, or a part of one.
#[test]
fn a_population_is_there_whole_or_not_at_all() {
    let path = folder("whole");
    fs::create_dir_all(path.join(".Observation.ndjson.part")).unwrap();
    let error = write_population(&options(5), &path, 1, &|_| {}).unwrap_err();
    assert!(error.to_string().contains("was ended"), "{error}");
    fs::remove_dir_all(&path).unwrap();
    // A type comes whose file cannot be made.
    fs::create_dir_all(path.join("Observation.ndjson.d")).unwrap();
    let stopped = write_population(&options(200), &path, 1, &|p| {
        if p.patients > 0 {
            let _ = fs::create_dir_all(path.join("Patient.ndjson").join("x"));
        }
    });
    assert!(stopped.is_err());
    let left: Vec<_> = fs::read_dir(&path)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        left.iter()
            .all(|n| n == "Patient.ndjson" || n == "Observation.ndjson.d"),
        "{left:?}"
    );
    assert!(path.join("Patient.ndjson").is_dir());
    fs::remove_dir_all(&path).unwrap();
}
