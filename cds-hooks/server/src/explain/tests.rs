use std::sync::Mutex;

use axum::body::{Body, to_bytes};
use axum::http::request::Parts;
use cds_hooks::seams::{
    Admission, BoxFuture, FeedbackRecord, FeedbackTaken, NotRecorded, Permissions, Recorder,
};
use cds_hooks::{Service, ServiceSet, Sets, router_of_live, rule_services};
use engine_patient::system::date_time::DateTime;
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::consent::Consents;

const SERVICE: &str = "colorectal-cancer-screening";
const INSTANCE: &str = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea";

/// Who calls is who the header says: `reader` may read explanations, `ehr` may call.
struct ByHeader;

impl Admission for ByHeader {
    fn admit<'a>(
        &'a self,
        head: &'a Parts,
        _: Endpoint<'a>,
        _: i64,
    ) -> BoxFuture<'a, Result<Caller, NotAdmitted>> {
        let text = |name: &str| head.headers.get(name).and_then(|v| v.to_str().ok());
        let admitted = match text("who") {
            None => Err(NotAdmitted::Unauthorized("no token".to_owned())),
            Some(who) => Ok(Caller {
                client: Some(Arc::from(who)),
                tenant: text("tenant").map(Arc::from),
                permissions: match who {
                    "reader" => Permissions::NONE.with(Permission::Explain),
                    _ => Permissions::of_ehr(),
                },
                services: text("services").map(|id| vec![Arc::from(id)].into()),
                ..Caller::default()
            }),
        };
        Box::pin(std::future::ready(admitted))
    }
}

/// Keeps calls for explanations, as the composed server does.
#[derive(Default)]
struct Keeper(Mutex<Option<Arc<Explain>>>);

impl Recorder for Keeper {
    fn call<'a>(&'a self, call: &'a CallRecord) -> BoxFuture<'a, Result<(), NotRecorded>> {
        self.0.lock().unwrap().as_ref().unwrap().keep(call);
        Box::pin(std::future::ready(Ok(())))
    }

    fn feedback<'a>(
        &'a self,
        _: &'a FeedbackRecord,
    ) -> BoxFuture<'a, Result<FeedbackTaken, NotRecorded>> {
        Box::pin(std::future::ready(Ok(FeedbackTaken::default())))
    }

    fn wants_request(&self) -> bool {
        true
    }
}

fn server(with_consent: bool) -> Router {
    let at = DateTime::parse("2025-06-01T10:00:00Z").unwrap();
    let mut config = Config::new(Arc::new(move || at));
    let keeper = Arc::new(Keeper::default());
    config.seams.admission = Arc::new(ByHeader);
    config.seams.recorder = Some(keeper.clone());
    if with_consent {
        let settings = ::consent::Settings::default();
        let purpose = ::consent::Purpose::TREATMENT;
        let consents = Consents::new(settings, purpose, false, Default::default());
        config.seams.filter = Some(Arc::new(consents));
    }
    let rules = rule_services(rules::built_in().unwrap());
    let services = rules.into_iter().map(Service::of).collect();
    let set = ServiceSet::new("rules-1", services, &config).unwrap();
    let live = Live::new(Sets::of(set));
    let bounds = Bounds {
        calls: 10,
        bytes: 1 << 20,
        age: Duration::from_secs(60),
    };
    let explain = Arc::new(Explain::new(bounds));
    explain.serve(config.clone(), live.clone());
    config.routes = Some(explain.clone().routes());
    *keeper.0.lock().unwrap() = Some(explain);
    router_of_live(config, live)
}

