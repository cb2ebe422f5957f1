//! Deletions: the `deleted` files of a bulk export, DELETE entries of transactions and histories.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::*;

fn delete(url: &str) -> Value {
    json!({"fullUrl": format!("https://ehr.example.org/fhir/{url}"), "request": {"method": "DELETE", "url": url}})
}

fn transaction(entries: &[Value]) -> String {
    json!({"resourceType": "Bundle", "type": "transaction", "entry": entries}).to_string() + "\n"
}

fn condition(id: &str, patient: &str, version: u32) -> Value {
    json!({"resourceType": "Condition", "id": id, "subject": {"reference": format!("Patient/{patient}")},
        "meta": {"versionId": version.to_string(), "lastUpdated": format!("2025-01-{version:02}T00:00:00Z")}})
}

/// `Type/id` of what a snapshot has.
#[track_caller]
fn there(lake: &Path, snapshot: &str) -> Vec<String> {
    let out = folder();
    tandem!(
        "export",
        "--lake",
        lake,
        "--snapshot",
        snapshot,
        "--out",
        out.path()
    )
    .ok();
    let all = lines(out.path());
    let mut names: Vec<String> = all
        .iter()
        .map(|l| {
            let resource: Value = serde_json::from_str(l).unwrap();
            format!(
                "{}/{}",
                resource["resourceType"].as_str().unwrap(),
                resource["id"].as_str().unwrap()
            )
        })
        .collect();
    names.sort();
    names
}

