//! Every official measure on real charts, patient by patient and population by population, beside
//! fqm-execution, the established engine.
//!
//! Charts: `$TANDEM_SAMPLES/synthea-r4` (by default `../shared/samples`), 150 patients. The other engine:
//! `node`, and a folder with `node_modules/fqm-execution` named by `$TANDEM_FQM`; `.ci/run` installs it.
//! Where one of them is not there, the test says that it is skipped.
//!
//! The other engine takes 20 minutes of CPU. Its answers follow from its version, the script, the packages and
//! the charts, and are kept under their hash in `$TANDEM_FQM/answers`; its time is of the run that made them.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use datasets::import::{ImportOptions, import};
use engine_patient::context::EvaluationContext;
use engine_patient::fhir::profiles::ProfileMode;
use engine_patient::program::RowOptions;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::UTC;
use engine_population::lake::Lake;
use measures::manifest::hash;
use measures::official::{BuildOptions, build};
use measures::package::{PopulationCode, load};
use measures_run::evaluate::{Pass, ProgramMeasure, run_programs};
use measures_run::rows::read_rows;

/// First and last day; the charts end in 2021.
const PERIODS: [(&str, &str); 2] = [("2019-01-01", "2019-12-31"), ("2020-01-01", "2020-12-31")];

/// Differences with their reasons: `measure  year  group  population  ours  theirs  patients  reason`.
/// One that is listed must be there.
const EXPLAINED: &str = include_str!("../../../measures/conformance/differential.tsv");

/// Measure, year, patient, group, population.
type Key = (String, String, String, usize, String);

/// Members of each population that has some.
type Counts = BTreeMap<Key, u64>;

/// Compares, where all that it takes is there.
pub fn check(folder: &Path) {
    let Some((charts, fqm)) = parts() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let mut decks: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.join("measure.json").exists())
        .collect();
    decks.sort();
    let other = std::thread::scope(|threads| {
        // Two processes: one engine runs on one core.
        let halves = [0, 1].map(|half| {
            let decks: Vec<&PathBuf> = decks.iter().skip(half).step_by(2).collect();
            let job = scratch.path().join(format!("job-{half}.json"));
            let data = unpacked(&charts, &scratch.path().join(format!("charts-{half}")));
            let text = serde_json::json!({
                "decks": decks, "libraries": folder.join("libraries"), "data": data,
                "periods": PERIODS.map(|(a, b)| [a, b]),
            });
            std::fs::write(&job, text.to_string()).unwrap();
            let (fqm, key) = (&fqm, hash(&inputs(&fqm, folder, &decks, &data)).to_string());
            threads.spawn(move || established(fqm, &job, &key))
        });
        halves.map(|half| half.join().unwrap())
    });
    let seconds: f64 = other.iter().map(|(_, seconds)| seconds).sum();
    let theirs: Counts = other.into_iter().flat_map(|(counts, _)| counts).collect();
    let (ours, patients, own) = tandem(folder, &decks, &charts, scratch.path());
    println!(
        "differential: {} measures, {} years, {patients} patients: {} counts of theirs, {} of ours; \
         evaluation took fqm-execution {seconds:.1} s, Tandem {own:.2} s ({:.0} times as fast)",
        decks.len(),
        PERIODS.len(),
        theirs.len(),
        ours.len(),
        seconds / own
    );
    assert!(!theirs.is_empty() && !ours.is_empty());
    let wrong = unexplained(&ours, &theirs);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The charts and the other engine's folder.
fn parts() -> Option<(PathBuf, PathBuf)> {
    let beside = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/samples").to_owned();
    let root = std::env::var("TANDEM_SAMPLES").unwrap_or_else(|_| beside());
    let charts = PathBuf::from(root).join("synthea-r4");
    let fqm = PathBuf::from(std::env::var_os("TANDEM_FQM").unwrap_or_default());
    let node = Command::new("node").arg("--version").output();
    let lacks = [
        (!charts.is_dir()).then(|| format!("there is no folder {}", charts.display())),
        (!fqm.join("node_modules/fqm-execution").is_dir())
            .then(|| "$TANDEM_FQM names no folder with node_modules/fqm-execution".to_owned()),
        node.is_err().then(|| "there is no node".to_owned()),
    ];
    let lacks: Vec<String> = lacks.into_iter().flatten().collect();
    if lacks.is_empty() {
        return Some((charts, fqm));
    }
    println!("differential: skipped, {}", lacks.join("; "));
    None
}

