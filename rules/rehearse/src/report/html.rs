//! The report as one HTML page: no scripts, nothing from elsewhere, everything escaped.

use engine_patient::plural::thousands;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use rules::text;

use super::chart::{Bar, bars, columns};
use super::style::STYLE;
use super::table::{self, Cells, decimals};
use super::{Counted, Difference, Named, Report, RuleReport, SampleReport};

/// Rules, clinicians and sites in a chart.
const CHARTED: usize = 25;

/// Ids of patients listed of a difference; the file of differences has all.
const IDS: usize = 50;

/// The whole page.
pub fn page(report: &Report) -> String {
    let (from, to) = (day(&report.period.0), day(&report.period.1));
    let title = format!("Rehearsal of {from} to {to}");
    let calls: u64 = report.hooks.iter().map(|h| h.calls).sum();
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
                    (thousands(calls)) " calls of " (thousands(report.patients_called)) " patients, of "
                    (thousands(report.patients)) " in the lake (snapshot " (report.snapshot) "); "
                    (report.days) " days, time zone " (report.time_zone) "; samples chosen by seed " (report.seed)
                }
                p.warn { "This page holds patient data: ids, and what cards say of patients." }
                @if let Some(told) = table::no_call(report) { p.warn { (told) } }
                (overview(report))
                @for difference in &report.differences { (difference_of(difference)) }
                (people("By clinician", "clinician", &report.clinicians, report.clinicians_count))
                (people("By site", "site", &report.sites, report.sites_count))
                @if !report.together.is_empty() { (together(report)) }
                @for rule in &report.rules { (rule_of(rule, report)) }
                (grounds(report))
            }
        }
    };
    page.into_string() + "\n"
}

fn day(moment: &str) -> &str {
    moment.split('T').next().unwrap_or_default()
}

fn plain(text: &str) -> String {
    text::plain(text)
}

fn overview(report: &Report) -> Markup {
    let months: Vec<Bar> = report.months.iter().map(month).collect();
    let rules = report.rules.iter().take(CHARTED);
    let rules: Vec<Bar> = rules.filter(|r| r.cards > 0).map(by_indicator).collect();
    html! {
        h2 { "Rules" }
        (cells(&table::short(report), 1))
        p.dim {
            (table::legend(report)) "."
        }
        @if !rules.is_empty() {
            h3 { "Cards by rule and indicator" }
            (bars("Cards by rule and indicator", &rules))
            p.dim { "Pale blue: info; orange: warning; red: critical." }
        }
        h3 { "Cards by month" }
        (columns("Cards by month", &months))
        h3 { "Calls" }
        table {
            thead { tr { th { "hook" } th.n { "calls" } th.n { "patients" } th.n { "per day" } } }
            @for hook in &report.hooks {
                tr {
                    td { (hook.hook) } td.n { (thousands(hook.calls)) } td.n { (thousands(hook.patients)) }
                    td.n { (decimals(hook.per_day)) }
                }
            }
        }
    }
}

fn month(month: &Named) -> Bar {
    Bar {
        label: month.name.clone(),
        parts: vec![("bar", month.cards)],
        told: thousands(month.cards),
    }
}

fn by_indicator(rule: &RuleReport) -> Bar {
    let of = |name: &str| {
        let found = rule.indicators.iter().find(|c| c.name == name);
        found.map_or(0, |c| c.count)
    };
    Bar {
        label: rule.id.clone(),
        parts: ["critical", "warning", "info"].map(|n| (n, of(n))).to_vec(),
        told: thousands(rule.cards),
    }
}

/// A table; the columns after the first `texts` are numbers.
fn cells(cells: &Cells, texts: usize) -> Markup {
    let class = |column: usize| if column < texts { "" } else { "n" };
    html! {
        table {
            thead { tr {
                @for (column, name) in cells.heading.iter().enumerate() { th class=(class(column)) { (name) } }
            } }
            @for row in &cells.rows {
                tr { @for (column, cell) in row.iter().enumerate() { td class=(class(column)) { (plain(cell)) } } }
            }
        }
    }
}

fn people(title: &str, column: &str, all: &[Named], count: u64) -> Markup {
    html! {
        @if count > 0 {
            h2 { (title) }
            table {
                thead { tr {
                    th { (column) } th.n { "calls" } th.n { "with a card" } th.n { "cards" } th.n { "per 100 calls" }
                } }
                @for one in all.iter().take(CHARTED) {
                    tr {
                        td { (name_of(&one.name)) } td.n { (thousands(one.calls)) } td.n { (thousands(one.interrupted)) }
                        td.n { (thousands(one.cards)) } td.n { (decimals(one.per_100_calls)) }
                    }
                }
            }
            @if count > CHARTED as u64 { p.dim { "The " (CHARTED) " with the most cards, of " (thousands(count)) "." } }
        }
    }
}

fn name_of(name: &str) -> String {
    match name.is_empty() {
        true => "not recorded".to_owned(),
        false => plain(name),
    }
}

fn together(report: &Report) -> Markup {
    html! {
        h2 { "Rules that fire together" }
        table {
            thead { tr { th { "rule" } th { "and" } th.n { "calls" } } }
            @for pair in &report.together {
                tr { td { (pair.first) } td { (pair.second) } td.n { (thousands(pair.calls)) } }
            }
        }
    }
}

