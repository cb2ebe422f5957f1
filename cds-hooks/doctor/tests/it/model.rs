//! A small CDS service that is right, written from the specification alone, and can be broken on purpose.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::security::Guard;

/// The origin of the browser client that may call.
pub const ORIGIN: &str = "https://ehr.example";

/// A model service.
#[derive(Default)]
pub struct Model {
    /// What is broken; `""` for nothing.
    pub flaw: &'static str,
    /// The FHIR server that may be asked.
    pub allowed: Option<String>,
    /// Who may call; everybody where there is none.
    pub guard: Option<Guard>,
    /// Only two services; the flaw shows at either.
    pub few: bool,
    pub base: String,
    pub count: Mutex<u64>,
    pub seen: Mutex<HashSet<String>>,
    pub under_way: AtomicUsize,
}

impl Model {
    /// Serves on a free port until the test ends; gives the base URL.
    pub async fn serve(mut self) -> String {
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)));
        let listener = listener.await.unwrap();
        let base = format!("http://{}/r4", listener.local_addr().unwrap());
        self.base.clone_from(&base);
        let router = Router::new().fallback(outer).with_state(Arc::new(self));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        base
    }

    fn is(&self, flaw: &str) -> bool {
        self.flaw == flaw
    }

    fn uuid(&self) -> String {
        let mut count = self.count.lock().unwrap();
        *count += 1;
        if self.is("stale-uuids") {
            *count %= 2;
        }
        format!("00000000-0000-4000-8000-{:012x}", *count)
    }
}

/// CORS around everything.
async fn outer(State(model): State<Arc<Model>>, request: Request) -> Response {
    let origin = request.headers().get("origin").cloned();
    let preflight = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key("access-control-request-method");
    let cors = !model.is("no-cors");
    let early = preflight && cors && !(model.is("token-for-preflight") && model.guard.is_some());
    let mut response = if early {
        StatusCode::NO_CONTENT.into_response()
    } else {
        inner(&model, request).await
    };
    if model.is("text-errors") && !response.status().is_success() {
        *response.body_mut() = "no".into();
    }
    if model.is("cors-not-on-errors") && response.status().is_client_error() {
        return response;
    }
    let known = origin.as_ref().is_some_and(|o| o == ORIGIN);
    if let Some(origin) = origin.filter(|_| cors && (known || model.is("cors-echo"))) {
        let headers = response.headers_mut();
        headers.insert("access-control-allow-origin", origin);
        if model.is("cors-echo") {
            headers.insert("access-control-allow-credentials", "true".parse().unwrap());
        }
        if early {
            let allowed = match model.flaw {
                "cors-star-headers" => "*",
                _ => "authorization, content-type",
            };
            headers.insert("access-control-allow-headers", allowed.parse().unwrap());
            headers.insert("access-control-allow-methods", "GET, POST".parse().unwrap());
        }
    }
    response
}

fn json_of(status: u16, body: &Value) -> Response {
    let kind = [("content-type", "application/json")];
    (
        StatusCode::from_u16(status).unwrap(),
        kind,
        body.to_string(),
    )
        .into_response()
}

