//! `tandem audit purge`: removing what need not be kept any more.

use std::process::ExitCode;

use cds_store::{AuditEntry, AuditKind, Ids, Place, Purged, Reader, Settings, Store, Timestamp};
use clap::Args;
use engine_patient::plural::several;
use jiff::SignedDuration;

use crate::commands::runtime;
use crate::commands::store::{StoreArgs, now};
use crate::failure::{Done, Failure};
use crate::format::{Format, TABLE_JSON, one_of};

/// Remove what need not be kept any more: entries of the log, recorded calls, cards and feedback.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem audit purge --store tandem.db --dry-run
  tandem audit purge --store tandem.db
  tandem audit purge --store tandem.db --keep-days 3650
Entries of the log go by whole stretches between checkpoints. An entry says what was removed and with which
hash it ended, so that the rest still verifies. It may run beside the server. What is removed is gone: what is
younger than six years goes with --yes only.")]
pub struct Purge {
    #[command(flatten)]
    store: StoreArgs,
    /// Keep what is younger than so many days. Default: six years.
    #[arg(long, default_value_t = SIX_YEARS)]
    keep_days: u32,
    /// Tell what would be removed, and remove nothing.
    #[arg(long)]
    dry_run: bool,
    /// Remove also what is younger than six years.
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    /// How to print what was removed.
    #[arg(long, value_parser = one_of(TABLE_JSON), default_value = "table")]
    format: Format,
}

/// As 45 CFR 164.316(b)(2) has it.
const SIX_YEARS: u32 = 2192;

impl Purge {
    pub fn run(self) -> Done {
        let (place, now, days) = (self.store.place()?, now()?, self.keep_days);
        let before = now.checked_sub(SignedDuration::from_hours(24 * i64::from(days)));
        let before =
            before.map_err(|_| Failure::User(format!("--keep-days {days}: too many days")))?;
        let runtime = runtime()?;
        let asks = days < SIX_YEARS && !self.yes;
        if self.dry_run || asks {
            let due = runtime.block_on(due(&place, before))?;
            match (self.dry_run, self.format) {
                (true, Format::Json) => data!(
                    "{:#}",
                    serde_json::json!({ "before": before.to_string(), "due": due })
                ),
                (true, _) => say!(
                    "Older than {before}, and would be removed: {}.",
                    listed(&due)
                ),
                (false, _) if gone(&due) > 0 => {
                    return Err(Failure::User(format!(
                        "--keep-days {days} is less than six years, and what goes is gone: {} would be removed. \
                         Nothing was: give --yes to remove it, or --dry-run to look only",
                        listed(&due)
                    )));
                }
                (false, _) => {}
            }
            if self.dry_run {
                return Ok(ExitCode::SUCCESS);
            }
        }
        let all = runtime.block_on(purged(&place, before, now))?;
        match self.format {
            Format::Json => data!(
                "{:#}",
                serde_json::json!({ "before": before.to_string(), "purged": all })
            ),
            _ => {
                say!("Removed what is older than {before}: {}.", listed(&all));
                if let Some(last) = &all.last {
                    say_whole!("The last entry that was removed: {last}");
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn due(place: &Place, before: Timestamp) -> Result<Purged, Failure> {
    Ok(Reader::open(place).await?.due(before).await?)
}

async fn purged(place: &Place, before: Timestamp, now: Timestamp) -> Result<Purged, Failure> {
    // What is not there is not made.
    Reader::open(place).await?;
    // It waits for a server that writes, and deletes many rows at a time.
    let settings = Settings {
        wait: std::time::Duration::from_secs(60),
        ..Settings::default()
    };
    let ids = Ids::new("tandem audit purge");
    let store = Store::open(place, settings, "tandem audit purge").await?;
    let mut all = Purged::default();
    loop {
        let mut entry = AuditEntry::new(ids.next(now), now, AuditKind::Purge);
        entry.subject = std::env::var("USER").ok().filter(|user| !user.is_empty());
        let purged = store.purge(before, entry).await?;
        all.entries += purged.entries;
        all.recorded += purged.recorded;
        all.shown += purged.shown;
        all.feedback += purged.feedback;
        all.last = purged.last.or(all.last);
        if !purged.more {
            return Ok(all);
        }
    }
}

fn gone(what: &Purged) -> u64 {
    what.entries + what.recorded + what.shown + what.feedback
}

fn listed(what: &Purged) -> String {
    format!(
        "{} of the audit log, {}, {} and {} of feedback",
        several(what.entries, "entry", "entries"),
        several(what.recorded, "recorded call", "recorded calls"),
        several(what.shown, "card", "cards"),
        several(what.feedback, "entry", "entries")
    )
}
