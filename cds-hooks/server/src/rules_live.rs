//! The rules of each tenant, read again while calls go on.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use cds_hooks::{Clock, Config, Live, ServiceSet, Sets};
use engine_patient::system::zone::UTC;

use crate::live::{Fingerprint, LiveSet, Part, State};
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
    /// the same is not put again, since rules that have run answer faster.
    ///
    /// # Errors
    /// What would break the specification; what was live is live still.
    pub fn put(
        &self,
        tenant: Option<&str>,
        loaded: &Loaded,
        files: &str,
    ) -> Result<bool, Vec<String>> {
        let configuration = loaded.configuration(files);
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
        let (rules, now) = (loaded.rules(), (self.clock)());
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
        }))
    }
}

/// The rules of one tenant, or of all that have none of their own.
pub struct RulesOf {
    /// The tenant; `None` for the others.
    pub tenant: Option<String>,
    /// What to read.
    pub rules: Rules,
    /// How.
    pub load: Load,
    /// Where to put it.
    pub board: Arc<Board>,
}

impl RulesOf {
    /// Each set of the settings.
    pub fn all(settings: &Settings, load: &Load, board: &Arc<Board>) -> Vec<Self> {
        let own = settings.tenants.iter();
        let own = own.filter_map(|t| Some((Some(t.name.clone()), t.rules.clone()?)));
        std::iter::once((None, settings.rules.clone()))
            .chain(own)
            .map(|(tenant, rules)| RulesOf {
                tenant,
                rules,
                load: Arc::clone(load),
                board: Arc::clone(board),
            })
            .collect()
    }

    /// Reads it, and puts it in its place.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn first(&self) -> Result<Loaded, NotLoaded> {
        let files = self.files();
        let loaded = (self.load)(&self.rules)?;
        let put = self.board.put(self.tenant.as_deref(), &loaded, &files);
        put.map_err(|problems| NotLoaded::User(problems.join("\n")))?;
        Ok(loaded)
    }
}

impl RulesOf {
    fn files(&self) -> String {
        Fingerprint::of(self.rules.all_paths(), &Fingerprint::default()).contents()
    }
}

impl Part for RulesOf {
    fn name(&self) -> &'static str {
        "rules"
    }

    fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    fn paths(&self) -> Vec<PathBuf> {
        self.rules.all_paths().cloned().collect()
    }

    fn read(&self) -> Result<bool, Vec<String>> {
        // Before they are read: what changes meanwhile is another set, and is read again.
        let files = self.files();
        let loaded = (self.load)(&self.rules).map_err(|why| vec![why.to_string()])?;
        self.board.put(self.tenant.as_deref(), &loaded, &files)
    }
}
