//! What stands around the protocol: who may call, where data comes from, what is kept.

use std::sync::Arc;
use std::time::Duration;

use cds_hooks::Clock;
use cds_hooks::seams::{Open, Seams};
use cds_security::{MemoryReplay, ReplayStore};
use engine_patient::system::zone::UTC;
use tokio::task::JoinHandle;

use super::Start;
use crate::admin::Checks;
use crate::admission::Door;
use crate::calls_out;
use crate::consent;
use crate::data::FhirData;
use crate::explain::{self, Explain};
use crate::kept::Kept;
use crate::live::State;
use crate::loaded::NotLoaded;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::sight::{Seen, Sight};
use crate::spans::Spans;
use crate::tls::Secure;
use crate::told::Tell;

/// How often key sets are looked at that could not be fetched.
const KEYS_AGAIN: Duration = Duration::from_secs(60);

/// What stands around the protocol.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) seams: Seams,
    pub(super) client: outbound::Client,
    pub(super) door: Option<Arc<Door>>,
    pub(super) secure: Option<Secure>,
    pub(super) spans: Option<Arc<Spans>>,
    pub(super) kept: Option<Kept>,
    pub(super) explain: Option<Arc<Explain>>,
}

impl Parts {
    /// What has to work for calls to be answered, and what is told beside.
    pub(super) fn checks(&self) -> Checks {
        let mut checks = Checks::default();
        if let Some(kept) = &self.kept {
            // Without it calls are answered where nobody requires that they are written down.
            match kept.is_required() {
                true => checks.add("store", kept.check()),
                false => checks.add_minor("store", kept.check()),
            }
        }
        if let Some(door) = &self.door {
            let (all, some) = (Arc::clone(door), Arc::clone(door));
            let check = move || all.lets_in();
            checks.add(
                "keys",
                Box::new(move || Box::pin(std::future::ready(check()))),
            );
            let check = move || {
                let missing = some.missing_keys();
                match missing.is_empty() {
                    true => Ok(()),
                    false => Err(missing.join("; ")),
                }
            };
            checks.add_minor(
                "key sets",
                Box::new(move || Box::pin(std::future::ready(check()))),
            );
        }
        checks
    }

    /// What is live now is written down.
    pub(super) async fn note(&self, now: i64, state: &State, tell: &Tell) {
        let Some(kept) = &self.kept else { return };
        for set in state.all().0 {
            let tenant = set.tenant.as_deref();
            if let Err(why) = kept.live(now, "rules", tenant, Some(&set)).await {
                tell(&format!("the audit log does not say what is live: {why}"));
            }
        }
    }

    /// What is done from time to time: key sets that could not be fetched, records over their time.
    pub(super) fn keep(&self, settings: &Settings, clock: Clock, tell: Tell) -> JoinHandle<()> {
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

impl Start {
    /// All that stands around the protocol.
    pub(super) async fn parts(&self, metrics: &Metrics, tell: &Tell) -> Result<Parts, NotLoaded> {
        let settings = &self.settings;
        let user = |lines: Vec<String>| NotLoaded::User(lines.join("\n"));
        let client = calls_out::client(settings).map_err(user)?;
        let kept = Kept::open(settings, self.place().map_err(NotLoaded::User)?, tell).await?;
        let secure = match &settings.server.tls {
            Some(tls) => {
                let made = Secure::new(tls, &settings.server, self.clock.clone(), tell);
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
                let door = Door::new(settings, Arc::new(client.clone()), replay);
                let door = door.map_err(user)?;
                door.left_out().iter().for_each(|why| tell(why));
                Some(Arc::new(door))
            }
        };
        let spans = Spans::new(&settings.tracing)
            .map_err(NotLoaded::User)?
            .map(Arc::new);
        let explain = explain::kept(&settings.explain, kept.clone()).map(Arc::new);
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
}
