//! `tandem rule show`: a rule as a page for people.

mod page;

use std::path::{Path, PathBuf};

use engine_cel::Words;
use engine_patient::program::PatientProgram;
use engine_patient::system::truth::Truth;
use rules::{Applicability, Case, ReadOut, Rule, Written, built_in_file};
use serde_json::json;
use sources::RULES;

use self::page::Page;
use super::eval::find_rule;
use super::files::written;
use crate::failure::{Done, Failure};
use crate::format::Format;

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
        Format::Markdown => data!("{}", page(&rule, &file).markdown().trim_end()),
        Format::Html => data!("{}", page(&rule, &file).html().trim_end()),
        _ => page(&rule, &file).print(),
    }
    Ok(std::process::ExitCode::SUCCESS)
}

/// What a field is called on a page.
fn asked(field: &str) -> &'static str {
    match field {
        "eligible" => "Whom it is for (eligible)",
        "excluded" => "Who of those is left out (excluded)",
        "satisfied" => "Who has it already (satisfied)",
        "due" => "When it is due (due)",
        "when" => "There is a card when (when)",
        "acted_on" => "But not when somebody acted on it already (acted_on)",
        "one_card_per" => "One card for each (one_card_per)",
        _ => "",
    }
}

fn page(rule: &Rule, file: &Written) -> Page {
    let artifact = &rule.artifact;
    let mut page = Page::new(&artifact.title);
    let hooks: Vec<&str> = rule.hooks.iter().map(|hook| hook.as_str()).collect();
    page.text(&rule.description);
    let source = &rule.source;
    let of = format!(
        "{} ({}, {}; strength {}) {}",
        source.title, source.publisher, source.year, source.strength, source.url
    );
    let review = rule.review.map(|day| day.to_string());
    page.pairs(&[
        ("Rule", format!("{} {}", artifact.id, artifact.version)),
        ("Kind", rule.kind.as_str().to_owned()),
        ("Status", rule.status.as_str().to_owned()),
        ("Asked at", hooks.join(", ")),
        ("Why", rule.rationale.clone()),
        ("Source", of),
        (
            "Owner",
            rule.owner.clone().unwrap_or("nobody is named".into()),
        ),
        ("Review", review.unwrap_or("no date is set".into())),
        ("File", rule.file.clone()),
    ]);
    let items = file.pairs("for_each");
    let item = items.first().map(|(name, _)| name.as_str());
    let read = rule.read_out(item);
    page.heading("What it asks");
    if let (Some(list), Some(item)) = (&read.for_each, item) {
        page.text(&format!("Of each “{item}”: {}.", flat(list)));
    }
    for (field, words) in &read.questions {
        page.item(0, &format!("{}:", asked(field)));
        items_of(&mut page, words, 1);
    }
    if !rule.include_deceased {
        page.item(0, "The dead are left out.");
    }
    definitions(&mut page, &read);
    if !read.rows.is_empty() {
        page.heading(&format!("The table: {} rows", read.rows.len()));
        let columns: Vec<&str> = read.columns.iter().map(String::as_str).collect();
        page.table(&columns, read.rows.clone());
    }
    card(&mut page, file);
    if !rule.value_sets.is_empty() {
        page.heading("Value sets");
        let rows = rule.value_sets.iter().map(|(name, set)| {
            let title = set.title.as_deref().or(set.name.as_deref());
            let title = title.unwrap_or_default().to_owned();
            vec![name.clone(), title, set.len().to_string(), set.canonical()]
        });
        page.table(&["name", "title", "codes", "url"], rows.collect());
    }
    page.heading("What it reads");
    for requirement in rule.data_requirements() {
        page.item(0, &requirement.to_string());
    }
    page.heading("Cases");
    let rows = rule.cases.iter().map(|case| {
        let at = case.at.to_string();
        vec![case.name.clone(), at, outcome(case), expected(case)]
    });
    page.table(&["case", "at", "outcome", "also"], rows.collect());
    page
}

fn definitions(page: &mut Page, read: &ReadOut) {
    if read.definitions.is_empty() {
        return;
    }
    page.heading("What its words stand for");
    for (name, words) in &read.definitions {
        page.item(0, &format!("“{}”:", name.replace('_', " ")));
        items_of(page, words, 1);
    }
}

/// A list of what must hold, each part on a line.
fn items_of(page: &mut Page, words: &Words, depth: usize) {
    let (head, parts) = match words {
        Words::Said(text) => return page.item(depth, text),
        Words::All(parts) => ("all of:", parts),
        Words::Any(parts) => ("at least one of:", parts),
    };
    page.item(depth, head);
    for part in parts {
        items_of(page, part, depth + 1);
    }
}

fn flat(words: &Words) -> String {
    match words {
        Words::Said(text) => text.clone(),
        Words::All(parts) => parts.iter().map(flat).collect::<Vec<_>>().join(" and "),
        Words::Any(parts) => parts.iter().map(flat).collect::<Vec<_>>().join(" or "),
    }
}

fn outcome(case: &Case) -> String {
    let told = match case.expect.applies {
        Applicability::Applies => "applies",
        Applicability::DoesNotApply => "silent",
        Applicability::Unknown => "unknown",
    };
    told.to_owned()
}

/// What a case asks beside its outcome.
fn expected(case: &Case) -> String {
    let expect = &case.expect;
    let truth =
        |name: &str, truth: Option<Truth>| truth.map(|truth| format!("{name}: {}", truth.as_str()));
    let mut all = vec![
        truth("eligible", expect.eligible),
        truth("excluded", expect.excluded),
        truth("satisfied", expect.satisfied),
        expect.cards.map(|n| format!("cards: {n}")),
        expect.summary.as_ref().map(|text| format!("“{text}”")),
        expect
            .reason
            .as_ref()
            .map(|text| format!("because: {text}")),
    ];
    let offers = expect
        .suggestions
        .as_ref()
        .filter(|labels| !labels.is_empty());
    all.push(offers.map(|labels| format!("offers: {}", labels.join(", "))));
    let all: Vec<String> = all.into_iter().flatten().collect();
    all.join("; ")
}

fn card(page: &mut Page, file: &Written) {
    let of = |path: &[&str]| file.text(path);
    page.heading("The card");
    let urgency = of(&["card", "indicator"]).or_else(|| of(&["card", "indicator_from"]));
    let summary = of(&["card", "summary"]).unwrap_or_default();
    page.item(
        0,
        &format!("{}: {}", urgency.unwrap_or_default(), one_line(&summary)),
    );
    for text in of(&["card", "detail"]).unwrap_or_default().lines() {
        page.item(1, text);
    }
    if of(&["card", "why"]).is_some_and(|why| why == "true") {
        page.item(
            1,
            "and what is on record of each value set that is asked for",
        );
    }
    for label in file.texts_named("card", "label") {
        page.item(0, &format!("offers: {}", one_line(&label)));
    }
    let unknown = of(&["card", "unknown_summary"]).unwrap_or_default();
    let does = of(&["unknown"]).unwrap_or_default();
    match does.as_str() {
        "card" => page.item(0, &format!("where data is missing: {}", one_line(&unknown))),
        _ => page.item(0, "where data is missing: nothing is shown"),
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
    let items = file.pairs("for_each");
    let read = rule.read_out(items.first().map(|(name, _)| name.as_str()));
    let words: serde_json::Map<String, serde_json::Value> = read
        .questions
        .iter()
        .map(|(field, words)| ((*field).to_owned(), flat(words).into()))
        .collect();
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
            "inWords": words,
            "document": file.to_json(),
        })
    );
}
