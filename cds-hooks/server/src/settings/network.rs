//! `[[fhir_server]]`, `[outbound]`: whom the server itself may call.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use super::read::table::{Table, Wrong};
use super::read::values;
use super::server::size;

/// A FHIR server that clients may name in `fhirServer`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FhirServer {
    /// Its name, as in `fhir_servers` of a client.
    pub name: String,
    /// Its base URL.
    pub url: Url,
    /// Private address ranges that its name may lead to; without any only public ones.
    pub ranges: Vec<IpNet>,
}

/// Bounds of calls that the server makes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outbound {
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a whole exchange may take, within the deadline of the call.
    pub timeout: Duration,
    /// Bytes of one answer.
    pub max_bytes: u64,
    /// Pages of one search.
    pub max_pages: usize,
    /// Resources of one search.
    pub max_resources: usize,
    /// Searches of one call at once.
    pub parallel: usize,
    /// Private address ranges of key sets (`jku`).
    pub key_ranges: Vec<IpNet>,
    /// Authorities (PEM) whose certificates are believed beside those of the machine, of FHIR servers and key sets.
    pub authorities: Option<PathBuf>,
    /// Whether `http://` will do for FHIR servers and key sets. For rehearsals only.
    pub plain_http: bool,
}

impl Default for Outbound {
    fn default() -> Self {
        Outbound {
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(5),
            max_bytes: 32 << 20,
            max_pages: 50,
            max_resources: 10_000,
            parallel: 8,
            key_ranges: vec![],
            authorities: None,
            plain_http: false,
        }
    }
}

fn range(text: &str) -> Result<IpNet, Wrong> {
    let alone = || {
        text.parse()
            .map(|address: std::net::IpAddr| IpNet::from(address))
    };
    text.parse::<IpNet>()
        .or_else(|_| alone())
        .map_err(|_| Wrong::expected("a range of addresses, as in 10.0.0.0/8"))
}

impl FhirServer {
    pub(super) fn read(table: Table<'_>) -> Option<Self> {
        let (name, url) = (
            table.text("name", values::name),
            table.text("url", values::url),
        );
        if !table.has("name") {
            table.missing("name", "a short name, as `fhir_servers` of a client has it");
        }
        if !table.has("url") {
            table.missing(
                "url",
                "the base URL of the server, as clients send it in `fhirServer`",
            );
        }
        let ranges = table.list("private_ranges", range);
        table.done();
        Some(FhirServer {
            name: name?,
            url: url?,
            ranges,
        })
    }
}

impl Outbound {
    pub(super) fn read(table: Table<'_>) -> Self {
        let usual = Outbound::default();
        let time = |name, default| {
            table.value_or(name, default, |value| {
                values::duration(value, Duration::from_millis(10), Duration::from_secs(60))
            })
        };
        let outbound = Outbound {
            connect_timeout: time("connect_timeout", usual.connect_timeout),
            timeout: time("timeout", usual.timeout),
            max_bytes: table.value_or("max_bytes", usual.max_bytes, |value| {
                values::bytes(value, 1 << 10, 1 << 30)
            }),
            max_pages: size(table.number("max_pages", usual.max_pages as u64, 1, 10_000)),
            max_resources: size(table.number(
                "max_resources",
                usual.max_resources as u64,
                1,
                1_000_000,
            )),
            parallel: size(table.number("parallel", usual.parallel as u64, 1, 64)),
            key_ranges: table.list("key_set_private_ranges", range),
            authorities: table.path("ca"),
            plain_http: table.boolean("plain_http", usual.plain_http),
        };
        table.done();
        outbound
    }
}
