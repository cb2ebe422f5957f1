//! Measures of packages as services: every call whose keys are answered as the templates ask is answered
//! with 200, for every patient of their decks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::http::Method;
use cds_hooks::{CardService, Config, measure_services, router, within_reach};
use engine_patient::system::date_time::DateTime;
use measures::prepared::Packages;
use serde_json::{Map, Value, json};
use tower::ServiceExt;

use crate::conformance;
use crate::fixture::{bundle, http, request};

/// Most patients of a deck that are called for: evaluation is not what is tested here.
const MOST: usize = 5;

/// All resources of a deck, by type.
struct Chart(BTreeMap<String, Vec<Value>>);

impl Chart {
    fn read(folder: &Path) -> Self {
        let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                let resource: Value = serde_json::from_str(line).unwrap();
                let ty = resource["resourceType"].as_str().unwrap().to_owned();
                all.entry(ty).or_default().push(resource);
            }
        }
        Chart(all)
    }

    fn of(&self, ty: &str) -> &[Value] {
        self.0.get(ty).map_or(&[], Vec::as_slice)
    }

    /// What an EHR answers to a template; codes are not looked at, so that more is found than was asked.
    fn search(&self, template: &str, patient: &str) -> Value {
        let (ty, query) = template.split_once('?').unwrap();
        let subject = json!({ "reference": format!("Patient/{patient}") });
        let theirs = |r: &&Value| {
            ["subject", "patient", "beneficiary"]
                .iter()
                .any(|link| r[link]["reference"] == subject["reference"])
        };
        let matches: Vec<Value> = self.of(ty).iter().filter(theirs).cloned().collect();
        let mut found = bundle(&matches);
        found["total"] = json!(matches.len());
        if query.contains("_include=") {
            let texts: Vec<String> = matches.iter().map(ToString::to_string).collect();
            for shared in ["Medication", "Location"] {
                for resource in self.of(shared) {
                    let id = resource["id"].as_str().unwrap();
                    let named = format!("\"{shared}/{id}\"");
                    if texts.iter().any(|text| text.contains(&named)) {
                        let entry = json!({"resource": resource, "search": {"mode": "include"}});
                        found["entry"].as_array_mut().unwrap().push(entry);
                    }
                }
            }
        }
        found
    }
}

