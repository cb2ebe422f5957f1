//! The answer in plain words: in, out, excluded or not to be told, and what decided it.
//!
//! ```text
//! criterion ─┬─ false ── why_not: the parts that fail ──┐
//!            ├─ true ─── why: the parts that hold ──────┼─▶ Cause: "no Encounter of … in 2020; last 2019-04-28"
//!            └─ null ─── unknown: what is missing ──────┘
//! query without rows ── nearest: rows that were looked at, and what each of them failed
//! ```
//!
//! Nothing is said that the evaluation did not see: the values are those of the trace.

mod compare;
mod group;
mod holds;
mod misses;
mod nearest;
mod noun;
mod partner;
#[cfg(test)]
mod tests;
mod when;

use std::collections::HashSet;

use engine_elm::CompiledLibraries;
use engine_elm::expressions::{ExpressionKind, ExpressionView};
use engine_elm::trace::{RowTrace, Trace, holds};
use engine_elm::value::Val;
use serde::Serialize;

use super::clause_text::ClauseTexts;
use super::{Fact, Outcome, Period};

pub use group::{dependent, of_group, of_population, words};

/// What a population or group came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    In,
    Out,
    Excluded,
    Exception,
    #[default]
    Unknown,
}

/// The answer, and what decided it.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    pub status: Status,
    /// One line.
    pub text: String,
    /// What decided it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Cause>,
    /// The line without the answer it begins with.
    #[serde(skip)]
    told: String,
}

/// A part that decided.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// In plain words.
    pub text: String,
    /// The definition that it stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locator: Option<String>,
    /// The resources that it is about, or the nearest to what was looked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
    /// How near it was to the other outcome.
    #[serde(skip)]
    near: Near,
    /// Another way to the same, further off: only counted on the line.
    #[serde(skip)]
    aside: bool,
    /// It may be otherwise: what it rests on cannot be compared or is not known.
    #[serde(skip)]
    unsure: bool,
}

/// How near something came: what is nearest is said first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
enum Near {
    /// All that was missing is something that goes with it.
    Partner,
    /// A value that was compared.
    Value,
    /// Something of the kind that failed a condition.
    Miss,
    /// Something that was not to be there.
    Present,
    #[default]
    Nothing,
}

/// Most causes that are said on one line, and most that are kept.
const SAID: usize = 3;
const KEPT: usize = 12;
/// Deepest way from a criterion to what decided it.
const DEPTH: usize = 60;

/// Finds what decided the criteria of a measure.
pub struct Verdicts<'w, 'u, 'a> {
    libraries: &'u CompiledLibraries,
    trace: &'w Trace<'a>,
    texts: &'w ClauseTexts,
    period: Period,
    /// The expressions on the way to what decided, by address: the tree shows them whatever its depth.
    pub decided: HashSet<usize>,
    depth: usize,
}

/// Where values are looked up: those of one row, or the last of all.
#[derive(Clone, Copy, Default)]
struct Scope<'w, 'a> {
    row: Option<&'w RowTrace<'a>>,
    /// Evaluations of queries among which the one that is meant is the last: those of a call.
    among: Option<(usize, usize)>,
}

impl<'w, 'u, 'a> Verdicts<'w, 'u, 'a> {
    pub fn new(
        libraries: &'u CompiledLibraries,
        trace: &'w Trace<'a>,
        texts: &'w ClauseTexts,
        period: Period,
    ) -> Self {
        Verdicts {
            libraries,
            trace,
            texts,
            period,
            decided: HashSet::new(),
            depth: 0,
        }
    }

