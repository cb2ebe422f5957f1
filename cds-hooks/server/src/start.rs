//! From settings to a service that listens.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cds_hooks::seams::{Open, Seams};
use cds_hooks::{
    Clock, Config, Live, Log, Protocol, Service, ServiceSet, Sets, serve_live, tell_panics,
};
use cds_security::{MemoryReplay, NoFetcher, ReplayStore};
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::UTC;
use tokio::sync::{mpsc, watch};

use crate::admin::{self, Admin, Checks};
use crate::admission::{Door, Fetch};
use crate::calls_out;
use crate::consent;
use crate::data::FhirData;
use crate::explain::{self, Explain};
use crate::kept::Kept;
use crate::live::{Part, Reloader, State};
use crate::loaded::{Load, NotLoaded};
use crate::metrics::Metrics;
use crate::rules_live::{Board, RulesOf};
use crate::settings::Settings;
use crate::sight::{Seen, Sight};
use crate::spans::Spans;
use crate::tls::Secure;
use crate::told::{Tell, into_log};

/// How long the log may take to be written at the end.
const LAST_LINES: Duration = Duration::from_secs(1);

/// How often key sets are looked at that could not be fetched.
const KEYS_AGAIN: Duration = Duration::from_secs(60);

/// Wishes to read again that may wait.
const WISHES: usize = 4;

/// All that a server needs to start.
pub struct Start {
    /// What the operator decided.
    pub settings: Settings,
    /// Everyone may call, on loopback addresses only.
    pub insecure: bool,
    /// Loads rules.
    pub load: Load,
    /// The time.
    pub clock: Clock,
    /// The moment that every call is evaluated for, for rehearsals.
    pub at: Option<DateTime>,
    /// Where lines of the server go, and those of calls where the settings say so.
    pub log: Log,
}

/// A server that listens.
pub struct Listening<'s> {
    /// Where.
    pub address: SocketAddr,
    /// Whether TLS ends here.
    pub is_secure: bool,
    /// The base URL that the settings have.
    pub public_url: Option<&'s str>,
    /// What callers without a tenant of their own are answered by.
    pub services: &'s [Service],
    /// For people: warnings, what is left out.
    pub notes: &'s [String],
}

impl Listening<'_> {
    /// The base URL: that of the settings, else the address.
    pub fn url(&self) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }
}

/// What was checked, and how much it is.
pub struct Checked {
    /// Services of all tenants.
    pub services: usize,
    /// Rules and measures of all tenants.
    pub rules: usize,
    /// For people: warnings, what is left out.
    pub notes: Vec<String>,
}

impl Start {
    /// Replaces the panic hook of the process: of a panic only its place in the source is written to the log,
    /// since its message may quote a patient's data. For the program; tests want to see messages.
    pub fn hide_panics(&self) {
        tell_panics(self.log.clone(), self.clock.clone());
    }

