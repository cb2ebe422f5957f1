//! What stands on the command line, over what stands in the settings file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cds_hooks::is_origin;
use cds_server::settings::{GroupBy, Settings};
use clap::Args;

use super::super::measure::parse_zone;
use super::super::own_terminology::TerminologyArgs;
use crate::failure::Failure;

/// Each is over what the settings file says; without a file, over the default.
#[derive(Args)]
pub struct Flags {
    /// Address and port, as in 127.0.0.1:8080 or localhost:8080; 0.0.0.0:8080 for all of this machine.
    /// Default: 127.0.0.1:8080.
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    listen: Option<SocketAddr>,
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
    /// What is one service: a set (all rules of a hook that are built in, and all of yours), or each rule.
    /// Default: set.
    #[arg(long, value_name = "WHAT", value_parser = ["set", "rule"])]
    group_by: Option<String>,
    /// Candidates, as files or folders: evaluated on live calls, counted and compared with the live rule of
    /// the same id, never shown.
    #[arg(long, value_name = "PATH")]
    shadow: Vec<PathBuf>,
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
    /// Largest request, in bytes. One that is larger is answered with 413. Default: 10485760.
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    max_body: Option<usize>,
    /// Where dates, and date-times without an offset, are taken to be: an offset from UTC, or a place
    /// such as America/New_York, whose summer time is kept. Default: +00:00.
    #[arg(long, allow_hyphen_values = true)]
    time_zone: Option<String>,
    /// Within what time a call is answered, with what is known by then. Default: 400ms.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    deadline: Option<Duration>,
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
    /// Connections open at once. One more closes the one that is least in use. Default: 1024.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_connections: Option<u32>,
    /// How long the head of a request may take. Default: 10s.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    header_timeout: Option<Duration>,
    /// How long a body may take, and a client to read its answer. Default: 10s.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    body_timeout: Option<Duration>,
    /// How long a connection may be open between two requests. Default: 60s.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    idle_timeout: Option<Duration>,
    /// Bytes of requests over 64 KiB that are received or evaluated at once; evaluation takes about seven
    /// times as much. At least --max-body. Default: 67108864.
    #[arg(long, value_name = "BYTES")]
    max_in_flight_bytes: Option<usize>,
    /// Requests over 64 KiB, and those with orders, that are evaluated at once. Default: the number of processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    max_evaluations: Option<u16>,
    /// How long those wait for their turn. Default: 5s.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    max_wait: Option<Duration>,
    /// Drafts of one call that are looked at; of more a card says how many were not checked. Default: 2000.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_drafts: Option<u32>,
}

/// Puts flags over settings, and keeps which.
struct Over<'s> {
    settings: &'s mut Settings,
    said: Vec<&'static str>,
}

impl Over<'_> {
    fn one<T>(&mut self, flag: &'static str, value: Option<T>, put: impl FnOnce(&mut Settings, T)) {
        if let Some(value) = value {
            put(self.settings, value);
            self.said.push(flag);
        }
    }

    fn list<T>(
        &mut self,
        flag: &'static str,
        list: Vec<T>,
        put: impl FnOnce(&mut Settings, Vec<T>),
    ) {
        self.one(flag, Some(list).filter(|list| !list.is_empty()), put);
    }

    fn switch(&mut self, flag: &'static str, on: bool, put: impl FnOnce(&mut Settings)) {
        self.one(flag, on.then_some(()), |settings, ()| put(settings));
    }
}

impl Flags {
    /// Puts them over the settings. Which of them, where there is a file to be told about.
    pub fn put_over(
        self,
        settings: &mut Settings,
        file: Option<&Path>,
    ) -> Result<Option<String>, Failure> {
        let zone = self.time_zone.as_deref().map(parse_zone).transpose()?;
        let terminology = self.terminology.paths()?;
        if file.is_none() {
            // Who writes no file asks for a log with --log.
            settings.log.calls = false;
        }
        let mut over = Over {
            settings,
            said: vec![],
        };
        over.one("--listen", self.listen, |s, v| s.server.listen = v);
        over.list("--rules", self.rules, |s, v| s.rules.paths = v);
        over.switch("--no-built-in", self.no_built_in, |s| {
            s.rules.built_in = false
        });
        over.one("--status", self.status, |s, _| s.rules.drafts = true);
        over.one("--group-by", self.group_by, |s, v| {
            s.rules.group_by = match v.as_str() {
                "rule" => GroupBy::Rule,
                _ => GroupBy::Set,
            };
        });
        over.list("--shadow", self.shadow, |s, v| s.rules.shadow = v);
        over.list("--terminology", terminology, |s, v| {
            s.rules.terminology = v;
            s.rules.drugs.clear();
        });
        over.list("--package", self.package, |s, v| s.rules.packages = v);
        over.list("--measure", self.measure, |s, v| s.rules.measures = v);
        over.switch(
            "--allow-missing-valuesets",
            self.allow_missing_valuesets,
            |s| {
                s.rules.allow_missing_value_sets = true;
            },
        );
        over.list("--better", self.better, |s, v| s.rules.better = v);
        over.switch("--strict", self.strict, |s| s.rules.strict = true);
        over.list("--allow-origin", self.allow_origin, |s, v| {
            s.server.allowed_origins = v;
        });
        over.one("--max-body", self.max_body, |s, v| s.server.max_body = v);
        over.one("--time-zone", zone, |s, v| s.server.time_zone = v);
        over.one("--deadline", self.deadline, |s, v| s.server.deadline = v);
        over.switch("--log", self.log, |s| s.log.calls = true);
        self.limits.put_over(&mut over);
        let Over { settings, said } = over;
        let (room, body) = (
            settings.server.limits.max_in_flight,
            settings.server.max_body,
        );
        if room < body {
            return Err(Failure::User(format!(
                "--max-in-flight-bytes {room} has no room for one request of --max-body {body}"
            )));
        }
        Ok(file.filter(|_| !said.is_empty()).map(|file| {
            format!(
                "note: {} over what {} says",
                said.join(", "),
                file.display()
            )
        }))
    }
}

impl LimitArgs {
    fn put_over(self, over: &mut Over<'_>) {
        let wide = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        over.one("--max-connections", self.max_connections, |s, v| {
            s.server.limits.max_connections = wide(v);
        });
        over.one("--header-timeout", self.header_timeout, |s, v| {
            s.server.limits.header_timeout = v;
        });
        over.one("--body-timeout", self.body_timeout, |s, v| {
            s.server.limits.body_timeout = v;
        });
        over.one("--idle-timeout", self.idle_timeout, |s, v| {
            s.server.limits.idle_timeout = v;
        });
        over.one("--max-in-flight-bytes", self.max_in_flight_bytes, |s, v| {
            s.server.limits.max_in_flight = v;
        });
        over.one("--max-evaluations", self.max_evaluations, |s, v| {
            s.server.limits.max_evaluations = usize::from(v);
        });
        over.one("--max-wait", self.max_wait, |s, v| {
            s.server.limits.max_wait = v
        });
        over.one("--max-drafts", self.max_drafts, |s, v| {
            s.server.limits.max_drafts = wide(v);
        });
    }
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
