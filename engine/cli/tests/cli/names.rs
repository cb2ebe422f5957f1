//! Measures whose ids or names repeat are told apart by canonical url and version, in every command.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::{Value, json};

use crate::explain::{PERIOD, lake, package};
use crate::support::*;

/// The measure of the package, with other elements, as another file of it.
fn with(package: &Path, name: &str, elements: &[(&str, &str)]) {
    let text = std::fs::read_to_string(package.join("measure.json")).unwrap();
    let mut measure: Value = serde_json::from_str(&text).unwrap();
    for (element, value) in elements {
        measure[*element] = json!(value);
    }
    file(package.join(name), measure.to_string());
}

fn measure(command: &str, package: &Path, lake: &Path, more: &[&str]) -> Ran {
    let mut args: Vec<&OsStr> = vec!["measure".as_ref(), command.as_ref(), package.as_ref()];
    if !["check", "list"].contains(&command) {
        args.extend([OsStr::new("--lake"), lake.as_ref()]);
        args.extend(["--period", PERIOD].map(OsStr::new));
    }
    args.extend(more.iter().map(OsStr::new));
    run(&args)
}

const OURS: &str = "http://example.org/Measure/Demo|1.0.0";
const THEIRS: &str = "http://other.example.org/Measure/Demo|1.0.0";
const BOTH: [&str; 2] = [OURS, THEIRS];

#[test]
fn one_id_of_two_publishers() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    with(
        &package,
        "other.json",
        &[("url", "http://other.example.org/Measure/Demo")],
    );
    let out = dir.path().join("out");
    let ran = measure("run", &package, &lake, &["--out", out.to_str().unwrap()]).ok();
    for canonical in BOTH {
        assert!(
            ran.out.contains(&format!("is {canonical}")),
            "{}",
            ran.text()
        );
    }
    let reports = files(&out)
        .into_iter()
        .filter(|f| f.starts_with("MeasureReport-Demo-1.0.0-"));
    assert_eq!(reports.count(), 2);
    let list: Value =
        serde_json::from_slice(&std::fs::read(out.join("run.json")).unwrap()).unwrap();
    assert_eq!(list["measures"], json!(BOTH));
    let subjects = std::fs::read_to_string(out.join("subjects.csv")).unwrap();
    for url in BOTH.map(|c| c.split_once('|').unwrap().0) {
        assert!(subjects.lines().any(|l| l.ends_with(url)), "{subjects}");
    }
    // A name that both have says neither; the canonical does, in each command.
    let says = ["P091", OURS, THEIRS];
    let subject = ["--subject", "Patient/a"];
    for (command, more) in [("run", &[][..]), ("gaps", &[]), ("explain", &subject)] {
        let named = |name: &str| {
            measure(
                command,
                &package,
                &lake,
                &[&["--measure", name], more].concat(),
            )
        };
        named("Demo").fails(2, &says);
        named("Demo|1.0.0").fails(2, &says);
        named(OURS).ok();
        named("http://other.example.org/Measure/Demo").ok();
    }
    measure("run", &package, &lake, &["--better", "Demo=decrease"]).fails(2, &says);
    let better = measure(
        "run",
        &package,
        &lake,
        &["--better", &format!("{THEIRS}=decrease"), "--format", "csv"],
    )
    .ok();
    assert_eq!(
        better.out.matches("lower,option").count(),
        1,
        "{}",
        better.text()
    );
    // What a finding suggests can be said.
    assert!(
        better.err.contains(&format!("--better {OURS}=decrease")),
        "{}",
        better.err
    );
    for command in ["check", "list"] {
        let told = measure(command, &package, &lake, &[]).ok();
        for url in BOTH.map(|c| c.split_once('|').unwrap().0) {
            assert!(told.out.contains(url), "{}", told.text());
        }
    }
    let gaps = measure("gaps", &package, &lake, &["--format", "csv"]).ok();
    let mut measures: Vec<&str> = gaps
        .out
        .lines()
        .skip(1)
        .filter_map(|l| l.split(',').next())
        .collect();
    measures.sort_unstable();
    measures.dedup();
    assert_eq!(measures.len(), 2, "{}", gaps.out);
}

