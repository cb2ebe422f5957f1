//! `tandem serve`

mod flags;
mod load;
mod print;
mod ready;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use cds_hooks::{CardService, Clock, Config, Log, Service, open_files, serve};
use cds_server::settings::{EXAMPLE, Settings};
use cds_server::{NotLoaded, Start, Tell, into_log};
use clap::Args;
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::zone::Zone;

use self::flags::Flags;
use crate::failure::{Done, Failure};

pub use load::load;
pub use print::announce;

/// Answer CDS Hooks calls with cards.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem serve --insecure-dev                                  # everyone, on this machine only: to try it
  tandem serve --print-config > tandem.toml                    # all settings, with what they do
  tandem serve --config tandem.toml --check                    # all that is wrong with them
  tandem serve --config tandem.toml
  tandem serve --insecure-dev --package packages/ --measure CMS130FHIRColorectalCancerScreening
  tandem serve --insecure-dev --allow-origin https://sandbox.cds-hooks.org    # the public sandbox
  tandem serve --insecure-dev --rules my-rules --no-built-in --status draft   # your rules only, drafts too
  tandem serve --insecure-dev --at 2021-05-01T10:00:00Z        # data of the past, as at that moment
  curl http://127.0.0.1:8080/cds-services

Who may call stands in the settings file ([[client]]). Rules, value sets, keys and certificates are read again when
their files change, and at SIGHUP; what is wrong then never replaces what works. The limits can be left as they are.
Whom one of them turns away is told (408, or 503 with Retry-After); GET /metrics counts.")]
pub struct Serve {
    /// Settings (TOML). What the command line says as well is over it. --print-config prints an example.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check the settings, the rules, the keys and the certificates, and end.
    #[arg(long)]
    check: bool,
    /// Ask the server that these settings started whether it is ready (GET /readyz), and end: for health checks
    /// of containers. Exit code 0 where it is, 1 where it is not.
    #[arg(long, conflicts_with = "check")]
    ready: bool,
    /// Print an example of a settings file, with every name, its default and what it does.
    #[arg(long, exclusive = true)]
    print_config: bool,
    /// Serve without a client being configured: everyone may call, and read what operators may. On this
    /// machine only (a loopback address).
    #[arg(long)]
    insecure_dev: bool,
    #[command(flatten)]
    flags: Flags,
    /// Answer every call as at this moment, for rehearsals with data of the past: 2021-05-01T10:00:00Z; a
    /// day stands for its end. Without it each call is answered as at its own time.
    #[arg(long, value_name = "MOMENT")]
    at: Option<String>,
}

/// What stands in place of a list of clients.
const NOBODY: &str = "no client is configured, so that nobody who calls could be told from anybody else: \
name who may call in a settings file (--config FILE; --print-config prints an example), or serve everyone on \
this machine only with --insecure-dev";

impl Serve {
    pub fn run(self) -> Done {
        if self.print_config {
            say_whole!("{}", EXAMPLE.trim_end());
            return Ok(std::process::ExitCode::SUCCESS);
        }
        let mut settings = match &self.config {
            Some(path) => Settings::load(path).map_err(|e| Failure::User(e.to_string()))?,
            None => Settings::default(),
        };
        let over = self.flags.put_over(&mut settings, self.config.as_deref())?;
        if let Some(over) = over.as_ref().filter(|_| self.check) {
            note!("{over}");
        }
        if self.ready {
            return ready::ask(&settings.server);
        }
        let zone = settings.server.time_zone.clone();
        let at = self.at.as_deref().map(|at| moment(at, &zone)).transpose()?;
        let insecure = allowed(&settings, self.insecure_dev)?;
        if !self.check {
            settings.server.limits.max_connections =
                possible(settings.server.limits.max_connections);
        }
        let start = Start {
            load: Arc::new(load),
            clock: clock(&zone),
            log: Log::stderr(),
            settings,
            insecure,
            at,
        };
        if self.check {
            return check(&start, self.config.as_deref());
        }
        start.hide_panics();
        let telling = Telling::of(&start, self.config.is_some());
        let (ending, over) = (telling.clone(), Vec::from_iter(over));
        let operators = start.settings.server.admin_listen;
        let runtime = super::runtime()?;
        let always = at.map_or_else(String::new, |at| {
            format!("\nEvery call is answered as at {at}")
        });
        let listening = move |address: &cds_server::Listening<'_>| {
            telling.notes(&[address.notes, &over].concat());
            let url = address.url();
            telling.server(&began(address, operators));
            let open = match insecure {
                true => {
                    "\nINSECURE: everyone on this machine may call, and read what operators may (--insecure-dev)"
                }
                false => "",
            };
            let list = listed(address.services);
            announce(format!(
                "CDS services at {url}/cds-services (Ctrl-C ends){open}{always}{list}"
            ));
        };
        let served = runtime.block_on(start.serve(listening, cds_hooks::signal()));
        if served.is_ok() {
            ending.server("it has ended");
        }
        ending.log.flush(LAST_LINE);
        // Evaluations that nobody waits for any more do not delay the end.
        runtime.shutdown_background();
        served.map_err(failure)?;
        Ok(std::process::ExitCode::SUCCESS)
    }
}

/// Where a service with settings tells of itself: into its log, one line of JSON each, for the programs that
/// read it. Without settings a person does.
#[derive(Clone)]
struct Telling {
    tell: Tell,
    log: Log,
    has_settings: bool,
}

