//! `tandem rule`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use datasets::patient_file;
use engine_cel::Clause;
use engine_cel::functions::FUNCTIONS;
use engine_patient::context::EvaluationContext;
use engine_patient::diagnostic::{Diagnostic, did_you_mean};
use engine_patient::fhir::names::Name;
use engine_patient::program::PatientProgram;
use engine_patient::record::PatientRecord;
use engine_patient::systems::SystemsInUse;
use engine_patient::terminology::{Severity, TerminologyStore};
use engine_patient::time::DateTime;
use engine_population::lake::Lake;
use engine_population::lake::systems::systems_in_use;
use measures::source_files::{self, files};
use rules::{Applicability, Rule as ClinicalRule};
use sources::RULES;

use crate::failure::{Done, Failure};
use crate::visible::in_line;

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
  tandem rule eval my-rule.yaml --patient p0000042 --lake lake --at 2025-12-31")]
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
                terminology,
            } => {
                let rule = find_rule(&rule, &terminology)?;
                let at = moment(at.as_deref())?;
                let mut context = EvaluationContext::at(at);
                let record = match &lake {
                    Some(lake) => {
                        let (record, systems) = record_from_lake(lake, &patient, &rule)?;
                        context = context.with_systems(Arc::new(systems));
                        record
                    }
                    None => {
                        let read = patient_file::read(Path::new(&patient));
                        let read = read.map_err(Failure::User)?;
                        read.notes.iter().for_each(|note| tell(note));
                        read.record
                    }
                };
                print_decision(&rule, &record, &context);
                Ok(std::process::ExitCode::SUCCESS)
            }
            Command::Test { rules, terminology } => test(&rules, &terminology),
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

