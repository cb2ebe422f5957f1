//! What can only be said when all files are read: duplicates, and which library a measure means.

use std::collections::BTreeMap;

use serde_json::Value;

use engine_patient::terminology::compare_versions;

use super::Refused;
use super::definition::{LibraryId, MeasureDefinition};
use super::library::{Lacking, Libraries};
use super::library_source::LibrarySource;
use engine_patient::finding::{Code, Finding, did_you_mean};

/// A Measure that was read.
pub(super) struct Read {
    pub definition: MeasureDefinition,
    /// For telling duplicates from contradictions.
    pub content: Value,
    pub line: Option<usize>,
    pub usable: bool,
}

/// Sorts the measures into those that can be used and those that cannot.
pub(super) fn resolve(
    read: Vec<Read>,
    libraries: &mut Libraries,
    issues: &mut Vec<Finding>,
) -> (Vec<MeasureDefinition>, Vec<Refused>) {
    fill_lacking(libraries, issues);
    tell_again(libraries, issues);
    let mut read = duplicates(read, issues);
    name_apart(&mut read, issues);
    for one in &mut read {
        let mut found = vec![];
        one.definition.main_library = main_library(&one.definition, libraries, &mut found);
        one.usable &= !found.iter().any(Finding::is_error);
        for issue in found {
            let path = format!("{}.library", one.definition.path);
            let mut issue = issue
                .in_file(&*one.definition.source)
                .on_line(one.line, None)
                .at(path);
            issue.measures = vec![one.definition.label().to_owned()];
            issues.push(issue);
        }
    }
    let (usable, refused): (Vec<Read>, Vec<Read>) = read.into_iter().partition(|r| r.usable);
    let usable = usable.into_iter().map(|r| r.definition).collect();
    let refused = refused.into_iter().map(|r| refuse(&r.definition)).collect();
    (usable, refused)
}

fn refuse(measure: &MeasureDefinition) -> Refused {
    let names = [&measure.id, &measure.name, &measure.url, &measure.title];
    let mut names: Vec<String> = names.into_iter().flatten().cloned().collect();
    names.extend(measure.identifiers.iter().cloned());
    names.dedup();
    Refused {
        label: measure.label().to_owned(),
        version: measure.version.clone(),
        names,
        source: measure.source.clone(),
    }
}

/// An ELM file takes the place of the ELM that a Library of the same name lacks.
fn fill_lacking(libraries: &mut Libraries, issues: &mut Vec<Finding>) {
    let sources = &mut libraries.sources;
    libraries.lacking.retain_mut(|lacking| {
        let fits = |s: &&mut LibrarySource| {
            s.url.is_none()
                && lacking.name.as_ref().or(lacking.id.as_ref()) == Some(&s.name)
                && (lacking.version.is_none() || lacking.version == s.version)
        };
        if lacking.issue.is_some()
            && let Some(source) = sources.iter_mut().find(fits)
        {
            source.url.clone_from(&lacking.url);
            source.id.clone_from(&lacking.id);
            source.resource_version.clone_from(&lacking.version);
            return false;
        }
        issues.extend(lacking.issue.take());
        true
    });
}

/// Every official package brings its own copy of the common libraries.
fn tell_again(libraries: &Libraries, issues: &mut Vec<Finding>) {
    if libraries.again.is_empty() {
        return;
    }
    let text = |(id, count): (&LibraryId, &usize)| {
        let version = id.version.as_deref().unwrap_or("(none)");
        format!("`{}` {version} ({} times)", id.name, count + 1)
    };
    let all: Vec<String> = libraries.again.iter().map(text).collect();
    let message = format!(
        "libraries that came more than once with the same content: {}",
        all.join(", ")
    );
    issues.push(Finding::info(Code::LibraryTwice, message));
}

/// Measures of one name are called by their keys, in what was found of them so far, too.
fn name_apart(read: &mut [Read], issues: &mut [Finding]) {
    let mut labels: BTreeMap<String, usize> = BTreeMap::new();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for one in read.iter() {
        let measure = &one.definition;
        *labels.entry(measure.label().to_owned()).or_default() += 1;
        let own = [&measure.id, &measure.name, &measure.url];
        let mut own: Vec<&String> = own
            .into_iter()
            .flatten()
            .chain(&measure.identifiers)
            .collect();
        own.sort_unstable();
        own.dedup();
        for name in own {
            *names.entry(name.clone()).or_default() += 1;
        }
    }
    for one in read.iter_mut() {
        let (key, label) = (one.definition.key(), one.definition.label().to_owned());
        let alone = |name: &&String| names.get(*name).is_none_or(|n| *n == 1);
        let handles = [&one.definition.id, &one.definition.name];
        let handle = handles.into_iter().flatten().find(alone).cloned();
        one.definition.handle = handle.unwrap_or_else(|| key.clone());
        if labels.get(&label).is_none_or(|n| *n == 1) {
            continue;
        }
        let own = issues.iter_mut().filter(|i| {
            let path = i.place.path.as_deref().unwrap_or_default();
            i.measures.contains(&label)
                && *i.place.file == *one.definition.source
                && i.line() == one.line
                && (path.is_empty() || path.starts_with(&one.definition.path))
        });
        own.for_each(|issue| issue.measures = vec![key.clone()]);
        one.definition.called = Some(key);
    }
}

