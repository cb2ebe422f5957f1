//! `tandem rule rehearse`: how often rules would have fired over a period that is past, and on whom.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use engine_patient::finding::{did_you_mean, listed};
use engine_patient::plural::{several, thousands};
use engine_population::lake::Lake;
use measures::manifest::Manifest;
use measures::source_files;
use measures::spreadsheet;
use measures_run::RunError;
use measures_run::rule_files::{LIBRARY, RuleFolders, live, rule_sources, same_id, terminology};
use rehearse::report::{self, Report, table as cells};
use rehearse::{Asked, Candidate, HOOKS, Line, Rehearsed, Settings};
use rules::{Hook, Rule as ClinicalRule, Status};
use sources::{RULES, TABLES, TERMINOLOGY};

use crate::commands::measure::{parse_period, parse_zone, tell};
use crate::commands::own_terminology::TerminologyArgs;
use crate::commands::{runtime, threads};
use crate::failure::{Done, Failure};
use crate::format::{Format, TABLE_JSON_CSV, one_of};
use crate::staged::Staged;
use crate::table;

/// Replay a past period as hook calls: how often rules would have fired, and on whom.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem rule rehearse hba1c-control --lake lake --period 2025-01-01..2025-12-31
  tandem rule rehearse --lake lake --period 2025-01-01..2025-12-31 --hook patient-view --out rehearsed
