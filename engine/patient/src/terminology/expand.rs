//! From definitions to codes: follows includes and excludes, and says what could not be followed.

use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::code::Code;
use super::code_system::{CodeSystem, CodeSystemContent};
use super::filter::{Codes, by_key, filtered, of_concepts};
use super::suggest::nearest;
use super::value_set::{Completeness, canonical};
use super::value_set_definition::{Clause, Compose, Expansion, SpotOf, ValueSetDefinition};
use super::version::compare_versions;
use crate::finding::{Code as FindingCode, Finding, Place};

/// The codes of a value set and whether they are all of them.
#[derive(Debug)]
pub(super) struct Expanded {
    pub codes: Vec<Code>,
    pub completeness: Completeness,
}

/// Why a member of a cycle has no codes.
const CYCLIC: &str = "it includes itself through other value sets, or includes one that does";

/// Why codes are not known.
#[derive(Debug)]
struct Lack {
    why: String,
    /// An included value set is not loaded.
    missing: bool,
}

impl From<String> for Lack {
    fn from(why: String) -> Self {
        Self {
            why,
            missing: false,
        }
    }
}

/// Several in one.
fn joined(lacks: &[Lack]) -> Lack {
    let why: Vec<&str> = lacks.iter().map(|l| &*l.why).collect();
    Lack {
        why: why.join("; "),
        missing: lacks.iter().any(|l| l.missing),
    }
}

/// Codes of one clause, with the reason why there may be more.
type ClauseCodes = Result<(Codes, Option<Lack>), Lack>;

/// Expands definitions; each once, what is included before what includes it.
pub(super) struct Expander<'a> {
    definitions: &'a [ValueSetDefinition],
    by_url: FxHashMap<&'a str, Vec<usize>>,
    code_systems: FxHashMap<&'a str, Vec<&'a CodeSystem>>,
    done: FxHashMap<usize, Rc<Expanded>>,
    cyclic: FxHashSet<usize>,
    /// What was found on the way.
    pub issues: Vec<Finding>,
}

impl<'a> Expander<'a> {
    pub fn new(definitions: &'a [ValueSetDefinition], systems: &'a [CodeSystem]) -> Self {
        let mut by_url: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        for (index, definition) in definitions.iter().enumerate() {
            by_url.entry(&definition.url).or_default().push(index);
        }
        let mut code_systems: FxHashMap<&str, Vec<&CodeSystem>> = FxHashMap::default();
        for system in systems {
            code_systems.entry(&system.url).or_default().push(system);
        }
        Self {
            definitions,
            by_url,
            code_systems,
            done: FxHashMap::default(),
            cyclic: FxHashSet::default(),
            issues: Vec::new(),
        }
    }

    /// The codes of every definition, in their order.
    pub fn expand(&mut self) -> Vec<Rc<Expanded>> {
        for index in self.order() {
            let Some(definition) = self.definitions.get(index) else {
                continue;
            };
            let result = if self.cyclic.contains(&index) {
                not_expanded(CYCLIC.to_owned())
            } else {
                self.definition(definition)
            };
            self.done.insert(index, Rc::new(result));
        }
        (0..self.definitions.len())
            .filter_map(|index| self.done.get(&index).cloned())
            .collect()
    }

