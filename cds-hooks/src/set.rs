//! What is live: services, made of what gives advice, and which set of them answers whom.
//!
//! ```text
//! CardService … ─▶ Service (an id at a hook) … ─▶ ServiceSet ─▶ Sets (by tenant) ─▶ Live
//! ```
//!
//! *Invariant:* a set is checked whole when it is made and never changes. A call keeps the set that it
//! began with; another is put in the place of all of it at once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use engine_patient::requirements::DataRequirement;

use crate::config::Config;
use crate::discovery;
use crate::drafts::is_order;
use crate::hook::Hook;
use crate::prefetch::Templates;
use crate::seams::Caller;
use crate::service::{CardService, RuleName, Service};

/// A part of a service, and what it needs.
pub(crate) struct Part {
    pub(crate) service: Arc<dyn CardService>,
    pub(crate) name: RuleName,
    /// The numbers of those of the service's templates that it needs.
    pub(crate) needs: Vec<usize>,
    /// The types that it reads.
    pub(crate) types: HashSet<engine_patient::fhir::names::Name>,
}

/// A service with all that is made of it once.
pub(crate) struct Entry {
    pub(crate) service: Service,
    pub(crate) templates: Templates,
    /// In the author's order, those on trial last.
    pub(crate) parts: Vec<Part>,
    /// Its entry in discovery.
    json: String,
}

impl Entry {
    fn new(service: Service, config: &Config) -> Self {
        let filter = config.seams.filter.as_ref();
        let also = filter.map_or(&[][..], |filter| filter.requirements());
        let of = |parts: &[Arc<dyn CardService>], also: &[DataRequirement]| {
            let own = parts.iter().flat_map(|part| needs(part, service.hook));
            let all: Vec<DataRequirement> = own.chain(also.iter().cloned()).collect();
            let judges = parts.iter().any(|part| part.judges_code_systems());
            Templates::of_parts(&all, judges)
        };
        let templates = of(&service.parts, also);
        // What nobody sees keeps nothing waiting that somebody does.
        let (trial, live): (Vec<_>, Vec<_>) =
            service.parts.iter().partition(|part| part.is_shadow());
        let parts = live.into_iter().chain(trial).map(|part| Part {
            service: Arc::clone(part),
            name: part.rule(),
            needs: templates.that_serve(&of(std::slice::from_ref(part), &[])),
            types: needs(part, service.hook)
                .map(|requirement| requirement.resource_type)
                .collect(),
        });
        let parts = parts.collect();
        let json = discovery::entry(&service, &templates, config);
        Entry {
            service,
            templates,
            parts,
            json,
        }
    }

    /// Whether it answers a small body quickly: a few orders meet many rows, and each other.
    pub(crate) fn is_short(&self) -> bool {
        self.service.hook.drafts().is_none()
    }
}

/// What a part needs at a hook: what it reads, and the orders that it looks at where the hook's context only
/// names them. All of their type, since no token of CDS Hooks 2.0 stands for the ids of several orders.
fn needs<'p>(
    part: &'p Arc<dyn CardService>,
    hook: &Hook,
) -> impl Iterator<Item = DataRequirement> + use<'p> {
    let asks = hook.names_orders();
    let types = part.draft_types().iter();
    let orders = types.filter(move |ty| asks && is_order(**ty));
    let orders = orders.filter_map(|ty| DataRequirement::of_type(ty.as_str()));
    part.requirements().iter().cloned().chain(orders)
}

/// Services that are live together.
pub struct ServiceSet {
    name: String,
    pub(crate) entries: Vec<Entry>,
    by_id: HashMap<String, Vec<usize>>,
}

impl ServiceSet {
    /// Services under a name, which tells in records by which rules a call was answered: a version, a hash
    /// of all that they are made of.
    ///
    /// # Errors
    /// Everything that would break the specification: ids that fit no URL, two services of one id at one
    /// hook, one without a description.
    pub fn new(name: &str, services: Vec<Service>, config: &Config) -> Result<Self, Vec<String>> {
        let problems = problems(&services);
        match problems.is_empty() {
            true => Ok(Self::unchecked(name, services, config)),
            false => Err(problems),
        }
    }