/// Bulk Data Access, "Response - Complete Status": `deleted`. `../shared/cases/bulk-deleted`, and its
/// manifest.
#[test]
fn deleted_files_of_a_bulk_export() {
    let dir = folder();
    let (first, second) = (dir.path().join("first"), dir.path().join("second"));
    let dated = |n| {
        format!(",\"meta\":{{\"versionId\":\"{n}\",\"lastUpdated\":\"2025-0{n}-01T00:00:00Z\"}}")
    };
    file(
        first.join("Patient.ndjson"),
        patient("p1", &dated(1)) + &patient("p2", &dated(1)),
    );
    let conditions = [condition("c1", "p1", 1), condition("c2", "p2", 1)];
    file(
        first.join("Condition.ndjson"),
        conditions.map(|c| c.to_string()).join("\n"),
    );
    file(second.join("Patient.ndjson"), patient("p1", &dated(2)));
    let gone = [
        delete("Condition/c1"),
        delete("Patient/p2"),
        delete("Condition/never"),
    ];
    file(second.join("deleted/del.ndjson"), transaction(&gone));
    let manifest = json!({"transactionTime": "2025-02-02T00:00:00Z", "request": "https://ehr.example.org/fhir/$export",
        "requiresAccessToken": false, "output": [], "deleted": [], "error": []});
    file(second.join("manifest.json"), manifest.to_string());

    let lake = dir.path().join("lake");
    import(&lake, &[&first]);
    let report = import(&lake, &[&second]);
    assert_eq!(
        (
            total(&report, "deleted"),
            total(&report, "replaced"),
            total(&report, "rejected")
        ),
        (2, 1, 0),
        "{report:#}"
    );
    assert_eq!(
        (&report["deletions_not_there"], total(&report, "unchanged")),
        (&json!(1), 1)
    );
    assert_eq!(report["manifests"], 1);
    // The condition of the deleted patient stays, of a patient who is only referred to.
    assert_eq!(
        (&report["patients"], &report["orphans"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(there(&lake, "1"), ["Condition/c2", "Patient/p1"]);
    assert_eq!(
        there(&lake, "0"),
        ["Condition/c1", "Condition/c2", "Patient/p1", "Patient/p2"]
    );

    // Again: nothing to do. And a lake made of both at once is the same.
    let again = import(&lake, &[&second]);
    assert_eq!(
        (&again["committed"], total(&again, "deleted")),
        (&json!(false), 0),
        "{again:#}"
    );
    let both = dir.path().join("both");
    import(&both, &[&first, &second]);
    assert_eq!(there(&both, "0"), ["Condition/c2", "Patient/p1"]);
    let again = import(&both, &[&first, &second]);
    assert_eq!(again["committed"], json!(false), "{again:#}");

    let told = tandem!("import", &second, "--lake", &lake).ok();
    assert!(
        told.out.contains("deleted")
            && told
                .out
                .contains("3 deletions name resources that are not in the lake"),
        "{}",
        told.out
    );
}

/// Whatever bucket a resource is in, and of whatever type it is: also those without a patient.
#[test]
fn deletions_find_every_bucket() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let patients: String = (0..40).map(|n| patient(&format!("p{n}"), "")).collect();
    let organization = "{\"resourceType\":\"Organization\",\"id\":\"o\"}\n";
    import(
        &lake,
        &[&file(dir.path().join("a.ndjson"), patients + organization)],
    );
    let gone: Vec<Value> = (0..40)
        .map(|n| delete(&format!("Patient/p{n}")))
        .chain([delete("Organization/o")])
        .collect();
    let report = import(
        &lake,
        &[&file(dir.path().join("b.ndjson"), transaction(&gone))],
    );
    assert_eq!(
        (total(&report, "deleted"), &report["patients"]),
        (41, &json!(0)),
        "{report:#}"
    );
    assert_eq!(there(&lake, "1"), [""; 0]);
    assert_eq!(there(&lake, "0").len(), 41);
    let back = import(
        &lake,
        &[&file(dir.path().join("c.ndjson"), patient("p3", ""))],
    );
    assert_eq!((total(&back, "stored"), &back["patients"]), (1, &json!(1)));
}

/// A history lists the newest first; a resource that was created again stays (FHIR R4 §3.1.0.6.2).
#[test]
fn histories() {
    let dir = folder();
    let version = |c: Value| {
        json!({"fullUrl": "https://ehr.example.org/fhir/Condition/c", "resource": c,
        "request": {"method": "PUT", "url": "Condition/c"}})
    };
    let gone = |day: u32, etag: bool| {
        let mut entry = delete("Condition/c");
        entry["response"] = match etag {
            true => json!({"etag": format!("W/\"{day}\"")}),
            false => json!({"lastModified": format!("2025-01-{day:02}T00:00:00Z")}),
        };
        entry
    };
    let plain = |n: u32| {
        let mut c = condition("c", "p", n);
        c.as_object_mut().unwrap().remove("meta");
        c["recordedDate"] = json!(format!("2025-01-{n:02}"));
        version(c)
    };
    let cases: [(&str, Vec<Value>, Option<&str>); 6] = [
        (
            "deleted",
            vec![
                gone(3, false),
                version(condition("c", "p", 2)),
                version(condition("c", "p", 1)),
            ],
            None,
        ),
        (
            "deleted, by its version",
            vec![gone(3, true), version(condition("c", "p", 2))],
            None,
        ),
        (
            "created again",
            vec![
                version(condition("c", "p", 4)),
                gone(3, false),
                version(condition("c", "p", 2)),
            ],
            Some("4"),
        ),
        (
            "the other way round",
            vec![
                version(condition("c", "p", 2)),
                gone(3, false),
                version(condition("c", "p", 4)),
            ],
            Some("4"),
        ),
        (
            "no dates, deleted",
            vec![delete("Condition/c"), plain(2), plain(1)],
            None,
        ),
        (
            "no dates, newest first",
            vec![plain(2), plain(1)],
            Some("2025-01-02"),
        ),
    ];
    for (n, (name, entries, stays)) in cases.into_iter().enumerate() {
        let text =
            json!({"resourceType": "Bundle", "type": "history", "entry": entries}).to_string();
        let lake = dir.path().join(format!("lake-{n}"));
        let patients = file(dir.path().join("p.ndjson"), patient("p", ""));
        let path = file(dir.path().join(format!("{n}.json")), text);
        let report = import(&lake, &[&patients, &path]);
        let left = resources(exported(&lake))
            .into_iter()
            .find(|r| r["resourceType"] == "Condition");
        let found = left.map(|c| match c["meta"]["versionId"].as_str() {
            Some(version) => version.to_owned(),
            None => c["recordedDate"].as_str().unwrap().to_owned(),
        });
        assert_eq!(found.as_deref(), stays, "{name}: {report:#}");
        assert_eq!(
            import(&lake, &[&patients, &path])["committed"],
            json!(false),
            "{name}"
        );
    }
}

/// Without dates the order of reading tells, and the same files again say the same (FHIR R4
/// §3.1.0.6.2: what is created again after a deletion is there).
#[test]
fn undated_deletions_stand_where_they_were_read() {
    let dir = folder();
    let put = |n: u32| {
        json!({"fullUrl": "https://ehr.example.org/fhir/Condition/c",
        "request": {"method": "PUT", "url": "Condition/c"},
        "resource": {"resourceType": "Condition", "id": "c", "recordedDate": format!("2025-01-{n:02}"),
            "subject": {"reference": "Patient/p"}}})
    };
    let gone = || delete("Condition/c");
    let cases: [(&str, Vec<Value>, Option<&str>); 7] = [
        ("created, deleted", vec![put(1), gone()], None),
        ("deleted, created", vec![gone(), put(1)], Some("2025-01-01")),
        (
            "the same once more",
            vec![put(1), gone(), put(1)],
            Some("2025-01-01"),
        ),
        (
            "another once more",
            vec![put(1), gone(), put(2)],
            Some("2025-01-02"),
        ),
        ("twice deleted", vec![put(1), gone(), put(1), gone()], None),
        (
            "twice created again",
            vec![put(1), gone(), put(1), gone(), put(1)],
            Some("2025-01-01"),
        ),
        (
            "the same twice, then deleted",
            vec![put(1), put(1), gone()],
            None,
        ),
    ];
    for (n, (name, entries, stays)) in cases.into_iter().enumerate() {
        let lake = dir.path().join(format!("lake-{n}"));
        let path = file(
            dir.path().join(format!("{n}.ndjson")),
            patient("p", "") + &transaction(&entries),
        );
        for time in 0..3 {
            let report = import(&lake, &[&path]);
            let left = resources(exported(&lake))
                .into_iter()
                .find(|r| r["resourceType"] == "Condition");
            let left = left.map(|c| c["recordedDate"].as_str().unwrap().to_owned());
            assert_eq!(left.as_deref(), stays, "{name}, import {time}: {report:#}");
            assert_eq!(
                report["committed"],
                json!(time == 0),
                "{name}, import {time}"
            );
            let sum: u64 = [
                "stored",
                "unchanged",
                "replaced",
                "outdated",
                "deleted",
                "rejected",
            ]
            .iter()
            .map(|column| total(&report, column))
            .sum();
            assert_eq!(sum, total(&report, "read"), "{name}: {report:#}");
            assert_eq!(total(&report, "read"), entries.len() as u64 + 1, "{name}");
            if time > 0 {
                let changed = ["stored", "replaced"];
                let changed = changed.iter().map(|c| total(&report, c)).sum::<u64>();
                assert_eq!(changed, 0, "{name}, import {time}: {report:#}");
            }
        }
    }
}

/// What the lake has is kept where a deletion is older.
#[test]
fn an_older_deletion_deletes_nothing() {
    let dir = folder();
    let lake = dir.path().join("lake");
    let now = file(
        dir.path().join("1.ndjson"),
        patient("p", "") + &condition("c", "p", 9).to_string(),
    );
    import(&lake, &[&now]);
    let mut entry = delete("Condition/c");
    entry["response"] = json!({"lastModified": "2025-01-05T00:00:00Z"});
    let report = import(
        &lake,
        &[&file(dir.path().join("2.ndjson"), transaction(&[entry]))],
    );
    assert_eq!(
        (
            &report["committed"],
            total(&report, "outdated"),
            total(&report, "deleted")
        ),
        (&json!(false), 1, 0)
    );
}

#[test]
fn deletions_that_cannot_be_applied_are_told() {
    let dir = folder();
    let cases = [
        ("Condition?code=SECRETNAME", "a conditional DELETE"),
        ("Condition/c/_history/1", "a DELETE of one version"),
        (
            "https://other.example.org/fhir/Condition/c",
            "another server",
        ),
        ("SECRETNAME", "not Type/id"),
    ];
    for (n, (url, says)) in cases.into_iter().enumerate() {
        let entry = json!({"fullUrl": "https://ehr.example.org/fhir/Condition/c", "request": {"method": "DELETE", "url": url}});
        let path = file(
            dir.path().join(format!("{n}.ndjson")),
            transaction(&[entry]),
        );
        let report = import(&dir.path().join(format!("lake-{n}")), &[&path]);
        assert_eq!(total(&report, "rejected"), 1, "{url}");
        assert!(
            report["first_rejects"][0].as_str().unwrap().contains(says),
            "{report:#}"
        );
    }
}