/// Diagnostics, one after the other.
pub fn diagnostics(all: &[Diagnostic]) -> String {
    all.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// A date stands for its end, as a measurement period does.
fn moment(text: Option<&str>) -> Result<DateTime, Failure> {
    let Some(text) = text else {
        return Ok(DateTime::from_utc_millis(super::now_ms(), 0));
    };
    let parsed = DateTime::parse(text).ok_or_else(|| Failure::User(format!("--at {text}: write a date such as 2025-12-31, or a date-time such as 2025-12-31T10:00:00-05:00")))?;
    let zone = parsed.offset().unwrap_or(0);
    Ok(DateTime::from_utc_millis(parsed.latest(zone), zone))
}

/// Tells what was left alone.
pub fn tell(note: &str) {
    note!("note: {note}");
}

/// The built-in value sets, and the user's: where both have a set of one url, the codes of both. What
/// is wrong with the user's is told; errors end it.
pub fn terminology(paths: &[PathBuf]) -> Result<TerminologyStore, Failure> {
    let mut store = rules::built_in_terminology();
    if paths.is_empty() {
        return Ok(store);
    }
    let builder = source_files::terminology(paths, &mut tell)?;
    let (own, mut issues) = builder.build();
    issues.extend(store.unite(own));
    for issue in &issues {
        note!("{issue}");
    }
    match issues
        .iter()
        .filter(|i| i.severity == Severity::Error)
        .count()
    {
        0 => Ok(store),
        n => Err(Failure::User(format!("{n} error(s) in the value sets"))),
    }
}

/// The built-in rules, and those of the given files and folders.
pub fn load_rules(
    paths: &[PathBuf],
    value_sets: &[PathBuf],
) -> Result<Vec<Arc<ClinicalRule>>, Failure> {
    // Value sets are looked at even where no rule of the user's names them: a wrong path is told.
    let store = terminology(value_sets)?;
    let mut all = rules::built_in_with(&store).map_err(|e| Failure::Internal(diagnostics(&e)))?;
    if paths.is_empty() {
        return Ok(all);
    }
    let mut wrong = vec![];
    for source in files(paths, RULES, &mut tell)? {
        match load_file(&source.path, &store) {
            Ok(rule) => all.push(Arc::new(rule)),
            Err(text) => wrong.push(text),
        }
    }
    if !wrong.is_empty() {
        return Err(Failure::User(wrong.join("\n\n")));
    }
    let mut ids: Vec<_> = all.iter().map(|r| r.artifact.id.clone()).collect();
    ids.sort();
    if let Some([twice, _]) = ids.array_windows::<2>().find(|[a, b]| a == b) {
        return Err(Failure::User(format!(
            "two rules have the id `{twice}`: give yours another id"
        )));
    }
    Ok(all)
}

fn load_file(path: &Path, store: &TerminologyStore) -> Result<ClinicalRule, String> {
    let name = path.display().to_string();
    let text = sources::read_text(path).map_err(|e| format!("{name}: {e}"))?;
    let rule = rules::load(&name, &text, store).map_err(|e| diagnostics(&e))?;
    if !rule.warnings.is_empty() {
        note!("{}", diagnostics(&rule.warnings));
    }
    Ok(rule)
}

fn find_rule(name: &str, value_sets: &[PathBuf]) -> Result<Arc<ClinicalRule>, Failure> {
    if RULES.takes(Path::new(name)) {
        let store = terminology(value_sets)?;
        return load_file(Path::new(name), &store)
            .map(Arc::new)
            .map_err(Failure::User);
    }
    let all = load_rules(&[], value_sets)?;
    let found = all.iter().find(|r| *r.artifact.id == *name).cloned();
    found.ok_or_else(|| {
        let near = did_you_mean(name, all.iter().map(|r| r.artifact.id.as_ref()));
        let known: Vec<_> = all.iter().map(|r| r.artifact.id.to_string()).collect();
        let help = near.map_or(
            format!(
                "built in are {}; a file must end in .yaml",
                known.join(", ")
            ),
            |n| format!("did you mean `{n}`?"),
        );
        Failure::User(format!("there is no rule `{name}`: {help}"))
    })
}

/// All resources of one patient of the lake, and the code systems that the lake is coded in: one
/// patient's answer is that of a run over all.
fn record_from_lake(
    folder: &Path,
    patient: &str,
    rule: &ClinicalRule,
) -> Result<(PatientRecord, SystemsInUse), Failure> {
    let patient = patient.strip_prefix("Patient/").unwrap_or(patient);
    let runtime = super::runtime()?;
    runtime.block_on(async {
        let lake = Lake::open(folder, None).await?;
        // Rules read the codes of medications, and no other resource without a patient.
        let types: Vec<Name> = Name::of("Medication").into_iter().collect();
        let record = engine_population::patient::record(&lake, patient, &types).await?;
        let record =
            record.ok_or_else(|| Failure::User(format!("the lake has no patient `{patient}`")))?;
        Ok((record, systems_in_use(&lake, rule.coded_elements()).await?))
    })
}

fn print_decision(rule: &ClinicalRule, record: &PatientRecord, context: &EvaluationContext) {
    let decision = rule.decide(record, context);
    say!(
        "{} {} at {}",
        rule.artifact.id,
        rule.artifact.version,
        context.at
    );
    match decision.applicability {
        Applicability::Applies => say!("applies"),
        Applicability::DoesNotApply => say!("does not apply"),
        Applicability::Unknown => say!(
            "could not be checked: {}",
            in_line(decision.unknown_reason.as_deref().unwrap_or(""))
        ),
    }
    if let Some(due) = decision.due {
        say!("due: {due}");
    }
    if let Some(card) = &decision.card {
        say!(
            "\n┌ {} ─ {}",
            card.indicator.as_str(),
            in_line(&card.summary)
        );
        for line in card.detail.lines() {
            say!("│ {}", in_line(line));
        }
        say!(
            "└ {} ({}, {})",
            rule.source.title,
            rule.source.publisher,
            rule.source.year
        );
    }
    say!("\nwhy:");
    for (criterion, clause) in rule.explain(record, context) {
        let truth = clause.truth.map_or("", |t| t.as_str());
        say!("{criterion}: {truth}");
        clause.clauses.iter().for_each(|c| print_clause(c, 1));
        if clause.clauses.is_empty() {
            print_clause(&clause, 1);
        }
    }
}

fn print_clause(clause: &Clause, depth: usize) {
    let outcome = match (&clause.truth, &clause.value) {
        (Some(truth), _) => truth.as_str().to_owned(),
        (None, Some(value)) => value.clone(),
        (None, None) => String::new(),
    };
    let reason = clause
        .reason
        .as_ref()
        .map_or(String::new(), |r| format!("  ({r})"));
    // Values are the patient's: one that breaks the line could pass for a clause.
    say!(
        "{}{:7} ⇐ {}{}",
        "  ".repeat(depth),
        in_line(&outcome),
        in_line(&clause.text),
        in_line(&reason)
    );
    clause
        .clauses
        .iter()
        .for_each(|c| print_clause(c, depth + 1));
}

fn test(paths: &[PathBuf], value_sets: &[PathBuf]) -> Done {
    let store = terminology(value_sets)?;
    let (mut passed, mut failed) = (0u32, 0u32);
    let mut one = |rule: &ClinicalRule| {
        let outcomes = rule.run_cases();
        let bad: Vec<_> = outcomes.iter().filter(|o| !o.failures.is_empty()).collect();
        say!(
            "{}: {} passed, {} failed",
            rule.artifact.id,
            outcomes.len() - bad.len(),
            bad.len()
        );
        for outcome in &bad {
            say!("  {}:{}: {}", rule.file, outcome.line, outcome.name);
            outcome.failures.iter().for_each(|f| say!("    {f}"));
        }
        passed += u32::try_from(outcomes.len() - bad.len()).unwrap_or(u32::MAX);
        failed += u32::try_from(bad.len()).unwrap_or(u32::MAX);
    };
    if paths.is_empty() {
        load_rules(&[], value_sets)?.iter().for_each(|r| one(r));
    }
    let mut broken = vec![];
    for source in files(paths, RULES, &mut tell)? {
        match load_file(&source.path, &store) {
            Ok(rule) => one(&rule),
            Err(text) => broken.push(text),
        }
    }
    say!("{passed} passed, {failed} failed");
    match (broken.is_empty(), failed) {
        (false, _) => Err(Failure::User(broken.join("\n\n"))),
        (true, 0) => Ok(std::process::ExitCode::SUCCESS),
        (true, _) => Err(Failure::No(format!("{failed} case(s) failed"))),
    }
}
