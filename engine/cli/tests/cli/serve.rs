//! `tandem serve` from outside: what it refuses at the start, and what a client gets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::support::{file, folder};

/// A rule that asks for something that belongs to no patient.
fn rule(id: &str, satisfied: &str) -> String {
    format!(
        r#"id: {id}
version: 1.0.0
kind: care-gap
title: A place
description: What it does.
rationale: Why.
source: {{title: T, publisher: P, year: 2025, url: "https://example.org/a", strength: A}}
improvement: increase
eligible: ageInYearsAt(at) >= 18
excluded: Organization().exists(o, has(o.name))
satisfied: {satisfied}
unknown: card
card:
  indicator: info
  summary: Due
  detail: Due.
  unknown_summary: Not checked
cases:
  - name: fires
    at: 2025-12-31T12:00:00Z
    patient: {{birthDate: 1960-01-01}}
    expect: {{applies: yes}}
  - name: does not fire
    at: 2025-12-31T12:00:00Z
    patient: {{birthDate: 2020-01-01}}
    expect: {{applies: no}}
  - name: missing
    at: 2025-12-31T12:00:00Z
    patient: {{gender: female}}
    expect: {{applies: unknown}}
"#
    )
}

#[test]
fn what_cannot_be_served_is_said_before_it_listens() {
    let any = "127.0.0.1:0";
    for origin in ["ehr.example.org", "https://ehr.example.org/app"] {
        tandem!(
            "serve",
            "--insecure-dev",
            "--listen",
            any,
            "--allow-origin",
            origin
        )
        .fails(2, &["--allow-origin", "as in https://ehr.example.org"]);
    }
    tandem!("serve", "--listen", any, "--max-body", "0").fails(2, &["--max-body", "1 or more"]);
    tandem!(
        "serve",
        "--insecure-dev",
        "--listen",
        any,
        "--measure",
        "CMS122"
    )
    .fails(2, &["--package"]);
}

#[test]
fn a_service_that_nobody_could_call_is_not_served() {
    let scratch = folder();
    let rules = scratch.path();
    let far = rule("far", "Condition().exists(c, has(c.code))");
    let near = rule("near", "Encounter().exists(e, has(e.type))");
    file(rules.join("far.yaml"), far);
    file(rules.join("near.yaml"), near);
    let why = "far: no service, since it needs what a client cannot prefetch: Organization: it belongs to no patient, and no search parameter of what is asked for (Condition) refers to it";
    tandem!(
        "serve",
        "--insecure-dev",
        "--listen",
        "127.0.0.1:0",
        "--strict",
        "--rules",
        rules
    )
    .fails(
        3,
        &[
            "far: no service, since it needs what a client cannot prefetch",
            "--strict",
        ],
    );

    let mut server = Server::start(&["--rules", rules.to_str().unwrap()]);
    let list = server.get("/cds-services/");
    assert!(list.starts_with("HTTP/1.1 200"), "{list}");
    assert!(!list.contains("\"far\""), "{list}");
    let query = "Encounter?patient={{context.patientId}}&_include=Encounter:service-provider";
    assert!(list.contains(query), "{list}");
    let none = server.get("/cds-services/far/");
    assert!(none.starts_with("HTTP/1.1 404"), "{none}");
    // Lines are broken where a page ends.
    let said = server.end();
    let words: Vec<&str> = said.split_whitespace().collect();
    assert!(words.join(" ").contains(why), "{said}");
}

/// Who may call is said by the operator: by default nobody.
#[test]
fn without_a_client_only_this_machine_is_served_and_only_when_it_is_asked_for() {
    tandem!("serve", "--listen", "127.0.0.1:0").fails(
        2,
        &[
            "no client is configured",
            "--insecure-dev",
            "--print-config",
        ],
    );
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8080"] {
        tandem!("serve", "--insecure-dev", "--listen", address)
            .fails(2, &["this machine only", address]);
    }
}

/// What is printed as an example is one.
#[test]
fn the_printed_settings_are_valid_and_all_that_is_wrong_is_told() {
    let printed = tandem!("serve", "--print-config").ok().out;
    let scratch = folder();
    let path = scratch.path().join("tandem.toml");
    // The tenant's rules are those of all, and its keys are fetched when it listens.
    file(path.clone(), &printed);
    tandem!("serve", "--config", &path, "--check").ok();
    file(path.clone(), "[server]\nlisten = 1\n[rulse]\n");
    tandem!("serve", "--config", &path, "--check").fails(
        2,
        &[
            "tandem.toml:2:10: `server.listen`",
            "tandem.toml:3:2: unknown name `rulse`",
            "did you mean `rules`?",
        ],
    );
}

/// A health check of a container has no other program to ask with.
#[test]
fn whether_it_is_ready() {
    let mut server = Server::start(&[]);
    let ask = |address: &str| tandem!("serve", "--listen", address, "--ready");
    ask(&server.address).ok();
    server.end();
    ask(&server.address).fails(1, &["does not answer"]);
}

const CLIENT: &str =
    "[[client]]\nname = \"ehr\"\niss = \"i\"\njku = [\"https://ehr.invalid/keys\"]\n";

