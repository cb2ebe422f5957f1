//! `tandem`: one file per command.

// Printing goes through `say`, which does not panic.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

#[macro_use]
mod say;

mod commands;
mod exit_codes;
mod failure;
mod format;
mod help_text;
mod listing;
mod staged;
mod table;
mod units;
mod visible;
mod width;
mod wrap;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::failure::Failure;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Clinical decision support and quality reporting: one clinical definition, two speeds.
#[derive(Parser)]
#[command(
    name = "tandem",
    version,
    arg_required_else_help = true,
    after_help = format!(
        "A first look:  tandem demo --no-serve\n\n{}\n\n{OUTPUT}",
        exit_codes::listed(&exit_codes::CODES)
    )
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Audit(commands::audit::Audit),
    Demo(commands::demo::Demo),
    Doctor(commands::doctor::Doctor),
    Explain(commands::explain::Explain),
    Import(commands::import::Import),
    Export(commands::export::Export),
    Feedback(commands::feedback::Feedback),
    Lake(commands::lake::Lake),
    Measure(commands::measure::Measure),
    Rule(commands::rule::Rule),
    Sql(commands::sql::Sql),
    Serve(commands::serve::Serve),
    Synth(commands::synth::Synth),
    Terminology(commands::terminology::Terminology),
}

/// Where what is printed, and how.
const OUTPUT: &str = "\
Standard output has the result only; notes, progress and errors go to standard error, as text in every \
format. --format is table (also called text), json or csv; where a command has no such form, it lists \
those it has. Tables are as wide as the terminal; elsewhere as COLUMNS says, by default 159.";

/// What was asked, or help, or what is wrong with the command line.
fn asked() -> Result<Cli, clap::Error> {
    let mut command = exit_codes::told(Cli::command());
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Cli::from_arg_matches(&matches).map_err(|e| e.format(&mut command))
}

fn main() -> ExitCode {
    let cli = match asked() {
        Ok(cli) => cli,
        Err(asked) => return usage(&asked),
    };
    // What unwinds to here has put its scratch away.
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let done = run(cli.command);
        say::flush();
        done
    }));
    match done {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => failure.tell(),
        Err(payload) => quit(payload),
    }
}

fn run(command: Command) -> failure::Done {
    match command {
        Command::Audit(c) => c.run(),
        Command::Demo(c) => c.run(),
        Command::Doctor(c) => c.run(),
        Command::Explain(c) => c.run(),
        Command::Import(c) => c.run(),
        Command::Export(c) => c.run(),
        Command::Feedback(c) => c.run(),
        Command::Lake(c) => c.run(),
        Command::Measure(c) => c.run(),
        Command::Rule(c) => c.run(),
        Command::Sql(c) => c.run(),
        Command::Serve(c) => c.run(),
        Command::Synth(c) => c.run(),
        Command::Terminology(c) => c.run(),
    }
}

/// The end of a command whose output could not be written, or of one that panicked: that is our bug.
fn quit(payload: Box<dyn std::any::Any + Send>) -> ExitCode {
    match payload.downcast::<say::Quit>() {
        Ok(quit) => ExitCode::from(quit.0),
        Err(_) => Failure::Internal("this is a bug in Tandem, see above".into()).tell(),
    }
}

/// Help and version, which were asked for, or what is wrong with the command line.
fn usage(asked: &clap::Error) -> ExitCode {
    let code = u8::try_from(asked.exit_code()).unwrap_or(2);
    let text = asked.to_string();
    let shown = visible::in_text(&text);
    let plain = matches!(shown, std::borrow::Cow::Borrowed(_));
    let printed = match (asked.use_stderr(), plain) {
        // If nobody listens there is nobody to tell.
        (true, true) => asked.print().or(Ok(())),
        (true, false) => {
            note!("{}", shown.trim_end());
            Ok(())
        }
        (false, _) => asked.print(),
    };
    let flushed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match printed {
        Ok(()) => say::flush(),
        Err(error) => say::failed(&error),
    }));
    flushed.map_or_else(quit, |()| ExitCode::from(code))
}
