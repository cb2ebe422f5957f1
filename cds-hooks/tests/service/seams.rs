//! What stands around the protocol: who may call, where missing data comes from, what is recorded, what may
//! be seen.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::Method;
use axum::http::request::Parts;
use cds_hooks::seams::{
    Admission, BoxFuture, CallRecord, Caller, DataAsk, DataSource, Endpoint, FeedbackOutcome,
    FeedbackRecord, FeedbackTaken, Filter, FilterAsk, Filtered, KeyAnswer, KeyData, KeyFailure,
    KeySeen, KeyState, Knows, NotAdmitted, NotRecorded, Observer, Permission, Permissions,
    Recorder, RuleOutcome, Withheld,
};
use cds_hooks::{Config, Indicator, ServiceSet, Sets, router_of_live};
use engine_patient::fhir::names::Name;
use engine_patient::record::PatientRecord;
use engine_patient::requirements::DataRequirement;
use serde_json::{Value, json};

use crate::fixture::{bundle, condition, config, http, logging, request};
use crate::parts::{Part, ask, call, posted, routes, service, summaries};

/// Everyone, with what the client knows.
pub struct Known(pub Knows);

impl Admission for Known {
    fn admit<'a>(
        &'a self,
        _: &'a Parts,
        _: Endpoint<'a>,
        _: i64,
    ) -> BoxFuture<'a, Result<Caller, NotAdmitted>> {
        let caller = Caller {
            knows: self.0,
            ..Caller::anyone()
        };
        Box::pin(async move { Ok(caller) })
    }
}

/// By the name behind `Bearer`: `ehr`, `other`, `busy`; the time of the service is checked.
struct Named;

impl Admission for Named {
    fn admit<'a>(
        &'a self,
        head: &'a Parts,
        endpoint: Endpoint<'a>,
        at: i64,
    ) -> BoxFuture<'a, Result<Caller, NotAdmitted>> {
        Box::pin(async move {
            assert_eq!(at, 1_749_988_800);
            assert!(endpoint.path().starts_with("/cds-services"));
            let bearer = head.headers.get("authorization");
            let name = bearer.and_then(|b| b.to_str().ok()?.strip_prefix("Bearer "));
            let caller = |permissions, services: Option<&[&str]>, tenant: Option<&str>| Caller {
                client: name.map(Into::into),
                tenant: tenant.map(Into::into),
                subject: Some("subject-1".into()),
                permissions,
                services: services.map(|all| all.iter().map(|id| (*id).into()).collect()),
                ..Caller::default()
            };
            match name {
                Some("ehr") => Ok(caller(Permissions::of_ehr(), Some(&["a"]), None)),
                Some("reader") => Ok(caller(
                    Permissions::NONE.with(Permission::Audit),
                    None,
                    None,
                )),
                Some("north") => Ok(caller(Permissions::ALL, None, Some("north"))),
                Some("busy") => Err(NotAdmitted::Unavailable("no keys".into())),
                _ => Err(NotAdmitted::Unauthorized("the signature of jti x".into())),
            }
        })
    }
}

fn says(id: &'static str, summary: &'static str) -> cds_hooks::Service {
    service(id, vec![Part::saying(id, Indicator::Info, summary)])
}

