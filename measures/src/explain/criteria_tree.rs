//! Criteria as a tree: definitions and logical operators, down to what decided them.

use std::collections::{HashMap, HashSet};

use engine_elm::expressions::{ExpressionKind, ExpressionView, Role};
use engine_elm::trace::{Trace, holds};
use engine_elm::value::Val;
use engine_elm::{CompiledLibraries, Expression};

use super::clause_results::{library, times};
use super::clause_text::{ClauseTexts, closed, text, without};
use super::resource_facts::{facts, value_text};
use super::{Branch, Outcome};

/// Most terms of one `and` or `or` that are gone through, and most parts of one branch.
const TERMS: usize = 200;

/// Makes the trees of one measure's criteria. A definition is taken apart where it comes first.
pub struct CriteriaTrees<'w, 'u, 'a> {
    libraries: &'u CompiledLibraries,
    trace: &'w Trace<'a>,
    texts: &'w ClauseTexts,
    /// Definitions by their bodies: how deep they could go where they were taken apart, and whether
    /// that left something out.
    shown: HashMap<usize, (usize, bool)>,
    /// Retrieves whose resources were told.
    told: HashSet<usize>,
    /// Expressions that are shown whatever the depth: they lead to what decided.
    pub decided: HashSet<usize>,
}

/// An expression, and what it is within the one above.
struct Part<'u> {
    role: Role<'u>,
    place: ExpressionView<'u>,
}

impl<'w, 'u, 'a> CriteriaTrees<'w, 'u, 'a> {
    pub fn new(
        libraries: &'u CompiledLibraries,
        trace: &'w Trace<'a>,
        texts: &'w ClauseTexts,
    ) -> Self {
        CriteriaTrees {
            libraries,
            trace,
            texts,
            shown: HashMap::new(),
            told: HashSet::new(),
            decided: HashSet::new(),
        }
    }

    /// The tree of a definition.
    pub fn criterion(&mut self, expression: Expression, depth: usize) -> Option<Branch> {
        let statement = self.libraries.statement(expression)?;
        let mut branch = Branch {
            label: format!("\"{}\"", statement.name),
            library: Some(library(self.libraries, statement.library)),
            decides: true,
            ..Branch::default()
        };
        let value = self.trace.value_of(expression);
        if let Some(value) = value {
            branch.outcome = Outcome::of(holds(&value));
            branch.times.times = 1;
            let count = match branch.outcome {
                Outcome::True => &mut branch.times.holds,
                Outcome::False => &mut branch.times.fails,
                _ => &mut branch.times.null,
            };
            *count = 1;
            (branch.items, branch.facts) = facts(&value);
        }
        self.definition(&mut branch, statement.body, depth);
        Some(branch)
    }

    /// The parts of a definition, unless they stand elsewhere.
    fn definition(&mut self, branch: &mut Branch, body: ExpressionView<'u>, depth: usize) {
        let leaf = inside(body, false).1.is_empty();
        let before = self.shown.get(&body.address()).copied();
        if let Some((room, cut)) = before
            && (!cut || room >= depth)
        {
            branch.seen = !leaf;
            return;
        }
        self.shown.insert(body.address(), (depth, true));
        if leaf && !matches!(body.kind(), ExpressionKind::Retrieve(_)) {
            branch.values = self.values(body, "");
        }
        let parts = match is_structure(body) {
            true => inside(body, false),
            // A comparison is told whole, not only what it compares.
            false => ("", operand(body)),
        };
        self.parts_of(branch, parts, depth, false);
        self.shown.insert(body.address(), (depth, is_cut(branch)));
    }

    fn parts(&mut self, branch: &mut Branch, place: ExpressionView<'u>, depth: usize, rows: bool) {
        self.parts_of(branch, inside(place, rows), depth, rows);
    }

    fn parts_of(
        &mut self,
        branch: &mut Branch,
        (operator, parts): (&'static str, Vec<Part<'u>>),
        depth: usize,
        rows: bool,
    ) {
        branch.operator = operator;
        let all = parts.len();
        let mut kept: Vec<Part<'u>> = parts.into_iter().take(TERMS).collect();
        if depth == 0 {
            // The way to what decided is no matter of depth.
            kept.retain(|part| branch.decides && self.decided.contains(&part.place.address()));
        }
        branch.cut = all.saturating_sub(kept.len());
        for part in kept {
            let made = self.branch(&part, depth.saturating_sub(1), rows);
            branch.parts.push(made);
        }
    }

