use engine_patient::system::zone::{UTC, Zone};
use serde_json::{Value, json};

use std::sync::Arc;

use super::assigned::{Assigned, Means};
use super::by::Attribution::{self, Location, Organization, Practitioner};
use super::directory::Directory;
use super::said::{Reader, Unused};
use super::visit::{Visit, references, visit};
use measures::person::At;

const KINDS: [Attribution; 3] = [Organization, Practitioner, Location];

const AT: At<'static> = At {
    instant: 0,
    zone: &UTC,
};

fn directory() -> Directory {
    let mut directory = Directory::default();
    for resource in [
        json!({"resourceType": "Organization", "id": "a", "name": "Alpha",
            "identifier": [{"system": "urn:npi", "value": "1"}]}),
        json!({"resourceType": "Organization", "id": "b", "name": "Beta"}),
        json!({"resourceType": "Practitioner", "id": "x",
            "name": [{"family": "Xu", "given": ["Li"]}]}),
        json!({"resourceType": "Practitioner", "id": "y", "name": [{"text": "Dr. Y"}]}),
        json!({"resourceType": "PractitionerRole", "id": "r",
            "practitioner": {"reference": "Practitioner/x"}}),
        // What leads to itself.
        json!({"resourceType": "Practitioner", "id": "self", "name": [{"text": "Self"}],
            "practitioner": {"reference": "Practitioner/self"}}),
        json!({"resourceType": "PractitionerRole", "id": "self",
            "practitioner": {"reference": "PractitionerRole/self"}}),
        json!({"resourceType": "Practitioner", "id": "npi",
            "identifier": [{"system": "urn:npi", "value": "7"}]}),
        json!({"resourceType": "Location", "id": "l", "name": "Ward"}),
    ] {
        let (ty, id) = (resource["resourceType"].as_str(), resource["id"].as_str());
        directory.add(ty.unwrap(), id.unwrap(), &resource, AT);
    }
    directory
}

/// What is known of a patient of these resources.
fn assigned(resources: &[Value]) -> Assigned {
    let day = |text: &str| engine_patient::system::date_time::DateTime::parse(text).unwrap();
    let period = (
        day("2020-01-01").earliest(&UTC),
        day("2020-12-31").latest(&UTC),
    );
    let directory = Arc::new(directory());
    let reader = Reader::of(Arc::clone(&directory), &KINDS, period);
    let mut assigned = Assigned::of(directory, &KINDS);
    for resource in resources {
        let said = match resource["resourceType"] == "Patient" {
            true => Some(reader.patient(resource)),
            false => reader.encounter(resource),
        };
        if let Some(said) = said {
            assigned.add("p".to_owned(), said);
        }
    }
    assigned
}

/// Who a patient of these resources is attributed to: by what, name and reference.
fn of(kind: Attribution, resources: &[Value]) -> Vec<String> {
    let assigned = assigned(resources);
    let (means, places) = assigned.places(kind, "p");
    let mut all: Vec<String> = places
        .into_iter()
        .map(|id| {
            let place = assigned.place(id);
            let means = match means {
                Means::Patient => "patient",
                _ => "visits",
            };
            format!("{means}: {} = {}", place.name, place.reference)
        })
        .collect();
    all.sort();
    all
}

fn encounter(day: &str, more: Value) -> Value {
    let mut encounter = json!({"resourceType": "Encounter", "status": "finished",
        "period": {"start": day}});
    let fields = encounter.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    encounter
}

fn at(organization: &str, day: &str) -> Value {
    encounter(day, json!({"serviceProvider": {"reference": organization}}))
}

#[test]
fn the_patient_resource_comes_first() {
    let visits = [
        at("Organization/b", "2020-05-01"),
        at("Organization/b", "2020-06-01"),
    ];
    let with = |patient: Value| {
        let mut all = visits.to_vec();
        all.push(patient);
        all
    };
    let managed = json!({"resourceType": "Patient",
        "managingOrganization": {"reference": "Organization/a"}});
    assert_eq!(
        of(Organization, &with(managed)),
        ["patient: Alpha = Organization/a"]
    );
    let general = json!({"resourceType": "Patient", "generalPractitioner": [
        {"reference": "Organization/a"}, {"reference": "PractitionerRole/r"},
        {"reference": "Practitioner/y"}]});
    let general = with(general);
    assert_eq!(
        of(Organization, &general),
        ["patient: Alpha = Organization/a"]
    );
    // A role is who has it.
    assert_eq!(
        of(Practitioner, &general),
        ["patient: Xu, Li = Practitioner/x"]
    );
    let none = with(json!({"resourceType": "Patient"}));
    assert_eq!(of(Organization, &none), ["visits: Beta = Organization/b"]);
    assert!(of(Practitioner, &none).is_empty());
}

