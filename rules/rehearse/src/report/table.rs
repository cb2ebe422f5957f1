//! The tables of a report, as cells: for a terminal, CSV and the page alike.

use super::{Counted, Report, RuleReport};

/// A heading and its rows.
#[derive(Clone, Debug)]
pub struct Cells {
    /// Names of the columns.
    pub heading: &'static [&'static str],
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

/// A rule each.
pub fn rules(report: &Report) -> Cells {
    let row = |r: &RuleReport| {
        vec![
            r.id.clone(),
            r.version.clone(),
            r.kind.to_owned(),
            r.status.to_owned(),
            r.hooks.join(" "),
            r.calls.to_string(),
            r.fired.to_string(),
            r.unknown_with_card.to_string(),
            r.with_card.to_string(),
            decimals(r.per_100_calls),
            decimals(r.per_day),
            decimals(r.per_1000_patients),
            r.patients.to_string(),
            r.cards.to_string(),
            of(&r.indicators, "info").to_string(),
            of(&r.indicators, "warning").to_string(),
            of(&r.indicators, "critical").to_string(),
            r.repeats.to_string(),
            r.cooldown_days.to_string(),
            r.cards_with_cooldown.to_string(),
            r.acted_on.to_string(),
            r.unknown.to_string(),
            r.failed.to_string(),
        ]
    };
    Cells {
        heading: &[
            "rule",
            "version",
            "kind",
            "status",
            "hooks",
            "calls",
            "fired",
            "could not check",
            "calls with a card",
            "per 100 calls",
            "per day",
            "per 1000 patients",
            "patients",
            "cards",
            "info",
            "warning",
            "critical",
            "repeats",
            "cool-down days",
            "cards with cool-down",
            "acted on",
            "unknown",
            "failed",
        ],
        rows: report.rules.iter().map(row).collect(),
    }
}

/// What most want to know of each rule.
pub fn short(report: &Report) -> Cells {
    let row = |r: &RuleReport| {
        vec![
            match r.is_shadow() {
                true => format!("{} (shadow)", r.id),
                false => r.id.clone(),
            },
            r.calls.to_string(),
            r.fired.to_string(),
            r.unknown_with_card.to_string(),
            r.cards.to_string(),
            decimals(r.per_100_calls),
            decimals(r.per_day),
            decimals(r.per_1000_patients),
            r.patients.to_string(),
            r.repeats.to_string(),
            r.cards_with_cooldown.to_string(),
            r.unknown.to_string(),
        ]
    };
    Cells {
        heading: &[
            "rule",
            "calls",
            "fired",
            "could not check",
            "cards",
            "per 100",
            "per day",
            "per 1,000 patients",
            "patients",
            "repeats",
            "cooled down",
            "unknown",
        ],
        rows: report.rules.iter().map(row).collect(),
    }
}

/// What the columns of [`short`] mean.
pub fn legend(report: &Report) -> String {
    let days = report.repeat_days;
    let shadow = match report.rules.iter().any(RuleReport::is_shadow) {
        true => {
            "; shadow: its cards are shown to nobody, and are in no count of clinicians, sites and months"
        }
        false => "",
    };
    format!(
        "fired: calls at which a rule applied and had a card; could not check: calls with a card that says so; \
         per 100, per day, per 1,000 patients: calls with a card of either kind; repeats: the patient had the \
         same card at the same hook less than {days} days before; cooled down: cards that a cool-down leaves (the rule's \
         own, else {days} days); unknown: calls at which it could not tell, with a card or without{shadow}"
    )
}

/// That there was no call, and of which days there would be some.
pub fn no_call(report: &Report) -> Option<String> {
    if report.patients_called > 0 {
        return None;
    }
    let day = |moment: &str| moment.split('T').next().unwrap_or_default().to_owned();
    let (from, to) = (day(&report.period.0), day(&report.period.1));
    Some(match &report.span {
        Some((first, last)) => format!(
            "There is no call from {from} to {to}: the visits and orders of the lake are of {} to {}.",
            day(first),
            day(last)
        ),
        None => format!(
            "There is no call from {from} to {to}, nor would there be one at any other time: the lake has no \
             visit or order with a date that makes one."
        ),
    })
}

/// How resources were dated, and what was assumed, in words.
pub fn dating(report: &Report) -> Vec<(&'static str, u64)> {
    let d = &report.dating;
    vec![
        ("dated by when they were recorded", d.recorded),
        ("dated by their clinical time", d.clinical),
        ("without any date, taken as known from the start", d.undated),
        (
            "dated by a month or year only that a call falls into (or whose end is): kept, for rules to judge",
            d.imprecise,
        ),
        (
            "dated by the day of a call without a time, taken as known from the end of that day",
            d.day_of_call,
        ),
        (
            "whose later end, status or death was taken back until it happened",
            d.taken_back,
        ),
        (
            "requests that ended at an unknown time, taken as active for the assumed days",
            d.assumed_end,
        ),
        (
            "whose status is of later and has no date, left as it is",
            d.not_undone,
        ),
        (
            "patients dead without a date, alive at each call",
            d.revived,
        ),
        (
            "requests that nobody signed (drafts, plans, reported ones): no call",
            d.unsigned,
        ),
        ("requests without a date: no call", d.undated_orders),
        (
            "requests dated by a month or year only: no call",
            d.imprecise_orders,
        ),
        ("requests entered in error: no call", d.orders_in_error),
        (
            "requests not to do something (doNotPerform): no call",
            d.not_to_do,
        ),
        ("planned or cancelled visits: no call", d.no_visit),
        ("visits without a start: no call", d.undated_visits),
        (
            "visits dated by a month or year only: no call",
            d.imprecise_visits,
        ),
        ("visits entered in error: no call", d.visits_in_error),
        (
            "visits and requests dated by a day without a time: called at the end of that day",
            d.at_day_end,
        ),
    ]
}

fn of(counts: &[Counted], name: &str) -> u64 {
    let found = counts.iter().find(|c| c.name == name);
    found.map_or(0, |c| c.count)
}

/// Always two.
pub fn decimals(number: f64) -> String {
    format!("{number:.2}")
}
