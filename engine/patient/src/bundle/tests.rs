use serde_json::{Value, json};

use super::*;
use crate::record::PatientRecord;

const SERVER: &str = "https://ehr.example.org/fhir";

/// The resources of a Bundle as they are evaluated, and what was counted. Each must come back.
fn read(bundle: &Value, own: &[&str]) -> (Vec<Value>, References) {
    let own: Vec<String> = own.iter().map(|s| (*s).to_owned()).collect();
    let mut found = References::default();
    let mut out = vec![];
    for text in [
        bundle.to_string(),
        serde_json::to_string_pretty(bundle).unwrap(),
    ] {
        let mut document = PatientRecord::new();
        let root = document.push_document(&text).unwrap();
        let bundle = Bundle::read(root, &own);
        (found, out) = (References::default(), vec![]);
        for (index, entry) in bundle.entries().iter().enumerate() {
            let Some(resource) = entry.resource else {
                continue;
            };
            let context = Context::Entry(&bundle, index);
            let id = entry.given_id.as_deref();
            for one_line in [false, true] {
                let mut counts = References::default();
                let resolved = resolved(resource, id, one_line, &context, &mut counts);
                let restore = restore_text(&resolved.restore);
                let back = restored(&resolved.text, restore.as_deref()).unwrap();
                match one_line {
                    false => assert_eq!(back, resource.raw()),
                    true => {
                        assert_eq!(back, compact(resource.raw()));
                        assert!(!resolved.text.contains('\n'));
                        out.push(serde_json::from_str(&resolved.text).unwrap());
                        found.add(&counts);
                    }
                }
            }
        }
    }
    (out, found)
}

fn entry(url: &str, resource: Value) -> Value {
    json!({"fullUrl": url, "resource": resource})
}

fn observation(id: &str, encounter: &str) -> Value {
    json!({"resourceType": "Observation", "id": id, "encounter": {"reference": encounter}})
}

/// What the reference of an Observation in a Bundle is resolved to. The Bundle has an Encounter, a
/// Patient and an Organization of another server.
fn resolved_to(url: &str, reference: &str) -> (String, References) {
    let bundle = json!({"resourceType": "Bundle", "type": "searchset", "entry": [
        entry(url, observation("o", reference)),
        entry(&format!("{SERVER}/Encounter/e"), json!({"resourceType": "Encounter", "id": "e"})),
        entry(&format!("{SERVER}/Location/l"), json!({"resourceType": "Location", "id": "l"})),
        entry(&format!("{SERVER}/Patient/p"), json!({"resourceType": "Patient", "id": "p"})),
        entry("urn:uuid:5E3F", json!({"resourceType": "Encounter", "id": "other-id"})),
        entry("urn:oid:1.2.3", json!({"resourceType": "Encounter", "id": "by-oid"})),
        entry("https://registry.example.org/Organization/9", json!({"resourceType": "Organization", "id": "org"})),
    ]});
    let (all, found) = read(&bundle, &[]);
    (
        all[0]["encounter"]["reference"]
            .as_str()
            .unwrap()
            .to_owned(),
        found,
    )
}

