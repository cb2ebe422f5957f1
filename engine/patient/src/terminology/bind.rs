//! Bindings: a value set that rules or measures ask for is bound to others, as a hospital has them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::issue::TerminologyError;
use super::store::{TerminologyProvider, TerminologyStore};
use super::value_set::{Completeness, ValueSet};
use crate::finding::{Code, Finding, Place, did_you_mean};

/// The urls of the value sets that come with Tandem begin so; what follows is their short name.
pub const BUILT_IN_VALUE_SETS: &str = "https://tandem-cds.dev/ValueSet/";

/// A value set, and those that give it their codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The one that is asked for: its url, or a short name.
    pub value_set: Named,
    /// Those that it is bound to, at least one: canonicals, or short names.
    pub to: Vec<Named>,
    /// What becomes of its own codes.
    pub mode: BindingMode,
}

/// A name with where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// As written.
    pub name: Arc<str>,
    /// Where.
    pub place: Place,
}

/// What becomes of the codes that the bound value set has itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BindingMode {
    /// They stay: it has all codes.
    #[default]
    Union,
    /// They are replaced; so a value set that is not loaded gets codes, too.
    Replace,
}

/// What else may know the value sets of a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    /// Nothing: each must be in this store.
    Nothing,
    /// Measure packages, read into another store: only built-in ones must be in this one.
    Packages,
    /// The store with the built-in ones: those are left alone here.
    BuiltIn,
}

/// A binding whose names were found.
struct Found<'b> {
    binding: &'b Binding,
    url: Arc<str>,
    to: Vec<String>,
}

impl TerminologyStore {
    /// Binds value sets: asked without a version, each has the codes of those that it is bound to, beside
    /// its own or in their place. A value set that is bound may be bound to, whatever the order. Asked
    /// with a version it is the set as it was loaded.
    ///
    /// Nothing is bound where there is an error. Answers what was noticed, all of it.
    pub fn bind(&mut self, bindings: &[Binding], beyond: Beyond) -> Vec<Finding> {
        let mut issues = vec![];
        let mut found: Vec<Found<'_>> = vec![];
        let mut seen: BTreeSet<Arc<str>> = BTreeSet::new();
        for binding in bindings {
            let url = match self.target(binding, beyond) {
                // What another store knows is bound there.
                Ok(None) => continue,
                Ok(Some(url)) => Some(url),
                Err(finding) => {
                    issues.push(*finding);
                    None
                }
            };
            let twice = url.as_ref().filter(|url| !seen.insert(Arc::clone(url)));
            if let Some(url) = twice {
                let message = format!("value set `{url}` is bound a second time");
                let help = "name all that it is bound to in one list under `to`";
                issues.push(at(&binding.value_set, Code::BindingTwice, message).help(help));
            }
            let to = binding.to.iter();
            let to = to.filter_map(|one| self.source(one, url.as_deref(), bindings, &mut issues));
            let to: Vec<String> = to.collect();
            if let (None, Some(url)) = (twice, &url) {
                let url = Arc::clone(url);
                found.push(Found { binding, url, to });
            }
        }
        let order = order(&found, &mut issues);
        if !issues.iter().any(Finding::is_error) {
            for index in order {
                if let Some(one) = found.get(index) {
                    self.apply(one, &mut issues);
                }
            }
        }
        self.issues.extend(issues.iter().cloned());
        issues
    }

