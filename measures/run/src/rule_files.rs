//! Rules of files and folders, beside the built-in ones.
#![allow(clippy::disallowed_methods, reason = "rules are files")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_patient::finding::{Code, Finding, Severity, blame, count, listed};
use engine_patient::terminology::{
    BUILT_IN_VALUE_SETS, Beyond, Binding, DrugDictionary, Named, TerminologyProvider as _,
    TerminologyStore, ValueSet,
};
use measures::source_files::{self, Holds, files};
use rules::{Library, Rule, Status, Surroundings};
use sources::{RULES, Source, TABLES, TERMINOLOGY, read_text};

use crate::error::RunError;

/// What all rules of a folder share.
pub const LIBRARY: &str = "library.yaml";

/// So many folders, from that of the rule upwards, are looked at for a library.
const LEVELS: usize = 4;

/// Is told what is for people: warnings, and what is left out.
pub type Tell<'t> = dyn FnMut(&str) + Send + 't;

/// The built-in value sets, and the user's: where both have a set of one url, the codes of both; then
/// what the user's bindings add. With all that is found in the user's; what is left alone is told.
pub fn value_sets(
    paths: &[PathBuf],
    tell: &mut Tell<'_>,
) -> Result<(TerminologyStore, Vec<Finding>), RunError> {
    value_sets_beside(paths, Beyond::Nothing, tell)
}

/// The same, where something else may know what bindings name.
fn value_sets_beside(
    paths: &[PathBuf],
    beyond: Beyond,
    tell: &mut Tell<'_>,
) -> Result<(TerminologyStore, Vec<Finding>), RunError> {
    let mut store = rules::built_in_terminology();
    if paths.is_empty() {
        return Ok((store, vec![]));
    }
    let builder = source_files::terminology(paths, tell)?;
    let mut issues: Vec<Finding> = builder
        .short_names()
        .iter()
        .filter_map(|named| unknown_short_name(&store, named))
        .collect();
    let (own, found) = builder.build();
    let several = supplemented(&store, &own);
    // A supplement is no other version of the same codes: nobody has to choose.
    let chosen = |issue: &Finding| {
        let url = issue.place.canonical.as_deref();
        let url = url.and_then(|canonical| canonical.split('|').next());
        issue.code == Code::SeveralVersions
            && several
                .iter()
                .any(|(of, only, _)| *only && url == Some(&**of))
    };
    issues.extend(found.into_iter().filter(|issue| !chosen(issue)));
    issues.extend(store.unite(own));
    for (url, _, parts) in several {
        for part in parts {
            let known = store.value_set(&url).ok();
            let has = |key: &i64| known.as_ref().is_some_and(|set| set.contains(*key));
            if !part.keys().iter().all(has) {
                let mut one = TerminologyStore::default();
                issues.extend(one.insert(ValueSet::clone(&part)));
                issues.extend(store.unite(one));
            }
        }
    }
    match read_bindings(paths)? {
        Ok(bindings) => issues.extend(store.bind(&bindings, beyond)),
        Err(found) => issues.extend(found),
    }
    Ok((store, issues))
}

/// The url of a value set, whether it has one version but for supplements, and what is to be in it: that
/// version, and the supplements.
type Supplemented = (String, bool, Vec<Arc<ValueSet>>);

/// The built-in value sets of which the user has a version and, beside it, the supplement of SNOMED CT
/// (`2025.1-snomed`). Of versions one is taken, of these two both are meant.
fn supplemented(built_in: &TerminologyStore, own: &TerminologyStore) -> Vec<Supplemented> {
    let mut by_url: BTreeMap<&str, (Vec<_>, Vec<_>)> = BTreeMap::new();
    for set in own.value_sets() {
        let version = set.version.as_deref().unwrap_or_default();
        let (versions, supplements) = by_url.entry(&set.url).or_default();
        // One with codes of a table is `2025.1-snomed+(none)`.
        match version.split('+').any(|part| part.ends_with("-snomed")) {
            true => supplements.push(Arc::clone(set)),
            false => versions.push(Arc::clone(set)),
        }
    }
    let both = by_url.into_iter().filter(|(url, (versions, supplements))| {
        let is_both = !versions.is_empty() && !supplements.is_empty();
        is_both && built_in.value_set(url).is_ok()
    });
    both.map(|(url, (versions, supplements))| {
        let only = versions.len() == 1;
        let parts = versions.into_iter().take(1).chain(supplements);
        (url.to_owned(), only, parts.collect())
    })
    .collect()
}

