//! `tandem lake …`: which lake is meant, its files, and what it prints for programs.

use serde_json::Value;

use crate::support::*;

fn json(ran: Ran) -> Value {
    serde_json::from_str(&ran.ok().out).unwrap()
}

/// Two snapshots, the second with a changed patient and one more.
fn two_snapshots(folder: &std::path::Path) -> std::path::PathBuf {
    let lake = folder.join("lake");
    let lines = patient("a", "") + &patient("b", "");
    import(&lake, &[&file(folder.join("1.ndjson"), lines)]);
    let lines = patient("a", ",\"meta\":{\"versionId\":\"2\"}") + &patient("c", "");
    import(&lake, &[&file(folder.join("2.ndjson"), lines)]);
    lake
}

#[test]
fn every_command_takes_the_lake_as_the_others_do() {
    let dir = folder();
    let lake = two_snapshots(dir.path());
    for command in ["info", "snapshots", "check", "files", "vacuum"] {
        let named = tandem!("lake", command, "--lake", &lake).ok().out;
        assert_eq!(named, tandem!("lake", command, &lake).ok().out, "{command}");
        let says = ["two lakes are given", "--lake"];
        tandem!("lake", command, &lake, "--lake", &lake).fails(2, &says);
        let says = ["which lake?", &format!("tandem lake {command} --lake LAKE")];
        tandem!("lake", command).fails(2, &says);
    }
}

#[test]
fn the_files_of_a_snapshot_are_those_of_its_manifest() {
    let dir = folder();
    let lake = two_snapshots(dir.path());
    let files = |more: &[&str]| {
        let mut args = vec!["lake", "files", "--lake", lake.to_str().unwrap()];
        args.extend(more);
        run(&args.iter().map(std::ffi::OsStr::new).collect::<Vec<_>>())
    };
    let listed: Vec<String> = files(&[]).ok().out.lines().map(str::to_owned).collect();
    let mut wanted: Vec<String> = listed_files(&lake)
        .iter()
        .map(|f| lake.join(f).display().to_string())
        .collect();
    wanted.sort();
    assert_eq!(listed, wanted);
    // Those of the first snapshot are still there, and not among them.
    assert!(data_files(&lake).len() > wanted.len());
    let older: Vec<String> = files(&["--snapshot", "0", "--table", "patients"])
        .ok()
        .out
        .lines()
        .map(str::to_owned)
        .collect();
    assert!(!older.is_empty() && older.iter().all(|f| !wanted.contains(f)));
    assert!(older.iter().all(|f| std::path::Path::new(f).is_file()));
    let zeros = files(&["--table", "patients", "-0"]).ok().out;
    let lines = files(&["--table", "patients"]).ok().out;
    assert_eq!(zeros, lines.replace('\n', "\0"));
    let all = json(files(&[
        "--table", "patients", "--table", "codes", "--format", "json",
    ]));
    let rows = |table: &str| -> u64 {
        let of = all["files"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|f| f["table"] == table);
        of.map(|f| f["rows"].as_u64().unwrap()).sum()
    };
    assert_eq!((rows("patients"), rows("codes"), rows("facts")), (3, 0, 0));
    for one in all["files"].as_array().unwrap() {
        let length = std::fs::metadata(one["path"].as_str().unwrap())
            .unwrap()
            .len();
        assert_eq!(one["bytes"], length);
    }
    let csv = files(&["--table", "patients", "--format", "csv"]).ok().out;
    assert_eq!(csv.lines().next(), Some("table,path,rows,bytes"));
    assert_eq!(csv.lines().count(), 1 + lines.lines().count());
    files(&["--table", "patient", "--table", "encounter_flat"]).fails(
        2,
        &[
            "did you mean `patients`?",
            "--table encounter_flat",
            "codes, facts, patients",
        ],
    );
    // `text` is another word for `table` everywhere.
    let table = files(&["--format", "table"]).ok().out;
    assert_eq!(files(&["--format", "text"]).ok().out, table);
    assert_eq!(files(&["--format", "paths"]).ok().out, files(&[]).ok().out);
    files(&["--format", "path"]).fails(2, &["paths, table, json, csv"]);
    files(&["-0", "--format", "json"]).fails(2, &["-0 is for paths alone"]);
    files(&["--snapshot", "7"]).fails(2, &["7"]);
    // A relative lake gives relative paths, unless they are asked for from the root.
    let here = |more: &str| {
        let command = format!("tandem lake files --lake lake --table patients {more} | head -n 1");
        let done = crate::sql_examples::shell(&command, dir.path());
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    assert!(here("").starts_with("lake/patients/"));
    assert!(here("--absolute").starts_with('/'));
}

#[test]
fn numbers_for_programs() {
    let dir = folder();
    let lake = two_snapshots(dir.path());
    let info = json(tandem!("lake", "info", "--lake", &lake, "--format", "json"));
    let tables = info["tables"].as_array().unwrap();
    let patients = tables.iter().find(|t| t["table"] == "patients").unwrap();
    assert_eq!(
        (&info["snapshot"], &patients["rows"]),
        (&1.into(), &3.into())
    );
    let csv = tandem!("lake", "info", "--lake", &lake, "--format", "csv")
        .ok()
        .out;
    let bytes = &patients["bytes"];
    let files = &patients["files"];
    assert!(
        csv.contains(&format!("patients,{files},3,{bytes}\n")),
        "{csv}"
    );
    tandem!(
        "lake",
        "snapshots",
        "--lake",
        &lake,
        "--pin",
        "0",
        "--reason",
        "a, b"
    )
    .ok();
    let all = json(tandem!(
        "lake",
        "snapshots",
        "--lake",
        &lake,
        "--format",
        "json"
    ));
    let all = &all["snapshots"];
    assert_eq!(
        (&all[0]["pinned"], &all[0]["reason"], &all[1]["pinned"]),
        (&"yes".into(), &"a, b".into(), &Value::Null)
    );
    let csv = tandem!("lake", "snapshots", "--lake", &lake, "--format", "csv")
        .ok()
        .out;
    assert!(
        csv.contains(",yes,\"a, b\"\n") && csv.lines().count() == 3,
        "{csv}"
    );
    let checked = tandem!("lake", "check", "--lake", &lake, "--format", "csv")
        .ok()
        .out;
    assert_eq!(checked, "kind,count,example\n");
    let vacuum = |more: &[&str]| {
        let mut args = vec!["lake", "vacuum", "--lake", lake.to_str().unwrap()];
        args.extend(["--keep", "1", "--min-age-hours", "0", "--format", "json"]);
        args.extend(more);
        json(run(&args
            .iter()
            .map(std::ffi::OsStr::new)
            .collect::<Vec<_>>()))
    };
    tandem!("lake", "snapshots", "--lake", &lake, "--unpin", "0").ok();
    let planned = vacuum(&["--dry-run"]);
    let done = vacuum(&[]);
    assert_eq!(
        (&planned["dryRun"], &planned["deletedFiles"]),
        (&true.into(), &0.into())
    );
    assert_eq!(planned["files"], done["files"]);
    assert_eq!(
        done["deletedFiles"],
        done["files"].as_array().unwrap().len()
    );
    assert_eq!(done["droppedSnapshots"], serde_json::json!([0]));
}