#[test]
fn most_visits_then_the_latest_then_the_reference() {
    let (a, b) = ("Organization/a", "Organization/b");
    let alpha = ["visits: Alpha = Organization/a"];
    let beta = ["visits: Beta = Organization/b"];
    // Most, although another was later.
    let most = [
        at(a, "2020-01-02"),
        at(a, "2020-01-03"),
        at(b, "2020-12-01"),
    ];
    assert_eq!(of(Organization, &most), alpha);
    // Visits outside of the period do not count.
    let outside = [
        at(a, "2019-01-02"),
        at(a, "2021-01-01"),
        at(b, "2020-12-31"),
    ];
    assert_eq!(of(Organization, &outside), beta);
    assert_eq!(
        of(Organization, &[at(a, "2020-02-01"), at(b, "2020-03-01")]),
        beta
    );
    assert_eq!(
        of(Organization, &[at(b, "2020-02-01"), at(a, "2020-02-01")]),
        alpha
    );
    assert!(of(Organization, &[at(a, "2019-12-31")]).is_empty());
}

#[test]
fn visits_took_place_within_the_period() {
    let period = |start: &str, end: &str| json!({"period": {"start": start, "end": end}});
    let day = |text: &str| engine_patient::system::date_time::DateTime::parse(text).unwrap();
    let overlaps = |encounter: &Value, zone: &Zone| {
        let year = (
            day("2020-01-01").earliest(zone),
            day("2020-12-31").latest(zone),
        );
        match visit(encounter, zone) {
            Visit::TookPlace(span) => span.overlaps(year),
            _ => false,
        }
    };
    let within = |encounter: &Value| overlaps(encounter, &UTC);
    let stay = encounter("", period("2019-12-30", "2020-01-02"));
    assert!(within(&stay));
    assert!(!within(&encounter(
        "",
        period("2019-12-30", "2019-12-31T23:59:59Z")
    )));
    // By the clock of the zone.
    let night = encounter("", period("2020-01-01T02:00:00Z", "2020-01-01T03:00:00Z"));
    assert!(within(&night));
    assert!(!overlaps(&night, &Zone::parse("-05:00").unwrap()));
    // One that has ended was when it began; one that goes on still is.
    assert!(!within(&encounter("2019-06-01", json!({}))));
    assert!(within(&encounter(
        "2019-06-01",
        json!({"status": "in-progress"})
    )));
    for (status, expected) in [
        ("planned", Visit::No),
        ("cancelled", Visit::No),
        ("entered-in-error", Visit::No),
        ("unknown", Visit::Unclear),
        ("odd", Visit::Unclear),
    ] {
        let encounter = encounter("2020-05-01", json!({"status": status}));
        assert_eq!(visit(&encounter, &UTC), expected, "{status}");
    }
    for period in [json!({}), json!({"start": "soon"}), json!(null)] {
        let encounter = encounter("", json!({"period": period}));
        assert_eq!(visit(&encounter, &UTC), Visit::Undated);
    }
}

#[test]
fn who_saw_the_patient() {
    let participant = |code: Option<&str>, id: &str| {
        let mut all = json!({"individual": {"reference": format!("Practitioner/{id}")}});
        if let Some(code) = code {
            all["type"] = json!([{"coding": [{"code": code}]}]);
        }
        all
    };
    let seen_by = |participants: Vec<Value>| {
        let encounter = encounter("2020-01-01", json!({"participant": participants}));
        let references = references(Practitioner, &encounter);
        let all: Vec<String> = references
            .0
            .iter()
            .map(|(r, _)| r["reference"].to_string())
            .collect();
        all.join(" ")
            .replace(['"'], "")
            .replace("Practitioner/", "")
    };
    assert_eq!(
        seen_by(vec![participant(None, "a"), participant(None, "b")]),
        "a b"
    );
    let attended = vec![participant(None, "a"), participant(Some("ATND"), "b")];
    assert_eq!(seen_by(attended.clone()), "b");
    let performed = [attended, vec![participant(Some("PPRF"), "c")]].concat();
    assert_eq!(seen_by(performed), "c");
    assert_eq!(seen_by(vec![participant(Some("REF"), "a")]), "");
    // A relative is no practitioner.
    let relative = encounter(
        "2020-01-01",
        json!({"participant": [
        {"individual": {"reference": "RelatedPerson/m"}}]}),
    );
    assert!(of(Practitioner, &[relative]).is_empty());
}

