//! An explanation as a page for people: the answer first, then each rule, fired or silent. No scripts, nothing
//! from elsewhere; every text is escaped where it is put.

use std::borrow::Cow;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use rules::explanation::{Criterion, Deciding, Explanation, Part};

use super::style::STYLE;
use super::told::{CallExplanation, RuleTold};

/// The page.
#[must_use]
pub fn page(call: &CallExplanation) -> String {
    let title = format!("Why, for {} at {}", call.service, call.hook);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (text(&title)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { (text(&answer(call))) }
                    p.sub {
                        strong { "Patient/" (text(&call.patient)) } " · " (text(&call.service)) " at " (text(&call.hook))
                        " · " time datetime=(text(&call.at)) { (text(&call.at)) } " (" (text(&call.time_zone)) ")"
                    }
                    @if call.withheld_by_consent {
                        p.verdict.u { (mark("u", "?", "unknown")) " Some of the patient's data is withheld by consent. No rule saw it." }
                    }
                    @if call.without_consents {
                        p.verdict.u { (mark("u", "?", "unknown")) " The patient's consents could not be looked up. No rule saw any data." }
                    }
                    (cards(call))
                    h2 { "Rules" }
                    @for rule in in_order(call) { (rule_told(rule)) }
                    (data(call))
                    (about(call))
                }
            }
        }
    };
    page.into_string() + "\n"
}

/// The answer in a sentence.
fn answer(call: &CallExplanation) -> String {
    let count = |outcome: &str| {
        let shown = call.rules.iter().filter(|rule| !rule.is_shadow);
        let found = shown.filter(|rule| rule.outcome == outcome).count();
        let s = if found == 1 { "" } else { "s" };
        (found, format!("{found} rule{s}"))
    };
    let shown = match call.cards.len() {
        0 => "No card was shown".to_owned(),
        1 => "1 card was shown".to_owned(),
        n => format!("{n} cards were shown"),
    };
    let mut rest = vec![];
    let (silent, said) = count("silent");
    if silent > 0 {
        rest.push(format!("{said} had nothing to say"));
    }
    let (unknown, said) = count("unknown");
    if unknown > 0 {
        rest.push(format!("{said} could not tell"));
    }
    for (outcome, words) in [
        ("late", "not done in time"),
        ("failed", "kept by an error of ours"),
    ] {
        let (found, said) = count(outcome);
        if found > 0 {
            let were = if found == 1 { "was" } else { "were" };
            rest.push(format!("{said} {were} {words}"));
        }
    }
    match (call.status, rest.is_empty()) {
        (200, true) => format!("{shown}."),
        (200, false) => format!("{shown}; {}.", rest.join(", ")),
        (status, _) => format!("The call was refused with {status}."),
    }
}

/// Those that fired first, then those that could not tell; else the author's order.
fn in_order(call: &CallExplanation) -> Vec<&RuleTold> {
    let mut rules: Vec<&RuleTold> = call.rules.iter().collect();
    rules.sort_by_key(|rule| match rule.outcome {
        "fired" => 0,
        "failed" | "late" => 1,
        "unknown" => 2,
        _ => 3,
    });
    rules
}

fn cards(call: &CallExplanation) -> Markup {
    html! {
        @if !call.cards.is_empty() {
            h2 { "Cards" }
            ul {
                @for card in &call.cards {
                    li { strong { (card.indicator) } ": " (text(&card.summary)) " " span.dim { (text(&card.rules.join(", "))) } }
                }
            }
        }
    }
}

/// What stands for an outcome: a class and a symbol, and what it means.
fn sign(outcome: &str) -> (&'static str, &'static str, &'static str) {
    match outcome {
        "fired" => ("t", "●", "fired"),
        "silent" => ("n", "○", "silent"),
        "unknown" => ("u", "?", "could not tell"),
        "late" => ("f", "…", "late"),
        _ => ("f", "!", "failed"),
    }
}

fn mark(class: &str, symbol: &str, meaning: &str) -> Markup {
    html! { span class={"mark " (class)} role="img" aria-label=(meaning) title=(meaning) { (symbol) } }
}

fn truth_mark(truth: Option<&str>) -> Markup {
    match truth {
        Some("true") => mark("t", "✓", "true"),
        Some("false") => mark("f", "✗", "false"),
        Some(_) => mark("u", "?", "unknown"),
        None => html! {},
    }
}

fn rule_told(rule: &RuleTold) -> Markup {
    let (class, symbol, meaning) = sign(rule.outcome);
    html! {
        details class={"rule " (class)} open[rule.outcome != "silent"] {
            summary {
                (mark(class, symbol, meaning)) " "
                h3 { (text(&rule.title)) }
                " " span.dim {
                    (text(&rule.rule)) " " (text(&rule.version)) " · " (meaning)
                    @if rule.is_shadow { " · on trial, nobody saw it" }
                }
                p { (text(&rule.verdict)) }
            }
            @if let Some(reason) = &rule.reason { p.dim { "Reason: " (text(reason)) } }
            @if let Some(why) = &rule.why { (why_told(why)) }
        }
    }
}

