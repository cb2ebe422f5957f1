//! `tandem serve`

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cds_hooks::{
    CardService, Clock, Config, Limits, Log, is_origin, measure_services, open_files,
    rule_services, serve, within_reach,
};
use clap::Args;
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::zone::Zone;
use engine_patient::terminology::Beyond;
use measures::prepared::Packages;
use measures_run::rule_files::{bindings, live, load_rules_of};

use super::measure::{parse_zone, tell};
use super::own_terminology::TerminologyArgs;
use crate::failure::{Done, Failure};

/// Answer CDS Hooks calls with cards.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem serve
  tandem serve --package packages/ --measure CMS130FHIRColorectalCancerScreening
  tandem serve --listen 0.0.0.0:8080 --allow-origin https://ehr.example.org --log
  tandem serve --allow-origin https://sandbox.cds-hooks.org    # the public sandbox, in a browser
  tandem serve --rules my-rules --no-built-in --status draft   # your rules only, drafts too
  tandem serve --at 2021-05-01T10:00:00Z                       # data of the past, as at that moment
  curl http://127.0.0.1:8080/cds-services

The limits can be left as they are. Whom one of them turns away is told (408, or 503 with Retry-After);
GET /health counts connections that were turned away, and lines that the log could not take.")]
pub struct Serve {
    /// Address and port, as in 127.0.0.1:8080 or localhost:8080; 0.0.0.0:8080 for all of this machine.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080", value_parser = address)]
    listen: SocketAddr,
    /// Rules of your own, as files or folders (.yaml, also .gz and .zst), beside the built-in ones.
    #[arg(long)]
    rules: Vec<PathBuf>,
    /// Only rules of your own (--rules) and measures (--package), none that is built in. A rule of yours
    /// may then have the id of one.
    #[arg(long)]
    no_built_in: bool,
    /// Serve rules that are drafts (`status: draft`), too; without it they are told at start and left out.
    #[arg(long, value_name = "STATUS", value_parser = ["draft"])]
    status: Option<String>,
    #[command(flatten)]
    terminology: TerminologyArgs,
    /// Official measures, as files or folders (FHIR Measure, Library, ValueSet): each proportion of
    /// patients is a service that shows its open gap.
    #[arg(long)]
    package: Vec<PathBuf>,
    /// Only these measures of the packages (--package); may be given several times.
    #[arg(long)]
    measure: Vec<String>,
    /// Go on where value sets are missing: membership in them is unknown, a retrieve by them finds
    /// nothing, and what rests on that is counted as it is but not evaluable, with the set's name.
    #[arg(long, visible_alias = "allow-missing-value-sets")]
    allow_missing_valuesets: bool,
    /// Which way is better of a measure, over what it says: CMS122FHIR=lower (or =decrease), =higher (or
    /// =increase); several times.
    #[arg(long, value_name = "MEASURE=DIRECTION")]
    better: Vec<String>,
    /// Serve nothing if anything is wrong with one of the measures, or if one of the services needs data
    /// that no client can prefetch; otherwise the others are served.
    #[arg(long)]
    strict: bool,
    /// Origin that browsers may call from, as in `https://ehr.example.org`, or * for all; may be given
    /// several times. Without it none may.
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    allow_origin: Vec<String>,
    /// Largest request, in bytes. One that is larger is answered with 413.
    #[arg(long, value_name = "BYTES", default_value_t = 10 << 20, value_parser = bytes)]
    max_body: usize,
    /// Where dates, and date-times without an offset, are taken to be: an offset from UTC, or a place
    /// such as America/New_York, whose summer time is kept.
    #[arg(long, default_value = "+00:00", allow_hyphen_values = true)]
    time_zone: String,
    /// Answer every call as at this moment, for rehearsals with data of the past: 2021-05-01T10:00:00Z; a
    /// day stands for its end. Without it each call is answered as at its own time.
    #[arg(long, value_name = "MOMENT")]
    at: Option<String>,
    /// One line a call on standard error, JSON without patient data. Lines that cannot be written or
    /// that nobody reads are dropped and counted; the service goes on.
    #[arg(long)]
    log: bool,
    #[command(flatten)]
    limits: LimitArgs,
}