    /// Listens, and answers until `end`. `on_listening` must not block. Must run in a Tokio runtime.
    ///
    /// # Errors
    /// All that is wrong with what the settings name, or that an address cannot be listened at.
    pub async fn serve(
        self,
        on_listening: impl FnOnce(&Listening<'_>),
        end: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), NotLoaded> {
        let (metrics, state) = (Metrics::new(), Arc::new(State::default()));
        let tell = into_log(self.log.clone(), self.clock.clone());
        let parts = self.parts(&metrics, &tell).await?;
        let mut config = self.config(parts.seams.clone());
        config.tls = parts
            .secure
            .clone()
            .map(|secure| Arc::new(secure) as Arc<dyn cds_hooks::Tls>);
        let board = Board::new(config.clone(), Arc::clone(&state), metrics.clone());
        let board = Arc::new(board);
        if let Some(explain) = &parts.explain {
            explain.serve(config.clone(), board.live());
            config.routes = Some(Arc::clone(explain).routes());
        }
        let sets = RulesOf::all(&self.settings, &self.load, &board);
        let (sets, services, mut notes) = first(sets).await?;
        notes.extend(parts.kept.as_ref().and_then(Kept::note));
        self.watch(&metrics, &parts, &config);
        let (wishes, wished) = mpsc::channel(WISHES);
        let admin = Arc::new(Admin {
            admission: Arc::clone(&config.seams.admission),
            clock: self.clock.clone(),
            metrics: metrics.clone(),
            has_metrics: self.settings.metrics.enabled,
            readers: self.settings.metrics.readers,
            state: Arc::clone(&state),
            checks: parts.checks(),
            wishes,
        });
        let mut all: Vec<Arc<dyn Part>> = vec![];
        all.extend(sets.into_iter().map(|set| Arc::new(set) as Arc<dyn Part>));
        all.extend(parts.door.clone().map(|door| door as Arc<dyn Part>));
        all.extend(
            parts
                .secure
                .clone()
                .map(|secure| Arc::new(secure) as Arc<dyn Part>),
        );
        let reloader = Reloader {
            parts: all,
            settings: self.settings.reload.clone(),
            state,
            metrics,
            tell: Arc::clone(&tell),
            clock: self.clock.clone(),
        };
        let reloading = tokio::spawn(reloader.run(wished));
        let keeping = parts.keep(&self.settings, self.clock.clone(), tell);
        let served = self
            .listen(config, &board, admin, &services, &notes, on_listening, end)
            .await;
        reloading.abort();
        keeping.abort();
        let ending = tokio::task::spawn_blocking(move || parts.spans.map(|spans| spans.end()));
        // The last spans are worth no more than the time that their receiver may take.
        let _ = tokio::time::timeout(self.settings.tracing.timeout + LAST_LINES, ending).await;
        self.log.flush(LAST_LINES);
        served
    }

    /// On one listener, or on one for clients and one for operators.
    #[expect(
        clippy::too_many_arguments,
        reason = "all of it is what a listener serves"
    )]
    async fn listen(
        &self,
        mut config: Config,
        board: &Board,
        admin: Arc<Admin>,
        services: &[Service],
        notes: &[String],
        on_listening: impl FnOnce(&Listening<'_>),
        end: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), NotLoaded> {
        let server = &self.settings.server;
        let told = |address: SocketAddr| {
            on_listening(&Listening {
                address,
                is_secure: server.tls.is_some(),
                public_url: server.public_url.as_ref().map(url::Url::as_str),
                services,
                notes,
            });
        };
        let Some(operators) = server.admin_listen else {
            let is_local = server.listen.ip().is_loopback();
            let own = config.routes.take().unwrap_or_default();
            config.routes = Some(own.merge(admin::routes(admin, is_local)));
            let served = serve_live(config, board.live(), told, end).await;
            return served.map_err(|e| not_listening(server.listen, &e));
        };
        let mut theirs = config.clone();
        theirs.listen = operators;
        theirs.routes = Some(admin::routes(admin, operators.ip().is_loopback()));
        let none = Live::new(Sets::of(ServiceSet::empty()));
        let (ended, ends) = watch::channel(false);
        let mut ends_too = ends.clone();
        let until = async move {
            // Also where nobody is left to say so.
            let _ = ends_too.wait_for(|ended| *ended).await;
        };
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let listens = move |address: SocketAddr| {
            let _ = ready.send(address);
        };
        let aside = tokio::spawn(serve_live(theirs, none, listens, until));
        if is_ready.await.is_err() {
            let why = aside
                .await
                .map_err(io::Error::other)
                .and_then(|served| served);
            let why = why.err().unwrap_or_else(|| io::Error::other("it ended"));
            return Err(not_listening(operators, &why));
        }
        let served = serve_live(config, board.live(), told, end).await;
        let _ = ended.send(true);
        // Its connections are given the same time to finish.
        let _ = aside.await;
        drop(ends);
        served.map_err(|e| not_listening(server.listen, &e))
    }

    /// All that stands around the protocol.
    async fn parts(&self, metrics: &Metrics, tell: &Tell) -> Result<Parts, NotLoaded> {
        let settings = &self.settings;
        let user = |lines: Vec<String>| NotLoaded::User(lines.join("\n"));
        let client = calls_out::client(settings).map_err(user)?;
        let kept = Kept::open(settings, self.place().map_err(NotLoaded::User)?, tell).await?;
        let secure = match &settings.server.tls {
            Some(tls) => {
                let made = Secure::new(tls, &settings.server, self.clock.clone(), Arc::clone(tell));
                Some(made.map_err(user)?)
            }
            None => None,
        };
        let door = match self.insecure {
            true => None,
            false => {
                let memory = || {
                    let most = settings.tokens.max_remembered;
                    Arc::new(MemoryReplay::new(most)) as Arc<dyn ReplayStore>
                };
                let replay = match &kept {
                    Some(kept) => kept.replay(memory),
                    None => memory(),
                };
                let fetch = Arc::new(Fetch(client.clone()));
                let door = Door::new(settings, fetch, replay).map_err(user)?;
                Some(Arc::new(door))
            }
        };
        let spans = Spans::new(&settings.tracing)
            .map_err(NotLoaded::User)?
            .map(Arc::new);
        let explain = explain::kept(&settings.explain).map(Arc::new);
        let seams = Seams {
            admission: match &door {
                Some(door) => Arc::clone(door) as _,
                None => Arc::new(Open),
            },
            recorder: Some(Arc::new(Seen {
                store: kept.as_ref().map(Kept::recorder),
                metrics: metrics.clone(),
                spans: spans.clone(),
                explain: explain.clone(),
            })),
            filter: consent::filter(settings),
            observer: Arc::new(Sight {
                metrics: metrics.clone(),
                spans: spans.clone(),
            }),
            // Without a server there is nobody to ask.
            data: (!settings.fhir_servers.is_empty()).then(|| {
                let source = FhirData::of(client.clone(), settings, Arc::clone(tell));
                Arc::new(source) as _
            }),
        };
        Ok(Parts {
            seams,
            client,
            door,
            secure,
            spans,
            kept,
            explain,
        })
    }

    /// Numbers that the parts keep themselves.
    fn watch(&self, metrics: &Metrics, parts: &Parts, config: &Config) {
        let log = self.log.clone();
        metrics.watch(
            "log_dropped",
            "Lines that the log could not take",
            true,
            move || log.counts().dropped,
        );
        for (index, (name, help)) in TURNED.into_iter().enumerate() {
            let turned = Arc::clone(&config.turned);
            metrics.watch(name, help, true, move || {
                turned.each().get(index).map_or(0, |(_, count)| *count)
            });
        }
        let client = parts.client.clone();
        metrics.watch_all(
            "outbound_calls",
            "Calls of ours by origin and outcome",
            true,
            move || {
                let each = client.counts().into_iter();
                each.flat_map(|(origin, counts)| outcomes(&origin, &counts))
                    .collect()
            },
        );
        if let Some(kept) = &parts.kept {
            kept.watch(metrics);
        }
    }
}

