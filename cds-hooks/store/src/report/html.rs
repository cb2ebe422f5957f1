//! The report as one HTML page: no scripts, nothing from elsewhere, everything escaped.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::chart::{bars, columns, key};
use super::style::STYLE;
use super::table::{Cells, Field, called};
use super::{Breakdown, By, Line, Report, RuleReport};

/// Bars in a chart, and rows of a breakdown: of more there are the most shown.
const CHARTED: usize = 25;
const LISTED: usize = 100;

/// The whole page.
pub fn page(report: &Report) -> String {
    let (from, to) = (day(&report.period.0), last_day(&report.period.1));
    let title = format!("Cards and what became of them, {from} to {to} (UTC)");
    let has_comments = report.rules.iter().any(|rule| !rule.comments.is_empty());
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                p.sub {
                    (report.total.counts.shown) " cards shown, " (report.total.counts.accepted) " accepted, "
                    (report.total.counts.overridden) " overridden, " (report.total.silent) " silent"
                    @if let Some(tenant) = &report.tenant { "; tenant " (tenant) }
                    "; made " (report.made)
                }
                @if has_comments {
                    p.warn { "This page has comments of clinicians: they may say anything of a patient." }
                }
                @if !report.mostly_overridden.is_empty() { (mostly(report)) }
                (overview(report))
                @for by in report.by.iter().filter(|by| says_something(by)) { (breakdown(by)) }
                @for rule in &report.rules { (reasons(rule)) }
                h2 { "What the numbers mean" }
                @for note in report.notes() { p.dim { (note) "." } }
            }
        }
    };
    page.into_string() + "\n"
}

fn day(moment: &str) -> &str {
    moment.split('T').next().unwrap_or_default()
}

/// The last day of a period that ends before a moment.
fn last_day(end: &str) -> String {
    let end: Option<jiff::Timestamp> = end.parse().ok();
    let last = end.and_then(|end| end.checked_sub(jiff::SignedDuration::from_nanos(1)).ok());
    last.map_or_else(String::new, |last| day(&last.to_string()).to_owned())
}

fn mostly(report: &Report) -> Markup {
    html! {
        p.warn {
            "Mostly overridden: " strong { (report.mostly_overridden.join(", ")) }
            ". Look at the reasons below: such a rule is for others, at another moment, or wrong."
        }
    }
}

fn overview(report: &Report) -> Markup {
    let charted = report.rules.iter().take(CHARTED);
    let charted: Vec<(&str, &Line)> = charted.map(|r| (r.rule.as_str(), &r.line)).collect();
    let spans = report.over_time.iter();
    let spans: Vec<(&str, &Line)> = spans.map(|s| (s.from.as_str(), &s.line)).collect();
    let days = report.over_time.first().map_or(1, |span| span.days);
    html! {
        h2 { "Rules" }
        @if report.rules.is_empty() { p { "No card was shown in the period." } }
        @else {
            (bars("Cards by rule", &charted))
            (key())
            (cells(&report.cells(By::Rule), &report.mostly_overridden))
            h2 { @if days == 1 { "Cards by day" } @else { "Cards by " (days) " days" } }
            (columns("Cards over time", &spans))
            (key())
            p.dim { "Days of UTC." }
        }
    }
}

/// A table. Rows of the rules that are named are marked.
fn cells(cells: &Cells, marked: &[String]) -> Markup {
    let is_number = |field: &Field| !matches!(field, Field::Text(_));
    let first = cells.rows.first();
    let class = |column: usize| {
        let field = first.and_then(|row| row.get(column));
        if field.is_some_and(is_number) {
            "n"
        } else {
            ""
        }
    };
    let is_marked =
        |row: &[Field]| matches!(row.first(), Some(Field::Text(rule)) if marked.contains(rule));
    html! {
        table {
            thead { tr {
                @for (column, name) in cells.heading.iter().enumerate() { th class=(class(column)) { (name) } }
            } }
            @for row in cells.rows.iter().take(LISTED) {
                tr class=(if is_marked(row) { "mostly" } else { "" }) {
                    @for (column, field) in row.iter().enumerate() { td class=(class(column)) { (field.for_people()) } }
                }
            }
        }
        @if cells.rows.len() > LISTED {
            p.dim { "The first " (LISTED) " of " (cells.rows.len()) " rows; CSV and JSON have all." }
        }
    }
}

/// Where no client has a tenant there is nothing to tell apart by it.
fn says_something(by: &Breakdown) -> bool {
    by.by != By::Tenant || by.rows.iter().any(|row| !row.name.is_empty())
}

fn breakdown(by: &Breakdown) -> Markup {
    // Together, whatever the rule.
    let mut names: Vec<(String, super::Counts)> = vec![];
    for row in &by.rows {
        match names.iter_mut().find(|(name, _)| *name == row.name) {
            Some((_, counts)) => counts.add(&row.line.counts),
            None => names.push((row.name.clone(), row.line.counts)),
        }
    }
    names.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.shown));
    let lines = names.iter().take(CHARTED);
    let lines: Vec<(&str, Line)> = lines
        .map(|(n, counts)| (called(by.by, n), (*counts).into()))
        .collect();
    let charted: Vec<(&str, &Line)> = lines.iter().map(|(name, line)| (*name, line)).collect();
    html! {
        h2 { "By " (by.by.as_str()) }
        (bars(&format!("Cards by {}", by.by.as_str()), &charted))
        (key())
        table {
            thead { tr {
                th { (by.by.as_str()) } th { "rule" } th.n { "shown" } th.n { "accepted" } th.n { "overridden" }
                th.n { "silent" } th.n { "override rate" }
            } }
            @for row in by.rows.iter().take(LISTED) {
                tr {
                    td { (called(by.by, &row.name)) } td { (row.rule) } td.n { (row.line.counts.shown) }
                    td.n { (row.line.counts.accepted) } td.n { (row.line.counts.overridden) } td.n { (row.line.silent) }
                    td.n { (Field::Rate(row.line.override_rate, row.line.few).for_people()) }
                }
            }
        }
        @if by.rows.len() > LISTED || by.more { p.dim { "The " (LISTED) " most shown; CSV and JSON have more." } }
    }
}

fn reasons(rule: &RuleReport) -> Markup {
    let counts = &rule.line.counts;
    html! {
        @if counts.overridden > 0 {
            h2 { "Why " (rule.rule) " was overridden" }
            p.sub {
                (counts.overridden) " overridden, " (counts.with_reason) " with a reason, " (counts.with_comment)
                " with a comment"
            }
            @if !rule.reasons.is_empty() {
                table {
                    thead { tr { th { "reason" } th { "category" } th { "code" } th.n { "times" } } }
                    @for reason in &rule.reasons {
                        tr {
                            td { (reason.display) } td { (reason.category.as_deref().unwrap_or_default()) }
                            td { (reason.code) } td.n { (reason.count) }
                        }
                    }
                }
            }
            @if !rule.comments.is_empty() {
                h3 { "Latest comments" }
                table {
                    @for comment in &rule.comments { tr { td { (comment.at) } td { (comment.text) } } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_period_ends_on_its_last_day() {
        assert_eq!(super::last_day("2026-04-01T00:00:00Z"), "2026-03-31");
        assert_eq!(super::last_day("2026-04-01T09:30:00.5Z"), "2026-04-01");
    }
}