    /// Of services that share an id and a hook the first is called.
    pub(crate) fn unchecked(name: &str, services: Vec<Service>, config: &Config) -> Self {
        let entries = services.into_iter();
        let entries: Vec<Entry> = entries.map(|s| Entry::new(s, config)).collect();
        let mut by_id: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, entry) in entries.iter().enumerate() {
            by_id
                .entry(entry.service.id.clone())
                .or_default()
                .push(number);
        }
        ServiceSet {
            name: name.to_owned(),
            entries,
            by_id,
        }
    }

    /// No service at all.
    pub fn empty() -> Self {
        ServiceSet {
            name: String::new(),
            entries: vec![],
            by_id: HashMap::new(),
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The services, in the order of discovery.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.entries.iter().map(|entry| &entry.service)
    }

    /// The prefetch templates of a service, by its id and hook.
    pub fn templates(&self, id: &str, hook: &str) -> Option<&Templates> {
        let mut of_id = self.of_id(id).iter().filter_map(|n| self.entries.get(*n));
        let found = of_id.find(|entry| entry.service.hook.name == hook);
        found.map(|entry| &entry.templates)
    }

    /// The numbers of the entries of an id, one for each of its hooks.
    pub(crate) fn of_id(&self, id: &str) -> &[usize] {
        self.by_id.get(id).map_or(&[], Vec::as_slice)
    }

    /// The body of `GET /cds-services`, as a caller sees it.
    pub(crate) fn discovery(&self, caller: &Caller) -> String {
        let seen = self
            .entries
            .iter()
            .filter(|e| caller.may_see(&e.service.id));
        let entries: Vec<&str> = seen.map(|entry| entry.json.as_str()).collect();
        format!(r#"{{"services":[{}]}}"#, entries.join(","))
    }

    /// The ids that a caller sees, each once.
    pub(crate) fn ids(&self, caller: &Caller) -> Vec<&str> {
        let mut ids: Vec<&str> = vec![];
        for id in self.services().map(|service| service.id.as_str()) {
            if caller.may_see(id) && !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }
}

/// What would make a list of services break the specification.
fn problems(services: &[Service]) -> Vec<String> {
    let (mut problems, mut seen) = (vec![], HashSet::new());
    for service in services {
        let id = service.id.as_str();
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if id.is_empty() || !id.bytes().all(fits) || id.bytes().all(|b| b == b'.') {
            problems.push(format!(
                "service id `{id}` is not of letters, digits, `.`, `_`, `-`"
            ));
        }
        if !seen.insert((id, service.hook.name)) {
            problems.push(format!(
                "two services have the id `{id}` at the hook `{}`",
                service.hook.name
            ));
        }
        if service.description.trim().is_empty() {
            problems.push(format!("service `{id}` has no description"));
        }
    }
    problems
}

/// Which set answers whom.
#[derive(Clone)]
pub struct Sets {
    /// Callers without a tenant, and those of tenants that have no set of their own.
    pub default: Arc<ServiceSet>,
    /// The others, by tenant.
    pub tenants: HashMap<Arc<str>, Arc<ServiceSet>>,
}

impl Sets {
    /// One set for all.
    pub fn of(set: ServiceSet) -> Self {
        Sets {
            default: Arc::new(set),
            tenants: HashMap::new(),
        }
    }

    /// The set that answers a caller.
    pub fn for_caller(&self, caller: &Caller) -> &Arc<ServiceSet> {
        let tenant = caller.tenant.as_ref();
        let own = tenant.and_then(|tenant| self.tenants.get(tenant));
        own.unwrap_or(&self.default)
    }
}

/// The sets that are live now. Clones are the same.
#[derive(Clone)]
pub struct Live(Arc<RwLock<Arc<Sets>>>);

impl Live {
    /// These, to begin with.
    pub fn new(sets: Sets) -> Self {
        Live(Arc::new(RwLock::new(Arc::new(sets))))
    }

    /// Those that are live. Who asks may keep them for as long as they like.
    pub fn current(&self) -> Arc<Sets> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts others in their place, for all calls that begin from now on. Returns those that were live.
    pub fn swap(&self, sets: Sets) -> Arc<Sets> {
        let mut live = self.0.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut live, Arc::new(sets))
    }
}
