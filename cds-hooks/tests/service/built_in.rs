//! The rules that come with Tandem, as services.

use std::sync::{Arc, LazyLock};

use axum::http::Method;
use cds_hooks::{CardService, router, rule_services};
use rules::{OnUnknown, Rule};
use serde_json::{Map, Value, json};
use tower::ServiceExt;

use crate::conformance;
use crate::fixture::{bundle, config, http, patient, request};

/// Those that are in use, as `serve` has them; only that the screening tells what could not be checked, where it
/// is silent as built in.
fn live() -> Vec<Arc<Rule>> {
    static RULES: LazyLock<Vec<Arc<Rule>>> = LazyLock::new(|| {
        let mut rules = rules::built_in().expect("the built-in rules load");
        let terminology = rules::built_in_terminology();
        let shared = rules::BuiltInShared::new(&terminology).expect("the library loads");
        let (file, text) = rules::built_in_file("colorectal-cancer-screening").unwrap();
        let text = text.replace("unknown: silent", "unknown: card");
        let telling = shared.beside(file, |beside| rules::load_with(file, &text, beside));
        let telling = Arc::new(telling.expect("it loads"));
        assert_eq!(telling.on_unknown, OnUnknown::Card);
        for rule in &mut rules {
            if rule.artifact.id == telling.artifact.id {
                *rule = Arc::clone(&telling);
            }
        }
        rules
    });
    let rules = RULES.iter().filter(|rule| rule.is_live());
    rules.cloned().collect()
}

fn services() -> Vec<Arc<dyn CardService>> {
    rule_services(live())
}

