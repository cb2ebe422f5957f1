//! An explanation as one HTML page: no scripts, nothing from elsewhere.

use std::borrow::Cow;

use maud::{DOCTYPE, Markup, PreEscaped, Render, html};

use super::plain_text::{decided, label, outcome as told_outcome};
use super::style::STYLE;
use super::verdict::{Status, Verdict, words};
use super::{
    Branch, ClauseResult, Explanation, Fact, GroupExplanation, Outcome, PopulationExplanation,
    StatementResult, Token,
};

/// All measures of a patient on one page.
pub fn page(explanations: &[Explanation]) -> String {
    let first = explanations.first();
    let title = match explanations {
        [one] => format!("{}: why, for {}", one.title, one.subject),
        _ => format!("Why, for {}", first.map_or("", |e| &e.subject)),
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (text(&title)) }
                style { (PreEscaped(STYLE)) }
            }
            body { @for explanation in explanations { (measure(explanation)) } }
        }
    };
    page.into_string() + "\n"
}

fn measure(e: &Explanation) -> Markup {
    let (start, end) = (text(&e.period.start), text(&e.period.end));
    let several = e.groups.len() > 1;
    html! {
        h1 { (text(&e.title)) }
        p.sub { strong { (text(&e.subject)) } " · " (start) " to " (end) " · " (text(&e.canonical)) }
        @for group in &e.groups { (answer(group, several)) }
        h2 { "Populations" }
        @for group in &e.groups { (populations(group, several)) }
        h2 { "Criteria" }
        (legend())
        @if let Some(notice) = e.notice { p.dim { (notice) } }
        @for group in &e.groups {
            @for population in &group.populations {
                @if let Some(criterion) = &population.criterion {
                    h3.pop {
                        @if several { (text(&group.name)) " · " }
                        (words(population.code))
                    }
                    ul.tree { (tree(criterion, &[], 0)) }
                }
            }
        }
        h2 { "Definitions" }
        p.dim {
            "All definitions that the measure uses. A clause is marked where its outcome is another than that "
            "of the clause around it."
            @if e.definitions.iter().any(|s| !s.annotated) {
                " Libraries that carry no CQL text are written out from their compiled form (ELM)."
            }
        }
        @for statement in &e.definitions { (definition(e, statement)) }
    }
}

/// What the marks mean.
fn legend() -> Markup {
    let all = [
        (Outcome::True, "true"),
        (Outcome::False, "false"),
        (Outcome::Unknown, "unknown: cannot be told"),
        (
            Outcome::NotEvaluated,
            "not evaluated: nothing depended on it",
        ),
    ];
    html! {
        p.legend { @for (outcome, meaning) in all { span { (chip(outcome, meaning)) } " " } }
        p.dim {
            "“1 of 3 true”: looked at for 3 items, true for 1. “…” in a clause stands for the part that is "
            "shown below it."
        }
    }
}

/// The answer, in words.
fn answer(group: &GroupExplanation, several: bool) -> Markup {
    // In the denominator with the numerator not met is neither a yes nor a no.
    let (class, symbol) = match group.verdict.text.starts_with("In the denominator") {
        true => ("n", "○"),
        false => sign(group.verdict.status),
    };
    html! {
        p class={"verdict " (class)} {
            span.sign aria-hidden="true" { (symbol) } " "
            @if several { strong { (text(&group.name)) } ": " }
            (text(&group.verdict.text))
        }
    }
}

/// Told apart by symbol and line as well as by colour.
fn sign(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::In => ("t", "✓"),
        Status::Out => ("f", "✗"),
        Status::Excluded => ("n", "⊘"),
        Status::Exception => ("n", "⊖"),
        Status::Unknown => ("u", "?"),
    }
}

fn populations(group: &GroupExplanation, several: bool) -> Markup {
    html! {
        @if several { h3.pop { (text(&group.name)) } }
        table.pops {
            thead { tr {
                th scope="col" { "Population" }
                th scope="col" { "Counts" }
                th scope="col" { "Answer" }
            } }
            tbody { @for p in &group.populations { (population(p)) } }
        }
    }
}

