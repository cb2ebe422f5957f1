//! `tandem measure explain`

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use engine_patient::plural::several;
use measures::explain::funnel::{CSV_HEADING, PopulationFunnel, csv_rows};
use measures::explain::{Explanation, html, plain_text};
use measures::package::PopulationCode;
use measures_run::job::BesidePackages;
use measures_run::{Job, JobResult, Task};

use super::arguments::{
    LimitArgs, PackageArgs, as_of, outside_period, parse_period, parse_zone, subject_id,
};
use super::{Work, ended, tell, unexpected};
use crate::commands::threads;
use crate::failure::{Done, Failure};
use crate::format::{Format, one_of};
use crate::staged::write_file;
use crate::table::{self, thousands};
use crate::width;

/// Why a patient is in a population or is not: criteria, their outcomes, and the resources that
/// decided. Or for all patients: which clause loses how many.
#[derive(Args)]
#[command(group(ArgGroup::new("whom").required(true).args(["subject", "funnel"])))]
#[command(after_help = "\
Examples:
  tandem measure explain packages/ --measure CMS122FHIR --subject Patient/123 --lake lake --period 2026-01-01..2026-12-31
  tandem measure explain packages/ --measure CMS122FHIR --subject Patient/123 --lake lake --period 2026-01-01..2026-12-31 --format html --out why.html
  tandem measure explain packages/ --measure CMS122FHIR --funnel --lake lake --period 2026-01-01..2026-12-31
  tandem measure explain packages/ --measure CMS122FHIR --funnel --within denominator --lake lake --period 2026-01-01..2026-12-31
  tandem measure explain --measure hba1c-control --subject Patient/123 --lake lake --period 2026-01-01..2026-12-31
  tandem measure explain --rules my-rules --terminology my-sets --measure tobacco-status-recorded --funnel --lake lake --period 2026-01-01..2026-12-31
Without a package: the built-in care gaps, and those of --rules. With packages: their measures and --rules
(add --built-in for all).
HTML shows the logic with its clauses marked true, false, unknown or not evaluated; it is one file that
needs no other. The output holds patient data.")]
pub struct Explain {
    #[command(flatten)]
    packages: PackageArgs,
    #[command(flatten)]
    limits: LimitArgs,
    /// Rules of your own, as files or folders (.yaml, also .gz and .zst).
    #[arg(long)]
    rules: Vec<PathBuf>,
    /// The built-in care gaps beside the measures of packages.
    #[arg(long)]
    built_in: bool,
    /// The patient: Patient/ID.
    #[arg(long, conflicts_with = "within")]
    subject: Option<String>,
    /// Over all patients: per clause of each population how many it keeps and loses.
    #[arg(long)]
    funnel: bool,
    /// Funnel: only patients who count in this population, as in initial-population.
    #[arg(long, requires = "funnel")]
    within: Option<String>,
    /// Folder of the lake.
    #[arg(long)]
    lake: PathBuf,
    /// First and last day, as in 2025-01-01..2025-12-31.
    #[arg(long)]
    period: String,
    /// The day as of which to evaluate (CQL Now()). Default: the last of the period.
    #[arg(long)]
    as_of: Option<String>,
    /// How deep to go into criteria; what is left out is said.
    #[arg(long, default_value = "6", value_parser = clap::value_parser!(u8).range(1..=50))]
    depth: u8,
    /// How to print it: table (text), json, html; a funnel: table, json, csv.
    #[arg(long, value_parser = one_of(FORMATS), default_value = "table")]
    format: Format,
    /// File to write to instead of printing.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Where dates, and date-times without an offset, are taken to be: an offset from UTC, or a place
    /// such as America/New_York, whose summer time is kept.
    #[arg(long, default_value = "+00:00", allow_hyphen_values = true)]
    time_zone: String,
    /// An older snapshot.
    #[arg(long)]
    snapshot: Option<u64>,
}

/// What one patient, or a funnel, is given as.
const FORMATS: &[Format] = &[Format::Table, Format::Json, Format::Csv, Format::Html];

impl Explain {
    pub fn run(self) -> Done {
        let within = self.within.as_deref().map(population).transpose()?;
        match (self.funnel, self.format) {
            (true, Format::Html) => {
                return Err(Failure::User(
                    "--format html: a funnel is printed as table, json or csv".into(),
                ));
            }
            (false, Format::Csv) => {
                return Err(Failure::User(
                    "--format csv: for one patient there is table (text), json and html".into(),
                ));
            }
            _ => {}
        }
        let zone = parse_zone(&self.time_zone)?;
        let day = self.as_of.as_deref();
        let rules = BesidePackages {
            rules: self.rules.clone(),
            built_in: self.built_in,
        };
        let job = Job {
            lake: self.lake.clone(),
            snapshot: self.snapshot,
            packages: self.packages.clone().packages()?,
            period: parse_period(&self.period)?,
            zone: zone.clone(),
            subject: self.subject.as_deref().map(subject_id).transpose()?,
            as_of: day.map(|day| as_of(day, &zone)).transpose()?,
            limits: self.limits.limits(),
            reporter: None,
            threads: threads(),
            task: match self.funnel {
                true => Task::Funnel { within, rules },
                false => Task::Explain {
                    depth: usize::from(self.depth),
                    rules,
                },
            },
        };
        let mut work = Work::new()?;
        let outside = outside_period(&job);
        let prepared = work.prepare(job)?;
        outside.iter().for_each(|text| tell(text));
        let (text, missing) = match work.run(&prepared, None)? {
            JobResult::Explained(answer) => (self.explained(&answer.found)?, answer.missing),
            JobResult::Funnel(answer) => (self.counted(&answer.found)?, answer.missing),
            JobResult::Run(_) | JobResult::Gaps(_) => return Err(unexpected()),
        };
        self.write(&text)?;
        ended(missing)
    }

