//! One flipped bit, a lost file, a table of another snapshot: never a number, always an error that names
//! the file, and told by the check of a lake.
//!
//! `TANDEM_ROUNDS=100` flips so many bits in each table (4 by default).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datasets::synth::{SynthOptions, write_population};
use engine_patient::program::PatientProgram;
use engine_population::evaluate::EvaluateTable;
use engine_population::lake::check::{CheckOptions, Checked, check};
use engine_population::lake::commit::{Base, Change, TableChange, commit};
use engine_population::lake::{DataFile, Lake, LakeError, lake_error, schema};
use engine_population::session::{register_tables, session};
use engine_population::statement::query;

use crate::fixture::{context, import_into};

const TABLES: [&str; 5] = ["codes", "facts", "patients", "resources", "shared"];

struct Made {
    _folder: tempfile::TempDir,
    root: PathBuf,
    lake: PathBuf,
    runtime: tokio::runtime::Runtime,
}

impl Made {
    /// A lake of two snapshots; the second has files of both imports.
    fn new() -> Made {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        let lake = root.join("lake");
        for (n, patients) in [(0, 10u64), (1, 14)] {
            let data = root.join(format!("data{n}"));
            let options = SynthOptions {
                patients,
                ..SynthOptions::default()
            };
            write_population(&options, &data, 2, &|_| {}).unwrap();
            assert!(import_into(&data, &lake, 8, 1_700_000_000_000 + n).committed);
        }
        Made {
            _folder: folder,
            root,
            lake,
            runtime: tokio::runtime::Runtime::new().unwrap(),
        }
    }

    fn open(&self) -> Lake {
        self.runtime.block_on(Lake::open(&self.lake, None)).unwrap()
    }

    fn files(&self, table: &str) -> Vec<DataFile> {
        self.open().files(table).to_vec()
    }

    /// All questions and their answers; of those that failed, the lake's error.
    fn answers(&self) -> BTreeMap<&'static str, Result<String, String>> {
        let lake = self.open();
        let mut answers = BTreeMap::new();
        for (name, text) in [
            (
                "codes",
                "SELECT count(*), sum(code_key), max(display), min(system || code) FROM codes",
            ),
            (
                "facts",
                "SELECT count(*), sum(code_key), sum(pat), sum(rid), sum(start_ms), sum(end_ms), sum(bucket), sum(rtype), sum(path) FROM facts",
            ),
            (
                "few facts",
                "SELECT count(pat) FROM facts WHERE rtype = 95 AND path = 0",
            ),
            (
                "patients",
                "SELECT count(rid), sum(content_hash), max(birth_date), min(gender), sum(resources), max(patient_id) FROM patients",
            ),
            (
                "resources",
                "SELECT resource_type, sum(length(raw)), max(id), max(raw), count(restore), max(version_id), max(last_updated), sum(pat) FROM resources GROUP BY 1 ORDER BY 1",
            ),
            (
                "shared",
                "SELECT count(version_id), max(raw), min(id), max(restore), max(last_updated), max(resource_type) FROM shared",
            ),
            (
                "view",
                "SELECT count(*), max(period_start), min(type_code) FROM encounter_flat",
            ),
            (
                "joined",
                "SELECT count(*) FROM facts f JOIN codes c ON f.code_key = c.code_key",
            ),
        ] {
            answers.insert(name, self.runtime.block_on(ask(&lake, text, false)));
        }
        let rows = "SELECT * FROM results ORDER BY 1, 2, 3, 4, 5, 6";
        answers.insert("measures", self.runtime.block_on(ask(&lake, rows, true)));
        let out = self.root.join("out");
        let _ = std::fs::remove_dir_all(&out);
        let done = self
            .runtime
            .block_on(datasets::export::export(&lake, &out, false, &|_| {}));
        answers.insert(
            "export",
            match done {
                Ok(_) => Ok(folder_text(&out)),
                Err(datasets::export::ExportError::Lake(e)) => Err(damage(&e)),
                Err(e) => panic!("{e:?}"),
            },
        );
        answers
    }

    fn check(&self) -> Checked {
        self.runtime.block_on(async {
            let lake = Lake::open(&self.lake, None).await.unwrap();
            let options = CheckOptions {
                threads: 2,
                scratch: None,
            };
            check(&lake, &options, Arc::new(|_| {})).await.unwrap()
        })
    }
}

