//! Tandem's own services pass.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cds_doctor::{Outcome, examine};
use cds_hooks::{Config, Log, rule_services, serve_until};
use engine_patient::system::date_time::DateTime;

use crate::broken::options;
use crate::model::ORIGIN;

/// What a service logged.
pub struct Lines {
    log: Log,
    written: Written,
}

impl Lines {
    pub fn all(&self) -> Vec<String> {
        assert!(self.log.flush(Duration::from_secs(20)));
        let text = String::from_utf8(self.written.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The built-in rules, at a free port, until the test ends.
pub async fn serve() -> (SocketAddr, Lines) {
    let rules = rules::built_in().unwrap_or_else(|_| panic!("the built-in rules do not load"));
    let rules = rules.into_iter().filter(|rule| rule.is_live()).collect();
    let mut config = Config::new(Arc::new(|| {
        DateTime::parse("2026-11-30T12:00:00Z").unwrap()
    }));
    let written = Written::default();
    let log = Log::to(written.clone());
    config.log = Some(log.clone());
    config.listen = "127.0.0.1:0".parse().unwrap();
    config.allowed_origins = vec![ORIGIN.to_owned()];
    let (listening, listens) = tokio::sync::oneshot::channel();
    let on_listening = |at| listening.send(at).unwrap();
    let services = rule_services(rules);
    tokio::spawn(serve_until(
        config,
        services,
        on_listening,
        std::future::pending(),
    ));
    (listens.await.unwrap(), Lines { log, written })
}

#[tokio::test(flavor = "multi_thread")]
async fn tandem_passes() {
    let (at, _) = serve().await;
    let report = examine(&options(&format!("http://{at}"))).await.unwrap();
    let text = report.text();
    println!("{text}");
    assert!(report.passed(), "{text}");
    // The fixture gives occasion to judge what cards are made of.
    for id in [
        "card-summary",
        "suggestion",
        "action",
        "patient-text-escaped",
        "failed-is-not-empty",
        "broken-drafts",
    ] {
        let (_, tally) = report
            .checks
            .iter()
            .find(|(check, _)| check.id == id)
            .unwrap();
        assert_eq!(tally.outcome(), Outcome::Passed, "{id}:\n{text}");
    }
}
