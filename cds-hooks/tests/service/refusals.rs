//! Broken requests: each is refused with what is wrong, and nothing of the patient is repeated.

use serde_json::{Value, json};

use crate::fixture::{post, post_bytes, request};

fn changed(change: impl Fn(&mut Value)) -> Value {
    let mut request = request();
    change(&mut request);
    request
}

fn without(path: &[&str]) -> Value {
    changed(|request| {
        let (last, parents) = path.split_last().unwrap();
        let parent = parents.iter().fold(request, |at, name| &mut at[*name]);
        parent.as_object_mut().unwrap().remove(*last);
    })
}

#[tokio::test]
async fn requests_that_are_no_cds_hooks_requests() {
    const UUID: &str = "`hookInstance` must be a UUID";
    const ID: &str = "`context.patientId` must be a FHIR id";
    let cases: Vec<(Value, &[&str])> = vec![
        (
            json!({}),
            &["missing: `hook`, `hookInstance`, `context`, `context.patientId`, `context.userId`"],
        ),
        (without(&["hook"]), &["missing: `hook`\n"]),
        (without(&["hookInstance"]), &["missing: `hookInstance`\n"]),
        (
            without(&["context"]),
            &["missing: `context`, `context.patientId`, `context.userId`\n"],
        ),
        (
            without(&["context", "patientId"]),
            &["missing: `context.patientId`\n"],
        ),
        (
            without(&["context", "userId"]),
            &["missing: `context.userId`\n"],
        ),
        (
            changed(|r| r["hook"] = json!("order-sign")),
            &["this service answers the hook `patient-view`"],
        ),
        (
            changed(|r| r["hook"] = json!(7)),
            &["`hook` must be a string"],
        ),
        (
            changed(|r| r["hook"] = json!("")),
            &["`hook` must be a string"],
        ),
        (changed(|r| r["hook"] = Value::Null), &["missing: `hook`\n"]),
        (changed(|r| r["hookInstance"] = json!("")), &[UUID]),
        (changed(|r| r["hookInstance"] = json!({})), &[UUID]),
        (
            changed(|r| r["context"] = json!([])),
            &["`context` must be an object"],
        ),
        (
            changed(|r| r["context"] = json!("p1")),
            &["`context` must be an object"],
        ),
        (
            changed(|r| r["context"]["patientId"] = json!("Group/p1")),
            &[ID],
        ),
        (changed(|r| r["context"]["patientId"] = json!("")), &[ID]),
        (changed(|r| r["context"]["patientId"] = json!(1)), &[ID]),
        (
            changed(|r| r["context"]["patientId"] = json!("x".repeat(65))),
            &[ID],
        ),
        (
            changed(|r| r["context"]["userId"] = json!(1)),
            &["`context.userId` must be a reference"],
        ),
        (
            changed(|r| r["prefetch"] = json!([1])),
            &["`prefetch` must be an object"],
        ),
        (
            changed(|r| r["prefetch"] = json!("none")),
            &["`prefetch` must be an object"],
        ),
        (
            changed(|r| r["fhirServer"] = json!("ehr")),
            &["`fhirServer` must be an absolute"],
        ),
        (
            changed(|r| r["fhirAuthorization"] = json!({})),
            &["missing: `fhirServer`"],
        ),
        (
            changed(|r| r["fhirAuthorization"] = json!("x")),
            &["`fhirAuthorization` must be an object"],
        ),
        (
            changed(|r| {
                r["fhirServer"] = json!("https://ehr.example");
                r["fhirAuthorization"] = json!({"patient": "p2"});
            }),
            &["`fhirAuthorization.patient` is not `context.patientId`"],
        ),
        (
            changed(|r| {
                r["fhirServer"] = json!("https://ehr.example");
                r["fhirAuthorization"] = json!({"patient": 1});
            }),
            &["`fhirAuthorization.patient` must be a string"],
        ),
        (
            changed(|r| {
                r["fhirServer"] = json!("https://ehr.example");
                r["fhirAuthorization"] = json!({"patient": ["p1"]});
            }),
            &["`fhirAuthorization.patient` must be a string"],
        ),
        (
            changed(|r| {
                r["fhirServer"] = json!("https://ehr.example");
                r["fhirAuthorization"] = json!({"patient": {"id": "p1"}});
            }),
            &["`fhirAuthorization.patient` must be a string"],
        ),
        (
            changed(|r| {
                r["fhirServer"] = json!("https://ehr.example");
                r["fhirAuthorization"] = json!({"patient": true});
            }),
            &["`fhirAuthorization.patient` must be a string"],
        ),
        (
            changed(|r| {
                r["hook"] = json!("nonsense");
                r["hookInstance"] = json!(5);
                r["context"] = json!({});
            }),
            &[
                "missing: `context.patientId`, `context.userId`; ",
                "answers the hook",
                UUID,
            ],
        ),
    ];
    for (request, expected) in cases {
        let answer = post("a1c", &request).await;
        assert_eq!(answer.status, 400, "{request}");
        assert_eq!(answer.headers["content-type"], "application/fhir+json");
        for text in expected {
            assert!(answer.text.contains(text), "{text} in {}", answer.text);
        }
        for secret in ["Doe", "1960", "p1", "p2", "nonsense"] {
            assert!(!answer.text.contains(secret), "{secret} in {}", answer.text);
        }
    }
}