async fn exchange(method: Method, path: &str, body: &Value) -> Value {
    let headers = [("content-type", "application/json")];
    let request = http(method, path, &headers, serde_json::to_vec(body).unwrap());
    let mut config = config();
    config.limits.max_cards = 1000;
    let response = router(config, services()).oneshot(request).await.unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

async fn discovery() -> Vec<Value> {
    let document = exchange(Method::GET, "/cds-services", &Value::Null).await;
    conformance::discovery(&document);
    document["services"].as_array().unwrap().clone()
}

/// Calls every service of patient-view with `value` under each key but the patient's.
async fn call_all(patient: &Value, value: &Value) -> Vec<(String, Vec<Value>)> {
    call_some(patient, value, |_| true).await
}

/// Calls those whose rule is wanted.
async fn call_some(
    patient: &Value,
    value: &Value,
    wanted: impl Fn(&Rule) -> bool,
) -> Vec<(String, Vec<Value>)> {
    let (mut out, rules) = (vec![], live());
    for service in discovery().await {
        let rule = rules.iter().find(|rule| service["id"] == *rule.artifact.id);
        if service["hook"] != "patient-view" || !rule.is_some_and(|rule| wanted(rule)) {
            continue;
        }
        let keys = service["prefetch"].as_object().unwrap().keys();
        let prefetch = keys.map(|key| {
            let value = if key == "patient" { patient } else { value };
            (key.clone(), value.clone())
        });
        let mut request = request();
        request["prefetch"] = Value::Object(prefetch.collect::<Map<_, _>>());
        let id = service["id"].as_str().unwrap().to_owned();
        let answer = exchange(Method::POST, &format!("/cds-services/{id}"), &request).await;
        conformance::response(&answer);
        out.push((id, answer["cards"].as_array().unwrap().clone()));
    }
    out
}

#[tokio::test]
async fn each_rule_is_a_service_with_few_and_short_templates() {
    let services = discovery().await;
    let hooks: usize = live().iter().map(|rule| rule.hooks.len()).sum();
    assert_eq!(services.len(), hooks);
    assert!(services.len() >= 25);
    for service in services {
        let prefetch = service["prefetch"].as_object().unwrap();
        assert_eq!(
            prefetch["patient"], "Patient/{{context.patientId}}",
            "{service}"
        );
        // Each of four types by its codes, and a sample of each; medicines by two types.
        assert!(prefetch.len() <= 11, "{service:#}");
        assert!(
            prefetch.values().all(|q| q.as_str().unwrap().len() <= 1800),
            "{service:#}"
        );
    }
}

#[tokio::test]
async fn an_adult_never_screened_gets_the_cancer_screening_card() {
    for (id, cards) in call_all(&patient(), &bundle(&[])).await {
        match id.as_str() {
            "colorectal-cancer-screening" => {
                assert_eq!(cards.len(), 1);
                assert_eq!(cards[0]["summary"], "Colorectal cancer screening is due");
                let label = cards[0]["source"]["label"].as_str().unwrap();
                assert!(
                    label.starts_with("US Preventive Services Task Force: "),
                    "{label}"
                );
            }
            // A chart with nothing in it: what is due for everybody of the age.
            _ => assert!(cards.len() <= 1, "{id}"),
        }
    }
}

/// The reason is what is wrong with the data that was sent, not that none was.
#[tokio::test]
async fn the_reason_of_an_unknown_is_its_cause() {
    let id = "colorectal-cancer-screening";
    let service = discovery().await.into_iter().find(|s| s["id"] == id);
    let service = service.unwrap();
    let keys: Vec<&String> = service["prefetch"].as_object().unwrap().keys().collect();
    let key = keys
        .iter()
        .find(|k| k.starts_with("procedure") && !k.ends_with("-sample"));
    let key = key.unwrap().as_str();
    let mut cut_off = bundle(&[]);
    cut_off["link"] = json!([{"relation": "next", "url": "https://ehr.example/2"}]);
    let mut foreign = bundle(&[
        json!({"resourceType": "Procedure", "id": "x", "status": "completed",
        "subject": {"reference": "Patient/another"}}),
    ]);
    foreign["total"] = json!(1);
    let failed = json!({"resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "timeout"}]});
    for (sent, cause) in [
        (Some(cut_off), "has further pages that were not sent"),
        (Some(foreign), "entry[0] Procedure"),
        (Some(failed), "failed or was incomplete"),
        (None, "no Procedure data was given"),
    ] {
        let mut request = request();
        let all = keys.iter().map(|k| ((*k).clone(), Value::Null));
        let mut prefetch: Map<String, Value> = all.collect();
        prefetch.insert("patient".to_owned(), patient());
        match sent {
            Some(sent) => drop(prefetch.insert(key.to_owned(), sent)),
            None => drop(prefetch.remove(key)),
        }
        request["prefetch"] = Value::Object(prefetch);
        let answer = exchange(Method::POST, &format!("/cds-services/{id}"), &request).await;
        let why = &answer["cards"][0]["extension"]["dev.tandem-cds.could-not-check"];
        let reason = why["reason"].as_str().unwrap_or_else(|| panic!("{answer}"));
        assert!(reason.contains(cause), "{reason}");
        assert_eq!(
            reason.starts_with("not all Procedure data could be used: "),
            !cause.starts_with("no "),
            "{reason}"
        );
        let detail = answer["cards"][0]["detail"].as_str().unwrap();
        assert!(
            detail.contains("the procedures were not all received"),
            "{detail}"
        );
    }
}

/// The body that the read-me calls with.
#[tokio::test]
async fn the_call_of_the_read_me_has_its_card() {
    let body = serde_json::from_str(include_str!("../../examples/call.json")).unwrap();
    let path = "/cds-services/colorectal-cancer-screening";
    let answer = exchange(Method::POST, path, &body).await;
    conformance::response(&answer);
    assert_eq!(
        answer["cards"][0]["summary"],
        "Colorectal cancer screening is due"
    );
}

#[tokio::test]
async fn a_child_gets_no_card_even_where_everything_else_failed() {
    let mut child = patient();
    child["birthDate"] = json!("2020-01-01");
    let failed = json!({"resourceType": "OperationOutcome"});
    for (id, cards) in call_all(&child, &failed).await {
        assert_eq!(cards, [json!(null); 0], "{id}");
    }
}

#[tokio::test]
async fn what_could_not_be_checked_is_said_and_why() {
    let failed = json!({"resourceType": "OperationOutcome"});
    // Those that are silent then answer 412: tests of refusals.
    let all = call_some(&patient(), &failed, |rule| {
        rule.on_unknown == OnUnknown::Card
    })
    .await;
    for (id, cards) in &all {
        assert_eq!(cards.len(), 1, "{id}");
        assert_eq!(cards[0]["indicator"], "info");
        let detail = cards[0]["detail"].as_str().unwrap();
        assert!(
            detail.contains("failed or was incomplete"),
            "{id}: {detail}"
        );
    }
}

/// A Procedure of this patient in the hospital's own code system.
fn local_procedure() -> Value {
    json!({
        "resourceType": "Procedure", "id": "local", "status": "completed",
        "code": {"coding": [{"system": "https://hospital.example.org/procedures", "code": "4711"}]},
        "performedDateTime": "2023-05-01", "subject": {"reference": "Patient/p1"},
    })
}

/// The screening card with these values under keys, and empty results under the others.
async fn screening(patient: &Value, filled: &[(&str, &Value)]) -> Vec<Value> {
    let services = discovery().await;
    let service = services
        .iter()
        .find(|s| s["id"] == "colorectal-cancer-screening");
    let keys = service.unwrap()["prefetch"].as_object().unwrap().keys();
    let prefetch = keys.map(|key| {
        let found = filled.iter().find(|(k, _)| k == key);
        let value = found.map_or_else(|| bundle(&[]), |(_, value)| (*value).clone());
        (
            key.clone(),
            if key == "patient" {
                patient.clone()
            } else {
                value
            },
        )
    });
    let mut request = request();
    request["prefetch"] = Value::Object(prefetch.collect::<Map<_, _>>());
    let path = "/cds-services/colorectal-cancer-screening";
    let answer = exchange(Method::POST, path, &request).await;
    conformance::response(&answer);
    answer["cards"].as_array().unwrap().clone()
}

/// No false card: what the EHR codes in other systems is not "not done".
#[tokio::test]
async fn care_in_other_code_systems_could_not_be_checked() {
    let local = bundle(&[local_procedure()]);
    let mut paged = local.clone();
    paged["link"] = json!([{"relation": "next", "url": "x"}]);
    // Whether the search ignored the codes, or the sample shows it: also one of several pages.
    for (key, value) in [
        ("procedure-codes", &local),
        ("procedure-sample", &local),
        ("procedure-sample", &paged),
    ] {
        let cards = screening(&patient(), &[(key, value)]).await;
        assert_eq!(cards.len(), 1, "{key}");
        let summary = "Colorectal cancer screening could not be checked";
        assert_eq!(cards[0]["summary"], summary, "{key}");
        let detail = cards[0]["detail"].as_str().unwrap();
        // The system is the data's: shown, and no link on the card.
        assert!(!detail.contains("://"), "{detail}");
        let detail = detail.replace('\u{34f}', "");
        let why = "whether it is done: procedures are coded in another code system here; \
            the rule looks for codes of HCPCS";
        assert!(detail.contains(why), "{detail}");
        let reason = &cards[0]["extension"]["dev.tandem-cds.could-not-check"]["reason"];
        let technical = "Procedure.code is coded in https://hospital.example.org/procedures here";
        assert!(reason.as_str().unwrap().starts_with(technical), "{reason}");
    }
    // Of the systems of the sets, though not of the sets: known not to be done.
    let mut hcpcs = local_procedure();
    hcpcs["code"]["coding"][0]["system"] =
        json!("https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets");
    let hcpcs = bundle(&[hcpcs]);
    let failed = json!({"resourceType": "OperationOutcome"});
    for value in [&hcpcs, &failed, &Value::Null] {
        let cards = screening(&patient(), &[("procedure-sample", value)]).await;
        assert_eq!(cards[0]["summary"], "Colorectal cancer screening is due");
    }
    // Another patient's resource in a sample is as wrong as elsewhere.
    let mut other = local_procedure();
    other["subject"]["reference"] = json!("Patient/p2");
    let other = bundle(&[other]);
    let cards = screening(&patient(), &[("procedure-sample", &other)]).await;
    let detail = cards[0]["detail"].as_str().unwrap();
    assert!(
        detail.contains("- 1 entry was not used: of another patient, or of another system."),
        "{detail}"
    );
}

#[tokio::test]
async fn the_dead_get_no_card() {
    for (element, value, cards) in [
        ("deceasedBoolean", json!(true), 0),
        ("deceasedDateTime", json!("2025-06-14"), 0),
        ("deceasedBoolean", json!(false), 1),
        ("deceasedDateTime", json!("2025-06-16"), 1),
    ] {
        let mut patient = patient();
        patient[element] = value;
        let found = screening(&patient, &[]).await;
        assert_eq!(found.len(), cards, "{patient}");
    }
    // Which of the two it is cannot be told: said, not guessed.
    let mut unclear = patient();
    unclear["deceasedDateTime"] = json!("2025");
    let found = screening(&unclear, &[]).await;
    let detail = found[0]["detail"].as_str().unwrap();
    assert!(
        detail.contains("the date of death of the patient is too imprecise"),
        "{detail}"
    );
}

const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";

fn medication(id: &str, status: &str, code: &str) -> Value {
    json!({
        "resourceType": "MedicationRequest", "id": id, "status": status, "intent": "order",
        "subject": {"reference": "Patient/p1"}, "authoredOn": "2025-01-01",
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code}]},
    })
}

