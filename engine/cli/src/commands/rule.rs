//! `tandem rule`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use engine_cel::functions;

use self::check::check;
use self::eval::eval;
use self::test::{Asked, test};
use super::own_terminology::TerminologyArgs;
use crate::failure::Done;
use crate::format::{FINDINGS, Format, TABLE_JSON, TABLE_JSON_CSV_MARKDOWN, one_of};
use crate::listing::Listing;

mod check;
mod decision_json;
mod eval;
mod explained;
mod files;
mod mutation;
mod rehearse;
mod shown;
mod test;
mod watch;

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
        #[command(flatten)]
        terminology: TerminologyArgs,
        /// How to print the decision.
        #[arg(long, value_parser = one_of(TABLE_JSON), default_value = "table")]
        format: Format,
    },
    /// Tell everything that is wrong with rules, without running a case.
    #[command(after_help = "\
Examples:
  tandem rule check                  the built-in rules
  tandem rule check my-rules/ --terminology valuesets/
  tandem rule check my-rules/ --format sarif > rules.sarif
`tandem explain CODE` says more about the code of what is found.")]
    Check {
        /// Rule files or folders (.yaml, also .gz and .zst); the built-in rules if none is given.
        rules: Vec<PathBuf>,
        #[command(flatten)]
        terminology: TerminologyArgs,
        /// The day that review dates and sources are compared with. Default: today.
        #[arg(long)]
        today: Option<String>,
        /// How to print what is found: for people, for programs, for reviews of changes.
        #[arg(long, value_parser = one_of(FINDINGS), default_value = "table")]
        format: Format,
    },
    /// Check rules, run their cases, and show why a case fails.
    #[command(after_help = "\
Examples:
  tandem rule test                   the built-in rules
  tandem rule test my-rules/ --terminology valuesets/
  tandem rule test my-rules/ --coverage --mutate
  tandem rule test my-rules/ --format json > tested.json
`tandem explain CODE` says more about the code of what is found.")]
    Test {
        /// Rule files or folders (.yaml, also .gz and .zst); the built-in rules if none is given.
        rules: Vec<PathBuf>,
        #[command(flatten)]
        terminology: TerminologyArgs,
        /// List every condition, and whether it was true, false and unknown in a case.
        #[arg(long)]
        coverage: bool,
        /// Change each rule a little, again and again, and list the changes that no case finds.
        #[arg(long)]
        mutate: bool,
        /// Test again whenever a file changes, until Ctrl-C.
        #[arg(long)]
        watch: bool,
        /// How to print what is found.
        #[arg(long, value_parser = one_of(TABLE_JSON), default_value = "table")]
        format: Format,
    },
    Rehearse(rehearse::Rehearse),
    /// The functions that rules can call.
    #[command(after_help = "\
Examples:
  tandem rule functions
  tandem rule functions --format csv > functions.csv
  tandem rule functions --format markdown > functions.md")]
    Functions {
        /// How to print them.
        #[arg(long, value_parser = one_of(TABLE_JSON_CSV_MARKDOWN), default_value = "table")]
        format: Format,
    },
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
                format,
            } => eval(
                &rule,
                &patient,
                lake.as_deref(),
                at.as_deref(),
                time_zone.as_deref(),
                &terminology.paths()?,
                format,
            ),
            Command::Check {
                rules,
                terminology,
                today,
                format,
            } => check(&rules, &terminology.paths()?, today.as_deref(), format),
            Command::Test {
                rules,
                terminology,
                coverage,
                mutate,
                watch,
                format,
            } => test(&Asked {
                paths: rules,
                value_sets: terminology.paths()?,
                coverage,
                mutate,
                watch,
                format,
            }),
            Command::Rehearse(command) => command.run(),
            Command::Functions { format } => functions(format),
        }
    }
}

fn functions(format: Format) -> Done {
    if format == Format::Table {
        for info in functions::all() {
            let (name, what, example) = (info.name, info.doc, info.example);
            say!("{name}\n    {what}\n    e.g. {example}\n");
        }
        return Ok(std::process::ExitCode::SUCCESS);
    }
    if format == Format::Markdown {
        say!("{}", functions::page().trim_end());
        return Ok(std::process::ExitCode::SUCCESS);
    }
    let mut rows = Listing::new(&["name", "what", "example"]);
    for info in functions::all() {
        rows.push([info.name, info.doc, info.example].map(Into::into).into());
    }
    rows.print_as(format, "functions")?;
    Ok(std::process::ExitCode::SUCCESS)
}