    /// The url of the value set that is bound; nothing where it is left alone.
    fn target(&self, binding: &Binding, beyond: Beyond) -> Result<Option<Arc<str>>, Box<Finding>> {
        let name = &*binding.value_set.name;
        let wrong = |message: String| at(&binding.value_set, Code::BindingUnknown, message);
        if name.contains('|') {
            let finding = wrong(format!("`{name}` has a version: what is bound is a url"));
            let help = "leave the version out; a rule that asks for a version is not bound";
            return Err(Box::new(finding.help(help)));
        }
        let built_in = !name.contains(':') || name.starts_with(BUILT_IN_VALUE_SETS);
        match self.by_name(name) {
            // Also where codes of it are here that add to it there.
            _ if built_in && beyond == Beyond::BuiltIn => Ok(None),
            Ok(set) => Ok(Some(Arc::clone(&set.url))),
            Err(_) if !built_in && binding.mode == BindingMode::Replace => {
                Ok(Some(Arc::from(name)))
            }
            Err(_) if !built_in && beyond == Beyond::Packages => Ok(None),
            Err(near) => {
                let finding = wrong(format!(
                    "no value set `{name}` is loaded: there is nothing to bind"
                ));
                let otherwise = match built_in {
                    true => "`tandem terminology check` lists the value sets that are built in",
                    false => {
                        "load it with --terminology, or write `mode: replace` so that it has the codes of the others"
                    }
                };
                let near = near.first().map(String::as_str);
                Err(Box::new(finding.meant(near, otherwise)))
            }
        }
    }

    /// The canonical of a value set that another is bound to.
    fn source(
        &self,
        named: &Named,
        target: Option<&str>,
        bindings: &[Binding],
        issues: &mut Vec<Finding>,
    ) -> Option<String> {
        let name = &*named.name;
        let set = match self.by_name(name) {
            Ok(set) => set,
            // Another binding gives it its codes.
            Err(_)
                if bindings
                    .iter()
                    .any(|b| b.value_set.name == named.name && b.mode == BindingMode::Replace) =>
            {
                return Some(name.to_owned());
            }
            Err(near) => {
                let message = format!("no value set `{name}` is loaded: its codes are not known");
                let finding = at(named, Code::BindingUnknown, message);
                let otherwise = "give its file or folder with --terminology, or fetch it with `tandem terminology fetch`";
                issues.push(finding.meant(near.first().map(String::as_str), otherwise));
                return None;
            }
        };
        if Some(&*set.url) == target && !name.contains('|') {
            let message = format!("value set `{}` is bound to itself", set.url);
            issues.push(at(named, Code::BindingCircle, message).help("name another one"));
            return None;
        }
        let bound = |b: &Binding| {
            self.by_name(&b.value_set.name)
                .is_ok_and(|s| s.url == set.url)
        };
        let again = !name.contains('|') && bindings.iter().any(bound);
        let wrong = match set.completeness() {
            // What it will be shows when it is bound itself.
            _ if again => None,
            Completeness::Empty => Some((Code::ValueSetEmpty, "has no codes".to_owned())),
            Completeness::NotExpanded { reason } => Some((
                Code::ValueSetNotExpanded,
                format!("has no codes here: {reason}"),
            )),
            Completeness::Complete | Completeness::Partial { .. } => None,
        };
        if let Some((code, what)) = wrong {
            let message = format!("value set `{name}` {what}");
            let help = "load its whole expansion: `tandem terminology fetch` asks a terminology server for it";
            issues.push(at(named, code, message).help(help));
            return None;
        }
        Some(match name.split_once('|') {
            Some((_, version)) => format!("{}|{version}", set.url),
            None => set.url.to_string(),
        })
    }

    /// The value set of a canonical, or of a short name: its id, name, or the end of its url, a built-in
    /// one first. Otherwise what may have been meant.
    pub fn by_name(&self, name: &str) -> Result<Arc<ValueSet>, Vec<String>> {
        if name.contains(':') {
            return self.value_set(name).map_err(|e| match e {
                TerminologyError::Unknown { suggestions, .. } => suggestions,
                TerminologyError::UnknownVersion { url, available, .. } => {
                    let known = available.iter().filter(|v| *v != "(none)");
                    known.map(|version| format!("{url}|{version}")).collect()
                }
            });
        }
        if let Ok(set) = self.value_set(&format!("{BUILT_IN_VALUE_SETS}{name}")) {
            return Ok(set);
        }
        let called = |set: &ValueSet| {
            let end = set.url.rsplit(['/', ':']).next();
            let names = [set.id.as_deref(), set.name.as_deref(), end];
            names.contains(&Some(name))
        };
        let urls: BTreeSet<&Arc<str>> = self
            .value_sets()
            .filter(|s| called(s))
            .map(|s| &s.url)
            .collect();
        if let ([url], Some(_)) = (urls.iter().collect::<Vec<_>>().as_slice(), urls.first()) {
            return self.value_set(url).map_err(|_| vec![]);
        }
        if !urls.is_empty() {
            return Err(urls.into_iter().map(ToString::to_string).collect());
        }
        let ends = self
            .value_sets
            .keys()
            .filter_map(|url| url.rsplit(['/', ':']).next());
        Err(did_you_mean(name, ends)
            .map(str::to_owned)
            .into_iter()
            .collect())
    }