/// FHIR R4 §2.36.4.1.
#[test]
fn references_are_resolved_by_full_url() {
    let own = format!("{SERVER}/Observation/o");
    let cases = [
        ("urn:uuid:5E3F", "Encounter/other-id"),
        ("urn:uuid:5e3f", "Encounter/other-id"),
        ("urn:oid:1.2.3", "Encounter/by-oid"),
        ("https://ehr.example.org/fhir/Encounter/e", "Encounter/e"),
        (
            "https://ehr.example.org/fhir/Encounter/e/_history/4",
            "Encounter/e",
        ),
        (
            "https://ehr.example.org/fhir/Encounter/not-here",
            "Encounter/not-here",
        ),
        (
            "https://registry.example.org/Organization/9",
            "Organization/org",
        ),
        ("Encounter/e", "Encounter/e"),
        ("Encounter/e/_history/2", "Encounter/e"),
        ("/Encounter/e", "Encounter/e"),
        // No fullUrl, but the id of one resource.
        ("urn:uuid:other-id", "Encounter/other-id"),
        // Left as they are.
        ("#contained", "#contained"),
        ("urn:uuid:nobody", "urn:uuid:nobody"),
        ("Encounter?identifier=x|1", "Encounter?identifier=x|1"),
        (
            "https://ehr.example.org/fhir/Encounter?identifier=1",
            "https://ehr.example.org/fhir/Encounter?identifier=1",
        ),
        (
            "https://ehr.example.org/fhir/Encounter/e#part",
            "https://ehr.example.org/fhir/Encounter/e#part",
        ),
        ("something else", "something else"),
        ("", ""),
        // Another server's is nobody here, whatever its id.
        (
            "https://other.example.org/fhir/Encounter/e",
            "https://other.example.org/fhir/Encounter%2Fe",
        ),
        (
            "http://ehr.example.org/fhir/Encounter/e",
            "http://ehr.example.org/fhir/Encounter%2Fe",
        ),
        (
            "https://registry.example.org/Encounter/e",
            "https://registry.example.org/Encounter%2Fe",
        ),
        // RFC 3986 §6.2.2.1: scheme and host are the same in both cases.
        ("HTTPS://EHR.example.org/fhir/Encounter/e", "Encounter/e"),
        (
            "HTTPS://Registry.example.org/Organization/9",
            "Organization/org",
        ),
        (
            "HTTPS://other.example.org/fhir/Encounter/e",
            "HTTPS://other.example.org/fhir/Encounter%2Fe",
        ),
        (
            "other.example.org/fhir/Encounter/e",
            "other.example.org/fhir/Encounter%2Fe",
        ),
        // A compartment's.
        (
            "https://ehr.example.org/fhir/Patient/12345/Encounter/e",
            "Encounter/e",
        ),
        (
            "https://other.example.org/fhir/Patient/12345/Encounter/e",
            "https://other.example.org/fhir/Encounter%2Fe",
        ),
        ("Patient/12345/Encounter/e", "Encounter/e"),
    ];
    for (reference, wanted) in cases {
        assert_eq!(resolved_to(&own, reference).0, wanted, "{reference}");
    }
    let counts = |reference: &str| resolved_to(&own, reference).1;
    assert_eq!(counts("urn:uuid:5E3F").resolved, 1);
    assert_eq!(counts("urn:uuid:nobody").unknown_urns, 1);
    assert_eq!(counts("Encounter?identifier=x").searches["Encounter"], 1);
    let other = counts("https://other.example.org/fhir/Encounter/e");
    assert_eq!(other.elsewhere["https://other.example.org/fhir"], 1);
    assert_eq!(
        (other.unresolved(), counts("Encounter/e").unresolved()),
        (1, 0)
    );
}

/// What is counted by server names servers, nothing of a patient.
#[test]
fn servers_are_shown_without_ids() {
    let own = format!("{SERVER}/Observation/o");
    let elsewhere = |reference: &str| {
        let found = resolved_to(&own, reference).1.elsewhere;
        let names: Vec<String> = found
            .into_iter()
            .map(|(name, n)| format!("{n} {name}"))
            .collect();
        names.join(",")
    };
    for (reference, shown) in [
        (
            "https://b.example/fhir/Patient/12345/Encounter/7",
            "1 https://b.example/fhir",
        ),
        (
            "https://b.example/fhir/Patient/12345/x/Encounter/7",
            "1 https://b.example/fhir",
        ),
        (
            "HTTPS://B.example/fhir/Encounter/e",
            "1 https://b.example/fhir",
        ),
        ("other.example.org/fhir/Encounter/e", "1 (another URL)"),
        ("Smith/Encounter/e", "1 (another URL)"),
    ] {
        assert_eq!(elsewhere(reference), shown, "{reference}");
    }
}