/// Takes out measures that came again; those that contradict each other are refused, all of them.
fn duplicates(read: Vec<Read>, issues: &mut Vec<Finding>) -> Vec<Read> {
    let mut kept: Vec<Read> = vec![];
    let mut first: BTreeMap<(String, Option<String>), usize> = BTreeMap::new();
    for mut new in read {
        let measure = &new.definition;
        let key = (
            // As results tell them apart.
            measure
                .url
                .as_deref()
                .or(measure.id.as_deref())
                .unwrap_or(measure.label())
                .to_owned(),
            measure.version.clone(),
        );
        let Some(index) = first.get(&key).copied() else {
            first.insert(key, kept.len());
            kept.push(new);
            continue;
        };
        let Some(old) = kept.get_mut(index) else {
            continue;
        };
        let version = key.1.as_deref().unwrap_or("(none)");
        let place = |issue: Finding, new: &Read| {
            let mut issue = issue
                .in_file(&*new.definition.source)
                .on_line(new.line, None)
                .at(&new.definition.path);
            issue.measures = vec![new.definition.label().to_owned()];
            issue
        };
        if old.content == new.content {
            let message = format!(
                "measure `{}` version `{version}` came again with the same content, first in `{}`",
                new.definition.label(),
                old.definition.source
            );
            issues.push(place(Finding::info(Code::MeasureTwice, message), &new));
            continue;
        }
        let message = format!(
            "measure `{}` version `{version}` is in the package twice with different content, first in `{}`",
            new.definition.label(),
            old.definition.source
        );
        let help = "keep the one that is meant; an edited measure needs a version of its own";
        issues.push(place(
            Finding::error(Code::MeasureTwice, message).help(help),
            &new,
        ));
        old.usable = false;
        new.usable = false;
        kept.push(new);
    }
    kept
}

/// The library that the first canonical of a measure means.
fn main_library(
    measure: &MeasureDefinition,
    libraries: &Libraries,
    issues: &mut Vec<Finding>,
) -> Option<LibraryId> {
    let canonical = measure.libraries.first()?;
    let (url, version) = match canonical.split_once('|') {
        Some((url, version)) => (url, Some(version)),
        None => (canonical.as_str(), None),
    };
    if url.starts_with('#') {
        let message = format!("library `{url}` in `contained` is not supported");
        let help = "give the Library as a resource of its own and refer to its url";
        issues.push(
            Finding::error(Code::LibraryMissing, message)
                .not_supported()
                .help(help),
        );
        return None;
    }
    let last = url.rsplit('/').next().unwrap_or(url);
    let mut fits: Vec<&LibrarySource> = libraries.sources.iter().collect();
    fits.retain(|s| s.url.as_deref() == Some(url));
    if fits.is_empty() {
        fits = libraries.sources.iter().collect();
        fits.retain(|s| s.name == last || s.id.as_deref() == Some(last));
        // An ELM file has no url, and a plain name or `Library/…` is none: nothing to remark there.
        let other = fits.iter().find_map(|s| s.url.as_ref());
        if let Some(other) = other.filter(|_| url.contains("://")) {
            let message = format!(
                "library `{url}` is not in the package; `{other}` has its name and is taken"
            );
            let help = "let the measure refer to the url of the Library";
            issues.push(Finding::warning(Code::LibraryByName, message).help(help));
        }
    }
    if fits.is_empty() {
        issues.push(missing(url, last, libraries));
        return None;
    }
    if let Some(version) = version {
        let has = |s: &&LibrarySource, v: &str| {
            s.version.as_deref() == Some(v) || s.resource_version.as_deref() == Some(v)
        };
        let versions: Vec<String> = fits.iter().map(|s| version_text(s)).collect();
        fits.retain(|s| has(s, version));
        if fits.is_empty() {
            let message = format!("the package has no version `{version}` of library `{url}`");
            let help = format!(
                "it has `{}`: add the other, or correct the measure",
                versions.join("`, `")
            );
            issues.push(Finding::error(Code::LibraryMissing, message).help(help));
            return None;
        }
    }
    fits.sort_by(|a, b| compare_versions(a.version.as_deref(), b.version.as_deref()));
    let own = fits
        .iter()
        .find(|s| s.version.is_some() && s.version == measure.version);
    let best = own.or(fits.last())?;
    if fits.len() > 1 && own.is_none() {
        let versions: Vec<String> = fits.iter().map(|s| version_text(s)).collect();
        let message = format!(
            "library `{url}` is in the package in versions `{}`; the highest is taken",
            versions.join("`, `")
        );
        let help = format!("say which: `{url}|{}`", version_text(best));
        issues.push(Finding::warning(Code::LibraryVersions, message).help(help));
    }
    if let (Some(own), Some(of_library)) = (&measure.version, &best.version)
        && own != of_library
    {
        let message = format!("the measure has version `{own}`, its library `{of_library}`");
        issues.push(Finding::info(Code::LibraryVersion, message));
    }
    Some(best.library_id())
}

fn version_text(source: &LibrarySource) -> String {
    source
        .version
        .clone()
        .unwrap_or_else(|| "(none)".to_owned())
}

/// The package has no such library that can be used.
fn missing(url: &str, last: &str, libraries: &Libraries) -> Finding {
    let same = |l: &&Lacking| {
        l.url.as_deref() == Some(url)
            || l.name.as_deref() == Some(last)
            || l.id.as_deref() == Some(last)
    };
    if libraries.lacking.iter().any(|l| same(&l)) {
        let message = format!("library `{url}` cannot be used");
        return Finding::error(Code::LibraryUnusable, message)
            .help("see the error about the library");
    }
    let message = format!("library `{url}` is not in the package");
    // By name: two urls of one publisher look alike whatever they name.
    let names = libraries.sources.iter().map(|s| s.name.as_str());
    let near = did_you_mean(last, names);
    let near = near.and_then(|n| libraries.sources.iter().find(|s| s.name == n));
    let near = near.map(|s| s.url.as_ref().unwrap_or(&s.name).as_str());
    Finding::error(Code::LibraryMissing, message)
        .meant(near, "add the Library resource with its ELM to the package; where libraries have a folder of their own, give that, too")
}
