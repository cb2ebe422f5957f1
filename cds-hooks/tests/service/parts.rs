//! Parts of services for tests: each looks for what it is told to, and says what it is told to.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use cds_hooks::{
    CardContent, CardService, Config, Hook, Indicator, Live, Outcome, PATIENT_VIEW, RuleName,
    Service, ServiceSet, Sets, Source, router_of_live,
};
use engine_patient::context::EvaluationContext;
use engine_patient::record::PatientRecord;
use engine_patient::requirements::DataRequirement;
use engine_patient::terminology::{Code, ValueSet};
use serde_json::Value;
use tower::ServiceExt;

use crate::fixture::{Answer, http, said};

type Decide = dyn Fn(&PatientRecord, &EvaluationContext) -> Outcome + Send + Sync;

/// A rule in a test.
pub struct Part {
    pub id: &'static str,
    pub hook: &'static Hook,
    pub requirements: Vec<DataRequirement>,
    pub is_shadow: bool,
    pub says_late: bool,
    pub decide: Box<Decide>,
}

impl CardService for Part {
    fn id(&self) -> &str {
        self.id
    }
    fn hook(&self) -> &'static Hook {
        self.hook
    }
    fn title(&self) -> &str {
        self.id
    }
    fn description(&self) -> &str {
        "a rule of a test"
    }
    fn requirements(&self) -> &[DataRequirement] {
        &self.requirements
    }
    fn is_shadow(&self) -> bool {
        self.is_shadow
    }
    fn rule(&self) -> RuleName {
        RuleName {
            id: self.id.to_owned(),
            version: "1.2.3".to_owned(),
            hash: "abc".to_owned(),
        }
    }
    fn late(&self) -> Option<CardContent> {
        let content = card(Indicator::Info, "Could not be checked in time.");
        self.says_late.then(|| content.could_not_check())
    }
    fn decide(&self, record: &PatientRecord, context: &EvaluationContext) -> Outcome {
        (self.decide)(record, context)
    }
}

impl Part {
    /// At patient-view, without needs.
    pub fn new(
        id: &'static str,
        decide: impl Fn(&PatientRecord, &EvaluationContext) -> Outcome + Send + Sync + 'static,
    ) -> Self {
        Part {
            id,
            hook: &PATIENT_VIEW,
            requirements: vec![],
            is_shadow: false,
            says_late: false,
            decide: Box::new(decide),
        }
    }

    /// Always says this.
    pub fn saying(id: &'static str, indicator: Indicator, summary: &'static str) -> Self {
        Part::new(id, move |_, _| {
            Outcome::Cards(vec![card(indicator, summary)])
        })
    }

    /// Says that there are none of what it needs, where it is known that there are none.
    pub fn none_of(id: &'static str, needs: DataRequirement) -> Self {
        let own = needs.clone();
        let part = Part::new(id, move |record, _| match own.retrieve(record) {
            Ok(found) if found.is_empty() => {
                let summary = format!("There is none of {}.", own.resource_type.as_str());
                Outcome::Cards(vec![card(Indicator::Warning, &summary)])
            }
            Ok(_) => Outcome::Cards(vec![]),
            Err(_) => Outcome::Unknown {
                reason: Some(format!("no {} data was given", own.resource_type.as_str())),
                cards: vec![],
            },
        });
        Part {
            requirements: vec![needs],
            ..part
        }
    }

    pub fn at(self, hook: &'static Hook) -> Self {
        Part { hook, ..self }
    }
}

pub fn card(indicator: Indicator, summary: &str) -> CardContent {
    let source = Source {
        label: "A guideline".to_owned(),
        url: None,
        topic: None,
    };
    CardContent::text(indicator, summary, "", source)
}

/// A value set of so many codes.
pub fn codes(name: &str, count: usize) -> Arc<ValueSet> {
    let code = |n| Code::new("http://loinc.org", &format!("{name}-{n}"));
    let url = format!("http://x.org/ValueSet/{name}");
    Arc::new(ValueSet::from_codes(
        &url,
        None,
        (0..count).map(code).collect(),
        "test",
    ))
}

/// A service of these parts, all at the hook of the first.
pub fn service(id: &str, parts: Vec<Part>) -> Service {
    Service {
        id: id.to_owned(),
        hook: parts[0].hook,
        title: "A set of rules".to_owned(),
        description: "Rules of a test.".to_owned(),
        parts: parts
            .into_iter()
            .map(|p| Arc::new(p) as Arc<dyn CardService>)
            .collect(),
    }
}

pub fn live(config: &Config, services: Vec<Service>) -> Live {
    Live::new(Sets::of(
        ServiceSet::new("set-1", services, config).unwrap(),
    ))
}

pub fn routes(config: Config, services: Vec<Service>) -> Router {
    let live = live(&config, services);
    router_of_live(config, live)
}

pub async fn ask(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status,
        text: said(parts.status, std::str::from_utf8(&bytes).unwrap()),
        headers: parts.headers,
    }
}

/// `POST`s JSON.
pub fn posted(path: &str, body: &Value) -> Request<Body> {
    let headers = [("content-type", "application/json")];
    http(
        Method::POST,
        path,
        &headers,
        serde_json::to_vec(body).unwrap(),
    )
}

/// Calls a service.
pub async fn call(router: &Router, id: &str, body: &Value) -> Answer {
    ask(router, posted(&format!("/cds-services/{id}"), body)).await
}

/// The summaries of the cards of an answer.
pub fn summaries(answer: &Answer) -> Vec<String> {
    let all = answer.cards().into_iter();
    all.map(|card| card["summary"].as_str().unwrap().to_owned())
        .collect()
}