#[tokio::test]
async fn bodies_that_are_no_json_say_where() {
    let cases: [(&[u8], &str); 14] = [
        (
            b"",
            "EOF while parsing a value at line 1, column 0 (byte 0)",
        ),
        (b"   ", "EOF while parsing"),
        (b"Doe", "expected value at line 1, column 1 (byte 0)"),
        (
            b"{\"hook\":\n \"Doe\",}",
            "trailing comma at line 2, column 8 (byte 16)",
        ),
        (
            b"{\"hook\": 'Doe'}",
            "expected value at line 1, column 10 (byte 9)",
        ),
        (
            b"{\"hook\": \"Doe\"} x",
            "trailing characters at line 1, column 17 (byte 16)",
        ),
        (b"{\"hook\": \"Doe\" \"a\"}", "expected `,` or `}`"),
        (b"{\"a\": \"Doe\nx\"}", "control character"),
        (b"{\"a\": 01}", "invalid number"),
        // A byte order mark is passed over.
        (b"\xef\xbb\xbf{}", "missing: `hook`"),
        (
            b"{\"a\":\n\"\xff\"}",
            "a byte that is not UTF-8 at line 2, column 2 (byte 7)",
        ),
        (b"[\"Doe\"]", "an object was expected"),
        (b"\"Doe\"", "an object was expected"),
        (
            b"{\"Doe\": 1, \"Doe\": 2}",
            "a member occurs twice in one object",
        ),
    ];
    for (body, expected) in cases {
        let answer = post_bytes("a1c", body.to_vec()).await;
        assert_eq!(answer.status, 400, "{expected}");
        assert!(
            answer.text.contains(expected),
            "{expected} in {}",
            answer.text
        );
        assert!(!answer.text.contains("Doe"), "{}", answer.text);
    }
}

/// A body that is JSON and no object is no CDS Hooks request; it is not called "not valid JSON". What
/// occurs twice is not said to be missing.
#[tokio::test]
async fn json_that_is_no_request() {
    for body in ["[]", "null", r#""x""#, "1"] {
        let answer = post_bytes("a1c", body.into()).await;
        assert_eq!(answer.status, 400, "{body}");
        let said = "not a CDS Hooks request: an object was expected, with `hook`";
        assert!(answer.text.contains(said), "{body}: {}", answer.text);
    }
    let whole = request().to_string();
    let twice = whole.replace(
        r#""patientId":"p1""#,
        r#""patientId":"p1","patientId":"p1""#,
    );
    assert_ne!(twice, whole);
    let answer = post_bytes("a1c", twice.into_bytes()).await;
    let said = "`context` must be an object in which no member occurs twice";
    assert!(answer.text.contains(said), "{}", answer.text);
    assert!(!answer.text.contains("missing"), "{}", answer.text);
}