Calls: patient-view at the start of each visit; order-select and order-sign for orders of one instant and
visit, which are drafts then and no part of the record. Each call sees what was known by then: by the
moment something was recorded, else by its clinical time; later ends, statuses and deaths are taken back.
How often which, and what was assumed, stands below the table.
What is printed names patients by id only, but --format json has cards and reasons. With --out:
report.html and report.json, rules.csv, fired.csv (a line a card), differences.csv (with --against):
patient data; and run.json, which names all that decides the numbers. The same run.json, the same bytes.")]
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
    /// The same card for the same patient within so many days is a repeat.
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    repeat_days: u32,
    /// A request that is ended now, and does not say when, was active for so many days.
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
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
        let (chosen, others) = self.rules(&value_sets)?;
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
        let mut candidates = all(&settings);
        candidates.retain(|candidate| !candidate.hooks.is_empty());
        if candidates.is_empty() {
            return Err(self.no_rule());
        }
        // No calls that no rule answers.
        settings
            .hooks
            .retain(|hook| candidates.iter().any(|c| c.hooks.contains(hook)));
        let against = others
            .into_iter()
            .map(|other| self.pair(&candidates, other, &settings))
            .collect::<Result<Vec<_>, _>>()?;
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
        let rehearsed = runtime.block_on(rehearse::rehearse(&asked, &mut |line| list.add(line)));
        let rehearsed = rehearsed.map_err(RunError::from)?;
        list.end()?;
        if let Some(staged) = staged {
            write(staged.folder(), &rehearsed.report)?;
            let manifest = self.manifest(&asked, &value_sets)?;
            manifest.write(staged.folder()).map_err(RunError::from)?;
            staged.commit()?;
        }
        self.print(&rehearsed)?;
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

    fn no_rule(&self) -> Failure {
        let hooks = match self.hook.is_empty() {
            true => String::new(),
            false => format!(" that is asked at {}", self.hook.join(" or ")),
        };
        Failure::User(format!("there is no rule{hooks} to rehearse"))
    }

    /// The rules that are rehearsed, and the versions they are compared with.
    fn rules(&self, value_sets: &[PathBuf]) -> Result<(Rules, Rules), Failure> {
        let store = terminology(value_sets, &mut tell)?;
        let mut folders = RuleFolders::new(&store);
        let mut file = |path: &Path| {
            let rule = folders.load_file(path, &mut tell);
            rule.map(Arc::new).map_err(|found| Failure::of(&found))
        };
        let others = self.against.iter().map(|path| file(path));
        let others = others.collect::<Result<Vec<_>, _>>()?;
        let mut own: Vec<Arc<ClinicalRule>> = vec![];
        for source in rule_sources(&self.rules, &mut tell)? {
            let rule = file(&source.path)?;
            if let Some(other) = own.iter().find(|o| o.artifact.id == rule.artifact.id) {
                let other = format!("`{}`", other.file);
                return Err(Failure::of(&[same_id(&rule, &other)]));
            }
            own.push(rule);
        }
        let built_in = || {
            let all = rules::built_in_with(&store);
            all.map_err(|found| Failure::Internal(listed(&found)))
        };
        if self.rule.is_empty() {
            let known = match self.rules.is_empty() {
                true => built_in()?,
                false => own,
            };
            // Beside another version only its rule is of interest.
            let compared = |rule: &Arc<ClinicalRule>| {
                others.is_empty() || others.iter().any(|o| o.artifact.id == rule.artifact.id)
            };
            let known = live(known, self.status.is_some(), &mut tell);
            let all: Vec<_> = known.into_iter().filter(compared).collect();
            return match all.is_empty() && !others.is_empty() {
                true => Err(Failure::User(format!(
                    "there is no rule with the id of {}: name the rule to compare with it",
                    several_files(&self.against)
                ))),
                false => Ok((all, others)),
            };
        }
        let mut chosen: Vec<Arc<ClinicalRule>> = vec![];
        let mut known: Option<Vec<Arc<ClinicalRule>>> = None;
        for name in &self.rule {
            let rule = match RULES.takes(Path::new(name)) {
                true => file(Path::new(name))?,
                false => {
                    if known.is_none() {
                        let mut all = own.clone();
                        all.extend(built_in()?);
                        known = Some(all);
                    }
                    by_id(known.as_deref().unwrap_or_default(), name)?
                }
            };
            if rule.status == Status::Retired {
                return Err(Failure::User(format!(
                    "the rule `{}` is retired: it is never evaluated",
                    rule.artifact.id
                )));
            }
            if chosen.iter().any(|c| c.artifact.id == rule.artifact.id) {
                return Err(Failure::User(format!(
                    "two rules have the id `{}`: to compare two versions, give one with --against",
                    rule.artifact.id
                )));
            }
            chosen.push(rule);
        }
        Ok((chosen, others))
    }

    /// A version with the number of the rule that it is compared with: that of its id, or the only one.
    fn pair(
        &self,
        candidates: &[Candidate],
        other: Arc<ClinicalRule>,
        settings: &Settings,
    ) -> Result<(usize, Candidate), Failure> {
        let id = &other.artifact.id;
        let place = candidates.iter().position(|c| c.rule.artifact.id == *id);
        let place = place.or((candidates.len() == 1).then_some(0));
        let place = place.ok_or_else(|| {
            Failure::User(format!(
                "--against {}: none of the rules has the id `{id}`; name the one to compare with it",
                other.file
            ))
        })?;
        Ok((place, Candidate::of(other, settings)))
    }

    fn manifest(&self, asked: &Asked<'_>, value_sets: &[PathBuf]) -> Result<Manifest, Failure> {
        let settings = &asked.settings;
        let moment = |millis| settings.zone.moment(millis).to_string();
        let canonical = |c: &Candidate| {
            let artifact = &c.rule.artifact;
            format!("{}|{}", artifact.url, artifact.version)
        };
        let against = asked.against.iter().map(|(_, candidate)| candidate);
        let mut manifest = Manifest {
            engine: concat!("tandem ", env!("CARGO_PKG_VERSION")).into(),
            command: Some("rule rehearse".into()),
            measures: asked
                .candidates
                .iter()
                .chain(against)
                .map(canonical)
                .collect(),
            snapshot: asked.lake.snapshot.number,
            period: (moment(settings.period.0), moment(settings.period.1)),
            time_zone: settings.zone.to_string(),
            ..Manifest::default()
        };
        let hooks: Vec<&str> = settings.hooks.iter().map(|h| h.as_str()).collect();
        for (name, value) in [
            ("hooks", hooks.join(" ")),
            ("seed", asked.seed.to_string()),
            ("samples", asked.samples.to_string()),
            ("repeat-days", asked.repeat_days.to_string()),
            ("active-days", settings.assumed_days.to_string()),
            ("last-updated", settings.last_updated.to_string()),
        ] {
            manifest.parameters.insert(name.to_owned(), value);
        }
        let mut sources = source_files::files(value_sets, TERMINOLOGY, &mut |_| {})?;
        let mut rules: Vec<PathBuf> = self.rules.clone();
        rules.extend(self.against.iter().cloned());
        let named = self.rule.iter().map(PathBuf::from);
        rules.extend(named.filter(|path| RULES.takes(path)));
        let rules = source_files::files(&rules, RULES, &mut |_| {})?;
        let mut beside = BTreeSet::new();
        for rule in &rules {
            let folder = rule.path.parent().unwrap_or(Path::new(""));
            beside.extend(folder.ancestors().map(|f| f.join(LIBRARY)));
            let tables = source_files::files(&[folder], TABLES, &mut |_| {});
            sources.extend(tables.unwrap_or_default());
        }
        // What lies beside rules may be theirs.
        beside.retain(|file| file.is_file());
        let beside: Vec<PathBuf> = beside.into_iter().collect();
        sources.extend(source_files::files(&beside, RULES, &mut |_| {})?);
        sources.extend(rules);
        for source in sources {
            let bytes = source_files::bytes(&source)?;
            manifest.file(&source.path.display().to_string(), &bytes);
        }
        Ok(manifest)
    }

    fn print(&self, rehearsed: &Rehearsed) -> Result<(), Failure> {
        let report = &rehearsed.report;
        match self.format {
            Format::Json => data!("{:#}", json(report)?),
            Format::Csv => {
                let all = cells::rules(report);
                let mut out = crate::say::csv();
                out.write_record(all.heading.iter().map(|name| name.replace([' ', '-'], "_")))?;
                for row in &all.rows {
                    out.write_record(row)?;
                }
                out.flush().map_err(RunError::from)?;
            }
            _ => print_table(report),
        }
        Ok(())
    }
}

