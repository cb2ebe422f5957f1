//! The first command of the README, and whether the commands that it prints can be run as printed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

/// `sh`, as the user would; the folder is where relative paths of printed commands start.
fn shell(command: &str, folder: &std::path::Path) -> std::process::Output {
    Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .output()
        .unwrap()
}

#[test]
fn what_the_demo_prints_can_be_run() {
    let folder = crate::support::folder();
    let dir = folder.path().join("demo");
    let ran = tandem!("demo", "--no-serve", "--patients", "60", "--dir", &dir).ok();
    for line in [
        "1. Invented 60 patients",
        "hba1c-control",
        "Next, with your own data",
    ] {
        assert!(ran.out.contains(line), "lacks `{line}`:\n{}", ran.out);
    }
    let (_, rest) = ran.out.split_once("\nAsk this lake more").unwrap();
    let (ask, _) = rest.split_once("\n\n").unwrap();
    let ask: Vec<&str> = ask.lines().skip(1).map(str::trim).collect();
    for (command, says) in ask.iter().zip(["open-gap", "female"]) {
        let asked = shell(command, folder.path());
        let answer = String::from_utf8_lossy(&asked.stdout);
        assert!(
            asked.status.success() && answer.contains(says),
            "{command}: {asked:?}"
        );
    }
    assert_eq!(ask.len(), 2, "{ask:?}");

    let export = dir.join("fhir").display().to_string();
    let (_, next) = ran.out.split_once("Next, with your own data").unwrap();
    let commands: Vec<&str> = next.lines().skip(1).map(str::trim).collect();
    let import = commands.iter().find(|c| c.contains(" import ")).unwrap();
    let measure = commands
        .iter()
        .find(|c| c.contains("measure run --lake"))
        .unwrap();
    for command in [import.replace("EXPORT", &export), (*measure).to_owned()] {
        let done = shell(&command, folder.path());
        assert!(done.status.success(), "{command}: {done:?}");
    }
    // What needs files that only the user has is at least a command of ours.
    for command in &commands {
        let mut words = command.split(' ');
        let mut known = vec![words.next().unwrap()];
        known.extend(words.take_while(|w| w.bytes().all(|b| b.is_ascii_lowercase())));
        if !known.contains(&"import") && !known.contains(&"help") {
            let help = shell(&format!("{} --help", known.join(" ")), folder.path());
            assert!(help.status.success(), "{command}: {help:?}");
        }
    }
}

/// The demo while it serves; it ends with this value.
struct Serving(std::process::Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A POST by hand, where there is no curl.
fn post(url: &str, body: &std::path::Path) -> String {
    let rest = url.strip_prefix("http://").unwrap();
    let (address, path) = rest.split_once('/').unwrap();
    let body = std::fs::read(body).unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    body.to_owned()
}

/// The demo ends with three calls: a care gap, an interaction, a patient who needs nothing.
#[test]
fn the_calls_that_the_demo_prints_are_answered() {
    let folder = crate::support::folder();
    let dir = folder.path().join("demo");
    let mut child = Command::new(crate::tandem())
        .args([
            "demo",
            "--patients",
            "20",
            "--listen",
            "127.0.0.1:0",
            "--dir",
        ])
        .arg(&dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let _serving = Serving(child);
    let mut commands = vec![];
    for line in out.lines() {
        let line = line.unwrap();
        if line.contains("Ctrl-C ends") {
            break;
        }
        let line = line.trim();
        commands.extend(line.starts_with("curl ").then(|| line.to_owned()));
    }
    assert_eq!(commands.len(), 3, "{commands:?}");
    let has_curl = Command::new("curl").arg("--version").output().is_ok();
    let answers = commands.iter().map(|command| {
        let mut words = command.split(' ');
        let url = words.find(|w| w.starts_with("http://")).unwrap();
        let file = words.find_map(|w| w.strip_prefix('@')).unwrap();
        match has_curl {
            true => String::from_utf8(shell(command, folder.path()).stdout).unwrap(),
            false => post(url, std::path::Path::new(file)),
        }
    });
    let answers: Vec<String> = answers.collect();
    let first = |n: usize| {
        let answer: serde_json::Value = serde_json::from_str(&answers[n]).unwrap();
        answer["cards"][0].clone()
    };
    assert_eq!(first(0)["summary"], "HbA1c 9.6 % is above 9 %");
    let interaction = first(1);
    assert_eq!(interaction["indicator"], "warning", "{interaction}");
    let summary = interaction["summary"].as_str().unwrap().to_lowercase();
    assert!(
        summary.contains("warfarin") && summary.contains("amiodarone"),
        "{summary}"
    );
    let delete = &interaction["suggestions"][0]["actions"][0];
    assert_eq!(delete["resourceId"], "MedicationRequest/draft-1");
    assert_eq!(answers[2], r#"{"cards":[]}"#);
}

#[test]
fn a_port_in_use_is_told_before_anything_is_made() {
    let folder = crate::support::folder();
    let dir = folder.path().join("demo");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    tandem!(
        "demo",
        "--patients",
        "20",
        "--listen",
        &address,
        "--dir",
        &dir
    )
    .fails(2, &[&address, "in use", "--listen", "--no-serve"]);
    assert!(!dir.exists());
}
