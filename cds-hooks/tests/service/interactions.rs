//! The table of interactions against the pairs it was made from, by HTTP: every pair of a confirmed
//! interaction gives a card, whichever comes first, by ingredient and by product; pairs of drugs that do
//! not interact give none.
//!
//! The pairs stand in `knowledge/drug-interaction-pairs.csv` of `$TANDEM_SHARED` (by default `shared`
//! beside the repository); without them the tests say so and pass.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use cds_hooks::{CardService, router, rule_services};
use engine_patient::medication::is_local;
use engine_patient::record::PatientRecord;
use engine_patient::terminology::{DrugDictionary, DrugKind};
use rules::Rule;
use serde_json::{Map, Value, json};
use tower::ServiceExt;

use crate::fixture::{config, http, patient};

const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
const SERVICE: &str = "drug-drug-interactions-order-sign";

fn shared() -> Option<PathBuf> {
    let named = std::env::var_os("TANDEM_SHARED").map(PathBuf::from);
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared"));
    let folder = named.unwrap_or_else(beside).join("knowledge");
    let found = folder.join("drug-interaction-pairs.csv").is_file();
    if !found {
        println!("skipped: no {}", folder.display());
    }
    found.then_some(folder)
}

/// Pairs of ingredients by RxCUI, with the interactions they are of.
fn pairs(folder: &std::path::Path) -> BTreeMap<(String, String), Vec<String>> {
    let text = std::fs::read_to_string(folder.join("drug-interaction-pairs.csv")).unwrap();
    let mut found: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        // interaction_id,rxcui_a,name_a,rxcui_b,name_b,severity; a name with a comma stands in quotes.
        let mut cells = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(String::new()),
                _ => cells.last_mut().unwrap().push(c),
            }
        }
        let [interaction, a, _, b, ..] = &cells[..] else {
            panic!("{line}")
        };
        let pair = (a.clone(), b.clone());
        found.entry(pair).or_default().push(interaction.clone());
    }
    found
}

/// The first column of the table, which names its interactions.
fn confirmed() -> BTreeSet<String> {
    let table = include_str!("../../../rules/content/drug-safety/drug-drug-interactions.csv");
    let rows = table.lines().skip(1);
    rows.map(|row| row.split(',').next().unwrap().to_owned())
        .collect()
}

struct Service {
    router: Router,
    keys: Vec<(String, String)>,
}

impl Service {
    async fn start() -> Self {
        let rules = rules::built_in().unwrap_or_else(|_| panic!("the built-in rules do not load"));
        let family = |rule: &Arc<Rule>| rule.artifact.id.as_ref() == "drug-drug-interactions";
        let rules: Vec<Arc<Rule>> = rules.into_iter().filter(family).collect();
        assert_eq!(rules.len(), 1);
        let services: Vec<Arc<dyn CardService>> = rule_services(rules);
        let router = router(config(), services);
        let document = exchange(&router, Method::GET, "/cds-services", &Value::Null).await;
        let services = document["services"].as_array().unwrap();
        let service = services.iter().find(|s| s["id"] == SERVICE).unwrap();
        let templates = service["prefetch"].as_object().unwrap();
        let keys = templates
            .iter()
            .map(|(key, query)| (key.clone(), query.as_str().unwrap().to_owned()))
            .collect();
        Service { router, keys }
    }

    /// The indicators and summaries of the cards where one drug is ordered and the other taken.
    async fn cards(&self, ordered: &str, taken: &str) -> Vec<String> {
        let request = |id: &str, status: &str, code: &str| {
            json!({
                "resourceType": "MedicationRequest", "id": id, "status": status, "intent": "order",
                "subject": {"reference": "Patient/p1"}, "authoredOn": "2020-01-01",
                "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code}]},
            })
        };
        let bundle = |all: &[Value]| {
            let entries: Vec<Value> = all.iter().map(|r| json!({"resource": r})).collect();
            json!({"resourceType": "Bundle", "type": "searchset", "total": entries.len(), "entry": entries})
        };
        let prefetch: Map<String, Value> = self
            .keys
            .iter()
            .map(|(key, query)| {
                let value = match () {
                    () if query.starts_with("Patient/") => patient(),
                    () if query.starts_with("MedicationRequest") => {
                        bundle(&[request("taken", "active", taken)])
                    }
                    () => bundle(&[]),
                };
                (key.clone(), value)
            })
            .collect();
        let mut draft = request("ordered", "draft", ordered);
        draft.as_object_mut().unwrap().remove("authoredOn");
        let call = json!({
            "hook": "order-sign", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": {"userId": "Practitioner/d1", "patientId": "p1", "draftOrders": bundle(&[draft])},
            "prefetch": prefetch,
        });
        let path = format!("/cds-services/{SERVICE}");
        let answer = exchange(&self.router, Method::POST, &path, &call).await;
        let cards = answer["cards"].as_array().unwrap();
        let told = |card: &Value| {
            let text = |name: &str| card[name].as_str().unwrap().to_owned();
            format!("{}: {}", text("indicator"), text("summary"))
        };
        cards.iter().map(told).collect()
    }
}

