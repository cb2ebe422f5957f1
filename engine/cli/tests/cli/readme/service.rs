//! A service that a read-me starts: it has a free port, is asked once, and ends with this value.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::scratch::Scratch;

pub struct Service {
    child: Child,
    pub address: String,
    /// What it printed until it listened.
    pub printed: String,
}

/// Whether a command goes on until it is stopped.
pub fn serves(command: &str) -> bool {
    command.starts_with("tandem serve")
        && !command.contains("--print-config")
        && !command.contains("--check")
        || command.starts_with("tandem demo") && !command.contains("--no-serve")
}

impl Service {
    /// The command, at a free port; or what it said where it does not listen.
    pub fn start(command: &str, scratch: &Scratch) -> Result<Service, String> {
        let command = at_free_port(command.trim_end_matches('&').trim());
        let log = scratch.folder().join("service.log");
        let file = std::fs::File::create(&log).unwrap();
        let mut child = scratch
            .shell(&format!("exec {command}"))
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        let said = || std::fs::read_to_string(&log).unwrap();
        while address(&said()).is_none() {
            let ended = child.try_wait().unwrap();
            if ended.is_some() || started.elapsed() > Duration::from_secs(120) {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("`{command}` does not listen:\n{}", said()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // What stands behind the address is printed with it.
        let mut printed = said();
        loop {
            std::thread::sleep(Duration::from_millis(50));
            let more = said();
            if more == printed {
                break;
            }
            printed = more;
        }
        let address = address(&printed).unwrap();
        let service = Service {
            child,
            address,
            printed,
        };
        let answer = service.discovery();
        // Where settings say who may call, nobody else is told what there is.
        let secured = command.contains("--config") && answer.starts_with("HTTP/1.1 401");
        match secured || answer.starts_with("HTTP/1.1 200") && answer.contains("\"prefetch\"") {
            true => Ok(service),
            false => Err(format!("`{command}` has no services:\n{answer}")),
        }
    }

    fn discovery(&self) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = format!(
            "GET /cds-services HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether there is `curl`.
pub fn has_curl() -> bool {
    let version = Command::new("curl").arg("--version").output();
    version.is_ok_and(|done| done.status.success())
}

/// Ports of examples may be in use.
fn at_free_port(command: &str) -> String {
    match command.split_once("--listen ") {
        None => format!("{command} --listen 127.0.0.1:0"),
        Some((before, rest)) => {
            let behind = rest.split_once(' ').map_or("", |(_, behind)| behind);
            format!("{before}--listen 127.0.0.1:0 {behind}")
        }
    }
}

/// `127.0.0.1:41234`, of the first URL with services.
fn address(said: &str) -> Option<String> {
    let (before, _) = said.split_once("/cds-services")?;
    let (_, address) = before.rsplit_once("http://")?;
    Some(address.to_owned())
}

/// The port that a line names, replaced by the one that the service has.
pub fn at_its_port(command: &str, service: &Service) -> String {
    let command = command.replace("http://localhost:", "http://127.0.0.1:");
    let mut parts = command.split("http://127.0.0.1:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("http://");
        out.push_str(&service.address);
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    out
}

/// The folder for temporary files that read-mes name, replaced by the one of the scratch.
pub fn in_its_folder(command: &str, scratch: &Path) -> String {
    command.replace("/tmp/", &format!("{}/tmp/", scratch.display()))
}
