//! What the server is told: nothing here is read from the machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::{UTC, Zone};

use crate::connection::{Tls, Turned};
use crate::limits::Limits;
use crate::log::Log;
use crate::seams::Seams;

/// Gives the moment of a call.
pub type Clock = Arc<dyn Fn() -> DateTime + Send + Sync>;

/// How to serve.
#[derive(Clone)]
pub struct Config {
    /// Where to listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where dates, and date-times without an offset, are taken to be.
    pub time_zone: Zone,
    /// Tells the time: of the lines of the log, and of calls.
    pub clock: Clock,
    /// The moment that every call is evaluated for, for rehearsals; `None` for the time it comes.
    pub at: Option<DateTime>,
    /// Largest request body, in bytes. A larger one is refused with 413.
    pub max_body: usize,
    /// Origins of browser clients that may call (`https://ehr.example`), or `*` for all.
    pub allowed_origins: Vec<String>,
    /// Where each call leaves a line of JSON without patient data; `None` for nowhere.
    pub log: Option<Log>,
    /// Whether the log has hook instances as they came, where they are UUIDs; otherwise a name that does not
    /// give them away ([`crate::instance_name`]).
    pub whole_hook_instances: bool,
    /// What clients may take at once.
    pub limits: Limits,
    /// Which parts of the protocol are spoken that not every client knows.
    pub protocol: Protocol,
    /// What stands around the protocol: who may call, where missing data comes from, what is recorded.
    pub seams: Seams,
    /// Other addresses of the same listener, such as those of operators. They see to it themselves who may
    /// ask; ours go before them.
    pub routes: Option<Router>,
    /// Counts connections that were turned away; shared with whoever reads it.
    pub turned: Arc<Turned>,
    /// What makes connections secure; `None` for plain HTTP.
    pub tls: Option<Arc<dyn Tls>>,
}

/// Parts of the protocol that not every client knows. All are off unless they are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Protocol {
    /// Discovery tells `version` and `hookVersion` (CDS Hooks 3.0). Templates have the tokens of 2.0 all the
    /// same: a client of either knows them.
    pub version_3: bool,
    /// `systemActions` are sent to clients that are known to carry them out
    /// ([`crate::seams::Knows::system_actions`]).
    pub system_actions: bool,
    /// Discovery offers configuration options in the form of Da Vinci CRD. They are honoured in any case.
    pub crd: bool,
}

impl Config {
    /// Port 8080 of this machine only, UTC, bodies of up to 10 MB, no browser clients, no log, no TLS.
    pub fn new(clock: Clock) -> Self {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            time_zone: UTC.clone(),
            clock,
            at: None,
            max_body: 10_000_000,
            allowed_origins: vec![],
            log: None,
            whole_hook_instances: false,
            limits: Limits::default(),
            protocol: Protocol::default(),
            seams: Seams::default(),
            routes: None,
            turned: Arc::default(),
            tls: None,
        }
    }
}
