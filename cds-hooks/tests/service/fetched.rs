//! What is fetched beside the keys that were not sent: what should have come along, and the orders that a call
//! only names.

use std::sync::Arc;

use axum::http::Method;
use cds_hooks::{Indicator, Outcome, Service, rule_services};
use engine_patient::requirements::DataRequirement;
use serde_json::{Value, json};

use crate::fixture::{bundle, http};
use crate::parts::{Part, ask, call, card, routes, service, summaries};
use crate::seams::{fetching, open};

const DRUGS: &str =
    "MedicationRequest?patient={{context.patientId}}&_include=MedicationRequest:medication";

/// Counts the Medications.
fn medications() -> Vec<Service> {
    let of = |ty| DataRequirement::of_type(ty).unwrap();
    let counted = of("Medication");
    let part = Part::new("drugs", move |record, _| match counted.retrieve(record) {
        Ok(found) => {
            let said = format!("Medications: {}", found.len());
            Outcome::Cards(vec![card(Indicator::Info, &said)])
        }
        Err(_) => Outcome::Unknown {
            reason: None,
            cards: vec![],
        },
    });
    let part = Part {
        requirements: vec![of("MedicationRequest"), of("Medication")],
        ..part
    };
    vec![service("drugs", vec![part])]
}

fn order() -> Value {
    json!({"resourceType": "MedicationRequest", "id": "o1", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p1"}, "medicationReference": {"reference": "Medication/m1"}})
}

/// Checklist item 28: `_include` is beyond the recommended subset, so that some clients leave it out. What it
/// should have brought along is then fetched, and only then.
#[tokio::test]
async fn item_28_what_did_not_come_along_is_fetched() {
    let medication = json!({"resourceType": "Medication", "id": "m1"});
    let whole = bundle(&[order(), medication]);
    let (config, source) = fetching(vec![("medicationrequest", Ok(whole.clone()))]);
    let router = routes(config, medications());
    let with = |found: Value| open(json!({ "medicationrequest": found }));
    let answer = call(&router, "drugs", &with(bundle(&[order()]))).await;
    assert_eq!(summaries(&answer), ["Medications: 1"]);
    let asked = source.asked.lock().unwrap().remove(0);
    assert_eq!(asked["keys"], json!([["medicationrequest", DRUGS, null]]));
    for (sent, said) in [(whole, "Medications: 1"), (bundle(&[]), "Medications: 0")] {
        let answer = call(&router, "drugs", &with(sent)).await;
        assert_eq!(summaries(&answer), [said]);
        assert!(source.asked.lock().unwrap().is_empty());
    }
    // The FHIR server does not bring it along either: it stays unknown.
    let (config, source) = fetching(vec![("medicationrequest", Ok(bundle(&[order()])))]);
    let router = routes(config, medications());
    let answer = call(&router, "drugs", &with(bundle(&[order()]))).await;
    assert_eq!(answer.status, 412);
    let said = "did not come along by `_include=MedicationRequest:medication`";
    assert!(answer.text.contains(said), "{}", answer.text);
    assert_eq!(source.asked.lock().unwrap().len(), 1);
}

const URGENT: &str = r#"id: a-rule
version: 1.0.0
kind: alert
title: An urgent order
description: An urgent order is given to somebody.
rationale: A test.
hooks: [order-dispatch, order-sign]
source: {title: Label, publisher: FDA, year: 2024, url: "https://example.org/label", strength: label}
for_each: {order: draftOrders("ServiceRequest")}
when: order.priority == "stat"
unknown: card
card:
  indicator: info
  summary: An order is urgent
  detail: Look at it.
  unknown_summary: An order could not be checked
cases:
  - name: one
    at: 2025-06-15T12:00:00Z
    patient: {birthDate: 1960-01-01}
    drafts:
      - {resourceType: ServiceRequest, status: active, intent: order, priority: stat, subject: Patient/patient}
    expect: {applies: yes, cards: 1}
  - name: routine
    at: 2025-06-15T12:00:00Z
    patient: {birthDate: 1960-01-01}
    drafts:
      - {resourceType: ServiceRequest, status: active, intent: order, priority: routine, subject: Patient/patient}
    expect: {applies: no}
  - name: it does not say
    at: 2025-06-15T12:00:00Z
    patient: {birthDate: 1960-01-01}
    drafts:
      - {resourceType: ServiceRequest, status: active, intent: order, subject: Patient/patient}
    expect: {applies: unknown}
"#;

fn urgent() -> Vec<Service> {
    let rule = rules::load("a-rule.yaml", URGENT, &rules::built_in_terminology());
    let rule = rule.unwrap_or_else(|f| panic!("{}", engine_patient::finding::listed(&f)));
    let services = rule_services(vec![Arc::new(rule)]);
    services.into_iter().map(Service::of).collect()
}

/// At order-dispatch the context only names the orders: those of the types that rules look at are asked for, and
/// fetched where they were not sent. At hooks that bring their drafts along they are not.
#[tokio::test]
async fn dispatched_orders_are_asked_for_and_fetched() {
    let stored = |id: &str, priority: &str| {
        json!({"resourceType": "ServiceRequest", "id": id, "status": "active", "intent": "order",
            "priority": priority, "subject": {"reference": "Patient/p1"}})
    };
    let (config, source) = fetching(vec![("servicerequest", Ok(bundle(&[stored("1", "stat")])))]);
    let router = routes(config, urgent());
    let discovery = http(Method::GET, "/cds-services", &[], vec![]);
    let listed = ask(&router, discovery).await.json();
    let prefetch = |at: usize| listed["services"][at]["prefetch"].clone();
    let patient = "Patient/{{context.patientId}}";
    let orders = "ServiceRequest?patient={{context.patientId}}";
    assert_eq!(
        prefetch(0),
        json!({"patient": patient, "servicerequest": orders})
    );
    assert_eq!(prefetch(1), json!({ "patient": patient }));
    let dispatch = |keys: Value| {
        let mut call = open(keys);
        call["hook"] = json!("order-dispatch");
        call["context"] = json!({"patientId": "p1", "dispatchedOrders": ["ServiceRequest/1"],
            "performer": "Organization/2"});
        call
    };
    let answer = call(&router, "a-rule", &dispatch(json!({}))).await;
    assert_eq!(summaries(&answer), ["An order is urgent"]);
    let asked = source.asked.lock().unwrap().remove(0);
    assert_eq!(asked["keys"], json!([["servicerequest", orders, null]]));
    for (sent, said) in [
        (bundle(&[stored("1", "stat")]), Some("An order is urgent")),
        (bundle(&[stored("1", "routine")]), None),
        // Another one, or none at all: the order is not known.
        (
            bundle(&[stored("2", "stat")]),
            Some("An order could not be checked"),
        ),
        (json!(null), Some("An order could not be checked")),
    ] {
        let answer = call(
            &router,
            "a-rule",
            &dispatch(json!({"servicerequest": sent})),
        )
        .await;
        assert_eq!(summaries(&answer), said.into_iter().collect::<Vec<_>>());
        assert!(source.asked.lock().unwrap().is_empty());
    }
}