/// In the order of `Turned::each`.
const TURNED: [(&str, &str); 5] = [
    ("connections_refused", "Connections that found no room"),
    (
        "connections_closed_for_others",
        "Idle connections that made room for others",
    ),
    ("connections_timed_out", "Connections that took too long"),
    (
        "connections_not_accepted",
        "Connections that the system could not give",
    ),
    (
        "connections_not_secure",
        "Connections to a TLS port without a handshake that held",
    ),
];

/// How often each outcome of a call of ours was, at an origin.
fn outcomes(origin: &str, counts: &outbound::Counts) -> Vec<crate::metrics::Labelled> {
    let all = [
        ("ok", counts.ok),
        ("not-allowed", counts.not_allowed),
        ("busy", counts.busy),
        ("unreachable", counts.unreachable),
        ("timed-out", counts.timed_out),
        ("status", counts.status),
        ("too-large", counts.too_large),
        ("unusable", counts.unusable),
    ];
    let seen = all.into_iter().filter(|(_, count)| *count > 0);
    seen.map(|(outcome, count)| {
        let labels = vec![
            ("origin", origin.to_owned()),
            ("outcome", outcome.to_owned()),
        ];
        (labels, count)
    })
    .collect()
}

/// What stands around the protocol.
struct Parts {
    seams: Seams,
    client: outbound::Client,
    door: Option<Arc<Door>>,
    secure: Option<Secure>,
    spans: Option<Arc<Spans>>,
    kept: Option<Kept>,
    explain: Option<Arc<Explain>>,
}

impl Parts {
    /// What has to work for calls to be answered.
    fn checks(&self) -> Checks {
        let mut checks = Checks::default();
        // Without it calls are answered where nobody requires that they are written down.
        let kept = self.kept.as_ref();
        if let Some(kept) = kept.filter(|kept| kept.recorder().is_required()) {
            checks.add("store", kept.check());
        }
        if let Some(door) = &self.door {
            let door = Arc::clone(door);
            let check = move || {
                let missing = door.missing_keys();
                match missing.is_empty() {
                    true => Ok(()),
                    false => Err(missing.join("; ")),
                }
            };
            checks.add(
                "keys",
                Box::new(move || Box::pin(std::future::ready(check()))),
            );
        }
        checks
    }

    /// What is done from time to time: key sets that could not be fetched, records over their time.
    fn keep(&self, settings: &Settings, clock: Clock, tell: Tell) -> tokio::task::JoinHandle<()> {
        let (door, kept) = (self.door.clone(), self.kept.clone());
        let purge_every = settings.store.as_ref().map(|store| store.purge_every);
        tokio::spawn(async move {
            let mut keys = tokio::time::interval(KEYS_AGAIN);
            let mut purge = tokio::time::interval(purge_every.unwrap_or(KEYS_AGAIN));
            loop {
                tokio::select! {
                    _ = keys.tick() => if let Some(door) = &door {
                        door.authenticator().warm(clock().earliest(&UTC) / 1000).await;
                        for missing in door.missing_keys() {
                            tell(&format!("a key set could not be fetched: {missing}"));
                        }
                    },
                    _ = purge.tick() => if let Some(kept) = &kept {
                        kept.purge(clock().earliest(&UTC), &tell).await;
                    },
                }
            }
        })
    }
}

