//! The loaded terminology, asked by canonical.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::code::canonical_system;
use super::code_system::CodeSystem;
use super::drugs::DrugDictionary;
use super::issue::TerminologyError;
use super::suggest::nearest;
use super::value_set::{Completeness, ValueSet, canonical};
use super::version::compare_versions;
use crate::finding::{Code, Finding};

/// Where evaluation gets its terminology from.
pub trait TerminologyProvider: Send + Sync {
    /// The value set with this canonical (`url` or `url|version`).
    ///
    /// # Errors
    /// When the url or the version is not known. An incomplete value set is no error: look at its
    /// [`Completeness`].
    fn value_set(&self, canonical: &str) -> Result<Arc<ValueSet>, TerminologyError>;

    /// The code system with this canonical (`url` or `url|version`).
    ///
    /// # Errors
    /// When the url or the version is not known.
    fn code_system(&self, canonical: &str) -> Result<Arc<CodeSystem>, TerminologyError>;

    /// The drugs: those that are built in, where no others were loaded.
    fn drugs(&self) -> Arc<DrugDictionary> {
        DrugDictionary::built_in_arc()
    }
}

/// Value sets and code systems in memory.
///
/// A url asked without version gives the highest one by [`compare_versions`] whose codes are all known;
/// where there is none, the highest of those of which some are known, then of the others. A url with
/// several versions is among [`Self::issues`] with the version that is chosen, and why. A value set may
/// be asked by `urn:oid:…` for `http://cts.nlm.nih.gov/fhir/ValueSet/…` and the reverse.
#[derive(Debug, Default, Clone)]
pub struct TerminologyStore {
    /// Per url, the one that is used without a version first.
    pub(super) value_sets: BTreeMap<Arc<str>, Vec<Arc<ValueSet>>>,
    pub(super) code_systems: BTreeMap<Arc<str>, Vec<Arc<CodeSystem>>>,
    /// Urls of value sets that others include without a version.
    pub(super) included: BTreeSet<Arc<str>>,
    pub(super) issues: Vec<Finding>,
    /// With those that were loaded, beside the built-in ones.
    pub(super) drugs: Option<Arc<DrugDictionary>>,
}

/// VSAC's url of a value set known by OID.
const VSAC: &str = "http://cts.nlm.nih.gov/fhir/ValueSet/";

impl TerminologyProvider for TerminologyStore {
    fn drugs(&self) -> Arc<DrugDictionary> {
        let own = self.drugs.as_ref().map(Arc::clone);
        own.unwrap_or_else(DrugDictionary::built_in_arc)
    }

    fn value_set(&self, canonical: &str) -> Result<Arc<ValueSet>, TerminologyError> {
        let (url, version) = split(canonical);
        let found = self.value_sets.get(url).or_else(|| {
            let other = match url.strip_prefix("urn:oid:") {
                Some(oid) => format!("{VSAC}{oid}"),
                None => format!("urn:oid:{}", url.strip_prefix(VSAC)?),
            };
            self.value_sets.get(&*other)
        });
        let candidates = self.value_sets().map(|one| {
            let names = [&one.id, &one.name, &one.title];
            (&*one.url, names.into_iter().flatten().map(|name| &**name))
        });
        let near = || nearest(url, candidates);
        choose(
            found,
            "value set",
            canonical,
            url,
            version,
            |one| one.version.as_deref(),
            near,
        )
    }

    fn code_system(&self, canonical: &str) -> Result<Arc<CodeSystem>, TerminologyError> {
        let (url, version) = split(canonical);
        let url = canonical_system(url);
        let candidates = self.code_systems().map(|one| {
            let names = [&one.name, &one.title];
            (&*one.url, names.into_iter().flatten().map(|name| &**name))
        });
        let near = || nearest(url, candidates);
        let found = self.code_systems.get(url);
        choose(
            found,
            "code system",
            canonical,
            url,
            version,
            |one| one.version.as_deref(),
            near,
        )
    }
}

impl TerminologyStore {
    /// All value sets, by url, the one that is used without a version first.
    pub fn value_sets(&self) -> impl Iterator<Item = &Arc<ValueSet>> {
        self.value_sets.values().flatten()
    }

    /// All code systems, by url, highest version first.
    pub fn code_systems(&self) -> impl Iterator<Item = &Arc<CodeSystem>> {
        self.code_systems.values().flatten()
    }

    /// Whether another value set includes that of this url, without a version: which version is used
    /// decides its codes, too.
    #[must_use]
    pub fn is_included(&self, url: &str) -> bool {
        self.included.contains(url)
    }

