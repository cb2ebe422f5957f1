//! `POST /cds-services/{id}` with valid requests.

use serde_json::{Value, json};

use crate::conformance;
use crate::fixture::{a1c, bundle, condition, logging, post, post_bytes, request, send};

#[tokio::test]
async fn the_gap_fires() {
    let answer = post("a1c", &request()).await;
    let cards = answer.cards();
    conformance::response(&answer.json());
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(cards.len(), 1);
    assert_eq!(cards[0]["summary"], "A1c is overdue.");
    assert_eq!(cards[0]["indicator"], "warning");
    assert_eq!(
        cards[0]["detail"],
        "*Checked on 2025-06-15 with the data sent at that time.*"
    );
    assert_eq!(
        cards[0]["source"]["url"],
        "https://diabetesjournals.org/care"
    );
}

#[tokio::test]
async fn without_a_card_the_list_is_empty() {
    let mut healthy = request();
    healthy["prefetch"]["condition"] = bundle(&[]);
    assert_eq!(post("a1c", &healthy).await.text, r#"{"cards":[]}"#);
    let mut done = request();
    done["prefetch"]["observation-hba1c-lab"] = bundle(&[a1c("o1", "p1")]);
    assert_eq!(post("a1c", &done).await.text, r#"{"cards":[]}"#);
}

#[tokio::test]
async fn the_same_request_gives_the_same_bytes_and_another_call_another_uuid() {
    let first = post("a1c", &request()).await;
    assert_eq!(post("a1c", &request()).await.text, first.text);
    let mut later = request();
    later["hookInstance"] = json!("00000000-dfbe-44ad-ba6d-3e05e953b2ea");
    let later = post("a1c", &later).await;
    assert_ne!(later.cards()[0]["uuid"], first.cards()[0]["uuid"]);
    let mut other = request();
    other["context"]["patientId"] = json!("p2");
    other["prefetch"]["patient"]["id"] = json!("p2");
    other["prefetch"]["condition"] = bundle(&[condition("c1", "p2")]);
    assert_ne!(
        post("a1c", &other).await.cards()[0]["uuid"],
        first.cards()[0]["uuid"]
    );
}

#[tokio::test]
async fn what_the_service_does_not_know_is_passed_over() {
    let mut more = request();
    more["extension"] = json!({"org.example": {"a": [null]}});
    more["context"]["encounterId"] = json!("e1");
    more["context"]["new"] = json!({"x": 1});
    more["prefetch"]["not-ours"] = json!({"resourceType": "Condition"});
    more["fhirServer"] = json!("https://ehr.example/fhir/");
    more["fhirAuthorization"] = json!({"access_token": "s", "token_type": "Bearer", "expires_in": 300,
        "scope": "patient/*.read", "subject": "x", "patient": "p1"});
    more["somethingNew"] = json!([]);
    assert_eq!(
        post("a1c", &more).await.text,
        post("a1c", &request()).await.text
    );
    // Pretty-printed, with a charset, from a patient as user.
    let mut request = request();
    request["context"]["userId"] = json!("Patient/p1");
    let pretty = serde_json::to_vec_pretty(&request).unwrap();
    assert_eq!(post_bytes("a1c", pretty).await.cards().len(), 1);
}

#[tokio::test]
async fn calls_leave_a_line_without_patient_data() {
    let (config, lines) = logging();
    let call = |id: &str, body: &Value| {
        let headers = [("content-type", "application/json")];
        let body = serde_json::to_vec(body).unwrap();
        crate::fixture::http(
            axum::http::Method::POST,
            &format!("/cds-services/{id}"),
            &headers,
            body,
        )
    };
    let mut unknown = request();
    unknown["prefetch"]["condition"] = bundle(&[condition("c1", "p-other"), condition("c2", "p1")]);
    send(config.clone(), call("a1c", &request())).await;
    send(config.clone(), call("a1c-or-say", &unknown)).await;
    send(config.clone(), call("a1c", &json!({}))).await;
    let lines = lines.all();
    let parsed: Vec<Value> = lines
        .iter()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let field = |name: &str| parsed.iter().map(|l| l[name].clone()).collect::<Vec<_>>();
    assert_eq!(parsed[0]["time"], "2025-06-15T12:00:00Z");
    assert_eq!(field("service"), ["a1c", "a1c-or-say", "a1c"]);
    assert_eq!(field("status"), [200, 200, 400]);
    assert_eq!(field("cards"), [1, 1, 0]);
    assert_eq!(field("unknown"), [false, true, false]);
    assert_eq!(field("left_out"), [0, 1, 0]);
    let lacking = "left out: 1 × a resource of another patient, or of another server by its `fullUrl`: `condition` entry[0] Condition";
    assert_eq!(
        field("lacking"),
        [Value::Null, json!([lacking]), Value::Null]
    );
    assert!(field("ms").iter().all(|ms| ms.as_f64().is_some()));
    assert_eq!(parsed[0]["hook_instance"].as_str().unwrap().len(), 16);
    assert_eq!(parsed[0]["hook_instance"], parsed[1]["hook_instance"]);
    let all = lines.join("\n");
    for secret in [
        "p1",
        "p-other",
        "Doe",
        "1960",
        "d1577c69",
        "E11.9",
        "Practitioner",
    ] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

/// What was refused has its reason in the log, also where no service was called; the address may hold
/// anything and is not there.
#[tokio::test]
async fn the_log_says_why() {
    let (config, lines) = logging();
    let json = [("content-type", "application/json")];
    let post = axum::http::Method::POST;
    let mut ask = vec![];
    for (method, path, body) in [
        (&post, "/cds-services/p1-Doe", ""),
        (&post, "/Doe", ""),
        (&axum::http::Method::GET, "/cds-services/a1c", ""),
        (&post, "/cds-services", ""),
        (&post, "/cds-services/a1c", "{}"),
        (&post, "/cds-services/a1c", r#"{"Doe" 1}"#),
    ] {
        let request = crate::fixture::http(method.clone(), path, &json, body.into());
        ask.push(send(config.clone(), request).await.status.as_u16());
    }
    assert_eq!(ask, [404, 404, 405, 405, 400, 400]);
    let mut silent = request();
    silent["prefetch"]["patient"]
        .as_object_mut()
        .unwrap()
        .remove("birthDate");
    let body = serde_json::to_vec(&silent).unwrap();
    let request = crate::fixture::http(post, "/cds-services/a1c", &json, body);
    assert_eq!(send(config, request).await.status, 200);
    let lines = lines.all();
    let parsed: Vec<Value> = lines
        .iter()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    for (line, status, said) in [
        (0, 404, "there is no service of this id"),
        (1, 404, "there is nothing here"),
        (2, 405, "does not take that method"),
        (3, 405, "does not take that method"),
        (4, 400, "missing: `hook`, `hookInstance`, `context`"),
        (5, 400, "not valid JSON: expected `:`"),
    ] {
        assert_eq!(parsed[line]["status"], status, "{}", lines[line]);
        let error = parsed[line]["error"].as_str().unwrap();
        assert!(error.contains(said), "{error}");
    }
    assert_eq!(parsed.len(), 7);
    assert_eq!(
        (&parsed[6]["unknown"], &parsed[6]["reason"]),
        (&json!(true), &json!("Patient.birthDate is not available"))
    );
    assert!(!lines.join("").contains("Doe"));
}