/// Who is not let in learns the status and no more, before anything of the body is read (checklist items 75,
/// 82); who is let in sees what they may.
#[tokio::test]
async fn items_75_82_who_may_call_what() {
    let (mut config, lines) = logging();
    config.seams.admission = Arc::new(Named);
    config.allowed_origins = vec!["https://ehr.example".into()];
    let router = routes(config, vec![says("a", "A."), says("b", "B.")]);
    let to = |method: Method, path: &str, who: &str| {
        let bearer = format!("Bearer {who}");
        let headers = [
            ("content-type", "application/json"),
            ("authorization", &bearer),
        ];
        http(
            method,
            path,
            &headers,
            serde_json::to_vec(&request()).unwrap(),
        )
    };
    let post = Method::POST;
    for (method, path, who, status) in [
        (Method::GET, "/cds-services", "x", 401),
        (post.clone(), "/cds-services/a", "x", 401),
        (post.clone(), "/cds-services/none", "x", 401),
        (post.clone(), "/cds-services/a/feedback", "x", 401),
        (Method::GET, "/cds-services/a", "x", 401),
        (Method::GET, "/cds-services", "busy", 503),
        (Method::GET, "/cds-services", "reader", 403),
        (post.clone(), "/cds-services/a", "reader", 403),
        (post.clone(), "/cds-services/b", "ehr", 403),
        (post.clone(), "/cds-services/none", "ehr", 404),
        (Method::GET, "/cds-services/a", "ehr", 405),
        (Method::OPTIONS, "/cds-services/a", "x", 405),
        (post.clone(), "/cds-services/a", "ehr", 200),
        (Method::GET, "/health", "x", 200),
    ] {
        let answer = ask(&router, to(method, path, who)).await;
        assert_eq!(answer.status, status, "{path} {who}: {}", answer.text);
        if status == 401 {
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
            // Without a word of why (item 82).
            assert_eq!(answer.text.trim(), "");
        }
        assert!(!answer.text.contains("jti") && !answer.text.contains("no keys"));
    }
    let listed = ask(&router, to(Method::GET, "/cds-services", "ehr"))
        .await
        .json();
    assert_eq!(listed["services"].as_array().unwrap().len(), 1);
    assert!(
        ask(&router, to(post, "/cds-services/none", "ehr"))
            .await
            .text
            .ends_with("are: a\n")
    );
    let lines = lines.all().join("\n");
    assert!(
        lines.contains("the signature of jti x") && lines.contains(r#""client":"ehr""#),
        "{lines}"
    );
}

/// Checklist item 84: a preflight carries no token and needs none.
#[tokio::test]
async fn item_84_a_preflight_needs_no_token() {
    let mut config = config();
    config.seams.admission = Arc::new(Named);
    config.allowed_origins = vec!["https://ehr.example".into()];
    let router = routes(config, vec![says("a", "A.")]);
    let headers = [
        ("origin", "https://ehr.example"),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "authorization, content-type",
        ),
    ];
    let answer = ask(
        &router,
        http(Method::OPTIONS, "/cds-services/a", &headers, vec![]),
    )
    .await;
    assert_eq!(answer.status, 204);
    assert_eq!(
        answer.headers["access-control-allow-origin"],
        "https://ehr.example"
    );
    // The refusal is readable to the page, too.
    let origin = [
        ("origin", "https://ehr.example"),
        ("content-type", "application/json"),
    ];
    let answer = ask(
        &router,
        http(Method::POST, "/cds-services/a", &origin, b"{}".to_vec()),
    )
    .await;
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.headers["access-control-allow-origin"],
        "https://ehr.example"
    );
}

