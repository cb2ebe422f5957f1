//! A record without what may not be seen.

use consent::{Filtered, Settings};
use engine_patient::fhir::names::Name;
use engine_patient::record::PatientRecord;

use crate::fixture::{class, for_purpose, policy, record, resource, ruled, treatment};

fn name(ty: &str) -> Name {
    Name::of(ty).unwrap()
}

fn ids(record: &PatientRecord) -> Vec<String> {
    let all = record.resources().map(|r| {
        let ty = r.resource_type().unwrap();
        format!("{}/{}", ty.as_str(), r.get_str("id").unwrap())
    });
    all.collect()
}

fn chart() -> PatientRecord {
    record(&[
        resource("Patient", "1", r#""birthDate":"1970-01-01""#),
        resource("Condition", "a", ""),
        resource("Observation", "b", ""),
        resource("Condition", "c", ""),
    ])
}

fn without_conditions() -> Vec<String> {
    let deny = format!(r#"{{"type":"deny","class":[{}]}}"#, class("Condition"));
    vec![ruled("no-diagnoses", "OPTIN", &deny)]
}

#[test]
fn what_is_withheld_is_not_there_and_its_type_not_known_in_full() {
    let chart = chart();
    let filtered = policy(&without_conditions(), Settings::default()).filter(&treatment(), &chart);
    let kept = filtered.record.as_ref().unwrap();
    assert_eq!(ids(kept), ["Patient/1", "Observation/b"]);
    assert!(!kept.is_available(name("Condition")) && kept.is_known_in_part(name("Condition")));
    assert!(kept.is_available(name("Observation")) && kept.is_available(name("Patient")));
    assert_eq!(
        filtered.withheld.clone().into_iter().collect::<Vec<_>>(),
        [(name("Condition"), 2)]
    );
    assert_eq!((filtered.count(), filtered.unclear), (2, 0));
    let consents: Vec<&String> = filtered.consents.iter().collect();
    assert_eq!(consents, ["Consent/no-diagnoses"]);
}

#[test]
fn where_nothing_is_withheld_the_record_is_as_it_is() {
    let filtered = policy(&[], Settings::default()).filter(&treatment(), &chart());
    assert!(filtered.record.is_none() && filtered.count() == 0);
    assert!(filtered.consents.is_empty());
}

#[test]
fn the_patient_too() {
    let filtered = policy(&[ruled("out", "OPTOUT", "")], Settings::default());
    let filtered = filtered.filter(&treatment(), &chart());
    let kept = filtered.record.unwrap();
    assert!(kept.is_empty());
    assert!(!kept.is_available(name("Patient")) && !kept.is_known_in_part(name("Patient")));
    assert_eq!(filtered.withheld.values().sum::<usize>(), 4);
}

#[test]
fn without_a_consent_for_research_nothing_is_seen() {
    let filtered = policy(&[], Settings::default()).filter(&for_purpose("HRESCH"), &chart());
    assert_eq!((filtered.count(), filtered.without_consent), (4, 4));
    assert!(filtered.consents.is_empty());
}

#[test]
fn what_was_not_known_before_is_not_known_after() {
    let mut chart = chart();
    chart.set_unavailable(name("Procedure"));
    chart.set_incomplete(name("Observation"));
    let filtered = policy(&without_conditions(), Settings::default()).filter(&treatment(), &chart);
    let kept = filtered.record.unwrap();
    assert!(!kept.is_available(name("Procedure")) && !kept.is_known_in_part(name("Procedure")));
    assert!(kept.is_known_in_part(name("Observation")));
}

#[test]
fn a_type_that_was_not_available_is_not_known_in_part_now() {
    let mut chart = chart();
    chart.set_unavailable(name("Condition"));
    let filtered = policy(&without_conditions(), Settings::default()).filter(&treatment(), &chart);
    let kept = filtered.record.unwrap();
    assert!(!kept.is_available(name("Condition")) && !kept.is_known_in_part(name("Condition")));
}

#[test]
fn what_is_unclear_is_withheld_unless_the_place_shows_it() {
    let deny = format!(
        r#"{{"type":"deny","class":[{}],"period":"?"}}"#,
        class("Condition")
    );
    let consents = [ruled("c", "OPTIN", &deny)];
    let filtered = policy(&consents, Settings::default()).filter(&treatment(), &chart());
    assert_eq!((filtered.count(), filtered.unclear), (2, 2));
    let settings = Settings {
        unclear_permits: true,
        ..Settings::default()
    };
    let filtered = policy(&consents, settings).filter(&treatment(), &chart());
    assert_eq!((filtered.count(), filtered.unclear), (0, 0));
}

/// A Medication belongs to no patient. That it came along says what was ordered.
#[test]
fn what_only_withheld_resources_refer_to_goes_along() {
    let order = |id: &str, medication: &str| {
        let reference =
            format!(r#""medicationReference":{{"reference":"Medication/{medication}"}}"#);
        resource("MedicationRequest", id, &reference)
    };
    let medication = |id: &str, ingredient: &str| match ingredient {
        "" => format!(r#"{{"resourceType":"Medication","id":"{id}"}}"#),
        inner => format!(
            r#"{{"resourceType":"Medication","id":"{id}","ingredient":[{{"itemReference":{{"reference":"Medication/{inner}"}}}}]}}"#
        ),
    };
    let chart = record(&[
        order("secret", "m1"),
        order("open", "m2"),
        resource(
            "MedicationStatement",
            "s",
            r#""medicationReference":{"reference":"Medication/m2"}"#,
        ),
        medication("m1", "m1a"),
        medication("m1a", ""),
        medication("m2", ""),
        medication("unused", ""),
    ]);
    let deny = r#"{"type":"deny","data":[{"meaning":"instance","reference":{"reference":"MedicationRequest/secret"}}]}"#;
    let filtered = policy(&[ruled("c", "OPTIN", deny)], Settings::default());
    let filtered = filtered.filter(&treatment(), &chart);
    let kept = filtered.record.as_ref().unwrap();
    assert_eq!(
        ids(kept),
        [
            "MedicationRequest/open",
            "MedicationStatement/s",
            "Medication/m2",
            "Medication/unused"
        ]
    );
    assert!(kept.is_known_in_part(name("Medication")));
    assert_eq!(filtered.withheld[&name("Medication")], 2);
}

#[test]
fn where_consents_cannot_be_had_nothing_is_known() {
    let filtered = Filtered::everything(&chart(), [name("Procedure")]);
    let kept = filtered.record.as_ref().unwrap();
    assert!(kept.is_empty() && filtered.count() == 4);
    for ty in ["Patient", "Condition", "Observation", "Procedure"] {
        assert!(
            !kept.is_available(name(ty)) && !kept.is_known_in_part(name(ty)),
            "{ty}"
        );
    }
}
