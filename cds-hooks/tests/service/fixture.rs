//! A small care gap, the request it fires on, and a way to call it.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use cds_hooks::{CardContent, CardService, Config, Indicator, Log, Outcome, Source, router};
use engine_patient::context::EvaluationContext;
use engine_patient::program::EvaluationError;
use engine_patient::record::PatientRecord;
use engine_patient::requirements::DataRequirement;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::duration::years_between;
use engine_patient::terminology::{Code, ValueSet};
use serde_json::{Value, json};
use tower::ServiceExt;

/// A1c overdue: has diabetes and no A1c. `card_when_unknown` is what an author can choose.
pub struct Gap {
    pub id: &'static str,
    pub card_when_unknown: bool,
    requirements: Vec<DataRequirement>,
}

impl Gap {
    pub fn new(id: &'static str, card_when_unknown: bool) -> Self {
        let set = |name: &str, codes: Vec<Code>| {
            Arc::new(ValueSet::from_codes(
                &format!("http://x.org/ValueSet/{name}"),
                None,
                codes,
                "test",
            ))
        };
        let diabetes =
            (0..40).map(|n| Code::new("http://hl7.org/fhir/sid/icd-10-cm", &format!("E11.{n}")));
        let a1c = ["4548-4", "17856-6"].map(|code| Code::new("http://loinc.org", code));
        let requirements = vec![
            DataRequirement::of_type("Patient").unwrap(),
            DataRequirement::coded("Condition", set("diabetes", diabetes.collect())).unwrap(),
            DataRequirement::coded("Observation", set("hba1c-lab", a1c.to_vec())).unwrap(),
        ];
        Gap {
            id,
            card_when_unknown,
            requirements,
        }
    }

    fn content(&self, summary: &str) -> CardContent {
        let label = "ADA: Standards of Care (2025, grade A)".to_owned();
        let url = Some("https://diabetesjournals.org/care".to_owned());
        CardContent::text(
            Indicator::Warning,
            summary,
            "",
            Source {
                label,
                url,
                topic: None,
            },
        )
    }
}

impl CardService for Gap {
    fn id(&self) -> &str {
        self.id
    }

    fn title(&self) -> &str {
        "A1c overdue"
    }

    fn description(&self) -> &str {
        "Adults with diabetes and no A1c."
    }

    fn requirements(&self) -> &[DataRequirement] {
        &self.requirements
    }

    fn decide(&self, record: &PatientRecord, context: &EvaluationContext) -> Outcome {
        let unknown = |what: &str| Outcome::Unknown {
            reason: Some(format!("{what} is not available")),
            cards: match self.card_when_unknown {
                true => vec![
                    self.content("Could not check for an A1c.")
                        .could_not_check(),
                ],
                false => vec![],
            },
        };
        let [patient, diabetes, a1c] = &self.requirements[..] else {
            panic!()
        };
        let Ok(patients) = patient.retrieve(record) else {
            return unknown("Patient");
        };
        let born = patients.first().and_then(|p| p.get_str("birthDate"));
        let born = born.and_then(|text| DateTime::parse(&text));
        match born.map(|b| years_between(b, context.at).0) {
            None => return unknown("Patient.birthDate"),
            Some(age) if age < 18 => return Outcome::Cards(vec![]),
            _ => {}
        }
        match diabetes.retrieve(record) {
            Ok(found)
                if found
                    .iter()
                    .any(|c| c.get_str("id").as_deref() == Some("fails")) =>
            {
                return Outcome::Failed(EvaluationError::Bug("a bug of ours at `x`".into()));
            }
            Err(_) => return unknown("Condition"),
            Ok(found) if found.is_empty() => return Outcome::Cards(vec![]),
            Ok(found)
                if found
                    .iter()
                    .any(|c| c.get_str("id").as_deref() == Some("panics")) =>
            {
                panic!("Jane Doe has {} conditions", found.len())
            }
            Ok(_) => {}
        }
        match a1c.retrieve(record) {
            Err(_) => unknown("Observation"),
            Ok(found) if found.is_empty() => Outcome::Cards(vec![self.content("A1c is overdue.")]),
            Ok(_) => Outcome::Cards(vec![]),
        }
    }
}

