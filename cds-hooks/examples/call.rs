//! What a call costs, without a network: CPU time of the thread that answers (Linux). A body of more than
//! 64 KiB is answered by another, which is not counted.
//!
//! ```text
//! cargo run --release -p cds-hooks --example call -- 50 2000
//! ```
//!
//! Calls the service `hba1c-control` with so many Observations, so many times; half of the Observations
//! refer to the patient by the URL of the server, as some EHRs do, where a third argument says so.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a tool for trials ends where it cannot go on"
)]

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
use cds_hooks::{Config, Templates, router, rule_services};
use engine_patient::system::date_time::DateTime;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

const SERVICE: &str = "hba1c-control";

fn observation(n: usize, urls: bool) -> Value {
    let patient = match urls && n.is_multiple_of(2) {
        true => "https://ehr.example.org/fhir/Patient/1",
        false => "Patient/1",
    };
    json!({"fullUrl": format!("https://ehr.example.org/fhir/Observation/o{n}"), "resource": {
        "resourceType": "Observation", "id": format!("o{n}"), "status": "final",
        "meta": {"versionId": "1", "lastUpdated": "2024-05-06T07:08:09.123Z"},
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4", "display": "Hemoglobin A1c"}], "text": "HbA1c"},
        "subject": {"reference": patient}, "encounter": {"reference": format!("Encounter/e{n}")},
        "effectiveDateTime": "2024-05-06T07:08:09Z", "issued": "2024-05-06T09:08:09.000Z",
        "valueQuantity": {"value": 7.5, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"},
    }})
}

fn body(resources: usize, urls: bool) -> Vec<u8> {
    let services = rule_services(rules::built_in().unwrap());
    let service = services.iter().find(|s| s.id() == SERVICE).unwrap();
    let templates = Templates::of_service(service.as_ref());
    let prefetch = templates.list.iter().map(|template| {
        let entries = match template.resource_type.as_str() {
            "Patient" => {
                let patient = json!({"resourceType": "Patient", "id": "1", "birthDate": "1960-01-02"});
                return (template.key.clone(), patient);
            }
            _ if template.is_sample => vec![],
            "Observation" => (0..resources).map(|n| observation(n, urls)).collect(),
            "Condition" => vec![json!({"resource": {
                "resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/1"},
                "clinicalStatus": {"coding": [{"code": "active"}]},
                "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"}]},
            }})],
            _ => vec![],
        };
        let bundle = json!({"resourceType": "Bundle", "type": "searchset", "entry": entries});
        (template.key.clone(), bundle)
    });
    let prefetch: serde_json::Map<String, Value> = prefetch.collect();
    let request = json!({
        "hook": "patient-view", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "fhirServer": "https://ehr.example.org/fhir",
        "context": {"userId": "Practitioner/1", "patientId": "1"}, "prefetch": prefetch,
    });
    serde_json::to_vec(&request).unwrap()
}

/// Nanoseconds that this thread has run.
fn cpu() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, usual| args.get(at).map_or(usual, |n| n.parse().unwrap());
    let (resources, calls) = (number(0, 50), number(1, 2000));
    let body = body(resources, args.len() > 2);
    let at = DateTime::parse("2024-12-31T12:00:00Z").unwrap();
    let config = Config::new(Arc::new(move || at));
    let router = router(config, rule_services(rules::built_in().unwrap()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let call = || {
        let request = Request::post(format!("/cds-services/{SERVICE}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(body.clone()))
            .unwrap();
        let response = runtime.block_on(router.clone().oneshot(request)).unwrap();
        let status = response.status();
        let answer = runtime.block_on(response.into_body().collect()).unwrap();
        (status, answer.to_bytes())
    };
    let (status, first) = call();
    for _ in 0..calls / 10 {
        call();
    }
    let start = cpu();
    for _ in 0..calls {
        assert!(call().1 == first, "another answer");
    }
    let each = (cpu() - start) / calls as u64;
    println!(
        "{resources} resources, {} bytes: {status}, {} bytes of answer, {:.1} µs CPU a call",
        body.len(),
        first.len(),
        each as f64 / 1e3,
    );
}
