//! What can be told of settings before anything listens.

use std::sync::{Arc, Mutex, PoisonError};

use cds_hooks::Seams;
use cds_security::{MemoryReplay, NoFetcher};

use super::Start;
use crate::admission::Door;
use crate::calls_out;
use crate::live::State;
use crate::loaded::NotLoaded;
use crate::metrics::Metrics;
use crate::rules_live::{Board, RulesOf, Source};
use crate::tls::Secure;
use crate::told::Tell;

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
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let there = Arc::clone(&said);
        let tell: Tell = Arc::new(move |what: &str| {
            let mut said = there.lock().unwrap_or_else(PoisonError::into_inner);
            said.push(format!("note: {what}"));
        });
        wrong.extend(self.on_this_machine().err().map(|why| why.to_string()));
        wrong.extend(
            calls_out::client(&self.settings)
                .err()
                .into_iter()
                .flatten(),
        );
        if !self.insecure {
            let replay = Arc::new(MemoryReplay::new(self.settings.tokens.max_remembered));
            match Door::new(&self.settings, Arc::new(NoFetcher), replay) {
                Ok(door) => door.left_out().iter().for_each(|why| tell(why)),
                Err(why) => wrong.extend(why),
            }
        }
        if let Some(tls) = &self.settings.server.tls {
            let secure = Secure::new(tls, &self.settings.server, self.clock.clone(), &tell);
            wrong.extend(secure.err().into_iter().flatten());
        }
        wrong.extend(self.place().err());
        let (config, state) = (self.config(Seams::default()), Arc::new(State::default()));
        let board = Arc::new(Board::new(config, Arc::clone(&state), Metrics::new()));
        let mut not_loaded = None;
        for source in Source::all(&self.settings, &self.load) {
            let put = source.read().and_then(|read| {
                checked.services += read.0.services.len();
                checked.rules += read.0.rules().len();
                checked.notes.extend(source.told(&read.0.notes));
                RulesOf::of(source, &read, &board)
            });
            if let Err(why) = put {
                wrong.push(why.to_string());
                not_loaded.get_or_insert(why);
            }
        }
        if wrong.is_empty() {
            let said = said.lock().unwrap_or_else(PoisonError::into_inner);
            checked.notes.extend(said.iter().cloned());
            checked.notes.extend(self.notes(&state));
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

    /// What everyone may call is on loopback addresses only, whoever starts it.
    pub(super) fn on_this_machine(&self) -> Result<(), NotLoaded> {
        let server = &self.settings.server;
        let all = std::iter::once(&server.listen).chain(&server.admin_listen);
        let mut elsewhere = all.filter(|address| self.insecure && !address.ip().is_loopback());
        elsewhere.next().map_or(Ok(()), |address| {
            Err(NotLoaded::User(format!(
                "everyone may call, so that it listens on this machine only: {address} is not a loopback address"
            )))
        })
    }

    /// What an operator may not have meant.
    pub(super) fn notes(&self, state: &State) -> Vec<String> {
        let own = self.settings.notes().into_iter();
        let mut notes: Vec<String> = own.map(|note| format!("note: {note}")).collect();
        let (sets, _) = state.all();
        for set in &sets {
            if let Some(tenant) = &set.tenant {
                let services = set.services.join(", ");
                notes.push(format!(
                    "note: tenant {tenant} has services of its own: {services}"
                ));
            }
        }
        let served = |id: &str| {
            let mut all = sets.iter().flat_map(|set| &set.services);
            all.any(|service| service.split(' ').next() == Some(id))
        };
        for role in &self.settings.roles {
            for id in role.services.iter().filter(|id| !served(id)) {
                notes.push(format!(
                    "note: role {:?} names the service `{id}`, and there is none of that id",
                    role.name
                ));
            }
        }
        notes
    }
}
