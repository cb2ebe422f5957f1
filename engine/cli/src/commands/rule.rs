//! `tandem rule`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use engine_cel::functions;

use self::check::check;
use self::eval::eval;
use self::test::{Asked, test};
use super::own_terminology::TerminologyArgs;
use crate::failure::Done;
use crate::format::{
    FINDINGS, Format, TABLE_JSON, TABLE_JSON_CSV_MARKDOWN, TABLE_JSON_MARKDOWN_HTML, one_of,
};
use crate::listing::Listing;

mod check;
mod decision_json;
mod eval;
mod explained;
mod files;
mod fmt;
mod mutation;
mod new_rule;
mod rehearse;
mod show;
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
  tandem rule eval my-rule.yaml --patient p0000042 --lake lake --at 2025-12-31 --time-zone America/New_York
  tandem rule eval my-alert.yaml --patient chart.json --hook order-sign --drafts drafts.json")]
    Eval {
        /// Id of a built-in rule, or a rule file.
        rule: String,
        /// A file with a Bundle, a resource or NDJSON, also .gz and .zst; or with --lake a patient's id.
        #[arg(long)]
        patient: String,
        /// Folder of the lake that has the patient.
        #[arg(long)]
        lake: Option<PathBuf>,
        /// The moment to evaluate for: a date (its end), or a date-time. With --lake by what was known then.
        /// Default: now.
        #[arg(long)]
        at: Option<String>,
        /// Where dates, and date-times without an offset, are taken to be, as for `serve`: an offset from
        /// UTC, or a place such as America/New_York. Default: the offset of --at, or UTC.
        #[arg(long, allow_hyphen_values = true)]
        time_zone: Option<String>,
        /// The hook that asks. Default: the first that the rule names.
        #[arg(long)]
        hook: Option<String>,
        /// A file with the orders that are being written: a Bundle, a resource or NDJSON.
        #[arg(long)]
        drafts: Option<PathBuf>,
        /// Of order-select, a draft that is selected, as MedicationRequest/draft-1. Default: all.
        #[arg(long)]
        select: Vec<String>,
        /// Who asks, as Practitioner/1.
        #[arg(long)]
        user: Option<String>,
        /// Below each part that asks for codes or drugs: which value set or class it was compared with,
        /// and the ingredients of the medication. JSON has that always.
        #[arg(long)]
        explain: bool,
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
  tandem rule test my-rules/ --coverage
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
    /// Begin a rule: a file with comments that say what to write.
    #[command(after_help = "\
Examples:
  tandem rule new --kind care-gap --title 'Foot exam in diabetes' --hook patient-view --out new
  tandem rule new --kind alert --title 'Ibuprofen with warfarin' --hook order-sign --out new
On a terminal it asks for what is not given. A file that is there is never overwritten.")]
    New {
        /// care-gap: who should get what; alert: a card at a moment.
        #[arg(long)]
        kind: Option<String>,
        /// What it is called.
        #[arg(long)]
        title: Option<String>,
        /// When it is asked: patient-view, order-select or order-sign.
        #[arg(long)]
        hook: Option<String>,
        /// The folder to write to.
        #[arg(long, default_value = ".")]
        out: PathBuf,
    },
    /// Put rule files in their usual form: the order of fields, two spaces a level. Comments stay.
    #[command(after_help = "\
Examples:
  tandem rule fmt my-rules/
  tandem rule fmt my-rules/ --check")]
    Fmt {
        /// Rule files or folders (.yaml).
        #[arg(required = true)]
        rules: Vec<PathBuf>,
        /// Change nothing, and name the files that are not in their usual form.
        #[arg(long)]
        check: bool,
    },
    /// A rule as a page for people who know no CEL: whom it is about, in words, what the card says, where it
    /// comes from, its table and its cases.
    #[command(after_help = "\
Examples:
  tandem rule show hba1c-control
  tandem rule show hba1c-control --format html > hba1c-control.html
  tandem rule show hba1c-control --format json")]
    Show {
        /// Id of a built-in rule, or a rule file.
        rule: String,
        #[command(flatten)]
        terminology: TerminologyArgs,
        /// How to print it.
        #[arg(long, value_parser = one_of(TABLE_JSON_MARKDOWN_HTML), default_value = "table")]
        format: Format,
    },
    /// The JSON Schema of rule files, for editors.
    #[command(after_help = "\
Examples:
  tandem rule schema > rule.schema.json
  tandem rule schema --library > library.schema.json")]
    Schema {
        /// That of library.yaml, which holds what all rules of a folder share.
        #[arg(long)]
        library: bool,
    },
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
                hook,
                drafts,
                select,
                user,
                terminology,
                format,
                explain,
            } => eval(&eval::Asked {
                rule,
                patient,
                lake,
                at,
                time_zone,
                terminology: terminology.paths()?,
                hook,
                drafts,
                select,
                user,
                explain,
                format,
            }),
            Command::New {
                kind,
                title,
                hook,
                out,
            } => new_rule::new_rule(kind, title, hook, &out),
            Command::Fmt { rules, check } => fmt::fmt(&rules, check),
            Command::Show {
                rule,
                terminology,
                format,
            } => show::show(&rule, &terminology.paths()?, format),
            Command::Schema { library } => schema(library),
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

fn schema(library: bool) -> Done {
    let schema = match library {
        true => rules::library_schema(),
        false => rules::rule_schema(),
    };
    data!("{schema:#}");
    Ok(std::process::ExitCode::SUCCESS)
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
