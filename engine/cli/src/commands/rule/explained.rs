//! Why an expression came out as it did, for people and for programs. A definition is shown once.

use std::collections::HashSet;

use engine_cel::{Clause, Tried};
use measures::explain::plain_text::folded;
use serde_json::{Value, json};

use crate::visible::in_line;
use crate::width;

/// Clauses one after the other, and which definitions were shown.
#[derive(Default)]
pub struct Explained {
    shown: HashSet<String>,
    /// Whether it is told of each part with which value set, drugs or class it was compared.
    whole: bool,
}

impl Explained {
    /// With what each part was compared with.
    pub fn whole(whole: bool) -> Self {
        Explained {
            whole,
            ..Explained::default()
        }
    }

    /// Whether its parts were shown before; where not, they are from now on.
    fn again(&mut self, clause: &Clause) -> bool {
        let has_parts = !clause.clauses.is_empty();
        clause.is_definition && has_parts && !self.shown.insert(clause.text.clone())
    }

    /// A part and what it is made of, each on a line of its own. `above`: the items of the part around it,
    /// which say nothing new further down.
    pub fn print(&mut self, clause: &Clause, above: &[String], depth: usize) {
        let outcome = match (&clause.truth, &clause.value) {
            (Some(truth), _) => truth.as_str().to_owned(),
            (None, Some(value)) => value.clone(),
            (None, None) => String::new(),
        };
        let seen = self.again(clause);
        // A reason is told where it arises.
        let below = clause.clauses.iter().any(|c| c.reason == clause.reason);
        let reason = match &clause.reason {
            Some(reason) if !below => format!("  ({reason})"),
            _ => String::new(),
        };
        let indent = 2 * depth;
        let same_items = !clause.items.is_empty() && clause.items == above;
        let same = match (seen, same_items) {
            (true, _) => "  (see above)",
            (false, true) => "  (the same as above)",
            (false, false) => "",
        };
        let text = format!("{outcome:7} ⇐ {}{reason}{same}", clause.text);
        line(indent, &text);
        if seen {
            return;
        }
        if let (true, Some(compared)) = (self.whole, &clause.compared) {
            line(indent + 4, &format!("with {compared}"));
        }
        // Of a list what is in it first, then what is left out of it.
        let is_list = clause.truth.is_none();
        if is_list && !same_items {
            items(clause, indent);
        }
        for item in &clause.tried {
            let Tried {
                item,
                truth,
                because,
            } = item;
            line(indent + 4, &format!("- {item}: {truth}, {because}"));
        }
        if clause.more > 0 {
            line(indent + 4, &format!("- and {} earlier", clause.more));
        }
        let tried: Vec<String> = clause.tried.iter().map(|t| t.item.clone()).collect();
        let told = match (is_list || tried.is_empty(), clause.items.is_empty()) {
            (false, _) => &tried[..],
            (true, false) => &clause.items,
            (true, true) => above,
        };
        let parts = clause.clauses.iter();
        parts.for_each(|c| self.print(c, told, depth + 1));
    }

    /// The same tree for programs.
    pub fn json(&mut self, clause: &Clause) -> Value {
        let seen = self.again(clause);
        let clauses: Vec<Value> = match seen {
            true => vec![],
            false => clause.clauses.iter().map(|c| self.json(c)).collect(),
        };
        let tried = clause
            .tried
            .iter()
            .map(|t| json!({ "item": t.item, "truth": t.truth.as_str(), "because": t.because }));
        json!({
            "text": clause.text,
            "truth": clause.truth.map(|t| t.as_str()),
            "value": clause.value,
            "reason": clause.reason,
            "items": clause.items,
            "tried": tried.collect::<Vec<_>>(),
            "more": clause.more,
            "comparedWith": clause.compared,
            "seeAbove": seen,
            "clauses": clauses,
        })
    }
}

/// The items of a list; of many the latest.
fn items(clause: &Clause, indent: usize) {
    for item in &clause.items {
        line(indent + 4, &format!("- {item}"));
    }
    // `11 items`, of which the latest are told.
    let first = clause.value.as_deref().and_then(|v| v.split(' ').next());
    let count: usize = first.and_then(|n| n.parse().ok()).unwrap_or(0);
    let more = count.saturating_sub(clause.items.len());
    if more > 0 && !clause.items.is_empty() {
        line(indent + 4, &format!("- and {more} earlier"));
    }
}

/// A line, gone on below where it is longer than the page. Values are the patient's: one that breaks the
/// line could pass for a clause.
pub fn line(indent: usize, text: &str) {
    for line in folded(indent, &in_line(text), width::of_output()) {
        say!("{line}");
    }
}