/// Loads all sets for the first time: them, the services of the first, and what is to be said.
async fn first(sets: Vec<RulesOf>) -> Result<(Vec<RulesOf>, Vec<Service>, Vec<String>), NotLoaded> {
    let loading = tokio::task::spawn_blocking(move || {
        let (mut services, mut notes) = (vec![], vec![]);
        for set in &sets {
            let loaded = set.first().map_err(|why| match &set.tenant {
                Some(tenant) => why.about(&format!("tenant {tenant}")),
                None => why,
            })?;
            notes.extend(of_tenant(set, loaded.notes));
            if set.tenant.is_none() {
                services = loaded.services;
            }
        }
        Ok((sets, services, notes))
    });
    let broken =
        |_| NotLoaded::Internal("the rules could not be loaded, after an error of ours".to_owned());
    loading.await.map_err(broken)?
}

fn not_listening(address: SocketAddr, e: &io::Error) -> NotLoaded {
    NotLoaded::User(match e.kind() {
        io::ErrorKind::AddrInUse => {
            format!("{address} is in use: choose another with --listen 127.0.0.1:8081")
        }
        _ => format!("{address}: {e}"),
    })
}

impl Start {
    /// Reads all that the settings name, and opens nothing.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn check(&self) -> Result<Checked, NotLoaded> {
        let (mut wrong, mut checked) = (
            vec![],
            Checked {
                services: 0,
                rules: 0,
                notes: vec![],
            },
        );
        let silent: Tell = Arc::new(|_| {});
        wrong.extend(
            calls_out::client(&self.settings)
                .err()
                .into_iter()
                .flatten(),
        );
        if !self.insecure {
            let replay = Arc::new(MemoryReplay::new(self.settings.tokens.max_remembered));
            let door = Door::new(&self.settings, Arc::new(NoFetcher), replay);
            wrong.extend(door.err().into_iter().flatten());
        }
        if let Some(tls) = &self.settings.server.tls {
            let secure = Secure::new(tls, &self.settings.server, self.clock.clone(), silent);
            wrong.extend(secure.err().into_iter().flatten());
        }
        wrong.extend(self.place().err());
        let config = self.config(Seams::default());
        let board = Arc::new(Board::new(config, Arc::default(), Metrics::new()));
        let mut not_loaded = None;
        for set in RulesOf::all(&self.settings, &self.load, &board) {
            match set.first() {
                Ok(loaded) => {
                    checked.services += loaded.services.len();
                    checked.rules += loaded.rules().len();
                    checked.notes.extend(of_tenant(&set, loaded.notes));
                }
                Err(why) => {
                    not_loaded.get_or_insert_with(|| why.clone());
                    wrong.extend(of_tenant(&set, vec![why.to_string()]));
                }
            }
        }
        match (wrong.is_empty(), not_loaded) {
            (true, _) => Ok(checked),
            (false, Some(NotLoaded::Unsupported(_))) => {
                Err(NotLoaded::Unsupported(wrong.join("\n")))
            }
            (false, Some(NotLoaded::Internal(_))) => Err(NotLoaded::Internal(wrong.join("\n"))),
            (false, _) => Err(NotLoaded::User(wrong.join("\n"))),
        }
    }

    /// Where the store is.
    fn place(&self) -> Result<Option<cds_store::Place>, String> {
        let store = self.settings.store.as_ref();
        let place = store.map(|store| store.url.expose().parse());
        place
            .transpose()
            .map_err(|e: cds_store::StoreError| format!("[store] url: {e}"))
    }

    /// How calls are served.
    fn config(&self, seams: Seams) -> Config {
        let (server, log) = (&self.settings.server, &self.settings.log);
        let mut config = Config::new(self.clock.clone());
        config.listen = server.listen;
        config.time_zone = server.time_zone.clone();
        config.at = self.at;
        config.max_body = server.max_body;
        config.allowed_origins.clone_from(&server.allowed_origins);
        config.log = log.calls.then(|| self.log.clone());
        config.whole_hook_instances = log.whole_hook_instance;
        config.limits = server.limits.clone();
        config.limits.deadline = Some(server.deadline);
        config.limits.max_cards = server.max_cards;
        if let Some(store) = &self.settings.store {
            config.limits.recording = store.wait;
        }
        config.protocol = Protocol {
            version_3: server.version_3,
            system_actions: server.system_actions,
            crd: server.crd,
        };
        config.seams = seams;
        config
    }
}

/// Notes of a tenant's rules say whose they are.
fn of_tenant(set: &RulesOf, notes: Vec<String>) -> Vec<String> {
    match &set.tenant {
        Some(tenant) => notes
            .into_iter()
            .map(|note| format!("tenant {tenant}: {note}"))
            .collect(),
        None => notes,
    }
}