/// The most frequent stay, whatever the order of counting.
#[test]
fn many_servers_are_summed_up() {
    let mut one = References::default();
    let mut parts = vec![];
    for n in 0..1500_u64 {
        let mut part = References::default();
        let server = format!("https://s{n:04}.example/fhir");
        part.elsewhere.insert(server, if n < 1200 { 1 } else { 2 });
        parts.push(part);
    }
    let mut back = References::default();
    parts.iter().for_each(|p| one.add(p));
    parts.iter().rev().for_each(|p| back.add(p));
    let (one, back) = (one.most_frequent(), back.most_frequent());
    assert_eq!(one, back);
    assert_eq!(one.elsewhere.len(), 1001);
    assert_eq!(one.elsewhere["(others)"], 500);
    assert_eq!(one.elsewhere["https://s1499.example/fhir"], 2);
    assert!(one.elsewhere.contains_key("https://s0699.example/fhir"));
    assert_eq!(one.unresolved(), 1200 + 2 * 300);
}

/// A relative reference is of the server of its entry.
#[test]
fn relative_references_are_resolved_against_the_entry() {
    let case = |url: &str, reference: &str| resolved_to(url, reference).0;
    let other = "https://registry.example.org/Observation/o";
    assert_eq!(case(other, "Organization/9"), "Organization/org");
    assert_eq!(
        case(other, "Encounter/e"),
        "https://registry.example.org/Encounter%2Fe"
    );
    // Without a server there is nothing to resolve against.
    assert_eq!(case("urn:uuid:1", "Encounter/e"), "Encounter/e");
}

#[test]
fn all_kinds_of_references_wherever_they_stand() {
    let urn = |n: u32| format!("urn:uuid:00000000-0000-4000-8000-{n:012}");
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        entry(&urn(1), json!({"resourceType": "Patient", "id": "p"})),
        entry(&urn(2), json!({"resourceType": "Medication", "id": "m"})),
        entry(&urn(3), json!({"resourceType": "Practitioner", "id": "dr"})),
        entry(&urn(4), json!({"resourceType": "MedicationRequest", "id": "r", "text \"\n x": "  ",
            "subject": {"reference": urn(1)}, "medicationReference": {"reference": urn(2), "display": "urn:uuid:"},
            "contained": [{"resourceType": "Provenance", "id": "c", "agent": [{"who": {"reference": urn(3)}}]}],
            "extension": [{"url": "u", "valueReference": {"reference": urn(3)}}]})),
    ]});
    let (all, found) = read(&bundle, &[]);
    let request = &all[3];
    assert_eq!(request["subject"]["reference"], "Patient/p");
    assert_eq!(request["medicationReference"]["reference"], "Medication/m");
    assert_eq!(request["medicationReference"]["display"], "urn:uuid:");
    assert_eq!(
        request["contained"][0]["agent"][0]["who"]["reference"],
        "Practitioner/dr"
    );
    assert_eq!(
        request["extension"][0]["valueReference"]["reference"],
        "Practitioner/dr"
    );
    assert_eq!((found.resolved, found.unresolved()), (4, 0));
}

/// Escapes in the reference and in what surrounds it.
#[test]
fn escaped_references_come_back() {
    let text = r#"{"resourceType":"Bundle","type":"collection","entry":[
        {"fullUrl":"https://a.example\/fhir/Patient/p","resource":{"resourceType":"Patient","id":"p"}},
        {"fullUrl":"https://a.example/fhir/Flag/f","resource":{"resourceType":"Flag","id":"f",
         "x":"\\","subject" : {"r\u0065ference" :"https:\/\/a.example\/fhir\/Patient\/p" } , "author":
         {"reference":"https://b.example/\u0041\"b/Patient/p"}}}]}"#;
    let mut document = PatientRecord::new();
    let root = document.push_document(text).unwrap();
    let bundle = Bundle::read(root, &[]);
    let context = Context::Entry(&bundle, 1);
    let resource = bundle.entries()[1].resource.unwrap();
    let resolved = resolved(resource, None, true, &context, &mut References::default());
    let value: Value = serde_json::from_str(&resolved.text).unwrap();
    assert_eq!(value["subject"]["reference"], "Patient/p");
    assert_eq!(
        value["author"]["reference"],
        "https://b.example/A\"b/Patient%2Fp"
    );
    let restore = restore_text(&resolved.restore);
    assert_eq!(
        restored(&resolved.text, restore.as_deref()).unwrap(),
        compact(resource.raw())
    );
}