    fn value(&self, place: ExpressionView<'u>, scope: Scope<'w, 'a>) -> Option<Val<'a>> {
        if let Some(row) = scope.row {
            return row.value_of(place);
        }
        if let ExpressionKind::Definition(expression) = place.kind() {
            return self.trace.value_of(expression);
        }
        // Within a function the last value may be that of another call.
        match scope.among {
            Some(_) => None,
            None => self.trace.of(place).map(|t| t.last),
        }
    }

    fn outcome(&self, place: ExpressionView<'u>, scope: Scope<'w, 'a>) -> Outcome {
        match self.value(place, scope) {
            None => Outcome::NotEvaluated,
            Some(value) => Outcome::of(holds(&value)),
        }
    }

    /// The text of an expression, short enough to stand within a line.
    fn text(&self, place: ExpressionView<'u>) -> String {
        // What a query without an alias is about goes without saying.
        super::clause_text::brief(place, self.texts).replace("$this.", "")
    }

    /// A cause that stands at an expression.
    fn cause(&mut self, place: ExpressionView<'u>, text: String) -> Cause {
        self.decided.insert(place.address());
        let clause = place.clause();
        Cause {
            text,
            local_id: clause.map(|c| c.local_id.to_string()),
            locator: clause.and_then(|c| c.locator.as_deref().map(str::to_owned)),
            ..Cause::default()
        }
    }

    /// What is said where the cause cannot be put more plainly.
    fn plainly(&mut self, place: ExpressionView<'u>, scope: Scope<'w, 'a>) -> Cause {
        let outcome = match self.outcome(place, scope) {
            Outcome::True => "holds",
            Outcome::False => "does not hold",
            // An element of a resource.
            Outcome::Unknown if place.name() == "Property" => "is not there",
            Outcome::Unknown => "cannot be told",
            Outcome::NotEvaluated => "was not evaluated",
        };
        let unsure = outcome == "cannot be told";
        let text = format!("{} {outcome}", self.text(place));
        Cause {
            unsure,
            ..self.cause(place, text)
        }
    }

    /// Goes on to an expression, unless the way is too long.
    fn further(
        &mut self,
        place: ExpressionView<'u>,
        go: impl FnOnce(&mut Self) -> Vec<Cause>,
    ) -> Vec<Cause> {
        self.decided.insert(place.address());
        if self.depth >= DEPTH {
            return vec![];
        }
        self.depth += 1;
        let mut found = go(self);
        self.depth -= 1;
        found.truncate(KEPT);
        found
    }

    /// Why it is not true: false, nothing in it, or not to be told.
    fn why_not(&mut self, place: ExpressionView<'u>, scope: Scope<'w, 'a>) -> Vec<Cause> {
        let place = place.unconverted();
        self.further(place, |own| own.failing(place, scope))
    }

    fn failing(&mut self, place: ExpressionView<'u>, scope: Scope<'w, 'a>) -> Vec<Cause> {
        if let (Some(Val::Null), None) = (self.value(place, scope), scope.row)
            && !self.is_list(place)
        {
            return self.unknown(place, scope);
        }
        match place.kind() {
            ExpressionKind::Definition(expression) => {
                let Some(statement) = self.libraries.statement(expression) else {
                    return vec![];
                };
                let causes = match self.is_list(statement.body) {
                    true => self.empty(statement.body, Scope::default(), Some(statement.name)),
                    false => self.why_not(statement.body, Scope::default()),
                };
                within(causes, statement.name)
            }
            ExpressionKind::And => {
                let terms = terms(place, |kind| matches!(kind, ExpressionKind::And));
                let failed = |own: &Self, wanted| -> Vec<ExpressionView<'u>> {
                    let all = terms.iter().copied();
                    all.filter(|t| own.outcome(t.unconverted(), scope) == wanted)
                        .collect()
                };
                let mut chosen = failed(self, Outcome::False);
                if chosen.is_empty() {
                    chosen = failed(self, Outcome::Unknown);
                }
                let all = chosen.into_iter();
                all.flat_map(|term| self.why_not(term, scope)).collect()
            }
            ExpressionKind::Or => {
                let terms = terms(place, |kind| matches!(kind, ExpressionKind::Or));
                let told: Vec<Vec<Cause>> = terms
                    .into_iter()
                    .map(|term| self.why_not(term, scope))
                    .collect();
                alternatives(told)
            }
            ExpressionKind::Implies => {
                let parts = place.parts();
                let mut causes = vec![];
                if let Some((_, first)) = parts.first() {
                    causes.extend(self.why(*first, scope));
                }
                if let Some((_, second)) = parts.get(1) {
                    causes.extend(self.why_not(*second, scope));
                }
                causes
            }
            _ => match (place.operator(), &*place.parts()) {
                ("Not", [(_, inner)])
                    if self.outcome(inner.unconverted(), scope) == Outcome::Unknown =>
                {
                    self.unknown(*inner, scope)
                }
                ("Not", [(_, inner)]) => self.why(*inner, scope),
                ("Exists", [(_, list)]) if scope.row.is_none() => self.empty(*list, scope, None),
                ("IsNull", [(_, inner)]) => {
                    let text = self.present(*inner, scope);
                    let mut cause = self.cause(place, text);
                    cause.facts = self.facts_of(*inner, scope);
                    cause.near = Near::Present;
                    vec![cause]
                }
                _ if self.is_list(place) && scope.row.is_none() => self.empty(place, scope, None),
                _ => self.incomparable(place, scope),
            },
        }
    }

    /// What a comparison that does not hold compared, or why there is nothing to compare.
    fn incomparable(&mut self, place: ExpressionView<'u>, scope: Scope<'w, 'a>) -> Vec<Cause> {
        let nothing = self.nothing_to_compare(place, scope);
        if !nothing.is_empty() {
            return nothing;
        }
        match self.compared(place, scope, false) {
            Some(cause) => vec![cause],
            None => vec![self.plainly(place, scope)],
        }
    }

