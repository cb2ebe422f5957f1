//! Measure packages that are imported as if they were data: it is said what they are.

use serde_json::json;

use crate::support::*;

#[test]
fn measure_packages_are_no_data() {
    let dir = folder();
    let package = dir.path().join("package");
    let set = json!({"resourceType": "ValueSet", "id": "s", "url": "http://example.org/s"});
    let measure = json!({"resourceType": "Measure", "id": "m", "url": "http://example.org/m"});
    let library = json!({"resourceType": "Library", "id": "l", "url": "http://example.org/l"});
    file(package.join("a/measure.json"), measure.to_string());
    file(package.join("a/library.json"), library.to_string());
    // The same value set in two packages.
    for one in ["a", "b"] {
        file(package.join(one).join("sets.json"), set.to_string());
    }
    let lake = dir.path().join("lake");
    let ran = tandem!("import", &package, "--lake", &lake).ok();
    for words in [
        "1 Measure, 1 Library, 2 ValueSet: these are of measure packages",
        "`tandem measure run PACKAGES --lake LAKE`",
        "1 ValueSet were read twice, byte for byte",
    ] {
        assert!(ran.out.contains(words), "no {words:?}:\n{}", ran.out);
    }
    for words in ["name none", "no code"] {
        assert!(!ran.out.contains(words), "{}", ran.out);
    }
    // Nothing was there before, and now all of it is.
    let fresh = import(&dir.path().join("fresh"), &[&package]);
    let column = |report: &serde_json::Value, name: &str| report["types"]["ValueSet"][name].clone();
    assert_eq!(column(&fresh, "unchanged"), 0);
    assert_eq!(
        (column(&fresh, "outdated"), column(&fresh, "repeated")),
        (json!(1), json!(1))
    );
    let again = import(&lake, &[&package]);
    assert_eq!(
        (column(&again, "unchanged"), column(&again, "repeated")),
        (json!(2), json!(0))
    );
    // Beside patients nothing is said of value sets.
    file(
        package.join("p.json"),
        json!({"resourceType": "Patient", "id": "p"}).to_string(),
    );
    std::fs::remove_file(package.join("a/measure.json")).unwrap();
    std::fs::remove_file(package.join("a/library.json")).unwrap();
    let ran = tandem!("import", &package, "--lake", &dir.path().join("both")).ok();
    assert!(!ran.out.contains("measure packages"), "{}", ran.out);
    assert!(ran.out.contains("The lake has 1 patient.\n"), "{}", ran.out);
}
