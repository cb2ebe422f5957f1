//! A rule of a clinician at the hooks of orders, from its file to the card.

use std::sync::Arc;

use axum::http::Method;
use cds_hooks::{CardService, router, rule_services};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::conformance;
use crate::fixture::{bundle, config, http, logging, patient};

const ALERT: &str = r#"id: warfarin-with-amiodarone
version: 1.0.0
kind: alert
title: Warfarin with amiodarone
description: Warfarin is ordered for a patient who takes amiodarone.
rationale: Amiodarone slows down how warfarin is broken down.
hooks: [order-select, order-sign]
source: {title: Label, publisher: FDA, year: 2024, url: "https://example.org/label", strength: label}
for_each: {order: selections("MedicationRequest")}
define:
  partners: medications().filter(m, isDrug(m, "amiodarone"))
when: isDrug(order, "warfarin") && partners.size() > 0
cooldown: {days: 30}
unknown: card
card:
  indicator: warning
  summary: "{{ drugName(order) }} with {{ drugName(partners.first()) }}: bleeding"
  detail: Check the INR every week.
  unknown_summary: Interactions with warfarin could not be checked
  selection: at-most-one
  override_reasons:
    - {code: will-monitor, display: The INR will be checked}
  suggestions:
    - label: Remove the order
      recommended: true
      actions:
        - delete: order
          description: Remove the draft of {{ drugName(order) }}
    - label: Keep it as a plan
      actions:
        - update: order
          set: {intent: plan}
          description: Keep the order as a plan
    - label: Order an INR
      actions:
        - create: {resourceType: ServiceRequest, status: draft, intent: order, code: loinc|6301-6, subject: "{{ reference(patient) }}"}
          description: Order an INR
cases:
  - name: both
    at: 2025-06-15T12:00:00Z
    patient: {birthDate: 1960-01-01}
    resources:
      - {resourceType: MedicationRequest, status: active, intent: order, medication: rxnorm|833528, subject: Patient/patient}
    drafts:
      - {resourceType: MedicationRequest, status: draft, intent: order, medication: rxnorm|855332, subject: Patient/patient}
    expect: {applies: yes, cards: 1}
  - name: warfarin alone
    at: 2025-06-15T12:00:00Z
    patient: {birthDate: 1960-01-01}
    drafts:
      - {resourceType: MedicationRequest, status: draft, intent: order, medication: rxnorm|855332, subject: Patient/patient}
    expect: {applies: no}
  - name: no drug
    at: 2025-06-15T12:00:00Z
    patient: {birthDate: 1960-01-01}
    resources:
      - {resourceType: MedicationRequest, status: active, intent: order, medication: rxnorm|833528, subject: Patient/patient}
    drafts:
      - {resourceType: MedicationRequest, status: draft, intent: order, subject: Patient/patient}
    expect: {applies: unknown}
"#;

const AT_SELECT: &str = "warfarin-with-amiodarone";
const AT_SIGN: &str = "warfarin-with-amiodarone-order-sign";

fn services(text: &str) -> Vec<Arc<dyn CardService>> {
    let rule = rules::load(
        "warfarin-with-amiodarone.yaml",
        text,
        &rules::built_in_terminology(),
    );
    let rule = rule.unwrap_or_else(|found| panic!("{}", engine_patient::finding::listed(&found)));
    rule_services(vec![Arc::new(rule)])
}

async fn exchange(
    config: cds_hooks::Config,
    text: &str,
    method: Method,
    path: &str,
    body: &Value,
) -> Value {
    let headers = [("content-type", "application/json")];
    let request = http(method, path, &headers, serde_json::to_vec(body).unwrap());
    let response = router(config, services(text))
        .oneshot(request)
        .await
        .unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX);
    let body = body.await.unwrap();
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

fn order(id: &str, status: &str, code: &str) -> Value {
    json!({
        "resourceType": "MedicationRequest", "id": id, "status": status, "intent": "order",
        "subject": {"reference": "Patient/p1"}, "authoredOn": "2025-06-01",
        "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code}]},
        "dispenseRequest": {"quantity": {"value": 30.0}},
    })
}

