//! What all rules cost for one patient, without a network: the time of the evaluation alone, and of a whole
//! call (the request read, its prefetch taken, the card written) through the router.
//!
//! ```text
//! cargo run --release -p cds-hooks --example call -- 50 300
//! ```
//!
//! The first number is how many resources the chart has, the second how many times everything is done, the
//! third, 2 where it is left out, how many drafts there are at the hooks of orders: of warfarin, metformin and
//! further drugs in turn, which meet the chart's drugs and each other.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::panic,
    reason = "a tool for trials ends where it cannot go on, and reads the clock"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
use cds_hooks::{CardService, Config, Hook, Outcome, Templates, router, rule_services};
use engine_patient::context::EvaluationContext;
use engine_patient::hook_call::HookCall;
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use http_body_util::BodyExt;
use serde_json::{Map, Value, json};
use tower::ServiceExt;

const AT: &str = "2024-12-31T12:00:00Z";
const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
const LOINC: &str = "http://loinc.org";

/// Drugs of the chart: amiodarone, aspirin, atorvastatin, lisinopril, ibuprofen, sertraline.
const DRUGS: [&str; 6] = ["833528", "243670", "617312", "314076", "310965", "312941"];

/// Results: code, value, unit.
const RESULTS: [(&str, f64, &str); 4] = [
    ("4548-4", 7.5, "%"),
    ("2160-0", 1.1, "mg/dL"),
    ("2823-3", 4.2, "mmol/L"),
    ("29463-7", 80.0, "kg"),
];

/// A chart of so many resources beside the patient.
fn chart(resources: usize) -> Vec<Value> {
    let coded = |system: &str, code: &str| json!({"coding": [{"system": system, "code": code}], "text": code});
    let of = |n: usize| {
        let subject = json!({"reference": "Patient/1"});
        let day = format!(
            "20{:02}-{:02}-{:02}T07:08:09Z",
            15 + n % 10,
            1 + n % 12,
            1 + n % 28
        );
        match n % 10 {
            0..=4 => {
                let (code, value, unit) = RESULTS[n % RESULTS.len()];
                json!({
                    "resourceType": "Observation", "id": format!("o{n}"), "status": "final", "subject": subject,
                    "meta": {"versionId": "1", "lastUpdated": "2024-05-06T07:08:09.123Z"},
                    "category": [coded("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory")],
                    "code": coded(LOINC, code), "effectiveDateTime": day, "issued": day,
                    "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
                })
            }
            5 => json!({
                "resourceType": "Condition", "id": format!("c{n}"), "subject": subject, "onsetDateTime": day,
                "clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"),
                "verificationStatus": coded("http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed"),
                "code": coded("http://hl7.org/fhir/sid/icd-10-cm", ["E11.9", "I10", "N18.31"][n / 10 % 3]),
            }),
            6 | 7 => json!({
                "resourceType": "MedicationRequest", "id": format!("m{n}"), "subject": subject, "intent": "order",
                "status": if n < 100 { "active" } else { "completed" }, "authoredOn": day,
                "medicationCodeableConcept": coded(RXNORM, DRUGS[n / 10 % DRUGS.len()]),
            }),
            8 => json!({
                "resourceType": "Encounter", "id": format!("e{n}"), "subject": subject, "status": "finished",
                "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
                "type": [coded("http://hl7.org/fhir/sid/ex", "visit")], "period": {"start": day, "end": day},
            }),
            _ => json!({
                "resourceType": "Immunization", "id": format!("i{n}"), "patient": subject, "status": "completed",
                "vaccineCode": coded("http://hl7.org/fhir/sid/cvx", "140"), "occurrenceDateTime": day,
            }),
        }
    };
    let patient =
        json!({"resourceType": "Patient", "id": "1", "gender": "male", "birthDate": "1960-01-02"});
    std::iter::once(patient)
        .chain((0..resources).map(of))
        .collect()
}

/// Drugs of drafts: warfarin, metformin, simvastatin, amlodipine, clarithromycin, fluconazole.
const DRAFTED: [&str; 6] = ["855332", "860975", "312961", "17767", "21212", "4450"];

fn drafts(count: usize) -> Vec<Value> {
    let draft = |n: usize| {
        let code = DRAFTED[n % DRAFTED.len()];
        json!({
            "resourceType": "MedicationRequest", "id": format!("draft-{n}"), "status": "draft", "intent": "order",
            "subject": {"reference": "Patient/1"}, "authoredOn": AT,
            "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code}]},
        })
    };
    (0..count).map(draft).collect()
}

