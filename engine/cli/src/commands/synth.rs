//! `tandem synth`

use engine_patient::plural::several;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use clap::Args;
use datasets::machine::free_bytes;
use datasets::synth::{SynthOptions, SynthProgress, estimate, write_population};
use engine_patient::system::date_time::{DateTime, Precision};

use crate::failure::{Done, Failure};
use crate::format::{Format, TABLE_JSON, one_of};
use crate::table::{bytes, thousands};

/// Make a synthetic population as FHIR R4 NDJSON.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem synth --patients 10000 --out population
  tandem synth --patients 500 --dirty 0.05 --seed 7 --out dirty
The same seed gives the same bytes. All people are invented. Takes about 250 kB of disk a patient; how
much is said before it starts, and where there is less free it does not start.")]
pub struct Synth {
    /// How many patients.
    #[arg(long)]
    patients: u64,
    /// Folder to write the files to, as in Patient.ndjson; must not hold any yet.
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
    /// How to print what was made.
    #[arg(long, value_parser = one_of(TABLE_JSON), default_value = "table")]
    format: Format,
}

impl Synth {
    pub fn run(self) -> Done {
        let end = DateTime::parse(&self.end).filter(|d| d.precision() == Precision::Day);
        let end = end.ok_or_else(|| {
            Failure::User(format!("--end {}: not a date such as 2025-12-31", self.end))
        })?;
        let shown = format!("--out {}", self.out.display());
        crate::staged::outside_lakes(&shown, &self.out)?;
        let options = SynthOptions {
            patients: self.patients,
            seed: self.seed,
            dirty: self.dirty,
            end: end.civil(),
        };
        let failed = |e: std::io::Error| match e.kind() {
            ErrorKind::InvalidInput | ErrorKind::AlreadyExists => Failure::User(e.to_string()),
            ErrorKind::StorageFull => Failure::Internal(format!(
                "{}: no space left on device: nothing of the population is left there. Give another place, or fewer --patients",
                self.out.display()
            )),
            _ => Failure::Internal(format!("{}: {e}", self.out.display())),
        };
        let needed = estimate(&options).map_err(failed)?;
        let free = free_bytes(&self.out);
        if let Some(free) = free.filter(|free| *free < needed) {
            let fitting = u128::from(self.patients) * u128::from(free) / u128::from(needed.max(1));
            return Err(Failure::User(format!(
                "--patients {}: the population will take about {}, and {} has {} free: give another --out, or at most {} patients",
                self.patients,
                bytes(needed),
                self.out.display(),
                bytes(free),
                thousands(u64::try_from(fitting * 9 / 10).unwrap_or(u64::MAX))
            )));
        }
        // If nobody listens there is nobody to tell.
        let _ = writeln!(
            std::io::stderr(),
            "note: the population will take about {} in {}",
            bytes(needed),
            self.out.display()
        );
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
        let made = made.map_err(failed)?;
        if self.format == Format::Json {
            let made = serde_json::json!({
                "patients": made.patients, "resources": made.resources, "bytes": made.bytes,
                "out": self.out.display().to_string(),
            });
            data!("{made:#}");
            return Ok(std::process::ExitCode::SUCCESS);
        }
        say!(
            "{}, {}, {} in {}",
            several(made.patients, "patient", "patients"),
            several(made.resources, "resource", "resources"),
            bytes(made.bytes),
            self.out.display()
        );
        Ok(std::process::ExitCode::SUCCESS)
    }
}