type Rules = Vec<Arc<ClinicalRule>>;

fn several_files(files: &[PathBuf]) -> String {
    let names: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
    names.join(", ")
}

fn by_id(known: &[Arc<ClinicalRule>], name: &str) -> Result<Arc<ClinicalRule>, Failure> {
    let found = known.iter().find(|rule| *rule.artifact.id == *name);
    found.cloned().ok_or_else(|| {
        let near = did_you_mean(name, known.iter().map(|r| r.artifact.id.as_ref()));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let all: Vec<&str> = known.iter().map(|r| r.artifact.id.as_ref()).collect();
                format!("there are {}; a file must end in .yaml", all.join(", "))
            }
        };
        Failure::User(format!("there is no rule `{name}`: {help}"))
    })
}

fn json(report: &Report) -> Result<serde_json::Value, Failure> {
    serde_json::to_value(report).map_err(|e| Failure::Internal(e.to_string()))
}

/// `fired.csv`, a line a card, as the rehearsal goes.
struct List(Option<csv::Writer<std::fs::File>>);

impl List {
    fn begin(staged: Option<&Staged>) -> Result<List, Failure> {
        let Some(staged) = staged else {
            return Ok(List(None));
        };
        let file = std::fs::File::create(staged.folder().join("fired.csv"));
        let mut out = csv::Writer::from_writer(file.map_err(RunError::from)?);
        out.write_record([
            "patient",
            "at",
            "hook",
            "rule",
            "version",
            "outcome",
            "indicator",
            "text",
            "encounter",
            "clinician",
            "site",
        ])?;
        Ok(List(Some(out)))
    }

    fn add(&mut self, line: &Line<'_>) -> std::io::Result<()> {
        let Some(out) = &mut self.0 else {
            return Ok(());
        };
        let artifact = &line.rule.artifact;
        let cells = [
            line.patient,
            line.at,
            line.hook,
            &artifact.id,
            &artifact.version,
            line.outcome,
            line.indicator,
            line.text,
            line.encounter,
            line.clinician,
            line.site,
        ];
        let cells = cells.map(spreadsheet::cell);
        let written = out.write_record(cells.iter().map(|cell| cell.as_bytes()));
        written.map_err(std::io::Error::other)
    }

    fn end(self) -> Result<(), Failure> {
        match self.0 {
            Some(mut out) => Ok(out.flush().map_err(RunError::from)?),
            None => Ok(()),
        }
    }
}

/// The files beside the list.
fn write(folder: &Path, report: &Report) -> Result<(), Failure> {
    let failed = RunError::from;
    let mut text = format!("{:#}", json(report)?);
    text.push('\n');
    std::fs::write(folder.join("report.json"), text).map_err(failed)?;
    std::fs::write(folder.join("report.html"), report::page(report)).map_err(failed)?;
    let all = cells::rules(report);
    let mut out = csv::Writer::from_path(folder.join("rules.csv"))?;
    out.write_record(all.heading.iter().map(|name| name.replace([' ', '-'], "_")))?;
    for row in &all.rows {
        out.write_record(row)?;
    }
    out.flush().map_err(failed)?;
    if report.differences.is_empty() {
        return Ok(());
    }
    let mut out = csv::Writer::from_path(folder.join("differences.csv"))?;
    out.write_record([
        "rule",
        "version",
        "against_version",
        "patient",
        "difference",
    ])?;
    for d in &report.differences {
        for (word, patients) in [("gained", &d.gained), ("lost", &d.lost)] {
            for patient in patients {
                out.write_record([&*d.rule, &d.version, &d.against_version, patient, word])?;
            }
        }
    }
    Ok(out.flush().map_err(failed)?)
}