fn why_told(why: &Explanation) -> Markup {
    html! {
        @for criterion in &why.criteria { (criterion_told(criterion)) }
        @if !why.resources.is_empty() {
            h4 { "Resources that decided" }
            (resources(&why.resources))
        }
        @if !why.value_sets.is_empty() {
            h4 { "Codes that matched" }
            ul {
                @for set in &why.value_sets {
                    li {
                        code { (text(&set.code)) } " " span.dim { (text(&set.system)) } " of " (text(&set.resource)) " is in “"
                        (text(set.title.as_deref().unwrap_or(&set.name))) "” " span.dim { (text(&set.canonical)) }
                    }
                }
            }
        }
        @if let Some(due) = &why.due { p { "Due: " (text(due)) } }
        @if why.acted_on > 0 { p { (why.acted_on) " × somebody acted on it already." } }
    }
}

fn criterion_told(criterion: &Criterion) -> Markup {
    html! {
        h4 { (truth_mark(criterion.truth)) " " (criterion.name) }
        @if let Some(asks) = &criterion.asks { p.dim { "Asks: " (text(asks)) } }
        p { (text(&criterion.decided)) }
        details {
            summary.dim { "Part by part" }
            ul.tree { (part_told(&criterion.part, &[])) }
        }
    }
}

fn part_told(part: &Part, above: &[String]) -> Markup {
    let same = !part.items.is_empty() && part.items == above;
    let shown = if part.items.is_empty() {
        above
    } else {
        &part.items
    };
    html! {
        li {
            (truth_mark(part.truth)) " "
            @if let Some(value) = &part.value { (text(value)) " ⇐ " }
            code class=[part.decides.then_some("key")] { (text(&part.text)) }
            @if let Some(reason) = &part.reason { " " span.dim { "(" (text(reason)) ")" } }
            @if part.decides { " " span.dim { "decided" } }
            @if part.see_above { " " span.dim { "see above" } }
            @if let Some(with) = &part.compared_with { div.dim { "with " (text(with)) } }
            @if !same && !part.items.is_empty() {
                ul { @for item in &part.items { li.dim { (text(item)) } } }
            }
            @if !part.tried.is_empty() {
                ul {
                    @for one in &part.tried {
                        li { (truth_mark(Some(one.truth))) " " (text(&one.item)) " " span.dim { (text(&one.because)) } }
                    }
                    @if part.more > 0 { li.dim { "and " (part.more) " earlier" } }
                }
            }
            @if !part.parts.is_empty() {
                ul { @for inner in &part.parts { (part_told(inner, shown)) } }
            }
            @if part.cut > 0 { p.dim { (part.cut) " more parts are not shown" } }
        }
    }
}

fn resources(all: &[Deciding]) -> Markup {
    html! {
        table {
            thead { tr {
                @for heading in ["Resource", "What", "Date", "Value", "Decided", "From"] { th scope="col" { (heading) } }
            } }
            tbody {
                @for one in all {
                    tr {
                        td data-label="Resource" { (text(&one.resource)) }
                        td data-label="What" {
                            (text(one.code.as_deref().unwrap_or("")))
                            @if let Some(negated) = one.negated { " (" (negated) ")" }
                        }
                        td data-label="Date" { (text(one.date.as_deref().unwrap_or(""))) }
                        td data-label="Value" { (text(one.value.as_deref().unwrap_or(""))) }
                        td data-label="Decided" { (one.criterion) }
                        td data-label="From" {
                            @if one.is_draft { "draft of the call" } @else { (text(&one.from.join(", "))) }
                        }
                    }
                }
            }
        }
    }
}

fn data(call: &CallExplanation) -> Markup {
    html! {
        @if !call.keys.is_empty() {
            h2 { "Data" }
            table {
                thead { tr { @for heading in ["Key", "Asked for", "Sent", "Fetched"] { th scope="col" { (heading) } } } }
                tbody {
                    @for key in &call.keys {
                        tr {
                            td data-label="Key" { code { (text(&key.key)) } }
                            td data-label="Asked for" { code { (text(&key.template)) } }
                            td data-label="Sent" { (key.sent) }
                            td data-label="Fetched" { @if key.is_fetched { "yes" } @else { "no" } }
                        }
                    }
                }
            }
        }
        @if !call.lacking.is_empty() {
            h4 { "Lacking" }
            ul { @for one in &call.lacking { li { (text(one)) } } }
        }
    }
}

fn about(call: &CallExplanation) -> Markup {
    html! {
        h2 { "The call" }
        ul {
            li { "Hook instance: " code { (text(&call.hook_instance)) } }
            li { "Came at " (text(&call.time)) ", answered " (call.status) }
            @if let Some(user) = &call.user { li { "User: " (text(user)) } }
            @if !call.rule_set.is_empty() { li { "Rules: " code { (text(&call.rule_set)) } } }
        }
    }
}

/// Text without the control characters that HTML does not allow; `maud` escapes it.
fn text(text: &str) -> Cow<'_, str> {
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    match text.contains(control) {
        true => Cow::Owned(text.replace(control, "\u{fffd}")),
        false => Cow::Borrowed(text),
    }
}
