//! Output that cannot be written, and what reaches the terminal.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::explain::{PERIOD, lake, package};
use crate::support::*;

/// A place that takes nothing; `None` where the system has none.
fn full() -> Option<Stdio> {
    Some(File::options().write(true).open("/dev/full").ok()?.into())
}

/// Commands that print much, little, and to standard error. All but the last succeed.
fn commands(dir: &Path) -> Vec<Vec<String>> {
    let (package, lake) = (package(dir), lake(dir));
    let (package, lake) = (package.to_str().unwrap(), lake.to_str().unwrap());
    let data = dir.join("all.ndjson");
    let set = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let over: &[&str] = &["--lake", lake, "--period", PERIOD];
    let own = set("out");
    let page = set("why.html");
    let exported = set("exported");
    let synth = set("synth");
    let lists: Vec<Vec<&str>> = vec![
        [&["measure", "run", package], over].concat(),
        [&["measure", "run", package, "--out", &own], over].concat(),
        [&["measure", "run", package, "--format", "json"], over].concat(),
        [&["measure", "run", "--format", "csv", "--explain"], over].concat(),
        [&["measure", "gaps", package, "--format", "csv"], over].concat(),
        [
            &[
                "measure",
                "explain",
                package,
                "--subject",
                "a",
                "--format",
                "html",
                "--out",
                &page,
            ],
            over,
        ]
        .concat(),
        [&["measure", "explain", package, "--funnel"], over].concat(),
        vec!["measure", "check", package],
        vec!["measure", "list", package],
        vec!["rule", "test"],
        vec!["rule", "functions"],
        vec![
            "rule",
            "eval",
            "hba1c-control",
            "--patient",
            "a",
            "--lake",
            lake,
            "--at",
            "2025-12-31",
        ],
        vec!["sql", "SELECT * FROM patients", "--lake", lake],
        vec!["terminology", "check"],
        vec!["terminology", "check", "--manifest"],
        vec!["lake", "info", lake],
        vec!["export", "--lake", lake, "--out", &exported],
        vec!["synth", "--patients", "1", "--out", &synth],
        vec!["import", data.to_str().unwrap(), "--lake", lake],
        vec!["--help"],
        vec!["measure", "run", "--help"],
        vec!["--version"],
    ];
    let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect();
    lists.into_iter().map(owned).collect()
}

/// Nobody can read what stands beside the output: a success stays one.
#[test]
fn notes_that_nobody_takes() {
    let dir = folder();
    for args in commands(dir.path()) {
        for closed in [false, true] {
            // Folders that must not be there yet.
            for name in ["exported", "synth"] {
                let _ = std::fs::remove_dir_all(dir.path().join(name));
            }
            let mut command = match closed {
                true => {
                    let mut shell = Command::new("sh");
                    shell
                        .args(["-c", "exec \"$0\" \"$@\" 2>&-"])
                        .arg(crate::tandem());
                    shell
                }
                false => {
                    let Some(full) = full() else { continue };
                    let mut command = Command::new(crate::tandem());
                    command.stderr(full);
                    command
                }
            };
            let done = command
                .args(&args)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .status()
                .unwrap();
            assert_eq!(done.code(), Some(0), "{args:?}, closed: {closed}");
        }
    }
}

/// A full disk is exit code 4, and told; a closed one and a reader who left are quiet.
#[test]
fn output_that_nobody_takes() {
    let dir = folder();
    let fresh = || {
        for name in ["exported", "synth"] {
            let _ = std::fs::remove_dir_all(dir.path().join(name));
        }
    };
    for args in commands(dir.path()) {
        fresh();
        if let Some(full) = full() {
            let done = Command::new(crate::tandem())
                .args(&args)
                .stdin(Stdio::null())
                .stdout(full)
                .output()
                .unwrap();
            let told = String::from_utf8_lossy(&done.stderr).into_owned();
            // What says nothing on standard output has nothing to lose.
            let silent = args.iter().any(|a| a.ends_with("why.html"));
            let code = if silent { 0 } else { 4 };
            assert_eq!(done.status.code(), Some(code), "{args:?}: {told}");
            assert!(
                silent || told.contains("cannot be written"),
                "{args:?}: {told}"
            );
            assert!(!told.contains("panicked"), "{args:?}: {told}");
        }
        fresh();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let done = Command::new(crate::tandem())
            .args(&args)
            .stdin(Stdio::null())
            .stdout(writer)
            .output()
            .unwrap();
        assert_eq!(done.status.code(), Some(0), "{args:?}: a reader who left");
        fresh();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "exec \"$0\" \"$@\" >&-"])
            .arg(crate::tandem());
        let done = shell.args(&args).stdin(Stdio::null()).output().unwrap();
        assert_eq!(done.status.code(), Some(0), "{args:?}: closed");
    }
}

