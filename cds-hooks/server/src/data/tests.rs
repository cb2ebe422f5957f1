use std::path::Path;
use std::sync::{Arc, Mutex};

use cds_hooks::seams::{Authorization, Caller, KeyAsk, Secret as SeamSecret};
use outbound::{Allowed, Limits as ClientLimits, System};
use serde_json::{Value, json};

use super::*;
use crate::settings::Machine;

// Of what the server of the next line is made.
use futures as _;

#[path = "../../../outbound/tests/it/server.rs"]
pub(super) mod server;

use server::{Reply, Server, fhir};

/// A source for the FHIR servers of two clients, and what operators are told.
struct Rig {
    source: FhirData,
    told: Arc<Mutex<Vec<String>>>,
}

fn rig(north: &str, south: &str) -> Rig {
    let text = format!(
        r#"
[server]
public_url = "https://cds.example"
[outbound]
plain_http = true
timeout = "10s"
max_pages = 3
[[fhir_server]]
name = "north"
url = "{north}/fhir"
private_ranges = ["127.0.0.0/8"]
[[fhir_server]]
name = "south"
url = "{south}/fhir"
private_ranges = ["127.0.0.0/8"]
[[client]]
name = "ehr"
iss = "i"
jku = ["http://127.0.0.1:1/keys"]
fhir_servers = ["north"]
[[client]]
name = "none"
iss = "j"
jku = ["http://127.0.0.1:1/keys"]
"#
    );
    let settings = Settings::read(&text, Path::new("t.toml"), &Machine).unwrap();
    let allowed = [north, south].map(|origin| Allowed {
        plain_http: true,
        networks: vec!["127.0.0.0/8".parse().unwrap()],
        ..Allowed::new(origin)
    });
    let limits = ClientLimits::default();
    let client = Client::new(&allowed, limits, Arc::new(System::default())).unwrap();
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let tell: Tell = {
        let told = Arc::clone(&told);
        Arc::new(move |what| told.lock().unwrap().push(what.to_owned()))
    };
    Rig {
        source: FhirData::of(client, &settings, tell),
        told,
    }
}

/// A call, as far as it matters here.
struct Call {
    client: Option<&'static str>,
    server: String,
    authorization: Option<Authorization>,
}

fn granted(scope: &str, expires_in: Option<i64>) -> Option<Authorization> {
    Some(Authorization {
        access_token: SeamSecret::new("t0k3n"),
        expires_in,
        scope: scope.to_owned(),
        subject: "cds".to_owned(),
        patient: Some("p1".to_owned()),
    })
}

impl Call {
    fn of(server: &Server) -> Self {
        Call {
            client: Some("ehr"),
            server: format!("{}/fhir", server.origin()),
            authorization: granted("patient/Observation.rs", Some(300)),
        }
    }

    async fn fetch(
        &self,
        rig: &Rig,
        keys: &[(&str, Option<&str>)],
    ) -> Vec<Result<Value, KeyFailure>> {
        let caller = Caller {
            client: self.client.map(Arc::from),
            ..Caller::anyone()
        };
        let names: Vec<String> = (0..keys.len()).map(|n| format!("key{n}")).collect();
        let keys: Vec<KeyAsk<'_>> = names
            .iter()
            .zip(keys)
            .map(|(key, (template, next))| KeyAsk {
                key,
                template,
                next: *next,
            })
            .collect();
        let ask = DataAsk {
            caller: &caller,
            server: &self.server,
            authorization: self.authorization.as_ref(),
            patient: "p1",
            tokens: &[("context.patientId".to_owned(), "p1".to_owned())],
            keys: &keys,
            deadline: Instant::now() + Duration::from_secs(5),
        };
        let answers = rig.source.fetch(ask).await;
        let asked: Vec<&str> = answers.iter().map(|a| a.key.as_str()).collect();
        assert_eq!(asked, names.iter().map(String::as_str).collect::<Vec<_>>());
        let json = |data: KeyData| serde_json::from_str(&data.json).unwrap();
        answers.into_iter().map(|a| a.answer.map(json)).collect()
    }
}

const OBSERVATIONS: (&str, Option<&str>) = ("Observation?patient={{context.patientId}}", None);

fn observations(count: usize) -> Vec<Value> {
    let one = |id| json!({"resourceType": "Observation", "id": format!("o{id}"), "subject": {"reference": "Patient/p1"}});
    (0..count).map(one).collect()
}