/// The call of a service with what its templates ask for.
fn body(service: &dyn CardService, chart: &[Value], orders: &[Value]) -> Vec<u8> {
    let bundle = |resources: Vec<&Value>| {
        let entries: Vec<Value> = resources.iter().map(|r| json!({"resource": r})).collect();
        json!({"resourceType": "Bundle", "type": "searchset", "entry": entries})
    };
    let templates = Templates::of_service(service).list.into_iter();
    let prefetch: Map<String, Value> = templates
        .map(|template| {
            let of_type = |r: &&Value| r["resourceType"] == *template.resource_type.as_str();
            let found: Vec<&Value> = chart.iter().filter(of_type).collect();
            let answer = match template.is_read {
                true => found[0].clone(),
                false if template.is_sample => bundle(vec![]),
                false => bundle(found),
            };
            (template.key, answer)
        })
        .collect();
    let mut context = json!({"userId": "Practitioner/1", "patientId": "1"});
    for field in service.hook().context.iter().filter(|f| f.is_required) {
        match field.name {
            "draftOrders" => context["draftOrders"] = bundle(orders.iter().collect()),
            "selections" => {
                let ids: Vec<&Value> = orders.iter().map(|order| &order["id"]).collect();
                context["selections"] = json!(ids);
            }
            _ => {}
        }
    }
    let request = json!({
        "hook": service.hook().name, "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": context, "prefetch": prefetch,
    });
    serde_json::to_vec(&request).unwrap()
}

fn record(resources: &[Value]) -> PatientRecord {
    let mut record = PatientRecord::new();
    for resource in resources {
        record.push(&resource.to_string()).unwrap();
    }
    record.seal();
    record
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, usual| args.get(at).map_or(usual, |n| n.parse().unwrap());
    let (resources, calls) = (number(0, 50), number(1, 300));
    let (chart, orders) = (chart(resources), drafts(number(2, 2)));
    let started = Instant::now();
    let mut rules = rules::built_in().unwrap();
    rules.retain(|rule| rule.is_live());
    let services = rule_services(rules);
    println!(
        "loaded {} services in {:.0} ms",
        services.len(),
        started.elapsed().as_secs_f64() * 1e3
    );
    let at = DateTime::parse(AT).unwrap();

    let record = record(&chart);
    let contexts: Vec<EvaluationContext> = services
        .iter()
        .map(|service| {
            let mut call = HookCall {
                hook: service.hook().name.into(),
                ..HookCall::default()
            };
            if service.hook().drafts().is_some() {
                call.drafts = self::record(&orders);
            }
            EvaluationContext::at(at).with_call(Arc::new(call))
        })
        .collect();
    let (mut whole, mut each) = (vec![vec![]; Hook::ALL.len()], vec![vec![]; services.len()]);
    let mut cards = vec![0; services.len()];
    for _ in 0..calls {
        for (hook, whole) in Hook::ALL.iter().zip(&mut whole) {
            let all = Instant::now();
            for (n, service) in services.iter().enumerate() {
                if service.hook() != *hook {
                    continue;
                }
                let one = Instant::now();
                let outcome = service.decide(&record, &contexts[n]);
                each[n].push(one.elapsed());
                cards[n] = match outcome {
                    Outcome::Cards(cards) | Outcome::Unknown { cards, .. } => cards.len(),
                    Outcome::Failed(bug) => panic!("{bug}"),
                };
            }
            whole.push(all.elapsed());
        }
    }
    println!("{resources} resources, median of {calls}, all rules of a hook evaluated:");
    for (hook, whole) in Hook::ALL.iter().zip(whole) {
        let count = services.iter().filter(|s| s.hook() == *hook).count();
        println!("  {} ({count}): {:.0} µs", hook.name, median(whole));
    }

    let config = Config::new(Arc::new(move || at));
    let router = router(config, services.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    println!(
        "{:>12} {:>10} {:>9}  {:>5}  service",
        "evaluated µs", "called µs", "bytes", "cards"
    );
    for (n, service) in services.iter().enumerate() {
        let body = body(service.as_ref(), &chart, &orders);
        let mut times = vec![];
        for _ in 0..calls {
            let one = Instant::now();
            let request = Request::post(format!("/cds-services/{}", service.id()))
                .header(CONTENT_TYPE, "application/json")
                .body(Body::from(body.clone()))
                .unwrap();
            let response = runtime.block_on(router.clone().oneshot(request)).unwrap();
            let status = response.status();
            let answer = runtime
                .block_on(response.into_body().collect())
                .unwrap()
                .to_bytes();
            assert_eq!(
                status,
                200,
                "{}: {}",
                service.id(),
                String::from_utf8_lossy(&answer)
            );
            times.push(one.elapsed());
        }
        println!(
            "{:>12.0} {:>10.0} {:>9}  {:>5}  {} ({})",
            median(std::mem::take(&mut each[n])),
            median(times),
            body.len(),
            cards[n],
            service.id(),
            service.hook().name,
        );
    }
}
