use std::sync::Arc;

use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::UTC;

use super::*;

const LABS: [&str; 3] = [
    r#"{"resourceType":"Patient","id":"1"}"#,
    r#"{"resourceType":"Observation","id":"a","subject":{"reference":"Patient/1"}}"#,
    r#"{"resourceType":"Condition","id":"b","subject":{"reference":"Patient/1"}}"#,
];

fn deny(class: &str, actor: &str) -> String {
    let actor = match actor {
        "" => String::new(),
        actor => format!(
            r#","actor":[{{"role":{{"coding":[{{"code":"PRCP"}}]}},"reference":{{"reference":"{actor}"}}}}]"#
        ),
    };
    format!(
        r#"{{"resourceType":"Consent","id":"c","status":"active","patient":{{"reference":"Patient/1"}},"dateTime":"2026-01-01",
        "scope":{{"coding":[{{"code":"patient-privacy"}}]}},"policyRule":{{"coding":[{{"code":"OPTIN"}}]}},
        "provision":{{"type":"deny","class":[{{"system":"http://hl7.org/fhir/resource-types","code":"{class}"}}]{actor}}}}}"#
    )
}

fn record(consent: &str) -> PatientRecord {
    let mut record = PatientRecord::new();
    for json in LABS
        .into_iter()
        .chain([consent])
        .filter(|json| !json.is_empty())
    {
        record.push(json).unwrap();
    }
    record
}

fn consents(refuses: bool) -> Consents {
    let party = Party {
        organizations: vec!["Organization/here".into()],
        ..Party::default()
    };
    let clients = [("ehr".to_owned(), party)].into_iter().collect();
    let settings = Settings {
        not_asked: vec![Purpose::parse("BTG").unwrap()],
        ..Settings::default()
    };
    Consents::new(settings, Purpose::TREATMENT, refuses, clients)
}

fn asked(consents: &Consents, record: &PatientRecord, purpose: Option<&str>) -> Filtered {
    let caller = Caller {
        client: Some(Arc::from("ehr")),
        purpose: purpose.map(Arc::from),
        ..Caller::default()
    };
    let ask = FilterAsk {
        caller: &caller,
        user: Some("Practitioner/doc"),
        patient: "1",
        hook: "patient-view",
        at: DateTime::parse("2026-11-30T12:00:00Z").unwrap(),
        zone: &UTC,
    };
    consents.filter(record, &ask)
}

/// What is left, and the note.
fn part(filtered: Filtered) -> (Vec<String>, String) {
    match filtered {
        Filtered::Part(withheld) => {
            let all = withheld.record.resources();
            let names = all.filter_map(|r| Some(r.resource_type()?.as_str().to_owned()));
            (names.collect(), withheld.note)
        }
        Filtered::All => panic!("all of it"),
        Filtered::Refused(reason) => panic!("{reason}"),
    }
}

#[test]
fn what_is_withheld_is_told_to_the_audit() {
    let (left, note) = part(asked(
        &consents(false),
        &record(&deny("Condition", "")),
        None,
    ));
    assert_eq!(left, ["Patient", "Observation", "Consent"]);
    assert_eq!(note, "purpose TREAT; withheld: 1 × Condition; by Consent/c");
}

#[test]
fn the_client_is_who_its_settings_say() {
    let consents = consents(false);
    let of = |actor: &str| asked(&consents, &record(&deny("Condition", actor)), None);
    assert!(matches!(of("Organization/there"), Filtered::All));
    assert_eq!(part(of("Organization/here")).0.len(), 3);
    assert!(matches!(of("Practitioner/nurse"), Filtered::All));
    assert_eq!(part(of("Practitioner/doc")).0.len(), 3);
    // No settings say which devices it has.
    let (_, note) = part(of("Device/d"));
    assert!(note.ends_with("by Consent/c; 1 of them unclear"), "{note}");
}

#[test]
fn the_purpose_is_the_callers() {
    let consents = consents(false);
    assert!(matches!(asked(&consents, &record(""), None), Filtered::All));
    let (left, note) = part(asked(&consents, &record(""), Some("HRESCH")));
    assert!(left.is_empty());
    assert_eq!(
        note,
        "purpose HRESCH; withheld: 1 × Condition, 1 × Observation, 1 × Patient; 3 of them without any consent for this purpose"
    );
    // One that nobody knows is none that is permitted.
    let (left, _) = part(asked(&consents, &record(""), Some("curiosity")));
    assert!(left.is_empty());
    // Break the glass is noted.
    let (left, note) = part(asked(
        &consents,
        &record(&deny("Condition", "")),
        Some("BTG"),
    ));
    assert_eq!(left.len(), 4);
    assert_eq!(note, "purpose BTG; consents are not asked for this purpose");
}

#[test]
fn where_consents_cannot_be_had_nothing_is_known_or_the_call_refused() {
    let mut record = record("");
    record.set_incomplete(Name::of("Consent").unwrap());
    let (left, note) = part(asked(&consents(false), &record, None));
    assert!(left.is_empty());
    assert!(
        note.starts_with("purpose TREAT; the patient's consents could not be had"),
        "{note}"
    );
    assert!(matches!(
        asked(&consents(true), &record, None),
        Filtered::Refused(_)
    ));
    let Filtered::Part(withheld) = asked(&consents(false), &record, None) else {
        panic!("nothing was withheld");
    };
    // Also what nothing was sent of.
    let procedures = Name::of("Procedure").unwrap();
    assert!(!withheld.record.is_available(procedures) && withheld.types.contains(&procedures));
    // Break the glass needs none.
    assert_eq!(
        part(asked(&consents(true), &record, Some("BTG"))).0.len(),
        3
    );
}

#[test]
fn what_was_not_understood_is_noted_where_nothing_is_withheld() {
    let odd = deny("Device", "").replace("\"dateTime\":\"2026-01-01\",", "");
    let (left, note) = part(asked(&consents(false), &record(&odd), None));
    assert_eq!(left.len(), 4);
    let said = "purpose TREAT; not understood: Consent/c: Consent.dateTime: is not there or cannot be read";
    assert_eq!(note, said);
}
