//! Rules of files and folders, beside the built-in ones.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_patient::diagnostic::Diagnostic;
use engine_patient::terminology::{Severity, TerminologyStore};
use measures::source_files::{self, files};
use rules::Rule;

use crate::error::RunError;

/// Is told what is for people: warnings, and what is left out.
pub type Tell<'t> = dyn FnMut(&str) + Send + 't;

/// Endings of files of rules.
pub const RULES: [&str; 2] = [".yaml", ".yml"];

/// All that is wrong, in one text.
pub fn diagnostics(all: &[Diagnostic]) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    all.join("\n\n")
}

/// The built-in value sets, and the user's: where both have a set of one url, the codes of both. What
/// is wrong with the user's is told; errors end it.
pub fn terminology(paths: &[PathBuf], tell: &mut Tell<'_>) -> Result<TerminologyStore, RunError> {
    let mut store = rules::built_in_terminology();
    if paths.is_empty() {
        return Ok(store);
    }
    let (own, mut issues) = source_files::terminology(paths)?.build();
    issues.extend(store.unite(own));
    for issue in &issues {
        tell(&issue.to_string());
    }
    let errors = issues.iter().filter(|i| i.severity == Severity::Error);
    match errors.count() {
        0 => Ok(store),
        n => Err(RunError::User(format!("{n} error(s) in the value sets"))),
    }
}

/// The built-in rules, and those of the given files and folders.
pub fn load_rules(
    paths: &[PathBuf],
    value_sets: &[PathBuf],
    tell: &mut Tell<'_>,
) -> Result<Vec<Arc<Rule>>, RunError> {
    // Value sets are looked at even where no rule of the user's names them: a wrong path is told.
    let store = terminology(value_sets, tell)?;
    let mut all = rules::built_in_with(&store).map_err(|e| RunError::Internal(diagnostics(&e)))?;
    if paths.is_empty() {
        return Ok(all);
    }
    let mut wrong = vec![];
    for path in files(paths, &RULES)? {
        match load_file(&path, &store, tell) {
            Ok(rule) => all.push(Arc::new(rule)),
            Err(text) => wrong.push(text),
        }
    }
    if !wrong.is_empty() {
        return Err(RunError::User(wrong.join("\n\n")));
    }
    let mut ids: Vec<_> = all.iter().map(|r| r.artifact.id.clone()).collect();
    ids.sort();
    if let Some([twice, _]) = ids.array_windows::<2>().find(|[a, b]| a == b) {
        return Err(RunError::User(format!(
            "two rules have the id `{twice}`: give yours another id"
        )));
    }
    Ok(all)
}

/// A rule of a file, or all that is wrong with it.
pub fn load_file(
    path: &Path,
    store: &TerminologyStore,
    tell: &mut Tell<'_>,
) -> Result<Rule, String> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| format!("{name}: {e}"))?;
    let rule = rules::load(&name, &text, store).map_err(|e| diagnostics(&e))?;
    if !rule.warnings.is_empty() {
        tell(&diagnostics(&rule.warnings));
    }
    Ok(rule)
}
