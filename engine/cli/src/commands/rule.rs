//! `tandem rule`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use engine_cel::functions::FUNCTIONS;
use engine_patient::finding::Finding;
use measures::source_files::files;
use measures_run::rule_files::{load_file, load_rules, terminology};
use rules::{CaseOutcome, Rule as ClinicalRule};
use serde_json::{Value, json};
use sources::RULES;

use self::eval::eval;
use super::Format;
use super::measure::tell;
use crate::failure::{Done, Failure};

mod eval;

/// Check, test and evaluate rules.
#[derive(Args)]
pub struct Rule {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Evaluate a rule for one patient: the card, and why.
    #[command(after_help = "\
Examples:
  tandem rule eval hba1c-control --patient bundle.json --at 2025-12-31
  tandem rule eval my-rule.yaml --patient p0000042 --lake lake --at 2025-12-31 --time-zone America/New_York")]
    Eval {
        /// Id of a built-in rule, or a rule file.
        rule: String,
        /// A file with a Bundle, a resource or NDJSON, also .gz and .zst; or with --lake a patient's id.
        #[arg(long)]
        patient: String,
        /// Folder of the lake that has the patient.
        #[arg(long)]
        lake: Option<PathBuf>,
        /// The moment to evaluate for: a date (its end), or a date-time. Default: now.
        #[arg(long)]
        at: Option<String>,
        /// Where dates, and date-times without an offset, are taken to be, as for `serve`: an offset from
        /// UTC, or a place such as America/New_York. Default: the offset of --at, or UTC.
        #[arg(long, allow_hyphen_values = true)]
        time_zone: Option<String>,
        /// Value sets of your own, as files or folders (.json or .ndjson, also .gz and .zst). Codes are added to built-in sets of the same url.
        #[arg(long)]
        terminology: Vec<PathBuf>,
    },
    /// Check rules and run their cases.
    #[command(after_help = "\
Examples:
  tandem rule test                   the built-in rules
  tandem rule test my-rules/ --terminology valuesets/")]
    Test {
        /// Rule files or folders (.yaml, also .gz and .zst); the built-in rules if none is given.
        rules: Vec<PathBuf>,
        /// Value sets of your own, as files or folders (.json or .ndjson, also .gz and .zst). Codes are added to built-in sets of the same url.
        #[arg(long)]
        terminology: Vec<PathBuf>,
        /// How to print what is found.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// The functions that rules can call.
    #[command(after_help = "Example:\n  tandem rule functions")]
    Functions,
}

impl Rule {
    pub fn run(self) -> Done {
        match self.command {
            Command::Eval {
                rule,
                patient,
                lake,
                at,
                time_zone,
                terminology,
            } => eval(
                &rule,
                &patient,
                lake.as_deref(),
                at.as_deref(),
                time_zone.as_deref(),
                &terminology,
            ),
            Command::Test {
                rules,
                terminology,
                format,
            } => test(&rules, &terminology, format),
            Command::Functions => {
                for info in FUNCTIONS {
                    say!(
                        "{}\n    {}\n    e.g. {}\n",
                        info.name,
                        info.doc,
                        info.example
                    );
                }
                Ok(std::process::ExitCode::SUCCESS)
            }
        }
    }
}

fn test(paths: &[PathBuf], value_sets: &[PathBuf], format: Format) -> Done {
    let store = terminology(value_sets, &mut tell)?;
    let (mut passed, mut failed) = (0u32, 0u32);
    let (mut broken, mut tested) = (vec![], vec![]);
    let mut one = |rule: &ClinicalRule| {
        let outcomes = rule.run_cases();
        if format == Format::Json {
            tested.push(cases_json(rule, &outcomes));
        }
        let bad: Vec<_> = outcomes.iter().filter(|o| !o.failures.is_empty()).collect();
        if format == Format::Table {
            say!(
                "{}: {} passed, {} failed",
                rule.artifact.id,
                outcomes.len() - bad.len(),
                bad.len()
            );
        }
        for outcome in bad.iter().filter(|_| format == Format::Table) {
            say!("  {}:{}: {}", rule.file, outcome.line, outcome.name);
            outcome.failures.iter().for_each(|f| say!("    {f}"));
        }
        passed += u32::try_from(outcomes.len() - bad.len()).unwrap_or(u32::MAX);
        failed += u32::try_from(bad.len()).unwrap_or(u32::MAX);
    };
    if paths.is_empty() {
        load_rules(&[], value_sets, &mut tell)?
            .iter()
            .for_each(|r| one(r));
    }
    for source in files(paths, RULES, &mut tell)? {
        match load_file(&source.path, &store, &mut tell) {
            Ok(rule) => one(&rule),
            Err(found) => broken.extend(found),
        }
    }
    if format == Format::Json {
        let found: Vec<_> = broken.iter().map(Finding::to_json).collect();
        data!("{:#}", json!({ "rules": tested, "findings": found }));
        super::verdict(&broken)?;
    } else {
        say!("{passed} passed, {failed} failed");
    }
    match (broken.is_empty(), failed) {
        (false, _) => Err(Failure::of(&broken)),
        (true, 0) => Ok(std::process::ExitCode::SUCCESS),
        (true, _) => Err(Failure::No(format!("{failed} case(s) failed"))),
    }
}

fn cases_json(rule: &ClinicalRule, outcomes: &[CaseOutcome]) -> Value {
    let case = |o: &CaseOutcome| json!({ "name": o.name, "line": o.line, "failures": o.failures });
    json!({
        "rule": &*rule.artifact.id, "version": &*rule.artifact.version, "file": rule.file,
        "warnings": rule.warnings.iter().map(Finding::to_json).collect::<Vec<_>>(),
        "cases": outcomes.iter().map(case).collect::<Vec<_>>(),
    })
}