fn population(p: &PopulationExplanation) -> Markup {
    html! {
        tr {
            th scope="row" {
                (words(p.code))
                @if words(p.code) != p.expression.to_lowercase() {
                    br; span.dim { (text(&p.expression)) }
                }
            }
            td.num {
                @match p.count { Some(n) => (n), None => "not counted" }
                @if let Some(why) = p.held_back { ": " (why) }
            }
            td {
                @if p.criterion.is_some() { (status(&p.verdict)) }
                @if !p.members.is_empty() {
                    ul.facts { @for member in &p.members { li { (text(&member.line())) } } }
                }
                @if !p.observations.is_empty() {
                    ul.facts { @for observed in &p.observations { li { (text(observed)) } } }
                }
            }
        }
    }
}

fn status(verdict: &Verdict) -> Markup {
    let (class, symbol) = sign(verdict.status);
    let (head, rest) = verdict.text.split_once(": ").unwrap_or((&verdict.text, ""));
    html! {
        span class={"chip " (class)} { (symbol) " " (text(head)) } " " (text(rest))
    }
}

fn tree(branch: &Branch, above: &[Fact], depth: usize) -> Markup {
    let line = html! {
        (chip(branch.outcome, &told_outcome(branch)))
        " " span.lbl { (text(&label(branch))) }
        @if let Some(items) = branch.items {
            " " span.dim { (items) " item" @if items != 1 { "s" } }
        }
        @if !branch.values.is_empty() {
            " " span.dim { "(" (text(&branch.values.join("; "))) ")" }
        }
        @if branch.seen {
            " " span.dim { "see above" }
        }
        @if branch.cut > 0 {
            " " span.dim { (branch.cut) " more below: a greater --depth shows them" }
        }
        @if decided(branch) {
            " " strong.key { "◀ decided the answer" }
        }
    };
    let told = (branch.facts != above).then(|| deciding(branch));
    let below = match branch.facts.is_empty() {
        true => above,
        false => &branch.facts,
    };
    html! {
        li {
            @if branch.parts.is_empty() {
                (line) @if let Some(told) = told { (told) }
            } @else {
                details open[depth < 2 || branch.decides] {
                    summary { (line) }
                    @if let Some(told) = told { (told) }
                    ul { @for part in &branch.parts { (tree(part, below, depth + 1)) } }
                }
            }
        }
    }
}

/// What decided a branch.
fn deciding(branch: &Branch) -> Markup {
    let more = branch.items.unwrap_or(0).saturating_sub(5);
    html! {
        @if !branch.seen && !branch.facts.is_empty() {
            ul.facts {
                @for fact in branch.facts.iter().take(5) { li { (text(&fact.line())) } }
                @if more > 0 { li { "and " (more) " more" } }
            }
        }
    }
}

fn definition(e: &Explanation, statement: &StatementResult) -> Markup {
    html! {
        section.def {
            h3 {
                (chip(statement.outcome, statement.outcome.as_str())) " " (text(&statement.name)) " "
                span.lib {
                    (text(&statement.library))
                    @if statement.function { " · function" }
                    @if let Some(n) = statement.items { " · " (n) " item" @if n != 1 { "s" } }
                }
            }
            pre { (clauses(e, &statement.tokens)) }
            (facts(statement.items, &statement.facts))
        }
    }
}

/// A clause that is open: what was found of it, how it is marked, and what stands in it so far.
struct Open<'e> {
    outcome: Option<Outcome>,
    shown: Option<(&'e ClauseResult, bool)>,
    inside: String,
}

impl Open<'_> {
    fn close(self) -> Markup {
        let inside = PreEscaped(self.inside);
        let Some((clause, marked)) = self.shown else {
            return inside;
        };
        let outcome = clause.outcome;
        html! {
            span class=[marked.then(|| class(outcome))] title=(text(&tip(clause))) {
                @if marked && outcome != Outcome::NotEvaluated { i { (outcome.symbol()) } }
                (inside)
            }
        }
    }
}

