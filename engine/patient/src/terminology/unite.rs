//! Adding to value sets that are there: codes of the same meaning in other code systems.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::store::TerminologyStore;
use super::value_set::{Completeness, ValueSet};
use crate::finding::{Code, Finding};

impl TerminologyStore {
    /// Adds another store, and to each value set that both have the codes of the other: asked without
    /// a version, its url gives the codes of both, as version `2025.1+2026.3`. A set is never replaced,
    /// whatever the versions are. Asked with a version, it is the set as it was loaded.
    ///
    /// Of several versions of a url on one side the one counts that is used without a version. Answers what was noticed.
    pub fn unite(&mut self, other: Self) -> Vec<Finding> {
        let mut issues = vec![];
        let mut united: BTreeMap<Arc<str>, Arc<ValueSet>> = BTreeMap::new();
        for (url, added) in &other.value_sets {
            let own = self.value_sets.get(url).and_then(|all| all.first());
            if let (Some(own), Some(added)) = (own, added.first())
                && own.hash() != added.hash()
            {
                let both = both(own, added, &mut issues);
                united.insert(Arc::clone(url), both);
            }
        }
        for system in other.code_systems.into_values().flatten() {
            self.insert_code_system(system, &mut issues);
        }
        for one in other.value_sets.into_values().flatten() {
            let of_url = self.value_sets.get(&one.url);
            let there = of_url.is_some_and(|all| all.iter().any(|o| o.version == one.version));
            // Under the version that is there already, what is there stays.
            if !(there && united.contains_key(&one.url)) {
                self.insert_value_set(one, &mut issues);
            }
        }
        // That a united set has several versions is no question: it has all their codes.
        let several = self.several_versions().into_iter().filter(|issue| {
            let of_united = |url: &Arc<str>| {
                let about = issue.place.canonical.as_deref();
                about.is_some_and(|c| c.split('|').next() == Some(url))
            };
            let old = self.issues.iter().chain(&other.issues).any(|o| o == issue);
            !old && !united.keys().any(of_united)
        });
        let several: Vec<_> = several.collect();
        issues.extend(several);
        for (url, both) in united {
            let all = self.value_sets.entry(url).or_default();
            all.retain(|one| one.version != both.version);
            all.insert(0, both);
        }
        self.drugs = match (other.drugs, self.drugs.take()) {
            (Some(added), Some(own)) if !Arc::ptr_eq(&added, &own) => {
                Some(Arc::new((*added).clone().beside(&own)))
            }
            (added, own) => added.or(own),
        };
        self.included.extend(other.included);
        self.issues.extend(other.issues);
        self.issues.extend(issues.iter().cloned());
        issues
    }
}

/// The codes of both, and a word about it.
fn both(own: &Arc<ValueSet>, added: &ValueSet, issues: &mut Vec<Finding>) -> Arc<ValueSet> {
    let new = added.keys().iter().filter(|k| !own.contains(**k)).count();
    let trusted = own.completeness().is_trusted() && added.completeness().is_trusted();
    let name = own.canonical();
    let (both, message) = match new == 0 && trusted {
        true => {
            let message = format!("value set `{name}` has all {} codes already", added.len());
            (Arc::clone(own), message)
        }
        false => {
            let both = own.united(added);
            let new = match new {
                1 => "1 code is".to_owned(),
                _ => format!("{new} codes are"),
            };
            let version = both.version.as_deref().unwrap_or_default();
            let message = format!(
                "{new} added to the {} of value set `{name}`: its version is now {version}",
                own.len()
            );
            (Arc::new(both), message)
        }
    };
    let issue = Finding::info(Code::ValueSetExtended, message).in_file(Arc::clone(&added.source));
    issues.push(issue.about(both.canonical()));
    both
}

impl ValueSet {
    /// The codes of both under the url of this one.
    pub(super) fn united(&self, added: &ValueSet) -> ValueSet {
        let version = [&self.version, &added.version];
        let version = version.map(|v| v.as_deref().unwrap_or("(none)"));
        let entries = self.entries().iter().chain(added.entries());
        let entries: Vec<_> = entries.cloned().collect();
        let parts = [self, added].map(ValueSet::completeness);
        let missing = parts
            .iter()
            .any(|c| matches!(c, Completeness::Partial { missing: true, .. }));
        let lacking: Vec<String> = parts
            .into_iter()
            .filter(|c| !c.is_trusted())
            .map(ToString::to_string)
            .collect();
        let completeness = match (lacking.is_empty(), entries.is_empty()) {
            (true, true) => Completeness::Empty,
            (true, false) => Completeness::Complete,
            (false, _) => Completeness::Partial {
                have: entries.len(),
                total: None,
                reason: lacking.join("; "),
                missing,
            },
        };
        let mut both = ValueSet::new(
            Arc::clone(&self.url),
            Some(version.join("+").into()),
            entries,
            completeness,
            format!("{} + {}", self.source, added.source).into(),
        );
        both.id.clone_from(&self.id);
        both.name.clone_from(&self.name);
        both.title.clone_from(&self.title);
        both
    }
}
