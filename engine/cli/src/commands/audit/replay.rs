//! `tandem audit replay`: a recorded call by the rules of now.

use std::path::PathBuf;
use std::process::ExitCode;

use cds_server::settings::{Rules, Settings};
use cds_server::{Replayed, Said};
use cds_store::{Place, Reader, RecordedCall};
use clap::Args;
use serde_json::json;

use crate::commands::runtime;
use crate::commands::serve::{failure, load};
use crate::commands::store::StoreArgs;
use crate::failure::{Done, Failure};
use crate::format::{Format, TABLE_JSON, one_of};

/// Answer a recorded call again, by the rules of now: which cards are the same, new or gone.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem audit replay --store tandem.db --config tandem.toml 0b7c…
  tandem audit replay --store tandem.db --rules my-rules --no-built-in 0b7c…
It is asked for the caller of then: --config says what consent withholds, and which rules a tenant has.
`tandem audit show` has the ids of calls. A call can be replayed where it was recorded in full: record_requests
in the settings of the server. What is printed holds data of the patient.")]
pub struct Replay {
    #[command(flatten)]
    store: StoreArgs,
    /// Id of the call.
    call: String,
    /// Settings of the server (TOML): its rules, terminology, measures and time zone.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Rules of your own in place of those of the settings, as files or folders.
    #[arg(long)]
    rules: Vec<PathBuf>,
    /// Without the rules that are built in.
    #[arg(long)]
    no_built_in: bool,
    /// How to print what came of it.
    #[arg(long, value_parser = one_of(TABLE_JSON), default_value = "table")]
    format: Format,
}

impl Replay {
    pub fn run(self) -> Done {
        let place = self.store.place()?;
        let mut settings = match &self.config {
            Some(path) => {
                Settings::load_without_secrets(path).map_err(|e| Failure::User(e.to_string()))?
            }
            None => Settings::default(),
        };
        let runtime = runtime()?;
        let call = runtime.block_on(recorded(&place, &self.call))?;
        let tenant = cds_server::tenant_of(&call).map_err(Failure::User)?;
        match (&tenant, self.rules.is_empty()) {
            (_, false) => settings.rules.paths.clone_from(&self.rules),
            (Some(name), true) => settings.rules = rules_of(&settings, name)?,
            (None, true) => {}
        }
        settings.rules.built_in &= !self.no_built_in;
        let loaded = load(&settings.rules).map_err(failure)?;
        let replayed = runtime.block_on(cds_server::replay(&call, loaded.services, &settings));
        let replayed = replayed.map_err(Failure::User)?;
        match self.format {
            Format::Json => data!("{:#}", as_json(&replayed)),
            _ => print(&call, &replayed),
        }
        Ok(match replayed.is_same() {
            true => ExitCode::SUCCESS,
            false => ExitCode::from(1),
        })
    }
}

/// The rules of a tenant, by which its calls are answered.
fn rules_of(settings: &Settings, tenant: &str) -> Result<Rules, Failure> {
    let found = settings.tenants.iter().find(|one| one.name == tenant);
    let found = found.ok_or_else(|| {
        Failure::User(format!(
            "the call is of the tenant `{tenant}`, and the settings have no such tenant: give its settings \
             (--config), or the rules to ask (--rules)"
        ))
    })?;
    // One without rules of its own has those of all.
    Ok(found
        .rules
        .clone()
        .unwrap_or_else(|| settings.rules.clone()))
}

async fn recorded(place: &Place, id: &str) -> Result<RecordedCall, Failure> {
    let found = Reader::open(place).await?.recorded(id).await?;
    found.ok_or_else(|| {
        Failure::User(format!(
            "no call {id} was recorded in full: `tandem audit show` has the ids, and record_requests in the \
             settings of the server says whether calls are recorded"
        ))
    })
}

fn as_json(replayed: &Replayed) -> serde_json::Value {
    let cards = |cards: &[Said]| -> Vec<serde_json::Value> {
        let card = |card: &Said| {
            let (summary, indicator) = (&card.summary, &card.indicator);
            json!({ "summary": summary, "indicator": indicator, "rules": card.rules })
        };
        cards.iter().map(card).collect()
    };
    json!({
        "isSame": replayed.is_same(),
        "statusThen": replayed.status.0,
        "statusNow": replayed.status.1,
        "same": cards(&replayed.same),
        "added": cards(&replayed.added),
        "removed": cards(&replayed.removed),
        "consent": replayed.consent,
    })
}

fn print(call: &RecordedCall, replayed: &Replayed) {
    say!("{} of {}, service {}", call.id, call.at, call.service);
    if let Some(consent) = &replayed.consent {
        say!("Consent: {consent}");
    }
    let (then, now) = replayed.status;
    if then != now {
        say!("Answered with {then} then, with {now} now.");
    }
    for (title, cards) in [
        ("The same", &replayed.same),
        ("New", &replayed.added),
        ("Gone", &replayed.removed),
    ] {
        for card in cards {
            let rules = card.rules.iter();
            let rules: Vec<String> = rules
                .map(|(id, version)| format!("{id} {version}"))
                .collect();
            say!(
                "{title}: {} [{}] ({})",
                card.summary,
                card.indicator,
                rules.join(", ")
            );
        }
    }
    if replayed.same.is_empty() && replayed.added.is_empty() && replayed.removed.is_empty() {
        say!("No card, then as now.");
    }
}
