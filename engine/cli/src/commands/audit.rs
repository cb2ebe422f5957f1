//! `tandem audit`

mod purge;
mod replay;

use std::collections::VecDeque;

use cds_store::{AuditFilter, Checked, Head, Place, Reader, RuleOutcome, StoredEntry, audit_event};
use clap::{Args, Subcommand};
use engine_patient::plural::several;

use crate::commands::runtime;
use crate::commands::store::{Period, StoreArgs};
use crate::failure::{Done, Failure};
use crate::format::{Format, TABLE_JSON, TABLE_JSON_CSV, one_of};
use crate::listing::{Cell, Listing};

/// The audit log of a card service: who asked, about whom, and which rules answered.
#[derive(Args)]
pub struct Audit {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Tell whether the log is as it was written: nothing changed, taken out, put in, moved or cut off.
    #[command(after_help = "\
Examples:
  tandem audit verify --store tandem.db
  tandem audit verify --store tandem.db --expect-head 1042:9f2c…
What it prints is the head: number and hash of the last entry. Whoever can write to the database can make
the whole log anew, and only a head that was noted elsewhere shows that: note it (the server's log does, at
each checkpoint), and give it here later.")]
    Verify {
        #[command(flatten)]
        store: StoreArgs,
        /// The number of the first entry. Default: the first that is there.
        #[arg(long)]
        from: Option<u64>,
        /// The number of the last entry. Default: the last.
        #[arg(long)]
        to: Option<u64>,
        /// A head that was noted, as NUMBER:HASH.
        #[arg(long, value_name = "HEAD")]
        expect_head: Option<String>,
        /// How to print what came of it.
        #[arg(long, value_parser = one_of(TABLE_JSON), default_value = "table")]
        format: Format,
    },
    /// The log as FHIR AuditEvents, one a line (NDJSON, R4).
    #[command(after_help = "\
Examples:
  tandem audit export --store tandem.db > audit.ndjson
  tandem audit export --store tandem.db --patient 123 --from 2026-01-01 > access.ndjson")]
    Export {
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        chosen: Chosen,
        /// Where the service runs: AuditEvent.source.site.
        #[arg(long)]
        site: Option<String>,
    },
    /// The last entries.
    #[command(after_help = "\
Examples:
  tandem audit show --store tandem.db
  tandem audit show --store tandem.db --patient 123 --last 100
  tandem audit show --store tandem.db --id 0b7c… --format json")]
    Show {
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        chosen: Chosen,
        /// How many.
        #[arg(long, default_value_t = 20)]
        last: usize,
        /// How to print them. json has all of each entry.
        #[arg(long, value_parser = one_of(TABLE_JSON_CSV), default_value = "table")]
        format: Format,
    },
    Replay(replay::Replay),
    Purge(purge::Purge),
}

/// Which entries.
#[derive(Args)]
struct Chosen {
    #[command(flatten)]
    period: Period,
    /// Only about the patient of this id.
    #[arg(long)]
    patient: Option<String>,
    /// Only of this client.
    #[arg(long)]
    client: Option<String>,
    /// Only of this tenant.
    #[arg(long)]
    tenant: Option<String>,
    /// Only the entry of this id.
    #[arg(long)]
    id: Option<String>,
}

impl Chosen {
    fn filter(&self) -> Result<AuditFilter, Failure> {
        let (from, to) = self.period.moments()?;
        Ok(AuditFilter {
            tenant: self.tenant.clone(),
            client: self.client.clone(),
            patient: self.patient.clone(),
            from,
            to,
            id: self.id.clone(),
        })
    }
}

impl Audit {
    pub fn run(self) -> Done {
        match self.command {
            Command::Verify {
                store,
                from,
                to,
                expect_head,
                format,
            } => {
                let expected = expect_head.map(|text| text.parse::<Head>()).transpose()?;
                verify(&store.place()?, (from, to), expected.as_ref(), format)
            }
            Command::Export {
                store,
                chosen,
                site,
            } => {
                let (place, filter) = (store.place()?, chosen.filter()?);
                let print = |entry: &StoredEntry| data!("{}", audit_event(entry, site.as_deref()));
                runtime()?.block_on(each(&place, &filter, 0, print))?;
                Ok(std::process::ExitCode::SUCCESS)
            }
            Command::Show {
                store,
                chosen,
                last,
                format,
            } => show(&store.place()?, &chosen.filter()?, last, format),
            Command::Replay(command) => command.run(),
            Command::Purge(command) => command.run(),
        }
    }
}