#[tokio::test]
async fn tenants_have_rules_of_their_own() {
    let mut config = config();
    config.seams.admission = Arc::new(Named);
    let set = |name, services| Arc::new(ServiceSet::new(name, services, &config).unwrap());
    let sets = Sets {
        default: set("all", vec![says("a", "Of all.")]),
        tenants: [(
            "north".into(),
            set("north", vec![says("a", "Of the north.")]),
        )]
        .into(),
    };
    let router = router_of_live(config.clone(), cds_hooks::Live::new(sets));
    for (who, said) in [("ehr", "Of all."), ("north", "Of the north.")] {
        let mut request = posted("/cds-services/a", &request());
        let bearer = format!("Bearer {who}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        assert_eq!(summaries(&ask(&router, request).await), [said]);
    }
}

/// What was asked of it, and what it answers.
#[derive(Default)]
pub struct Source {
    pub asked: Mutex<Vec<Value>>,
    answers: Vec<(&'static str, Result<Value, KeyFailure>)>,
    hangs: bool,
}

impl DataSource for Source {
    fn fetch<'a>(&'a self, ask: DataAsk<'a>) -> BoxFuture<'a, Vec<KeyAnswer>> {
        let asked = json!({
            "server": ask.server, "patient": ask.patient, "tokens": ask.tokens,
            "token": ask.authorization.map(|a| a.access_token.reveal()),
            "keys": ask.keys.iter().map(|k| json!([k.key, k.template, k.next])).collect::<Vec<_>>(),
        });
        assert!(!format!("{ask:?}").contains("t0k3n"));
        self.asked.lock().unwrap().push(asked);
        let answers = self.answers.iter().map(|(key, answer)| KeyAnswer {
            key: (*key).to_owned(),
            answer: answer.clone().map(|json| KeyData {
                json: json.to_string(),
                pages: 1,
                resources: 1,
            }),
        });
        let answers = answers.collect();
        let hangs = self.hangs;
        Box::pin(async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            answers
        })
    }
}

fn none_of(ty: &str) -> Part {
    let id = if ty == "Condition" {
        "problems"
    } else {
        "allergies"
    };
    Part::none_of(id, DataRequirement::of_type(ty).unwrap())
}

fn both() -> Vec<cds_hooks::Service> {
    vec![service(
        "both",
        vec![none_of("Condition"), none_of("AllergyIntolerance")],
    )]
}

pub fn fetching(answers: Vec<(&'static str, Result<Value, KeyFailure>)>) -> (Config, Arc<Source>) {
    let source = Arc::new(Source {
        answers,
        ..Source::default()
    });
    let mut config = config();
    config.seams.data = Some(source.clone());
    (config, source)
}

/// A call that lets the service fetch, with these keys.
pub fn open(keys: Value) -> Value {
    let mut call = request();
    let patient = call["prefetch"]["patient"].clone();
    call["prefetch"] = keys;
    if call["prefetch"].get("patient").is_none() {
        call["prefetch"]["patient"] = patient;
    }
    call["fhirServer"] = json!("https://ehr.example/fhir");
    call["fhirAuthorization"] = json!({"access_token": "t0k3n", "token_type": "Bearer", "expires_in": 300,
        "scope": "patient/*.rs", "subject": "tandem", "patient": "p1"});
    call["context"]["encounterId"] = json!("e1");
    call
}

/// Checklist items 31, 32, 43: what is absent is fetched; `null`, an empty Bundle and an OperationOutcome are
/// answers, and are not asked for again.
#[tokio::test]
async fn items_31_32_43_what_is_absent_is_fetched_and_nothing_else() {
    let found = bundle(&[]);
    let (config, source) = fetching(vec![("allergyintolerance", Ok(found))]);
    let router = routes(config, both());
    let answer = call(&router, "both", &open(json!({"condition": null}))).await;
    let said = [
        "There is none of Condition.",
        "There is none of AllergyIntolerance.",
    ];
    assert_eq!(summaries(&answer), said);
    let asked = source.asked.lock().unwrap().remove(0);
    assert_eq!(asked["server"], "https://ehr.example/fhir");
    assert_eq!(asked["token"], "t0k3n");
    assert_eq!(asked["patient"], "p1");
    let key = [
        "allergyintolerance",
        "AllergyIntolerance?patient={{context.patientId}}",
    ];
    assert_eq!(asked["keys"], json!([[key[0], key[1], null]]));
    // Checklist item 35: the tokens of 2.0 with their values.
    assert_eq!(
        asked["tokens"],
        json!([
            ["context.patientId", "p1"],
            ["context.encounterId", "e1"],
            ["context.userId", "Practitioner/d1"],
            ["userPractitionerId", "d1"],
        ])
    );
    let failed = json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]});
    for answered in [json!(null), bundle(&[]), failed] {
        let keys = json!({"condition": bundle(&[]), "allergyintolerance": answered});
        call(&router, "both", &open(keys)).await;
        assert!(source.asked.lock().unwrap().is_empty());
    }
    // Without a server there is nowhere to ask.
    let mut closed = open(json!({"condition": null}));
    let members = closed.as_object_mut().unwrap();
    members.remove("fhirServer");
    members.remove("fhirAuthorization");
    call(&router, "both", &closed).await;
    assert!(source.asked.lock().unwrap().is_empty());
}

