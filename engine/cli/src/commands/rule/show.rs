//! `tandem rule show`: a rule as a page for people.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_patient::program::PatientProgram;
use rules::{Applicability, Rule, Written, built_in_file};
use serde_json::json;
use sources::RULES;

use super::eval::find_rule;
use super::explained::line;
use super::files::written;
use crate::failure::{Done, Failure};
use crate::format::Format;

/// Fields that hold a question or a list, in the order of a page.
const QUESTIONS: [&str; 7] = [
    "eligible",
    "excluded",
    "satisfied",
    "due",
    "when",
    "acted_on",
    "one_card_per",
];

pub fn show(name: &str, sets: &[PathBuf], format: Format) -> Done {
    let rule = find_rule(name, sets)?;
    let file = match RULES.takes(Path::new(name)) {
        true => written(Path::new(name)).map_err(|found| Failure::of(&found))?,
        false => {
            let found = built_in_file(&rule.artifact.id);
            let found = found.and_then(|(file, text)| Written::read(file, text).ok());
            found.ok_or_else(|| {
                Failure::Internal("the file of a built-in rule cannot be read".into())
            })?
        }
    };
    match format {
        Format::Json => as_json(&rule, &file),
        _ => page(&rule, &file),
    }
    Ok(std::process::ExitCode::SUCCESS)
}

fn page(rule: &Arc<Rule>, file: &Written) {
    let artifact = &rule.artifact;
    let hooks: Vec<&str> = rule.hooks.iter().map(|hook| hook.as_str()).collect();
    line(0, &artifact.title);
    line(
        0,
        &format!(
            "{} {}: {}, {}, at {}",
            artifact.id,
            artifact.version,
            rule.kind.as_str(),
            rule.status.as_str(),
            hooks.join(", ")
        ),
    );
    say!("");
    line(0, &rule.description);
    say!("");
    let source = &rule.source;
    let of = format!(
        "{} ({}, {}; strength {}) {}",
        source.title, source.publisher, source.year, source.strength, source.url
    );
    let owner = rule.owner.as_deref().unwrap_or("nobody is named");
    let review = rule
        .review
        .map_or("no date is set".to_owned(), |day| day.to_string());
    for (what, text) in [
        ("Why", rule.rationale.as_str()),
        ("Source", &of),
        ("Owner", owner),
        ("Review", &review),
        ("File", &rule.file),
    ] {
        line(0, &format!("{what:9}{text}"));
    }
    say!("\nWhom and what it is about");
    for (name, text) in file.pairs("for_each") {
        line(2, &format!("for each {name} of {}", one_line(&text)));
    }
    for name in QUESTIONS {
        if let Some(text) = file.text(&[name]) {
            line(2, &format!("{name:12} {}", one_line(&text)));
        }
    }
    let defines = file.pairs("define");
    if !defines.is_empty() {
        say!("\nWhat its words stand for");
        for (name, text) in defines {
            line(2, &format!("{name}: {}", one_line(&text)));
        }
    }
    card(file);
    if !rule.value_sets.is_empty() {
        say!("\nValue sets");
        for (name, set) in &rule.value_sets {
            line(
                2,
                &format!("{name}: {} codes, {}", set.len(), set.canonical()),
            );
        }
    }
    say!("\nWhat it reads");
    for requirement in rule.data_requirements() {
        line(2, &requirement.to_string());
    }
    say!("\nCases");
    for case in &rule.cases {
        let told = match case.expect.applies {
            Applicability::Applies => "applies",
            Applicability::DoesNotApply => "silent",
            Applicability::Unknown => "unknown",
        };
        line(2, &format!("{told:8} {}", case.name));
    }
}

fn card(file: &Written) {
    let of = |path: &[&str]| file.text(path);
    say!("\nThe card");
    let urgency = of(&["card", "indicator"]).or_else(|| of(&["card", "indicator_from"]));
    let summary = of(&["card", "summary"]).unwrap_or_default();
    line(
        2,
        &format!("{}: {}", urgency.unwrap_or_default(), one_line(&summary)),
    );
    for text in of(&["card", "detail"]).unwrap_or_default().lines() {
        line(4, text);
    }
    for label in file.texts_named("card", "label") {
        line(2, &format!("offers: {}", one_line(&label)));
    }
    let unknown = of(&["card", "unknown_summary"]).unwrap_or_default();
    let does = of(&["unknown"]).unwrap_or_default();
    match does.as_str() {
        "card" => line(2, &format!("where data is missing: {}", one_line(&unknown))),
        _ => line(2, "where data is missing: nothing is shown"),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn as_json(rule: &Rule, file: &Written) {
    let sets = rule
        .value_sets
        .iter()
        .map(|(name, set)| json!({ "name": name, "url": set.canonical(), "codes": set.len() }));
    let reads: Vec<String> = rule
        .data_requirements()
        .iter()
        .map(ToString::to_string)
        .collect();
    let hooks: Vec<&str> = rule.hooks.iter().map(|hook| hook.as_str()).collect();
    data!(
        "{:#}",
        json!({
            "id": &*rule.artifact.id,
            "version": &*rule.artifact.version,
            "url": &*rule.artifact.url,
            "kind": rule.kind.as_str(),
            "status": rule.status.as_str(),
            "hooks": hooks,
            "file": rule.file,
            "valueSets": sets.collect::<Vec<_>>(),
            "reads": reads,
            "document": file.to_json(),
        })
    );
}