fn difference_of(d: &Difference) -> Markup {
    html! {
        h2 { (d.this()) " against " (d.against) " " (d.against_version) }
        p.sub { (plain(&d.against_file)) }
        table {
            tr { td { "calls at which both have a card" } td.n { (thousands(d.both)) } }
            tr { td { "of these with other cards" } td.n { (thousands(d.other_cards)) } }
            tr { td { "calls with a card of only " (d.this()) } td.n { (thousands(d.only_this)) } }
            tr { td { "calls with a card of only " (plain(&d.against_file)) } td.n { (thousands(d.only_other)) } }
            tr { td { "calls at which one cannot tell, and the other can" } td.n { (thousands(d.other_unknown)) } }
            tr {
                td { "patients with a card of only " (d.this()) }
                td.n { (thousands(d.patients_only_this.len() as u64)) }
            }
            tr {
                td { "patients with a card of only " (plain(&d.against_file)) }
                td.n { (thousands(d.patients_only_other.len() as u64)) }
            }
        }
        (ids(&format!("Only {}", d.this()), &d.patients_only_this))
        (ids(&format!("Only {}", plain(&d.against_file)), &d.patients_only_other))
    }
}

fn ids(title: &str, ids: &[String]) -> Markup {
    let shown: Vec<String> = ids.iter().take(IDS).map(|id| plain(id)).collect();
    html! {
        @if !ids.is_empty() {
            p { (title) ": " (shown.join(", ")) @if ids.len() > IDS { " and " (ids.len() - IDS) " more" } }
        }
    }
}

fn rule_of(rule: &RuleReport, report: &Report) -> Markup {
    let bar = |c: &Counted| Bar {
        label: name_of(&c.name),
        parts: vec![("bar", c.count)],
        told: thousands(c.count),
    };
    let sites: Vec<Bar> = rule.sites.iter().take(10).map(bar).collect();
    let months: Vec<Bar> = report
        .months
        .iter()
        .map(|month| {
            let found = rule.months.iter().find(|m| m.name == month.name);
            let count = found.map_or(0, |m| m.count);
            Bar {
                label: month.name.clone(),
                parts: vec![("bar", count)],
                told: thousands(count),
            }
        })
        .collect();
    html! {
        h2 { (plain(&rule.title)) }
        p.sub { (rule.id) " " (rule.version) " · " (rule.kind) ", " (rule.status) " · " (rule.hooks.join(", ")) }
        p {
            "A card at " (thousands(rule.with_card)) " of " (thousands(rule.calls)) " calls ("
            (decimals(rule.per_100_calls)) " of 100), " (decimals(rule.per_day)) " a day, for "
            (thousands(rule.patients)) " patients (" (decimals(rule.per_1000_patients))
            " per 1,000 of the lake): it fired at " (thousands(rule.fired)) ", and at "
            (thousands(rule.unknown_with_card)) " a card says that it could not check. " (thousands(rule.cards)) " cards, "
            (thousands(rule.repeats)) " of them less than " (report.repeat_days) " days after the same card; a cool-down of "
            (rule.cooldown_days) " days leaves " (thousands(rule.cards_with_cooldown)) "."
            @if rule.acted_on > 0 { " " (thousands(rule.acted_on)) " more were not shown, for somebody had acted already." }
            @if rule.is_shadow() { " It is a shadow rule: nobody sees its cards." }
            @if rule.failed > 0 { " Its evaluation failed at " (thousands(rule.failed)) " calls." }
        }
        @if rule.cards > 0 {
            (columns("Cards by month", &months))
            h3 { "Cards by site" }
            (bars("Cards by site", &sites))
        }
        @if rule.unknown > 0 {
            h3 { "Could not tell at " (thousands(rule.unknown)) " calls (" (thousands(rule.unknown_with_card)) " with a card)" }
            table {
                @for reason in rule.reasons.iter().take(10) {
                    tr { td { (name_of(&reason.name)) } td.n { (thousands(reason.count)) } }
                }
            }
        }
        @for sample in &rule.samples { (sample_of(sample)) }
    }
}

fn sample_of(sample: &SampleReport) -> Markup {
    html! {
        div.sample {
            h3 {
                "Patient " (plain(&sample.patient)) ", " (sample.at) ", " (sample.hook)
                @if sample.drafts > 0 { " of " (sample.drafts) " drafts" }
            }
            @for card in &sample.cards {
                div class={ "card " (card.indicator) } {
                    strong { (plain(&card.summary)) }
                    pre { (text::shown(&card.detail)) }
                }
            }
            div.why { @for line in &sample.why { (part(line)) } }
        }
    }
}

/// A part of a criterion, as far in as its line is: what is too long goes on below, further in.
fn part(line: &str) -> Markup {
    let told = line.trim_start();
    let indent = line.chars().count() - told.chars().count();
    html! { div style={ "padding-left:" (indent + 4) "ch" } { (text::shown(told)) } }
}

/// What the counts rest on.
fn grounds(report: &Report) -> Markup {
    html! {
        h2 { "What this rests on" }
        p {
            "Each call sees what was known by then: by the moment something was recorded, else by its clinical time. "
            "A day without a time stands for its end; a month or a year counts from its first day on, and a rule judges "
            "it as too imprecise while it lasts. "
            "What was corrected, deleted or resolved without a date since cannot be taken back. A request that is ended "
            "now and does not say when is taken as active for " (report.assumed_days) " days."
        }
        table {
            @for (what, count) in table::dating(report) { tr { td { (what) } td.n { (thousands(count)) } } }
            @if report.failed > 0 { tr { td { "patients whose evaluation failed" } td.n { (thousands(report.failed)) } } }
        }
        @if !report.unmatched.is_empty() {
            p { "No resource of the lake matches what the rules ask for here, whoever the patient (other code systems?):" }
            ul { @for one in &report.unmatched { li { (plain(one)) } } }
        }
    }
}