/// What cannot be fetched stays unknown, with the reason: 412 where no rule can tell (checklist items 31, 48).
#[tokio::test]
async fn items_31_48_what_cannot_be_fetched_stays_unknown() {
    let (config, _) = fetching(vec![
        ("condition", Err(KeyFailure::Refused(403))),
        ("allergyintolerance", Err(KeyFailure::TimedOut)),
    ]);
    let answer = call(&routes(config, both()), "both", &open(json!({}))).await;
    assert_eq!(answer.status, 412);
    for said in [
        "`condition` was not sent, and could not be fetched: the FHIR server refused it (403)",
        "`allergyintolerance` was not sent, and could not be fetched: the FHIR server did not answer in time",
    ] {
        assert!(answer.text.contains(said), "{}", answer.text);
    }
    assert!(!answer.text.contains("t0k3n") && !answer.text.contains("ehr.example"));
    // What the source does not speak of was not answered.
    let (config, _) = fetching(vec![("condition", Ok(bundle(&[]))), ("x", Ok(json!(1)))]);
    let answer = call(&routes(config, both()), "both", &open(json!({}))).await;
    assert_eq!(summaries(&answer), ["There is none of Condition."]);
    assert!(
        answer.text.contains("did not answer in time"),
        "{}",
        answer.text
    );
}

/// A source that hangs holds up nothing beyond the deadline.
#[tokio::test]
async fn a_source_that_hangs_is_not_waited_for() {
    let source = Source {
        hangs: true,
        ..Source::default()
    };
    let mut config = config();
    config.limits.deadline = Some(std::time::Duration::from_millis(200));
    config.seams.data = Some(Arc::new(source));
    let answer = call(
        &routes(config, both()),
        "both",
        &open(json!({"condition": null})),
    )
    .await;
    assert_eq!(summaries(&answer), ["There is none of Condition."]);
    assert!(
        answer.text.contains("did not answer in time"),
        "{}",
        answer.text
    );
}

/// Checklist items 33, 42: what is fetched is checked as what is sent: further pages, another patient.
#[tokio::test]
async fn items_33_42_fetched_data_is_checked_as_what_is_sent() {
    let next = |url: &str| json!([{"relation": "next", "url": url}]);
    let mut first = bundle(&[condition("c1", "p2-is-not-here")]);
    first["entry"] = json!([]);
    first["link"] = next("https://ehr.example/fhir?page=2");
    let (config, source) = fetching(vec![("condition", Ok(bundle(&[condition("c2", "p1")])))]);
    let router = routes(config, both());
    let keys = json!({"condition": first, "allergyintolerance": null});
    let answer = call(&router, "both", &open(keys.clone())).await;
    // The second page has one: nobody says that there is none.
    assert_eq!(summaries(&answer), ["There is none of AllergyIntolerance."]);
    assert!(answer.json().get("extension").is_none(), "{}", answer.text);
    let asked = source.asked.lock().unwrap().remove(0);
    let template = "Condition?patient={{context.patientId}}";
    let page = "https://ehr.example/fhir?page=2";
    assert_eq!(asked["keys"], json!([["condition", template, page]]));
    // A page that has a next one again, and one that is another's: not known in full.
    let mut more = bundle(&[]);
    more["link"] = next("https://ehr.example/fhir?page=3");
    for found in [more, bundle(&[condition("c9", "p2")])] {
        let (config, _) = fetching(vec![("condition", Ok(found))]);
        let answer = call(&routes(config, both()), "both", &open(keys.clone())).await;
        assert_eq!(summaries(&answer), ["There is none of AllergyIntolerance."]);
        assert!(answer.text.contains("not-evaluated"), "{}", answer.text);
    }
    // The token is for another patient: refused before anything is asked.
    let (config, source) = fetching(vec![]);
    let mut others = open(json!({}));
    others["fhirAuthorization"]["patient"] = json!("p2");
    assert_eq!(
        call(&routes(config, both()), "both", &others).await.status,
        400
    );
    assert!(source.asked.lock().unwrap().is_empty());
}

/// Keeps what it is told; refuses where it is broken.
#[derive(Default)]
struct Kept {
    calls: Mutex<Vec<CallRecord>>,
    feedback: Mutex<Vec<FeedbackRecord>>,
    is_broken: bool,
    is_optional: bool,
    delay: Duration,
}