    /// Definitions so that included ones come first. Finds and reports cycles; without recursion, so
    /// that a chain of includes may have any length.
    fn order(&mut self) -> Vec<usize> {
        let definitions = self.definitions;
        let includes: Vec<Vec<usize>> = definitions.iter().map(|one| self.includes(one)).collect();
        let mut order = Vec::with_capacity(definitions.len());
        let mut seen: FxHashSet<usize> = FxHashSet::default();
        let mut open: Vec<(usize, std::slice::Iter<'_, usize>)> = Vec::new();
        let children = |index: usize| includes.get(index).map_or([].iter(), |list| list.iter());
        for start in 0..definitions.len() {
            if seen.insert(start) {
                open.push((start, children(start)));
            }
            while let Some((index, rest)) = open.last_mut() {
                let index = *index;
                match rest.next() {
                    None => {
                        order.push(index);
                        open.pop();
                    }
                    Some(next) if seen.insert(*next) => open.push((*next, children(*next))),
                    Some(next) => {
                        if let Some(from) = open.iter().position(|(at, _)| at == next) {
                            let members = open.iter().skip(from).map(|(at, _)| *at).collect();
                            self.cycle(members);
                        }
                    }
                }
            }
        }
        // Whatever includes a member of a cycle cannot be known either.
        for index in &order {
            let mut included = children(*index);
            if included.any(|one| self.cyclic.contains(one)) {
                self.cyclic.insert(*index);
            }
        }
        order
    }

    /// The definitions that must be expanded before this one.
    fn includes(&self, definition: &ValueSetDefinition) -> Vec<usize> {
        let whole = |expansion: &Expansion| expansion.partial.is_none();
        let compose = match (&definition.expansion, &definition.compose) {
            (Some(expansion), _) if whole(expansion) => return Vec::new(),
            (_, None) => return Vec::new(),
            (_, Some(compose)) => compose,
        };
        let clauses = compose.include.iter().chain(&compose.exclude);
        clauses
            .flat_map(|clause| &clause.value_sets)
            .flat_map(|reference| self.candidates(reference))
            .collect()
    }

    /// Reports a cycle and marks all its members.
    fn cycle(&mut self, members: Vec<usize>) {
        let definitions = self.definitions;
        let all: Vec<&ValueSetDefinition> = members
            .iter()
            .filter_map(|at| definitions.get(*at))
            .collect();
        let Some(first) = all.first() else { return };
        let mut names: Vec<&str> = all.iter().map(|one| &*one.url).collect();
        names.push(&first.url);
        let message = format!("value sets include each other: `{}`", names.join("` → `"));
        let help = "remove one of these includes";
        self.report(
            Finding::error(FindingCode::ValueSetCircle, message).help(help),
            &first.spot,
            ".compose",
        );
        self.cyclic.extend(members);
    }

    fn definition(&mut self, definition: &ValueSetDefinition) -> Expanded {
        if let Some(expansion) = &definition.expansion {
            if let Some((coded, total)) = expansion.surplus {
                let message = format!("`expansion.total` is {total}, but there are {coded} codes");
                let help = "all codes are used; correct the total";
                let (spot, path) = (&definition.spot, ".expansion.total");
                let finding = Finding::warning(FindingCode::ExpansionTotal, message).help(help);
                self.report(finding, spot, path);
            }
            let Some((total, reason)) = &expansion.partial else {
                return complete(expansion.codes.clone(), None);
            };
            // A cut expansion is replaced by the definition when that is whole.
            if let Some(compose) = &definition.compose {
                let composed = self.compose(definition, compose);
                if composed.completeness == Completeness::Complete {
                    return composed;
                }
            }
            let lack = Lack::from(reason.clone());
            return complete(expansion.codes.clone(), Some((*total, lack)));
        }
        match &definition.compose {
            Some(compose) => self.compose(definition, compose),
            None => not_expanded("it has neither `expansion` nor `compose`".to_owned()),
        }
    }

    fn compose(&mut self, owner: &ValueSetDefinition, compose: &Compose) -> Expanded {
        let mut codes = Codes::default();
        let (mut failed, mut open) = (Vec::new(), Vec::new());
        for clause in &compose.include {
            match self.clause(owner, clause, compose.active_only) {
                Ok((found, partial)) => {
                    for (key, code) in found {
                        codes.entry(key).or_insert(code);
                    }
                    open.extend(partial);
                }
                Err(reason) => failed.push(reason),
            }
        }
        if compose.include.is_empty() {
            return not_expanded("its `compose` includes nothing".to_owned());
        }
        for clause in &compose.exclude {
            match self.clause(owner, clause, compose.active_only) {
                Ok((found, None)) => codes.retain(|key, _| !found.contains_key(key)),
                // What remains could hold codes that must not be there.
                Ok((_, Some(lack))) | Err(lack) => {
                    return not_expanded(format!("an exclude cannot be evaluated: {}", lack.why));
                }
            }
        }
        if codes.is_empty() && !failed.is_empty() {
            return not_expanded(joined(&failed).why);
        }
        failed.append(&mut open);
        let partial = (!failed.is_empty()).then(|| (None, joined(&failed)));
        complete(codes.into_values().collect(), partial)
    }

    /// All of system and value sets of a clause must hold, as FHIR says.
    fn clause(
        &mut self,
        owner: &ValueSetDefinition,
        clause: &Clause,
        active_only: bool,
    ) -> ClauseCodes {
        if clause.broken {
            return Err(format!("{} was rejected", clause.path).into());
        }
        let mut partial = Vec::new();
        let mut result: Option<Codes> = None;
        if let Some(system) = &clause.system {
            let (codes, reason) = self.of_system(clause, system, active_only)?;
            partial.extend(reason);
            result = Some(codes);
        }
        for reference in &clause.value_sets {
            let found = self.reference(owner, clause, reference)?;
            match &found.completeness {
                Completeness::NotExpanded { reason } => {
                    return Err(Lack {
                        why: format!("included `{reference}`: {reason}"),
                        missing: true,
                    });
                }
                Completeness::Partial {
                    reason, missing, ..
                } => partial.push(Lack {
                    why: format!("included `{reference}`: {reason}"),
                    missing: *missing,
                }),
                Completeness::Complete | Completeness::Empty => {}
            }
            match &mut result {
                Some(result) => {
                    let keys: FxHashSet<i64> = found.codes.iter().map(Code::key).collect();
                    result.retain(|key, _| keys.contains(key));
                }
                None => result = Some(by_key(found.codes.iter().cloned())),
            }
        }
        let codes = result
            .ok_or_else(|| format!("{} names neither a system nor a value set", clause.path))?;
        Ok((codes, (!partial.is_empty()).then(|| joined(&partial))))
    }

    fn of_system(&self, clause: &Clause, system: &Arc<str>, active_only: bool) -> ClauseCodes {
        if !clause.concepts.is_empty() {
            if !clause.filters.is_empty() {
                return Err(format!("{} has both concepts and filters", clause.path).into());
            }
            return Ok((by_key(clause.concepts.iter().cloned()), None));
        }
        let loaded = self.code_system(system, clause.version.as_deref());
        let fragment = loaded
            .filter(|loaded| loaded.content == CodeSystemContent::Fragment)
            .map(|_| Lack::from(format!("only a part of code system `{system}` is loaded")));
        if !clause.filters.is_empty() {
            let loaded = loaded.filter(|loaded| loaded.content != CodeSystemContent::NotPresent);
            return Ok((filtered(clause, system, loaded, active_only)?, fragment));
        }
        match loaded {
            None => {
                Err(format!("includes all of code system `{system}`, which is not loaded").into())
            }
            Some(loaded) if loaded.content == CodeSystemContent::NotPresent => Err(format!(
                "includes all of code system `{system}`, which is loaded without its concepts"
            )
            .into()),
            Some(loaded) => Ok((
                of_concepts(loaded.concepts(), system, clause, active_only),
                fragment,
            )),
        }
    }

    fn code_system(&self, system: &str, version: Option<&str>) -> Option<&'a CodeSystem> {
        let found = self.code_systems.get(system)?;
        found
            .iter()
            .filter(|loaded| version.is_none() || loaded.version.as_deref() == version)
            .max_by(|a, b| {
                let has = |one: &CodeSystem| one.content != CodeSystemContent::NotPresent;
                let versions = compare_versions(a.version.as_deref(), b.version.as_deref());
                has(a).cmp(&has(b)).then(versions)
            })
            .copied()
    }