/// A call with what the patient takes, and the drafts.
fn call(hook: &str, taken: &[Value], drafts: &[Value]) -> Value {
    let mut call = json!({
        "hook": hook, "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/d1", "patientId": "p1", "draftOrders": bundle(drafts)},
        "prefetch": {
            "patient": patient(), "medicationrequest": bundle(taken), "medicationstatement": bundle(&[]),
        },
    });
    if hook == "order-select" {
        let ids = drafts.iter().filter_map(|d| d["id"].as_str());
        call["context"]["selections"] = ids.map(|id| format!("MedicationRequest/{id}")).collect();
    }
    call
}

async fn cards(service: &str, call: &Value) -> Vec<Value> {
    let path = format!("/cds-services/{service}");
    let answer = exchange(config(), ALERT, Method::POST, &path, call).await;
    conformance::response(&answer);
    answer["cards"].as_array().unwrap().clone()
}

fn summaries(cards: &[Value]) -> Vec<&str> {
    cards
        .iter()
        .map(|c| c["summary"].as_str().unwrap())
        .collect()
}

const IS: &str =
    "warfarin sodium 5 MG Oral Tablet with amiodarone hydrochloride 200 MG Oral Tablet: bleeding";
const UNCLEAR: &str = "Interactions with warfarin could not be checked";
const AMIODARONE: &str = "833528";
const WARFARIN: &str = "855332";