    fn branch(&mut self, part: &Part<'u>, depth: usize, rows: bool) -> Branch {
        let place = part.place;
        let (role, own) = match part.role {
            Role::Operand => (None, false),
            Role::Source(alias) => (Some(format!("from {alias}")), false),
            Role::With(alias) => (Some(format!("with {alias}")), false),
            Role::Without(alias) => (Some(format!("without {alias}")), false),
            Role::Let(name) => (Some(format!("let {name}:")), true),
            Role::SuchThat => (Some("such that".to_owned()), true),
            Role::Where => (Some("where".to_owned()), true),
            Role::Return => (Some("return".to_owned()), true),
        };
        let rows = rows || own;
        let mut branch = Branch {
            role,
            times: times(place, self.trace),
            decides: self.decided.contains(&place.address()),
            ..Branch::default()
        };
        branch.outcome = branch.times.outcome();
        if let Some(clause) = place.clause() {
            branch.library = Some(library(self.libraries, clause.library));
            branch.local_id = Some(clause.local_id.to_string());
            branch.locator = clause.locator.as_deref().map(str::to_owned);
        }
        // Of several evaluations the last value says little.
        let once = branch.times.times == 1;
        if let Some(last) = self.trace.of(place).filter(|_| once) {
            (branch.items, branch.facts) = facts(&last.last);
        }
        match place.kind() {
            ExpressionKind::Definition(expression) => {
                let Some(statement) = self.libraries.statement(expression) else {
                    return branch;
                };
                branch.label = format!("\"{}\"", statement.name);
                branch.library = Some(library(self.libraries, statement.library));
                if let Some(value) = self.trace.value_of(expression) {
                    (branch.items, branch.facts) = facts(&value);
                }
                self.definition(&mut branch, statement.body, depth);
            }
            ExpressionKind::Retrieve(retrieve) => {
                branch.label = text(place, self.texts);
                // The same resources further down say nothing new.
                if !self.told.insert(std::ptr::from_ref(retrieve).addr())
                    && !branch.facts.is_empty()
                {
                    branch.facts.clear();
                    branch.seen = true;
                }
            }
            ExpressionKind::And
            | ExpressionKind::Or
            | ExpressionKind::Implies
            | ExpressionKind::Other("Not" | "Exists") => {
                self.parts(&mut branch, place, depth, rows);
                if branch.parts.is_empty() && branch.cut > 0 {
                    // Its parts would tell it from the others beside it.
                    branch.label = closed(place, self.texts);
                    branch.operator = "";
                }
            }
            _ => {
                self.parts(&mut branch, place, depth, rows);
                branch.label = self.label(place, &branch, rows);
                if once {
                    branch.values = self.values(place, &branch.label);
                }
            }
        }
        branch
    }

    /// What a comparison compared: the values of its operands, where they say more than its text.
    fn values(&self, place: ExpressionView<'u>, label: &str) -> Vec<String> {
        let boolean = self
            .trace
            .of(place)
            .is_some_and(|t| matches!(t.last, Val::Boolean(_) | Val::Null));
        if !boolean {
            return vec![];
        }
        let told = place.parts().into_iter().filter_map(|(_, part)| {
            let last = match part.kind() {
                ExpressionKind::Constant => return None,
                _ => self.trace.of(part)?.last,
            };
            match last {
                Val::Boolean(_) | Val::List(_) => None,
                Val::Null => Some("null".to_owned()),
                other => value_text(&other),
            }
        });
        told.filter(|value| !label.contains(value.as_str()))
            .collect()
    }

    /// Its text; of what is shown below it, `…` stands for it.
    fn label(&self, place: ExpressionView<'u>, branch: &Branch, rows: bool) -> String {
        if branch.parts.is_empty() || branch.cut > 0 {
            return text(place, self.texts);
        }
        if matches!(place.kind(), ExpressionKind::Query) {
            return "query".to_owned();
        }
        let below = inside(place, rows).1.into_iter().map(|part| part.place);
        let below = below.filter(|p| !matches!(p.kind(), ExpressionKind::Definition(_)));
        let mut below: HashSet<usize> = below.map(ExpressionView::address).collect();
        cover(place, &mut below);
        match below.is_empty() {
            true => text(place, self.texts),
            false => without(place, self.texts, &below),
        }
    }
}

/// Whether an expression is shown by its parts alone.
fn is_structure(place: ExpressionView<'_>) -> bool {
    match place.kind() {
        ExpressionKind::And
        | ExpressionKind::Or
        | ExpressionKind::Implies
        | ExpressionKind::Definition(_)
        | ExpressionKind::Query
        | ExpressionKind::Retrieve(_)
        | ExpressionKind::Constant => true,
        ExpressionKind::Call(_) => false,
        ExpressionKind::Other(name) => matches!(name, "Not" | "Exists" | "Union"),
    }
}