#[test]
fn every_reference_leads_somewhere() {
    let provider = |reference: Value, more: Value| {
        let mut encounter = encounter("2020-05-01", json!({"serviceProvider": reference}));
        encounter
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        of(Organization, &[encounter]).join("")
    };
    let alone = |reference: Value| provider(reference, json!({}));
    let alpha = "visits: Alpha = Organization/a";
    assert_eq!(
        alone(json!({"reference": "Organization/a/_history/3"})),
        alpha
    );
    assert_eq!(
        alone(json!({"reference": "Organization?identifier=urn:npi|1"})),
        alpha
    );
    assert_eq!(
        alone(json!({"identifier": {"system": "urn:npi", "value": "1"}})),
        alpha
    );
    // What the lake does not have is under its display, or under what it is called by.
    assert_eq!(
        alone(json!({"identifier": {"system": "urn:npi", "value": "2"}})),
        "visits: urn:npi|2 = urn:npi|2"
    );
    assert_eq!(
        alone(json!({"reference": "Organization/z", "display": "Zeta"})),
        "visits: Zeta = Organization/z"
    );
    assert_eq!(
        alone(json!({"reference": "urn:uuid:1", "display": "One"})),
        "visits: One = urn:uuid:1"
    );
    assert_eq!(
        alone(json!({"reference": "https://else.org/fhir/Organization/a"})),
        "visits: https://else.org/fhir/Organization/a = https://else.org/fhir/Organization/a"
    );
    assert_eq!(
        alone(json!({"display": "Words"})),
        "visits: Words = display: Words"
    );
    assert_eq!(alone(json!({})), "");
    let contained = |organization: Value| {
        provider(
            json!({"reference": "#o"}),
            json!({"contained": [organization]}),
        )
    };
    assert_eq!(
        contained(json!({"resourceType": "Organization", "id": "o", "name": "Inner"})),
        "visits: Inner = display: Inner"
    );
    assert_eq!(
        contained(json!({"resourceType": "Organization", "id": "o",
        "identifier": [{"system": "urn:npi", "value": "1"}]})),
        alpha
    );
    // A reference that leads to something else is none.
    assert_eq!(alone(json!({"reference": "Practitioner/x"})), "");
}

#[test]
fn locations_are_all_that_were_visited() {
    let visit = |ids: &[&str], day: &str| {
        let all: Vec<Value> = ids
            .iter()
            .map(|id| json!({"location": {"reference": format!("Location/{id}")}}))
            .collect();
        encounter(day, json!({"location": all}))
    };
    let visits = [
        visit(&["l", "m", "l"], "2020-01-01"),
        visit(&["n"], "2019-01-01"),
    ];
    assert_eq!(
        of(Location, &visits),
        [
            "visits: Location/m = Location/m",
            "visits: Ward = Location/l"
        ]
    );
}

#[test]
fn planned_and_reserved_locations_are_not_being_there() {
    let at = |id: &str, status: Option<&str>| {
        let mut all = json!({"location": {"reference": format!("Location/{id}")}});
        if let Some(status) = status {
            all["status"] = json!(status);
        }
        all
    };
    let all = [
        at("l", None),
        at("m", Some("planned")),
        at("n", Some("reserved")),
        at("o", Some("completed")),
        at("q", Some("active")),
    ];
    let visit = [encounter("2020-01-01", json!({"location": all}))];
    assert_eq!(
        of(Location, &visit),
        [
            "visits: Location/o = Location/o",
            "visits: Location/q = Location/q",
            "visits: Ward = Location/l",
        ]
    );
    let unused = assigned(&visit).unused(Location);
    assert_eq!(unused.absent, 2);
}

