use axum::body::{Body, to_bytes};
use axum::http::request::Parts;
use cds_hooks::seams::{BoxFuture, Caller, Permissions};
use engine_patient::system::zone::UTC;
use tower::ServiceExt as _;

use super::*;
use crate::live::LiveSet;

/// Who sends `Bearer metrics` may read metrics, and so on.
struct Words;

impl Admission for Words {
    fn admit<'a>(
        &'a self,
        head: &'a Parts,
        _endpoint: Endpoint<'a>,
        _at: i64,
    ) -> BoxFuture<'a, Result<Caller, NotAdmitted>> {
        let token = head.headers.get("authorization");
        let word = token.and_then(|t| t.to_str().ok()?.strip_prefix("Bearer "));
        let caller = match word {
            Some(word) => Ok(Caller {
                permissions: Permission::of(word).into_iter().collect::<Permissions>(),
                ..Caller::default()
            }),
            None => Err(NotAdmitted::Unauthorized("missing".into())),
        };
        Box::pin(std::future::ready(caller))
    }
}

struct Server {
    admin: Arc<Admin>,
    wishes: mpsc::Receiver<Wish>,
}

fn server(readers: Readers, checks: Checks) -> Server {
    let (sender, wishes) = mpsc::channel(1);
    let admin = Admin {
        admission: Arc::new(Words),
        clock: Arc::new(|| UTC.moment(1_700_000_000_000)),
        metrics: Metrics::new(),
        has_metrics: true,
        readers,
        state: Arc::default(),
        checks,
        ending: Arc::default(),
        wishes: sender,
    };
    Server {
        admin: Arc::new(admin),
        wishes,
    }
}

async fn ask(
    server: &Server,
    is_local: bool,
    method: &str,
    path: &str,
    token: Option<&str>,
) -> (u16, String) {
    let mut request = axum::http::Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Body::empty()).unwrap();
    let router = routes(Arc::clone(&server.admin), is_local);
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

fn set() -> LiveSet {
    LiveSet {
        tenant: None,
        configuration: "c0ffee".into(),
        loaded: "2026-01-01T00:00:00Z".into(),
        services: vec!["patient-view".into()],
        rules: vec![],
        notes: vec![],
    }
}

#[tokio::test]
async fn who_may_read_what() {
    let server = server(Readers::Local, Checks::default());
    server.admin.state.loaded(set());
    for (path, permission) in [("/metrics", "metrics"), ("/admin/live", "admin")] {
        assert_eq!(ask(&server, true, "GET", path, None).await.0, 200, "{path}");
        let (status, body) = ask(&server, false, "GET", path, None).await;
        assert_eq!((status, body.as_str()), (401, ""), "{path}");
        assert_eq!(ask(&server, false, "GET", path, Some("call")).await.0, 403);
        assert_eq!(
            ask(&server, false, "GET", path, Some(permission)).await.0,
            200
        );
    }
    assert_eq!(
        ask(&server, false, "POST", "/admin/reload", None).await.0,
        401
    );
    let text = server.admin.metrics.text();
    assert!(
        text.contains(
            "tandem_callers_refused_total{endpoint=\"other\",status=\"401\",reason=\"missing\"} 3"
        ),
        "{text}"
    );
}

#[tokio::test]
async fn only_those_who_are_permitted_where_it_says_so() {
    let permitted = server(Readers::Permitted, Checks::default());
    assert_eq!(ask(&permitted, true, "GET", "/metrics", None).await.0, 401);
    assert_eq!(
        ask(&permitted, true, "GET", "/metrics", Some("metrics"))
            .await
            .0,
        200
    );
    let all = server(Readers::All, Checks::default());
    assert_eq!(ask(&all, false, "GET", "/metrics", None).await.0, 200);
    // What changes the server is never for all.
    assert_eq!(ask(&all, false, "POST", "/admin/reload", None).await.0, 401);
}