/// So many clinicians, sites, pairs and reasons are printed; files have more.
const SHOWN: usize = 5;

fn print_table(report: &Report) {
    let calls: u64 = report.hooks.iter().map(|h| h.calls).sum();
    say!(
        "{} calls of {} patients, of {} in the lake, in {} days",
        thousands(calls),
        thousands(report.patients_called),
        thousands(report.patients),
        thousands(report.days)
    );
    for hook in &report.hooks {
        let per_day = cells::decimals(hook.per_day);
        say!(
            "  {}: {}, {per_day} a day",
            hook.hook,
            thousands(hook.calls)
        );
    }
    say!("");
    let rules = cells::short(report);
    table::print(rules.heading, &rules.rows);
    say!(
        "\nper 100: calls with a card of 100 calls; repeats: the patient had the same card within {} days; cooled down: cards that a cool-down leaves (the rule's own, else {} days)",
        report.repeat_days,
        report.repeat_days
    );
    for d in &report.differences {
        say!(
            "\n{} {} against {} {} ({}): {} both, {} of them with other cards; {} only this, {} only the other; {} gained, {} lost",
            d.rule,
            d.version,
            d.against,
            d.against_version,
            d.against_file,
            several(d.both, "call", "calls"),
            thousands(d.other_cards),
            thousands(d.only_this),
            thousands(d.only_other),
            several(d.gained.len() as u64, "patient", "patients"),
            thousands(d.lost.len() as u64)
        );
        ids("gained", &d.gained);
        ids("lost", &d.lost);
    }
    people("clinician", &report.clinicians, report.clinicians_count);
    people("site", &report.sites, report.sites_count);
    if !report.together.is_empty() {
        say!("");
        let row =
            |t: &report::Together| vec![t.first.clone(), t.second.clone(), thousands(t.calls)];
        let rows: Vec<_> = report.together.iter().take(SHOWN).map(row).collect();
        table::print(&["rule", "fires together with", "calls"], &rows);
    }
    let mut reasons = vec![];
    for rule in &report.rules {
        for reason in rule.reasons.iter().take(SHOWN) {
            reasons.push(vec![
                rule.id.clone(),
                thousands(reason.count),
                reason.name.clone(),
            ]);
        }
    }
    if !reasons.is_empty() {
        say!("");
        table::print(&["rule", "calls", "could not tell, because"], &reasons);
    }
    let samples = report.rules.iter().flat_map(|rule| {
        let row = |s: &report::SampleReport| {
            vec![
                rule.id.clone(),
                s.patient.clone(),
                s.at.clone(),
                s.hook.clone(),
            ]
        };
        rule.samples.iter().map(row)
    });
    let samples: Vec<_> = samples.collect();
    if !samples.is_empty() {
        say!("");
        table::print(&["rule", "patient, for example", "at", "hook"], &samples);
    }
    say!("\nResources of the patients who had a call:");
    for (what, count) in cells::dating(report) {
        if count > 0 {
            say!("  {}: {what}", thousands(count));
        }
    }
    if report.failed > 0 {
        let patients = several(report.failed, "patient", "patients");
        say!("  the evaluation of {patients} failed as a whole");
    }
}

fn ids(word: &str, patients: &[String]) {
    if patients.is_empty() {
        return;
    }
    let shown: Vec<&str> = patients.iter().take(SHOWN).map(String::as_str).collect();
    let more = patients.len().saturating_sub(SHOWN);
    let more = match more {
        0 => String::new(),
        _ => format!(" and {} more", thousands(more as u64)),
    };
    say!("  {word}: {}{more}", shown.join(", "));
}

fn people(what: &'static str, all: &[report::Named], count: u64) {
    if count == 0 {
        return;
    }
    say!("");
    let row = |n: &report::Named| {
        let name = match n.name.is_empty() {
            true => "not recorded".to_owned(),
            false => n.name.clone(),
        };
        let per = cells::decimals(n.per_100_calls);
        vec![name, thousands(n.calls), thousands(n.cards), per]
    };
    let rows: Vec<_> = all.iter().take(SHOWN).map(row).collect();
    table::print(&[what, "calls", "cards", "cards per 100"], &rows);
    if count > SHOWN as u64 {
        say!("  and {} more", thousands(count - SHOWN as u64));
    }
}
