//! A deck replicated k times gives k times every count; and neither the order of patients, nor the
//! number of buckets or threads changes a byte of the results.

use std::path::Path;
use std::sync::Arc;

use datasets::import::{ImportOptions, import};
use engine_patient::context::EvaluationContext;
use engine_patient::fhir::profiles::ProfileMode;
use engine_patient::program::RowOptions;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::UTC;
use engine_population::lake::Lake;
use measures::official::{BuildOptions, build};
use measures::result::MeasureResult;
use measures_run::evaluate::{Pass, ProgramMeasure, run_programs};

/// Decks of different scoring: proportion, ratio with observations, continuous variable.
const DECKS: [&str; 3] = ["CMS122", "CMS1017", "CMS986"];

/// Checks them, where they are there.
pub fn check(folder: &Path) {
    for name in DECKS {
        let decks = std::fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().path());
        let deck = decks.into_iter().find(|p| {
            let own = p.file_name().unwrap().to_string_lossy().into_owned();
            own.starts_with(name) && own[name.len()..].starts_with('F') && p.join("data").is_dir()
        });
        let Some(deck) = deck else {
            println!("replication of {name}: skipped, there is no such deck");
            continue;
        };
        let scratch = tempfile::tempdir().unwrap();
        let copies = |times: usize, reverse: bool| {
            let target = scratch.path().join(format!("data-{times}-{reverse}"));
            replicate(&deck.join("data"), &target, times, reverse);
            target
        };
        let once = run(&deck, folder, &copies(1, false), 8, 1);
        let thrice = run(&deck, folder, &copies(3, false), 8, 2);
        assert_eq!(
            counts(&once.0, 3),
            counts(&thrice.0, 1),
            "{name}: three copies"
        );
        // Reversed, in other buckets, by another number of threads: the same bytes.
        let other = run(&deck, folder, &copies(3, true), 32, 4);
        assert_eq!(counts(&thrice.0, 1), counts(&other.0, 1), "{name}");
        assert!(
            thrice.1 == other.1,
            "{name}: the result rows differ in their bytes"
        );
    }
}

/// Every count, times k.
pub fn counts(results: &[MeasureResult], k: u64) -> Vec<String> {
    let mut out = vec![];
    for result in results {
        for (group, own) in result.groups.iter().enumerate() {
            for (index, population) in own.counts.populations.iter().enumerate() {
                out.push(format!("{group}.{index}: {}", population.count * k));
            }
            for (stratifier, strata) in own.strata.iter().enumerate() {
                for (stratum, counts) in strata {
                    let all: Vec<u64> = counts.populations.iter().map(|p| p.count * k).collect();
                    out.push(format!("{group}.{stratifier}.{stratum}: {all:?}"));
                }
            }
        }
    }
    out
}

/// Copies of the data: ids and references of a copy end in its number.
fn replicate(data: &Path, target: &Path, times: usize, reverse: bool) {
    std::fs::create_dir_all(target).unwrap();
    for entry in std::fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines: Vec<String> = vec![];
        for copy in 0..times {
            for line in text.lines() {
                let mut resource: serde_json::Value = serde_json::from_str(line).unwrap();
                let id = format!("{}-{copy}", resource["id"].as_str().unwrap());
                resource["id"] = id.into();
                rename(&mut resource, copy);
                lines.push(resource.to_string());
            }
        }
        if reverse {
            lines.reverse();
        }
        std::fs::write(
            target.join(path.file_name().unwrap()),
            lines.join("\n") + "\n",
        )
        .unwrap();
    }
}

fn rename(json: &mut serde_json::Value, copy: usize) {
    match json {
        serde_json::Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                match value {
                    serde_json::Value::String(text) if key == "reference" => {
                        *text = format!("{text}-{copy}");
                    }
                    other => rename(other, copy),
                }
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|i| rename(i, copy)),
        _ => {}
    }
}

/// Runs a deck's measure over data, and gives its results and their rows.
pub fn run(
    deck: &Path,
    folder: &Path,
    data: &Path,
    buckets: u32,
    threads: usize,
) -> (Vec<MeasureResult>, Vec<u8>) {
    let scratch = tempfile::tempdir().unwrap();
    let options = ImportOptions {
        paths: vec![data.to_owned()],
        lake: scratch.path().join("lake"),
        buckets: Some(buckets),
        bases: vec![],
        strict: false,
        limits: Default::default(),
        threads: 2,
        now_ms: 0,
        lake_id: "replication".into(),
    };
    import(&options, &Arc::default()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lake = runtime
        .block_on(Lake::open(&scratch.path().join("lake"), None))
        .unwrap();
    let package = [
        deck.join("measure.json"),
        deck.join("valuesets.ndjson"),
        folder.join("libraries"),
    ];
    let loaded = measures::package::load(&package);
    let day = |text: &str| DateTime::parse(text).unwrap();
    let context = EvaluationContext::for_period(day("2026-01-01"), day("2026-12-31"), UTC.clone());
    let options = BuildOptions {
        allow_missing_value_sets: true,
        profile_mode: ProfileMode::Decide,
        native_helpers: true,
        everything: false,
    };
    let measures: Vec<_> = loaded.package.measures.iter().collect();
    let built = build(&loaded.package, &measures, &options);
    let programs = [ProgramMeasure {
        program: built.program.unwrap(),
        structures: built.structures,
    }];
    let rows = scratch.path().join("rows.parquet");
    let pass = Pass {
        lake: &lake,
        measures: &programs,
        context: &context,
        rows: RowOptions::default(),
        subject: None,
        threads,
        file: &rows,
    };
    let run = run_programs(&pass);
    let (results, _) = runtime.block_on(run).unwrap();
    (results, std::fs::read(rows).unwrap())
}