    /// The definitions that a canonical may refer to, the highest version first: down to the first that
    /// has its codes in itself. Which it is shows when they are expanded ([`Self::find`]).
    fn candidates(&self, reference: &str) -> Vec<usize> {
        let (url, version) = match reference.split_once('|') {
            Some((url, version)) => (url, Some(version)),
            None => (reference, None),
        };
        let of_url = self.by_url.get(url).into_iter().flatten();
        let mut all: Vec<(usize, &ValueSetDefinition)> = of_url
            .filter_map(|at| Some((*at, self.definitions.get(*at)?)))
            .filter(|(_, one)| version.is_none() || one.version.as_deref() == version)
            .collect();
        all.sort_by(|(a_at, a), (b_at, b)| {
            compare_versions(b.version.as_deref(), a.version.as_deref())
                .then_with(|| holds_codes(b).cmp(&holds_codes(a)))
                .then_with(|| a_at.cmp(b_at))
        });
        let last = all.iter().position(|(_, one)| holds_codes(one));
        all.truncate(last.map_or(all.len(), |last| last + 1));
        all.into_iter().map(|(at, _)| at).collect()
    }

    /// The definition a canonical refers to, of those that are expanded: of this version, or the highest
    /// of which most is known. `None` of `Some`: only members of a circle.
    fn find(&self, reference: &str) -> Option<Option<Rc<Expanded>>> {
        let candidates = self.candidates(reference);
        if candidates.is_empty() {
            return None;
        }
        let mut best: Option<&Rc<Expanded>> = None;
        for found in candidates.iter().filter_map(|at| self.done.get(at)) {
            let rank = |one: &Expanded| one.completeness.rank();
            if best.is_none_or(|best| rank(found) > rank(best)) {
                best = Some(found);
            }
        }
        Some(best.cloned())
    }