/// The rule for ids: see [`Bundle::read`].
#[test]
fn resources_without_an_id_get_one() {
    let create = |url: Option<&str>, method: &str, target: &str| {
        let mut entry = json!({"request": {"method": method, "url": target},
            "resource": {"resourceType": "Patient", "gender": "male"}});
        if let Some(url) = url {
            entry["fullUrl"] = json!(url);
        }
        entry
    };
    let id = |entry: Value| {
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
        let (all, _) = read(&bundle, &[]);
        all[0]["id"].as_str().map(str::to_owned)
    };
    let uuid = "5f3e6c1a-0b1d-4c58-9a52-6a1d2f0c9e11";
    assert_eq!(
        id(create(Some(&format!("urn:uuid:{uuid}")), "POST", "Patient")).as_deref(),
        Some(uuid)
    );
    assert_eq!(
        id(create(Some("urn:oid:1.2.3.4"), "POST", "Patient")).as_deref(),
        Some("1.2.3.4")
    );
    assert_eq!(
        id(create(
            Some("https://a.example/Patient/7"),
            "POST",
            "Patient"
        ))
        .as_deref(),
        Some("7")
    );
    assert_eq!(
        id(create(Some("urn:uuid:1"), "PUT", "Patient/8")).as_deref(),
        Some("8")
    );
    // Nothing says that this is to be created.
    assert_eq!(id(create(None, "GET", "Patient")), None);
    assert_eq!(
        id(create(Some("urn:uuid:not an id"), "POST", "Patient")),
        None
    );
    let hashed = id(create(None, "POST", "Patient")).unwrap();
    assert!(hashed.starts_with("content-") && is_id(&hashed), "{hashed}");
    assert_eq!(id(create(None, "POST", "Patient")).unwrap(), hashed);

    // The same content twice is two resources; an id of its own stays; references find them.
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        create(None, "POST", "Patient"), create(None, "POST", "Patient"),
        entry("urn:uuid:a", json!({"resourceType": "Patient"})),
        entry("urn:uuid:b", json!({"resourceType": "Observation", "id": "o", "subject": {"reference": "urn:uuid:a"}})),
    ]});
    let (all, _) = read(&bundle, &[]);
    assert_eq!(all[0]["id"], json!(hashed));
    assert_eq!(all[1]["id"], json!(format!("{hashed}-2")));
    assert_eq!((&all[2]["id"], &all[3]["id"]), (&json!("a"), &json!("o")));
    assert_eq!(all[3]["subject"]["reference"], "Patient/a");
}

/// On a line nothing says whose server it is from, unless it is told.
#[test]
fn lines() {
    let case = |reference: &str, own: &[&str]| {
        let own: Vec<String> = own.iter().map(|s| (*s).to_owned()).collect();
        let mut record = PatientRecord::new();
        record
            .push(&observation("o", reference).to_string())
            .unwrap();
        let resource = record.resources().next().unwrap();
        let mut found = References::default();
        let text = resolved(
            resource,
            None,
            false,
            &Context::Line { own: &own },
            &mut found,
        )
        .text;
        let value: Value = serde_json::from_str(&text).unwrap();
        (
            value["encounter"]["reference"].as_str().unwrap().to_owned(),
            found,
        )
    };
    let url = "https://a.example/fhir/Encounter/e";
    let (text, found) = case(url, &[]);
    assert_eq!(
        (text.as_str(), found.assumed["https://a.example/fhir"]),
        ("Encounter/e", 1)
    );
    let (text, found) = case(url, &["https://a.example/fhir"]);
    assert_eq!((text.as_str(), found.resolved), ("Encounter/e", 1));
    let (text, found) = case(url, &["https://b.example/fhir"]);
    assert_eq!(
        (text.as_str(), found.unresolved()),
        ("https://a.example/fhir/Encounter%2Fe", 1)
    );
    assert_eq!(case("Encounter/e/_history/1", &[]).0, "Encounter/e");
    assert_eq!(case("urn:uuid:e", &[]).1.unknown_urns, 1);
    assert_eq!(
        case("Encounter/e", &[]),
        ("Encounter/e".to_owned(), References::default())
    );
}