fn unpacked(charts: &Path, target: &Path) -> Vec<PathBuf> {
    std::fs::create_dir_all(target).unwrap();
    let mut out = vec![];
    for entry in std::fs::read_dir(charts).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "gz") {
            continue;
        }
        let mut text = vec![];
        flate2::read::MultiGzDecoder::new(std::fs::File::open(&path).unwrap())
            .read_to_end(&mut text)
            .unwrap();
        let to = target.join(path.file_stem().unwrap());
        std::fs::write(&to, text).unwrap();
        out.push(to);
    }
    out.sort();
    out
}

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/fqm.js");

/// All that the other engine's answers follow from.
fn inputs(fqm: &Path, folder: &Path, decks: &[&PathBuf], data: &[PathBuf]) -> Vec<u8> {
    let mut libraries: Vec<PathBuf> = std::fs::read_dir(folder.join("libraries"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    libraries.sort();
    let mut files = vec![
        PathBuf::from(SCRIPT),
        fqm.join("node_modules/fqm-execution/package.json"),
    ];
    for deck in decks {
        files.extend([deck.join("measure.json"), deck.join("valuesets.ndjson")]);
    }
    files.extend(libraries);
    files.extend_from_slice(data);
    let mut out = format!("{PERIODS:?}").into_bytes();
    for file in files {
        out.extend(std::fs::read(file).unwrap_or_default());
    }
    out
}

/// The other engine's counts, and the seconds that it evaluated.
fn established(fqm: &Path, job: &Path, key: &str) -> (Counts, f64) {
    let kept = fqm.join("answers").join(format!("{key}.ndjson"));
    let text = match std::fs::read_to_string(&kept) {
        Ok(text) => text,
        Err(_) => {
            let done = Command::new("node")
                .arg("--max-old-space-size=6000")
                .args([Path::new(SCRIPT), job])
                .current_dir(fqm)
                .output()
                .unwrap();
            let told = String::from_utf8_lossy(&done.stderr);
            let tail = &told[told.floor_char_boundary(told.len().saturating_sub(2000))..];
            assert!(done.status.success(), "fqm-execution failed:\n{tail}");
            std::fs::create_dir_all(fqm.join("answers")).unwrap();
            // Whole or not at all: another run may be reading.
            let new = kept.with_extension("new");
            std::fs::write(&new, &done.stdout).unwrap();
            std::fs::rename(&new, &kept).unwrap();
            String::from_utf8(done.stdout).unwrap()
        }
    };
    let (mut counts, mut seconds) = (Counts::new(), None);
    for line in text.lines() {
        let answer: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(took) = answer["seconds"].as_f64() {
            seconds = Some(took);
            continue;
        }
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        if let Some(error) = answer["error"].as_str() {
            println!("  fqm-execution on {}: {error}", text("patient"));
            let key = (
                text("deck"),
                text("year"),
                text("patient"),
                0,
                "error".into(),
            );
            add(&mut counts, key, 1);
            continue;
        }
        for (group, populations) in answer["groups"].as_array().unwrap().iter().enumerate() {
            for (code, count) in populations.as_object().unwrap() {
                let key = (
                    text("deck"),
                    text("year"),
                    text("patient"),
                    group,
                    code.clone(),
                );
                add(&mut counts, key, count.as_u64().unwrap());
            }
        }
    }
    (
        counts,
        seconds.expect("the other engine reached its last line"),
    )
}

fn add(counts: &mut Counts, key: Key, count: u64) {
    if count > 0 {
        *counts.entry(key).or_default() += count;
    }
}

/// Our counts, all measures in one pass a year, as `measure run` does it; patients; and the seconds
/// that evaluation took.
fn tandem(folder: &Path, decks: &[PathBuf], charts: &Path, scratch: &Path) -> (Counts, usize, f64) {
    let options = ImportOptions {
        paths: vec![charts.to_owned()],
        lake: scratch.join("lake"),
        buckets: None,
        strict: false,
        limits: Default::default(),
        threads: 2,
        now_ms: 0,
        lake_id: "differential".into(),
        bases: vec![],
    };
    import(&options, &Arc::default()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lake = runtime
        .block_on(Lake::open(&scratch.join("lake"), None))
        .unwrap();
    let mut counts = Counts::new();
    let (mut seconds, mut patients) = (0.0, 0);
    let mut package = vec![folder.join("libraries")];
    let mut names = BTreeMap::new();
    for deck in decks {
        package.extend([deck.join("measure.json"), deck.join("valuesets.ndjson")]);
        let measure = std::fs::read_to_string(deck.join("measure.json")).unwrap();
        let measure: serde_json::Value = serde_json::from_str(&measure).unwrap();
        let name = deck.file_name().unwrap().to_string_lossy().into_owned();
        let url = measure["url"].as_str().unwrap();
        names.insert(url.split('|').next().unwrap().to_owned(), name);
    }
    package.retain(|p| p.exists());
    let loaded = load(&package);
    let measures: Vec<_> = loaded.package.measures.iter().collect();
    assert_eq!(measures.len(), decks.len(), "{:?}", loaded.issues);
    for (first, last) in PERIODS {
        let day = |text: &str| DateTime::parse(text).unwrap();
        let context = EvaluationContext::for_period(day(first), day(last), UTC.clone());
        let options = BuildOptions {
            allow_missing_value_sets: true,
            profile_mode: ProfileMode::Decide,
            native_helpers: true,
            everything: false,
        };
        let built = build(&loaded.package, &measures, &options);
        assert!(built.refused.is_empty(), "{:?}", built.refused);
        let programs = [ProgramMeasure {
            program: built.program.unwrap(),
            structures: built.structures.clone(),
        }];
        let rows = scratch.join("rows.parquet");
        let started = Instant::now();
        let pass = Pass {
            lake: &lake,
            measures: &programs,
            context: &context,
            rows: RowOptions::default(),
            subject: None,
            threads: 2,
            file: &rows,
        };
        let run = run_programs(&pass);
        let (results, _) = runtime.block_on(run).unwrap();
        seconds += started.elapsed().as_secs_f64();
        patients = results.iter().map(|r| r.patients).max().unwrap_or(0) as usize;
        read_rows(&rows, &built.structures, &mut |subject| {
            let structure = &built.structures[subject.measure];
            for (group, own) in subject.groups.iter().enumerate() {
                let populations = structure.groups[group].populations.iter();
                for (population, membership) in populations.zip(&own.populations) {
                    if population.code == PopulationCode::MeasureObservation {
                        continue;
                    }
                    let key = (
                        names[&*structure.artifact.url].clone(),
                        first[..4].to_owned(),
                        subject.patient.clone(),
                        group,
                        population.code.as_str().to_owned(),
                    );
                    add(&mut counts, key, membership.count);
                }
            }
        })
        .unwrap();
    }
    (counts, patients, seconds)
}

/// Differences that are not listed, or not as they are listed.
fn unexplained(ours: &Counts, theirs: &Counts) -> Vec<String> {
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    let mut examples: BTreeMap<String, &str> = BTreeMap::new();
    for key in ours
        .keys()
        .chain(theirs.keys().filter(|k| !ours.contains_key(*k)))
    {
        let (own, other) = (ours.get(key).unwrap_or(&0), theirs.get(key).unwrap_or(&0));
        if own == other {
            continue;
        }
        let (measure, year, patient, group, code) = key;
        let line = format!("{measure}\t{year}\t{group}\t{code}\t{own}\t{other}");
        *found.entry(line.clone()).or_default() += 1;
        examples.entry(line).or_insert(patient);
    }
    let mut wrong = vec![];
    for line in EXPLAINED.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let (what, patients) = (fields[..6].join("\t"), fields[6].parse::<u64>());
        assert!(
            !fields[7].is_empty(),
            "differential.tsv: `{line}` has no reason"
        );
        match (found.remove(&what), patients) {
            (Some(found), Ok(listed)) if found == listed => {}
            (found, _) => wrong.push(format!(
                "{what}: listed for {} patients, found {}",
                fields[6],
                found.unwrap_or(0)
            )),
        }
    }
    wrong.extend(found.into_iter().map(|(what, patients)| {
        let example = examples.get(&what).copied().unwrap_or_default();
        format!(
            "{what} (measure, year, group, population, ours, theirs): {patients} patients, {example} among them"
        )
    }));
    wrong
}