/// The cards of the interactions at order-sign.
async fn interactions(taken: &[Value], drafts: &[Value]) -> Vec<Value> {
    const ID: &str = "drug-drug-interactions-order-sign";
    let services = discovery().await;
    let service = services.iter().find(|s| s["id"] == ID).unwrap();
    let keys = service["prefetch"].as_object().unwrap().iter();
    let sent = keys.map(|(key, query)| {
        let query = query.as_str().unwrap();
        let value = match () {
            () if key == "patient" => patient(),
            () if query.starts_with("MedicationRequest") => bundle(taken),
            () => bundle(&[]),
        };
        (key.clone(), value)
    });
    let call = json!({
        "hook": "order-sign", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/d1", "patientId": "p1", "draftOrders": bundle(drafts)},
        "prefetch": sent.collect::<Map<_, _>>(),
    });
    let answer = exchange(Method::POST, &format!("/cds-services/{ID}"), &call).await;
    answer["cards"].as_array().unwrap().clone()
}

/// Every one of hundreds of drafts is checked, against what is taken and against each other.
#[tokio::test]
async fn hundreds_of_drafts_have_their_cards() {
    const IBUPROFEN: &str = "310965";
    const METFORMIN: &str = "6809";
    let taken = [medication("m", "active", "855332")];
    let draft = |n: usize| match n % 2 {
        0 => medication(&format!("d{n}"), "draft", IBUPROFEN),
        _ => medication(&format!("d{n}"), "draft", METFORMIN),
    };
    let drafts: Vec<Value> = (0..600).map(draft).collect();
    let cards = interactions(&taken, &drafts).await;
    let told = |card: &&Value| card["summary"].as_str().unwrap().contains("warfarin");
    assert_eq!(cards.iter().filter(told).count(), 300);
    assert_eq!(cards.len(), 300, "{:?}", cards.last());
}
