//! `tandem doctor` from outside: what it finds of `tandem serve`, and what it cannot examine.

use serde_json::Value;

use crate::serve::Server;
use crate::support::{file, folder};

const ORIGIN: &str = "https://ehr.example.org";

#[test]
fn serve_passes() {
    let mut server = Server::start(&["--allow-origin", ORIGIN]);
    let url = format!("http://{}", server.address);
    let ran = tandem!(
        "doctor", "--url", &url, "--origin", ORIGIN, "--format", "json"
    )
    .ok();
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["passed"], true, "{report:#}");
    let ran = tandem!("doctor", "--url", &url, "--hostile", "300", "--seed", "3").ok();
    assert!(ran.out.contains("passed: 0 failures"), "{}", ran.out);
    server.end();
    // Now nobody is there.
    tandem!("doctor", "--url", &url).fails(1, &["FAILED: "]);
}

#[test]
fn what_cannot_be_examined() {
    let dir = folder();
    tandem!("doctor").fails(2, &["--url"]);
    tandem!("doctor", "--url", "cds.example").fails(2, &["cds.example", "no base URL"]);
    let none = dir.path().join("none.pem");
    let key = file(dir.path().join("key.pem"), "no key");
    let at = "http://127.0.0.1:9";
    tandem!(
        "doctor",
        "--url",
        at,
        "--token-key",
        &none,
        "--iss",
        "https://a.example"
    )
    .fails(2, &["none.pem"]);
    tandem!(
        "doctor",
        "--url",
        at,
        "--token-key",
        &key,
        "--iss",
        "https://a.example"
    )
    .fails(2, &["private key"]);
    tandem!("doctor", "--url", at, "--token-key", &key).fails(2, &["--iss"]);
    let bundle = file(
        dir.path().join("bundle.json"),
        r#"{"resourceType": "Bundle"}"#,
    );
    tandem!("doctor", "--url", at, "--patient", &bundle).fails(2, &["one Patient"]);
    tandem!("doctor", "--url", "https://127.0.0.1:9", "--hostile", "5").fails(3, &["plain HTTP"]);
    tandem!("doctor", "--url", at, "--hostile", "5").fails(2, &["lists no service"]);
}
