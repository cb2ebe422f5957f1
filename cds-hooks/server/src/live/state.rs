//! What is live, for people: which rules of which version, since when, and what was wrong with what did
//! not become live.

use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;

/// A rule that answers, or is on trial.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LiveRule {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Names its text: another text gives another.
    pub hash: String,
    /// `active`, `draft` or `shadow`.
    pub status: &'static str,
}

/// The rules of a tenant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LiveSet {
    /// The tenant; `None` for those without rules of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Names the whole set: another rule, version or text gives another.
    pub configuration: String,
    /// When it was loaded (RFC 3339).
    pub loaded: String,
    /// The ids of its services.
    pub services: Vec<String>,
    /// Its rules, by id.
    pub rules: Vec<LiveRule>,
    /// For people: warnings, what is left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What could not be read again. What was live before goes on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Failed {
    /// `rules`, `keys` or `certificate`.
    pub part: &'static str,
    /// The tenant whose rules they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// When (RFC 3339).
    pub at: String,
    /// What is wrong.
    pub why: Vec<String>,
}

/// At most so many lines of what is wrong are kept.
const LINES: usize = 100;

#[derive(Default)]
struct Seen {
    sets: Vec<Arc<LiveSet>>,
    failed: Vec<Failed>,
}

/// What is live now.
#[derive(Default)]
pub struct State(RwLock<Seen>);

impl State {
    /// A set is live from now on. Whether it is another than before.
    pub fn loaded(&self, set: LiveSet) -> bool {
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Seen { sets, failed } = &mut *seen;
        failed.retain(|f| f.part != "rules" || f.tenant != set.tenant);
        match sets.iter_mut().find(|old| old.tenant == set.tenant) {
            Some(old) => {
                let is_other = old.configuration != set.configuration;
                *old = Arc::new(set);
                is_other
            }
            None => {
                sets.push(Arc::new(set));
                true
            }
        }
    }

    /// The one of a tenant.
    pub fn of(&self, tenant: Option<&str>) -> Option<Arc<LiveSet>> {
        let seen = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut sets = seen.sets.iter();
        sets.find(|set| set.tenant.as_deref() == tenant).cloned()
    }

    /// Something could not be read again.
    pub fn failed(&self, mut what: Failed) {
        let more = what.why.len().saturating_sub(LINES);
        what.why.truncate(LINES);
        if more > 0 {
            what.why.push(format!("… and {more} more"));
        }
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        seen.failed
            .retain(|f| f.part != what.part || f.tenant != what.tenant);
        seen.failed.push(what);
    }

    /// A part was read again, and nothing is wrong with it.
    pub fn mended(&self, part: &'static str, tenant: Option<&str>) {
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        seen.failed
            .retain(|f| f.part != part || f.tenant.as_deref() != tenant);
    }

    /// All that is live, and all that failed.
    pub fn all(&self) -> (Vec<Arc<LiveSet>>, Vec<Failed>) {
        let seen = self.0.read().unwrap_or_else(PoisonError::into_inner);
        (seen.sets.clone(), seen.failed.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(configuration: &str) -> LiveSet {
        LiveSet {
            tenant: None,
            configuration: configuration.into(),
            loaded: "2026-01-01T00:00:00Z".into(),
            services: vec![],
            rules: vec![],
            notes: vec![],
        }
    }

    fn failed(part: &'static str, lines: usize) -> Failed {
        Failed {
            part,
            tenant: None,
            at: String::new(),
            why: vec!["x".into(); lines],
        }
    }

    #[test]
    fn what_failed_is_told_until_it_works() {
        let state = State::default();
        assert!(state.loaded(set("a")));
        state.failed(failed("rules", 150));
        state.failed(failed("rules", 200));
        state.failed(failed("certificate", 1));
        let (sets, wrong) = state.all();
        assert_eq!(sets[0].configuration, "a");
        assert_eq!(wrong.len(), 2);
        assert_eq!(wrong[0].why.len(), LINES + 1);
        assert_eq!(wrong[0].why.last().unwrap(), "… and 100 more");
        assert!(!state.loaded(set("a")));
        assert_eq!(state.all().1.len(), 1);
        state.mended("certificate", None);
        assert!(state.all().1.is_empty());
        assert!(state.loaded(set("b")));
        assert_eq!(state.of(None).unwrap().configuration, "b");
        assert!(state.of(Some("x")).is_none());
    }
}
