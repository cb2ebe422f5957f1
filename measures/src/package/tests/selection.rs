//! Picking measures.

use super::*;
use engine_patient::finding::{Code, Finding};

fn package() -> Package {
    let files = Files::new();
    for (name, version) in [
        ("CMS1FHIRSleep", "1.0.0"),
        ("CMS2FHIRFood", "1.0.0"),
        ("CMS2FHIRFood", "2.0.0"),
    ] {
        let mut measure = proportion();
        measure["id"] = json!(format!("id-{name}-{version}"));
        measure["name"] = json!(name);
        measure["version"] = json!(version);
        measure["url"] = json!(format!("http://x.org/Measure/{name}"));
        measure["identifier"] =
            json!([{"value": format!("short-{name}")}, {"value": "urn:uuid:1"}]);
        files.json(&format!("{name}{version}.json"), &measure);
    }
    let mut broken = proportion();
    broken["name"] = json!("Broken");
    broken["url"] = json!("http://x.org/Measure/Broken");
    broken.as_object_mut().unwrap().remove("group");
    files.json("broken.json", &broken);
    files.json("library.json", &library("M", "1.0.0"));
    files.load().package
}

fn names(package: &Package, ids: &[&str]) -> Result<Vec<String>, Vec<Finding>> {
    let ids: Vec<String> = ids.iter().map(|i| (*i).to_owned()).collect();
    let found = select(package, &ids)?;
    Ok(found.iter().map(|m| m.id.clone().unwrap()).collect())
}

#[test]
fn by_every_name() {
    let package = package();
    assert_eq!(names(&package, &[]).unwrap().len(), 3);
    let sleep = ["id-CMS1FHIRSleep-1.0.0"];
    for id in [
        "CMS1FHIRSleep",
        sleep[0],
        "http://x.org/Measure/CMS1FHIRSleep",
        "short-CMS1FHIRSleep",
        "CMS1FHIRSleep|1.0.0",
    ] {
        assert_eq!(names(&package, &[id]).unwrap(), sleep, "{id}");
    }
    let both = names(
        &package,
        &["CMS2FHIRFood|2.0.0", "CMS1FHIRSleep", "CMS2FHIRFood|2.0.0"],
    );
    assert_eq!(both.unwrap(), ["id-CMS2FHIRFood-2.0.0", sleep[0]]);
    // The beginning of a name that no other has, in any letter case, and the number alone.
    for word in ["cms1", "1", "CMS1FHIR", "cms1|1.0.0", "cms2|2.0.0"] {
        assert!(names(&package, &[word]).is_ok(), "{word}");
    }
}

#[test]
fn all_wrong_names_at_once() {
    let package = package();
    let ids = [
        "CMS1FHIRSlepe",
        "cms2",
        "CMS2FHIRFood",
        "CMS1FHIRSleep|9",
        "Broken",
        "zzzzzz",
    ];
    let issues = names(&package, &ids).unwrap_err();
    let told: Vec<(Code, &str)> = issues
        .iter()
        .map(|i| (i.code, i.help.as_deref().unwrap()))
        .collect();
    let wanted = [
        (Code::NoSuchMeasure, "did you mean `CMS1FHIRSleep`?"),
        (
            Code::SeveralMeasures,
            "say which: `id-CMS2FHIRFood-1.0.0`, `id-CMS2FHIRFood-2.0.0`",
        ),
        (
            Code::SeveralMeasures,
            "say which: `CMS2FHIRFood|1.0.0`, `CMS2FHIRFood|2.0.0`",
        ),
        (Code::NoSuchMeasure, "it has `CMS1FHIRSleep|1.0.0`"),
        (Code::MeasureRefused, "see the errors about `Broken`"),
        (
            Code::NoSuchMeasure,
            "the package has `CMS1FHIRSleep`, `http://x.org/Measure/CMS2FHIRFood|1.0.0`, `http://x.org/Measure/CMS2FHIRFood|2.0.0`",
        ),
    ];
    assert_eq!(told, wanted);
}
