//! `tandem rule rehearse`: how often rules would have fired over a period that is past, and on whom.

mod files;
mod print;
mod select;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use engine_population::lake::Lake;
use measures_run::RunError;
use rehearse::{ACTIVE_DAYS, Asked, Candidate, HOOKS, Settings};
use rules::Hook;

use self::files::{List, manifest, write};
use self::select::{Named, is_version};
use crate::commands::measure::{parse_period, parse_zone};
use crate::commands::own_terminology::TerminologyArgs;
use crate::commands::{runtime, threads};
use crate::failure::{Done, Failure};
use crate::format::{Format, TABLE_JSON_CSV, one_of};
use crate::staged::Staged;

/// Replay a past period as hook calls: how often rules would have fired, and on whom.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem rule rehearse hba1c-control --lake lake --period 2025-01-01..2025-12-31
  tandem rule rehearse --lake lake --period 2025-01-01..2025-12-31 --hook patient-view --out rehearsed
Calls: patient-view at the start of each visit; order-select and order-sign for orders of one instant and
visit, which are drafts then and no part of the record. A day without a time stands for its end; what is
dated by a month or year only makes no call. Each call sees what was known by then: by the
moment something was recorded, else by its clinical time; later ends, statuses and deaths are taken back.
How often which, and what was assumed, stands below the table.
What is printed names patients by id only, but --format json has cards and reasons. With --out:
report.html and report.json, rules.csv, fired.csv (a line a card, and one with card `no` where a rule could
not tell and showed none), differences.csv (with --against): patient data; and run.json, which
names all that decides the numbers. The same run.json, the same bytes.")]
pub struct Rehearse {
    /// Ids of rules, or rule files. If none is given: those of --rules, else the built-in ones.
    rule: Vec<String>,
    /// Rules of your own, as files or folders (.yaml, also .gz and .zst).
    #[arg(long)]
    rules: Vec<PathBuf>,
    /// Folder of the lake.
    #[arg(long)]
    lake: PathBuf,
    /// First and last day, as in 2025-01-01..2025-12-31.
    #[arg(long)]
    period: String,
    /// Only calls of this hook; may be given several times. Default: the hooks of the rules.
    #[arg(long, value_parser = HOOKS.map(Hook::as_str).to_vec())]
    hook: Vec<String>,
    /// Another version of a rule, as a file: what it would have said instead, and of whom.
    #[arg(long, value_name = "FILE")]
    against: Vec<PathBuf>,
    /// Chooses the patients that are shown with reasons.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many of each rule.
    #[arg(long, default_value_t = 3)]
    samples: usize,
    /// A card that the patient had had less than so many days before is a repeat.
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    repeat_days: u32,
    /// A request that is ended now, and does not say when, was active for so many days.
    #[arg(long, value_name = "DAYS", default_value_t = ACTIVE_DAYS)]
    active_days: u32,
    /// Take `meta.lastUpdated` as when a resource was recorded, where it has no date of that: right for a
    /// lake that a server keeps up to date, wrong for a bulk export.
    #[arg(long)]
    last_updated: bool,
    /// Where dates, and date-times without an offset, are taken to be: an offset from UTC, or a place such
    /// as America/New_York.
    #[arg(long, default_value = "+00:00", allow_hyphen_values = true)]
    time_zone: String,
    #[command(flatten)]
    terminology: TerminologyArgs,
    /// Rules that are drafts, too. A rule that is named is rehearsed whether it is one or not.
    #[arg(long, value_parser = ["draft"])]
    status: Option<String>,
    /// Folder for the page, the tables and the lists.
    #[arg(long)]
    out: Option<PathBuf>,
    /// How to print what came of it; csv is a line a rule.
    #[arg(long, value_parser = one_of(TABLE_JSON_CSV), default_value = "table")]
    format: Format,
}