/// Patient text, file names and names of others' measures are shown, not sent to the terminal.
#[test]
fn control_characters_are_shown() {
    const HOSTILE: &str = "x\u{1b}[31mred\u{7}\u{9b}\u{202e}\u{200b}\ny";
    let dir = folder();
    let visible = |text: &str| {
        let bad =
            |c: char| (c.is_control() && c != '\n' && c != '\t') || "\u{202e}\u{200b}".contains(c);
        assert!(!text.chars().any(bad), "{text:?}");
    };
    let patient = json!({"resourceType": "Patient", "id": "a", "birthDate": "1970-01-01", "gender": "female",
        "address": [{"city": HOSTILE}]});
    let condition = json!({"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/a"},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9", "display": HOSTILE}], "text": HOSTILE}});
    let observation = json!({"resourceType": "Observation", "id": "o", "status": "final", "subject": {"reference": "Patient/a"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4", "display": HOSTILE}], "text": HOSTILE},
        "effectiveDateTime": "2025-06-01", "valueQuantity": {"value": 9.5, "unit": HOSTILE, "code": HOSTILE, "system": "http://unitsofmeasure.org"}});
    let lines = [patient, condition, observation]
        .map(|r| r.to_string())
        .join("\n");
    let data = file(dir.path().join("data.ndjson"), lines);
    let lake = dir.path().join("lake");
    import(&lake, &[&data]);
    let asked = |format: &str, more: &str| {
        // As JSON the characters stand escaped in the lake: a query brings them back.
        let raw = "replace(raw, '\\u001b', chr(27) || chr(8238))";
        let more = more.replace("raw", raw);
        let query = format!("SELECT {raw} AS text{more} FROM resources");
        tandem!("sql", &query, "--lake", &lake, "--format", format)
            .ok()
            .out
    };
    let table = asked(
        "table",
        ", make_array(raw) AS list, arrow_cast(raw, 'Dictionary(Int32, Utf8)') AS words",
    );
    visible(&table);
    assert!(
        table.contains("\\u{1b}") && table.contains("\\u{202e}"),
        "{table}"
    );
    // What machines read is exact.
    let csv = asked("csv", "");
    assert!(csv.contains('\u{1b}') && csv.contains('\u{202e}'));
    let evaluated = tandem!(
        "rule",
        "eval",
        "hba1c-control",
        "--patient",
        &data,
        "--at",
        "2025-12-31"
    )
    .ok();
    visible(&evaluated.out);
    let evaluated = tandem!(
        "rule",
        "eval",
        "hba1c-control",
        "--patient",
        "a",
        "--lake",
        &lake,
        "--at",
        "2025-12-31"
    )
    .ok();
    visible(&evaluated.out);
    // A name that is echoed in an error.
    let name = "no\u{1b}[2Jsuch\u{202e}";
    for ran in [
        tandem!("rule", "eval", name, "--patient", &data),
        tandem!("measure", "list", name),
        tandem!("lake", "info", name),
        tandem!("lake", name, name),
        tandem!(name),
        tandem!("measure", "run", "--lake", &lake, "--period", name),
    ] {
        assert!(
            ran.code > 0 || ran.err.contains("\\u{1b}"),
            "{}",
            ran.text()
        );
        visible(&ran.text());
    }
}

/// The line that says where it listens waits for a reader who never reads; the end does not.
#[test]
#[cfg(target_os = "linux")]
fn a_service_ends_though_nobody_reads_what_it_says() {
    use std::io::Write;
    use std::time::{Duration, Instant};
    const LONG: Duration = Duration::from_secs(60);
    const TERMINATE: u64 = 1 << 14;
    let (reader, mut writer) = std::io::pipe().unwrap();
    let full = writer.try_clone().unwrap();
    // More than a pipe takes: it is full until its reader goes.
    let filling = std::thread::spawn(move || writer.write_all(&[b'x'; 4 << 20]));
    std::thread::sleep(Duration::from_millis(500));
    let mut child = Command::new(crate::tandem())
        .args([
            "serve",
            "--insecure-dev",
            "--log",
            "--listen",
            "127.0.0.1:0",
        ])
        .stdin(Stdio::null())
        .stdout(full.try_clone().unwrap())
        .stderr(full)
        .spawn()
        .unwrap();
    let start = Instant::now();
    let handles_the_signal = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let caught = status.lines().find_map(|l| l.strip_prefix("SigCgt:"));
        u64::from_str_radix(caught.unwrap().trim(), 16).unwrap() & TERMINATE != 0
    };
    while !handles_the_signal() {
        assert!(start.elapsed() < LONG, "it does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(200));
    let told = Command::new("sh")
        .args(["-c", &format!("kill -TERM {}", child.id())])
        .status();
    assert!(told.unwrap().success());
    let start = Instant::now();
    let ended = loop {
        match child.try_wait().unwrap() {
            Some(status) => break Some(status),
            None if start.elapsed() > LONG => break None,
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    };
    if ended.is_none() {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    drop(reader);
    let _ = filling.join();
    assert_eq!(ended.and_then(|s| s.code()), Some(0), "{ended:?}");
}