/// `generalPractitioner` may be an organization, a participant a relative: what does not say its type is
/// neither.
#[test]
fn what_does_not_say_its_type_is_not_taken_for_it() {
    let general =
        |references: Value| json!({"resourceType": "Patient", "generalPractitioner": references});
    let seen = |individual: Value| {
        let more = json!({"participant": [{"individual": individual}],
            "serviceProvider": {"reference": "Organization/b"}});
        encounter("2020-05-01", more)
    };
    let doctor = seen(json!({"reference": "Practitioner/y"}));
    let untyped = [
        json!({"display": "Dr. Jane Smith"}),
        json!({"reference": "urn:uuid:1", "display": "Dr. Jane Smith"}),
        json!({"identifier": {"system": "urn:npi", "value": "unknown"}}),
    ];
    for reference in &untyped {
        // The next, and visits.
        let next = general(json!([reference, {"reference": "Practitioner/x"}]));
        let both = [next, doctor.clone()];
        assert_eq!(
            of(Practitioner, &both),
            ["patient: Xu, Li = Practitioner/x"]
        );
        let only = [general(json!([reference])), doctor.clone()];
        assert_eq!(of(Practitioner, &only), ["visits: Dr. Y = Practitioner/y"]);
        assert_eq!(of(Organization, &only), ["visits: Beta = Organization/b"]);
        let known = assigned(&only);
        assert_eq!(known.unused(Organization).untyped, 1);
        assert_eq!(known.unused(Practitioner).untyped, 1);
        assert_eq!(known.unused(Location), Unused::default());
        // Nor is the mother of a patient a practitioner.
        assert!(of(Practitioner, &[seen(reference.clone())]).is_empty());
    }
    // The type may stand beside it, or with the identifier in the lake.
    let declared = json!({"type": "Practitioner", "display": "Dr. Jane Smith"});
    assert_eq!(
        of(Practitioner, &[general(json!([declared]))]),
        ["patient: Dr. Jane Smith = display: Dr. Jane Smith"]
    );
    let by_identifier =
        json!({"identifier": {"system": "urn:npi", "value": "7"}, "display": "Seven"});
    for resource in [general(json!([by_identifier])), seen(by_identifier.clone())] {
        let found = of(Practitioner, &[resource]).join("");
        assert!(found.ends_with(": Seven = Practitioner/npi"), "{found}");
    }
    assert_eq!(
        of(
            Organization,
            &[general(
                json!([{"identifier": {"system": "urn:npi", "value": "1"}}])
            )]
        ),
        ["patient: Alpha = Organization/a"]
    );
}

#[test]
fn what_leads_to_itself_is_followed_once() {
    let seen = |reference: &str, contained: Value| {
        let more = json!({"participant": [{"individual": {"reference": reference, "display": "D"}}],
            "contained": contained});
        of(Practitioner, &[encounter("2020-05-01", more)]).join("")
    };
    let none = json!([]);
    assert_eq!(
        seen("Practitioner/self", none.clone()),
        "visits: Self = Practitioner/self"
    );
    assert_eq!(
        seen("PractitionerRole/self", none),
        "visits: D = PractitionerRole/self"
    );
    for ty in ["Practitioner", "PractitionerRole"] {
        let inner =
            json!([{"resourceType": ty, "id": "itself", "practitioner": {"reference": "#itself"}}]);
        assert_eq!(seen("#itself", inner), "visits: D = display: D", "{ty}");
    }
}

#[test]
fn the_last_visit_does_not_depend_on_order() {
    let day = |text: &str| encounter(text, json!({}));
    let starts = [
        "2020-05",
        "2020-05-01",
        "2020-05-01T00:00:00Z",
        "2020-05-01T02:00:00+02:00",
        "2019-05-01",
    ];
    let mut all: Vec<Value> = starts.iter().map(|s| day(s)).collect();
    for _ in 0..all.len() {
        all.rotate_left(1);
        let last = assigned(&all).last_visit("p", &UTC);
        assert_eq!(last.as_deref(), Some("2020-05-01"));
    }
    // A month and the first of its days.
    for both in [["2020-05", "2020-05-01"], ["2020-05-01", "2020-05"]] {
        let last = assigned(&both.map(day)).last_visit("p", &UTC);
        assert_eq!(last.as_deref(), Some("2020-05-01"));
    }
}