impl Rehearse {
    pub fn run(self) -> Done {
        let zone = parse_zone(&self.time_zone)?;
        let (first, last) = parse_period(&self.period)?;
        let value_sets = self.terminology.paths()?;
        let named = Named {
            rule: &self.rule,
            rules: &self.rules,
            against: &self.against,
            drafts: self.status.is_some(),
        };
        let (chosen, others) = named.rules(&value_sets)?;
        let mut settings = Settings {
            period: (first.earliest(&zone), last.latest(&zone)),
            zone,
            hooks: self.hooks(),
            last_updated: self.last_updated,
            assumed_days: self.active_days,
        };
        let all = |settings: &Settings| -> Vec<Candidate> {
            let rules = chosen.iter().map(Arc::clone);
            rules.map(|rule| Candidate::of(rule, settings)).collect()
        };
        let candidates = all(&settings);
        let others = others
            .into_iter()
            .map(|other| named.version(&candidates, other, &settings))
            .collect::<Result<Vec<_>, _>>()?;
        // Another version may have a hook that this one has not: then all of its cards are new.
        let is_asked = |candidate: &Candidate| {
            let mut versions = others.iter().filter(|other| is_version(candidate, other));
            !candidate.hooks.is_empty() || versions.any(|other| !other.hooks.is_empty())
        };
        let (candidates, left_out): (Vec<_>, Vec<_>) = candidates.into_iter().partition(is_asked);
        if candidates.is_empty() {
            return Err(self.no_rule());
        }
        if !self.rule.is_empty() {
            self.tell_left_out(&left_out);
        }
        let against: Vec<(usize, Candidate)> = others
            .into_iter()
            .filter_map(|other| {
                let mut all = candidates.iter();
                Some((all.position(|own| is_version(own, &other))?, other))
            })
            .collect();
        for (_, other) in &against {
            if other.hooks.is_empty() {
                let hooks = self.hook.join(" or ");
                note!(
                    "{} is not asked at {hooks}: it has no card",
                    other.rule.file
                );
            }
        }
        // No calls that no rule answers.
        let answers = |hook: &Hook| {
            let others = against.iter().map(|(_, candidate)| candidate);
            let mut all = candidates.iter().chain(others);
            all.any(|c| c.hooks.contains(hook))
        };
        settings.hooks.retain(answers);
        let out = self.out.as_deref();
        let staged = out
            .map(|out| Staged::begin("--out", "rule rehearse", out))
            .transpose()?;
        let scratch = tempfile::tempdir().map_err(RunError::from)?;
        let runtime = runtime()?;
        let lake = runtime.block_on(Lake::open(&self.lake, None))?;
        let asked = Asked {
            lake: &lake,
            candidates,
            against,
            settings,
            threads: threads(),
            seed: self.seed,
            samples: self.samples,
            repeat_days: self.repeat_days,
            scratch: scratch.path(),
        };
        let mut list = List::begin(staged.as_ref())?;
        let begun = Instant::now();
        let rehearsed = runtime.block_on(rehearse::rehearse(&asked, &mut |line| list.add(line)));
        let rehearsed = rehearsed.map_err(RunError::from)?;
        note!("{}", print::speed(&rehearsed.report, begun.elapsed()));
        list.end()?;
        if let Some(staged) = staged {
            write(staged.folder(), &rehearsed.report)?;
            let manifest = manifest(&asked, &named.files(), &value_sets)?;
            manifest.write(staged.folder()).map_err(RunError::from)?;
            staged.commit()?;
        }
        print::print(&rehearsed.report, self.format)?;
        if let Some(out) = out {
            note!(
                "the page is {}; the folder holds patient data",
                out.join("report.html").display()
            );
        }
        Ok(std::process::ExitCode::SUCCESS)
    }

    fn hooks(&self) -> Vec<Hook> {
        let asked =
            |hook: &Hook| self.hook.is_empty() || self.hook.iter().any(|h| h == hook.as_str());
        HOOKS.into_iter().filter(asked).collect()
    }

    /// Who names a rule expects it in the table.
    fn tell_left_out(&self, left_out: &[Candidate]) {
        for candidate in left_out {
            note!(
                "the rule `{}` is not asked at {}: it is left out",
                candidate.rule.artifact.id,
                self.hook.join(" or ")
            );
        }
    }

    fn no_rule(&self) -> Failure {
        let hooks = match self.hook.is_empty() {
            true => String::new(),
            false => format!(" that is asked at {}", self.hook.join(" or ")),
        };
        Failure::User(format!("there is no rule{hooks} to rehearse"))
    }
}