/// Types, ids and what is said of their age of a Bundle's deletions, or why they are none.
fn deletions(bundle: &Value) -> Vec<Result<String, NotDeletable>> {
    let text = bundle.to_string();
    let mut document = PatientRecord::new();
    let bundle = Bundle::read(document.push_document(&text).unwrap(), &[]);
    let all = bundle.entries().iter().filter_map(|e| e.deletes.clone());
    all.map(|d| d.map(|d| format!("{}/{} {:?}", d.ty.as_str(), d.id, d.age.version)))
        .collect()
}

#[test]
fn deletions_name_their_resource() {
    let delete = |url: &str, request: &str| {
        json!({"fullUrl": url, "request": {"method": "DELETE", "url": request},
        "response": {"etag": "W/\"3\""}})
    };
    let own = format!("{SERVER}/Condition/c");
    let case = |entry: Value| {
        deletions(&json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]}))
    };
    let c = "Condition/c Some(3)".to_owned();
    for url in ["Condition/c", "/Condition/c", &own] {
        assert_eq!(case(delete(&own, url)), [Ok(c.clone())], "{url}");
    }
    assert_eq!(
        case(json!({"request": {"method": "DELETE", "url": "Condition/c"}})),
        [Ok("Condition/c None".into())]
    );
    for (url, why) in [
        ("Condition?code=1", NotDeletable::Conditional),
        ("Condition/c/_history/2", NotDeletable::Version),
        (
            "https://other.example.org/Condition/c",
            NotDeletable::AnotherServer,
        ),
        ("Conditions/c", NotDeletable::Unreadable),
        ("Condition/a b", NotDeletable::Unreadable),
        ("", NotDeletable::Unreadable),
    ] {
        assert_eq!(case(delete(&own, url)), [Err(why)], "{url}");
    }
}

/// The record of one patient: what a history has deleted is gone, whatever the order tells.
#[test]
fn one_patient_of_a_history() {
    let version = |n: u32, meta: bool| {
        let mut resource =
            json!({"resourceType": "Condition", "id": "c", "recordedDate": format!("202{n}")});
        if meta {
            resource["meta"] = json!({"versionId": n.to_string()});
        }
        json!({"fullUrl": format!("{SERVER}/Condition/c"), "resource": resource})
    };
    let delete = |n: u32| {
        json!({"fullUrl": format!("{SERVER}/Condition/c"), "response": {"etag": format!("W/\"{n}\"")},
        "request": {"method": "DELETE", "url": "Condition/c"}})
    };
    let patient = entry(
        &format!("{SERVER}/Patient/p"),
        json!({"resourceType": "Patient", "id": "p"}),
    );
    let case = |entries: Vec<Value>| {
        let all: Vec<Value> = entries.into_iter().chain([patient.clone()]).collect();
        let text = json!({"resourceType": "Bundle", "type": "history", "entry": all}).to_string();
        let mut document = PatientRecord::new();
        let bundle = Bundle::read(document.push_document(&text).unwrap(), &[]);
        let mut record = PatientRecord::new();
        push_entries(&mut record, &bundle, &mut References::default()).unwrap();
        record.seal();
        assert_eq!(record.of_type_named("Patient").count(), 1);
        let left = record.of_type_named("Condition").next();
        left.map(|c| c.get_str("recordedDate").unwrap().into_owned())
    };
    // Newest first.
    assert_eq!(
        case(vec![delete(3), version(2, true), version(1, true)]),
        None
    );
    assert_eq!(
        case(vec![version(4, true), delete(3), version(2, true)]).as_deref(),
        Some("2024")
    );
    assert_eq!(
        case(vec![version(2, false), version(1, false)]).as_deref(),
        Some("2022")
    );
    assert_eq!(case(vec![delete(3), version(2, false)]), None);
    assert_eq!(
        case(vec![version(4, false), delete(3), version(2, false)]).as_deref(),
        Some("2024")
    );
}

