//! Measure packages.

use engine_patient::finding::Finding;
use measures::package::load;
use serde_json::{Value, json};

use crate::{Case, case, snapshot};

/// The findings, with the folder's name taken out of them.
fn found(files: &[(&str, String)]) -> Vec<Finding> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let loaded = load(&[folder.path().to_path_buf()]);
    let directions = loaded.package.measures.iter();
    let directions = directions.flat_map(measures::improvement_direction::issues);
    let prefix = folder.path().to_string_lossy().into_owned();
    let plain = |text: &str| {
        text.replace(&format!("{prefix}/"), "")
            .replace(&prefix, "package")
    };
    let all = loaded.issues.iter().cloned().chain(directions);
    all.map(|mut finding| {
        finding.place.file = plain(&finding.place.file).into();
        finding.message = plain(&finding.message);
        finding
    })
    .collect()
}

fn measure() -> Value {
    let population = |code: &str| json!({"code": {"coding": [{"code": code}]}, "criteria": {"language": "text/cql-identifier", "expression": "X"}});
    json!({
        "resourceType": "Measure", "id": "m", "url": "http://x/Measure/M", "version": "1", "name": "M", "status": "active",
        "library": ["http://x/Library/M"], "scoring": {"coding": [{"code": "proportion"}]},
        "group": [{"population": [population("initial-population"), population("denominator"), population("numerator")]}],
    })
}

fn changed(what: &str, change: fn(&mut Value)) -> Case {
    let mut measure = measure();
    change(&mut measure);
    let elm =
        json!({"library": {"identifier": {"id": "M", "version": "1"}, "statements": {"def": []}}});
    let files = [
        ("measure.json", measure.to_string()),
        ("M.json", elm.to_string()),
    ];
    case(what, found(&files))
}

#[test]
fn packages() {
    let cases = [
        case("an empty folder", found(&[])),
        case(
            "cut off",
            found(&[(
                "measure.json",
                "{\"resourceType\": \"Measure\",\n  \"id\": ".into(),
            )]),
        ),
        case("XML", found(&[("measure.json", "<Measure/>".into())])),
        case(
            "no library",
            found(&[("measure.json", measure().to_string())]),
        ),
        changed("as it should be, but for the direction", |_| {}),
        changed("an unknown scoring", |m| {
            m["scoring"]["coding"][0]["code"] = json!("proportional")
        }),
        changed("composite", |m| {
            m["scoring"]["coding"][0]["code"] = json!("composite")
        }),
        changed("an unknown population", |m| {
            m["group"][0]["population"][2]["code"]["coding"][0]["code"] = json!("numerater")
        }),
        changed("no denominator", |m| {
            m["group"][0]["population"]
                .as_array_mut()
                .unwrap()
                .remove(1);
        }),
        changed("another language", |m| {
            m["group"][0]["population"][2]["criteria"]["language"] = json!("text/fhirpath")
        }),
        changed("an expression", |m| {
            m["group"][0]["population"][2]["criteria"] =
                json!({"language": "text/cql", "expression": "exists [Condition]"});
        }),
        changed("a group that is an object", |m| m["group"] = json!({})),
        changed("no url, version and group", |m| {
            let fields = m.as_object_mut().unwrap();
            fields.remove("url");
            fields.remove("version");
            fields.remove("group");
        }),
    ];
    snapshot("package.txt", &cases);
}