#[tokio::test]
async fn a_request_cut_short_anywhere_is_refused() {
    let whole = serde_json::to_vec(&request()).unwrap();
    assert_eq!(post_bytes("a1c", whole.clone()).await.status, 200);
    for end in 0..whole.len() {
        let answer = post_bytes("a1c", whole[..end].to_vec()).await;
        assert_eq!(answer.status, 400, "cut at {end}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_request_with_any_one_byte_changed_never_panics() {
    let whole = serde_json::to_vec(&request()).unwrap();
    for at in 0..whole.len() {
        for byte in [b'"', b'{', b']', b',', b'0', b'\\', 0, 0xff] {
            let mut body = whole.clone();
            body[at] = byte;
            let answer = post_bytes("a1c-or-say", body).await;
            assert!(
                matches!(answer.status.as_u16(), 200 | 400),
                "{at}: {}",
                answer.text
            );
        }
    }
}

#[tokio::test]
async fn deep_nesting_is_refused_or_unknown_but_does_not_overflow() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(
        post_bytes("a1c", deep.clone().into_bytes()).await.status,
        400
    );
    let text = serde_json::to_string(&request()).unwrap();
    let inside = text.replace(r#""E11.9""#, &deep);
    assert_ne!(inside, text);
    let answer = post_bytes("a1c", inside.into_bytes()).await;
    assert_eq!(answer.status, 412, "{}", answer.text);
}

#[tokio::test]
async fn a_fhir_server_that_is_no_base_url() {
    for server in [
        json!("ehr"),
        json!("ftp://ehr.example"),
        json!("https://"),
        json!("https:///fhir"),
        json!("https:ehr.example"),
        json!("https://a b/fhir"),
        json!("https://user@ehr.example/fhir"),
        json!("https://ehr.example:x/fhir"),
        json!("https://ehr.example/fhir?x=1"),
        json!("https://ehr.example/fhir#x"),
        json!("https://ehr.example/\n"),
        json!(7),
        json!([]),
        json!({}),
    ] {
        let answer = post("a1c", &changed(|r| r["fhirServer"] = server.clone())).await;
        assert_eq!(answer.status, 400, "{server}");
        assert!(
            answer.text.contains("`fhirServer` must be an absolute"),
            "{}",
            answer.text
        );
    }
    for server in [
        "http://localhost:8080/fhir",
        "https://[::1]/fhir",
        "HTTPS://ehr.example",
        "http://10.1.2.3/r4/",
    ] {
        let answer = post("a1c", &changed(|r| r["fhirServer"] = json!(server))).await;
        assert_eq!(answer.status, 200, "{server}: {}", answer.text);
    }
}

/// Whatever stands there instead, and however much of it.
#[tokio::test]
async fn a_prefetch_is_an_object_or_nothing() {
    let whole = request().to_string();
    let sent = request()["prefetch"].to_string();
    for wrong in [
        "[0]",
        r#"[{"patient":null},[1,"x"]]"#,
        r#""none""#,
        r#""\u0041""#,
        "true",
        "0",
        "-1",
        "1.5",
        r#"{"patient":null,"x":{},"patient":null}"#,
    ] {
        let body = whole.replace(&sent, wrong);
        assert_ne!(body, whole);
        let answer = post_bytes("a1c", body.into_bytes()).await;
        assert_eq!(answer.status, 400, "{wrong}");
        let text = match wrong.starts_with('{') {
            true => "`prefetch` must be an object in which no member occurs twice",
            false => "`prefetch` must be an object with the keys of `/cds-services`",
        };
        assert!(answer.text.contains(text), "{wrong}: {}", answer.text);
    }
    for none in ["null", "[]"] {
        let none = whole.replace(&sent, none);
        assert_eq!(post_bytes("a1c", none.into_bytes()).await.status, 412);
    }
}
