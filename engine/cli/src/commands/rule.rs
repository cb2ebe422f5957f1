//! `tandem rule`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use engine_cel::functions::FUNCTIONS;

use self::eval::eval;
use self::test::test;
use super::Format;
use crate::failure::Done;

mod eval;
mod test;

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
    /// Check rules, run their cases, and show why a case fails.
    #[command(after_help = "\
Examples:
  tandem rule test                   the built-in rules
  tandem rule test my-rules/ --terminology valuesets/
  tandem rule test my-rules/ --format json > tested.json
Exit code: 0 all passed, 1 a case failed, 2 a rule is wrong (`tandem explain CODE` says more about a code).")]
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