/// Of two measures of one name the one that is broken is named by its canonical, and only it is left out.
#[test]
fn a_broken_measure_of_the_same_name() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    with(
        &package,
        "other.json",
        &[("url", "http://other.example.org/Measure/Demo")],
    );
    let broken = std::fs::read_to_string(package.join("other.json")).unwrap();
    file(
        package.join("other.json"),
        broken.replace("\"Numerator\"", "\"Nowhere\""),
    );
    let out = dir.path().join("out");
    let says = ["1 measure could not be run", THEIRS];
    let ran = measure("run", &package, &lake, &["--out", out.to_str().unwrap()]).fails(2, &says);
    assert!(
        !ran.err.contains(&format!("see above: {OURS}")),
        "{}",
        ran.text()
    );
    assert!(files(&out).contains("MeasureReport-Demo.json"));
    measure("run", &package, &lake, &["--measure", OURS]).ok();
    measure("run", &package, &lake, &["--measure", THEIRS]).fails(2, &["Nowhere"]);
    // What makes it unusable before it is linked, too.
    file(
        package.join("other.json"),
        broken.replace("\"proportion\"", "\"nonsense\""),
    );
    measure("run", &package, &lake, &[]).fails(2, &["see above", THEIRS]);
    measure("run", &package, &lake, &["--measure", OURS]).ok();
}

/// Names that file systems do not take, or do not tell apart.
#[test]
fn names_of_files() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let long = "L".repeat(400);
    let ids = [
        "demo",
        "DEMO",
        "..",
        "a/../../b",
        "a:b",
        "x\u{1b}y",
        "ä",
        "ö",
        &long,
        &format!("{long}m"),
    ];
    for (n, id) in ids.iter().enumerate() {
        let (url, file) = (
            format!("http://example.org/Measure/{n}"),
            format!("m{n}.json"),
        );
        with(
            &package,
            &file,
            &[("url", &url), ("id", id), ("name", &format!("Name{n}"))],
        );
    }
    let out = dir.path().join("out");
    let ran = measure(
        "run",
        &package,
        &lake,
        &["--out", out.to_str().unwrap(), "--report", "individual"],
    );
    // Ids that FHIR does not allow may be refused; what was run has files of its own.
    let list: Value =
        serde_json::from_slice(&std::fs::read(out.join("run.json")).unwrap()).unwrap();
    let measures = list["measures"].as_array().unwrap().len();
    assert!(measures >= 3, "{}", ran.text());
    let mut reports: Vec<String> = files(&out)
        .into_iter()
        .filter(|f| f.starts_with("MeasureReport-"))
        .collect();
    assert_eq!(reports.len(), measures, "{reports:?}\n{}", ran.text());
    assert!(
        reports.iter().all(|f| f.len() < 200 && !f.contains('/')),
        "{reports:?}"
    );
    reports.iter_mut().for_each(|f| *f = f.to_lowercase());
    reports.sort_unstable();
    reports.dedup();
    assert_eq!(reports.len(), measures);
    assert!(
        files(dir.path())
            .iter()
            .all(|f| !f.ends_with("b-individual.ndjson") || f.starts_with("out/"))
    );
}

/// A built-in measure's id that two measures of the packages have, too.
#[test]
fn beside_built_in_measures() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    for (file, url) in [
        ("h1.json", "http://one.example.org/h"),
        ("h2.json", "http://two.example.org/h"),
    ] {
        with(
            &package,
            file,
            &[("url", url), ("id", "hba1c-control"), ("name", "H")],
        );
    }
    let out = dir.path().join("out");
    measure(
        "run",
        &package,
        &lake,
        &["--built-in", "--out", out.to_str().unwrap()],
    )
    .ok();
    let reports = files(&out)
        .into_iter()
        .filter(|f| f.starts_with("MeasureReport-hba1c-control"));
    assert_eq!(reports.count(), 3);
    measure(
        "run",
        &package,
        &lake,
        &["--built-in", "--measure", "hba1c-control"],
    )
    .fails(
        2,
        &[
            "say which",
            "http://one.example.org/h|1.0.0",
            "http://two.example.org/h|1.0.0",
            "hba1c-control|",
        ],
    );
    // Without packages a care gap is known by id or url, with a version or without.
    let gaps = |name: &str| {
        tandem!(
            "measure",
            "gaps",
            "--lake",
            &lake,
            "--period",
            PERIOD,
            "--measure",
            name,
            "--format",
            "csv"
        )
    };
    gaps("hba1c-control").ok();
    let listed = tandem!("measure", "list").ok().out;
    let version = listed
        .lines()
        .find(|l| l.starts_with("hba1c-control"))
        .unwrap();
    let version = version.split_whitespace().nth(1).unwrap();
    gaps(&format!("hba1c-control|{version}")).ok();
    gaps("hba1c-control|9").fails(2, &["hba1c-control|9", "there is no such care gap"]);
    let both = tandem!(
        "measure",
        "gaps",
        "--lake",
        &lake,
        "--period",
        PERIOD,
        "--measure",
        "hba1c-control",
        "--measure",
        "nothing"
    );
    both.fails(2, &["nothing"]);
}
