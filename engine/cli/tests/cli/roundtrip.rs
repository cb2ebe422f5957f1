//! What goes in comes out: byte for byte, whatever the packing, once for each type and id.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::*;

#[test]
fn clean_population() {
    let dir = folder();
    let population = synth(dir.path(), "population", 40, &[]);
    let lake = dir.path().join("lake");
    let report = import(&lake, &[&population]);
    let input = lines(&population);
    assert_eq!(total(&report, "read"), input.len() as u64);
    assert_eq!(total(&report, "stored"), input.len() as u64);
    assert_eq!(
        (&report["patients"], &report["orphans"]),
        (&json!(40), &json!(0))
    );
    same_lines(&exported(&lake), &input);

    // Each type is in its own file, and the report counts it.
    let out = dir.path().join("out");
    tandem!("export", "--lake", &lake, "--out", &out).ok();
    for (ty, tally) in report["types"].as_object().unwrap() {
        let text = fs::read_to_string(out.join(format!("{ty}.ndjson"))).unwrap();
        assert_eq!(tally["stored"], json!(text.lines().count()), "{ty}");
        let start = format!("{{\"resourceType\":\"{ty}\"");
        assert!(text.lines().all(|l| l.starts_with(&start)), "{ty}");
    }
    assert_eq!(
        files(&out).len(),
        report["types"].as_object().unwrap().len()
    );
}

#[test]
fn dirty_population() {
    let dir = folder();
    let population = synth(
        dir.path(),
        "population",
        60,
        &["--dirty", "0.1", "--seed", "7"],
    );
    let lake = dir.path().join("lake");
    let report = import(&lake, &[&population]);
    let input = lines(&population);
    let wanted = newest(&population);
    assert!(
        wanted.len() < input.len(),
        "the population has no duplicates: it tests nothing"
    );
    assert_eq!(total(&report, "read"), input.len() as u64);
    assert_eq!(total(&report, "stored"), wanted.len() as u64);
    assert_eq!(total(&report, "rejected"), 0);
    // Nothing was there before: what was read twice is repeated, and not unchanged.
    assert_eq!(total(&report, "unchanged"), 0);
    let (outdated, repeated) = (total(&report, "outdated"), total(&report, "repeated"));
    assert!(0 < repeated && repeated < outdated, "{report:#}");
    assert!(report["orphans"].as_u64().unwrap() > 0);
    same_lines(&exported(&lake), &wanted);
}

/// The lines that must stay, sorted: of each type and id the newest, else the one read later.
fn newest(population: &Path) -> Vec<String> {
    let mut kept: BTreeMap<(String, String), (i64, String)> = BTreeMap::new();
    for name in files(population) {
        for line in fs::read_to_string(population.join(name)).unwrap().lines() {
            let resource: Value = serde_json::from_str(line).unwrap();
            let updated = seconds(resource["meta"]["lastUpdated"].as_str().unwrap());
            let key = (
                resource["resourceType"].to_string(),
                resource["id"].to_string(),
            );
            let there = kept.entry(key).or_insert((updated, String::new()));
            if updated >= there.0 {
                *there = (updated, line.to_owned());
            }
        }
    }
    let mut lines: Vec<String> = kept.into_values().map(|(_, line)| line).collect();
    lines.sort_unstable();
    lines
}

/// An instant such as `2017-09-05T10:20:00-05:00`, on a scale of seconds that knows no leap years'
/// exceptions: all in a population are from 1901 to 2099.
fn seconds(instant: &str) -> i64 {
    let (local, zone) = instant.split_at(19);
    let part: Vec<i64> = local
        .split(['-', 'T', ':'])
        .map(|n| n.parse().unwrap())
        .collect();
    let [year, month, day, hour, minute, second] = part[..] else {
        panic!("{instant}")
    };
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month as usize - 1];
    let leap = i64::from(year % 4 == 0 && month > 2);
    let days = year * 365 + (year - 1) / 4 + before + leap + day;
    let offset = match zone.split_at(1) {
        ("Z", "") => 0,
        (sign, hours) => {
            let (hours, minutes) = hours.split_once(':').unwrap();
            let minutes = hours.parse::<i64>().unwrap() * 60 + minutes.parse::<i64>().unwrap();
            if sign == "-" { -minutes } else { minutes }
        }
    };
    ((days * 24 + hour) * 60 + minute - offset) * 60 + second
}