    fn reference(
        &mut self,
        owner: &ValueSetDefinition,
        clause: &Clause,
        reference: &str,
    ) -> Result<Rc<Expanded>, Lack> {
        if let Some(found) = self.find(reference) {
            return found.ok_or_else(|| CYCLIC.to_owned().into());
        }
        let url = reference.split('|').next().unwrap_or(reference);
        let near = nearest(url, self.definitions.iter().map(|d| (&*d.url, names(d))));
        let help = match (self.by_url.contains_key(url), near.first()) {
            (true, _) => "another version is loaded; load this one or drop `|version`".to_owned(),
            (false, Some(near)) => format!("did you mean `{near}`?"),
            (false, None) => "load it together with this value set".to_owned(),
        };
        let message = format!("included value set `{reference}` is not loaded");
        let (file, path) = (Arc::clone(&owner.spot.source), Some(clause.path.clone()));
        let place = Place::known(file, owner.spot.line, None, path);
        // Not all that is loaded is used: what uses it says whether it can do without.
        let issue = Finding::warning(FindingCode::IncludedValueSetUnknown, &*message).placed(place);
        let about = canonical(&owner.url, owner.version.as_deref());
        self.issues.push(issue.help(help).about(about));
        Err(Lack {
            why: message,
            missing: true,
        })
    }

    fn report(&mut self, finding: Finding, spot: &SpotOf, path: &str) {
        let path = Some(format!("{}{path}", spot.root));
        let place = Place::known(Arc::clone(&spot.source), spot.line, None, path);
        self.issues.push(finding.placed(place));
    }
}

/// Names under which a definition may be meant.
fn names(definition: &ValueSetDefinition) -> impl Iterator<Item = &str> {
    let names = [&definition.id, &definition.name, &definition.title];
    names.into_iter().flatten().map(|name| &**name)
}

/// Whether its codes stand in it: a whole expansion, or a definition that lists them.
fn holds_codes(definition: &ValueSetDefinition) -> bool {
    let listed = |clause: &Clause| {
        let alone = clause.filters.is_empty() && clause.value_sets.is_empty();
        !clause.broken && alone && !clause.concepts.is_empty()
    };
    let expansion = definition.expansion.as_ref();
    let compose = definition.compose.as_ref();
    expansion.is_some_and(|e| e.partial.is_none())
        || compose.is_some_and(|c| {
            let mut all = c.include.iter().chain(&c.exclude);
            !c.include.is_empty() && all.all(listed)
        })
}

fn complete(codes: Vec<Code>, partial: Option<(Option<usize>, Lack)>) -> Expanded {
    let completeness = match partial {
        Some((total, lack)) => {
            let have = codes.len();
            Completeness::Partial {
                have,
                total,
                reason: lack.why,
                missing: lack.missing,
            }
        }
        None if codes.is_empty() => Completeness::Empty,
        None => Completeness::Complete,
    };
    Expanded {
        codes,
        completeness,
    }
}

fn not_expanded(reason: String) -> Expanded {
    Expanded {
        codes: Vec::new(),
        completeness: Completeness::NotExpanded { reason },
    }
}
