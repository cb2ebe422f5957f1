//! The whole server is killed (SIGKILL), or ended (SIGTERM), while it is called and told: what it answered is there
//! afterwards. The server is this test binary itself, started as a program; its callers are here.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cds_hooks::Log;
use cds_server::Start;
use cds_server::settings::Settings;
use cds_store::{AuditEntry, AuditFilter, AuditKind, Checked, Head, Place, Reader};
use engine_patient::system::zone::UTC;
use serde_json::{Value, json};

use crate::client::{BASE, call, ehr, get, http, number, post, token, token_with};
use crate::postgres;
use crate::rules_of_test::{load, rule, write};
use crate::server::{LONG, Server, now};

const PATH: &str = "/cds-services/own-patient-view";
const FEEDBACK: &str = "/cds-services/own-patient-view/feedback";

/// The settings of the child.
const SETTINGS: &str = "TANDEM_TEST_SETTINGS";

/// Callers at once.
const LANES: usize = 8;

/// How long calls under way may take at the end (ten seconds), and what is around them.
const ENDS_WITHIN: Duration = Duration::from_secs(15);

/// Not a test of its own: what the child does. Without the variable it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Ok(file) = std::env::var(SETTINGS) else {
        return;
    };
    let start = Start {
        settings: Settings::load(Path::new(&file)).unwrap(),
        insecure: false,
        load: load(),
        clock: Arc::new(|| UTC.moment(now() * 1000)),
        at: None,
        log: Log::to(std::io::sink()),
    };
    let told = |at: &cds_server::Listening<'_>| println!("listening {}", at.address);
    start.serve(told, cds_hooks::signal()).await.unwrap();
}

struct Program {
    child: Child,
    at: SocketAddr,
    /// Read on, so that it can go on printing.
    _out: BufReader<std::process::ChildStdout>,
}

impl Program {
    fn start(settings: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::child", "--nocapture"])
            .env(SETTINGS, settings)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let at = loop {
            line.clear();
            assert!(out.read_line(&mut line).unwrap() > 0, "it does not listen");
            // The harness prints on the same line before.
            if let Some((_, at)) = line.split_once("listening ") {
                break at.trim().parse().unwrap();
            }
        };
        Program {
            child,
            at,
            _out: out,
        }
    }

