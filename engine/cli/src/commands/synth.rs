//! `tandem synth`

use std::path::PathBuf;

use clap::Args;
use datasets::synth::{SynthOptions, SynthProgress, write_population};
use engine_patient::time::{DateTime, Precision};

use crate::failure::{Done, Failure};
use crate::table::{bytes, thousands};

/// Make a synthetic population as FHIR R4 NDJSON.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem synth --patients 10000 --out population
  tandem synth --patients 500 --dirty 0.05 --seed 7 --out dirty
The same seed gives the same bytes. All people are invented.")]
pub struct Synth {
    /// How many patients.
    #[arg(long)]
    patients: u64,
    /// Folder to write <Type>.ndjson files to; must not hold any yet.
    #[arg(long)]
    out: PathBuf,
    /// Seed of the random numbers.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Share of resources with a defect as real exports have them, 0 to 1.
    #[arg(long, default_value_t = 0.0)]
    dirty: f64,
    /// Last day of the history.
    #[arg(long, default_value = "2025-12-31")]
    end: String,
}

impl Synth {
    pub fn run(self) -> Done {
        let end = DateTime::parse(&self.end).filter(|d| d.precision() == Precision::Day);
        let end = end.ok_or_else(|| {
            Failure::User(format!("--end {}: not a date such as 2025-12-31", self.end))
        })?;
        let options = SynthOptions {
            patients: self.patients,
            seed: self.seed,
            dirty: self.dirty,
            end: end.civil(),
        };
        let bar = super::bar(
            self.patients,
            "{bar:30} {human_pos} of {human_len} patients, {eta} left",
        );
        let made = write_population(
            &options,
            &self.out,
            super::threads(),
            &|p: SynthProgress| bar.set_position(p.patients),
        );
        bar.finish_and_clear();
        let made = made.map_err(|e| match e.kind() {
            std::io::ErrorKind::InvalidInput | std::io::ErrorKind::AlreadyExists => {
                Failure::User(e.to_string())
            }
            _ => Failure::Internal(format!("{}: {e}", self.out.display())),
        })?;
        say!(
            "{} patients, {} resources, {} in {}",
            thousands(made.patients),
            thousands(made.resources),
            bytes(made.bytes),
            self.out.display()
        );
        Ok(std::process::ExitCode::SUCCESS)
    }
}
