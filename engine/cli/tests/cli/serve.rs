//! `tandem serve` from outside: what it refuses at the start, and what a client gets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

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
        tandem!("serve", "--listen", any, "--allow-origin", origin)
            .fails(2, &["--allow-origin", "as in https://ehr.example.org"]);
    }
    tandem!("serve", "--listen", any, "--max-body", "0").fails(2, &["--max-body", "1 or more"]);
    tandem!("serve", "--listen", any, "--measure", "CMS122").fails(2, &["--package"]);
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
        "--listen",
        "127.0.0.1:0",
        "--strict",
        "--rules",
        rules
    )
    .fails(3, &[why, "--strict"]);

    let mut server = Server::start(&["--rules", rules.to_str().unwrap()]);
    let list = server.get("/cds-services/");
    assert!(list.starts_with("HTTP/1.1 200"), "{list}");
    assert!(!list.contains("\"far\""), "{list}");
    let query = "Encounter?patient={{context.patientId}}&_include=Encounter:service-provider";
    assert!(list.contains(query), "{list}");
    let none = server.get("/cds-services/far/");
    assert!(none.starts_with("HTTP/1.1 404"), "{none}");
    let said = server.end();
    assert!(said.contains(why), "{said}");
}

/// A server on a port of its own.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(args: &[&str]) -> Self {
        let mut child = Command::new(crate::tandem())
            .args(["serve", "--listen", "127.0.0.1:0"])
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
        Server { child, address }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// What it said on standard error.
    fn end(&mut self) -> String {
        self.child.kill().unwrap();
        let mut said = String::new();
        let mut err = self.child.stderr.take().unwrap();
        err.read_to_string(&mut said).unwrap();
        self.child.wait().unwrap();
        said
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