/// A table names a value set in short that is not built in.
fn unknown_short_name(built_in: &TerminologyStore, named: &Named) -> Option<Finding> {
    let url = format!("{BUILT_IN_VALUE_SETS}{}", named.name);
    let near = match (built_in.value_set(&url), built_in.by_name(&named.name)) {
        (Ok(_), _) => return None,
        // By another of its names.
        (_, Ok(set)) => vec![set.url.trim_start_matches(BUILT_IN_VALUE_SETS).to_owned()],
        (_, Err(near)) => near,
    };
    let message = format!("no built-in value set is called `{}`", named.name);
    let finding = Finding::error(Code::ValueSetRow, message).placed(named.place.clone());
    let otherwise = "write the url of a value set of your own in full";
    Some(finding.meant(near.first().map(String::as_str), otherwise))
}

/// The bindings among files of terminology, or all that is wrong with how they are written.
fn read_bindings(paths: &[PathBuf]) -> Result<Result<Vec<Binding>, Vec<Finding>>, RunError> {
    let (mut all, mut wrong) = (vec![], vec![]);
    // What is left alone was told when the value sets were read.
    for source in files(paths, TERMINOLOGY, &mut |_| {})? {
        if Holds::of(&source.path) == Holds::Bindings {
            let name = source.path.display().to_string();
            let text = source_files::bytes(&source)?;
            match crate::bindings::read(&name, &String::from_utf8_lossy(&text)) {
                Ok(bindings) => all.extend(bindings),
                Err(found) => wrong.extend(found),
            }
        }
    }
    Ok(match wrong.is_empty() {
        true => Ok(all),
        false => Err(wrong),
    })
}

/// The bindings among files of terminology.
pub fn bindings(paths: &[PathBuf]) -> Result<Vec<Binding>, RunError> {
    read_bindings(paths)?.map_err(|found| RunError::found(&found))
}

/// The value sets; what is wrong with the user's is told, and errors end it.
pub fn terminology(paths: &[PathBuf], tell: &mut Tell<'_>) -> Result<TerminologyStore, RunError> {
    terminology_beside(paths, Beyond::Nothing, tell)
}

fn terminology_beside(
    paths: &[PathBuf],
    beyond: Beyond,
    tell: &mut Tell<'_>,
) -> Result<TerminologyStore, RunError> {
    let (store, issues) = value_sets_beside(paths, beyond, tell)?;
    for issue in &issues {
        tell(&issue.to_string());
    }
    match blame(&issues) {
        None => Ok(store),
        some => {
            let text = format!("{} in the value sets", count(&issues));
            Err(RunError::blamed(some, text))
        }
    }
}

/// The built-in rules, and those of the given files and folders, whatever their status: see [`live`].
pub fn load_rules(
    paths: &[PathBuf],
    value_sets: &[PathBuf],
    tell: &mut Tell<'_>,
) -> Result<Vec<Arc<Rule>>, RunError> {
    load_rules_beside(paths, value_sets, Beyond::Nothing, tell)
}

/// The same, where packages may have the value sets that bindings name.
pub fn load_rules_beside(
    paths: &[PathBuf],
    value_sets: &[PathBuf],
    beyond: Beyond,
    tell: &mut Tell<'_>,
) -> Result<Vec<Arc<Rule>>, RunError> {
    load_rules_of(paths, true, value_sets, beyond, tell)
}

/// The same, with or without the built-in rules: without them a rule may have the id of one.
pub fn load_rules_of(
    paths: &[PathBuf],
    with_built_in: bool,
    value_sets: &[PathBuf],
    beyond: Beyond,
    tell: &mut Tell<'_>,
) -> Result<Vec<Arc<Rule>>, RunError> {
    // Value sets are looked at even where no rule of the user's names them: a wrong path is told.
    let store = terminology_beside(value_sets, beyond, tell)?;
    let mut all = match with_built_in {
        true => rules::built_in_with(&store).map_err(|e| RunError::Internal(listed(&e)))?,
        false => vec![],
    };
    if paths.is_empty() {
        return Ok(all);
    }
    let built_in = all.len();
    let mut wrong = vec![];
    let mut folders = RuleFolders::new(&store);
    for source in rule_sources(paths, tell)? {
        match folders.load_file(&source.path, tell) {
            Ok(rule) => {
                let mut before = all.iter().enumerate();
                let other = before.find(|(_, r)| r.artifact.id == rule.artifact.id);
                if let Some((number, other)) = other {
                    let other = match number < built_in {
                        true => "one that is built in".to_owned(),
                        false => format!("`{}`", other.file),
                    };
                    wrong.push(same_id(&rule, &other));
                }
                all.push(Arc::new(rule));
            }
            Err(found) => wrong.extend(found),
        }
    }
    match wrong.is_empty() {
        true => Ok(all),
        false => Err(RunError::found(&wrong)),
    }
}

