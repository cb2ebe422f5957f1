//! Resources that belong to no patient come along with what refers to them (`_include`).

use std::sync::Arc;

use axum::body::to_bytes;
use axum::http::Method;
use cds_hooks::{CardContent, CardService, Indicator, Outcome, Source, router, within_reach};
use engine_patient::context::EvaluationContext;
use engine_patient::record::PatientRecord;
use engine_patient::requirements::DataRequirement;
use engine_patient::terminology::{Code, ValueSet};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::conformance;
use crate::fixture::{Answer, bundle, config, http, patient, request};

const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";

/// Shows how many resources each of its requirements finds.
struct Finds {
    id: &'static str,
    says: bool,
    requirements: Vec<DataRequirement>,
}

impl CardService for Finds {
    fn id(&self) -> &str {
        self.id
    }

    fn title(&self) -> &str {
        "Finds"
    }

    fn description(&self) -> &str {
        "How many resources are found."
    }

    fn requirements(&self) -> &[DataRequirement] {
        &self.requirements
    }

    fn decide(&self, record: &PatientRecord, _: &EvaluationContext) -> Outcome {
        let content = |summary: &str| {
            let source = Source {
                label: "Test".to_owned(),
                url: None,
                topic: None,
            };
            CardContent::text(Indicator::Info, summary, "", source)
        };
        let found = self.requirements.iter().map(|r| r.retrieve(record));
        let counts: Result<Vec<String>, _> = found
            .map(|found| found.map(|all| all.len().to_string()))
            .collect();
        match counts {
            Ok(counts) => Outcome::Cards(vec![content(&counts.join(" "))]),
            Err(_) => Outcome::Unknown {
                reason: None,
                cards: match self.says {
                    true => vec![content("Could not be checked").could_not_check()],
                    false => vec![],
                },
            },
        }
    }
}

fn of_type(ty: &str) -> DataRequirement {
    DataRequirement::of_type(ty).unwrap()
}

fn statins() -> DataRequirement {
    let codes = vec![Code::new(RXNORM, "83367")];
    let set = ValueSet::from_codes("http://x.org/ValueSet/statins", None, codes, "test");
    DataRequirement::coded("MedicationRequest", Arc::new(set)).unwrap()
}

fn service(id: &'static str, requirements: Vec<DataRequirement>) -> Arc<dyn CardService> {
    Arc::new(Finds {
        id,
        says: id.ends_with("-say"),
        requirements,
    })
}

fn services() -> Vec<Arc<dyn CardService>> {
    let drugs = || vec![of_type("MedicationRequest"), of_type("Medication")];
    vec![
        service("statins", vec![statins()]),
        service("drugs", drugs()),
        service("drugs-say", drugs()),
        service("wards", vec![of_type("Encounter"), of_type("Location")]),
    ]
}

async fn exchange(method: Method, path: &str, body: &Value) -> Answer {
    let headers = [("content-type", "application/json")];
    let request = http(method, path, &headers, serde_json::to_vec(body).unwrap());
    let response = router(config(), services()).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: crate::fixture::said(parts.status, std::str::from_utf8(&bytes).unwrap()),
    }
}

async fn call(id: &str, key: &str, found: Value) -> Answer {
    let mut request = request();
    request["prefetch"] = json!({ "patient": patient() });
    request["prefetch"][key] = found;
    exchange(Method::POST, &format!("/cds-services/{id}"), &request).await
}

/// The summary of the one card.
async fn summary(id: &str, key: &str, found: Value) -> Value {
    let answer = call(id, key, found).await;
    let cards = answer.cards();
    conformance::response(&answer.json());
    assert_eq!(cards.len(), 1, "{}", answer.text);
    cards[0]["summary"].clone()
}

fn order(id: &str, medication: &str) -> Value {
    json!({
        "resourceType": "MedicationRequest", "id": id, "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "medicationReference": {"reference": medication},
    })
}

fn coded_order(id: &str) -> Value {
    let mut order = order(id, "");
    let members = order.as_object_mut().unwrap();
    members.remove("medicationReference");
    order["medicationCodeableConcept"] = json!({"coding": [{"system": RXNORM, "code": "83367"}]});
    order
}

/// An order that contains its medication.
fn within_order(id: &str) -> Value {
    let mut within = order(id, "#m");
    within["contained"] = json!([medication("m")]);
    within
}

