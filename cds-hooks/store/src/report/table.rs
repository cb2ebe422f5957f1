//! The report as cells: for a terminal and CSV alike.

use super::{By, FEW, Line, Report};

/// A heading and its rows.
#[derive(Clone, Debug)]
pub struct Cells {
    /// Names of the columns.
    pub heading: Vec<&'static str>,
    /// The rows.
    pub rows: Vec<Vec<Field>>,
}

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    /// A text.
    Text(String),
    /// A number.
    Count(u64),
    /// A rate from 0 to 1, and whether it is of so few that it says little.
    Rate(Option<f64>, bool),
}

impl Field {
    /// For people: `85 %`, with `*` where it is of few.
    pub fn for_people(&self) -> String {
        match self {
            Field::Text(text) => text.clone(),
            Field::Count(count) => count.to_string(),
            Field::Rate(None, _) => String::new(),
            Field::Rate(Some(rate), few) => {
                format!("{:.0} %{}", rate * 100.0, if *few { "*" } else { "" })
            }
        }
    }

    /// For programs: a rate has four decimals.
    pub fn for_programs(&self) -> String {
        match self {
            Field::Rate(Some(rate), _) => format!("{rate:.4}"),
            other => other.for_people(),
        }
    }
}

impl From<&str> for Field {
    fn from(text: &str) -> Self {
        Field::Text(text.to_owned())
    }
}

fn line(line: &Line) -> Vec<Field> {
    let counts = &line.counts;
    vec![
        Field::Count(counts.shown),
        Field::Count(counts.accepted),
        Field::Count(counts.overridden),
        Field::Count(line.silent),
        Field::Rate(line.override_rate, line.few),
        Field::Count(counts.with_reason),
        Field::Count(counts.with_comment),
    ]
}

const COUNTED: [&str; 7] = [
    "shown",
    "accepted",
    "overridden",
    "silent",
    "override rate",
    "with reason",
    "with comment",
];

/// The rules, by something.
pub(super) fn cells(report: &Report, by: By) -> Cells {
    let (mut heading, mut rows) = (vec!["rule"], vec![]);
    match report.by.iter().find(|own| own.by == by) {
        None => {
            heading.extend(["versions", "mostly overridden"]);
            for rule in &report.rules {
                let is_mostly = report.mostly_overridden.contains(&rule.rule);
                let mut row: Vec<Field> = vec![
                    rule.rule.as_str().into(),
                    rule.versions.join(" ").as_str().into(),
                    if is_mostly { "yes" } else { "" }.into(),
                ];
                row.extend(line(&rule.line));
                rows.push(row);
            }
        }
        Some(own) => {
            heading.insert(0, by.as_str());
            for each in &own.rows {
                let mut row: Vec<Field> =
                    vec![called(by, &each.name).into(), each.rule.as_str().into()];
                row.extend(line(&each.line));
                rows.push(row);
            }
        }
    }
    heading.extend(COUNTED);
    Cells { heading, rows }
}

/// What stands where nothing was recorded.
pub(super) fn named(name: &str) -> &str {
    match name.is_empty() {
        true => "not recorded",
        false => name,
    }
}

/// The same, of what cards are told apart by: without a tenant is where no client has one.
pub(super) fn called(by: By, name: &str) -> &str {
    match (by, name.is_empty()) {
        (By::Tenant, true) => "no tenant",
        _ => named(name),
    }
}

/// Why rules were overridden.
pub(super) fn reasons(report: &Report) -> Cells {
    let mut rows = vec![];
    for rule in &report.rules {
        for reason in &rule.reasons {
            rows.push(vec![
                rule.rule.as_str().into(),
                reason.display.as_str().into(),
                reason.category.as_deref().unwrap_or_default().into(),
                reason.code.as_str().into(),
                reason.system.as_str().into(),
                Field::Count(reason.count),
            ]);
        }
    }
    Cells {
        heading: vec!["rule", "reason", "category", "code", "system", "count"],
        rows,
    }
}

pub(super) fn notes(report: &Report) -> Vec<String> {
    let mut notes = vec![];
    let limits = &report.mostly_overridden_if;
    if !report.mostly_overridden.is_empty() {
        notes.push(format!(
            "mostly overridden ({} of 100 or more of the answered, of {} or more shown and {} or more answered): {}",
            limits.percent,
            limits.shown,
            limits.answered,
            report.mostly_overridden.join(", ")
        ));
    }
    let all = report
        .rules
        .iter()
        .map(|rule| &rule.line)
        .chain([&report.total]);
    if all
        .into_iter()
        .any(|line| line.few && line.override_rate.is_some())
    {
        notes.push(format!(
            "*: of fewer than {FEW} answered cards, which says little"
        ));
    }
    notes.push(
        "silent: no feedback came, which is not the same as overridden; override rate: overridden of those answered"
            .to_owned(),
    );
    let feedback = &report.feedback;
    notes.push(format!(
        "feedback received in the period: {} entries ({} more came again), {} of cards that are not recorded, {} of cards \
         of other clients (they count for no card)",
        feedback.entries, feedback.repeats, feedback.unmatched, feedback.foreign
    ));
    if !report.without_feedback.is_empty() {
        let name = |name: &str| match name.is_empty() {
            true => "without a name".to_owned(),
            false => name.to_owned(),
        };
        let clients = report.without_feedback.iter();
        let clients: Vec<String> = clients
            .map(|client| format!("{} ({} cards)", name(&client.name), client.count))
            .collect();
        notes.push(format!(
            "clients that never sent feedback, whose silence says nothing: {}{}",
            clients.join(", "),
            if report.more_without_feedback {
                " and more"
            } else {
                ""
            }
        ));
    }
    if report.more_reasons {
        notes.push("there are more reasons, which are rarer: ask for a shorter period".to_owned());
    }
    notes
}
