//! `tandem feedback`

use cds_store::{Asked, By, Cells, Field, Place, Reader, Report, page};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use crate::commands::runtime;
use crate::commands::store::{Period, StoreArgs, now};
use crate::failure::{Done, Failure};
use crate::format::{Format, TABLE_JSON_CSV_HTML, one_of};
use crate::table;

/// What became of the cards of a service: taken, overridden and why, or nothing said.
#[derive(Args)]
pub struct Feedback {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Report(ReportArgs),
}

/// Per rule: cards shown, accepted, overridden with their reasons, and silent.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem feedback report --store tandem.db
  tandem feedback report --store tandem.db --from 2026-01-01 --to 2026-03-31 --by hook
  tandem feedback report --store postgres://tandem@db/cds --format html > cards.html
A card counts by what was said of it last. Silent: nothing was said, which is not the same as overridden.
The override rate is of the cards that were answered. html has everything: by hook, site, role, service,
client and version, with charts and reasons.")]
struct ReportArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    period: Period,
    /// What to tell the cards of a rule apart by; may be given several times (a table each).
    #[arg(long, value_parser = PossibleValuesParser::new(By::ALL.map(By::as_str)))]
    by: Vec<String>,
    /// Only of this tenant.
    #[arg(long)]
    tenant: Option<String>,
    /// So many of the latest comments of each rule, too. They are free text of clinicians, and may say
    /// anything of a patient.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    comments: u64,
    /// A rule is mostly overridden only if so many of its cards were shown, …
    #[arg(long, value_name = "COUNT", default_value_t = 30)]
    min_shown: u64,
    /// … so many were answered, …
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    min_answered: u64,
    /// … and of these so many of a hundred were overridden.
    #[arg(long, value_name = "PERCENT", default_value_t = 80)]
    override_percent: u64,
    /// How to print it. csv is one table: that of the first --by.
    #[arg(long, value_parser = one_of(TABLE_JSON_CSV_HTML), default_value = "table")]
    format: Format,
}

impl Feedback {
    pub fn run(self) -> Done {
        match self.command {
            Command::Report(args) => report(&args),
        }
    }
}

fn report(args: &ReportArgs) -> Done {
    let place = args.store.place()?;
    let (from, to) = args.period.moments()?;
    let named = By::ALL.into_iter();
    let by: Vec<By> = match args.format {
        Format::Html => named.collect(),
        _ => named
            .filter(|by| args.by.iter().any(|own| own == by.as_str()))
            .collect(),
    };
    let asked = Asked {
        from,
        to,
        tenant: args.tenant.clone(),
        by,
        comments: args.comments,
        min_shown: args.min_shown,
        min_answered: args.min_answered,
        override_percent: args.override_percent,
        ..Asked::new(now()?)
    };
    let report = runtime()?.block_on(made(&place, &asked))?;
    match args.format {
        Format::Json => data!("{:#}", serde_json::json!(report)),
        Format::Html => data!("{}", page(&report).trim_end()),
        Format::Csv => csv(&report.cells(first(args)))?,
        _ => print(&report, args),
    }
    Ok(std::process::ExitCode::SUCCESS)
}

async fn made(place: &Place, asked: &Asked) -> Result<Report, Failure> {
    Ok(Reader::open(place).await?.report(asked).await?)
}

fn first(args: &ReportArgs) -> By {
    let named = args.by.first();
    let found = named.and_then(|own| By::ALL.into_iter().find(|by| by.as_str() == own));
    found.unwrap_or(By::Rule)
}

fn csv(cells: &Cells) -> Result<(), Failure> {
    let mut out = crate::say::csv();
    out.write_record(cells.heading.iter().map(|name| name.replace(' ', "_")))?;
    for row in &cells.rows {
        out.write_record(row.iter().map(Field::for_programs))?;
    }
    Ok(out.flush().map_err(measures_run::RunError::from)?)
}

fn print(report: &Report, args: &ReportArgs) {
    if report.rules.is_empty() {
        say!(
            "No card was shown from {} to {}.",
            report.period.0,
            report.period.1
        );
    } else {
        let asked: Vec<By> = match report.by.is_empty() || args.by.iter().any(|by| by == "rule") {
            true => std::iter::once(By::Rule)
                .chain(report.by.iter().map(|b| b.by))
                .collect(),
            false => report.by.iter().map(|b| b.by).collect(),
        };
        for by in asked {
            table_of(&report.cells(by));
            say!("");
        }
        let reasons = report.reasons();
        if !reasons.rows.is_empty() {
            table_of(&reasons);
            say!("");
        }
        for rule in report.rules.iter().filter(|rule| !rule.comments.is_empty()) {
            say!("Latest comments on {}:", rule.rule);
            for comment in &rule.comments {
                say!("  {}  {}", comment.at, comment.text);
            }
            say!("");
        }
    }
    for note in report.notes() {
        say!("{note}");
    }
}

fn table_of(cells: &Cells) {
    let rows: Vec<Vec<String>> = cells
        .rows
        .iter()
        .map(|row| row.iter().map(Field::for_people).collect())
        .collect();
    table::print(&cells.heading, &rows);
}