/// The service's discovery with every key answered: nothing there but the patient, and what `more` puts under
/// keys that begin so.
async fn call(server: &Router, more: &[(&str, Value)]) -> (StatusCode, Value) {
    let request = axum::http::Request::get("/cds-services").header("who", "ehr");
    let response = server
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let discovery: Value = serde_json::from_slice(&body).unwrap();
    let services = discovery["services"].as_array().unwrap();
    let service = services.iter().find(|s| s["id"] == SERVICE).unwrap();
    let mut prefetch = serde_json::Map::new();
    for key in service["prefetch"].as_object().unwrap().keys() {
        let patient = json!({"resourceType": "Patient", "id": "1", "birthDate": "1960-01-01"});
        let value = match key.as_str() {
            "patient" => patient,
            _ => Value::Null,
        };
        prefetch.insert(key.clone(), value);
        for (begins, resource) in more {
            if key.starts_with(begins) {
                let bundle = json!({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": resource}]});
                prefetch.insert(key.clone(), bundle);
            }
        }
    }
    let body = json!({"hook": "patient-view", "hookInstance": INSTANCE,
        "context": {"userId": "Practitioner/1", "patientId": "1"}, "prefetch": prefetch,
        "fhirServer": "https://fhir.example.org", "fhirAuthorization": {"access_token": "s3cret", "token_type": "Bearer",
            "expires_in": 300, "scope": "user/*.rs", "subject": "tandem"}});
    let request = axum::http::Request::post(format!("/cds-services/{SERVICE}"))
        .header("who", "ehr")
        .header(CONTENT_TYPE, "application/json");
    let request = request.body(Body::from(body.to_string())).unwrap();
    let response = server.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

async fn get_with(server: &Router, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, String) {
    let path = format!("/cds-services/{SERVICE}/explain/{INSTANCE}");
    let mut request = axum::http::Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = server.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (
        head.status,
        head.headers,
        String::from_utf8(body.to_vec()).unwrap(),
    )
}

fn colonoscopy(date: &str) -> Value {
    json!({"resourceType": "Procedure", "id": "scope", "status": "completed", "subject": {"reference": "Patient/1"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "73761001", "display": "<script>alert(1)</script>"},
            {"system": "http://www.ama-assn.org/go/cpt", "code": "45378"},
            {"system": "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "code": "G0121"}]},
        "performedDateTime": date})
}

#[tokio::test]
async fn a_rule_that_fired_is_explained() {
    let server = server(false);
    let (status, answer) = call(&server, &[]).await;
    assert_eq!(
        (status, answer["cards"].as_array().unwrap().len()),
        (StatusCode::OK, 1)
    );
    let (status, headers, text) = get_with(&server, &[("who", "reader")]).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert_eq!(headers[CONTENT_TYPE], "application/json");
    assert_eq!(headers[CACHE_CONTROL], "no-store");
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told["ruleSet"], "rules-1");
    assert_eq!(told["cards"][0]["uuid"], answer["cards"][0]["uuid"]);
    let rule = &told["rules"][0];
    assert_eq!(
        (&rule["rule"], &rule["outcome"]),
        (&json!(SERVICE), &json!("fired"))
    );
    assert!(
        rule["verdict"].as_str().unwrap().starts_with("Applies: "),
        "{rule:#}"
    );
    assert_eq!(rule["why"]["applies"], "yes");
    assert_eq!(told["keys"][0]["key"], "patient");
    assert_eq!(told["keys"][0]["sent"], "data");
    // Tokens are not kept.
    assert!(!text.contains("s3cret"));
}

#[tokio::test]
async fn a_silent_rule_says_by_what_and_from_which_key() {
    let server = server(false);
    let (_, answer) = call(&server, &[("procedure", colonoscopy("2020-06-01"))]).await;
    assert_eq!(answer["cards"], json!([]), "{answer:#}");
    let (_, _, text) = get_with(&server, &[("who", "reader")]).await;
    let told: Value = serde_json::from_str(&text).unwrap();
    let rule = &told["rules"][0];
    assert_eq!(rule["outcome"], "silent");
    let resources = rule["why"]["resources"].as_array().unwrap();
    let scope = resources
        .iter()
        .find(|r| r["resource"] == "Procedure/scope")
        .unwrap();
    assert!(
        scope["from"][0].as_str().unwrap().starts_with("procedure"),
        "{scope:#}"
    );
    assert_eq!(scope["date"], "2020-06-01");
    let sets = rule["why"]["valueSets"].as_array().unwrap();
    assert!(sets.iter().any(|set| set["code"] == "G0121"), "{sets:?}");
}

#[tokio::test]
async fn as_a_page_where_that_is_wanted() {
    let server = server(false);
    call(&server, &[("procedure", colonoscopy("2020-06-01"))]).await;
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for (accept, is_page) in [
        (browser, true),
        ("text/html", true),
        ("application/json", false),
        ("*/*", false),
        ("text/html;q=0.5, application/json", false),
        ("text/html;q=0", false),
    ] {
        let (_, headers, text) = get_with(&server, &[("who", "reader"), ("accept", accept)]).await;
        let media = headers[CONTENT_TYPE].to_str().unwrap();
        assert_eq!(media.starts_with("text/html"), is_page, "{accept}");
        if is_page {
            assert!(
                text.starts_with("<!DOCTYPE html>")
                    && text.contains("<h1>No card was shown; 1 rule had nothing to say.</h1>"),
                "{text}"
            );
            // Nothing of the data runs, nothing is loaded.
            assert!(!text.contains("<script") && text.contains("&lt;script&gt;"));
            assert!(!text.contains("src=") && !text.contains("href="));
            assert!(
                text.contains("width=device-width")
                    && text.contains("prefers-color-scheme:dark")
                    && text.contains("@media print")
            );
            let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'"));
        }
    }
}

#[tokio::test]
async fn who_may_read_it() {
    let server = server(false);
    call(&server, &[]).await;
    let status = |headers: &'static [(&'static str, &'static str)]| {
        let server = server.clone();
        async move { get_with(&server, headers).await }
    };
    let (no_token, headers, text) = status(&[]).await;
    assert_eq!((no_token, text.as_str()), (StatusCode::UNAUTHORIZED, ""));
    assert_eq!(headers[WWW_AUTHENTICATE], "Bearer");
    assert_eq!(status(&[("who", "ehr")]).await.0, StatusCode::FORBIDDEN);
    // Another tenant's, and a service that the reader may not see, are not there.
    let other = status(&[("who", "reader"), ("tenant", "south")]).await;
    let unseen = status(&[("who", "reader"), ("services", "another")]).await;
    assert_eq!(
        (other.0, unseen.0),
        (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND)
    );
    assert_eq!(other.2, unseen.2);
    let outcome: Value = serde_json::from_str(&other.2).unwrap();
    assert_eq!(outcome["resourceType"], "OperationOutcome");
    assert_eq!(status(&[("who", "reader")]).await.0, StatusCode::OK);
}

fn consent(class: &str) -> Value {
    json!({"resourceType": "Consent", "id": "no-history", "status": "active", "patient": {"reference": "Patient/1"},
        "scope": {"coding": [{"code": "patient-privacy"}]}, "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "dateTime": "2025-01-01", "policyRule": {"coding": [{"code": "OPTIN"}]},
        "provision": {"type": "deny", "class": [{"system": "http://hl7.org/fhir/resource-types", "code": class}]}})
}

/// The whole way: the patient denies procedures, the rule cannot tell, nobody is told of what.
#[tokio::test]
async fn a_rule_whose_data_is_withheld_by_consent_answers_unknown() {
    let server = server(true);
    // Without a consent that denies it, the colonoscopy counts.
    let (_, answer) = call(&server, &[("procedure", colonoscopy("2020-06-01"))]).await;
    assert_eq!(answer["cards"], json!([]));
    let (_, _, text) = get_with(&server, &[("who", "reader")]).await;
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told["rules"][0]["outcome"], "silent");
    assert!(told.get("withheldByConsent").is_none());
    let denied = [
        ("procedure", colonoscopy("2020-06-01")),
        ("consent", consent("Procedure")),
    ];
    let (status, answer) = call(&server, &denied).await;
    let said = answer.to_string();
    let (_, _, text) = get_with(&server, &[("who", "reader")]).await;
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told["rules"][0]["outcome"], "unknown", "{status} {said}");
    assert_eq!(told["withheldByConsent"], true);
    assert!(
        !text.contains("73761001") && !text.contains("Procedure/scope"),
        "{text}"
    );
    assert!(
        !said.contains("73761001") && !said.contains("no-history"),
        "{said}"
    );
    assert!(said.contains("withheld by consent"), "{said}");
    assert!(
        !said.contains("not all received") && !text.contains("not all Procedure"),
        "{said} {text}"
    );
    // The client did nothing wrong.
    assert_eq!(status, StatusCode::OK, "{said}");
}