/// What is written so, and is seldom meant so; and what a check cannot know.
#[test]
fn a_check_tells_what_is_seldom_meant_and_what_it_does_not_look_at() {
    let scratch = folder();
    let path = scratch.path().join("tandem.toml");
    file(
        path.clone(),
        format!("[server]\npublic_url = \"https://cds.example\"\n{CLIENT}roles = []\n"),
    );
    let said = tandem!("serve", "--config", &path, "--check").ok().err;
    let said: Vec<&str> = said.split_whitespace().collect();
    let said = said.join(" ");
    for part in [
        "there is no [store]: feedback is answered with 200 and kept nowhere",
        "client \"ehr\" has no role",
        "not looked at: `jku`",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

/// Who collects the log reads JSON: with settings nothing else stands on standard error.
#[test]
fn with_settings_all_that_is_told_is_json() {
    let scratch = folder();
    let path = scratch.path().join("tandem.toml");
    file(
        path.clone(),
        format!("[server]\npublic_url = \"https://cds.example\"\n{CLIENT}"),
    );
    let mut server = Server::start(&["--config", path.to_str().unwrap()]);
    let list = server.get("/cds-services");
    assert!(list.starts_with("HTTP/1.1 200"), "{list}");
    server.terminate();
    let said = server.end();
    let told: Vec<String> = said
        .lines()
        .map(|line| {
            let line: serde_json::Value =
                serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
            line["server"].as_str().unwrap_or_default().to_owned()
        })
        .collect();
    for part in [
        "note: --listen, --group-by over what",
        "draft rules are not used",
        "there is no [store]",
        concat!(
            "Tandem ",
            env!("CARGO_PKG_VERSION"),
            " answers at http://127.0.0.1:"
        ),
        "it has ended",
    ] {
        assert!(
            told.iter().any(|line| line.contains(part)),
            "{part}: {told:#?}"
        );
    }
}

/// Of several files that are not there each is told.
#[test]
fn all_files_that_are_not_there_are_told_at_once() {
    let scratch = folder();
    let path = scratch.path().join("tandem.toml");
    file(
        path.clone(),
        format!(
            "[server]\npublic_url = \"https://cds.example\"\n{CLIENT}[[tenant]]\nname = \"north\"\n[tenant.rules]\npaths = [\"rulez\"]\nterminology = [\"setz\"]\nshadow = [\"candidatez\"]\n"
        ),
    );
    tandem!("serve", "--config", &path, "--check")
        .fails(2, &["tenant north", "rulez", "setz", "candidatez"]);
}

/// A rehearsal has one moment, whatever the time is.
#[test]
fn a_fixed_moment() {
    tandem!(
        "serve",
        "--insecure-dev",
        "--listen",
        "127.0.0.1:0",
        "--at",
        "May 2021"
    )
    .fails(2, &["--at May 2021", "2021-05-01"]);
    let mut server = Server::start(&["--at", "2021-05-01T10:00:00Z"]);
    let call = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../cds-hooks/examples/call.json"
    );
    let call = std::fs::read_to_string(call).unwrap();
    let answer = server.post("/cds-services/colorectal-cancer-screening", &call);
    assert!(answer.contains("Checked on 2021-05-01"), "{answer}");
    server.end();
    let said = server.rest.join("\n");
    assert!(
        said.contains("Every call is answered as at 2021-05-01T10:00:00"),
        "{said}"
    );
    // The hook stands beside the id.
    let listed = |line: &String| {
        line.split_whitespace()
            .eq(["colorectal-cancer-screening", "patient-view"])
    };
    assert!(server.rest.iter().any(listed), "{said}");
}

/// A server on a port of its own.
pub struct Server {
    child: Child,
    pub address: String,
    /// Lines that it printed behind the first, once it has ended.
    rest: Vec<String>,
    out: Option<BufReader<ChildStdout>>,
}

impl Server {
    pub fn start(args: &[&str]) -> Self {
        let mut child = Command::new(crate::tandem())
            .args([
                "serve",
                "--insecure-dev",
                "--group-by",
                "rule",
                "--listen",
                "127.0.0.1:0",
            ])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let url = line
            .split("http://")
            .nth(1)
            .unwrap_or_else(|| panic!("{line}"));
        let address = url.split('/').next().unwrap().to_owned();
        Server {
            child,
            address,
            rest: vec![],
            out: Some(out),
        }
    }

    fn get(&self, path: &str) -> String {
        self.exchange("GET", path, "")
    }

    fn post(&self, path: &str, body: &str) -> String {
        self.exchange("POST", path, body)
    }

    fn exchange(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Asks it to end, and waits until it has.
    fn terminate(&mut self) {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").arg(&id).status().unwrap();
        assert!(asked.success());
        self.child.wait().unwrap();
    }

    /// What it said on standard error.
    pub fn end(&mut self) -> String {
        // One that was asked to end has.
        let _ = self.child.kill();
        let mut said = String::new();
        let mut err = self.child.stderr.take().unwrap();
        err.read_to_string(&mut said).unwrap();
        self.child.wait().unwrap();
        let out = self.out.take().unwrap();
        self.rest = out.lines().map_while(Result::ok).collect();
        said
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