#[tokio::test]
async fn item_31_missing_keys_are_fetched_and_what_fails_says_why() {
    let server = Server::start(fhir(observations(3), 2)).await;
    let rig = rig(&server.origin(), "http://127.0.0.2:1");
    let next = format!("{}/fhir/Observation?patient=p1&_page=2", server.origin());
    let keys = [
        OBSERVATIONS,
        OBSERVATIONS,
        ("Patient/{{context.patientId}}", None),
        ("Encounter/{{context.encounterId}}", None),
        (
            "Observation?patient={{context.patientId}}",
            Some(next.as_str()),
        ),
        (
            "Observation?patient={{context.patientId}}",
            Some("http://169.254.169.254/x"),
        ),
        ("Observation?date=ge{{today()}}", None),
    ];
    let found = Call::of(&server).fetch(&rig, &keys).await;
    let entries = |n: usize| {
        found[n].as_ref().unwrap()["entry"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!((entries(0), entries(1), entries(4)), (3, 3, 1));
    let failed = |n: usize| found[n].as_ref().unwrap_err();
    // That a patient is not there is not what a server says by 404.
    assert_eq!(*failed(2), KeyFailure::Status(404));
    assert_eq!(
        *failed(3),
        KeyFailure::NoValue("context.encounterId".to_owned())
    );
    assert!(matches!(failed(5), KeyFailure::Other(text) if text.contains("next page")));
    assert!(matches!(failed(6), KeyFailure::Other(_)));
    for seen in server.seen() {
        assert_eq!(seen.header("authorization"), Some("Bearer t0k3n"));
    }
}

#[tokio::test]
async fn item_44_a_client_has_its_own_servers() {
    let server = Server::start(fhir(observations(1), 2)).await;
    let other = Server::start(fhir(observations(1), 2)).await;
    let rig = rig(&server.origin(), &other.origin());
    let mut call = Call::of(&server);
    let base = call.server.clone();
    for (client, server, may) in [
        (Some("ehr"), base.clone(), true),
        (Some("ehr"), format!("{base}/"), true),
        (Some("ehr"), format!("{}/fhir", other.origin()), false),
        (Some("ehr"), format!("{}/fhir-test", server.origin()), false),
        (Some("ehr"), server.origin(), false),
        (Some("ehr"), format!("{base}/../admin"), false),
        (Some("ehr"), base.replace("http:", "https:"), false),
        (Some("ehr"), "http://169.254.169.254/fhir".to_owned(), false),
        (Some("none"), base.clone(), false),
        (Some("unknown"), base.clone(), false),
        (None, base.clone(), true),
        (None, format!("{}/fhir", other.origin()), true),
        (None, "http://127.0.0.1:1/fhir".to_owned(), false),
    ] {
        (call.client, call.server) = (client, server);
        let found = call.fetch(&rig, &[OBSERVATIONS]).await;
        match may {
            true => assert!(found[0].is_ok(), "{client:?} {}: {found:?}", call.server),
            false => assert_eq!(
                found[0],
                Err(KeyFailure::NotAllowed),
                "{client:?} {}",
                call.server
            ),
        }
    }
    assert_eq!((server.seen().len(), other.seen().len()), (3, 1));
    // Nine were refused; operators are told once of each client, where it wanted to, and where it may.
    let told = rig.told.lock().unwrap().clone();
    assert_eq!(told.len(), 4, "{told:?}");
    for said in [
        format!("client `ehr` named {} as `fhirServer`", other.origin()),
        format!("its `fhir_servers` has {base} only"),
    ] {
        assert!(told[0].contains(&said), "{said}: {told:?}");
    }
    assert!(told[1].ends_with("its `fhir_servers` has none"), "{told:?}");
}

#[tokio::test]
async fn item_45_scopes_of_both_versions_and_tokens_that_are_over() {
    let server = Server::start(fhir(observations(1), 2)).await;
    let rig = rig(&server.origin(), "http://127.0.0.2:1");
    let mut call = Call::of(&server);
    for scope in [
        "patient/Observation.read user/*.read",
        "patient/Observation.rs user/*.cruds",
        "",
    ] {
        call.authorization = granted(scope, Some(1));
        assert!(
            call.fetch(&rig, &[OBSERVATIONS]).await[0].is_ok(),
            "{scope}"
        );
    }
    call.authorization = granted("patient/*.rs", None);
    assert!(call.fetch(&rig, &[OBSERVATIONS]).await[0].is_ok());
    let sent = server.seen().len();
    for seconds in [0, -5] {
        call.authorization = granted("patient/*.rs", Some(seconds));
        assert_eq!(
            call.fetch(&rig, &[OBSERVATIONS]).await[0],
            Err(KeyFailure::NoToken)
        );
    }
    let mut another = granted("patient/*.rs", Some(300));
    another.as_mut().unwrap().patient = Some("p2".to_owned());
    call.authorization = another;
    assert_eq!(
        call.fetch(&rig, &[OBSERVATIONS]).await[0],
        Err(KeyFailure::NotAllowed)
    );
    assert_eq!(server.seen().len(), sent);
}

#[tokio::test]
async fn item_40_servers_that_want_a_token() {
    let server = Server::start(|seen| match seen.header("authorization") {
        None => Reply::outcome(401, "login"),
        Some(_) => Reply::outcome(403, "forbidden"),
    })
    .await;
    let rig = rig(&server.origin(), "http://127.0.0.2:1");
    let mut call = Call::of(&server);
    assert_eq!(
        call.fetch(&rig, &[OBSERVATIONS]).await[0],
        Err(KeyFailure::Refused(403))
    );
    call.authorization = None;
    assert_eq!(
        call.fetch(&rig, &[OBSERVATIONS]).await[0],
        Err(KeyFailure::NoToken)
    );
    let told = rig.told.lock().unwrap().join("\n");
    assert!(
        told.contains("forbidden") && told.contains(&server.origin()),
        "{told}"
    );
    assert!(
        !told.contains("Smith") && !told.contains("patient=") && !told.contains("t0k3n"),
        "{told}"
    );
}

/// Another reason at the same server has a line of its own at once; the same one has not.
#[tokio::test]
async fn each_reason_is_told_when_it_comes_up() {
    let answers = Arc::new(std::sync::atomic::AtomicU16::new(0));
    let next = Arc::clone(&answers);
    let server =
        Server::start(
            move |_| match next.fetch_add(1, std::sync::atomic::Ordering::SeqCst) / 2 {
                0 => Reply::outcome(500, "exception"),
                1 => Reply::outcome(400, "invalid"),
                _ => Reply::outcome(400, "processing"),
            },
        )
        .await;
    let rig = rig(&server.origin(), "http://127.0.0.2:1");
    let call = Call::of(&server);
    for _ in 0..6 {
        assert!(call.fetch(&rig, &[OBSERVATIONS]).await[0].is_err());
    }
    let told = rig.told.lock().unwrap().clone();
    assert_eq!(told.len(), 3, "{told:?}");
    for (line, said) in told.iter().zip(["500", "invalid", "processing"]) {
        assert!(line.contains(said), "{told:?}");
    }
}

#[tokio::test]
async fn item_33_pages_that_do_not_end_leave_a_next_link() {
    let server = Server::start(fhir(observations(10), 2)).await;
    let rig = rig(&server.origin(), "http://127.0.0.2:1");
    let found = Call::of(&server).fetch(&rig, &[OBSERVATIONS]).await;
    let bundle = found[0].as_ref().unwrap();
    assert_eq!(bundle["entry"].as_array().unwrap().len(), 6);
    let links = bundle["link"].as_array().unwrap();
    assert!(links.iter().any(|link| link["relation"] == "next"));
    let told = rig.told.lock().unwrap().clone();
    assert!(told[0].contains("more than 3 pages"), "{told:?}");
}

#[tokio::test]
async fn what_is_late_is_told_within_the_deadline() {
    let server = Server::start(|_| Reply::Half).await;
    let rig = rig(&server.origin(), "http://127.0.0.2:1");
    let call = Call::of(&server);
    let start = Instant::now();
    let caller = Caller {
        client: Some(Arc::from("ehr")),
        ..Caller::anyone()
    };
    let keys = [KeyAsk {
        key: "k",
        template: OBSERVATIONS.0,
        next: None,
    }];
    let deadline = Instant::now() + Duration::from_millis(300);
    let ask = DataAsk {
        caller: &caller,
        server: &call.server,
        authorization: call.authorization.as_ref(),
        patient: "p1",
        tokens: &[("context.patientId".to_owned(), "p1".to_owned())],
        keys: &keys,
        deadline,
    };
    let answers = rig.source.fetch(ask).await;
    assert!(matches!(answers[0].answer, Err(KeyFailure::TimedOut)));
    assert!(start.elapsed() < Duration::from_secs(10));
}