/// Unions of what is left out are left out as a whole.
fn cover(place: ExpressionView<'_>, below: &mut HashSet<usize>) -> bool {
    if below.contains(&place.address()) {
        return true;
    }
    let mut all = true;
    for (_, part) in place.parts() {
        all &= cover(part, below);
    }
    let covered = all && matches!(place.operator(), "Union");
    if covered {
        below.insert(place.address());
    }
    covered
}

/// Whether something was left out, here or below.
fn is_cut(branch: &Branch) -> bool {
    branch.cut > 0 || branch.parts.iter().any(is_cut)
}

/// How an expression is made, and of what: what a reader goes on to.
fn inside(place: ExpressionView<'_>, rows: bool) -> (&'static str, Vec<Part<'_>>) {
    match place.kind() {
        ExpressionKind::And => ("all of", terms(place, |s| matches!(s, ExpressionKind::And))),
        ExpressionKind::Or => ("any of", terms(place, |s| matches!(s, ExpressionKind::Or))),
        ExpressionKind::Implies => ("first implies second", operands(place)),
        ExpressionKind::Other("Not") => ("not", operands(place)),
        ExpressionKind::Other("Exists") => ("exists", operands(place)),
        ExpressionKind::Definition(_) => ("", operand(place)),
        ExpressionKind::Retrieve(_) | ExpressionKind::Constant => ("", vec![]),
        ExpressionKind::Query => {
            let mut parts = vec![];
            for (role, part) in place.parts() {
                match role {
                    // What it returns and sorts by decides nothing; what that refers to may.
                    Role::Operand | Role::Return | Role::Let(_) => {
                        parts.extend(interesting(part, true));
                    }
                    _ => parts.push(Part { role, place: part }),
                }
            }
            ("", parts)
        }
        ExpressionKind::Call(_) => {
            let mut parts: Vec<Part<'_>> = vec![];
            for (_, part) in place.parts() {
                parts.extend(interesting(part, rows));
            }
            ("", parts)
        }
        ExpressionKind::Other(_) => {
            let below = place.parts().into_iter();
            let parts = below.flat_map(|(_, part)| interesting(part, rows));
            ("", parts.take(TERMS).collect())
        }
    }
}

fn operand(place: ExpressionView<'_>) -> Vec<Part<'_>> {
    let role = Role::Operand;
    vec![Part { role, place }]
}

fn operands(place: ExpressionView<'_>) -> Vec<Part<'_>> {
    let parts = place.parts().into_iter();
    parts
        .map(|(_, place)| Part {
            role: Role::Operand,
            place,
        })
        .collect()
}

/// The terms of `a and b and c`.
fn terms<'u>(place: ExpressionView<'u>, same: fn(&ExpressionKind<'_>) -> bool) -> Vec<Part<'u>> {
    let mut out = vec![];
    let mut stack = vec![place];
    while let Some(place) = stack.pop() {
        if same(&place.kind()) {
            stack.extend(place.parts().into_iter().rev().map(|(_, part)| part));
        } else {
            out.extend(operand(place));
        }
    }
    out
}

/// The definition that translators make of `context Patient`.
fn is_patient(place: ExpressionView<'_>) -> bool {
    place.referred().is_some_and(|s| s.name == "Patient")
}

/// The nearest expressions, it or below it, that a reader wants to see.
fn interesting(place: ExpressionView<'_>, rows: bool) -> Vec<Part<'_>> {
    let mut out: Vec<Part<'_>> = vec![];
    let mut stack = vec![place];
    while let Some(place) = stack.pop() {
        let wanted = match place.kind() {
            ExpressionKind::And | ExpressionKind::Or | ExpressionKind::Implies => true,
            // The patient decides by elements, which comparisons show.
            ExpressionKind::Definition(_) if is_patient(place) => continue,
            ExpressionKind::Definition(_) | ExpressionKind::Query | ExpressionKind::Retrieve(_) => {
                true
            }
            ExpressionKind::Other(name) => name == "Exists" || (name == "Not" && !rows),
            ExpressionKind::Call(_) | ExpressionKind::Constant => false,
        };
        if wanted {
            out.extend(operand(place));
        } else {
            stack.extend(place.parts().into_iter().rev().map(|(_, part)| part));
        }
        if out.len() >= TERMS {
            break;
        }
    }
    out
}