    fn explained(&self, all: &[Explanation]) -> Result<String, Failure> {
        Ok(match self.format {
            Format::Html => html::page(all),
            Format::Json => json(all)?,
            _ => {
                let width = width::of_output();
                let texts = all.iter().map(|e| plain_text::text(e, width));
                let texts: Vec<String> = texts.collect();
                texts.join("\n")
            }
        })
    }

    fn counted(&self, all: &[PopulationFunnel]) -> Result<String, Failure> {
        Ok(match self.format {
            Format::Csv => csv(all)?,
            Format::Json => json(all)?,
            _ => self.funnel_text(all),
        })
    }

    fn funnel_text(&self, all: &[PopulationFunnel]) -> String {
        let mut out = String::new();
        let whom = match &self.within {
            Some(within) => format!(" in {within}"),
            None => String::new(),
        };
        for funnel in all {
            let count = several(funnel.patients, "patient", "patients");
            out.push_str(&format!(
                "{}, {}, {} (\"{}\"), {}: {count}{whom}\n",
                funnel.measure,
                funnel.group,
                funnel.population,
                funnel.expression,
                operator(funnel)
            ));
            let rows: Vec<Vec<String>> = funnel
                .clauses
                .iter()
                .map(|c| {
                    let mut counts = vec![c.holds, c.fails, c.unknown];
                    counts.extend(c.lost.iter().flat_map(|l| [l.left, l.lost_by_it_alone]));
                    counts.extend(c.met.iter().flat_map(|m| [m.met_so_far, m.met_by_it_alone]));
                    let mut row = vec![c.clause.clone()];
                    row.extend(counts.into_iter().map(thousands));
                    row
                })
                .collect();
            let [so_far, alone] = headings(funnel);
            let heading = ["clause", "holds", "fails", "unknown", so_far, alone];
            out.push_str(&table::text(&heading, &rows));
            out.push('\n');
        }
        out.push_str(
            "Each population's own criterion, clause by clause, whatever the other populations say.\n\
             All of the clauses must hold: left (of an exclusion: still excluded) are patients of whom it and all\n\
             before it hold; lost by it alone (kept in by it alone): all others hold.\n\
             Any of them is enough: met (excluded) so far are patients of whom it or one before it holds; by it\n\
             alone: no other holds.\n",
        );
        if all.iter().any(|f| f.resources) {
            out.push_str(
                "Of measures that count resources a clause holds of a patient where its list has members.\n",
            );
        }
        out
    }

    fn write(&self, text: &str) -> Result<(), Failure> {
        let Some(path) = &self.out else {
            match self.format {
                Format::Table => say!("{}", text.trim_end()),
                _ => data!("{}", text.trim_end()),
            }
            return Ok(());
        };
        write_file("--out", path, text.as_bytes())?;
        note!("It is in {}", path.display());
        Ok(())
    }
}

/// How the clauses make the criterion; of one clause nothing needs to be said.
fn operator(funnel: &PopulationFunnel) -> &'static str {
    match funnel.clauses.len() {
        0 | 1 => "one clause",
        _ => funnel.operator,
    }
}

/// What the last two columns count, in the words of the population: whom an exclusion loses stays in.
fn headings(funnel: &PopulationFunnel) -> [&'static str; 2] {
    let excludes = funnel.population.ends_with("exclusion");
    match (funnel.operator, excludes) {
        ("any of", false) => ["met so far", "met by it alone"],
        ("any of", true) => ["excluded so far", "excluded by it alone"],
        (_, false) => ["left", "lost by it alone"],
        (_, true) => ["still excluded", "kept in by it alone"],
    }
}

/// A population by its code.
fn population(code: &str) -> Result<PopulationCode, Failure> {
    PopulationCode::of(code).ok_or_else(|| {
        Failure::User(format!(
            "--within {code}: there is no such population; write a code such as initial-population or denominator"
        ))
    })
}

fn csv(all: &[PopulationFunnel]) -> Result<String, Failure> {
    let mut out = csv::Writer::from_writer(vec![]);
    out.write_record(CSV_HEADING)?;
    for row in csv_rows(all) {
        out.write_record(&row)?;
    }
    super::print::csv_text(out)
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Failure::Internal(e.to_string()))?;
    Ok(text + "\n")
}