impl Recorder for Kept {
    fn call<'a>(&'a self, call: &'a CallRecord) -> BoxFuture<'a, Result<(), NotRecorded>> {
        Box::pin(async move {
            if self.is_broken {
                return Err(NotRecorded("the disk is full".into()));
            }
            if !self.delay.is_zero() {
                tokio::time::sleep(self.delay).await;
            }
            self.calls.lock().unwrap().push(call.clone());
            Ok(())
        })
    }

    fn feedback<'a>(
        &'a self,
        feedback: &'a FeedbackRecord,
    ) -> BoxFuture<'a, Result<FeedbackTaken, NotRecorded>> {
        Box::pin(async move {
            if self.is_broken {
                return Err(NotRecorded("the disk is full".into()));
            }
            self.feedback.lock().unwrap().push(feedback.clone());
            Ok(FeedbackTaken::default())
        })
    }

    fn is_required(&self) -> bool {
        !self.is_optional
    }

    fn wants_request(&self) -> bool {
        true
    }
}

#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl Observer for Seen {
    fn key(&self, key: &KeySeen<'_>) {
        let fetched = key.fetched.unwrap_or("-");
        let said = format!("{} {} {fetched}", key.key, key.state.as_str());
        self.0.lock().unwrap().push(said);
    }

    fn not_recorded(&self, reason: &str) {
        self.0.lock().unwrap().push(reason.to_owned());
    }
}

/// What was shown, by which rules, of what: before the answer goes out.
#[tokio::test]
async fn calls_are_recorded_with_rules_cards_and_what_they_rest_on() {
    let (mut config, source) = fetching(vec![("allergyintolerance", Ok(bundle(&[])))]);
    let (kept, seen) = (Arc::new(Kept::default()), Arc::new(Seen::default()));
    config.seams.recorder = Some(kept.clone());
    config.seams.observer = seen.clone();
    let on_trial = Part {
        is_shadow: true,
        ..Part::saying("new", Indicator::Warning, "On trial.")
    };
    let parts = vec![
        none_of("Condition"),
        none_of("AllergyIntolerance"),
        Part::saying(
            "again",
            Indicator::Warning,
            "There is none of AllergyIntolerance.",
        ),
        on_trial,
    ];
    let router = routes(config, vec![service("all", parts)]);
    let keys = json!({"condition": bundle(&[condition("c1", "p1")])});
    let answer = call(&router, "all", &open(keys)).await;
    let cards = answer.cards();
    assert_eq!(cards.len(), 1);
    let record = kept.calls.lock().unwrap().remove(0);
    assert_eq!(
        (record.service.as_str(), record.hook.as_str()),
        ("all", "patient-view")
    );
    assert_eq!((record.patient.as_str(), record.status), ("p1", 200));
    assert_eq!(record.user.as_deref(), Some("Practitioner/d1"));
    assert_eq!(record.configuration, "set-1");
    assert_eq!(record.time, 1_749_988_800_000);
    let rules: Vec<_> = record
        .rules
        .iter()
        .map(|r| (r.rule.as_str(), r.outcome, r.cards))
        .collect();
    assert_eq!(
        rules,
        [
            ("problems", RuleOutcome::Silent, 0),
            ("allergies", RuleOutcome::Fired, 1),
            ("again", RuleOutcome::Fired, 1),
            ("new", RuleOutcome::Fired, 1),
        ]
    );
    assert!(record.rules[3].is_shadow && record.rules[0].version == "1.2.3");
    assert_eq!(record.cards.len(), 2);
    assert_eq!(json!(record.cards[0].uuid), cards[0]["uuid"]);
    let of = |id: &str| (id.to_owned(), "1.2.3".to_owned());
    assert_eq!(record.cards[0].rules, [of("allergies"), of("again")]);
    assert!(record.cards[1].is_shadow && record.cards[1].summary == "On trial.");
    let request: Value = serde_json::from_slice(record.request.as_deref().unwrap()).unwrap();
    assert_eq!(request["context"]["patientId"], "p1");
    assert!(!format!("{record:?}").contains("t0k3n"));
    assert_eq!(
        record.fetched,
        [("allergyintolerance".to_owned(), bundle(&[]).to_string())]
    );
    assert_eq!(source.asked.lock().unwrap().len(), 1);
    // Per key: what the client did, and what was fetched in its place.
    let seen = seen.0.lock().unwrap().clone();
    let expected = [
        "patient honoured -",
        "condition honoured -",
        "allergyintolerance absent fetched",
    ];
    assert_eq!(seen, expected);
    assert_eq!(KeyState::Partial.as_str(), "partial");
}