#[test]
fn importing_again_changes_nothing() {
    let dir = folder();
    for (name, options) in [("clean", &[][..]), ("dirty", &["--dirty", "0.2"][..])] {
        let population = synth(dir.path(), name, 20, options);
        let lake = dir.path().join(format!("{name}-lake"));
        let first = import(&lake, &[&population]);
        assert_eq!(
            (&first["committed"], &first["snapshot"]),
            (&json!(true), &json!(0))
        );
        let before = (files(&lake), exported(&lake));
        let again = import(&lake, &[&population]);
        assert_eq!(
            (&again["committed"], &again["snapshot"]),
            (&json!(false), &json!(0)),
            "{again:#}"
        );
        assert_eq!(
            (total(&again, "stored"), total(&again, "replaced")),
            (0, 0),
            "{again:#}"
        );
        if name == "clean" {
            assert_eq!(total(&again, "unchanged"), total(&again, "read"));
        }
        assert_eq!(
            (again["patients"].clone(), again["orphans"].clone()),
            (first["patients"].clone(), first["orphans"].clone())
        );
        assert_eq!((files(&lake), exported(&lake)), before);
    }
}

#[test]
fn importing_undated_versions_again_changes_nothing() {
    let dir = folder();
    let two = patient("p", ",\"gender\":\"male\"") + &patient("p", ",\"gender\":\"female\"");
    let (path, lake) = (
        file(dir.path().join("two.ndjson"), two),
        dir.path().join("lake"),
    );
    import(&lake, &[&path]);
    let again = import(&lake, &[&path]);
    assert_eq!(
        (&again["committed"], &again["snapshot"]),
        (&json!(false), &json!(0)),
        "{again:#}"
    );
    assert_eq!(
        exported(&lake),
        [patient("p", ",\"gender\":\"female\"").trim_end()]
    );
}

#[test]
fn older_snapshot() {
    let dir = folder();
    let (lake, out) = (dir.path().join("lake"), dir.path().join("out"));
    let old = file(
        dir.path().join("1.ndjson"),
        patient("p", ",\"gender\":\"male\""),
    );
    let new = file(
        dir.path().join("2.ndjson"),
        patient("p", ",\"gender\":\"female\"") + &patient("q", ""),
    );
    import(&lake, &[&old]);
    let report = import(&lake, &[&new]);
    assert_eq!(
        (&report["snapshot"], &report["patients"]),
        (&json!(1), &json!(2))
    );
    tandem!("export", "--lake", &lake, "--snapshot", "0", "--out", &out).ok();
    same_lines(&lines(&out), &lines_of(&old));
    same_lines(&exported(&lake), &lines_of(&new));
}

/// `name.gz` and the like beside a file, made by a program; false when there is no such program.
fn packed(file: &Path, program: &str, ending: &str, parts: usize) -> bool {
    let text = fs::read(file).unwrap();
    let mut out = File::create(file.with_extension(format!("ndjson.{ending}"))).unwrap();
    // Several members in a row are one file, too.
    for part in text.chunks(text.len().div_ceil(parts)) {
        let command = Command::new(program)
            .arg("-c")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = command else {
            println!("skipped: there is no `{program}`");
            return false;
        };
        let mut into = child.stdin.take().unwrap();
        let done = std::thread::scope(|scope| {
            scope.spawn(move || into.write_all(part).unwrap());
            child.wait_with_output().unwrap()
        });
        assert!(done.status.success());
        out.write_all(&done.stdout).unwrap();
    }
    fs::remove_file(file).unwrap();
    true
}

#[test]
fn packed_files() {
    let dir = folder();
    let plain = synth(dir.path(), "plain", 10, &[]);
    let wanted = lines(&plain);
    for (program, ending, parts) in [
        ("gzip", "gz", 1),
        ("gzip", "gz", 2),
        ("zstd", "zst", 1),
        ("zstd", "zst", 2),
    ] {
        let name = format!("{ending}{parts}");
        let population = synth(dir.path(), &name, 10, &[]);
        if !files(&population)
            .iter()
            .all(|f| packed(&population.join(f), program, ending, parts))
        {
            continue;
        }
        let lake = dir.path().join(format!("lake-{name}"));
        let report = import(&lake, &[&population]);
        assert_eq!(total(&report, "stored"), wanted.len() as u64, "{name}");
        same_lines(&exported(&lake), &wanted);
    }
}

