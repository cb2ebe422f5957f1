//! Two versions of a resource, and resources that find their patient: by any form of reference, and
//! later than they came.

use std::path::Path;

use serde_json::json;

use crate::support::*;

/// A version of Patient `p` that can be told from others by its `language`.
fn version(meta: &str, language: &str) -> String {
    patient(
        "p",
        &format!(",\"meta\":{{{meta}}},\"language\":\"{language}\""),
    )
}

/// The `language` of the one patient of the lake.
#[track_caller]
fn kept(lake: &Path) -> String {
    let all = resources(exported(lake));
    assert_eq!(all.len(), 1, "{all:#?}");
    all[0]["language"].as_str().unwrap().to_owned()
}

/// Reads two versions, in one file and from two imports, in both orders. `stays` is the one that
/// stays, or `None` for the one that is read later.
#[track_caller]
fn two(one: &str, other: &str, stays: Option<usize>) {
    let (one, other) = (version(one, "0"), version(other, "1"));
    for (first, second, stays) in [
        (&one, &other, stays.unwrap_or(1)),
        (&other, &one, stays.unwrap_or(0)),
    ] {
        let wanted = stays.to_string();
        // Of the versions in one import the newest is counted as stored, whatever the order.
        let column = "outdated";

        let dir = folder();
        let lake = dir.path().join("lake");
        let both = file(dir.path().join("both.ndjson"), format!("{first}{second}"));
        let report = import(&lake, &[&both]);
        assert_eq!(
            (total(&report, "stored"), total(&report, column)),
            (1, 1),
            "{both:?}: {report:#}"
        );
        assert_eq!(kept(&lake), wanted, "in one file: {first}{second}");

        let lake = dir.path().join("another");
        import(&lake, &[&file(dir.path().join("a.ndjson"), first)]);
        let report = import(&lake, &[&file(dir.path().join("b.ndjson"), second)]);
        let newer = second.contains(&format!("\"language\":\"{wanted}\""));
        let column = if newer { "replaced" } else { "outdated" };
        assert_eq!(
            (total(&report, "stored"), total(&report, column)),
            (0, 1),
            "{report:#}"
        );
        assert_eq!(report["committed"], json!(newer));
        assert_eq!(kept(&lake), wanted, "in two imports: {first}{second}");

        // By the names of the files the second is read first.
        let (dir, lake) = (dir.path().join("two"), dir.path().join("third"));
        file(dir.join("z.ndjson"), second);
        file(dir.join("sub/a.ndjson"), first);
        import(&lake, &[&dir]);
        assert_eq!(kept(&lake), wanted, "in two files: {first}{second}");
    }
}

#[test]
fn newer_last_updated_stays() {
    let at = |time: &str| format!("\"lastUpdated\":\"{time}\"");
    two(
        &at("2024-01-01T00:00:00Z"),
        &at("2024-01-02T00:00:00Z"),
        Some(1),
    );
    two(
        &at("2024-01-01T00:00:00.001Z"),
        &at("2024-01-01T00:00:00.000Z"),
        Some(0),
    );
    two(
        &at("2024-01-01T00:00:00.000001Z"),
        &at("2024-01-01T00:00:00Z"),
        Some(0),
    );
    // Instants, not texts: 23:30 at -05:00 is the later one.
    two(
        &at("2024-01-01T23:30:00-05:00"),
        &at("2024-01-02T01:00:00Z"),
        Some(0),
    );
    // `lastUpdated` counts before `versionId`.
    two(
        "\"versionId\":\"9\",\"lastUpdated\":\"2024-01-01T00:00:00Z\"",
        "\"versionId\":\"1\",\"lastUpdated\":\"2024-01-02T00:00:00Z\"",
        Some(1),
    );
}

#[test]
fn higher_version_stays() {
    two("\"versionId\":\"2\"", "\"versionId\":\"1\"", Some(0));
    two("\"versionId\":\"9\"", "\"versionId\":\"10\"", Some(1));
    // An ETag, as some servers write it.
    two(
        "\"versionId\":\"W/\\\"9\\\"\"",
        "\"versionId\":\"W/\\\"10\\\"\"",
        Some(1),
    );
    two(
        "\"versionId\":\"W/\\\"9\\\"\"",
        "\"versionId\":\"8\"",
        Some(0),
    );
    let same = "\"lastUpdated\":\"2024-01-01T00:00:00Z\",\"versionId\":";
    two(&format!("{same}\"2\""), &format!("{same}\"3\""), Some(1));
    // The same instant, written in another zone.
    two(
        "\"versionId\":\"5\",\"lastUpdated\":\"2024-01-01T01:00:00+01:00\"",
        "\"versionId\":\"4\",\"lastUpdated\":\"2024-01-01T00:00:00Z\"",
        Some(0),
    );
}

#[test]
fn else_the_later_read_stays() {
    two("", "", None);
    two("\"versionId\":\"3\"", "\"versionId\":\"3\"", None);
    two("\"versionId\":\"abc\"", "\"versionId\":\"xyz\"", None);
    two(
        "\"lastUpdated\":\"2024-01-01T00:00:00Z\"",
        "\"lastUpdated\":\"2024-01-01T00:00:00Z\"",
        None,
    );
}

/// The newest of three stays although one of them says nothing of its age.
#[test]
fn a_version_without_age_brings_no_old_one_back() {
    let (old, new) = (
        "\"lastUpdated\":\"2020-01-01T00:00:00Z\"",
        "\"lastUpdated\":\"2024-01-01T00:00:00Z\"",
    );
    let dir = folder();
    let lake = dir.path().join("lake");
    let text = version(new, "new") + &version("", "undated") + &version(old, "old");
    import(&lake, &[&file(dir.path().join("three.ndjson"), text)]);
    assert_ne!(kept(&lake), "old");
}