#[test]
fn another_servers_resource_of_the_same_id_is_told() {
    let bundle = json!({"resourceType": "Bundle", "type": "searchset", "entry": [
        entry(&format!("{SERVER}/Patient/x"), json!({"resourceType": "Patient", "id": "x"})),
        entry(&format!("{SERVER}/Condition/c"), json!({"resourceType": "Condition", "id": "c"})),
        entry("https://other.example.org/Patient/x", json!({"resourceType": "Patient", "id": "x"})),
        entry("https://other.example.org/Organization/o", json!({"resourceType": "Organization", "id": "o"})),
    ]});
    let text = bundle.to_string();
    let mut document = PatientRecord::new();
    let bundle = Bundle::read(document.push_document(&text).unwrap(), &[]);
    let collide: Vec<bool> = bundle.entries().iter().map(|e| e.collides).collect();
    assert_eq!(collide, [false, false, true, false]);
}

/// FHIR R4 §2.36.4.1: a relative reference is of the server of its entry. What is not taken is not
/// referred to either, nor is another server's what this server's references mean.
#[test]
fn another_servers_data_never_joins_ours() {
    let other = "https://other.example.org";
    let about = |server: &str, id: &str, subject: &str| {
        entry(
            &format!("{server}/Observation/{id}"),
            json!({"resourceType": "Observation", "id": id,
            "subject": {"reference": subject}}),
        )
    };
    let patient = |server: &str, id: &str| {
        entry(
            &format!("{server}/Patient/{id}"),
            json!({"resourceType": "Patient", "id": id}),
        )
    };
    let case = |entries: Vec<Value>| {
        let bundle = json!({"resourceType": "Bundle", "type": "searchset",
            "link": [{"relation": "self", "url": format!("{SERVER}/Observation")}], "entry": entries});
        let (all, found) = read(&bundle, &[]);
        let subjects: Vec<String> = all
            .iter()
            .filter_map(|r| Some(r["subject"]["reference"].as_str()?.to_owned()))
            .collect();
        let text = bundle.to_string();
        let mut document = PatientRecord::new();
        let bundle = Bundle::read(document.push_document(&text).unwrap(), &[]);
        let collide: Vec<bool> = bundle.entries().iter().map(|e| e.collides).collect();
        let mut foreign = References::default();
        bundle.count_foreign(&mut foreign);
        (subjects, collide, found, foreign.foreign_entries)
    };
    // Both have a Patient x.
    let (subjects, collide, found, foreign) = case(vec![
        patient(SERVER, "x"),
        patient(other, "x"),
        about(other, "relative", "Patient/x"),
        about(other, "url", &format!("{other}/Patient/x")),
        about(SERVER, "own", "Patient/x"),
    ]);
    let theirs = format!("{other}/Patient%2Fx");
    assert_eq!(subjects, [theirs.as_str(), &theirs, "Patient/x"]);
    assert_eq!(collide, [false, true, false, false, false]);
    assert_eq!((found.elsewhere[other], foreign[other]), (2, 3));
    // Only the other has one, and ours means its own.
    for own in [
        "Patient/x".to_owned(),
        format!("{SERVER}/Patient/x"),
        "Patient/x/_history/1".into(),
    ] {
        let (subjects, collide, ..) = case(vec![
            about(SERVER, "own", &own),
            patient(other, "x"),
            about(other, "relative", "Patient/x"),
        ]);
        assert_eq!(subjects, ["Patient/x", theirs.as_str()], "{own}");
        assert_eq!(collide, [false, true, false], "{own}");
    }
    // Nobody else means it: it is taken.
    let (subjects, collide, ..) = case(vec![
        about(SERVER, "own", "Patient/y"),
        patient(other, "x"),
        about(other, "relative", "Patient/x"),
    ]);
    assert_eq!(subjects, ["Patient/y", "Patient/x"]);
    assert_eq!(collide, [false; 3]);
    // Two others are not one person.
    let third = "https://third.example.org";
    let (subjects, collide, ..) = case(vec![
        about(SERVER, "own", "Patient/y"),
        patient(other, "1"),
        patient(third, "1"),
        about(other, "a", "Patient/1"),
        about(third, "b", "Patient/1"),
    ]);
    assert_eq!(
        subjects,
        [
            "Patient/y".to_owned(),
            "Patient/1".into(),
            format!("{third}/Patient%2F1")
        ]
    );
    assert_eq!(collide, [false, false, true, false, false]);
}