fn medication(id: &str) -> Value {
    json!({"resourceType": "Medication", "id": id, "code": {"coding": [{"system": RXNORM, "code": "83367"}]}})
}

/// A searchset: matches, and what came along.
fn with_included(matches: &[Value], included: &[Value]) -> Value {
    let mut found = bundle(matches);
    found["total"] = json!(matches.len());
    let entries = found["entry"].as_array_mut().unwrap();
    for resource in included {
        entries.push(json!({"resource": resource, "search": {"mode": "include"}}));
    }
    found
}

#[tokio::test]
async fn templates_ask_for_what_comes_along() {
    let document = exchange(Method::GET, "/cds-services", &Value::Null).await;
    conformance::discovery(&document.json());
    let services = document.json()["services"].as_array().unwrap().clone();
    let prefetch = |id: &str| {
        let service = services.iter().find(|s| s["id"] == id);
        service.unwrap()["prefetch"].clone()
    };
    for id in ["statins", "drugs"] {
        assert_eq!(
            prefetch(id),
            json!({
                "patient": "Patient/{{context.patientId}}",
                "medicationrequest":
                    "MedicationRequest?patient={{context.patientId}}&_include=MedicationRequest:medication",
            })
        );
    }
    assert_eq!(
        prefetch("wards")["encounter"],
        "Encounter?patient={{context.patientId}}&_include=Encounter:location"
    );
}