/// One type and id is one resource, also when its newer version is another patient's.
#[test]
fn a_version_of_another_patient_replaces() {
    let observation = |patient: &str, day: u32| {
        format!(
            "{{\"resourceType\":\"Observation\",\"id\":\"o\",\"meta\":{{\"lastUpdated\":\"2024-01-{day:02}T00:00:00Z\"}},\
             \"subject\":{{\"reference\":\"Patient/{patient}\"}}}}\n"
        )
    };
    let dir = folder();
    let wrong = file(
        dir.path().join("1.ndjson"),
        patient("wrong", "") + &observation("wrong", 1),
    );
    // Many patients, so that at least one is in another bucket.
    for (n, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
        let lake = dir.path().join(format!("lake-{n}"));
        import(&lake, &[&wrong]);
        let right = file(
            dir.path().join("2.ndjson"),
            patient(name, "") + &observation(name, 2),
        );
        let report = import(&lake, &[&right]);
        assert_eq!(total(&report, "replaced"), 1, "{report:#}");
        let all = resources(exported(&lake));
        let observations: Vec<_> = all
            .iter()
            .filter(|r| r["resourceType"] == "Observation")
            .collect();
        assert_eq!(observations.len(), 1, "{observations:#?}");
        assert_eq!(
            observations[0]["subject"]["reference"],
            json!(format!("Patient/{name}"))
        );
    }
}

#[test]
fn one_id_of_two_types_is_two_resources() {
    let dir = folder();
    let text = patient("x", "") + "{\"resourceType\":\"Organization\",\"id\":\"x\"}\n";
    let lake = dir.path().join("lake");
    assert_eq!(
        total(
            &import(&lake, &[&file(dir.path().join("x.ndjson"), text)]),
            "stored"
        ),
        2
    );
}

/// An Observation of the patient that `reference` names.
fn about(id: &str, reference: &str) -> String {
    format!(
        "{{\"resourceType\":\"Observation\",\"id\":\"{id}\",\"subject\":{{\"reference\":\"{reference}\"}}}}\n"
    )
}

const REFERENCES: [&str; 6] = [
    "Patient/p",
    "Patient/p/_history/2",
    "https://fhir.example.org/r4/Patient/p",
    "https://fhir.example.org/r4/Patient/p/_history/2",
    "http://localhost:8080/Patient/p",
    "urn:uuid:p",
];

#[test]
fn all_forms_of_reference() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let text: String = REFERENCES
        .iter()
        .enumerate()
        .map(|(n, r)| about(&n.to_string(), r))
        .collect();
    let path = file(dir.path().join("all.ndjson"), text + &patient("p", ""));
    let report = import(&lake, &[&path]);
    assert_eq!(
        (&report["patients"], &report["orphans"]),
        (&json!(1), &json!(0)),
        "{report:#}"
    );
    assert_eq!(report["unlinked"], json!({}));
    same_lines(&exported(&lake), &lines_of(&path));
}

#[test]
fn references_that_name_no_patient() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let references = [
        "Group/p",
        "#p",
        "Patient/",
        "p",
        "",
        "patient/p",
        "urn:oid:1.2.3",
    ];
    let text: String = references
        .iter()
        .enumerate()
        .map(|(n, r)| about(&n.to_string(), r))
        .collect();
    let none = "{\"resourceType\":\"Observation\",\"id\":\"none\"}\n\
                {\"resourceType\":\"Observation\",\"id\":\"by-name\",\"subject\":{\"display\":\"SECRETNAME\"}}\n";
    let path = file(
        dir.path().join("all.ndjson"),
        text + none + &patient("p", ""),
    );
    let report = import(&lake, &[&path]);
    assert_eq!(
        report["unlinked"],
        json!({"Observation": references.len() + 2})
    );
    assert_eq!(
        (&report["orphans"], total(&report, "rejected")),
        (&json!(0), 0)
    );
    same_lines(&exported(&lake), &lines_of(&path));
    let text = tandem!("import", &path, "--lake", &dir.path().join("another")).ok();
    assert!(
        text.out
            .contains("9 Observation are about a patient but name none that can be resolved"),
        "{}",
        text.out
    );
}

/// An orphan is kept and counted, and adopted when its patient comes.
#[test]
fn orphans_are_adopted() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let ward = file(
        dir.path().join("1.ndjson"),
        about("1", "Patient/late") + &about("2", "Patient/never") + &about("3", "urn:uuid:late"),
    );
    let report = import(&lake, &[&ward]);
    assert_eq!(
        (&report["patients"], &report["orphans"]),
        (&json!(0), &json!(3))
    );
    let text = tandem!("import", &ward, "--lake", &dir.path().join("another")).ok();
    assert!(
        text.out
            .contains("3 resources belong to patients that are not in the lake"),
        "{}",
        text.out
    );

    let parent = file(dir.path().join("2.ndjson"), patient("late", ""));
    let report = import(&lake, &[&parent]);
    assert_eq!(
        (&report["patients"], &report["orphans"]),
        (&json!(1), &json!(1))
    );
    assert_eq!((total(&report, "read"), total(&report, "stored")), (1, 1));
    // Counted also when nothing is committed.
    let report = import(&lake, &[&parent]);
    assert_eq!(
        (
            &report["committed"],
            &report["patients"],
            &report["orphans"]
        ),
        (&json!(false), &json!(1), &json!(1))
    );
    assert_eq!(exported(&lake).len(), 4);
}