/// A line longer than what is read at once, between others, and no line end at the end.
#[test]
fn very_long_lines() {
    let dir = folder();
    let long = |n: usize| {
        patient(
            &format!("long{n}"),
            &format!(",\"implicitRules\":\"{}\"", "x".repeat(n)),
        )
    };
    let text = patient("a", "")
        + &long(9_000_000)
        + &patient("b", "")
        + &long(4 << 20)
        + patient("c", "").trim_end();
    let path = file(dir.path().join("long.ndjson"), text);
    let lake = dir.path().join("lake");
    assert_eq!(total(&import(&lake, &[&path]), "stored"), 5);
    same_lines(&exported(&lake), &lines_of(&path));
}

/// What JSON allows but few write: escapes, odd numbers, white space, other scripts.
#[test]
fn unusual_json() {
    let dir = folder();
    let odd = [
        r#"{"resourceType":"Patient","id":"esc","x":"\u0041\ud83d\ude00\/\b\"\\"}"#,
        r#"{ "id" : "spaces" ,	"resourceType" : "Patient" , "x" : [ ] }"#,
        r#"{"resourceType":"Observation","id":"num","valueQuantity":{"value":1.2300E+05},"x":[1e999,-0.0,0.1000]}"#,
        r#"{"resourceType":"Patient","id":"text","name":[{"family":"山田","given":["Ἀθηνᾶ","🧪"]}]}"#,
        r#"{"resourceType":"Patient","id":"\u0065scaped-id"}"#,
    ];
    let path = file(dir.path().join("odd.ndjson"), odd.join("\n"));
    let lake = dir.path().join("lake");
    assert_eq!(total(&import(&lake, &[&path]), "stored"), odd.len() as u64);
    same_lines(&exported(&lake), &lines_of(&path));
}

const URN: &str = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0";

/// A transaction whose resources refer to each other by `urn:uuid:`, the patient last.
fn transaction() -> Value {
    json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"fullUrl": "urn:uuid:7b0f3e7e-7d6e-4b6e-9c5c-000000000001", "request": {"method": "POST", "url": "Observation"},
         "resource": {"resourceType": "Observation", "id": "o1", "status": "final", "subject": {"reference": URN},
            "code": {"text": "a \"quoted\"\nline  with  spaces"}}},
        {"fullUrl": "urn:uuid:7b0f3e7e-7d6e-4b6e-9c5c-000000000002", "request": {"method": "POST", "url": "Organization"},
         "resource": {"resourceType": "Organization", "id": "org"}},
        {"fullUrl": URN, "request": {"method": "POST", "url": "Patient"},
         "resource": {"resourceType": "Patient", "id": "not-the-uuid"}},
    ]})
}

#[track_caller]
fn bundle_comes_back(name: &str, text: &str, wanted: Vec<Value>, orphans: u64) {
    let dir = folder();
    let path = file(dir.path().join(name), text);
    let lake = dir.path().join("lake");
    let report = import(&lake, &[&path]);
    assert_eq!(total(&report, "stored"), wanted.len() as u64, "{report:#}");
    assert_eq!(report["orphans"], json!(orphans));
    assert_eq!(report["unlinked"], json!({}));
    assert_eq!(resources(exported(&lake)), sorted(wanted));
    let again = import(&lake, &[&path]);
    assert_eq!(
        (&again["committed"], total(&again, "unchanged")),
        (&json!(false), total(&again, "read"))
    );
}

