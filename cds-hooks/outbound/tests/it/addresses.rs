//! Which addresses are called, and which are not.

use std::sync::atomic::Ordering;

use outbound::{Allowed, Client, Family, Limits};

use super::names::{Names, after, client, local, with};
use super::server::{Reply, Server, resetting};

fn empty() -> Reply {
    Reply::raw(200, "application/json", "{}")
}

async fn family(client: &Client, url: &str) -> Family {
    let end = client.get_bytes(url, after(5000), 1000).await;
    end.expect_err(url).family
}

#[tokio::test]
async fn item_44_only_configured_origins_are_called() {
    let server = Server::start(|_| empty()).await;
    let (other, connections) = resetting().await;
    let client = client(&[local(&server.origin())]);
    let port = server.port;
    let url = format!("{}/keys", server.origin());
    assert!(client.get_bytes(&url, after(5000), 1000).await.is_ok());
    for url in [
        format!("http://127.0.0.1:{other}/keys"),
        format!("https://127.0.0.1:{port}/keys"),
        format!("http://127.0.0.2:{port}/keys"),
        format!("http://localhost:{port}/keys"),
        format!("http://[::1]:{port}/keys"),
        format!("http://[::ffff:7f00:1]:{port}/keys"),
        format!("http://user@127.0.0.1:{port}/keys"),
        format!("http://user:secret@127.0.0.1:{port}/keys"),
        format!("http://127.0.0.1:{port}@evil.example/keys"),
        format!("http://evil.example#@127.0.0.1:{port}/keys"),
        format!("http://127.0.0.1\\@evil.example:{port}/keys"),
        format!(" http://127.0.0.1:{port}/keys"),
        format!("http://127.0.0.1:{port}/ke\nys"),
        format!("//127.0.0.1:{port}/keys"),
        format!("ftp://127.0.0.1:{port}/keys"),
        "file:///etc/passwd".to_owned(),
        "data:application/json,{}".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "https://[fd00:ec2::254]/latest".to_owned(),
        "https://metadata.google.internal/".to_owned(),
        "/keys".to_owned(),
        String::new(),
        format!("http://127.0.0.1:{port}/{}", "x".repeat(9000)),
    ] {
        assert_eq!(family(&client, &url).await, Family::NotAllowed, "{url}");
        assert!(client.check(&url).is_err(), "{url}");
    }
    assert_eq!(server.lines(), ["GET /keys"]);
    assert_eq!(connections.load(Ordering::SeqCst), 0);
    let counts = client.counts();
    assert_eq!(counts[0].0, server.origin());
    assert_eq!((counts[0].1.ok, counts[0].1.not_allowed), (1, 0));
    assert_eq!((counts[1].1.ok, counts[1].1.not_allowed), (0, 23));
}

#[tokio::test]
async fn item_44_an_address_is_known_in_every_spelling() {
    let server = Server::start(|_| empty()).await;
    let port = server.port;
    // It is the same origin, however it is written.
    let allowed = client(&[local(&server.origin())]);
    for host in [
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "127。0。0。1",
    ] {
        let url = format!("http://{host}:{port}/x#fragment");
        let answer = allowed.get_bytes(&url, after(5000), 1000).await;
        assert!(answer.is_ok(), "{host}: {answer:?}");
    }
    assert!(server.lines().iter().all(|line| line == "GET /x"));
    // And it cannot be configured without its range.
    for host in [
        "127.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.0.0.1.",
        "10.0.0.1",
        "169.254.169.254",
        "[::1]",
        "[::ffff:7f00:1]",
        "[::ffff:127.0.0.1]",
        "[::7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "0",
    ] {
        let origin = Allowed {
            plain_http: true,
            ..Allowed::new(format!("http://{host}"))
        };
        let wrong = Client::new(&[origin], Limits::default(), Names::of(&[]));
        let wrong = wrong.err().expect(host);
        assert!(wrong[0].contains("address"), "{host}: {wrong:?}");
    }
}

