//! `[server]`, `[server.tls]`, `[server.limits]`: where to listen and what clients may take.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use cds_hooks::Limits;
use engine_patient::system::zone::{UTC, Zone};
use url::Url;

use super::read::table::Table;
use super::read::values;

/// Where and how to answer.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where operators look (`/metrics`, `/admin/…`); `None` for the same listener.
    pub admin_listen: Option<SocketAddr>,
    /// The base URL that clients call, as they see it: what `aud` of their tokens is compared with.
    pub public_url: Option<Url>,
    /// Whether the base URL alone will do as `aud`.
    pub audience_base: bool,
    /// Where dates without an offset are taken to be.
    pub time_zone: Zone,
    /// Origins that browsers may call from.
    pub allowed_origins: Vec<String>,
    /// Within what time a call is answered, with whatever is known by then.
    pub deadline: Duration,
    /// For how long calls are taken still after the signal to end, while `/readyz` says no.
    pub drain: Duration,
    /// Cards of one answer; of more is said how many they were.
    pub max_cards: usize,
    /// Bytes of a request.
    pub max_body: usize,
    /// Whether what only CDS Hooks 3.0 has is offered.
    pub version_3: bool,
    /// Whether rules may answer with actions that need nobody's click.
    pub system_actions: bool,
    /// Whether discovery offers configuration options in the form of Da Vinci CRD.
    pub crd: bool,
    /// Where TLS ends here; `None` where a proxy does it.
    pub tls: Option<Tls>,
    /// What clients may take at once.
    pub limits: Limits,
}

/// TLS of the listener.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The certificate and its chain (PEM).
    pub cert: PathBuf,
    /// Its private key (PEM).
    pub key: PathBuf,
    /// Authorities of client certificates (PEM).
    pub client_ca: Option<PathBuf>,
    /// Whether a client without a certificate is turned away.
    pub client_required: bool,
}

impl Default for Server {
    fn default() -> Self {
        Server {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            admin_listen: None,
            public_url: None,
            audience_base: false,
            time_zone: UTC.clone(),
            allowed_origins: vec![],
            deadline: Duration::from_millis(400),
            drain: Duration::ZERO,
            max_cards: 10,
            max_body: 10 << 20,
            version_3: false,
            system_actions: false,
            crd: false,
            tls: None,
            limits: Limits::default(),
        }
    }
}

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_secs(86_400);

impl Server {
    pub(super) fn read(table: Table<'_>) -> Self {
        let usual = Server::default();
        let server = Server {
            listen: table.text("listen", values::listen).unwrap_or(usual.listen),
            admin_listen: table.text("admin_listen", values::listen),
            public_url: table.text("public_url", values::url),
            audience_base: table.boolean("audience_base", usual.audience_base),
            time_zone: table
                .text("time_zone", values::zone)
                .unwrap_or(usual.time_zone),
            allowed_origins: table.list("allowed_origins", values::origin),
            deadline: table.value_or("deadline", usual.deadline, |value| {
                values::duration(value, Duration::from_millis(10), 60 * SECOND)
            }),
            drain: table.value_or("drain", usual.drain, |value| {
                values::duration(value, Duration::ZERO, 60 * SECOND)
            }),
            max_cards: size(table.number("max_cards", 10, 1, 1000)),
            max_body: size(table.value_or("max_body", usual.max_body as u64, |value| {
                values::bytes(value, 1024, 1 << 30)
            })),
            version_3: table.word(
                "cds_hooks",
                usual.version_3,
                &[("2.0.1", false), ("3.0", true)],
            ),
            system_actions: table.boolean("system_actions", usual.system_actions),
            crd: table.boolean("crd", usual.crd),
            tls: Tls::read(table.table("tls")),
            limits: limits(table.table("limits"), usual.limits),
        };
        if server.limits.max_in_flight < server.max_body {
            let text = format!(
                "limits.max_in_flight ({} bytes) has no room for one request of this size",
                server.limits.max_in_flight
            );
            table.wrong("max_body", &text, None);
        }
        if server.admin_listen == Some(server.listen) && server.listen.port() != 0 {
            table.wrong(
                "admin_listen",
                "is the address of `listen`",
                Some("leave it out to have one listener for both".to_owned()),
            );
        }
        table.done();
        server
    }
}

impl Tls {
    fn read(table: Table<'_>) -> Option<Self> {
        let (cert, key) = (table.path("cert"), table.path("key"));
        let client_ca = table.path("client_ca");
        let client_required = table.word(
            "client_certificates",
            true,
            &[("required", true), ("optional", false)],
        );
        if table.is_there() && !table.has("cert") {
            table.missing("cert", "the certificate and its chain, a PEM file");
        }
        if table.is_there() && !table.has("key") {
            table.missing("key", "the private key of the certificate, a PEM file");
        }
        if table.has("client_certificates") && !table.has("client_ca") {
            table.missing(
                "client_ca",
                "the authorities that client certificates are checked by",
            );
        }
        table.done();
        Some(Tls {
            cert: cert?,
            key: key?,
            client_ca,
            client_required,
        })
    }
}

fn limits(table: Table<'_>, usual: Limits) -> Limits {
    let time = |name, default| {
        table.value_or(name, default, |value| {
            values::duration(value, MILLISECOND, DAY)
        })
    };
    let count = |name, default: usize, most| size(table.number(name, default as u64, 1, most));
    let limits = Limits {
        max_connections: count("max_connections", usual.max_connections, 1_000_000),
        header_timeout: time("header_timeout", usual.header_timeout),
        body_timeout: time("body_timeout", usual.body_timeout),
        idle_timeout: time("idle_timeout", usual.idle_timeout),
        max_in_flight: size(
            table.value_or("max_in_flight", usual.max_in_flight as u64, |value| {
                values::bytes(value, 1024, 1 << 40)
            }),
        ),
        max_evaluations: count("max_evaluations", usual.max_evaluations, 65_535),
        max_wait: time("max_wait", usual.max_wait),
        // Of [server] and [store], not of its limits.
        deadline: usual.deadline,
        recording: usual.recording,
        max_cards: usual.max_cards,
        max_drafts: count("max_drafts", usual.max_drafts, 1_000_000),
    };
    table.done();
    limits
}

/// Numbers of the file are bounded well below what this machine counts to.
pub(super) fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
