//! `tandem rule`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use engine_cel::functions;

use self::eval::eval;
use self::test::test;
use super::own_terminology::TerminologyArgs;
use crate::failure::Done;
use crate::format::{Format, TABLE_JSON, TABLE_JSON_CSV_MARKDOWN, one_of};
use crate::listing::Listing;

mod decision_json;
mod eval;
mod rehearse;
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
        #[command(flatten)]
        terminology: TerminologyArgs,
        /// How to print the decision.
        #[arg(long, value_parser = one_of(TABLE_JSON), default_value = "table")]
        format: Format,
    },
    /// Check rules, run their cases, and show why a case fails.
    #[command(after_help = "\
Examples:
  tandem rule test                   the built-in rules
  tandem rule test my-rules/ --terminology valuesets/
  tandem rule test my-rules/ --format json > tested.json
`tandem explain CODE` says more about the code of what is found.")]
    Test {
        /// Rule files or folders (.yaml, also .gz and .zst); the built-in rules if none is given.
        rules: Vec<PathBuf>,
        #[command(flatten)]
        terminology: TerminologyArgs,
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
            Command::Test {
                rules,
                terminology,
                format,
            } => test(&rules, &terminology.paths()?, format),
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