/// The rules of files and folders. The library of a folder is no rule, and is read with its rules.
pub fn rule_sources(paths: &[PathBuf], tell: &mut Tell<'_>) -> Result<Vec<Source>, RunError> {
    let mut found = files(paths, RULES, tell)?;
    found.retain(|source| !is_library(&source.path));
    Ok(found)
}

/// Whether a file is the library of its folder.
pub fn is_library(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == LIBRARY)
}

/// Those that are in use: active and shadow ones, with drafts where they are asked for, retired ones never.
/// What is left out is told.
pub fn live(rules: Vec<Arc<Rule>>, drafts: bool, tell: &mut Tell<'_>) -> Vec<Arc<Rule>> {
    let (live, left): (Vec<_>, Vec<_>) = rules
        .into_iter()
        .partition(|rule| rule.is_live() || (drafts && rule.status == Status::Draft));
    for (status, what) in [
        (
            Status::Draft,
            "not used (`serve` and `rule rehearse` take them with `--status draft`)",
        ),
        (Status::Retired, "never used"),
    ] {
        let ids = left.iter().filter(|rule| rule.status == status);
        let ids: Vec<&str> = ids.map(|rule| &*rule.artifact.id).collect();
        if !ids.is_empty() {
            let rules = if ids.len() == 1 {
                "rule is"
            } else {
                "rules are"
            };
            tell(&format!(
                "note: {} {} {rules} {what}: {}",
                ids.len(),
                status.as_str(),
                ids.join(", ")
            ));
        }
    }
    live
}

/// Two rules with one id: cards, rows and reports could not be told apart.
pub fn same_id(rule: &Rule, other: &str) -> Finding {
    let id = &rule.artifact.id;
    let message = format!("two rules have the id `{id}`: this one and {other}");
    Finding::error(Code::DuplicateRule, message)
        .help("give yours another id, and its file the same name")
        .in_file(rule.file.as_str())
}

/// A rule of a file, or all that is wrong with it. What its cases do not show is told and no more: a rule
/// in use goes on; `rule test` refuses it.
pub fn load_file(
    path: &Path,
    store: &TerminologyStore,
    tell: &mut Tell<'_>,
) -> Result<Rule, Vec<Finding>> {
    RuleFolders::new(store).load_file(path, tell)
}

/// The same without a look at its cases; nothing is told.
pub fn load_alone(path: &Path, store: &TerminologyStore) -> Result<Rule, Vec<Finding>> {
    RuleFolders::new(store).load(path)
}

/// Rules of files, with the libraries and tables that lie beside them. A library is read once.
pub struct RuleFolders<'s> {
    store: &'s TerminologyStore,
    /// By the folder; what is wrong with one is told once.
    libraries: BTreeMap<PathBuf, Option<Arc<Read>>>,
}

/// The file of the library that rules of a folder share: its own, or that of the nearest folder above.
pub fn library_file(folder: &Path) -> Option<PathBuf> {
    let above = folder.ancestors().take(LEVELS);
    let mut above = above.map(|f| f.join(LIBRARY));
    above.find(|file| file.is_file())
}

/// A library, and the drugs with its classes.
type Read = (Option<Library>, Arc<DrugDictionary>);

impl<'s> RuleFolders<'s> {
    /// With the value sets of all.
    pub fn new(store: &'s TerminologyStore) -> Self {
        RuleFolders {
            store,
            libraries: BTreeMap::new(),
        }
    }

    /// A rule of a file; what its cases do not show is told and no more.
    pub fn load_file(&mut self, path: &Path, tell: &mut Tell<'_>) -> Result<Rule, Vec<Finding>> {
        let mut rule = self.load(path)?;
        rule.warnings
            .extend(rule.coverage().into_iter().map(|mut finding| {
                finding.severity = Severity::Warning;
                finding
            }));
        rule.warnings.sort();
        if !rule.warnings.is_empty() {
            tell(&listed(&rule.warnings));
        }
        Ok(rule)
    }