async fn exchange(router: &Router, method: Method, path: &str, body: &Value) -> Value {
    let headers = [("content-type", "application/json")];
    let request = http(method, path, &headers, serde_json::to_vec(body).unwrap());
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX);
    let body = body.await.unwrap();
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

/// A product that has this substance and no other, and acts on the whole body, for each substance that
/// has one.
fn products(drugs: &DrugDictionary) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for product in drugs.all(DrugKind::Product) {
        if drugs.ingredients(product).len() == 1 && !acts_where_it_is_put(product, drugs) {
            for substance in drugs.substances(product) {
                let rxcui = substance.rxcui.to_string();
                found.entry(rxcui).or_insert_with(|| product.to_owned());
            }
        }
    }
    found
}

fn acts_where_it_is_put(product: &str, drugs: &DrugDictionary) -> bool {
    let request = json!({
        "resourceType": "MedicationRequest",
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": product}]},
    });
    let mut record = PatientRecord::new();
    record.push(&request.to_string()).unwrap();
    let request = record.resources().next().unwrap();
    is_local(request, &[], drugs).is_ok_and(|local| local)
}

#[tokio::test]
async fn every_pair_of_a_confirmed_interaction_gives_a_card() {
    let Some(folder) = shared() else { return };
    let (service, confirmed) = (Service::start().await, confirmed());
    let products = products(DrugDictionary::built_in().unwrap());
    let all = pairs(&folder);
    let wanted = all
        .iter()
        .filter(|(_, of)| of.iter().any(|i| confirmed.contains(i)));
    let (mut asked, mut by_product, mut missed) = (0, 0, vec![]);
    for ((a, b), _) in wanted {
        let mut forms = vec![(a.clone(), b.clone())];
        if let (Some(a), Some(b)) = (products.get(a), products.get(b)) {
            forms.push((a.clone(), b.clone()));
            by_product += 1;
        }
        asked += 1;
        for (a, b) in forms {
            for (ordered, taken) in [(&a, &b), (&b, &a)] {
                let cards = service.cards(ordered, taken).await;
                let one = matches!(&cards[..], [card] if !card.contains("could not be checked"));
                if !one {
                    missed.push(format!("{ordered} ordered, {taken} taken: {cards:?}"));
                }
            }
        }
    }
    println!("{asked} pairs, {by_product} of them by product as well; each in both orders");
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert!(asked > 3500 && by_product > 1500);
}

#[tokio::test]
async fn pairs_that_do_not_interact_give_no_card() {
    let Some(folder) = shared() else { return };
    let number = 10_000;
    let (service, all) = (Service::start().await, pairs(&folder));
    let drugs = DrugDictionary::built_in().unwrap();
    // Drugs that interact with something are the ones that could go wrong: half of each pair is one.
    let known: Vec<&String> = all
        .keys()
        .flat_map(|(a, b)| [a, b])
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let any = drugs.all(DrugKind::Ingredient);
    let interacts = |a: &str, b: &str| {
        all.contains_key(&(a.to_owned(), b.to_owned()))
            || all.contains_key(&(b.to_owned(), a.to_owned()))
    };
    let mut state = 20_261_129_u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let (mut asked, mut wrong) = (0, vec![]);
    while asked < number {
        let a = known[next(known.len())].as_str();
        let b = match asked % 2 {
            0 => known[next(known.len())].as_str(),
            _ => any[next(any.len())],
        };
        if a == b || interacts(a, b) {
            continue;
        }
        asked += 1;
        let (ordered, taken) = if asked % 3 == 0 { (b, a) } else { (a, b) };
        let cards = service.cards(ordered, taken).await;
        if !cards.is_empty() {
            wrong.push(format!("{ordered} ordered, {taken} taken: {cards:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