/// A resource without an id is deleted by the one it is given; what cannot be applied is told.
#[test]
fn deletions_of_one_patient_are_applied_or_told() {
    let uuid = "5f3e6c1a-0b1d-4c58-9a52-6a1d2f0c9e11";
    let delete = |url: &str| json!({"request": {"method": "DELETE", "url": url}});
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        entry(&format!("urn:uuid:{uuid}"), json!({"resourceType": "Condition"})),
        entry("urn:uuid:p", json!({"resourceType": "Patient", "id": "p"})),
        delete(&format!("Condition/{uuid}")),
        delete("Condition?code=1"),
        delete("Patient/p/_history/1"),
        delete("Patient/p/Condition/c"),
    ]});
    let text = bundle.to_string();
    let mut document = PatientRecord::new();
    let bundle = Bundle::read(document.push_document(&text).unwrap(), &[]);
    let mut record = PatientRecord::new();
    let left_out = push_entries(&mut record, &bundle, &mut References::default()).unwrap();
    assert_eq!(
        left_out,
        LeftOut {
            resources: 1,
            deletions: 3
        }
    );
    record.seal();
    assert_eq!(record.of_type_named("Condition").count(), 0);
    assert_eq!(record.of_type_named("Patient").count(), 1);
}

/// The self link says whose a searchset is, also where more of its entries are another server's.
#[test]
fn the_self_link_names_the_server() {
    for link in [
        "/Condition?_include=*",
        "/Patient/1/$everything",
        "",
        "/_history",
    ] {
        let bundle = json!({"resourceType": "Bundle", "type": "searchset",
            "link": [{"relation": "self", "url": format!("{SERVER}{link}")}], "entry": [
            entry("https://other.example.org/Organization/1", json!({"resourceType": "Organization", "id": "1"})),
            entry("https://other.example.org/Organization/2", json!({"resourceType": "Organization", "id": "2"})),
            entry(&format!("{SERVER}/Observation/o"), observation("o", &format!("{SERVER}/Encounter/x"))),
        ]});
        assert_eq!(
            read(&bundle, &[]).0[2]["encounter"]["reference"],
            "Encounter/x",
            "{link}"
        );
    }
}

#[test]
fn a_damaged_restore_is_told() {
    for restore in [
        "x",
        "{}",
        "[[1,2]]",
        "[[3,9,\"a\"]]",
        "[[2,1,\"a\"],[0,1,\"b\"]]",
        "[[18446744073709551615,1,\"\"]]",
    ] {
        assert_eq!(
            restored("{\"a\"}", Some(restore)),
            Err(Damaged),
            "{restore}"
        );
    }
    assert_eq!(restored("{}", None).unwrap(), "{}");
}
