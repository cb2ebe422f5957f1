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
use engine_patient::terminology::{DrugDictionary, DrugKind, DrugSet};
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
        // interaction_id,rxcui_a,name_a,rxcui_b,name_b,severity
        let cells = cells(line);
        let [interaction, a, _, b, ..] = &cells[..] else {
            panic!("{line}")
        };
        let pair = (a.clone(), b.clone());
        found.entry(pair).or_default().push(interaction.clone());
    }
    found
}

/// The cells of a line of CSV; one with a comma stands in quotes.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            _ => cells.last_mut().unwrap().push(c),
        }
    }
    cells
}

/// The table: its interactions, with the drugs of both sides.
fn table() -> Vec<[String; 3]> {
    let table = include_str!("../../../rules/content/drug-safety/drug-drug-interactions.csv");
    let rows = table.lines().skip(1).map(cells);
    rows.map(|row| [row[0].clone(), row[3].clone(), row[4].clone()])
        .collect()
}

fn confirmed() -> BTreeSet<String> {
    table().into_iter().map(|[id, ..]| id).collect()
}

/// Of rows that the pairs do not know, which were read elsewhere: both sides.
fn read_elsewhere(drugs: &DrugDictionary, known: &BTreeSet<String>) -> Vec<[DrugSet; 2]> {
    let rows = table().into_iter().filter(|[id, ..]| !known.contains(id));
    let set = |cell: &str| drugs.set_of_cell(cell).unwrap();
    rows.map(|[_, a, b]| [set(&a), set(&b)]).collect()
}

struct Service {
    router: Router,
    id: String,
    hook: String,
    keys: Vec<(String, String)>,
}

fn request(id: &str, status: &str, medication: Value) -> Value {
    json!({
        "resourceType": "MedicationRequest", "id": id, "status": status, "intent": "order",
        "subject": {"reference": "Patient/p1"}, "authoredOn": "2020-01-01",
        "medicationCodeableConcept": medication,
    })
}

fn coded(code: &str) -> Value {
    json!({"coding": [{"system": RXNORM, "code": code}]})
}

impl Service {
    /// The interactions.
    async fn start() -> Self {
        let mut all = Self::of(|id| id == "drug-drug-interactions").await;
        let service = all.iter().position(|s| s.id == SERVICE).unwrap();
        all.swap_remove(service)
    }

    /// The services of these built-in rules.
    async fn of(wanted: fn(&str) -> bool) -> Vec<Self> {
        let rules = rules::built_in().unwrap_or_else(|_| panic!("the built-in rules do not load"));
        let rules = rules.into_iter();
        let rules: Vec<Arc<Rule>> = rules.filter(|rule| wanted(&rule.artifact.id)).collect();
        let services: Vec<Arc<dyn CardService>> = rule_services(rules);
        let router = router(config(), services);
        let document = exchange(&router, Method::GET, "/cds-services", &Value::Null).await;
        let services = document["services"].as_array().unwrap().iter();
        let services = services.map(|service| {
            let templates = service["prefetch"].as_object().unwrap().iter();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            Service {
                router: router.clone(),
                id: text(&service["id"]),
                hook: text(&service["hook"]),
                keys: templates
                    .map(|(key, query)| (key.clone(), text(query)))
                    .collect(),
            }
        });
        services.collect()
    }

    /// The indicators and summaries of the cards where one drug is ordered and the other taken.
    async fn cards(&self, ordered: &str, taken: &str) -> Vec<String> {
        let mut draft = request("ordered", "draft", coded(ordered));
        draft.as_object_mut().unwrap().remove("authoredOn");
        let answer = self
            .answer(&[draft], &[request("taken", "active", coded(taken))])
            .await;
        let told = |card: &Value| {
            let text = |name: &str| card[name].as_str().unwrap().to_owned();
            format!("{}: {}", text("indicator"), text("summary"))
        };
        answer.iter().map(told).collect()
    }

