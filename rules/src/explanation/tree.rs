//! Criteria as trees, within limits. A definition is taken apart where it stands first.

use std::collections::HashSet;

use engine_cel::{Clause, Words};
use engine_patient::system::truth::Truth;

use super::{Part, TriedItem};

/// Parts of all criteria together. What decided is told first, and counts as well.
const MOST: usize = 600;

/// Takes clauses apart.
#[derive(Default)]
pub(super) struct Trees {
    shown: HashSet<String>,
    parts: usize,
}

impl Trees {
    /// A criterion.
    pub(super) fn whole(&mut self, clause: &Clause) -> Part {
        self.part(clause, true)
    }

    fn part(&mut self, clause: &Clause, decides: bool) -> Part {
        self.parts += 1;
        let below = clause
            .clauses
            .iter()
            .any(|part| part.reason == clause.reason);
        let mut part = Part {
            text: clause.text.clone(),
            truth: clause.truth.map(Truth::as_str),
            value: clause.value.clone(),
            // A reason is told where it arises.
            reason: clause.reason.clone().filter(|_| !below),
            compared_with: clause.compared.clone(),
            decides,
            ..Part::default()
        };
        let has_parts = !clause.clauses.is_empty() || !clause.tried.is_empty();
        if clause.is_definition && has_parts && !self.shown.insert(clause.text.clone()) {
            part.see_above = true;
            return part;
        }
        part.items.clone_from(&clause.items);
        part.tried = clause
            .tried
            .iter()
            .map(|one| TriedItem {
                item: one.item.clone(),
                truth: one.truth.as_str(),
                because: one.because.clone(),
            })
            .collect();
        part.more = clause.more;
        // What decided has the same outcome, as in `engine_cel::deciding`; of `!x` the other one.
        let same = |part: &Clause| part.truth.is_some() && part.truth == clause.truth;
        let has_same = clause.clauses.iter().any(same);
        let negates = clause.text.starts_with('!') && clause.clauses.len() == 1;
        for inner in &clause.clauses {
            let own = decides && (same(inner) || (!has_same && negates));
            match self.parts < MOST {
                true => part.parts.push(self.part(inner, own)),
                false => part.cut += 1,
            }
        }
        part
    }
}

/// What is asked, on one line.
pub(super) fn in_words(words: &Words) -> String {
    let joined = |all: &[Words], with: &str| {
        let all: Vec<String> = all
            .iter()
            .map(|one| match one {
                Words::Said(text) => text.clone(),
                other => format!("({})", in_words(other)),
            })
            .collect();
        all.join(with)
    };
    match words {
        Words::Said(text) => text.clone(),
        Words::All(all) => joined(all, ", and "),
        Words::Any(all) => joined(all, ", or "),
    }
}