    fn apply(&mut self, found: &Found<'_>, issues: &mut Vec<Finding>) {
        let Found { binding, url, to } = found;
        let sources: Vec<Arc<ValueSet>> = to
            .iter()
            .filter_map(|one| self.value_set(one).ok())
            .collect();
        let own = self
            .value_sets
            .get(url)
            .and_then(|all| all.first())
            .cloned();
        let mut parts: Vec<&ValueSet> = sources.iter().map(|one| &**one).collect();
        let kept = own
            .as_deref()
            .filter(|_| binding.mode == BindingMode::Union);
        if let Some(own) = kept {
            parts.insert(0, own);
        }
        let Some((first, rest)) = parts.split_first() else {
            return;
        };
        let mut bound = rest
            .iter()
            .fold(ValueSet::clone(first), |all, more| all.united(more));
        bound.url = Arc::clone(url);
        let names = own.as_deref().unwrap_or(first);
        bound.id.clone_from(&names.id);
        bound.name.clone_from(&names.name);
        bound.title.clone_from(&names.title);
        if kept.is_none() {
            let version = bound.version.as_deref().unwrap_or("(none)");
            bound.version = Some(format!("bound+{version}").into());
        }
        let sources: Vec<String> = sources
            .iter()
            .map(|s| format!("`{}` ({})", s.canonical(), s.len()))
            .collect();
        let (sources, had) = (sources.join(", "), own.as_ref().map_or(0, |own| own.len()));
        let how = match binding.mode {
            BindingMode::Union => format!("its {had} codes, and those of {sources}"),
            BindingMode::Replace => format!("instead of its {had} codes, those of {sources}"),
        };
        let message = format!(
            "value set `{}` is bound and has {}: {how}",
            bound.canonical(),
            bound.len()
        );
        let finding = Finding::info(Code::ValueSetBound, message);
        issues.push(
            finding
                .placed(binding.value_set.place.clone())
                .about(bound.canonical()),
        );
        let all = self.value_sets.entry(Arc::clone(url)).or_default();
        all.retain(|one| one.version != bound.version);
        all.insert(0, Arc::new(bound));
    }
}

/// What is bound to is bound before; a circle is an error.
fn order(found: &[Found<'_>], issues: &mut Vec<Finding>) -> Vec<usize> {
    let place = |url: &str| found.iter().position(|one| &*one.url == url);
    let needs: Vec<Vec<usize>> = found
        .iter()
        .map(|one| one.to.iter().filter_map(|to| place(to)).collect())
        .collect();
    let mut order: Vec<usize> = vec![];
    // Each round adds what needs nothing that is open; a round without any has found a circle.
    loop {
        let ready: Vec<usize> = (0..found.len())
            .filter(|at| !order.contains(at))
            .filter(|at| {
                needs
                    .get(*at)
                    .is_some_and(|n| n.iter().all(|one| order.contains(one)))
            })
            .collect();
        if ready.is_empty() {
            break;
        }
        order.extend(ready);
    }
    let open = found
        .iter()
        .enumerate()
        .filter(|(at, _)| !order.contains(at));
    let open: Vec<&Found<'_>> = open.map(|(_, one)| one).collect();
    if let Some(first) = open.first() {
        let urls: Vec<&str> = open.iter().map(|one| &*one.url).collect();
        let message = format!(
            "value sets are bound to each other in a circle: `{}`",
            urls.join("`, `")
        );
        let finding = at(&first.binding.value_set, Code::BindingCircle, message);
        issues.push(finding.help("remove one of these bindings"));
    }
    order
}

fn at(named: &Named, code: Code, message: String) -> Finding {
    Finding::error(code, message).placed(named.place.clone())
}
