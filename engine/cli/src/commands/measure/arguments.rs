//! Arguments that commands on measures have in common.

use std::path::PathBuf;

use clap::Args;
use engine_patient::fhir::profiles::ProfileMode;
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::zone::Zone;
use measures::official::Limits;
use measures::prepared::Packages;
use measures_run::Job;
use measures_run::rule_files::bindings;

use super::super::own_terminology::TerminologyArgs;
use crate::failure::Failure;

/// What all commands on packages take.
#[derive(Args, Clone)]
pub struct PackageArgs {
    /// Packages: files or folders with FHIR Measure, Library (ELM) and ValueSet resources, Bundles of
    /// them, .json or .ndjson, also .gz and .zst.
    pub package: Vec<PathBuf>,
    /// Only these measures, by id, name, title or url, or by the beginning of one if only one begins so:
    /// CMS122, or 122; may be given several times. Default: all.
    #[arg(long)]
    pub measure: Vec<String>,
    #[command(flatten)]
    pub terminology: TerminologyArgs,
    /// Go on where value sets are missing: membership in them is unknown, a retrieve by them finds
    /// nothing, and what rests on that is counted as it is but not evaluable, with the set's name.
    #[arg(long, visible_alias = "allow-missing-value-sets")]
    pub allow_missing_valuesets: bool,
    /// Which way is better of a measure, over what it says: CMS122FHIR=lower (or =decrease), =higher (or
    /// =increase); several times.
    #[arg(long, value_name = "MEASURE=DIRECTION")]
    pub better: Vec<String>,
    /// Run nothing if anything is wrong with one of the measures; otherwise the others are run, and the
    /// exit code tells.
    #[arg(long)]
    pub strict: bool,
    /// Trust profile tags (`meta.profile`) alone; otherwise content decides where a tag is missing.
    #[arg(long)]
    pub strict_profiles: bool,
    /// Tell every finding in full: each place of it by itself. Otherwise those that say the same are one.
    #[arg(long, visible_alias = "all")]
    pub verbose: bool,
    /// Run the library FHIRHelpers as ELM instead of natively; the results are the same.
    #[arg(long, hide = true)]
    pub elm_helpers: bool,
}

impl PackageArgs {
    /// The packages, with what is to be read beside them.
    pub fn packages(self) -> Result<Packages, Failure> {
        let args = self;
        let terminology = args.terminology.paths()?;
        Ok(Packages {
            paths: args.package,
            measures: args.measure,
            bindings: bindings(&terminology)?,
            terminology,
            allow_missing_value_sets: args.allow_missing_valuesets,
            better: args.better,
            strict: args.strict,
            profile_mode: profile_mode(args.strict_profiles),
            elm_helpers: args.elm_helpers,
            verbose: args.verbose,
        })
    }
}

/// How resources without profile tags are matched.
pub fn profile_mode(strict: bool) -> ProfileMode {
    match strict {
        true => ProfileMode::Strict,
        false => ProfileMode::Decide,
    }
}

/// What the evaluation of a measure may use.
#[derive(Args, Clone, Copy)]
pub struct LimitArgs {
    /// Steps that a measure of a package may take for one patient; what is not done by then is not
    /// evaluable. A measure that uses them up for 3 patients is given up for all, as is one that takes
    /// more than 2 million a patient over the whole run (beside 10 patients' worth); the exit code is 3.
    #[arg(long, value_name = "N", default_value_t = Limits::default().steps, value_parser = clap::value_parser!(u64).range(1..))]
    patient_steps: u64,
    /// Megabytes that the values of one patient may take; what needs more counts as the steps do.
    #[arg(long, value_name = "MB", default_value_t = u32::try_from(Limits::default().memory >> 20).unwrap_or(256), value_parser = clap::value_parser!(u32).range(1..=4096))]
    patient_memory: u32,
}

impl LimitArgs {
    pub fn limits(self) -> Limits {
        Limits {
            steps: self.patient_steps,
            memory: usize::try_from(u64::from(self.patient_memory) << 20).unwrap_or(usize::MAX),
        }
    }
}

/// `2025-01-01..2025-12-31`
pub fn parse_period(text: &str) -> Result<(DateTime, DateTime), Failure> {
    let wrong = |why: &str| {
        Failure::User(format!(
            "--period {text}: {why}; write it as 2025-01-01..2025-12-31"
        ))
    };
    let (start, end) = text
        .split_once("..")
        .ok_or_else(|| wrong("two dates with `..` between them were expected"))?;
    let day = |t: &str| DateTime::parse(t).filter(|d| d.precision() == Precision::Day);
    let (Some(start), Some(end)) = (day(start), day(end)) else {
        return Err(wrong("this is not two days"));
    };
    if start.civil() > end.civil() {
        return Err(wrong("the end lies before the start"));
    }
    Ok((start, end))
}

/// `+01:00`, `America/New_York`
pub fn parse_zone(text: &str) -> Result<Zone, Failure> {
    Zone::parse(text).map_err(|e| Failure::User(format!("--time-zone {text}: {e}")))
}

/// The end of a day, or a moment.
pub fn as_of(day: &str, zone: &Zone) -> Result<DateTime, Failure> {
    let at = DateTime::parse(day).filter(|d| d.precision() >= Precision::Day);
    let at =
        at.ok_or_else(|| Failure::User(format!("--as-of {day}: write a day, as in 2026-12-31")))?;
    Ok(zone.moment(at.latest(zone)))
}

/// What a day outside the period does, where it lies outside: it moves `Now()`, and nothing else.
pub fn outside_period(job: &Job) -> Option<String> {
    let (at, (start, end)) = (job.as_of?, job.period);
    let (first, last) = (start.earliest(&job.zone), end.latest(&job.zone));
    let side = match at.earliest(&job.zone) {
        at if at < first => "before",
        at if at > last => "after",
        _ => return None,
    };
    Some(format!(
        "note: --as-of lies {side} the period: the numbers are those of the period {start} to {end} all the same; only what asks for the moment of evaluation (Now() and Today() in CQL, `at` and active() in rules) is told that day"
    ))
}

/// Who can report (MeasureReport.reporter): `Organization/1`, or a url that ends so.
pub fn reporter(text: &str) -> Result<String, Failure> {
    const TYPES: [&str; 4] = [
        "Organization",
        "Practitioner",
        "PractitionerRole",
        "Location",
    ];
    let mut parts = text.rsplit('/');
    let (id, ty) = (parts.next().unwrap_or_default(), parts.next());
    let base: Vec<&str> = parts.collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let is_id = (1..=64).contains(&id.len()) && id.chars().all(plain);
    let is_type = ty.is_some_and(|ty| TYPES.contains(&ty));
    let absolute = text.starts_with("https://") || text.starts_with("http://");
    match is_id && is_type && (base.is_empty() || absolute) {
        true => Ok(text.to_owned()),
        false => Err(Failure::User(format!(
            "--reporter {text}: this is no reference to who reports; write its type and id, as in Organization/1 ({} are possible)",
            TYPES.join(", ")
        ))),
    }
}

/// `Patient/123`, or the id alone.
pub fn subject_id(text: &str) -> Result<String, Failure> {
    let id = text.strip_prefix("Patient/").unwrap_or(text);
    match id.is_empty() || id.contains('/') {
        true => Err(Failure::User(format!("--subject {text}: write Patient/ID"))),
        false => Ok(id.to_owned()),
    }
}