/// The two services of the tests: `a1c` says nothing when unknown, `a1c-or-say` shows a card.
pub fn services() -> Vec<Arc<dyn CardService>> {
    vec![
        Arc::new(Gap::new("a1c", false)),
        Arc::new(Gap::new("a1c-or-say", true)),
    ]
}

/// 15 June 2025, noon.
pub fn config() -> Config {
    Config::new(Arc::new(|| {
        DateTime::parse("2025-06-15T12:00:00Z").unwrap()
    }))
}

/// A config that keeps its log lines.
pub fn logging() -> (Config, Lines) {
    let written = Written::default();
    let log = Log::to(written.clone());
    let config = Config {
        log: Some(log.clone()),
        ..config()
    };
    (config, Lines { log, written })
}

/// What was logged.
pub struct Lines {
    log: Log,
    written: Written,
}

impl Lines {
    pub fn all(&self) -> Vec<String> {
        assert!(self.log.flush(Duration::from_secs(20)));
        let text = String::from_utf8(self.written.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub fn patient() -> Value {
    json!({"resourceType": "Patient", "id": "p1", "birthDate": "1960-02-03", "name": [{"family": "Doe"}]})
}

pub fn condition(id: &str, patient: &str) -> Value {
    json!({
        "resourceType": "Condition", "id": id,
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"}]},
        "subject": {"reference": format!("Patient/{patient}")},
    })
}

pub fn a1c(id: &str, patient: &str) -> Value {
    json!({
        "resourceType": "Observation", "id": id, "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
        "subject": {"reference": format!("Patient/{patient}")},
    })
}

pub fn bundle(resources: &[Value]) -> Value {
    let entry: Vec<Value> = resources.iter().map(|r| json!({"resource": r})).collect();
    json!({"resourceType": "Bundle", "type": "searchset", "entry": entry})
}

/// A valid request on which the gap fires: a woman with diabetes and no A1c.
pub fn request() -> Value {
    json!({
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/d1", "patientId": "p1"},
        "prefetch": {
            "patient": patient(),
            "condition": bundle(&[condition("c1", "p1")]),
            "observation-hba1c-lab": bundle(&[]),
        },
    })
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub fn cards(&self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()["cards"].as_array().unwrap().clone()
    }
}

pub async fn send(config: Config, request: Request<Body>) -> Answer {
    let response = router(config, services()).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    Answer {
        status: parts.status,
        text: said(parts.status, &text),
        headers: parts.headers,
    }
}

/// What an answer says: of a refusal the text in its OperationOutcome, with an end of line.
pub fn said(status: StatusCode, text: &str) -> String {
    if status.is_success() || text.is_empty() {
        return text.to_owned();
    }
    let outcome: Value = serde_json::from_str(text).unwrap();
    assert_eq!(outcome["resourceType"], "OperationOutcome", "{text}");
    let issue = &outcome["issue"][0];
    assert_eq!(issue["severity"], "error", "{text}");
    assert!(issue["code"].is_string(), "{text}");
    let diagnostics = issue["diagnostics"].as_str().unwrap_or_default();
    format!("{diagnostics}\n")
}

/// A request with these headers.
pub fn http(method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = headers
        .iter()
        .fold(request, |r, (name, value)| r.header(*name, *value));
    request.body(Body::from(body)).unwrap()
}

pub async fn get(path: &str) -> Answer {
    send(config(), http(Method::GET, path, &[], vec![])).await
}

pub async fn post_bytes(id: &str, body: Vec<u8>) -> Answer {
    let path = format!("/cds-services/{id}");
    let headers = [("content-type", "application/json")];
    send(config(), http(Method::POST, &path, &headers, body)).await
}

pub async fn post(id: &str, request: &Value) -> Answer {
    post_bytes(id, serde_json::to_vec(request).unwrap()).await
}