    /// Value sets of which not all codes are known, and empty ones: answers from them need a warning.
    pub fn incomplete(&self) -> impl Iterator<Item = &Arc<ValueSet>> {
        self.value_sets()
            .filter(|one| *one.completeness() != Completeness::Complete)
    }

    /// Number of value sets, each version counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.value_sets.values().map(Vec::len).sum()
    }

    /// True if there is no value set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.value_sets.is_empty()
    }

    /// Everything that was noticed while loading and merging.
    #[must_use]
    pub fn issues(&self) -> &[Finding] {
        &self.issues
    }

    /// Adds a value set, such as one made in a test. Answers what was noticed.
    pub fn insert(&mut self, value_set: ValueSet) -> Vec<Finding> {
        let mut other = Self::default();
        let mut issues = Vec::new();
        other.insert_value_set(Arc::new(value_set), &mut issues);
        other.review(&mut issues);
        other.keep_issues(issues.clone());
        issues.extend(self.merge(other));
        issues
    }

    /// Adds another store under the rules of loading: same url and version need the same codes.
    ///
    /// Includes are not evaluated again: give sources that refer to each other to one builder.
    /// Answers what was noticed by merging; [`Self::issues`] has that and the other store's issues.
    pub fn merge(&mut self, other: Self) -> Vec<Finding> {
        let mut new = Vec::new();
        for system in other.code_systems.into_values().flatten() {
            self.insert_code_system(system, &mut new);
        }
        for value_set in other.value_sets.into_values().flatten() {
            self.insert_value_set(value_set, &mut new);
        }
        let several = self.several_versions();
        let known = |one: &Finding| {
            self.issues
                .iter()
                .chain(&other.issues)
                .any(|old| old == one)
        };
        new.extend(several.into_iter().filter(|one| !known(one)));
        self.included.extend(other.included);
        self.issues.extend(other.issues);
        self.issues.extend(new.iter().cloned());
        new
    }

    pub(super) fn keep_issues(&mut self, issues: Vec<Finding>) {
        self.issues = issues;
    }

    pub(super) fn insert_code_system(&mut self, new: Arc<CodeSystem>, issues: &mut Vec<Finding>) {
        let versions = self.code_systems.entry(Arc::clone(&new.url)).or_default();
        let Some(old) = versions.iter().find(|old| old.version == new.version) else {
            versions.push(new);
            versions.sort_by(|a, b| compare_versions(b.version.as_deref(), a.version.as_deref()));
            return;
        };
        if !old.same_content(&new) {
            let name = canonical(&new.url, new.version.as_deref());
            let what = "code system";
            issues.push(conflict(
                what,
                &name,
                (&old.source, &new.source),
                &new.source,
            ));
        }
    }

    pub(super) fn insert_value_set(&mut self, new: Arc<ValueSet>, issues: &mut Vec<Finding>) {
        let versions = self.value_sets.entry(Arc::clone(&new.url)).or_default();
        let Some(old) = versions.iter_mut().find(|old| old.version == new.version) else {
            versions.push(new);
            return by_preference(versions);
        };
        let (old_rank, new_rank) = (old.completeness().rank(), new.completeness().rank());
        if old.hash() == new.hash() && old_rank == new_rank {
            return;
        }
        let name = new.canonical();
        let (whole, part) = match new_rank > old_rank {
            true => (&new, &*old),
            false => (&*old, &new),
        };
        let extends = part.keys().iter().all(|key| whole.contains(*key));
        if old_rank == new_rank || !extends {
            let sources = (&old.source, &new.source);
            return issues.push(conflict("value set", &name, sources, &new.source));
        }
        // One source has more of the same: that one is used.
        let better = match whole.completeness().is_trusted() {
            true => "the complete one",
            false => "the one with codes",
        };
        let message = format!(
            "value set `{name}` is {} in `{}`; {better} in `{}` is used",
            part.completeness(),
            part.source,
            whole.source
        );
        let issue =
            Finding::info(Code::TerminologyConflict, message).in_file(Arc::clone(&part.source));
        issues.push(issue.about(name));
        if new_rank > old_rank {
            *old = new;
            by_preference(versions);
        }
    }

    /// Reports what a user must know about the loaded value sets.
    pub(super) fn review(&self, issues: &mut Vec<Finding>) {
        for value_set in self.value_sets() {
            let name = value_set.canonical();
            if value_set.keys().len() != value_set.len() {
                let message = format!("two codes of value set `{name}` share a 64-bit key");
                issues.push(about(
                    value_set,
                    Finding::error(Code::CodeKeyCollision, message),
                ));
            }
            let (code, message, help) = match value_set.completeness() {
                Completeness::Complete => continue,
                Completeness::Empty => (
                    Code::ValueSetEmpty,
                    format!("value set `{name}` has no codes: nothing will ever match it"),
                    "load an expansion that has codes, or remove what refers to it",
                ),
                partial @ Completeness::Partial { .. } => (
                    Code::ValueSetPartial,
                    format!("value set `{name}` is {partial}"),
                    "load the whole expansion: codes that are not here will not match",
                ),
                Completeness::NotExpanded { reason } => (
                    Code::ValueSetNotExpanded,
                    format!("value set `{name}` could not be expanded: {reason}"),
                    "load its expansion, or what it refers to",
                ),
            };
            issues.push(about(value_set, Finding::warning(code, message).help(help)));
        }
        issues.extend(self.several_versions());
    }

    pub(super) fn several_versions(&self) -> Vec<Finding> {
        let mut issues = Vec::new();
        for versions in self.value_sets.values() {
            let [used, _, ..] = versions.as_slice() else {
                continue;
            };
            let word = |one: &ValueSet| one.version.as_deref().unwrap_or("(none)").to_owned();
            let mut all: Vec<&Arc<ValueSet>> = versions.iter().collect();
            all.sort_by(|a, b| compare_versions(b.version.as_deref(), a.version.as_deref()));
            let higher = all.iter().take_while(|one| !Arc::ptr_eq(one, used));
            let higher: Vec<String> = higher
                .map(|one| format!("{} is {}", word(one), one.completeness()))
                .collect();
            let why = match higher.is_empty() {
                true => String::new(),
                false => format!(", since {}", higher.join(", ")),
            };
            let listed: Vec<String> = all.iter().map(|one| word(one)).collect();
            let message = format!(
                "value set `{}` has versions {}; without a version asked, {} is used{why}",
                used.url,
                listed.join(", "),
                word(used),
            );
            let help = "refer to it as `url|version`, or load one version";
            issues.push(about(
                used,
                Finding::warning(Code::SeveralVersions, message).help(help),
            ));
        }
        issues
    }
}