/// A consent that is not as R4 has it is not made right by leaving out what is wrong with it.
#[tokio::test]
async fn a_consent_is_read_as_it_came() {
    let server = server(true);
    let mut permit = consent("Procedure");
    permit["policyRule"] = json!({"coding": [{"code": "OPTOUT"}]});
    permit["provision"] = json!({"type": "permit", "class": [{}]});
    let (_, answer) = call(
        &server,
        &[
            ("procedure", colonoscopy("2020-06-01")),
            ("consent", permit),
        ],
    )
    .await;
    let (_, _, text) = get_with(&server, &[("who", "reader")]).await;
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told["rules"][0]["outcome"], "unknown", "{answer:#}");
}

#[tokio::test]
async fn where_consents_are_not_sent_nothing_is_known() {
    let server = server(true);
    let failed = json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]});
    let failed = ("consent", failed);
    let (status, answer) = call(&server, &[("procedure", colonoscopy("2020-06-01")), failed]).await;
    let (_, _, text) = get_with(&server, &[("who", "reader")]).await;
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        told["rules"][0]["outcome"], "unknown",
        "{status} {answer:#}"
    );
    // Nobody said that anything is to be withheld, and it is not said that somebody did.
    let said = answer.to_string();
    for said in [&said, &text] {
        assert!(!said.contains("withheld"), "{said}");
        assert!(said.contains("consents could not be looked up"), "{said}");
        // Why not is the integrator's to know.
        assert!(said.contains("the search for `consent` failed"), "{said}");
        assert!(!said.contains("not all Procedure"), "{said}");
    }
    assert_eq!(told["withoutConsents"], true);
    let accept = ("accept", "text/html");
    let (_, _, page) = get_with(&server, &[("who", "reader"), accept]).await;
    assert!(
        page.contains("consents could not be looked up") && !page.contains("withheld by consent")
    );
}
