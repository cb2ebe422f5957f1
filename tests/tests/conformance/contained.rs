//! A deck whose orders contain their Medications gives what it gives with codes of their own.

use std::path::Path;

use serde_json::{Value, json};

use crate::replication::{counts, run};

/// It counts orders of medications among its exclusions.
const DECK: &str = "CMS122FHIRDiabetesAssessGreaterThan9Percent";

/// Checks it, where it is there.
pub fn check(folder: &Path) {
    let deck = folder.join(DECK);
    if !deck.join("data").is_dir() {
        println!("contained medications: skipped, there is no deck {DECK}");
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let moved = move_medications(&deck.join("data"), scratch.path());
    let published = run(&deck, folder, &deck.join("data"), 8, 2).0;
    let contained = run(&deck, folder, scratch.path(), 8, 2).0;
    assert_eq!(moved, 7);
    assert_eq!(counts(&published, 1), counts(&contained, 1), "{DECK}");
}

/// Writes the data with the drug of each order in a Medication that it contains; how many.
fn move_medications(data: &Path, target: &Path) -> usize {
    let mut moved = 0;
    for entry in std::fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        let mut lines = String::new();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let mut resource: Value = serde_json::from_str(line).unwrap();
            let order = resource.as_object_mut().unwrap();
            if let Some(code) = order.remove("medicationCodeableConcept") {
                let medication = json!({"resourceType": "Medication", "id": "m", "code": code});
                order.insert("contained".into(), json!([medication]));
                order.insert("medicationReference".into(), json!({"reference": "#m"}));
                moved += 1;
            }
            lines.push_str(&format!("{resource}\n"));
        }
        std::fs::write(target.join(path.file_name().unwrap()), lines).unwrap();
    }
    moved
}