#[tokio::test]
async fn what_came_along_is_read() {
    let orders = [order("r1", "Medication/m1"), coded_order("r2")];
    let whole = with_included(&orders, &[medication("m1")]);
    let key = "medicationrequest";
    assert_eq!(summary("statins", key, whole.clone()).await, "2");
    assert_eq!(summary("drugs", key, whole.clone()).await, "2 1");
    // Servers that do not say how an entry came, and those that count all of them.
    let mut plain = bundle(&[order("r1", "Medication/m1"), medication("m1")]);
    assert_eq!(summary("drugs", key, plain.clone()).await, "1 1");
    plain["total"] = json!(2);
    assert_eq!(summary("drugs", key, plain.clone()).await, "1 1");
    plain["total"] = json!(3);
    assert_eq!(call("drugs", key, plain).await.status, 412);
    // A Bundle of urns; a medication within the order.
    let urn = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0";
    let mut urns = with_included(&[order("r1", urn)], &[medication("m1")]);
    urns["entry"][1]["fullUrl"] = json!(urn);
    assert_eq!(summary("statins", key, urns).await, "1");
    let found = bundle(&[within_order("r1")]);
    assert_eq!(summary("statins", key, found).await, "1");
    let mut other = within_order("r2");
    assert_eq!(
        summary("drugs", key, bundle(&[within_order("r1"), other.clone()])).await,
        "2 2"
    );
    // One that is not there: nobody can tell what was ordered.
    other["medicationReference"]["reference"] = json!("#gone");
    let answer = call("drugs", key, bundle(&[other])).await;
    assert!(answer.cards().is_empty() && answer.text.contains(r#""why":"lacking""#));
    let mut broken = within_order("r1");
    broken["contained"][0]["code"] = json!([]);
    assert_eq!(call("drugs", key, bundle(&[broken])).await.status, 412);
    // A place within an element.
    let visit = json!({"resourceType": "Encounter", "id": "e1", "status": "finished",
        "class": {"code": "IMP"}, "subject": {"reference": "Patient/p1"},
        "location": [{"location": {"reference": "Location/icu"}}]});
    let icu = json!({"resourceType": "Location", "id": "icu"});
    let found = with_included(std::slice::from_ref(&visit), &[icu]);
    assert_eq!(summary("wards", "encounter", found).await, "1 1");
    assert_eq!(
        call("wards", "encounter", bundle(&[visit])).await.status,
        412
    );
}

/// With all keys answered as asked there is no 412.
#[tokio::test]
async fn who_has_no_references_needs_nothing_along() {
    let key = "medicationrequest";
    for found in [bundle(&[]), Value::Null] {
        assert_eq!(summary("statins", key, found.clone()).await, "0");
        assert_eq!(summary("drugs", key, found).await, "0 0");
    }
    let coded = bundle(&[coded_order("r1")]);
    assert_eq!(summary("drugs", key, coded).await, "1 0");
}

#[tokio::test]
async fn what_did_not_come_along_is_unknown_and_said() {
    let key = "medicationrequest";
    let ignored = bundle(&[order("r1", "Medication/m1")]);
    for id in ["statins", "drugs"] {
        let refused = call(id, key, ignored.clone()).await;
        assert_eq!(refused.status, 412, "{}", refused.text);
        let says = "`medicationrequest` refers to Medication resources that did not come along by \
            `_include=MedicationRequest:medication`, as if the search had been made without it";
        assert!(refused.text.contains(says), "{}", refused.text);
    }
    let cards = call("drugs-say", key, ignored).await.cards();
    let detail = cards[0]["detail"].as_str().unwrap();
    assert!(
        detail.starts_with(
            "- The medications that medication orders refer to were not all received from the EHR."
        ),
        "{detail}"
    );
    let lacking = &cards[0]["extension"]["dev.tandem-cds.could-not-check"]["lacking"][0];
    assert!(lacking.as_str().unwrap().contains("_include="), "{lacking}");
    // Some came: the chart does not have the other, which is no fault of the call.
    let orders = [order("r1", "Medication/m1"), order("r2", "Medication/gone")];
    let partly = with_included(&orders, &[medication("m1")]);
    for id in ["statins", "drugs"] {
        let answer = call(id, key, partly.clone()).await;
        assert!(answer.cards().is_empty());
        // Nobody takes it for "nothing to do".
        assert!(
            answer.text.contains(r#""why":"lacking""#),
            "{}",
            answer.text
        );
    }
    for reference in [
        "https://other.example/fhir/Medication/m1",
        "urn:uuid:5f3e6c1a-0b1d-4c58-9a52-6a1d2f0c9e11",
        "Medication?code=83367",
    ] {
        let elsewhere = bundle(&[order("r1", reference)]);
        assert_eq!(
            call("drugs", key, elsewhere).await.status,
            412,
            "{reference}"
        );
    }
    // An element that no search parameter follows.
    let mut carried = coded_order("r1");
    carried["supportingInformation"] = json!([{"reference": "Medication/m9"}]);
    let answer = call("drugs", key, bundle(&[carried])).await;
    assert!(answer.cards().is_empty() && answer.text.contains(r#""why":"lacking""#));
}

/// A service that would never have all its data is not served.
#[test]
fn what_cannot_come_along_is_out_of_reach() {
    let mut all = services();
    all.push(service(
        "places",
        vec![of_type("Condition"), of_type("Location")],
    ));
    all.push(service("catalogue", vec![of_type("ActivityDefinition")]));
    all.push(service("stock", vec![of_type("Medication")]));
    let reach = within_reach(all);
    let ids: Vec<&str> = reach.served.iter().map(|s| s.id()).collect();
    assert_eq!(ids, ["statins", "drugs", "drugs-say", "wards"]);
    assert_eq!(
        reach.refused,
        [
            "places: no service, since it needs what a client cannot prefetch: Location: it belongs to no patient, and no search parameter of what is asked for (Condition) refers to it, so that `_include` cannot bring it along",
            "catalogue: no service, since it needs what a client cannot prefetch: ActivityDefinition: FHIR R4 has no search parameter that finds those of a patient",
            "stock: no service, since it needs what a client cannot prefetch: Medication: it belongs to no patient, and nothing else is asked for that it could come along with",
        ]
    );
}

/// Of thousands of contained resources each is looked up, not looked for at each reference.
#[tokio::test]
async fn many_contained_ones_take_no_longer_than_they_are_long() {
    let contained: Vec<Value> = (0..40_000)
        .map(|n| json!({"resourceType": "Medication", "id": format!("m{n:05}")}))
        .collect();
    let last = json!({"reference": "#m39999"});
    let order = json!({"resourceType": "MedicationRequest", "id": "o", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p1"}, "contained": contained, "medicationReference": last,
        "supportingInformation": vec![last.clone(); 100_000]});
    let start = std::time::Instant::now();
    assert_eq!(
        summary("drugs", "medicationrequest", bundle(&[order])).await,
        "1 40000"
    );
    let took = start.elapsed();
    assert!(took < std::time::Duration::from_secs(8), "{took:?}");
}
