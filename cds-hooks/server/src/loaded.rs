//! What is loaded from files: services, and what to say of them. Who loads is above this crate.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use cds_hooks::Service;

use crate::live::LiveRule;
use crate::settings::Rules;

/// Loads what the settings name. Blocks.
pub type Load = Arc<dyn Fn(&Rules) -> Result<Loaded, NotLoaded> + Send + Sync>;

/// Services that can be served.
pub struct Loaded {
    /// At least one.
    pub services: Vec<Service>,
    /// For people: warnings, what is left out.
    pub notes: Vec<String>,
}

impl Loaded {
    /// The rules and measures behind the services, each once, by id.
    pub fn rules(&self) -> Vec<LiveRule> {
        let parts = self.services.iter().flat_map(|service| &service.parts);
        let mut rules = BTreeMap::new();
        for part in parts {
            let (name, is_shadow) = (part.rule(), part.is_shadow());
            let rule = LiveRule {
                id: name.id,
                version: name.version,
                hash: name.hash,
                status: if is_shadow { "shadow" } else { "live" },
            };
            rules.insert((rule.id.clone(), is_shadow, rule.version.clone()), rule);
        }
        rules.into_values().collect()
    }

    /// Names all that is served: another rule, version, text, service or status gives another, and so do other
    /// `files`: value sets, libraries, packages ([`crate::live::Fingerprint::contents`]).
    pub fn configuration(&self, files: &str) -> String {
        let mut all: Vec<String> = self
            .rules()
            .into_iter()
            .map(|rule| format!("{}|{}|{}|{}", rule.id, rule.version, rule.hash, rule.status))
            .collect();
        let services = self.services.iter();
        all.extend(services.map(|service| format!("{}|{}", service.id, service.hook.name)));
        all.sort();
        all.push(files.to_owned());
        cds_hooks::instance_name(&all.join("\n"))
    }
}

/// Why nothing is served, or nothing else than before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotLoaded {
    /// The user's mistake.
    User(String),
    /// Not supported.
    Unsupported(String),
    /// Our bug, or the machine failed.
    Internal(String),
}

impl fmt::Display for NotLoaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(text) | Self::Unsupported(text) | Self::Internal(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for NotLoaded {}

impl NotLoaded {
    /// With what it is about in front.
    #[must_use]
    pub fn about(self, what: &str) -> Self {
        match self {
            Self::User(text) => Self::User(format!("{what}: {text}")),
            Self::Unsupported(text) => Self::Unsupported(format!("{what}: {text}")),
            Self::Internal(text) => Self::Internal(format!("{what}: {text}")),
        }
    }

    /// Both, told at once; of the kind of the graver.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let text = format!("{self}\n{other}");
        let is = |found: fn(&Self) -> bool| found(&self) || found(&other);
        match () {
            () if is(|why| matches!(why, Self::Internal(_))) => Self::Internal(text),
            () if is(|why| matches!(why, Self::User(_))) => Self::User(text),
            () => Self::Unsupported(text),
        }
    }
}