/// What clients may take at once.
#[derive(Args)]
#[command(next_help_heading = "Limits")]
struct LimitArgs {
    /// Connections open at once. One more closes the one that is least in use.
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_connections: u32,
    /// How long the head of a request may take.
    #[arg(long, value_name = "SECONDS", default_value = "10s", value_parser = seconds)]
    header_timeout: Duration,
    /// How long a body may take, and a client to read its answer.
    #[arg(long, value_name = "SECONDS", default_value = "10s", value_parser = seconds)]
    body_timeout: Duration,
    /// How long a connection may be open between two requests.
    #[arg(long, value_name = "SECONDS", default_value = "60s", value_parser = seconds)]
    idle_timeout: Duration,
    /// Bytes of requests over 64 KiB that are received or evaluated at once; evaluation takes about seven
    /// times as much. At least --max-body.
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    max_in_flight_bytes: usize,
    /// Requests over 64 KiB, and those with orders, that are evaluated at once. Default: the number of processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    max_evaluations: Option<u16>,
    /// How long those wait for their turn.
    #[arg(long, value_name = "SECONDS", default_value = "5s", value_parser = seconds)]
    max_wait: Duration,
    /// Drafts of one call that are looked at; of more a card says how many were not checked.
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..))]
    max_drafts: u32,
}

/// `10s`, `10` or `500ms`, from a millisecond to a day.
fn seconds(text: &str) -> Result<Duration, String> {
    let (digits, unit) = match text.strip_suffix("ms") {
        Some(digits) => (digits, 1),
        None => (text.strip_suffix('s').unwrap_or(text), 1000),
    };
    let number = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
    match number {
        Some(ms @ 1..=86_400_000) => Ok(Duration::from_millis(ms)),
        _ => {
            Err("write seconds, as in 10s, or milliseconds, as in 500ms; at most a day".to_owned())
        }
    }
}

/// What a browser sends as `Origin`.
fn origin(text: &str) -> Result<String, String> {
    match is_origin(text) {
        true => Ok(text.to_owned()),
        false => Err(
            "write scheme, host and perhaps a port, as in https://ehr.example.org, or * for all"
                .to_owned(),
        ),
    }
}

/// An address and a port. No name is looked up but `localhost`, which is this machine everywhere.
fn address(text: &str) -> Result<SocketAddr, String> {
    let local = text
        .strip_prefix("localhost:")
        .map(|port| format!("127.0.0.1:{port}"));
    let wanted = local.as_deref().unwrap_or(text);
    if let Ok(address) = wanted.parse() {
        return Ok(address);
    }
    let port = text.strip_prefix(':').unwrap_or(text);
    Err(match port.parse::<u16>() {
        Ok(port) => format!(
            "write the address, too: 127.0.0.1:{port} for this machine only, 0.0.0.0:{port} for all"
        ),
        Err(_) => {
            "write an IP address and a port, as in 127.0.0.1:8080, [::1]:8080 or localhost:8080; names of other machines are not looked up"
                .to_owned()
        }
    })
}

fn bytes(text: &str) -> Result<usize, String> {
    let number = text.parse::<usize>().ok().filter(|n| *n > 0);
    number.ok_or_else(|| "write a number of bytes, 1 or more".to_owned())
}

impl LimitArgs {
    fn limits(&self, max_body: usize) -> Result<Limits, Failure> {
        if self.max_in_flight_bytes < max_body {
            return Err(Failure::User(format!(
                "--max-in-flight-bytes {} has no room for one request of --max-body {max_body}",
                self.max_in_flight_bytes
            )));
        }
        let usual = Limits::default();
        Ok(Limits {
            max_connections: usize::try_from(self.max_connections).unwrap_or(usize::MAX),
            header_timeout: self.header_timeout,
            body_timeout: self.body_timeout,
            idle_timeout: self.idle_timeout,
            max_in_flight: self.max_in_flight_bytes,
            max_evaluations: self
                .max_evaluations
                .map_or(usual.max_evaluations, usize::from),
            max_wait: self.max_wait,
            max_drafts: usize::try_from(self.max_drafts).unwrap_or(usize::MAX),
        })
    }
}

impl Serve {
    pub fn run(self) -> Done {
        let zone = parse_zone(&self.time_zone)?;
        let mut config = config(&zone);
        config.listen = self.listen;
        config.allowed_origins = self.allow_origin;
        config.max_body = self.max_body;
        config.log = self.log.then(Log::stderr);
        config.limits = self.limits.limits(self.max_body)?;
        config.at = self.at.as_deref().map(|at| moment(at, &zone)).transpose()?;
        let terminology = self.terminology.paths()?;
        let beyond = match self.package.is_empty() {
            true => Beyond::Nothing,
            false => Beyond::Packages,
        };
        let built_in = !self.no_built_in;
        let rules = load_rules_of(&self.rules, built_in, &terminology, beyond, &mut tell)?;
        // Told when it listens: before, a reader who does not read would hold up the start.
        let mut notes: Vec<String> = vec![];
        let rules = live(rules, self.status.is_some(), &mut |note| {
            notes.push(note.to_owned());
        });
        let mut services = rule_services(rules);
        let packages = Packages {
            paths: self.package,
            measures: self.measure,
            bindings: bindings(&terminology)?,
            terminology,
            allow_missing_value_sets: self.allow_missing_valuesets,
            better: self.better,
            strict: self.strict,
            ..Packages::default()
        };
        let strict = packages.strict;
        if packages.paths.is_empty() {
            packages.refuse_better()?;
            if !packages.measures.is_empty() {
                return Err(Failure::User(
                    "--measure chooses among the measures of packages: give them with --package"
                        .to_owned(),
                ));
            }
        } else {
            let taken: Vec<String> = services.iter().map(|s| s.id().to_owned()).collect();
            services.extend(measure_services(&packages, &taken, &mut tell)?);
        }
        let reach = within_reach(services);
        if (strict && !reach.refused.is_empty()) || reach.served.is_empty() {
            notes.iter().for_each(|note| tell(note));
            return Err(Failure::Unsupported(nothing_served(&reach.refused, strict)));
        }
        reach.refused.iter().for_each(|why| tell(why));
        let services = reach.served;
        let (list, at) = (listed(&services), config.at);
        let always = at.map_or_else(String::new, |at| {
            format!("\nEvery call is answered as at {at}")
        });
        listen(config, services, move |address| {
            if !notes.is_empty() {
                aside(notes.join("\n"));
            }
            announce(format!(
                "CDS services at http://{address}/cds-services (Ctrl-C ends){always}{list}"
            ))
        })
    }
}