    /// Asks it to end, and waits until it has.
    fn terminate(&mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(asked.unwrap().success());
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begin.elapsed() < ENDS_WITHIN, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was acknowledged.
#[derive(Default)]
struct Acknowledged {
    /// Hook instances of calls that were answered.
    calls: Vec<String>,
    /// Entries of feedback, each with the subject of the token it came with.
    feedback: Vec<(String, Value)>,
}

/// What was answered with 200; nothing where no whole answer came.
async fn send(
    http: &reqwest::Client,
    at: SocketAddr,
    path: &str,
    token: String,
    body: String,
) -> Option<String> {
    let request = http
        .post(format!("http://{at}{path}"))
        .bearer_auth(token)
        .header("content-type", "application/json")
        .body(body);
    let answer = request.send().await.ok()?;
    let status = answer.status().as_u16();
    let text = answer.text().await.ok()?;
    assert_eq!(status, 200, "{path}: {text}");
    Some(text)
}

/// Calls, and tells what became of the card, until nobody answers any more. What is acknowledged is counted.
async fn lane(at: SocketAddr, count: Arc<AtomicUsize>) -> Acknowledged {
    let (http, mut all) = (http(), Acknowledged::default());
    loop {
        let body = call();
        let sent: Value = serde_json::from_str(&body).unwrap();
        let Some(answer) = send(&http, at, PATH, token(PATH), body).await else {
            return all;
        };
        let instance = sent["hookInstance"].as_str().unwrap();
        all.calls.push(instance.to_owned());
        count.fetch_add(1, Ordering::Relaxed);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let said = json!({
            "card": answer["cards"][0]["uuid"], "outcome": "overridden",
            "outcomeTimestamp": "2026-11-30T12:00:00Z",
        });
        let subject = format!("feedback-{}", number());
        let token = token_with(FEEDBACK, &json!({ "sub": subject }));
        let body = json!({ "feedback": [said] }).to_string();
        if send(&http, at, FEEDBACK, token, body).await.is_none() {
            return all;
        }
        all.feedback.push((subject, said));
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Lets it work until some of it is acknowledged, and ends it.
async fn under_load(program: &mut Program, end: impl FnOnce(&mut Program)) -> Acknowledged {
    let count = Arc::new(AtomicUsize::new(0));
    let lanes: Vec<_> = (0..LANES)
        .map(|_| tokio::spawn(lane(program.at, Arc::clone(&count))))
        .collect();
    // Another moment each time.
    let drawn = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let wanted = 20 + drawn.subsec_micros() as usize % 80;
    let begin = Instant::now();
    while count.load(Ordering::Relaxed) < wanted {
        assert!(begin.elapsed() < LONG, "it answers too little");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::task::block_in_place(|| end(program));
    let mut all = Acknowledged::default();
    for lane in lanes {
        let of = lane.await.unwrap();
        all.calls.extend(of.calls);
        all.feedback.extend(of.feedback);
    }
    all
}

async fn entries(reader: &Reader) -> Vec<AuditEntry> {
    let (mut all, mut after) = (vec![], 0);
    loop {
        let filter = AuditFilter::default();
        let page = reader.entries(&filter, after, 1000).await.unwrap();
        let Some(last) = page.last() else { return all };
        after = last.head.seq;
        all.extend(page.into_iter().map(|stored| stored.entry));
    }
}

/// Whether all of it is in the audit log, and the log is whole and goes on from where it was. Its head.
async fn check(place: &Place, all: &Acknowledged, before: Option<&Head>) -> Head {
    let reader = Reader::open(place).await.unwrap();
    let (mut instances, mut subjects) = (HashSet::new(), HashSet::new());
    for entry in entries(&reader).await {
        match entry.kind {
            AuditKind::Call => {
                instances.extend(entry.hook_instance.filter(|_| entry.status == 200))
            }
            AuditKind::Feedback => subjects.extend(entry.subject),
            _ => {}
        }
    }
    for instance in &all.calls {
        assert!(instances.contains(instance), "the call {instance} was lost");
    }
    for (subject, _) in &all.feedback {
        assert!(
            subjects.contains(subject),
            "the entry of {subject} was lost"
        );
    }
    match reader.verify((None, None), before).await.unwrap() {
        Checked::Whole(verified) => verified.head,
        broken @ Checked::Broken { .. } => panic!("{broken:?}"),
    }
}

/// Kills the server again and again; then asks the next one whether it has all that was acknowledged.
async fn killed(url: &str, times: usize) {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("rules"),
        "visit.yaml",
        &rule("visit", "1.0.0", "A visit is due"),
    );
    let place: Place = match url.contains("://") {
        true => url.parse().unwrap(),
        false => folder
            .path()
            .join(url)
            .display()
            .to_string()
            .parse()
            .unwrap(),
    };
    let settings = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"{BASE}\"\ndeadline = \"20s\"\n[rules]\npaths = [\"rules\"]\n[store]\nurl = \"{url}\"\n{}",
        ehr("")
    );
    let file = folder.path().join("tandem.toml");
    std::fs::write(&file, &settings).unwrap();
    let (mut total, mut head): (Acknowledged, Option<Head>) = Default::default();
    for round in 0..times {
        let mut program = Program::start(&file);
        let all = match round + 1 == times {
            // The last is ended in good order: within its time, and without an error.
            true => {
                under_load(&mut program, |program| {
                    let status = program.terminate();
                    assert!(status.success(), "{status}");
                })
                .await
            }
            false => under_load(&mut program, |program| program.child.kill().unwrap()).await,
        };
        drop(program);
        head = Some(check(&place, &all, head.as_ref()).await);
        total.calls.extend(all.calls);
        total.feedback.extend(all.feedback);
    }
    let (calls, feedback) = (total.calls.len(), total.feedback.len());
    println!(
        "{calls} calls and {feedback} entries of feedback acknowledged, {times} times ended, none lost"
    );
    check(&place, &total, head.as_ref()).await;
    // Each entry of feedback that was acknowledged is there: sent again, it is a repeat.
    let server = Server::start(folder.path(), &settings, false).await;
    let http = http();
    let said: Vec<Value> = total.feedback.into_iter().map(|(_, said)| said).collect();
    for some in said.chunks(500) {
        let body = json!({ "feedback": some }).to_string();
        let taken = post(&http, &server.url(FEEDBACK), Some(&token(FEEDBACK)), body).await;
        assert_eq!(taken.status, 200, "{}", taken.text);
    }
    let metrics = get(&http, &server.url("/metrics"), None).await.text;
    let line = format!("\ntandem_feedback_entries_total{{taken=\"repeated\"}} {feedback}\n");
    assert!(metrics.contains(&line), "{line}{metrics}");
    assert!(!metrics.contains("taken=\"new\"") && !metrics.contains("taken=\"unknown\""));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_nothing_acknowledged_in_sqlite() {
    killed("t.db", 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_nothing_acknowledged_in_postgres() {
    let Some(cluster) = postgres::shared() else {
        return;
    };
    killed(&cluster.database(), 6).await;
}