#[tokio::test]
async fn what_a_card_rests_on_is_recorded() {
    let kept = Arc::new(Kept::default());
    let mut config = config();
    config.seams.recorder = Some(kept.clone());
    let rule = Part {
        requirements: vec![DataRequirement::of_type("Condition").unwrap()],
        ..Part::saying("sick", Indicator::Info, "Sick.")
    };
    let router = routes(config, vec![service("a", vec![rule])]);
    let mut call_of =
        open(json!({"condition": bundle(&[condition("c2", "p1"), condition("c1", "p1")])}));
    call_of["hookInstance"] = json!("00000000-dfbe-44ad-ba6d-3e05e953b2ea");
    call(&router, "a", &call_of).await;
    let record = kept.calls.lock().unwrap().remove(0);
    assert_eq!(record.cards[0].evidence, ["Condition/c1", "Condition/c2"]);
}

/// A recorded call says the same again, and shows each rule what it may see; also where only a part of a key
/// was sent and the rest fetched.
#[tokio::test]
async fn a_recorded_call_is_evaluated_anew() {
    let (mut config, _) = fetching(vec![("condition", Ok(bundle(&[condition("c2", "p1")])))]);
    let kept = Arc::new(Kept::default());
    config.seams.recorder = Some(kept.clone());
    let mut first = bundle(&[condition("c1", "p1")]);
    first["link"] = json!([{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]);
    let keys = json!({"condition": first, "allergyintolerance": null});
    let answer = call(&routes(config.clone(), both()), "both", &open(keys)).await;
    assert_eq!(answer.cards().len(), 1);
    let record = kept.calls.lock().unwrap().remove(0);
    let set = Arc::new(ServiceSet::new("again", both(), &config).unwrap());
    let mut seen = vec![];
    let replayed = cds_hooks::replay(&set, &record, Caller::anyone(), &config, &mut |asked| {
        let key = |id: &str| asked.keys.get(id).cloned().unwrap_or_default();
        seen.push((
            asked.part.id().to_owned(),
            asked.record.len(),
            key("Condition/c2"),
        ));
    });
    let replayed = replayed.unwrap();
    assert_eq!(replayed.status, 200);
    assert_eq!(replayed.cards, record.cards);
    let outcomes = |rules: &[cds_hooks::seams::RuleRecord]| -> Vec<_> {
        rules
            .iter()
            .map(|rule| (rule.rule.clone(), rule.outcome))
            .collect()
    };
    assert_eq!(outcomes(&replayed.rules), outcomes(&record.rules));
    let of = |id: &str| (id.to_owned(), 3, "condition".to_owned());
    assert_eq!(seen, [of("problems"), of("allergies")]);
    // With other rules it may say something else; without its request it says nothing.
    let other = Arc::new(ServiceSet::new("other", vec![says("both", "New.")], &config).unwrap());
    let replayed = cds_hooks::replay(&other, &record, Caller::anyone(), &config, &mut |_| {});
    assert_eq!(replayed.unwrap().cards[0].summary, "New.");
    let without = CallRecord {
        request: None,
        ..record
    };
    let error = cds_hooks::replay(&other, &without, Caller::anyone(), &config, &mut |_| {});
    assert!(error.unwrap_err().contains("without its request"));
}

/// Item 29: an answer that needs no record is there by its deadline, however slow the recorder is, and the
/// call is recorded all the same. One that needs a record waits for it as long as is set, and no longer.
#[tokio::test]
async fn item_29_a_slow_recorder() {
    for is_optional in [true, false] {
        let kept = Arc::new(Kept {
            is_optional,
            delay: Duration::from_millis(1500),
            ..Kept::default()
        });
        let mut config = config();
        config.limits.deadline = Some(Duration::from_millis(100));
        if !is_optional {
            config.limits.recording = Duration::from_millis(300);
        }
        config.seams.recorder = Some(kept.clone());
        let router = routes(config, vec![says("a", "A.")]);
        let started = Instant::now();
        let answer = call(&router, "a", &request()).await;
        let took = started.elapsed();
        assert!(took < Duration::from_millis(1200), "{took:?}");
        assert_eq!(answer.status, if is_optional { 200 } else { 503 });
        assert!(kept.calls.lock().unwrap().is_empty());
        tokio::time::sleep(Duration::from_millis(2000)).await;
        assert_eq!(kept.calls.lock().unwrap().len(), usize::from(is_optional));
    }
}

/// A call that must be recorded and cannot be is not answered with cards.
#[tokio::test]
async fn what_cannot_be_recorded() {
    for (is_optional, status) in [(false, 503), (true, 200)] {
        let kept = Kept {
            is_broken: true,
            is_optional,
            ..Kept::default()
        };
        let (mut config, lines) = logging();
        let seen = Arc::new(Seen::default());
        config.seams.recorder = Some(Arc::new(kept));
        config.seams.observer = seen.clone();
        let router = routes(config, vec![says("a", "A.")]);
        let answer = call(&router, "a", &request()).await;
        assert_eq!(answer.status, status);
        if status == 503 {
            assert_eq!(answer.headers["retry-after"], "2");
            assert!(!answer.text.contains("A."));
        }
        assert!(!answer.text.contains("disk"));
        let feedback = json!({"feedback": []});
        let answer = ask(&router, posted("/cds-services/a/feedback", &feedback)).await;
        assert_eq!(
            answer.status, 503,
            "feedback is acknowledged only where it is kept"
        );
        let seen = seen.0.lock().unwrap().join(", ");
        assert_eq!(
            seen,
            "the disk is full, patient honoured -, the disk is full"
        );
        assert!(
            lines
                .all()
                .join("")
                .contains("could not be recorded: the disk is full")
        );
    }
}

/// Checklist items 68 to 73.
#[tokio::test]
async fn items_68_72_feedback_is_taken() {
    let kept = Arc::new(Kept::default());
    let mut config = config();
    config.seams.recorder = Some(kept.clone());
    let router = routes(config, vec![says("a", "A.")]);
    let card = call(&router, "a", &request()).await.cards()[0]["uuid"].clone();
    let at = "2025-06-15T12:01:00Z";
    let feedback = json!({"feedback": [
        {"card": card, "outcome": "overridden", "outcomeTimestamp": at,
         "overrideReason": {"reason": {"code": "patient-declined", "system": "http://x.org"}}},
        // Again, and one that nobody knows.
        {"card": card, "outcome": "overridden", "outcomeTimestamp": at},
        {"card": "00000000-0000-4000-8000-000000000000", "outcome": "accepted",
         "acceptedSuggestions": [{"id": "00000000-0000-4000-8000-000000000001"}], "outcomeTimestamp": at},
    ], "extension": {"x": 1}});
    crate::schema::check(
        "feedback",
        &json!({"feedback": feedback["feedback"]}).clone(),
    );
    for path in ["/cds-services/a/feedback", "/cds-services/a/feedback/"] {
        let answer = ask(&router, posted(path, &feedback)).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""));
    }
    let record = kept.feedback.lock().unwrap().remove(0);
    assert_eq!((record.service.as_str(), record.entries.len()), ("a", 3));
    assert_eq!(json!(record.entries[0].card), card);
    assert_eq!(record.entries[0].outcome, FeedbackOutcome::Overridden);
    let wrong = json!({"feedback": [{"card": 1}, {}]});
    let answer = ask(&router, posted("/cds-services/a/feedback", &wrong)).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.text.contains("`feedback[0].card`") && answer.text.contains("`feedback[1].outcome`")
    );
    for (method, path, status) in [
        (Method::GET, "/cds-services/a/feedback", 405),
        (Method::POST, "/cds-services/none/feedback", 404),
        (Method::POST, "/cds-services/a/feedback/x", 404),
    ] {
        assert_eq!(
            ask(&router, http(method, path, &[], vec![])).await.status,
            status,
            "{path}"
        );
    }
    let plain = http(
        Method::POST,
        "/cds-services/a/feedback",
        &[("content-type", "text/plain")],
        vec![],
    );
    assert_eq!(ask(&router, plain).await.status, 415);
    // Nobody keeps it: it is taken all the same.
    let router = routes(crate::fixture::config(), vec![says("a", "A.")]);
    let answer = ask(&router, posted("/cds-services/a/feedback", &feedback)).await;
    assert_eq!(answer.status, 200);
}

