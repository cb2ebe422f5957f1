//! Value sets that rules and measures ask for and that are not here with all their codes: what a
//! terminology server is asked for.

use std::collections::{BTreeMap, BTreeSet};

use engine_patient::terminology::{Binding, TerminologyProvider, TerminologyStore};
use measures::official::build;
use measures::package::select_each;
use measures::prepared::Packages;
use rules::yaml::{self, Node, Value};

use crate::error::RunError;
use crate::rule_files::Tell;

/// Value sets by canonical, each with what asks for it.
pub type Missing = BTreeMap<String, BTreeSet<String>>;

/// Those of the measures of packages.
pub fn of_packages(packages: &Packages, tell: &mut Tell<'_>) -> Result<Missing, RunError> {
    let loaded = packages.load(tell)?;
    let (chosen, wrong) = select_each(&loaded.package, &packages.measures);
    if wrong.iter().any(|finding| finding.is_error()) {
        return Err(RunError::found(&wrong));
    }
    let mut options = packages.options();
    options.allow_missing_value_sets = true;
    let built = build(&loaded.package, &chosen, &options);
    let lacking = built
        .asked
        .into_iter()
        .filter(|(_, asked)| asked.usage.completeness != "complete");
    Ok(lacking
        .map(|(canonical, asked)| (canonical.to_string(), asked.measures.into_iter().collect()))
        .collect())
}

/// Those that a file of rules names under `value_sets`: a rule, or the settings of a library. The file
/// need not be right otherwise.
pub fn of_rule(file: &str, text: &str, store: &TerminologyStore) -> Result<Missing, RunError> {
    let (_, root) = yaml::read(file, text).map_err(|found| RunError::found(&found))?;
    let urls = field(&root, "value_sets").map(urls).unwrap_or_default();
    let lacking = urls.into_iter().filter(|url| is_missing(store, url));
    Ok(lacking
        .map(|url| (url, BTreeSet::from([file.to_owned()])))
        .collect())
}

/// Those that bindings name.
pub fn of_bindings(bindings: &[Binding], store: &TerminologyStore) -> Missing {
    let mut missing = Missing::new();
    for named in bindings.iter().flat_map(|binding| &binding.to) {
        if named.name.contains(':') && is_missing(store, &named.name) {
            let by = missing.entry(named.name.to_string()).or_default();
            by.insert(named.place.file.to_string());
        }
    }
    missing
}

fn is_missing(store: &TerminologyStore, canonical: &str) -> bool {
    let found = store.value_set(canonical);
    found.map_or(true, |set| set.completeness().word() != "complete")
}

fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    match &node.value {
        Value::Mapping(entries) => entries.iter().find(|e| e.key == name).map(|e| &e.value),
        _ => None,
    }
}

fn urls(node: &Node) -> Vec<String> {
    match &node.value {
        Value::Mapping(entries) => {
            let texts = entries.iter().filter_map(|entry| entry.value.scalar());
            texts
                .map(|scalar| scalar.text.trim().to_owned())
                .filter(|url| url.contains(':'))
                .collect()
        }
        _ => vec![],
    }
}