#[tokio::test]
async fn readiness_tells_why_only_to_those_who_may_know() {
    let mut checks = Checks::default();
    checks.add(
        "store",
        Box::new(|| Box::pin(async { Err("the disk is full".to_owned()) })),
    );
    let server = server(Readers::Local, checks);
    server.admin.state.loaded(set());
    let (status, body) = ask(&server, false, "GET", "/readyz", None).await;
    assert_eq!((status, body.as_str()), (503, "{\"status\":\"not-ready\"}"));
    for (is_local, token) in [(true, None), (false, Some("metrics"))] {
        let (status, body) = ask(&server, is_local, "GET", "/readyz", token).await;
        assert_eq!(status, 503);
        assert!(
            body.contains("the disk is full") && body.contains("c0ffee"),
            "{body}"
        );
    }
    let (_, body) = ask(&server, false, "GET", "/readyz", Some("call")).await;
    assert!(!body.contains("disk"), "{body}");
    // Who asks for the status only was refused nothing.
    let text = server.admin.metrics.text();
    assert!(!text.contains("reason=\"missing\""), "{text}");
    assert_eq!(ask(&server, false, "GET", "/healthz", None).await.0, 200);
}

#[tokio::test]
async fn what_calls_can_do_without_is_told_and_keeps_nothing_from_being_ready() {
    let mut checks = Checks::default();
    let away = || Box::pin(async { Err("is away".to_owned()) });
    checks.add_minor("store", Box::new(move || away()));
    let server = server(Readers::Local, checks);
    server.admin.state.loaded(set());
    let (status, body) = ask(&server, true, "GET", "/readyz", None).await;
    assert_eq!(status, 200, "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["impaired"][0]["why"], "is away");
    assert_eq!(body["notReady"], json!([]));
}

/// A page in a browser on this machine, or what came through a proxy, is not this machine.
#[tokio::test]
async fn who_asks_through_this_machine_is_not_on_it() {
    let server = server(Readers::Local, Checks::default());
    server.admin.state.loaded(set());
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("x-forwarded-for", "192.0.2.1"),
        ("host", "evil.example:8080"),
    ] {
        for (method, path) in [
            ("GET", "/metrics"),
            ("GET", "/admin/live"),
            ("POST", "/admin/reload"),
        ] {
            let request = axum::http::Request::builder().method(method).uri(path);
            let request = request.header(name, value).body(Body::empty()).unwrap();
            let router = routes(Arc::clone(&server.admin), true);
            let response = router.oneshot(request).await.unwrap();
            assert_eq!(response.status(), 401, "{name} {path}");
        }
    }
}

#[tokio::test]
async fn without_rules_nothing_is_ready() {
    let server = server(Readers::Local, Checks::default());
    let (status, body) = ask(&server, true, "GET", "/readyz", None).await;
    assert_eq!(status, 503);
    assert!(body.contains("none are loaded"), "{body}");
    server.admin.state.loaded(set());
    assert_eq!(ask(&server, true, "GET", "/readyz", None).await.0, 200);
    // One that was asked to end is not to be sent anything more.
    server.admin.ending.store(true, Ordering::Relaxed);
    let (status, body) = ask(&server, true, "GET", "/readyz", None).await;
    assert!(status == 503 && body.contains("it ends"), "{body}");
}

#[tokio::test]
async fn a_reload_says_what_came_of_it() {
    let mut server = server(Readers::Local, Checks::default());
    server.admin.state.loaded(set());
    let (sender, mut wishes) = mpsc::channel(1);
    std::mem::swap(&mut wishes, &mut server.wishes);
    drop(sender);
    let doing = tokio::spawn(async move {
        wishes.recv().await.unwrap().0.send(vec![]).unwrap();
        let why = live::Failed {
            part: "rules",
            tenant: None,
            at: "2026".into(),
            why: vec!["a.yaml:1:1: x".into()],
        };
        wishes.recv().await.unwrap().0.send(vec![why]).unwrap();
    });
    let (status, body) = ask(&server, true, "POST", "/admin/reload", None).await;
    assert_eq!(status, 200, "{body}");
    let (status, body) = ask(&server, true, "POST", "/admin/reload", None).await;
    assert_eq!(status, 422, "{body}");
    assert!(body.contains("a.yaml:1:1: x"), "{body}");
    doing.await.unwrap();
    // Nobody takes wishes any more.
    assert_eq!(
        ask(&server, true, "POST", "/admin/reload", None).await.0,
        503
    );
    assert_eq!(
        ask(&server, true, "GET", "/admin/reload", None).await.0,
        405
    );
}