fn verify(
    place: &Place,
    range: (Option<u64>, Option<u64>),
    expected: Option<&Head>,
    format: Format,
) -> Done {
    let checked = runtime()?.block_on(async {
        Ok::<_, Failure>(Reader::open(place).await?.verify(range, expected).await?)
    })?;
    match checked {
        Checked::Whole(verified) => {
            match format {
                Format::Json => data!(
                    "{:#}",
                    serde_json::json!({ "whole": true, "verified": verified })
                ),
                _ => {
                    let entries = several(verified.entries, "entry", "entries");
                    say!(
                        "The audit log is whole: {entries}, from {} on.",
                        verified.first
                    );
                    if verified.purged > 0 {
                        say!(
                            "Entries up to {} were purged, as the log says.",
                            verified.purged
                        );
                    }
                    say_whole!("Head: {}", verified.head);
                }
            }
            Ok(std::process::ExitCode::SUCCESS)
        }
        Checked::Broken { seq, why } => {
            if format == Format::Json {
                data!(
                    "{:#}",
                    serde_json::json!({ "whole": false, "entry": seq, "why": why })
                );
            }
            Err(Failure::No(format!(
                "the audit log is broken at entry {seq}: {why}"
            )))
        }
    }
}

/// Every chosen entry after a number, oldest first.
async fn each(
    place: &Place,
    filter: &AuditFilter,
    mut after: u64,
    mut with: impl FnMut(&StoredEntry),
) -> Result<(), Failure> {
    const PAGE: u64 = 1000;
    let reader = Reader::open(place).await?;
    loop {
        let page = reader.entries(filter, after, PAGE).await?;
        page.iter().for_each(&mut with);
        match page.last() {
            Some(last) if page.len() as u64 == PAGE => after = last.head.seq,
            _ => return Ok(()),
        }
    }
}

fn show(place: &Place, filter: &AuditFilter, last: usize, format: Format) -> Done {
    let mut kept: VecDeque<StoredEntry> = VecDeque::new();
    runtime()?.block_on(async {
        // Without a choice the last are known by their numbers.
        let after = match *filter == AuditFilter::default() {
            true => Reader::open(place)
                .await?
                .head()
                .await?
                .seq
                .saturating_sub(last as u64),
            false => 0,
        };
        each(place, filter, after, |entry| {
            kept.push_back(entry.clone());
            if kept.len() > last {
                kept.pop_front();
            }
        })
        .await
    })?;
    if format == Format::Json {
        let entries = kept.iter().map(|stored| {
            serde_json::json!({ "number": stored.head.seq, "hash": stored.head.hash, "entry": stored.entry })
        });
        let entries: Vec<serde_json::Value> = entries.collect();
        data!("{:#}", serde_json::json!({ "entries": entries }));
        return Ok(std::process::ExitCode::SUCCESS);
    }
    let mut rows = Listing::new(&[
        "number", "time", "what", "tenant", "client", "subject", "patient", "service", "hook",
        "status", "fired", "consent", "id",
    ]);
    for stored in &kept {
        rows.push(row(stored));
    }
    rows.print_as(format, "entries")?;
    Ok(std::process::ExitCode::SUCCESS)
}

fn row(stored: &StoredEntry) -> Vec<Cell> {
    let entry = &stored.entry;
    let fired = entry
        .rules
        .iter()
        .filter(|run| run.outcome == RuleOutcome::Fired);
    let fired: Vec<String> = fired
        .map(|run| format!("{} {}", run.rule, run.version))
        .collect();
    vec![
        Cell::Number(stored.head.seq),
        entry.at.to_string().into(),
        entry.kind.as_str().into(),
        entry.tenant.as_str().into(),
        entry.client.clone().into(),
        entry.subject.clone().into(),
        entry.patient.clone().into(),
        entry.services.join(", ").into(),
        entry.hook.clone().into(),
        match entry.status {
            0 => Cell::Nothing,
            status => Cell::Number(u64::from(status)),
        },
        fired.join(", ").into(),
        entry.consent.clone().into(),
        entry.id.as_str().into(),
    ]
}