/// Takes every Condition out of what rules see.
struct NoConditions(Vec<DataRequirement>);

impl Filter for NoConditions {
    fn requirements(&self) -> &[DataRequirement] {
        &self.0
    }

    fn filter(&self, record: &PatientRecord, ask: &FilterAsk<'_>) -> Filtered {
        assert_eq!((ask.patient, ask.hook), ("p1", "patient-view"));
        if record.of_type_named("Consent").next().is_none() {
            return Filtered::Refused("it is not known what may be seen".into());
        }
        let ty = Name::of("Condition").unwrap();
        let mut seen = PatientRecord::new();
        for resource in record.resources().filter(|r| r.resource_type() != Some(ty)) {
            seen.append(resource).unwrap();
        }
        seen.set_incomplete(ty);
        Filtered::Part(Withheld {
            record: seen,
            types: vec![ty],
            is_unjudged: false,
            note: "1 Condition under Consent/k1".into(),
        })
    }
}

/// What consent withholds is unknown, not "none"; what it is nobody is told but the record.
#[tokio::test]
async fn what_is_withheld_by_consent_is_unknown() {
    let kept = Arc::new(Kept::default());
    let mut config = config();
    let needs = vec![DataRequirement::of_type("Consent").unwrap()];
    config.seams.filter = Some(Arc::new(NoConditions(needs)));
    config.seams.recorder = Some(kept.clone());
    let mut services = both();
    services.push(service("one", vec![none_of("Condition")]));
    let router = routes(config, services);
    let listed = ask(&router, http(Method::GET, "/cds-services", &[], vec![]))
        .await
        .json();
    let template = &listed["services"][0]["prefetch"]["consent"];
    assert_eq!(template, "Consent?patient={{context.patientId}}");
    let consent = json!({"resourceType": "Consent", "id": "k1", "status": "active",
        "scope": {"text": "privacy"}, "category": [{"text": "privacy"}], "patient": {"reference": "Patient/p1"}});
    let mut keys =
        json!({"condition": bundle(&[condition("c1", "p1")]), "allergyintolerance": null});
    keys["consent"] = bundle(&[consent]);
    let answer = call(&router, "both", &open(keys.clone())).await;
    assert_eq!(summaries(&answer), ["There is none of AllergyIntolerance."]);
    let said = &answer.json()["extension"]["dev.tandem-cds.not-evaluated"][0];
    assert_eq!(said["rule"], "problems");
    assert_eq!(said["lacking"], json!(["some data is withheld by consent"]));
    assert!(!answer.text.contains("Condition"), "{}", answer.text);
    let record = kept.calls.lock().unwrap().remove(0);
    assert_eq!(
        record.consent.as_deref(),
        Some("1 Condition under Consent/k1")
    );
    assert_eq!(
        record.rules[0].reason.as_deref(),
        Some("some data is withheld by consent")
    );
    // It is no fault of the call.
    assert_eq!(call(&router, "one", &open(keys.clone())).await.status, 200);
    // Where nothing may be answered, that is said.
    keys["consent"] = bundle(&[]);
    let answer = call(&router, "both", &open(keys)).await;
    assert_eq!(answer.status, 412);
    assert!(
        answer.text.contains("it is not known what may be seen"),
        "{}",
        answer.text
    );
    // In the record, too: the audit log says why nothing was answered.
    let record = kept.calls.lock().unwrap().pop().unwrap();
    assert_eq!(record.status, 412);
    assert_eq!(
        record.consent.as_deref(),
        Some("it is not known what may be seen")
    );
}