impl Telling {
    fn of(start: &Start, has_settings: bool) -> Self {
        Telling {
            tell: into_log(start.log.clone(), start.clock.clone()),
            log: start.log.clone(),
            has_settings,
        }
    }

    fn notes(&self, notes: &[String]) {
        match self.has_settings {
            true => notes.iter().for_each(|note| (self.tell)(note)),
            false if notes.is_empty() => {}
            false => print::aside(notes.join("\n")),
        }
    }

    fn server(&self, what: &str) {
        if self.has_settings {
            (self.tell)(what);
        }
    }
}

/// What the log begins with: which version answers, and where.
fn began(at: &cds_server::Listening<'_>, operators: Option<SocketAddr>) -> String {
    let operators = operators.map_or_else(String::new, |at| format!(", operators at {at}"));
    format!(
        "Tandem {} answers at {}/cds-services{operators}: {} services for callers without a tenant that has its own",
        env!("CARGO_PKG_VERSION"),
        at.url(),
        at.services.len()
    )
}

/// How long the last line may take to be written.
const LAST_LINE: std::time::Duration = std::time::Duration::from_secs(1);

/// Whether everyone may call.
fn allowed(settings: &Settings, insecure_dev: bool) -> Result<bool, Failure> {
    if !insecure_dev {
        return match settings.clients.is_empty() {
            true => Err(Failure::User(NOBODY.to_owned())),
            false => Ok(false),
        };
    }
    let server = &settings.server;
    let admin = server.admin_listen.iter();
    for address in std::iter::once(&server.listen).chain(admin) {
        on_this_machine("--insecure-dev", *address)?;
    }
    Ok(true)
}

/// What everyone may call listens on a loopback address only.
pub fn on_this_machine(what: &str, address: SocketAddr) -> Result<(), Failure> {
    match address.ip().is_loopback() {
        true => Ok(()),
        false => Err(Failure::User(format!(
            "{what} lets everyone call, so that it listens on this machine only: {address} is not a loopback address such as 127.0.0.1:{}. For other machines name who may call ([[client]] in a settings file)",
            address.port()
        ))),
    }
}

/// What could not be loaded, as a command fails.
pub fn failure(why: NotLoaded) -> Failure {
    match why {
        NotLoaded::User(text) => Failure::User(text),
        NotLoaded::Unsupported(text) => Failure::Unsupported(text),
        NotLoaded::Internal(text) => Failure::Internal(text),
    }
}

fn check(start: &Start, file: Option<&std::path::Path>) -> Done {
    let checked = start.check().map_err(failure)?;
    checked.notes.iter().for_each(|line| note!("{line}"));
    for line in start.settings.not_looked_at() {
        note!("not looked at: {line}");
    }
    let what = file.map_or_else(
        || "the settings".to_owned(),
        |file| file.display().to_string(),
    );
    say!(
        "{what}: nothing is wrong. {} services of {} rules",
        checked.services,
        checked.rules
    );
    Ok(std::process::ExitCode::SUCCESS)
}

/// A line for each service: its id, its hook, and whether anybody sees its cards.
fn listed(services: &[Service]) -> String {
    let width = services.iter().map(|s| s.id.len()).max().unwrap_or(0);
    let line = |service: &Service| {
        let trial = match service.is_shadow() {
            true => "  (on trial: logged, not shown)",
            false => "",
        };
        let (id, hook) = (&service.id, service.hook.name);
        format!("\n  {id:width$}  {hook}{trial}")
    };
    services.iter().map(line).collect()
}

/// A moment, or the end of a day.
fn moment(text: &str, zone: &Zone) -> Result<DateTime, Failure> {
    let at = DateTime::parse(text).filter(|at| at.precision() >= Precision::Day);
    let at = at.ok_or_else(|| {
        Failure::User(format!(
            "--at {text}: write a day such as 2021-05-01, or a moment such as 2021-05-01T10:00:00-05:00"
        ))
    })?;
    Ok(zone.moment(match at.precision() {
        Precision::Day => at.latest(zone),
        _ => at.earliest(zone),
    }))
}

/// The system's clock, as a zone shows it.
fn clock(zone: &Zone) -> Clock {
    let zone = zone.clone();
    Arc::new(move || zone.moment(super::now_ms()))
}

/// With the system's clock.
pub fn config(zone: &Zone) -> Config {
    let mut config = Config::new(clock(zone));
    config.time_zone = zone.clone();
    config
}

/// As many connections as may be open here; where that is fewer than wanted, it is told.
fn possible(wanted: usize) -> usize {
    let possible = open_files(wanted);
    if possible < wanted {
        print::print_to(
            std::io::stderr(),
            format!(
                "note: {possible} connections at once, not {wanted}: no more files can be open here (ulimit -n)"
            ),
        );
    }
    possible
}

/// Serves everyone until Ctrl-C. `on_listening` must not block.
pub fn listen(
    mut config: Config,
    services: Vec<Arc<dyn CardService>>,
    on_listening: impl FnOnce(SocketAddr),
) -> Done {
    let address = config.listen;
    config.limits.max_connections = possible(config.limits.max_connections);
    let runtime = super::runtime()?;
    let served = runtime.block_on(serve(config, services, on_listening));
    // Evaluations that nobody waits for any more do not delay the end.
    runtime.shutdown_background();
    match served {
        Ok(()) => Ok(std::process::ExitCode::SUCCESS),
        Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => Err(Failure::User(format!(
            "{address} is in use: choose another with --listen 127.0.0.1:8081"
        ))),
        Err(e) => Err(Failure::User(format!("{address}: {e}"))),
    }
}