/// A line for each service: its id, its hook, and whether anybody sees its cards.
fn listed(services: &[Arc<dyn CardService>]) -> String {
    let width = services.iter().map(|s| s.id().len()).max().unwrap_or(0);
    let line = |service: &Arc<dyn CardService>| {
        let trial = match service.is_shadow() {
            true => "  (on trial: logged, not shown)",
            false => "",
        };
        let (id, hook) = (service.id(), service.hook().name);
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

fn nothing_served(refused: &[String], strict: bool) -> String {
    let mut lines = refused.to_vec();
    lines.push(match (refused.is_empty(), strict) {
        (true, _) => "there is no service to serve".to_owned(),
        (false, true) => "nothing is served, because of --strict".to_owned(),
        (false, false) => "no other service is left to serve".to_owned(),
    });
    lines.join("\n")
}

/// The system's clock, as a zone shows it.
pub fn config(zone: &Zone) -> Config {
    let of_zone = zone.clone();
    let clock: Clock = Arc::new(move || of_zone.moment(super::now_ms()));
    let mut config = Config::new(clock);
    config.time_zone = zone.clone();
    config
}

/// Prints a text, on a thread of its own: a service goes on, and ends, where nobody reads what it says.
pub fn announce(text: String) {
    // Not `io::stdout()` itself: whoever waits there has its lock, which the end of the process needs.
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        if let Ok(own) = std::io::stdout().as_fd().try_clone_to_owned() {
            return print_to(std::fs::File::from(own), text);
        }
    }
    print_to(std::io::stdout(), text);
}

/// The same, on standard error.
fn aside(text: String) {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        if let Ok(own) = std::io::stderr().as_fd().try_clone_to_owned() {
            return print_to(std::fs::File::from(own), text);
        }
    }
    print_to(std::io::stderr(), text);
}

fn print_to(mut out: impl Write + Send + 'static, text: String) {
    let print = move || {
        let _ = out.write_all(text.as_bytes());
        let _ = out.write_all(b"\n");
        let _ = out.flush();
    };
    let _ = std::thread::Builder::new().spawn(print);
}

/// Serves until Ctrl-C. `on_listening` must not block.
pub fn listen(
    mut config: Config,
    services: Vec<Arc<dyn CardService>>,
    on_listening: impl FnOnce(SocketAddr),
) -> Done {
    let address = config.listen;
    let wanted = config.limits.max_connections;
    let possible = open_files(wanted);
    if possible < wanted {
        config.limits.max_connections = possible;
        print_to(
            std::io::stderr(),
            format!(
                "note: {possible} connections at once, not {wanted}: no more files can be open here (ulimit -n)"
            ),
        );
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, meant) in [
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("localhost:9134", "127.0.0.1:9134"),
            ("[::1]:2", "[::1]:2"),
        ] {
            assert_eq!(address(text), Ok(meant.parse().unwrap()), "{text}");
        }
        for (text, said) in [
            ("9131", "127.0.0.1:9131 for this machine"),
            (":9132", "0.0.0.0:9132 for all"),
            ("ehr.example:80", "not looked up"),
            ("localhost", "localhost:8080"),
            ("localhost:99999", "localhost:8080"),
        ] {
            assert!(address(text).unwrap_err().contains(said), "{text}");
        }
    }

    #[test]
    fn times() {
        for (text, ms) in [
            ("10s", 10_000),
            ("10", 10_000),
            ("500ms", 500),
            ("86400s", 86_400_000),
        ] {
            assert_eq!(seconds(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in [
            "",
            "s",
            "0",
            "-1",
            "1m",
            "1.5",
            "86401",
            "99999999999999999999",
        ] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