/// The text with its clauses. A clause is marked where its outcome is another than that of the one
/// around it, so that a page is not all lines; every clause tells its counts on hovering. What is only
/// compared with is not marked: a code that is there would look like a criterion that holds.
fn clauses(e: &Explanation, tokens: &[Token]) -> Markup {
    let mut whole = Open {
        outcome: None,
        shown: None,
        inside: String::new(),
    };
    // Those around `whole`, which is the innermost.
    let mut around: Vec<Open<'_>> = vec![];
    for token in tokens {
        match token {
            Token::Text(piece) => text(piece).render_to(&mut whole.inside),
            Token::Open(index) => {
                let clause = index.and_then(|i| e.clauses.get(i));
                let marked = |c: &ClauseResult| c.criterion && whole.outcome != Some(c.outcome);
                let shown = clause.map(|c| (c, marked(c)));
                let inner = Open {
                    outcome: shown.map_or(whole.outcome, |(c, marked)| match marked {
                        true => Some(c.outcome),
                        false => whole.outcome,
                    }),
                    shown,
                    inside: String::new(),
                };
                around.push(std::mem::replace(&mut whole, inner));
            }
            Token::Close => whole = closed(whole, around.pop()),
        }
    }
    while let Some(outer) = around.pop() {
        whole = closed(whole, Some(outer));
    }
    whole.close()
}

fn closed<'e>(inner: Open<'e>, outer: Option<Open<'e>>) -> Open<'e> {
    // A close too many closes nothing.
    let Some(mut outer) = outer else {
        return inner;
    };
    inner.close().render_to(&mut outer.inside);
    outer
}

/// What a clause tells on hovering.
fn tip(clause: &ClauseResult) -> String {
    let times = clause.times;
    let counts = match (times.times, clause.criterion) {
        (0, _) => "not evaluated".to_owned(),
        (_, false) => "has a value".to_owned(),
        (1, true) => clause.outcome.as_str().to_owned(),
        (n, true) => format!(
            "{n} times: {} true, {} false, {} unknown",
            times.holds, times.fails, times.null
        ),
    };
    let place = match (&clause.local_id, &clause.locator) {
        (Some(id), Some(locator)) => format!(" (clause {id}, {locator})"),
        (Some(id), None) => format!(" (clause {id})"),
        _ => String::new(),
    };
    match clause.node {
        "" => format!("{counts}{place}"),
        node => format!("{node}: {counts}{place}"),
    }
}

/// The values of a definition.
fn facts(items: Option<usize>, facts: &[Fact]) -> Markup {
    if facts.is_empty() {
        return html! {};
    }
    let resources = facts.iter().any(|f| f.resource.is_some());
    let headings: &[&str] = match resources {
        true => &["Resource", "Code", "Date", "Value"],
        false => &["Value"],
    };
    let more = items.unwrap_or(0).saturating_sub(facts.len());
    html! {
        table.facts-table {
            thead { tr { @for heading in headings { th scope="col" { (heading) } } } }
            tbody {
                @for fact in facts {
                    tr {
                        @if resources {
                            @for cell in [&fact.resource, &fact.what(), &fact.date] {
                                td { @if let Some(cell) = cell { (text(cell)) } }
                            }
                        }
                        td { @if let Some(value) = &fact.value { (text(value)) } }
                    }
                }
            }
        }
        @if more > 0 { p.dim { "and " (more) " more" } }
    }
}

fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::True => "t",
        Outcome::False => "f",
        Outcome::Unknown => "u",
        Outcome::NotEvaluated => "n",
    }
}

fn chip(outcome: Outcome, shown: &str) -> Markup {
    html! { span class={"chip " (class(outcome))} { (outcome.symbol()) " " (text(shown)) } }
}

/// Text without the control characters that HTML does not allow; `maud` escapes it.
fn text(text: &str) -> Cow<'_, str> {
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    match text.contains(control) {
        true => Cow::Owned(text.replace(control, "\u{fffd}")),
        false => Cow::Borrowed(text),
    }
}
