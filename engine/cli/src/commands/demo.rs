//! `tandem demo`

mod calls;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Instant;

use cds_hooks::rule_services;
use clap::Args;
use datasets::import::ImportOptions;
use datasets::synth::{SynthOptions, write_population};
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::UTC;
use measures::official::Limits;
use measures::prepared::Packages;
use measures_run::job::{Report, RunFiles, RunTask};
use measures_run::rule_files::{live, load_rules};
use measures_run::{Job, JobResult, Task};

use self::calls::{CALLS, Days, SHOWN};
use super::measure::{Work, print_table, print_unmatched, tell, unexpected};
use crate::failure::{Done, Failure};
use crate::staged::Staged;
use crate::table::{bytes, thousands};

/// See it work: an invented population, real numbers, a live card.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem demo
  tandem demo --no-serve --patients 5000 --dir /tmp/demo")]
pub struct Demo {
    /// How many patients to invent.
    #[arg(long, default_value_t = 1000)]
    patients: u64,
    /// Folder for data, lake and reports; made anew. Default: tandem-demo in the system's temporary folder.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Stop after the table.
    #[arg(long)]
    no_serve: bool,
    /// Address of the CDS service.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

/// Marks a folder as ours, so that only such a one is ever emptied.
const MARK: &str = ".tandem-demo";

/// All that a demo puts there. A folder with anything else is left alone.
const OWN: [&str; 7] = [
    MARK,
    "fhir",
    "lake",
    "reports",
    "patient-view.json",
    "order-sign.json",
    "healthy.json",
];

impl Demo {
    pub fn run(self) -> Done {
        let dir = self
            .dir
            .clone()
            .unwrap_or_else(|| std::env::temp_dir().join("tandem-demo"));
        if !self.no_serve {
            // Known before the work, not after it.
            super::serve::on_this_machine("demo", self.listen)?;
            free(self.listen)?;
        }
        prepare(&dir)?;
        let data = dir.join("fhir");
        let io = |e: std::io::Error| Failure::Internal(format!("{}: {e}", dir.display()));

        let started = Instant::now();
        let options = SynthOptions {
            patients: self.patients,
            dirty: 0.01,
            ..SynthOptions::default()
        };
        let made = write_population(&options, &data, super::threads(), &|_| {}).map_err(io)?;
        say!(
            "1. Invented {} patients with {} resources ({}), 1 % of them with a defect, in {:.1} s",
            thousands(made.patients),
            thousands(made.resources),
            bytes(made.bytes),
            started.elapsed().as_secs_f64()
        );

        let started = Instant::now();
        let now_ms = super::now_ms();
        let report = super::import::run_with_progress(&ImportOptions {
            paths: vec![data.clone()],
            lake: dir.join("lake"),
            buckets: None,
            bases: vec![],
            strict: false,
            limits: Default::default(),
            threads: super::threads(),
            now_ms,
            lake_id: super::import::new_lake_id(now_ms),
        })?;
        super::import::tell_notes(&report);
        say!(
            "2. Imported them into a lake of Parquet files in {:.1} s: {} kept, {} outdated or repeated, {} rejected",
            started.elapsed().as_secs_f64(),
            thousands(report.total.stored + report.total.replaced),
            thousands(report.total.outdated + report.total.unchanged),
            thousands(report.total.rejected)
        );

        let started = Instant::now();
        let day =
            |y, m, d| DateTime::date(y, m, d).ok_or_else(|| Failure::Internal("a date".into()));
        let job = Job {
            lake: dir.join("lake"),
            snapshot: None,
            packages: Packages::default(),
            period: (day(2025, 1, 1)?, day(2025, 12, 31)?),
            as_of: None,
            zone: UTC.clone(),
            subject: None,
            limits: Limits::default(),
            reporter: None,
            threads: super::threads(),
            task: Task::Run(RunTask {
                rules: vec![],
                built_in: true,
                report: Report::Summary,
                files: RunFiles {
                    reports: true,
                    tables: true,
                    list: false,
                },
                manifest: false,
                by: None,
                clauses: false,
            }),
        };
        let mut work = Work::new()?;
        let prepared = work.prepare(job)?;
        let out = dir.join("reports");
        let staged = Staged::begin("--dir", "measure run", &out)?;
        let JobResult::Run(mut ran) = work.run(&prepared, Some(&staged))? else {
            return Err(unexpected());
        };
        if let Some(failure) = ran.missing.pop() {
            return Err(failure.into());
        }
        staged.commit()?;
        let (results, statistics) = (&ran.results, &ran.statistics);
        say!(
            "3. Ran {} measures for 2025 in {:.1} s\n",
            results.len(),
            started.elapsed().as_secs_f64()
        );
        print_table(results);
        print_unmatched(
            &statistics.evaluate.unmatched(),
            &ran.value_set_names,
            false,
        );
        say!(
            "\nReports (FHIR MeasureReport), subject list and result rows: {}",
            out.display()
        );
        let program = program();
        let lake = dir.join("lake").display().to_string();
        let next = format!("{}\n\n{}", ask_more(&program, &lake), next_steps(&program));
        if self.no_serve {
            say_whole!("\n{next}");
            return Ok(std::process::ExitCode::SUCCESS);
        }
        drop(work);

        let rules = live(load_rules(&[], &[], &mut tell)?, false, &mut |_| {});
        let services = rule_services(rules);
        let now = Days {
            now_ms: super::now_ms(),
        };
        let mut lines: Vec<(&str, String, PathBuf)> = vec![];
        for call in &CALLS {
            let service = call.service(&services)?;
            let file = dir.join(call.file);
            std::fs::write(&file, call.body(service, &now)).map_err(io)?;
            lines.push((call.what, service.id().to_owned(), file));
        }
        let mut config = super::serve::config(&UTC);
        config.listen = self.listen;
        say!(
            "\n4. Rules answer an EHR as it opens a chart or signs an order. In another terminal:"
        );
        super::serve::listen(config, services, move |address| {
            let calls: String = lines.iter().map(|line| curl(address, line)).collect();
            super::serve::announce(format!(
                "{calls}\n   Discovery: http://{address}/cds-services      Ctrl-C ends.\n\n{next}"
            ))
        })
    }
}

fn curl(address: SocketAddr, (what, service, file): &(&str, String, PathBuf)) -> String {
    format!(
        "\n   {what}\n   curl -s http://{address}/cds-services/{service} -H 'Content-Type: application/json' -d @{}\n",
        file.display()
    )
}

/// Whether the service could listen there.
fn free(address: SocketAddr) -> Result<(), Failure> {
    let tried = std::net::TcpListener::bind(address);
    tried.map(drop).map_err(|e| match e.kind() {
        std::io::ErrorKind::AddrInUse => Failure::User(format!(
            "{address} is in use: choose another with --listen 127.0.0.1:8081, or stop after the table with --no-serve"
        )),
        _ => Failure::User(format!("--listen {address}: {e}")),
    })
}

/// How the user started this program, so that what is printed can be copied into the same shell:
/// `cargo run` starts `target/debug/tandem`, which is on nobody's path.
fn program() -> String {
    let started = std::env::args().next();
    let name = started.filter(|name| !name.contains(char::is_whitespace));
    name.unwrap_or_else(|| "tandem".to_owned())
}

fn ask_more(program: &str, lake: &str) -> String {
    format!(
        "Ask this lake more: who has a gap, and anything in SQL
   {program} measure gaps --lake {lake} --period 2025-01-01..2025-12-31 --measure {SHOWN} --status open-gap
   {program} sql \"SELECT gender, count(*) AS patients FROM patient_flat GROUP BY gender\" --lake {lake}"
    )
}

/// What stands behind `#` may be copied along.
fn next_steps(program: &str) -> String {
    format!(
        "Next, with your own data: EXPORT is a FHIR R4 bulk export or Bundles, PACKAGES are official eCQMs, unmodified
   {program} import EXPORT --lake my-lake
   {program} measure run --lake my-lake --period 2025-01-01..2025-12-31 --out results
   {program} measure run PACKAGES --lake my-lake --period 2026-01-01..2026-12-31
   {program} rule test my-rules    # rules of your own: rules/README.md
   {program} help                  # all commands; each has examples under --help"
    )
}

/// Makes the folder anew. One that is not ours is left alone.
fn prepare(dir: &std::path::Path) -> Result<(), Failure> {
    let wrong = |e: std::io::Error| Failure::User(format!("{}: {e}", dir.display()));
    if dir.exists() {
        let ours = dir.join(MARK).is_file();
        let mut names = vec![];
        for entry in std::fs::read_dir(dir).map_err(wrong)? {
            names.push(entry.map_err(wrong)?.file_name());
        }
        let other = |name: &&std::ffi::OsString| !ours || !OWN.iter().any(|own| *name == own);
        if let Some(other) = names.iter().find(other) {
            return Err(Failure::User(format!(
                "{} holds other files ({}): give an empty folder with --dir",
                dir.display(),
                other.display()
            )));
        }
        // The mark goes last: what is left half removed is still known as ours.
        for name in names.iter().filter(|name| *name != MARK) {
            let path = dir.join(name);
            let removed = match path.symlink_metadata().map_err(wrong)?.is_dir() {
                true => std::fs::remove_dir_all(&path),
                false => std::fs::remove_file(&path),
            };
            removed.map_err(wrong)?;
        }
    }
    std::fs::create_dir_all(dir).map_err(wrong)?;
    std::fs::write(dir.join(MARK), "").map_err(wrong)
}
