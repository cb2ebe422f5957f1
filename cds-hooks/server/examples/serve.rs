//! The composed server with the built-in rules only, without the rest of `tandem`: small to build, for load and
//! trials.
//!
//! ```text
//! cargo run --release -p cds-server --example serve -- tandem.toml          # clients as in the file
//! cargo run --release -p cds-server --example serve -- tandem.toml open     # as --insecure-dev
//! ```
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for trials ends where it cannot go on"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use cds_hooks::{Log, RuleSet, services_by_set};
use cds_server::settings::Settings;
use cds_server::{Load, Loaded, NotLoaded, Start};
use engine_patient::finding::listed;
use engine_patient::system::zone::UTC;

fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn built_in() -> Load {
    Arc::new(|_| {
        let rules = rules::built_in().map_err(|found| NotLoaded::Internal(listed(&found)))?;
        let rules = rules.into_iter().filter(|rule| rule.is_live());
        let services = services_by_set(vec![RuleSet {
            id: "tandem".to_owned(),
            title: "Tandem starter library".to_owned(),
            rules: rules.collect(),
            others: vec![],
            is_one_id: false,
        }]);
        Ok(Loaded {
            services,
            notes: vec![],
        })
    })
}

#[tokio::main]
async fn main() {
    let begin = Instant::now();
    let mut given = std::env::args().skip(1);
    let path: PathBuf = given.next().expect("the settings file").into();
    let insecure = given.next().is_some_and(|word| word == "open");
    let settings = match Settings::load(&path) {
        Ok(settings) => settings,
        Err(problems) => return eprintln!("{problems}"),
    };
    let start = Start {
        settings,
        insecure,
        load: built_in(),
        clock: Arc::new(|| UTC.moment(now_ms())),
        at: None,
        log: Log::stderr(),
    };
    start.hide_panics();
    let told = |listening: &cds_server::Listening<'_>| {
        let ms = begin.elapsed().as_millis();
        println!(
            "CDS services at {}/cds-services after {ms} ms",
            listening.url()
        );
    };
    if let Err(why) = start.serve(told, cds_hooks::signal()).await {
        eprintln!("{why}");
    }
}
