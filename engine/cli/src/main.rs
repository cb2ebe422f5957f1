//! `tandem`: one file per command.

#[macro_use]
mod say;

mod commands;
mod failure;
mod table;
mod units;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Clinical decision support and quality reporting: one clinical definition, two speeds.
#[derive(Parser)]
#[command(
    name = "tandem",
    version,
    arg_required_else_help = true,
    after_help = "\
Exit codes: 0 done; 1 done, and the answer is no (a case failed, lines were rejected under --strict);
2 a mistake in what was asked; 3 not supported; 4 a bug in Tandem, or the machine failed.

A first look:  tandem demo --no-serve"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(commands::demo::Demo),
    Import(commands::import::Import),
    Export(commands::export::Export),
    Lake(commands::lake::Lake),
    Measure(commands::measure::Measure),
    Rule(commands::rule::Rule),
    Sql(commands::sql::Sql),
    Serve(commands::serve::Serve),
    Synth(commands::synth::Synth),
    Terminology(commands::terminology::Terminology),
}

fn main() -> std::process::ExitCode {
    let done = match Cli::parse().command {
        Command::Demo(c) => c.run(),
        Command::Import(c) => c.run(),
        Command::Export(c) => c.run(),
        Command::Lake(c) => c.run(),
        Command::Measure(c) => c.run(),
        Command::Rule(c) => c.run(),
        Command::Sql(c) => c.run(),
        Command::Serve(c) => c.run(),
        Command::Synth(c) => c.run(),
        Command::Terminology(c) => c.run(),
    };
    match done {
        Ok(code) => code,
        Err(failure) => failure.tell(),
    }
}