    /// Why it cannot be told.
    fn unknown(&mut self, place: ExpressionView<'u>, scope: Scope<'w, 'a>) -> Vec<Cause> {
        let place = place.unconverted();
        match place.kind() {
            ExpressionKind::Definition(expression) => {
                let Some(statement) = self.libraries.statement(expression) else {
                    return vec![];
                };
                let found =
                    self.further(place, |own| own.unknown(statement.body, Scope::default()));
                within(found, statement.name)
            }
            // Its list of extensions may be null itself.
            ExpressionKind::Query if place.extension().is_some() => {
                self.further(place, |own| own.empty(place, scope, None))
            }
            ExpressionKind::And | ExpressionKind::Or | ExpressionKind::Implies => {
                let parts = place.parts().into_iter().map(|(_, part)| part);
                let unknown: Vec<_> = parts
                    .filter(|p| self.outcome(p.unconverted(), scope) == Outcome::Unknown)
                    .collect();
                let mut out = vec![];
                for part in unknown {
                    out.extend(self.further(place, |own| own.unknown(part, scope)));
                }
                out
            }
            _ => {
                if let ("Not", [(_, inner)]) = (place.operator(), &*place.parts()) {
                    let inner = *inner;
                    return self.further(place, |own| own.unknown(inner, scope));
                }
                if scope.row.is_none()
                    && scope.among.is_none()
                    && let Some(found) = self.null_operand(place)
                {
                    return found;
                }
                self.incomparable(place, scope)
            }
        }
    }

    /// Why the operand is null that makes an operator, a call or an element null.
    fn null_operand(&mut self, place: ExpressionView<'u>) -> Option<Vec<Cause>> {
        let kind = place.kind();
        if matches!(kind, ExpressionKind::Query | ExpressionKind::Retrieve(_)) {
            return None;
        }
        let scope = Scope::default();
        let parts = place.parts().into_iter().map(|(_, part)| part);
        let parts: Vec<ExpressionView<'u>> = parts.collect();
        let mut found = vec![];
        for part in &parts {
            if matches!(self.value(part.unconverted(), scope), Some(Val::Null)) {
                found.extend(self.further(place, |own| own.unknown(*part, scope)));
            }
        }
        if !found.is_empty() {
            return Some(found);
        }
        let mut lists = parts.into_iter();
        let empty = lists
            .find(|part| matches!(self.value(part.unconverted(), scope), Some(Val::List([]))))?;
        Some(self.further(place, |own| own.empty(empty, scope, None)))
    }

    /// Whether an expression gives a list, or would.
    fn is_list(&self, place: ExpressionView<'u>) -> bool {
        let place = place.unconverted();
        if let Some(value) = self.value(place, Scope::default()) {
            match value {
                Val::List(_) => return true,
                Val::Null => {}
                _ => return false,
            }
        }
        matches!(
            place.kind(),
            ExpressionKind::Retrieve(_) | ExpressionKind::Query
        ) || matches!(
            place.operator(),
            "Union" | "Intersect" | "Except" | "First" | "Last" | "SingletonFrom"
        )
    }
}

/// With the definition that they stand in, where none nearer is known.
fn within(causes: Vec<Cause>, name: &str) -> Vec<Cause> {
    let all = causes.into_iter().map(|mut cause| {
        cause.definition.get_or_insert_with(|| name.to_owned());
        cause
    });
    all.collect()
}

/// What is said of alternatives none of which holds. The one that fails the fewest conditions comes
/// first, and of those the one that came nearest.
fn alternatives(mut told: Vec<Vec<Cause>>) -> Vec<Cause> {
    let nearest = |causes: &Vec<Cause>| causes.iter().map(|c| c.near).max();
    // One that cannot be told decides before those that fail for sure.
    let sure = |causes: &Vec<Cause>| {
        let mut said = causes.iter().filter(|c| !c.aside).peekable();
        said.peek().is_none() || said.any(|c| !c.unsure)
    };
    told.sort_by_key(|causes| (sure(causes), causes.len(), nearest(causes)));
    let rank = |causes: &Vec<Cause>| (sure(causes), causes.len(), nearest(causes));
    let best = told.first().map(rank);
    for causes in &mut told {
        let aside = Some(rank(causes)) != best;
        causes.iter_mut().for_each(|cause| cause.aside |= aside);
    }
    let mut out: Vec<Cause> = vec![];
    for cause in told.into_iter().flatten() {
        // That a value is there says no more than what it is.
        let known = |other: &Cause| !cause.facts.is_empty() && other.facts == cause.facts;
        if cause.near == Near::Present && out.iter().any(known) {
            continue;
        }
        out.push(cause);
    }
    out
}

/// The terms of `a and b and c`.
fn terms<'u>(
    place: ExpressionView<'u>,
    same: fn(&ExpressionKind<'_>) -> bool,
) -> Vec<ExpressionView<'u>> {
    let mut out = vec![];
    let mut stack = vec![place];
    while let Some(place) = stack.pop() {
        match same(&place.kind()) {
            true => stack.extend(place.parts().into_iter().rev().map(|(_, part)| part)),
            false => out.push(place),
        }
    }
    out
}

/// Causes on one line.
fn joined(causes: &[Cause]) -> String {
    let mut said: Vec<&str> = vec![];
    for cause in causes.iter().filter(|cause| !cause.aside) {
        if !said.contains(&cause.text.as_str()) {
            said.push(&cause.text);
        }
    }
    let more = said.len().saturating_sub(SAID);
    said.truncate(SAID);
    let mut line = said.join("; ");
    if more > 0 {
        line.push_str(&format!("; and {more} more"));
    }
    line
}
