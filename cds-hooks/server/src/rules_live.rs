//! The rules of each tenant, read again while calls go on.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use cds_hooks::{Clock, Config, Live, ServiceSet, Sets};
use engine_patient::system::zone::UTC;

use crate::live::{Again, Fingerprint, LiveSet, Marked, Part, State};
use crate::loaded::{Load, Loaded, NotLoaded};
use crate::metrics::Metrics;
use crate::settings::{Rules, Settings};

/// All sets, and where they are live.
pub struct Board {
    live: Live,
    config: Config,
    state: Arc<State>,
    metrics: Metrics,
    clock: Clock,
    /// One set is put in its place at a time.
    putting: Mutex<()>,
}

impl Board {
    /// A place for sets; none is live yet. `config` says how they are served.
    pub fn new(config: Config, state: Arc<State>, metrics: Metrics) -> Self {
        Board {
            live: Live::new(Sets::of(ServiceSet::empty())),
            clock: config.clock.clone(),
            config,
            state,
            metrics,
            putting: Mutex::default(),
        }
    }

    /// What is live.
    pub fn live(&self) -> Live {
        self.live.clone()
    }

    /// Puts a set in its place, made of `files` ([`Fingerprint::contents`]). Whether it is another than before;
    /// the same is not put again, since rules that have run answer faster. Where not all files are known it is
    /// another each time.
    ///
    /// # Errors
    /// What would break the specification; what was live is live still.
    pub fn put(
        &self,
        tenant: Option<&str>,
        loaded: &Loaded,
        files: Option<&str>,
    ) -> Result<bool, Vec<String>> {
        let now = (self.clock)();
        let configuration = match files {
            Some(files) => loaded.configuration(files),
            None => loaded.configuration(&now.to_string()),
        };
        let known = self.state.of(tenant);
        if known.is_some_and(|known| known.configuration == configuration) {
            return Ok(false);
        }
        let set = ServiceSet::new(&configuration, loaded.services.clone(), &self.config)?;
        let set = Arc::new(set);
        let _alone = self.putting.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.live.current();
        let mut sets = Sets::clone(&before);
        match tenant {
            None => sets.default = set,
            Some(tenant) => {
                sets.tenants.insert(Arc::from(tenant), set);
            }
        }
        self.live.swap(sets);
        let rules = loaded.rules();
        let answering = rules.iter().filter(|rule| rule.status == "live").count();
        let since = now.earliest(&UTC) / 1000;
        self.metrics
            .live(tenant.unwrap_or_default(), answering, since);
        let services = loaded.services.iter();
        Ok(self.state.loaded(LiveSet {
            tenant: tenant.map(str::to_owned),
            configuration,
            loaded: now.to_string(),
            services: services
                .map(|s| format!("{} ({})", s.id, s.hook.name))
                .collect(),
            rules,
            notes: loaded.notes.clone(),
        }))
    }
}

/// The rules of one tenant, or of all that have none of their own: where they are read from.
pub struct Source {
    /// The tenant; `None` for the others.
    pub tenant: Option<String>,
    /// What to read.
    rules: Rules,
    /// How.
    load: Load,
    /// What its files were like when they were last read.
    marked: Marked,
}

/// What was read, and what names the files that it was read from ([`Fingerprint::contents`]).
pub type Read = (Loaded, Option<String>);

impl Source {
    /// Each set of the settings, that of all others first.
    pub fn all(settings: &Settings, load: &Load) -> Vec<Self> {
        let own = settings.tenants.iter();
        let own = own.filter_map(|t| Some((Some(t.name.clone()), t.rules.clone()?)));
        std::iter::once((None, settings.rules.clone()))
            .chain(own)
            .map(|(tenant, rules)| Source {
                tenant,
                rules,
                load: Arc::clone(load),
                marked: Marked::default(),
            })
            .collect()
    }

    /// Reads it. Blocks.
    ///
    /// # Errors
    /// What is wrong with it, and whose it is.
    pub fn read(&self) -> Result<Read, NotLoaded> {
        // Before they are read: what changes meanwhile is another set, and is read again.
        let (files, _) = self.marked.mark(&self.rules.read_from());
        let loaded = (self.load)(&self.rules).map_err(|why| self.about(why))?;
        Ok((loaded, files.contents()))
    }

    fn about(&self, why: NotLoaded) -> NotLoaded {
        match &self.tenant {
            Some(tenant) => why.about(&format!("tenant {tenant}")),
            None => why,
        }
    }

    /// Notes of a tenant's rules say whose they are.
    pub fn told(&self, notes: &[String]) -> Vec<String> {
        let of = |note: &String| match &self.tenant {
            Some(tenant) => format!("tenant {tenant}: {note}"),
            None => note.clone(),
        };
        notes.iter().map(of).collect()
    }
}

/// Rules that are live, and where they are read from.
pub struct RulesOf {
    source: Source,
    board: Arc<Board>,
}

impl RulesOf {
    /// Puts what was read in its place.
    ///
    /// # Errors
    /// What would break the specification.
    pub fn of(source: Source, read: &Read, board: &Arc<Board>) -> Result<Self, NotLoaded> {
        let (loaded, files) = read;
        let put = board.put(source.tenant.as_deref(), loaded, files.as_deref());
        put.map_err(|problems| source.about(NotLoaded::User(problems.join("\n"))))?;
        Ok(RulesOf {
            source,
            board: Arc::clone(board),
        })
    }
}

impl Part for RulesOf {
    fn name(&self) -> &'static str {
        "rules"
    }

    fn tenant(&self) -> Option<&str> {
        self.source.tenant.as_deref()
    }

    fn paths(&self) -> Vec<PathBuf> {
        self.source.rules.read_from()
    }

    fn last(&self) -> Fingerprint {
        self.source.marked.last()
    }

    fn read(&self) -> Result<Again, Vec<String>> {
        let read = self.source.read();
        let (loaded, files) = read.map_err(|why| vec![why.to_string()])?;
        let is_other = self.board.put(self.tenant(), &loaded, files.as_deref())?;
        Ok(Again {
            is_other,
            notes: loaded.notes,
        })
    }
}