fn folder_text(folder: &Path) -> String {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    names.sort();
    names
        .iter()
        .map(|n| std::fs::read_to_string(n).unwrap())
        .collect()
}

/// The text of an error that says which file is damaged.
fn damage(e: &LakeError) -> String {
    assert!(matches!(e, LakeError::Data(_)), "{e:?}");
    e.to_string()
}

async fn ask(lake: &Lake, text: &str, measures: bool) -> Result<String, String> {
    let session = session(lake, 2).unwrap();
    register_tables(&session, lake).unwrap();
    if measures {
        let programs = rules::built_in()
            .unwrap()
            .into_iter()
            .map(|r| r as Arc<dyn PatientProgram>);
        let table = EvaluateTable::new(lake.clone(), programs.collect(), context());
        session.register_table("results", Arc::new(table)).unwrap();
    }
    let done = match query(&session, text).await {
        Ok(frame) => frame.collect().await,
        Err(e) => Err(e),
    };
    match done {
        Ok(batches) => Ok(arrow::util::pretty::pretty_format_batches(&batches)
            .unwrap()
            .to_string()),
        Err(e) => Err(damage(
            lake_error(&e).unwrap_or_else(|| panic!("another error: {e}")),
        )),
    }
}

/// The same numbers in each run.
fn random(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

#[test]
fn a_flipped_bit_is_an_error_or_harmless() {
    let rounds = std::env::var("TANDEM_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(4);
    let made = Made::new();
    let whole = made.answers();
    assert!(whole.values().all(Result::is_ok), "{whole:?}");
    let (mut seed, mut found, mut harmless) = (0x9E37_79B9_7F4A_7C15, 0, 0);
    for table in TABLES {
        let files = made.files(table);
        let mut in_table = 0;
        for round in 0..rounds {
            let file = &files[random(&mut seed) as usize % files.len()];
            let path = made.lake.join(table).join(&file.path);
            let good = std::fs::read(&path).unwrap();
            let mut bad = good.clone();
            // Every other in the first or last bytes: headers, page indexes, the footer.
            let at = match round % 4 {
                0 => random(&mut seed) as usize % 64,
                1 => bad.len() - 1 - random(&mut seed) as usize % 64,
                2 => {
                    file.tail as usize
                        + random(&mut seed) as usize % (bad.len() - file.tail as usize)
                }
                _ => random(&mut seed) as usize % bad.len(),
            };
            bad[at] ^= 1 << (random(&mut seed) % 8);
            std::fs::write(&path, &bad).unwrap();
            let name = format!("{table}/{}", file.path);
            for (question, answer) in made.answers() {
                match answer {
                    Err(said) => {
                        assert!(
                            said.contains(&name) && said.contains("checksum"),
                            "{question}: {said}"
                        );
                        assert!(!said.contains("file://"), "{said}");
                        found += 1;
                        in_table += 1;
                    }
                    Ok(answer) => {
                        assert!(
                            Ok(&answer) == whole[question].as_ref(),
                            "{question}, byte {at} of {name}"
                        );
                        harmless += 1;
                    }
                }
            }
            let checked = made.check();
            assert_eq!(checked.findings.len(), 1, "{:?}", checked.findings);
            assert_eq!(
                checked.findings[0].kind,
                "files whose checksum does not match"
            );
            assert_eq!(checked.findings[0].examples, [name]);
            std::fs::write(&path, &good).unwrap();
        }
        assert!(in_table > 0, "nothing was found in {table}");
    }
    println!("{found} answers refused, {harmless} as before");
    assert_eq!(made.answers(), whole);
}

#[test]
fn a_file_that_is_gone_or_cut_off_is_no_empty_one() {
    let made = Made::new();
    let whole = made.answers();
    for table in TABLES {
        let file = made.files(table)[0].clone();
        let (name, path) = (
            format!("{table}/{}", file.path),
            made.lake.join(table).join(&file.path),
        );
        let good = std::fs::read(&path).unwrap();
        for cut in [None, Some(good.len() / 2), Some(0), Some(good.len() - 1)] {
            match cut {
                None => std::fs::remove_file(&path).unwrap(),
                Some(length) => std::fs::write(&path, &good[..length]).unwrap(),
            }
            let mut failed = BTreeSet::new();
            for (question, answer) in made.answers() {
                match answer {
                    Err(said) => {
                        assert!(
                            said.contains(&name) && said.starts_with("damaged: "),
                            "{said}"
                        );
                        failed.insert(question);
                    }
                    Ok(answer) => assert!(Ok(&answer) == whole[question].as_ref(), "{question}"),
                }
            }
            assert!(failed.contains(table), "{table} {cut:?}: {failed:?}");
            // The count alone is in the manifest; it is not told where the rows are lost.
            let text = format!("SELECT count(*) FROM {table}");
            let lake = made.open();
            let said = made.runtime.block_on(ask(&lake, &text, false)).unwrap_err();
            assert!(said.contains(&name), "{said}");
            let checked = made.check();
            assert_eq!(
                checked.findings[0].kind,
                "files that are lost or of another size"
            );
        }
        std::fs::write(&path, &good).unwrap();
    }
    assert!(made.check().findings.is_empty());
}

#[test]
fn a_snapshot_that_is_vacuumed_while_it_is_read_is_told_apart() {
    let made = Made::new();
    let (old, new) = (
        made.runtime
            .block_on(Lake::open(&made.lake, Some(0)))
            .unwrap(),
        made.open(),
    );
    let policy = engine_population::lake::commit::VacuumPolicy {
        keep_last: 1,
        keep_since_ms: None,
        pinned: BTreeSet::new(),
        min_age_ms: 0,
        now_ms: 1_800_000_000_000,
    };
    made.runtime.block_on(async {
        use engine_population::lake::commit::{apply_vacuum, plan_vacuum};
        let plan = plan_vacuum(old.store.as_ref(), &policy).await.unwrap();
        assert!(apply_vacuum(old.store.as_ref(), &plan).await.unwrap().files > 0);
        for table in TABLES {
            if old.files(table) == new.files(table) {
                continue;
            }
            let session = session(&old, 2).unwrap();
            register_tables(&session, &old).unwrap();
            let text = format!("SELECT count(*) FROM {table}");
            let error = match query(&session, &text).await {
                Ok(frame) => frame.collect().await.unwrap_err(),
                Err(e) => e,
            };
            let own = lake_error(&error).unwrap();
            assert!(matches!(own, LakeError::Vacuumed(_)), "{own:?}");
            assert!(own.to_string().contains("run again"), "{own}");
        }
    });
}

/// Files that are whole, and do not belong together.
#[test]
fn tables_that_do_not_fit_each_other_are_found() {
    let made = Made::new();
    assert!(
        made.check().findings.is_empty(),
        "{:?}",
        made.check().findings
    );
    let old = made
        .runtime
        .block_on(Lake::open(&made.lake, Some(0)))
        .unwrap();
    for (n, (table, expected)) in [
        (schema::FACTS, "facts"),
        (schema::PATIENTS, "patients"),
        (schema::CODES, "codes of `facts` that `codes` does not have"),
        (schema::RESOURCES, "of which `facts` says something else"),
    ]
    .into_iter()
    .enumerate()
    {
        let new = made
            .runtime
            .block_on(Lake::open(&made.lake, Some(1)))
            .unwrap();
        let changed = |f: &&DataFile| !new.files(table).contains(f);
        let Some(stale) = old.files(table).iter().find(changed).cloned() else {
            assert_eq!(table, schema::CODES, "the second import changed no {table}");
            continue;
        };
        let same = |f: &&DataFile| f.buckets == stale.buckets;
        let fresh = new.files(table).iter().find(same).unwrap().path.clone();
        let swap = |out: &str, put: &DataFile| TableChange {
            remove: [out.to_owned()].into(),
            add: vec![put.clone()],
        };
        let head = made.open();
        let change = Change {
            operation: "test".into(),
            engine: "test".into(),
            tables: [(table.to_owned(), swap(&fresh, &stale))].into(),
            ..Change::default()
        };
        let now = 1_700_000_100_000 + n as i64;
        let store = head.store.as_ref();
        let done = made
            .runtime
            .block_on(commit(store, Base::On(&head.snapshot), &change, now));
        done.unwrap();
        let checked = made.check();
        let kinds: Vec<&str> = checked.findings.iter().map(|f| f.kind.as_str()).collect();
        assert!(
            kinds.iter().any(|k| k.contains(expected)),
            "{table}: {kinds:?}"
        );
        assert!(
            checked.notes.iter().any(|n| n.contains("Delta log")),
            "{:?}",
            checked.notes
        );
        // And back.
        let head = made.open();
        let back = new.files(table).iter().find(same).unwrap();
        let change = Change {
            tables: [(table.to_owned(), swap(&stale.path, back))].into(),
            ..change
        };
        let done = commit(head.store.as_ref(), Base::On(&head.snapshot), &change, now);
        made.runtime.block_on(done).unwrap();
        assert!(made.check().findings.is_empty());
    }
}

/// A folder or a pipe in place of a file: an error that names it, and no waiting.
#[test]
fn what_is_no_file_is_named_and_not_waited_for() {
    let made = Made::new();
    let whole = made.answers();
    for table in TABLES {
        let file = &made.files(table)[0];
        let path = made.lake.join(table).join(&file.path);
        let aside = made.root.join("aside");
        std::fs::rename(&path, &aside).unwrap();
        for (what, make) in [
            ("it is a folder, not a file", "mkdir"),
            ("it is not a regular file", "mkfifo"),
        ] {
            let made_it = std::process::Command::new(make).arg(&path).status();
            assert!(made_it.unwrap().success());
            let name = format!("{table}/{}", file.path);
            let told = |said: &str| said.contains(&name) && said.contains(what);
            let mut found = 0;
            for (question, answer) in made.answers() {
                match answer {
                    Ok(answer) => assert!(Ok(&answer) == whole[question].as_ref(), "{question}"),
                    Err(said) => {
                        assert!(told(&said), "{question}: {said}");
                        found += 1;
                    }
                }
            }
            assert!(found > 0, "nothing reads {name}");
            let checked = made.check();
            let findings = &checked.findings;
            assert!(
                findings.iter().any(|f| f.examples.iter().any(|e| told(e))),
                "{findings:?}"
            );
            std::process::Command::new("rm")
                .arg("-r")
                .arg(&path)
                .status()
                .unwrap();
        }
        std::fs::rename(&aside, &path).unwrap();
    }
    assert_eq!(made.check().findings, []);
}

/// Delta logs and pins: nothing of ours rests on the former, so an import and the check say what is
/// wrong with them.
#[test]
fn damaged_delta_logs_and_pins_are_told() {
    let made = Made::new();
    let again = || import_into(&made.root.join("data1"), &made.lake, 8, 1_700_000_000_009);
    assert_eq!(again().delta_damaged, Vec::<String>::new());
    let log = made.lake.join("facts/_delta_log");
    let version = log.join("00000000000000000001.json");
    let whole = std::fs::read(&version).unwrap();
    std::fs::write(&version, &whole[..whole.len() - 9]).unwrap();
    let told = again().delta_damaged;
    assert!(
        told[0].starts_with("facts/_delta_log/00000000000000000001.json: "),
        "{told:?}"
    );
    // What it lists cannot be compared: one thing is wrong, and told once.
    assert_eq!((told.len(), made.check().findings.len()), (1, 1));
    // A log that reads well, and lists other files.
    std::fs::write(&version, "").unwrap();
    assert_eq!(
        again().delta_damaged,
        ["facts/_delta_log lists other files than the snapshot"]
    );
    assert_eq!(
        made.check().findings[0].kind,
        "Delta logs that list other files"
    );
    // As the note says: without its folder the log is written anew.
    std::fs::remove_dir_all(&log).unwrap();
    assert_eq!(again().delta_damaged, Vec::<String>::new());
    assert_eq!(made.check().findings, []);
    assert_eq!(std::fs::read(&version).unwrap(), whole);

    let pins = made.lake.join("_lake/pins");
    let pin = "00000000000000000000";
    let store = made.open().store;
    let set = engine_population::lake::commit::pin(store.as_ref(), 0, "report");
    made.runtime.block_on(set).unwrap();
    assert_eq!(made.check().findings, []);
    std::fs::rename(pins.join(pin), pins.join("report 2024")).unwrap();
    std::fs::create_dir(pins.join(pin)).unwrap();
    let findings = made.check().findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(
        findings[0].kind,
        "what stands in place of a pin and keeps no snapshot"
    );
    assert_eq!(findings[0].count, 2);
    std::fs::remove_dir_all(&pins).unwrap();
    std::fs::write(&pins, "").unwrap();
    let findings = made.check().findings;
    assert!(
        findings[0].examples[0].contains("not the folder of pins"),
        "{findings:?}"
    );
}