/// More codes known before fewer, then the higher version.
fn by_preference(versions: &mut [Arc<ValueSet>]) {
    versions.sort_by(|a, b| {
        let rank = |one: &ValueSet| one.completeness().rank();
        let version = || compare_versions(b.version.as_deref(), a.version.as_deref());
        rank(b).cmp(&rank(a)).then_with(version)
    });
}

fn about(value_set: &ValueSet, finding: Finding) -> Finding {
    finding
        .in_file(Arc::clone(&value_set.source))
        .about(value_set.canonical())
}

fn conflict(
    what: &str,
    name: &str,
    (first, second): (&Arc<str>, &Arc<str>),
    at: &Arc<str>,
) -> Finding {
    let message = format!(
        "{what} `{name}` is in `{first}` and in `{second}` with different content; the first is used"
    );
    Finding::error(Code::TerminologyConflict, message)
        .in_file(Arc::clone(at))
        .help("keep one of them, or give them different versions")
        .about(name)
}

/// Url and version of a canonical.
fn split(canonical: &str) -> (&str, Option<&str>) {
    match canonical.split_once('|') {
        Some((url, version)) => (url, Some(version)),
        None => (canonical, None),
    }
}

fn choose<T>(
    found: Option<&Vec<Arc<T>>>,
    kind: &'static str,
    canonical: &str,
    url: &str,
    version: Option<&str>,
    version_of: impl Fn(&T) -> Option<&str>,
    near: impl FnOnce() -> Vec<String>,
) -> Result<Arc<T>, TerminologyError> {
    let Some(found) = found else {
        return Err(TerminologyError::Unknown {
            kind,
            canonical: canonical.to_owned(),
            suggestions: near(),
        });
    };
    let chosen = match version {
        None => found.first(),
        Some(_) => found.iter().find(|one| version_of(one) == version),
    };
    chosen
        .cloned()
        .ok_or_else(|| TerminologyError::UnknownVersion {
            kind,
            url: url.to_owned(),
            version: version.unwrap_or_default().to_owned(),
            available: found
                .iter()
                .map(|one| version_of(one).unwrap_or("(none)").to_owned())
                .collect(),
        })
}