#[tokio::test]
async fn a_service_for_each_hook() {
    let document = exchange(config(), ALERT, Method::GET, "/cds-services", &Value::Null).await;
    conformance::discovery(&document);
    let all = document["services"].as_array().unwrap();
    let of = |name: &str| {
        all.iter()
            .map(|s| s[name].as_str().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("id"), [AT_SELECT, AT_SIGN]);
    assert_eq!(of("hook"), ["order-select", "order-sign"]);
    // The patient's drugs with their Medication; drafts are in the context.
    for service in all {
        assert_eq!(
            service["prefetch"],
            json!({
                "patient": "Patient/{{context.patientId}}",
                "medicationrequest": "MedicationRequest?patient={{context.patientId}}&_include=MedicationRequest:medication",
                "medicationstatement": "MedicationStatement?patient={{context.patientId}}&_include=MedicationStatement:medication",
            })
        );
    }
}

#[tokio::test]
async fn the_card_before_it_is_signed() {
    let taken = [order("m1", "active", AMIODARONE)];
    for (service, hook) in [(AT_SELECT, "order-select"), (AT_SIGN, "order-sign")] {
        let drafts = [
            order("d1", "draft", WARFARIN),
            order("d2", "draft", "310965"),
        ];
        let cards = cards(service, &call(hook, &taken, &drafts)).await;
        assert_eq!(summaries(&cards), [IS], "{hook}");
        let card = &cards[0];
        assert_eq!(card["indicator"], "warning");
        let again = &card["extension"]["dev.tandem-cds.cooldown"]["days"];
        assert_eq!(*again, 30);
        assert_eq!(card["selectionBehavior"], "at-most-one");
        assert_eq!(card["overrideReasons"][0]["code"], "will-monitor");
        let action = |n: usize| card["suggestions"][n]["actions"][0].clone();
        assert_eq!(card["suggestions"][0]["isRecommended"], true);
        assert_eq!(action(0)["resourceId"], "MedicationRequest/d1");
        let plan = &action(1)["resource"];
        assert_eq!(
            (&plan["id"], &plan["intent"]),
            (&json!("d1"), &json!("plan"))
        );
        assert_eq!(
            plan["medicationCodeableConcept"],
            drafts[0]["medicationCodeableConcept"]
        );
        let inr = &action(2)["resource"];
        assert_eq!(inr["subject"]["reference"], "Patient/p1");
        assert_eq!(inr["code"]["coding"][0]["code"], "6301-6");
    }
    // Who does not take it, took it once, or orders another drug gets none.
    for (taken, drafts) in [
        (vec![], vec![order("d1", "draft", WARFARIN)]),
        (
            vec![order("m1", "stopped", AMIODARONE)],
            vec![order("d1", "draft", WARFARIN)],
        ),
        (taken.to_vec(), vec![order("d1", "draft", "310965")]),
        (taken.to_vec(), vec![]),
    ] {
        let found = cards(AT_SIGN, &call("order-sign", &taken, &drafts)).await;
        assert!(found.is_empty(), "{found:?}");
    }
}

/// A draft that is not finished is no reason to be silent, and none to refuse the call.
#[tokio::test]
async fn what_cannot_be_told_of_a_draft_is_said() {
    let taken = [order("m1", "active", AMIODARONE)];
    let without = |name: &str| {
        let mut draft = order("d1", "draft", WARFARIN);
        draft.as_object_mut().unwrap().remove(name);
        draft
    };
    let with = |concept: Value| {
        let mut draft = order("d1", "draft", WARFARIN);
        draft["medicationCodeableConcept"] = concept;
        draft
    };
    let other = {
        let mut draft = order("d1", "draft", WARFARIN);
        draft["subject"]["reference"] = json!("Patient/p2");
        draft
    };
    let contained = {
        let mut draft = without("medicationCodeableConcept");
        draft["contained"] = json!([{
            "resourceType": "Medication", "id": "m", "code": order("x", "draft", WARFARIN)["medicationCodeableConcept"],
        }]);
        draft["medicationReference"] = json!({"reference": "#m"});
        draft
    };
    let elsewhere = {
        let mut draft = without("medicationCodeableConcept");
        draft["medicationReference"] = json!({"reference": "Medication/none"});
        draft
    };
    for (draft, expected) in [
        (without("medicationCodeableConcept"), UNCLEAR),
        (with(json!({"coding": [{}]})), UNCLEAR),
        (with(json!({"text": "her blood thinner"})), UNCLEAR),
        // A name as RxNorm writes it says what it is.
        (
            with(json!({"text": "warfarin sodium 5 MG Oral Tablet"})),
            IS,
        ),
        (with(json!("warfarin")), UNCLEAR),
        (
            with(json!({"coding": [{"system": "http://local", "code": "7"}]})),
            UNCLEAR,
        ),
        (elsewhere, UNCLEAR),
        (other, UNCLEAR),
        (json!({"resourceType": "MedicationOrder"}), UNCLEAR),
        (without("status"), IS),
        (without("intent"), IS),
        (without("subject"), IS),
        (contained, IS),
    ] {
        let alone = call("order-sign", &taken, std::slice::from_ref(&draft));
        assert_eq!(
            summaries(&cards(AT_SIGN, &alone).await),
            [expected],
            "{draft}"
        );
        // Beside one that is whole, which is told in any case.
        let both = [order("z", "draft", WARFARIN), draft.clone()];
        let found = cards(AT_SIGN, &call("order-sign", &taken, &both)).await;
        assert_eq!(summaries(&found), [IS, expected], "{draft}");
    }
}

/// A Medication of its own, among the drafts or along with the prefetch.
#[tokio::test]
async fn a_medication_that_is_referred_to() {
    let medication = json!({
        "resourceType": "Medication", "id": "w", "code": order("x", "draft", WARFARIN)["medicationCodeableConcept"],
    });
    let mut draft = order("d1", "draft", WARFARIN);
    draft
        .as_object_mut()
        .unwrap()
        .remove("medicationCodeableConcept");
    draft["medicationReference"] = json!({"reference": "Medication/w"});
    let taken = order("m1", "active", AMIODARONE);
    let drafts = [draft.clone(), medication.clone()];
    let beside = call("order-sign", std::slice::from_ref(&taken), &drafts);
    assert_eq!(summaries(&cards(AT_SIGN, &beside).await), [IS]);
    let mut along = call("order-sign", &[taken], &[draft]);
    let entry = json!({"resource": medication, "search": {"mode": "include"}});
    along["prefetch"]["medicationrequest"]["entry"]
        .as_array_mut()
        .unwrap()
        .push(entry);
    assert_eq!(summaries(&cards(AT_SIGN, &along).await), [IS]);
}

/// What the patient takes was not sent: said on a card.
#[tokio::test]
async fn without_the_patients_drugs() {
    let mut call = call("order-sign", &[], &[order("d1", "draft", WARFARIN)]);
    call["prefetch"]
        .as_object_mut()
        .unwrap()
        .remove("medicationrequest");
    let found = cards(AT_SIGN, &call).await;
    assert_eq!(summaries(&found), [UNCLEAR]);
    let told = found[0]["extension"]["dev.tandem-cds.could-not-check"]["lacking"].to_string();
    assert!(told.contains("`medicationrequest` was not sent"), "{told}");
}

/// What is known to be taken is taken, whatever else came with it or did not: no card is lost to an entry
/// that cannot be used. Of what is not known to be taken nothing is said for certain.
#[tokio::test]
async fn what_is_known_holds_beside_what_is_not() {
    let taken = order("m1", "active", AMIODARONE);
    let others = {
        let mut other = order("m2", "active", "310965");
        other["subject"]["reference"] = json!("Patient/p2");
        other
    };
    let empty = {
        let mut empty = order("m2", "active", "310965");
        empty["medicationCodeableConcept"] = json!({"coding": []});
        empty
    };
    let failed = json!({"resourceType": "OperationOutcome", "issue": [
        {"severity": "error", "code": "exception"},
    ]});
    let with = |entry: Value| {
        move |bundle: &mut Value| {
            let entries = bundle["entry"].as_array_mut().unwrap();
            entries.push(entry.clone());
            bundle["total"] = json!(entries.len());
        }
    };
    type Spoil = Box<dyn Fn(&mut Value)>;
    let spoils: Vec<(&str, Spoil)> = vec![
        ("another's", Box::new(with(json!({"resource": others})))),
        ("empty code", Box::new(with(json!({"resource": empty})))),
        ("null", Box::new(with(json!({"resource": null})))),
        ("outcome", Box::new(with(json!({"resource": failed})))),
        (
            "next",
            Box::new(|b| b["link"] = json!([{"relation": "next", "url": "http://s/2"}])),
        ),
        ("total", Box::new(|b| b["total"] = json!(5))),
    ];
    let drafts = [order("d1", "draft", WARFARIN)];
    for (name, spoil) in spoils {
        let mut known = call("order-sign", std::slice::from_ref(&taken), &drafts);
        spoil(&mut known["prefetch"]["medicationrequest"]);
        let found = cards(AT_SIGN, &known).await;
        assert!(summaries(&found).contains(&IS), "{name}: {found:?}");
        let mut unknown = call("order-sign", &[order("m1", "active", "310965")], &drafts);
        spoil(&mut unknown["prefetch"]["medicationrequest"]);
        let found = cards(AT_SIGN, &unknown).await;
        assert_eq!(summaries(&found), [UNCLEAR], "{name}");
    }
    // What says that it lacks elements, or contradicts another, is not sure itself.
    let mut partial = call("order-sign", std::slice::from_ref(&taken), &drafts);
    let tag = json!({"tag": [{"code": "SUBSETTED"}]});
    partial["prefetch"]["medicationrequest"]["entry"][0]["resource"]["meta"] = tag;
    let twice = call(
        "order-sign",
        &[taken, order("m1", "stopped", AMIODARONE)],
        &drafts,
    );
    for call in [partial, twice] {
        assert_eq!(summaries(&cards(AT_SIGN, &call).await), [UNCLEAR]);
    }
}

#[tokio::test]
async fn on_trial_it_is_logged_and_not_shown() {
    let text = ALERT.replace("kind: alert\n", "kind: alert\nstatus: shadow\n");
    let (config, lines) = logging();
    let call = call(
        "order-sign",
        &[order("m1", "active", AMIODARONE)],
        &[order("d1", "draft", WARFARIN)],
    );
    let path = format!("/cds-services/{AT_SIGN}");
    let answer = exchange(config, &text, Method::POST, &path, &call).await;
    assert_eq!(answer, json!({"cards": []}));
    let line: Value = serde_json::from_str(&lines.all()[0]).unwrap();
    assert_eq!((&line["shadow"], &line["cards"]), (&json!(1), &json!(0)));
}
