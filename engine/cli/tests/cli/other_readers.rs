//! The lines of datasets/README.md for other readers, each run as it stands, after two imports. Skipped,
//! with a word, where Python or a package is not there.

use std::path::Path;
use std::process::Command;

use crate::sql_examples::shell;
use crate::support::*;

/// 120 patients, of whom 30 come again, changed; and somebody who is only referred to.
fn twice_imported(folder: &Path) -> std::path::PathBuf {
    let lake = folder.join("lake");
    let lines = |n: usize, version: usize| -> String {
        let line = |i| {
            let meta = format!(
                ",\"meta\":{{\"versionId\":\"{version}\",\"lastUpdated\":\"2025-01-0{version}T00:00:00Z\"}}"
            );
            patient(&format!("p{i}"), &meta)
        };
        (0..n).map(line).collect()
    };
    let ghost = r#"{"resourceType":"Condition","id":"c","subject":{"reference":"Patient/nobody"}}"#;
    let first = file(folder.join("first.ndjson"), lines(120, 1) + ghost);
    import(&lake, &[&first]);
    import(&lake, &[&file(folder.join("second.ndjson"), lines(30, 2))]);
    lake
}

const PATIENTS: &str = "120";

/// Blocks of the section: language and text.
fn blocks() -> Vec<(String, String)> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/README.md");
    let text = std::fs::read_to_string(readme).unwrap();
    let (_, section) = text.split_once("\n## Other readers\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let blocks = section.split("\n```").skip(1).step_by(2);
    let block = |block: &str| {
        let (language, code) = block.split_once('\n').unwrap();
        (language.to_owned(), code.to_owned())
    };
    blocks.map(block).collect()
}

fn python() -> String {
    std::env::var("TANDEM_PYTHON").unwrap_or_else(|_| "python3".into())
}

/// The packages of these lines that are not there.
fn lacks(code: &str) -> Vec<&'static str> {
    // A table of deltalake is read through pyarrow.
    let all = ["polars", "duckdb", "deltalake", "pyarrow", "pandas"];
    let used = |package: &&str| match *package {
        "pyarrow" => code.contains("delta"),
        "deltalake" => code.contains("scan_delta") || code.contains("deltalake"),
        "pandas" => code.contains("to_pandas"),
        package => code.contains(package),
    };
    let there = |package: &&str| {
        let import = format!("import {package}");
        let done = Command::new(python()).args(["-c", &import]).output();
        done.is_ok_and(|done| done.status.success())
    };
    let used = all.into_iter().filter(used);
    used.filter(|package| !there(package)).collect()
}

#[test]
fn the_lines_of_the_readme_count_each_patient_once() {
    let dir = folder();
    let lake = twice_imported(dir.path());
    // The shell's `duckdb` is Python's.
    let shim = file(
        dir.path().join("bin/duckdb"),
        "#!/bin/sh\nexec \"$PYTHON\" -c 'import sys, duckdb; print(duckdb.execute(sys.argv[2]).fetchall()[0][0])' \"$@\"\n",
    );
    let mut mode = std::fs::metadata(&shim).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o755);
    std::fs::set_permissions(&shim, mode).unwrap();
    let (mut given, mut ran) = (0, 0);
    for (language, code) in blocks() {
        let first = code.lines().next().unwrap_or_default();
        if first.contains("needs Spark") || first.contains("needs a network") {
            println!("skipped: {first}");
            continue;
        }
        given += 1;
        let lacks = lacks(&code);
        if !lacks.is_empty() {
            println!("skipped: Python has no {}:\n{code}", lacks.join(", "));
            continue;
        }
        let command = match language.as_str() {
            "python" => {
                file(dir.path().join("lines.py"), &code);
                "\"$PYTHON\" lines.py".to_owned()
            }
            "sh" => code.clone(),
            other => panic!("who runs `{other}`?\n{code}"),
        };
        let python = python();
        let command = format!("PYTHON='{python}'; export PYTHON; PATH=$PWD/bin:$PATH; {command}");
        let done = shell(&command, dir.path());
        let (out, err) = (
            String::from_utf8_lossy(&done.stdout).into_owned(),
            String::from_utf8_lossy(&done.stderr).into_owned(),
        );
        assert_eq!(out.trim(), PATIENTS, "{code}\n{err}");
        ran += 1;
    }
    assert!(given >= 6, "{given} blocks");
    println!("{ran} of {given} blocks were run");
    // What the section warns of is so: all files together have them twice.
    let count = |files: usize| -> i64 {
        let named = data_files(&lake).into_iter();
        named.filter(|f| f.starts_with("patients/")).count() as i64 - files as i64
    };
    let listed = listed_files(&lake);
    let listed = listed.iter().filter(|f| f.starts_with("patients/")).count();
    assert!(count(listed) > 0, "no file of the first snapshot is left");
}