    /// The cards for drafts, all of them selected, beside what is taken.
    async fn answer(&self, drafts: &[Value], taken: &[Value]) -> Vec<Value> {
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
                    () if query.starts_with("MedicationRequest") => bundle(taken),
                    () => bundle(&[]),
                };
                (key.clone(), value)
            })
            .collect();
        let mut context =
            json!({"userId": "Practitioner/d1", "patientId": "p1", "draftOrders": bundle(drafts)});
        if self.hook == "order-select" {
            let ids = drafts.iter().map(|draft| draft["id"].as_str().unwrap());
            let ids = ids.map(|id| format!("MedicationRequest/{id}"));
            context["selections"] = ids.collect();
        }
        let call = json!({
            "hook": self.hook, "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": context, "prefetch": prefetch,
        });
        let path = format!("/cds-services/{}", self.id);
        let answer = exchange(&self.router, Method::POST, &path, &call).await;
        answer["cards"].as_array().unwrap().clone()
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
    let ids: BTreeSet<String> = all.values().flatten().cloned().collect();
    let elsewhere = read_elsewhere(drugs, &ids);
    assert!(elsewhere.len() > 5);
    let is_of = |set: &DrugSet, code: &str| {
        let made_of = drugs.substances_of(code).unwrap_or_default();
        set.holds(&made_of) == Some(true)
    };
    let interacts = |a: &str, b: &str| {
        all.contains_key(&(a.to_owned(), b.to_owned()))
            || all.contains_key(&(b.to_owned(), a.to_owned()))
            || elsewhere
                .iter()
                .any(|[x, y]| (is_of(x, a) && is_of(y, b)) || (is_of(x, b) && is_of(y, a)))
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

/// Families that look at pairs from both sides tell of each pair of drafts once.
#[tokio::test]
async fn a_pair_of_drafts_has_one_card() {
    let pair = |a: &str, b: &str| {
        let draft = |id, code: &str| request(id, "draft", coded(code));
        [draft("one", a), draft("two", b)]
    };
    let wanted = |id: &str| id == "duplicate-therapy" || id == "drug-drug-interactions";
    for service in Service::of(wanted).await {
        // Two SSRIs; warfarin and ibuprofen.
        let (a, b) = match service.id.starts_with("duplicate") {
            true => ("36437", "4493"),
            false => ("11289", "5640"),
        };
        for drafts in [pair(a, b), pair(b, a)] {
            let cards = service.answer(&drafts, &[]).await;
            assert_eq!(cards.len(), 1, "{}: {cards:#?}", service.id);
            let detail = cards[0]["detail"].as_str().unwrap();
            assert!(!detail.contains("Two SSRIs"), "as in the summary: {detail}");
        }
    }
}

/// What is not understood takes no work from what is: each order has its share.
#[tokio::test]
async fn an_order_has_its_card_beside_many_that_are_not_understood() {
    let service = Service::start().await;
    let taken = [request("taken", "active", coded("21212"))];
    let text = |n: usize| {
        request(
            &format!("t{n}"),
            "draft",
            json!({"text": format!("Remedy {n}")}),
        )
    };
    let coded_otherwise =
        |n: usize| json!({"coding": [{"system": "http://snomed.info/sct", "code": n.to_string()}]});
    let simvastatin = request("simvastatin", "draft", coded("36567"));
    for many in [60, 500] {
        let mut drafts: Vec<Value> = (0..many).map(text).collect();
        drafts.extend((0..10).map(|n| request(&format!("c{n}"), "draft", coded_otherwise(n))));
        for first in [true, false] {
            let mut drafts = drafts.clone();
            drafts.insert(if first { 0 } else { drafts.len() }, simvastatin.clone());
            let cards = service.answer(&drafts, &taken).await;
            let critical = cards.iter().filter(|card| card["indicator"] == "critical");
            assert_eq!(critical.count(), 1, "{many} {first}: {cards:#?}");
            let last = cards.last().unwrap()["detail"].as_str().unwrap();
            assert!(last.contains("Ordered, not recognised: Remedy 0"), "{last}");
            assert!(!last.contains("too much work"), "{last}");
        }
    }
}

/// A draft that is not understood has one card of all the rules for orders. It says which draft that is and what
/// was not checked, and which of the patient's medicines is not understood either.
#[tokio::test]
async fn an_order_that_is_not_understood_has_one_card_of_all_rules() {
    let text = |text: &str| json!({"text": text});
    let drafts = [request("one", "draft", text("blood thinner"))];
    let taken = [
        request("m1", "active", text("*white* tablets")),
        request("m2", "active", coded("35827")),
        request("m3", "unknown", coded("11289")),
    ];
    let mut told = vec![];
    let mut asked = 0;
    for service in Service::of(|_| true).await {
        if service.hook == "order-sign" {
            asked += 1;
            let cards = service.answer(&drafts, &taken).await;
            told.extend(cards.into_iter().map(|card| (service.id.clone(), card)));
        }
    }
    assert!(asked >= 9, "{asked}");
    let [(service, card)] = &told[..] else {
        panic!("{told:#?}")
    };
    assert_eq!(service, SERVICE);
    let detail = card["detail"].as_str().unwrap();
    for part in [
        "Ordered, not recognised: blood thinner.",
        "no interaction, allergy, duplicate, dose for the kidneys, pregnancy, QT or age",
        r"Taken, not recognised: \*white\* tablets (2020-01-01)",
        "Not clear whether it is taken: warfarin (2020-01-01)",
    ] {
        assert!(detail.contains(part), "{part}\n{detail}");
    }
}
