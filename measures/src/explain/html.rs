//! An explanation as one HTML page: no scripts, nothing from elsewhere.

use std::fmt::Write;

use super::style::STYLE;
use super::text::{fact_text, label, verdict};
use super::{Branch, ClauseExplained, Explanation, Fact, Outcome, StatementExplained, Token};

/// All measures of a patient on one page.
pub fn page(explanations: &[Explanation]) -> String {
    let first = explanations.first();
    let title = match explanations {
        [one] => format!("{}: why, for {}", one.title, one.subject),
        _ => format!("Why, for {}", first.map_or("", |e| &e.subject)),
    };
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        escaped(&title)
    );
    for explanation in explanations {
        measure(&mut out, explanation);
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn measure(out: &mut String, e: &Explanation) {
    let _ = write!(
        out,
        "<h1>{}</h1>\n<p class=\"sub\">{} · <strong>{}</strong> · {} to {}</p>\n",
        escaped(&e.title),
        escaped(&e.canonical),
        escaped(&e.subject),
        escaped(&e.period.start),
        escaped(&e.period.end)
    );
    out.push_str("<p class=\"legend\">");
    for outcome in [
        Outcome::True,
        Outcome::False,
        Outcome::Unknown,
        Outcome::NotEvaluated,
    ] {
        let _ = write!(out, "<span>{}</span>", chip(outcome, outcome.as_str()));
    }
    out.push_str("</p>\n<h2>Populations</h2>\n");
    populations(out, e);
    out.push_str("<h2>Criteria</h2>\n");
    for group in &e.groups {
        if e.groups.len() > 1 {
            let _ = writeln!(out, "<h3>{}</h3>", escaped(&group.name));
        }
        for population in &group.populations {
            if let Some(criterion) = &population.criterion {
                let _ = writeln!(out, "<p><strong>{}</strong></p>", population.code);
                out.push_str("<ul class=\"tree\">");
                tree(out, criterion, &[], 0);
                out.push_str("</ul>\n");
            }
        }
    }
    out.push_str("<h2>Definitions</h2>\n");
    if e.definitions.iter().any(|s| !s.annotated) {
        out.push_str(
            "<p class=\"dim\">Libraries without CQL text (annotations) are shown as sketched from their ELM.</p>\n",
        );
    }
    for statement in &e.definitions {
        definition(out, e, statement);
    }
}

fn populations(out: &mut String, e: &Explanation) {
    out.push_str(
        "<table><thead><tr><th>Group</th><th>Population</th><th>Criterion</th>\
         <th>Criterion holds</th><th>Counts</th><th>Certain</th><th></th></tr></thead><tbody>\n",
    );
    for group in &e.groups {
        for p in &group.populations {
            let criterion = p.criterion.as_ref().map_or(String::new(), |c| {
                let items = c.items.map_or(String::new(), |n| format!(" ({n})"));
                chip(c.outcome, &format!("{}{items}", c.outcome.as_str()))
            });
            let count = p.count.map_or("–".to_owned(), |n| n.to_string());
            let mut notes: Vec<&str> = p.reason.iter().map(String::as_str).collect();
            notes.extend(p.members.iter().chain(&p.observations).map(String::as_str));
            let _ = writeln!(
                out,
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{criterion}</td>\
                 <td class=\"num\">{count}</td><td>{}</td><td>{}</td></tr>",
                escaped(&group.name),
                p.code,
                escaped(&p.expression),
                chip(p.outcome, p.outcome.as_str()),
                escaped(&notes.join(", "))
            );
        }
    }
    out.push_str("</tbody></table>\n");
}

fn tree(out: &mut String, branch: &Branch, above: &[Fact], depth: usize) {
    out.push_str("<li>");
    let mut line = format!(
        "{} <span class=\"lbl\">{}</span>",
        chip(branch.outcome, &verdict(branch)),
        escaped(&label(branch))
    );
    if let Some(items) = branch.items {
        let s = if items == 1 { "" } else { "s" };
        let _ = write!(line, " <span class=\"dim\">{items} item{s}</span>");
    }
    if !branch.values.is_empty() {
        let values = escaped(&branch.values.join("; "));
        let _ = write!(line, " <span class=\"dim\">({values})</span>");
    }
    if branch.seen {
        line.push_str(" <span class=\"dim\">see above</span>");
    }
    if branch.cut > 0 {
        let _ = write!(
            line,
            " <span class=\"dim\">… {} more below: a greater --depth shows them</span>",
            branch.cut
        );
    }
    let new = branch.facts != above;
    let below = if branch.facts.is_empty() {
        above
    } else {
        &branch.facts
    };
    if branch.parts.is_empty() {
        out.push_str(&line);
        if new {
            told(out, branch);
        }
    } else {
        let open = if depth < 3 { " open" } else { "" };
        let _ = write!(out, "<details{open}><summary>{line}</summary>");
        if new {
            told(out, branch);
        }
        out.push_str("<ul>");
        for part in &branch.parts {
            tree(out, part, below, depth + 1);
        }
        out.push_str("</ul></details>");
    }
    out.push_str("</li>\n");
}

/// What decided a branch.
fn told(out: &mut String, branch: &Branch) {
    if branch.seen || branch.facts.is_empty() {
        return;
    }
    out.push_str("<ul class=\"facts\">");
    for fact in branch.facts.iter().take(5) {
        let _ = write!(out, "<li>{}</li>", escaped(&fact_text(fact)));
    }
    let more = branch.items.unwrap_or(0).saturating_sub(5);
    if more > 0 {
        let _ = write!(out, "<li>and {more} more</li>");
    }
    out.push_str("</ul>");
}

fn definition(out: &mut String, e: &Explanation, statement: &StatementExplained) {
    let items = statement.items.map_or(String::new(), |n| {
        format!(" · {n} item{}", if n == 1 { "" } else { "s" })
    });
    let _ = writeln!(
        out,
        "<section class=\"def\"><h3>{} {} <span class=\"lib\">{}{}{items}</span></h3>",
        chip(statement.outcome, statement.outcome.as_str()),
        escaped(&statement.name),
        escaped(&statement.library),
        if statement.function {
            " · function"
        } else {
            ""
        },
    );
    out.push_str("<pre>");
    clauses(out, e, &statement.tokens);
    out.push_str("</pre>\n");
    fact_table(out, statement.items, &statement.facts);
    out.push_str("</section>\n");
}

/// The text with its clauses. A clause is marked where it comes to something else than the one
/// around it, so that a page is not all lines; every clause tells its counts on hovering. What is only
/// compared with is not marked: a code that is there would look like a criterion that holds.
pub fn clauses(out: &mut String, e: &Explanation, tokens: &[Token]) {
    // What is around, and whether an element was opened for it.
    let mut around: Vec<(Option<Outcome>, bool)> = vec![];
    for token in tokens {
        match token {
            Token::Text(text) => out.push_str(&escaped(text)),
            Token::Open(index) => {
                let outer = around.last().and_then(|(outcome, _)| *outcome);
                let Some(clause) = index.and_then(|i| e.clauses.get(i)) else {
                    around.push((outer, false));
                    continue;
                };
                let title = escaped(&tip(clause));
                if !clause.criterion || outer == Some(clause.outcome) {
                    around.push((outer, true));
                    let _ = write!(out, "<span title=\"{title}\">");
                    continue;
                }
                around.push((Some(clause.outcome), true));
                let class = class(clause.outcome);
                let _ = write!(out, "<span class=\"{class}\" title=\"{title}\">");
                if clause.outcome != Outcome::NotEvaluated {
                    let _ = write!(out, "<i>{}</i>", clause.outcome.symbol());
                }
            }
            Token::Close => {
                if let Some((_, true)) = around.pop() {
                    out.push_str("</span>");
                }
            }
        }
    }
    for (_, open) in around {
        out.push_str(if open { "</span>" } else { "" });
    }
}

/// What a clause tells on hovering.
fn tip(clause: &ClauseExplained) -> String {
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

fn fact_table(out: &mut String, items: Option<usize>, facts: &[Fact]) {
    if facts.is_empty() {
        return;
    }
    let resources = facts.iter().any(|f| f.resource.is_some());
    if resources {
        out.push_str(
            "<table><thead><tr><th>Resource</th><th>Code</th><th>Date</th><th>Value</th></tr></thead><tbody>\n",
        );
    } else {
        out.push_str("<table><thead><tr><th>Value</th></tr></thead><tbody>\n");
    }
    let cell = |text: &Option<String>| escaped(text.as_deref().unwrap_or_default());
    for fact in facts {
        if resources {
            let _ = writeln!(
                out,
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                cell(&fact.resource),
                cell(&fact.code),
                cell(&fact.date),
                cell(&fact.value)
            );
        } else {
            let _ = writeln!(out, "<tr><td>{}</td></tr>", cell(&fact.value));
        }
    }
    out.push_str("</tbody></table>\n");
    let more = items.unwrap_or(0).saturating_sub(facts.len());
    if more > 0 {
        let _ = writeln!(out, "<p class=\"dim\">and {more} more</p>");
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

fn chip(outcome: Outcome, text: &str) -> String {
    format!(
        "<span class=\"chip {}\">{} {}</span>",
        class(outcome),
        outcome.symbol(),
        escaped(text)
    )
}

/// Text as HTML has it, in elements and attributes.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Not allowed in HTML.
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