fn entries(bundle: &Value) -> Vec<Value> {
    bundle["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["resource"].clone())
        .collect()
}

#[test]
fn transaction_bundle() {
    let bundle = transaction();
    bundle_comes_back(
        "pretty.json",
        &serde_json::to_string_pretty(&bundle).unwrap(),
        entries(&bundle),
        0,
    );
    bundle_comes_back("compact.json", &bundle.to_string(), entries(&bundle), 0);
    bundle_comes_back(
        "bundles.ndjson",
        &format!("{bundle}\n"),
        entries(&bundle),
        0,
    );
}

#[test]
fn searchset_bundle() {
    let bundle = json!({"resourceType": "Bundle", "type": "searchset", "total": 2, "link": [], "entry": [
        {"fullUrl": "https://fhir.example.org/Condition/c", "search": {"mode": "match"}, "resource":
            {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}}},
        {"fullUrl": "https://fhir.example.org/Patient/p", "search": {"mode": "include"}, "resource":
            {"resourceType": "Patient", "id": "p"}},
        {"fullUrl": "https://fhir.example.org/Condition/d", "resource":
            {"resourceType": "Condition", "id": "d", "subject": {"reference": "https://fhir.example.org/Patient/elsewhere"}}},
    ]});
    bundle_comes_back(
        "search.json",
        &serde_json::to_string_pretty(&bundle).unwrap(),
        entries(&bundle),
        1,
    );
    bundle_comes_back(
        "empty.json",
        r#"{"resourceType":"Bundle","type":"searchset"}"#,
        vec![],
        0,
    );
}

#[test]
fn single_resource_document() {
    let one = json!({"resourceType": "Patient", "id": "p", "name": [{"family": "A  B"}]});
    bundle_comes_back("compact.json", &one.to_string(), vec![one.clone()], 0);
    bundle_comes_back(
        "pretty.json",
        &serde_json::to_string_pretty(&one).unwrap(),
        vec![one.clone()],
        0,
    );
    bundle_comes_back(
        "crlf.json",
        &serde_json::to_string_pretty(&one)
            .unwrap()
            .replace('\n', "\r\n"),
        vec![one],
        0,
    );
}

#[test]
fn json_file_of_lines() {
    let two = [
        json!({"resourceType": "Patient", "id": "p"}),
        json!({"resourceType": "Patient", "id": "q"}),
    ];
    bundle_comes_back(
        "lines.json",
        &format!("{}\n{}\n", two[0], two[1]),
        two.to_vec(),
        0,
    );
}

/// Imports a folder of the shared material, which has no duplicates; whatever is rejected must be
/// among the lines `refused`.
fn comes_back(data: &Path, input: Vec<String>, refused: impl Fn(&str) -> bool) -> u64 {
    let dir = folder();
    let lake = dir.path().join("lake");
    let report = import(&lake, &[data]);
    let mut wanted: Vec<String> = input.iter().filter(|l| !refused(l)).cloned().collect();
    wanted.sort_unstable();
    assert_eq!(
        total(&report, "read"),
        input.len() as u64,
        "{}",
        data.display()
    );
    assert_eq!(
        total(&report, "rejected"),
        (input.len() - wanted.len()) as u64,
        "{}",
        data.display()
    );
    assert_eq!(
        total(&report, "stored"),
        wanted.len() as u64,
        "{}",
        data.display()
    );
    same_lines(&exported(&lake), &wanted);
    assert_eq!(import(&lake, &[data])["committed"], json!(false));
    wanted.len() as u64
}

#[test]
fn synthea_sample() {
    let Some(sample) = shared("samples/synthea-10") else {
        return;
    };
    let mut input = vec![];
    for name in files(&sample) {
        let path = sample.join(&name);
        if name.ends_with(".gz") {
            let Ok(done) = Command::new("gzip").arg("-dc").arg(&path).output() else {
                println!("skipped: there is no `gzip`");
                return;
            };
            assert!(done.status.success());
            input.extend(
                String::from_utf8(done.stdout)
                    .unwrap()
                    .lines()
                    .map(str::to_owned),
            );
        } else if name.ends_with(".ndjson") {
            input.extend(lines_of(&path));
        }
    }
    // `log.ndjson` is the log of the export.
    let count = comes_back(&sample, input, |line| line.starts_with("{\"exportId\""));
    println!("{count} resources");
}

#[test]
fn ecqm_decks() {
    let Some(decks) = shared("conformance/ecqm") else {
        return;
    };
    let mut counts = (0, 0);
    for deck in fs::read_dir(decks).unwrap() {
        let data = deck.unwrap().path().join("data");
        if data.is_dir() {
            counts = (
                counts.0 + 1,
                counts.1 + comes_back(&data, lines(&data), |_| false),
            );
        }
    }
    println!("{} decks, {} resources", counts.0, counts.1);
    assert!(counts.0 > 0);
}
