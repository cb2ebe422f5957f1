//! An explanation as text, for a terminal.

use std::fmt::Write;

use super::{Branch, Explanation, Fact, Outcome, PopulationExplanation};

/// Most items that are told of one branch.
const ITEMS: usize = 5;

/// The tree of every population.
pub fn text(explanation: &Explanation) -> String {
    let mut out = String::new();
    let e = explanation;
    // Writing to a String does not fail.
    let _ = writeln!(out, "{}: {}", e.measure, e.title);
    let _ = writeln!(out, "{}, {} to {}", e.subject, e.period.start, e.period.end);
    let mut cut = 0;
    for group in &e.groups {
        if e.groups.len() > 1 {
            let _ = writeln!(out, "\n{}", group.name);
        }
        for population in &group.populations {
            out.push('\n');
            head(&mut out, population);
            if let Some(criterion) = &population.criterion {
                branch(&mut out, criterion, &[], 1, &mut cut);
            }
        }
    }
    if cut > 0 {
        let _ = writeln!(
            out,
            "\n{cut} place(s) go deeper than this: a greater --depth shows more."
        );
    }
    out
}

fn head(out: &mut String, population: &PopulationExplanation) {
    let count = match population.count {
        Some(n) => n.to_string(),
        None => "not counted, cannot be told".to_owned(),
    };
    let _ = write!(out, "{}: {count}", population.code);
    if population.outcome == Outcome::Unknown && population.count.is_some() {
        out.push_str(" (not certain)");
    }
    if let Some(reason) = &population.reason {
        let _ = write!(out, " – {reason}");
    }
    let told = match population.observations.is_empty() {
        true => &population.members,
        false => &population.observations,
    };
    if !told.is_empty() {
        let _ = write!(out, " – {}", some(told.iter().map(String::as_str)));
    }
    out.push('\n');
}

/// The first few, and how many more.
fn some<'t>(all: impl ExactSizeIterator<Item = &'t str>) -> String {
    let more = all.len().saturating_sub(ITEMS);
    let mut text = all.take(ITEMS).collect::<Vec<_>>().join(", ");
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    text
}

/// `true`, or of how many evaluations it was.
pub(super) fn verdict(branch: &Branch) -> String {
    let times = branch.times;
    match times.times {
        0 | 1 => branch.outcome.as_str().to_owned(),
        n => {
            let unknown = match times.null {
                0 => String::new(),
                null => format!(", {null} unknown"),
            };
            format!("{} of {n} true{unknown}", times.holds)
        }
    }
}

/// What it is, on one line.
pub(super) fn label(branch: &Branch) -> String {
    let mut parts: Vec<&str> = vec![];
    if let Some(role) = &branch.role {
        parts.push(role);
    }
    if !branch.label.is_empty() {
        parts.push(&branch.label);
    }
    let mut label = parts.join(" ");
    if !branch.operator.is_empty() {
        if !label.is_empty() {
            label.push_str(": ");
        }
        label.push_str(branch.operator);
    }
    label
}

fn branch(out: &mut String, own: &Branch, above: &[Fact], depth: usize, cut: &mut usize) {
    let indent = "  ".repeat(depth);
    let symbol = own.outcome.symbol();
    let _ = write!(out, "{indent}{symbol} {}  {}", verdict(own), label(own));
    if let Some(items) = own.items {
        let s = if items == 1 { "" } else { "s" };
        let _ = write!(out, "  [{items} item{s}]");
    }
    if !own.values.is_empty() {
        let _ = write!(out, "  ({})", own.values.join("; "));
    }
    if own.seen {
        out.push_str("  (see above)");
    }
    if own.cut > 0 {
        *cut += 1;
        let _ = write!(out, "  (… {} more below)", own.cut);
    }
    out.push('\n');
    // The same items further down say nothing new.
    if !own.seen && own.facts != above {
        for fact in own.facts.iter().take(ITEMS) {
            let _ = writeln!(out, "{indent}    - {}", fact_text(fact));
        }
        let total = own.items.unwrap_or(own.facts.len());
        if total > ITEMS && own.facts.len() > ITEMS {
            let _ = writeln!(out, "{indent}    - and {} more", total - ITEMS);
        }
    }
    for part in &own.parts {
        let told = if own.facts.is_empty() {
            above
        } else {
            &own.facts
        };
        branch(out, part, told, depth + 1, cut);
    }
}

/// A fact on one line.
pub(super) fn fact_text(fact: &Fact) -> String {
    let parts = [&fact.resource, &fact.code, &fact.value, &fact.date];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    parts.join(", ")
}
