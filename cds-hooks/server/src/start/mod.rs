//! From settings to a service that listens.

mod check;
mod numbers;
mod parts;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cds_hooks::{
    Clock, Config, Live, Log, Protocol, Seams, Service, ServiceSet, Sets, serve_live, tell_panics,
};
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::UTC;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::admin::{self, Admin};
use crate::kept::Kept;
use crate::live::{Hangup, Part, Reloader, SettingsFile, State};
use crate::loaded::{Load, NotLoaded};
use crate::metrics::Metrics;
use crate::rules_live::{Board, Read, RulesOf, Source};
use crate::settings::Settings;
use crate::told::into_log;

pub use check::Checked;

/// How long the log may take to be written at the end.
const LAST_LINES: Duration = Duration::from_secs(1);

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
    /// What callers without a tenant of their own are answered by.
    pub services: &'s [Service],
    /// For people: warnings, what is left out.
    pub notes: &'s [String],
}

impl Listening<'_> {
    /// The base URL at the address that it listens at.
    pub fn url(&self) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }
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
        self.on_this_machine()?;
        // Whoever says so while it starts does not end it.
        let hangup = Hangup::watch();
        let (metrics, state) = (Metrics::new(), Arc::new(State::default()));
        let tell = into_log(self.log.clone(), self.clock.clone());
        // Neither waits for the other, and what is wrong with both is told at once.
        let reading = read_all(Source::all(&self.settings, &self.load));
        let parts = self.parts(&metrics, &tell).await;
        let (parts, read) = match (parts, reading.await.unwrap_or_else(|e| Err(broken(e)))) {
            (Ok(parts), Ok(read)) => (parts, read),
            (Err(parts), Err(read)) => return Err(parts.and(read)),
            (Err(why), Ok(_)) | (Ok(_), Err(why)) => return Err(why),
        };
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
        let (sets, services, mut notes) = put_all(read, &board).await?;
        notes.extend(self.notes(&state));
        notes.extend(parts.kept.as_ref().and_then(Kept::note));
        numbers::watch(&self.log, &metrics, &parts, &config);
        let (wishes, wished) = mpsc::channel(WISHES);
        let admin = Arc::new(Admin {
            admission: Arc::clone(&config.seams.admission),
            clock: self.clock.clone(),
            metrics: metrics.clone(),
            has_metrics: self.settings.metrics.enabled,
            readers: self.settings.metrics.readers,
            state: Arc::clone(&state),
            checks: parts.checks(),
            ending: Arc::default(),
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
            settings_file: self
                .settings
                .file
                .clone()
                .map(SettingsFile::of)
                .map(Arc::new),
            state: Arc::clone(&state),
            metrics,
            kept: parts.kept.clone(),
            tell: Arc::clone(&tell),
            clock: self.clock.clone(),
        };
        let reloading = tokio::spawn(reloader.run(wished, hangup));
        let keeping = parts.keep(&self.settings, self.clock.clone(), Arc::clone(&tell));
        let (now, noted) = ((self.clock)().earliest(&UTC), parts.clone());
        // Nobody who calls waits for it.
        tokio::spawn(async move { noted.note(now, &state, &tell).await });
        let (ending, drain) = (Arc::clone(&admin.ending), self.settings.server.drain);
        let end = async move {
            end.await;
            // Who looks after this server sends it nothing more, and has time to take notice.
            ending.store(true, Ordering::Relaxed);
            tokio::time::sleep(drain).await;
        };
        let served = self
            .listen(config, &board, admin, &services, &notes, on_listening, end)
            .await;
        reloading.abort();
        keeping.abort();
        if let Some(kept) = &parts.kept {
            kept.settle(&into_log(self.log.clone(), self.clock.clone()))
                .await;
        }
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
                services,
                notes,
            });
        };
        let Some(operators) = server.admin_listen else {
            let is_local = server.listen.ip().is_loopback();
            let own = config.routes.take().unwrap_or_default();
            config.routes = Some(own.merge(admin::routes(admin, is_local)));
            let served = serve_live(config, board.live(), told, end).await;
            return served.map_err(|e| not_listening(LISTEN, server.listen, &e));
        };
        let own = config.routes.take().unwrap_or_default();
        config.routes = Some(own.merge(admin::probes(Arc::clone(&admin))));
        let mut theirs = config.clone();
        theirs.listen = operators;
        // There is no wire, and what looks after this machine has no certificate.
        if operators.ip().is_loopback() {
            theirs.tls = None;
        }
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
            return Err(not_listening(ADMIN_LISTEN, operators, &why));
        }
        let served = serve_live(config, board.live(), told, end).await;
        let _ = ended.send(true);
        // Its connections are given the same time to finish.
        let _ = aside.await;
        drop(ends);
        served.map_err(|e| not_listening(LISTEN, server.listen, &e))
    }
}

/// What was read, beside where it was read from.
type AllRead = Vec<(Source, Read)>;

/// Begins to read all sets for the first time, on a thread of its own.
fn read_all(sources: Vec<Source>) -> JoinHandle<Result<AllRead, NotLoaded>> {
    tokio::task::spawn_blocking(move || {
        let (mut all, mut wrong): (AllRead, Option<NotLoaded>) = (vec![], None);
        for source in sources {
            match source.read() {
                Ok(read) => all.push((source, read)),
                Err(why) => {
                    wrong = Some(match wrong {
                        Some(before) => before.and(why),
                        None => why,
                    });
                }
            }
        }
        wrong.map_or(Ok(all), Err)
    })
}

/// Puts them in their places: the parts, the services of the first, and what is to be said.
async fn put_all(
    all: AllRead,
    board: &Arc<Board>,
) -> Result<(Vec<RulesOf>, Vec<Service>, Vec<String>), NotLoaded> {
    let board = Arc::clone(board);
    let putting = tokio::task::spawn_blocking(move || {
        let (mut sets, mut services, mut notes) = (vec![], vec![], vec![]);
        for (source, read) in all {
            notes.extend(source.told(&read.0.notes));
            let is_first = source.tenant.is_none();
            sets.push(RulesOf::of(source, &read, &board)?);
            if is_first {
                services = read.0.services;
            }
        }
        Ok((sets, services, notes))
    });
    putting.await.map_err(broken)?
}

fn broken(_: tokio::task::JoinError) -> NotLoaded {
    NotLoaded::Internal("the rules could not be loaded, after an error of ours".to_owned())
}

/// Where each address is chosen.
const LISTEN: &str = "--listen 127.0.0.1:8081, or `listen` in [server]";
const ADMIN_LISTEN: &str = "`admin_listen` in [server]";

fn not_listening(chosen: &str, address: SocketAddr, e: &io::Error) -> NotLoaded {
    NotLoaded::User(match e.kind() {
        io::ErrorKind::AddrInUse => {
            format!("{address} is in use: choose another with {chosen}")
        }
        _ => format!("{address}: {e}: it is chosen with {chosen}"),
    })
}

impl Start {
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