    /// The same without a look at its cases; nothing is told.
    pub fn load(&mut self, path: &Path) -> Result<Rule, Vec<Finding>> {
        let name = path.display().to_string();
        let text = read_text(path).map_err(|e| unreadable(&name, &e))?;
        self.beside(path, |surroundings| {
            rules::load_with(&name, &text, surroundings)
        })
    }

    /// Loads a rule with what lies beside a path.
    pub fn beside(
        &mut self,
        path: &Path,
        load: impl FnOnce(&Surroundings<'_>) -> Result<Rule, Vec<Finding>>,
    ) -> Result<Rule, Vec<Finding>> {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let Some(read) = self.library(&folder)? else {
            // What is wrong with the library was told with another rule.
            return Err(vec![]);
        };
        let (library, drugs) = read.as_ref();
        let tables = |table: &str| {
            let source = files(&[folder.join(table)], TABLES, &mut |_| {}).ok()?;
            measures::source_files::bytes(source.first()?).ok()
        };
        let surroundings = Surroundings {
            terminology: self.store,
            drugs: Arc::clone(drugs),
            library: library.as_ref(),
            tables: &tables,
        };
        load(&surroundings)
    }

    /// The library of a folder: its own, or that of the nearest folder above.
    fn library(&mut self, folder: &Path) -> Result<Option<Arc<Read>>, Vec<Finding>> {
        let file = library_file(folder);
        let key = file.clone().unwrap_or_default();
        if let Some(known) = self.libraries.get(&key) {
            return Ok(known.clone());
        }
        let read = match file {
            None => Ok((None, self.store.drugs())),
            Some(file) => self.read_library(&file),
        };
        let read = read.map(Arc::new);
        self.libraries.insert(key, read.as_ref().ok().cloned());
        read.map(Some)
    }

    fn read_library(&self, file: &Path) -> Result<Read, Vec<Finding>> {
        let name = file.display().to_string();
        let text = read_text(file).map_err(|e| unreadable(&name, &e))?;
        let drugs = self.store.drugs();
        let found = Library::check(&name, &text, self.store, &drugs);
        if found.iter().any(Finding::is_error) {
            return Err(found);
        }
        let library = Library::load(&name, &text)?;
        let drugs = library.drugs(&drugs)?;
        Ok((Some(library), drugs))
    }
}

fn unreadable(name: &str, e: &std::io::Error) -> Vec<Finding> {
    let message = format!("`{name}` cannot be read: {e}");
    vec![Finding::error(Code::UnreadablePath, message).in_file(name)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes of SNOMED CT go beside a set of the user's of the same url, whichever has the higher version.
    #[test]
    fn a_supplement_is_added_beside_the_users_version() {
        let url = "https://tandem-cds.dev/ValueSet/diabetes";
        let write = |dir: &Path, version: &str, system: &str, code: &str| {
            let set = serde_json::json!({"resourceType": "ValueSet", "url": url, "version": version, "status": "active",
                "compose": {"include": [{"system": system, "concept": [{"code": code}]}]}});
            let path = dir.join(format!("{code}.json"));
            std::fs::write(&path, set.to_string()).unwrap();
            path
        };
        let built_in = rules::built_in_terminology().value_set(url).unwrap();
        let version = built_in.version.as_deref().unwrap();
        for mine in ["0.9", version, "2099"] {
            let dir = tempfile::tempdir().unwrap();
            let hospital = write(dir.path(), mine, "http://hospital.example", "DM2");
            let supplement = format!("{version}-snomed");
            let snomed = write(
                dir.path(),
                &supplement,
                "http://snomed.info/sct",
                "73211009",
            );
            for paths in [[hospital.clone(), snomed.clone()], [snomed, hospital]] {
                let (store, found) = value_sets(&paths, &mut |_| {}).unwrap();
                let all = store.value_set(url).unwrap();
                let has = |code: &str| all.entries().iter().any(|one| &*one.code == code);
                assert!(has("DM2") && has("73211009") && has("E11.9"), "{mine}");
                let choice = found.iter().find(|f| f.code == Code::SeveralVersions);
                assert!(choice.is_none(), "{choice:?}");
            }
        }
    }
}