#[tokio::test]
async fn item_44_the_addresses_of_a_name_are_checked() {
    let server = Server::start(|_| empty()).await;
    let port = server.port;
    for (addresses, kind) in [
        (&["127.0.0.1"][..], "loopback"),
        (&["10.1.2.3"], "private"),
        (&["169.254.169.254"], "link-local"),
        (&["::1"], "loopback"),
        (&["fd00:ec2::254"], "private"),
        (&["::ffff:127.0.0.1"], "mapped"),
        (&["64:ff9b::7f00:1"], "NAT64"),
        (&["100.64.0.1"], "NAT"),
        (&["0.0.0.0"], "unspecified"),
        // One of them is enough.
        (&["2001:4860:4860::8888", "127.0.0.1"], "loopback"),
    ] {
        let names = Names::of(&[("ehr.example", &[addresses])]);
        let origin = format!("http://ehr.example:{port}");
        let allowed = Allowed {
            plain_http: true,
            ..Allowed::new(&origin)
        };
        let client = with(&[allowed], Limits::default(), names);
        let url = format!("{origin}/Patient/12345?x=secret");
        let failure = client.get_bytes(&url, after(5000), 1000).await.unwrap_err();
        assert_eq!(failure.family, Family::NotAllowed, "{addresses:?}");
        let said = failure.to_string();
        assert!(said.contains(kind), "{said}");
        assert!(said.starts_with(&origin), "{said}");
        assert!(
            !said.contains("12345") && !said.contains("secret"),
            "{said}"
        );
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn item_44_dns_that_changes_its_answer() {
    let server = Server::start(|_| empty().with("connection", "close")).await;
    let port = server.port;
    // The first answer may be called, the second may not.
    let answers: &[&[&str]] = &[&["127.0.0.1"], &["127.0.0.2"], &["127.0.0.1"]];
    let names = Names::of(&[("ehr.example", answers)]);
    let origin = format!("http://ehr.example:{port}");
    let allowed = Allowed {
        networks: vec!["127.0.0.1/32".parse().unwrap()],
        ..local(&origin)
    };
    let client = with(&[allowed], Limits::default(), names.clone());
    let url = format!("{origin}/keys");
    assert!(client.get_bytes(&url, after(5000), 1000).await.is_ok());
    assert_eq!(family(&client, &url).await, Family::NotAllowed);
    assert!(client.get_bytes(&url, after(5000), 1000).await.is_ok());
    // One look-up for each connection: what was checked is what was connected to.
    assert_eq!(names.asked(), ["ehr.example"; 3]);
    assert_eq!(server.lines().len(), 2);
    // A name that nobody knows.
    let none = client_of("http://none.example");
    let unknown = family(&none, "http://none.example/").await;
    assert_eq!(unknown, Family::Unreachable);
}

fn client_of(origin: &str) -> Client {
    client(&[local(origin)])
}

#[tokio::test]
async fn item_44_redirects_are_not_followed_elsewhere() {
    let (other, connections) = resetting().await;
    let server = Server::start(move |seen| {
        let to = |place: &str| Reply::raw(302, "text/html", "").with("location", place);
        let host = seen.header("host").unwrap();
        match seen.path.as_str() {
            "/here" => to("/there"),
            "/there" => Reply::raw(200, "application/json", "[]"),
            "/circle" => to("/circle"),
            "/port" => to(&format!("http://127.0.0.1:{other}/x")),
            "/metadata" => to("http://169.254.169.254/latest/meta-data/"),
            "/user" => to(&format!("http://u:p@{host}/there")),
            "/scheme" => to("file:///etc/passwd"),
            _ => to("//evil.example/"),
        }
    })
    .await;
    let origin = server.origin();
    let strict = client(&[local(&origin)]);
    for path in ["here", "port", "metadata"] {
        let end = family(&strict, &format!("{origin}/{path}")).await;
        assert_eq!(end, Family::Status(302), "{path}");
    }
    let follows = client(&[Allowed {
        redirects: 2,
        ..local(&origin)
    }]);
    let url = format!("{origin}/here");
    let body = follows.get_bytes(&url, after(5000), 1000).await.unwrap();
    assert_eq!(body, "[]");
    for path in ["port", "metadata", "user", "scheme", "host"] {
        let end = family(&follows, &format!("{origin}/{path}")).await;
        assert_eq!(end, Family::NotAllowed, "{path}");
    }
    let end = family(&follows, &format!("{origin}/circle")).await;
    assert_eq!(end, Family::Status(302));
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

/// The environment is the process's, which tests share: so this one runs itself again in a process of its own.
#[tokio::test]
async fn proxies_of_the_environment_are_not_used() {
    const CHILD: &str = "OUTBOUND_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let names = Names::of(&[("ehr.example", &[&["127.0.0.9"]])]);
        let client = with(&[local("http://ehr.example:9")], Limits::default(), names);
        let end = family(&client, "http://ehr.example:9/").await;
        assert_eq!(end, Family::Unreachable);
        return;
    }
    let proxy = Server::start(|_| empty()).await;
    let origin = proxy.origin();
    let run = move || {
        std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "addresses::proxies_of_the_environment_are_not_used",
            ])
            .env(CHILD, "1")
            .env("HTTP_PROXY", &origin)
            .env("http_proxy", &origin)
            .env("ALL_PROXY", &origin)
            .output()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 passed"), "{said}");
    assert!(proxy.seen().is_empty());
}

#[test]
fn what_is_wrong_with_origins_is_said_at_once() {
    let wrong = Client::new(
        &[
            Allowed::new("ehr.example"),
            Allowed::new("http://ehr.example"),
            Allowed::new("https://ehr.example/fhir"),
            Allowed::new("https://u@ehr.example"),
            Allowed::new("ftp://ehr.example"),
            Allowed::new("https://ehr.example."),
            Allowed {
                authorities: Some("none".to_owned()),
                ..Allowed::new("https://a.example")
            },
            local("http://twice.example"),
            local("http://TWICE.example:80/"),
        ],
        Limits::default(),
        Names::of(&[]),
    )
    .err()
    .unwrap();
    let said = wrong.join("\n");
    assert_eq!(wrong.len(), 8, "{said}");
    for text in [
        "no URL",
        "in the clear",
        "more than an origin",
        "`https` and `http`",
        "ends with a dot",
        "BEGIN CERTIFICATE",
        "named twice",
    ] {
        assert!(said.contains(text), "{text}: {said}");
    }
}