/// Calls a service for a patient; `answer` gives what stands under a key.
async fn call(
    router: &Router,
    service: &Value,
    patient: &Value,
    answer: impl Fn(&str) -> Value,
) -> (u16, String) {
    let templates = service["prefetch"].as_object().unwrap();
    let prefetch = templates.iter().map(|(key, template)| {
        let template = template.as_str().unwrap();
        let value = match template.starts_with("Patient/") {
            true => patient.clone(),
            false => answer(template),
        };
        (key.clone(), value)
    });
    let mut request = request();
    request["context"]["patientId"] = patient["id"].clone();
    request["prefetch"] = Value::Object(prefetch.collect::<Map<_, _>>());
    let path = format!("/cds-services/{}", service["id"].as_str().unwrap());
    let headers = [("content-type", "application/json")];
    let body = serde_json::to_vec(&request).unwrap();
    let request = http(Method::POST, &path, &headers, body);
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

/// Every service of the packages in a folder, called for patients of its deck. Gives how many calls had
/// a card, by service.
async fn every_call_is_answered(root: &Path, year: i32) -> BTreeMap<String, usize> {
    let packages = Packages {
        paths: vec![root.to_owned()],
        allow_missing_value_sets: true,
        ..Packages::default()
    };
    let services: Vec<Arc<dyn CardService>> =
        measure_services(&packages, &[], &mut |_| {}).unwrap();
    let reach = within_reach(services);
    assert_eq!(reach.refused, [""; 0]);
    let at = format!("{year}-12-30T12:00:00Z");
    let clock = move || DateTime::parse(&at).unwrap();
    let router = router(Config::new(Arc::new(clock)), reach.served);
    let list = http(Method::GET, "/cds-services", &[], vec![]);
    let list = router.clone().oneshot(list).await.unwrap();
    let list = to_bytes(list.into_body(), usize::MAX).await.unwrap();
    let document: Value = serde_json::from_slice(&list).unwrap();
    conformance::discovery(&document);
    let mut cards = BTreeMap::new();
    for service in document["services"].as_array().unwrap() {
        let id = service["id"].as_str().unwrap();
        let mut with_card = 0;
        let mut check = |who: &str, (status, text): (u16, String)| {
            assert_eq!(status, 200, "{id} {who}: {text}");
            let body: Value = serde_json::from_str(&text).unwrap();
            conformance::response(&body);
            let shown = body["cards"].as_array().unwrap();
            with_card += shown.len();
            for card in shown {
                for_clinicians(card, year);
            }
        };
        let nobody = json!({"resourceType": "Patient", "id": "p1", "birthDate": "1960-01-01"});
        check(
            "empty",
            call(&router, service, &nobody, |_| bundle(&[])).await,
        );
        check(
            "null",
            call(&router, service, &nobody, |_| Value::Null).await,
        );
        let chart = Chart::read(&root.join(id).join("data"));
        // First of all whom something refers to a Medication for.
        let mut patients: Vec<&Value> = chart.of("Patient").iter().collect();
        let refers = |patient: &&Value| {
            let orders = chart.of("MedicationRequest").iter();
            let theirs = format!("Patient/{}", patient["id"].as_str().unwrap());
            let found = orders
                .filter(|o| o["subject"]["reference"] == theirs.as_str())
                .any(|o| o.get("medicationReference").is_some());
            !found
        };
        patients.sort_by_key(refers);
        for patient in patients.into_iter().take(MOST) {
            let who = patient["id"].as_str().unwrap();
            let answer = |template: &str| chart.search(template, who);
            check(who, call(&router, service, patient, answer).await);
        }
        cards.insert(id.to_owned(), with_card);
    }
    cards
}

/// A card says what is open, and nothing that only whoever built the package understands.
fn for_clinicians(card: &Value, year: i32) {
    let detail = card["detail"].as_str().unwrap();
    let summary = card["summary"].as_str().unwrap();
    let start = format!(
        "This patient counts in the measure for {year}, and the criterion of its numerator is "
    );
    // After the summary, where that was too long.
    assert!(detail.contains(&start), "{detail}");
    assert!(!summary.contains("Group_"), "{summary}");
    let label = card["source"]["label"].as_str().unwrap();
    for internal in ["improvement notation", "table of known", "://", "&amp;"] {
        assert!(
            !format!("{summary} {detail} {label}").contains(internal),
            "{card:#}"
        );
    }
    assert!(!summary.contains("FHIR"), "{summary}");
    let of = &card["extension"]["dev.tandem-cds.measure"];
    let canonical = of["canonical"].as_str().unwrap();
    assert!(canonical.contains("://") && canonical.contains('|'), "{of}");
    assert!(
        of["direction"]
            .as_str()
            .unwrap()
            .contains("score is better"),
        "{of}"
    );
}

/// A measure with an error gets a line, too: nobody has to miss its service.
#[test]
fn a_measure_with_errors_is_told_to_have_no_card() {
    let deck = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/decks/SystolicControl");
    let measure = std::fs::read_to_string(deck.join("measure.json")).unwrap();
    let mut broken: Value = serde_json::from_str(&measure).unwrap();
    for (member, value) in [
        ("id", "Broken"),
        ("name", "Broken"),
        ("url", "http://x.org/Measure/Broken"),
    ] {
        broken[member] = json!(value);
    }
    broken["library"] = json!(["http://x.org/Library/None"]);
    let folder = std::env::temp_dir().join(format!("tandem-broken-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("broken.json"), broken.to_string()).unwrap();
    let packages = Packages {
        paths: vec![deck.parent().unwrap().to_owned(), folder.clone()],
        ..Packages::default()
    };
    let mut told = vec![];
    let services = measure_services(&packages, &[], &mut |text| told.push(text.to_owned()));
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(services.unwrap().len(), 1);
    assert!(
        told.iter()
            .any(|line| line == "Broken: no card, since it has errors (see above)"),
        "{told:?}"
    );
    assert!(told[0].contains("a folder of their own"), "{}", told[0]);
}

#[tokio::test]
async fn decks_of_our_own() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/decks");
    let cards = every_call_is_answered(&root, 2026).await;
    let ids: Vec<&str> = cards.keys().map(String::as_str).collect();
    assert_eq!(ids, ["SystolicControl"]);
    assert!(cards["SystolicControl"] > 0, "{cards:?}");
}

/// 38 packages: 16 are proportions of patients. Seven of them read Medication, which belongs to nobody:
/// before it was asked for by `_include`, they answered 412 to up to a third of the calls.
#[tokio::test]
async fn official_packages() {
    let beside = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/conformance").to_owned();
    let root = PathBuf::from(std::env::var("TANDEM_CONFORMANCE").unwrap_or_else(|_| beside()));
    let root = root.join("ecqm");
    if !root.is_dir() {
        println!("skipped: there is no {}", root.display());
        return;
    }
    let cards = every_call_is_answered(&root, 2026).await;
    assert_eq!(cards.len(), 16, "{cards:?}");
    assert!(cards["CMS69FHIRPCSBMIScreenAndFollowUp"] > 0, "{cards:?}");
}