fn refuse(status: u16, why: &str) -> Response {
    let outcome = json!({"resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "invalid", "diagnostics": why}]});
    json_of(status, &outcome)
}

async fn inner(model: &Arc<Model>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let rest = path
        .strip_prefix("/r4/cds-services")
        .unwrap_or("-")
        .to_owned();
    let open = model.is("open-discovery") && rest.is_empty();
    if let (Some(guard), false) = (&model.guard, open) {
        let endpoint = format!("{}/cds-services{rest}", model.base);
        if let Err(why) = guard.check(&parts.headers, &endpoint, model.flaw).await {
            let told = if model.is("telling-401") { why } else { "no" };
            return refuse(401, told);
        }
    }
    if rest.is_empty() {
        return match parts.method {
            Method::HEAD if model.is("no-head") => refuse(405, "GET only"),
            Method::GET | Method::HEAD => discovery(model),
            _ => refuse(405, "GET only"),
        };
    }
    let names: Vec<&str> = rest.trim_start_matches('/').split('/').collect();
    let services = services(model);
    let routed = |id: &str| {
        if model.is("wrong-id") {
            format!("{id}-x")
        } else {
            id.to_owned()
        }
    };
    let service = services
        .iter()
        .find(|s| routed(s["id"].as_str().unwrap()) == names[0])
        .or_else(|| services.first().filter(|_| model.is("any-id")));
    let Some(service) = service else {
        return refuse(404, "no such service");
    };
    if parts.method != Method::POST {
        if model.is("any-method") && names.len() == 1 {
            return json_of(200, &json!({"cards": []}));
        }
        return refuse(405, "POST only");
    }
    let Ok(body) = to_bytes(body, 20 << 20).await else {
        return refuse(413, "too large");
    };
    match &names[1..] {
        [] => {
            let others = model.under_way.fetch_add(1, Ordering::Relaxed);
            if model.is("one-at-a-time") {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let answer = match model.is("one-at-a-time") && others > 0 {
                true => json_of(200, &json!({"cards": []})),
                false => call(model, service, &parts.headers, &body).await,
            };
            model.under_way.fetch_sub(1, Ordering::Relaxed);
            answer
        }
        ["feedback"] if !model.is("no-feedback") => feedback(model, &body),
        _ => refuse(404, "nothing here"),
    }
}

/// The services, as discovery has them when nothing is broken.
fn services(model: &Model) -> Vec<Value> {
    let mut patient = json!({"patient": "Patient/{{context.patientId}}",
        "a1c": "Observation?patient={{context.patientId}}&code=http://loinc.org|4548-4"});
    if model.is("absolute-template") {
        patient["patient"] = json!("https://ehr.example/Patient/{{context.patientId}}");
    }
    if model.is("unclosed-template") {
        patient["patient"] = json!("Patient/{{context.patientId");
    }
    // It stands before the others.
    let first = match model.flaw {
        "variable-before" => "Encounter?patient={{%patient.id}}".to_owned(),
        "fhirpath-token" => {
            "Encounter?patient={{context.patientId}}&date=ge{{today() - 30 days}}".to_owned()
        }
        "include" => {
            "MedicationRequest?patient={{context.patientId}}&_include=MedicationRequest:medication"
                .to_owned()
        }
        "of-everybody" => "Observation?code=http://loinc.org|4548-4".to_owned(),
        "long-template" => {
            let codes = vec!["http://loinc.org|4548-4"; 90].join(",");
            format!("Observation?patient={{{{context.patientId}}}}&code={codes}")
        }
        _ => String::new(),
    };
    if !first.is_empty() {
        patient["a0"] = json!(first);
    }
    let mut all = vec![
        json!({"hook": "patient-view", "id": "gap", "title": "A1c", "description": "A1c overdue.",
            "prefetch": patient, "usageRequirements": "Send the prefetch."}),
        json!({"hook": "order-sign", "id": "orders", "title": "Orders", "description": "Checks orders."}),
        json!({"hook": "order-select", "id": "selected", "title": "Orders", "description": "Checks orders."}),
        json!({"hook": "org.example.chart-close", "id": "own", "title": "Own", "description": "A hook of ours."}),
    ];
    if model.few {
        all.truncate(2);
    }
    if model.is("odd-hook") {
        let odd =
            json!({"hook": "patient-sing", "id": "sing", "title": "Sing", "description": "Sings."});
        all.push(odd);
    }
    all
}

fn discovery(model: &Model) -> Response {
    let mut all = services(model);
    let first = all[0].as_object_mut().unwrap();
    match model.flaw {
        "discovery-list" => return json_of(200, &json!(all)),
        "discovery-204" => return StatusCode::NO_CONTENT.into_response(),
        "discovery-text" => {
            let kind = [("content-type", "text/html")];
            return (kind, json!({"services": all}).to_string()).into_response();
        }
        "prefetch-list" => {
            first.insert("prefetch".into(), json!(["Patient/{{context.patientId}}"]));
        }
        "preFetch" => {
            let prefetch = first.remove("prefetch").unwrap();
            first.insert("preFetch".into(), prefetch);
        }
        "no-description" => drop(first.remove("description")),
        "no-title" => drop(first.remove("title")),
        "null-title" => drop(first.insert("title".into(), Value::Null)),
        "version-of-rule" => drop(first.insert("version".into(), json!("STU2"))),
        "odd-member" => drop(first.insert("name".into(), json!("x"))),
        "same-id" => {
            let again = all[0].clone();
            all.push(again);
        }
        "twice" => {
            let text = json!({"services": all}).to_string();
            let text = text.replacen("\"id\":", "\"id\":\"a\",\"id\":", 1);
            return ([("content-type", "application/json")], text).into_response();
        }
        _ => {}
    }
    json_of(200, &json!({"services": all}))
}

/// What stands under a prefetch key.
enum Found {
    Known(Vec<Value>),
    Unknown,
}

fn found(value: &Value) -> Found {
    let outcome = |v: &Value| v["resourceType"] == "OperationOutcome";
    match value {
        Value::Null => Found::Known(vec![]),
        value if outcome(value) => Found::Unknown,
        value if value["resourceType"] == "Bundle" => {
            let entries = value["entry"].as_array().cloned().unwrap_or_default();
            let resources: Vec<Value> = entries.iter().map(|e| e["resource"].clone()).collect();
            let paged = value["link"].to_string().contains("next");
            match paged || resources.iter().any(outcome) {
                true => Found::Unknown,
                false => Found::Known(resources),
            }
        }
        value if value.is_object() => Found::Known(vec![value.clone()]),
        _ => Found::Unknown,
    }
}

async fn call(model: &Arc<Model>, service: &Value, headers: &HeaderMap, body: &[u8]) -> Response {
    let kind = headers
        .get("content-type")
        .map_or("", |v| v.to_str().unwrap_or(""));
    let exact = model.is("charset") && kind != "application/json";
    let is_json = kind.to_ascii_lowercase().starts_with("application/json");
    if exact || !(is_json || model.is("any-media")) {
        return refuse(415, "JSON only");
    }
    if model.is("broken-body-500") && serde_json::from_slice::<Value>(body).is_err() {
        return refuse(500, "a stack trace");
    }
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let request = match serde_json::from_slice::<Value>(body) {
        Ok(request) => request,
        Err(error) => {
            let deep = model.is("deep-500") && error.to_string().contains("recursion");
            return refuse(if deep { 500 } else { 400 }, "no JSON");
        }
    };
    if model.is("number-500") && request["context"]["userId"].is_number() {
        return refuse(500, "a stack trace");
    }
    if model.is("huge-500") && body.len() > 300_000 {
        return refuse(500, "out of memory");
    }
    if model.is("extension-400") && request.get("extension").is_some() {
        return refuse(400, "unknown member");
    }
    if model.is("unknown-400") && request.get("user").is_some() {
        return refuse(400, "unknown member");
    }
    let Some(context) = request["context"].as_object() else {
        let status = if model.is("context-500") { 500 } else { 400 };
        return refuse(status, "no context");
    };
    let hook = service["hook"].as_str().unwrap();
    if request["hook"] != hook && !(model.is("any-hook") && request["hook"].is_string()) {
        return refuse(400, "another hook");
    }
    let required: &[&str] = match hook {
        "patient-view" => &["patientId", "userId"],
        "order-sign" => &["patientId", "userId", "draftOrders"],
        "order-select" => &["patientId", "userId", "draftOrders", "selections"],
        _ => &["patientId"],
    };
    let lacks = required.iter().any(|name| !context.contains_key(*name));
    if lacks || !request["hookInstance"].is_string() || !context["patientId"].is_string() {
        return match model.is("quoting-errors") {
            true => refuse(400, &format!("something is missing in {request}")),
            false => refuse(400, "something is missing"),
        };
    }
    let instance = request["hookInstance"].as_str().unwrap().to_owned();
    if !model.seen.lock().unwrap().insert(instance) && model.is("drops-repeats") {
        return json_of(200, &json!({"cards": []}));
    }
    let granted = &request["fhirAuthorization"]["patient"];
    if granted.is_string() && *granted != context["patientId"] && !model.is("any-patient") {
        return refuse(403, "another patient");
    }
    if !request["prefetch"].is_object() && request.get("prefetch").is_some() {
        let none = request["prefetch"].is_null() || request["prefetch"] == json!([]);
        if !none {
            return refuse(400, "prefetch is no object");
        }
    }
    if let Some(why) = of_prefetch(model, hook, &request) {
        return why;
    }
    let scope = request["fhirAuthorization"]["scope"].as_str();
    if model.is("smart-1-only") && scope.is_some_and(|scope| scope.contains(".rs")) {
        return refuse(400, "no such scope");
    }
    let mut cards = vec![];
    let mut status = 200;
    match hook {
        "patient-view" => match gap(model, &request).await {
            Ok(found) => cards = found,
            Err(answer) => return *answer,
        },
        "order-sign" | "order-select" => {
            let drafts = &context["draftOrders"];
            if drafts["resourceType"] != "Bundle" {
                return refuse(400, "no Bundle");
            }
            let entries = drafts["entry"].as_array().cloned().unwrap_or_default();
            for entry in entries {
                if model.is("draft-500") && entry["resource"]["category"].is_object() {
                    return refuse(500, "a stack trace");
                }
                if model.is("draft-400") && entry["resource"].get("intent").is_none() {
                    status = 400;
                }
                cards.extend(of_draft(model, &entry["resource"]));
            }
        }
        _ => {}
    }
    if status != 200 {
        return refuse(status, "not FHIR");
    }
    if model.is("204") && cards.is_empty() {
        return StatusCode::NO_CONTENT.into_response();
    }
    let mut answer = json!({"cards": cards});
    match model.flaw {
        "null-cards" if answer["cards"] == json!([]) => answer["cards"] = Value::Null,
        "no-cards" if answer["cards"] == json!([]) => answer = json!({"extension": {"a": 1}}),
        "empty-actions" => answer["systemActions"] = json!([]),
        "more-members" => answer["status"] = json!("ok"),
        "slow" | "slower" if model.seen.lock().unwrap().len() < 3 => {
            tokio::time::sleep(Duration::from_millis(20)).await
        }
        _ => {}
    }
    json_of(200, &answer)
}

/// What is said of a prefetch that should be taken.
fn of_prefetch(model: &Model, hook: &str, request: &Value) -> Option<Response> {
    let prefetch = request.get("prefetch").and_then(Value::as_object);
    if model.is("prefetch-needed") && hook == "patient-view" && request.get("prefetch").is_none() {
        return Some(refuse(400, "no prefetch"));
    }
    let mut keys = prefetch?.iter();
    let fails = |value: &Value| value["resourceType"] == "OperationOutcome";
    let other = |value: &Value| !value.is_object() && !value.is_null();
    let (wrong, status) = match model.flaw {
        "outcome-500" => (keys.any(|(_, value)| fails(value)), 500),
        "own-keys-only" => (keys.any(|(key, _)| key.starts_with("doctor")), 400),
        "odd-value-500" => (keys.any(|(key, value)| key == "a1c" && other(value)), 500),
        _ => (false, 200),
    };
    wrong.then(|| refuse(status, "a key of the prefetch"))
}

/// Cards of the chart; an answer where it cannot be told.
async fn gap(model: &Arc<Model>, request: &Value) -> Result<Vec<Value>, Box<Response>> {
    let prefetch = &request["prefetch"];
    let mut a1c = match prefetch.get("a1c") {
        Some(Value::Null) if model.is("412-for-null") => {
            return Err(Box::new(refuse(412, "no a1c")));
        }
        Some(value) => found(value),
        None => fetch(model, request).await,
    };
    if model.is("fetches-null") && prefetch["a1c"].is_null() {
        a1c = fetch(model, request).await;
    }
    if model.is("unknown-is-no")
        && let Found::Unknown = a1c
    {
        a1c = Found::Known(vec![]);
    }
    let Found::Known(results) = a1c else {
        return Err(Box::new(refuse(412, "the a1c is not known")));
    };
    let name = prefetch["patient"]["name"][0]["family"]
        .as_str()
        .unwrap_or("the patient")
        .to_owned();
    let shown = results
        .first()
        .and_then(|r| r["code"]["coding"][0]["display"].as_str())
        .unwrap_or("A1c");
    let summary = if results.is_empty() {
        "A1c is overdue"
    } else {
        "A1c is on record"
    };
    let detail = format!("For {}: {}", escaped(model, &name), escaped(model, shown));
    Ok(vec![card(model, summary, &detail, None)])
}

/// From the FHIR server, where it is allowed.
async fn fetch(model: &Arc<Model>, request: &Value) -> Found {
    let Some(server) = request["fhirServer"].as_str() else {
        return Found::Unknown;
    };
    let allowed = model.allowed.as_deref() == Some(server);
    // Only this machine is called, whatever is broken.
    let here = ["http://127.0.0.1:", "http://localhost:"];
    let here = here.iter().any(|start| server.starts_with(start));
    let anywhere = here && model.is("fetches-anywhere");
    if !allowed && !anywhere {
        return Found::Unknown;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    let patient = if model.is("empty-patient") {
        ""
    } else {
        request["context"]["patientId"].as_str().unwrap()
    };
    let token = request["fhirAuthorization"]["access_token"]
        .as_str()
        .unwrap_or("");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{server}/Observation?patient={patient}&code=http://loinc.org|4548-4");
    let get = client.get(url);
    let get = if model.is("fetches-without-token") {
        get
    } else {
        get.bearer_auth(token)
    };
    let Ok(answer) = get.send().await else {
        return Found::Unknown;
    };
    if !answer.status().is_success() {
        return Found::Unknown;
    }
    let text = answer.bytes().await.unwrap_or_default();
    serde_json::from_slice(&text).map_or(Found::Unknown, |value| found(&value))
}

fn escaped(model: &Model, text: &str) -> String {
    if model.is("raw-html") {
        return text.to_owned();
    }
    text.chars()
        .flat_map(|c| {
            let special = "<>[]()`*_\\&#!|~".contains(c);
            special.then_some('\\').into_iter().chain([c])
        })
        .collect()
}

/// A card for a draft that has an id.
fn of_draft(model: &Model, draft: &Value) -> Vec<Value> {
    let Some(id) = draft["id"]
        .as_str()
        .filter(|_| draft["resourceType"] == "MedicationRequest")
    else {
        return vec![];
    };
    let named = draft["medicationCodeableConcept"]["text"]
        .as_str()
        .unwrap_or("the order");
    let mut changed = draft.clone();
    changed["note"] = json!([{"text": "checked"}]);
    if model.is("patch") {
        changed =
            json!({"resourceType": "MedicationRequest", "id": id, "note": [{"text": "checked"}]});
    }
    if model.is("update-without-id") {
        changed.as_object_mut().unwrap().remove("id");
    }
    let changed = if model.is("resource-text") {
        json!(changed.to_string())
    } else {
        changed
    };
    let mut actions = json!([{"type": "update", "description": "Note it", "resource": changed}]);
    match model.flaw {
        "CREATE" => actions[0]["type"] = json!("UPDATE"),
        "no-action-description" => drop(actions[0].as_object_mut().unwrap().remove("description")),
        _ => {}
    }
    let mut suggestions = json!([
        {"label": "Note it", "uuid": model.uuid(), "isRecommended": true, "actions": actions},
        {"label": "Remove it", "uuid": model.uuid(), "actions": [
            {"type": "delete", "description": "Remove it", "resourceId": format!("MedicationRequest/{id}")}]},
    ]);
    match model.flaw {
        "two-recommended" => suggestions[1]["isRecommended"] = json!(true),
        "no-suggestion-uuid" => drop(suggestions[0].as_object_mut().unwrap().remove("uuid")),
        "one-action" => suggestions[0]["actionSelectionBehavior"] = json!("one"),
        "no-suggestion-label" => drop(suggestions[0].as_object_mut().unwrap().remove("label")),
        "empty-suggestions" => suggestions = json!([]),
        _ => {}
    }
    let detail = format!("About {}", escaped(model, named));
    vec![card(model, "Check this order", &detail, Some(suggestions))]
}

fn card(model: &Model, summary: &str, detail: &str, suggestions: Option<Value>) -> Value {
    let mut card = json!({
        "uuid": model.uuid(), "summary": summary, "detail": detail, "indicator": "warning",
        "source": {"label": "The model", "url": "https://model.example/a",
            "topic": {"system": "https://model.example/topics", "code": "a"}},
        "overrideReasons": [{"code": "a", "system": "https://model.example/reasons", "display": "Not now"}],
        "links": [
            {"label": "More", "url": "https://model.example/more", "type": "absolute"},
            {"label": "App", "url": "https://model.example/launch", "type": "smart", "appContext": "{\"a\":1}"}],
    });
    if let Some(suggestions) = suggestions {
        card["suggestions"] = suggestions;
        card["selectionBehavior"] = json!("at-most-one");
    }
    let object = card.as_object_mut().unwrap();
    match model.flaw {
        "no-uuid" => drop(object.remove("uuid")),
        "uuid-form" => drop(object.insert("uuid".into(), json!("card-1"))),
        "long-summary" => drop(object.insert("summary".into(), json!("x".repeat(140)))),
        "empty-summary" => drop(object.insert("summary".into(), json!(""))),
        "markdown-summary" => {
            let summary = json!("**Check** [it](https://model.example)");
            drop(object.insert("summary".into(), summary));
        }
        "detail-object" => drop(object.insert("detail".into(), json!({"text": "x"}))),
        "hard-stop" => drop(object.insert("indicator".into(), json!("hard-stop"))),
        "no-selection-behavior" => drop(object.remove("selectionBehavior")),
        "odd-selection-behavior" => drop(object.insert("selectionBehavior".into(), json!("all"))),
        "relative-source" => object["source"]["url"] = json!("/guideline"),
        "no-source" => drop(object.remove("source")),
        "source-text" => drop(object.insert("source".into(), json!("The model"))),
        "reason-without-display" => drop(
            object["overrideReasons"][0]
                .as_object_mut()
                .unwrap()
                .remove("display"),
        ),
        "relative-link" => object["links"][0]["url"] = json!("more"),
        "context-of-absolute" => object["links"][0]["appContext"] = json!("a"),
        "context-object" => object["links"][1]["appContext"] = json!({"a": 1}),
        "null-links" => drop(object.insert("links".into(), Value::Null)),
        "card-member" => drop(object.insert("priority".into(), json!(1))),
        "own-html" => drop(object.insert("detail".into(), json!("<b>bold</b>"))),
        _ => {}
    }
    card
}

fn feedback(model: &Model, body: &[u8]) -> Response {
    if model.is("feedback-500") {
        return refuse(500, "a stack trace");
    }
    if model.is("feedback-anything") {
        return StatusCode::OK.into_response();
    }
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return refuse(400, "no JSON");
    };
    let Some(entries) = body["feedback"].as_array() else {
        return refuse(400, "no feedback");
    };
    for entry in entries {
        let known = matches!(entry["outcome"].as_str(), Some("accepted" | "overridden"));
        let time = entry["outcomeTimestamp"]
            .as_str()
            .is_some_and(|t| t.len() > 18 && t.contains('T'));
        if !known || !time || !entry["card"].is_string() {
            return refuse(400, "an entry is none");
        }
        let own = |card: &str| card.starts_with("00000000-0000-4000-8000-");
        if model.is("feedback-known-only") && !entry["card"].as_str().is_some_and(own) {
            return refuse(500, "a card without a row");
        }
        let reason = &entry["overrideReason"]["reason"];
        if model.is("feedback-display") && reason.is_object() && reason.get("display").is_none() {
            return refuse(400, "no display");
        }
    }
    if model.is("feedback-single") && entries.len() > 1 {
        return refuse(400, "one at a time");
    }
    StatusCode::OK.into_response()
}
