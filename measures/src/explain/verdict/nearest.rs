//! Why a list is empty: nothing of the kind is there, or what is there fails a condition. Of what
//! fails, that is told which is nearest: it fails the fewest conditions, and came last.

use engine_elm::Expression;
use engine_elm::expressions::{ExpressionKind, ExpressionView, Role};
use engine_elm::trace::{Execution, RowTrace, holds};
use engine_elm::value::Val;

use super::super::Fact;
use super::super::resource_facts::resource_fact;
use super::when::Timing;
use super::{Cause, Near, Scope, Verdicts, terms, within};
use crate::official::null_reason::extension;

/// A row, and the conditions that it fails.
struct Miss<'w, 'u, 'a> {
    row: &'w RowTrace<'a>,
    failed: Vec<ExpressionView<'u>>,
    fact: Option<Fact>,
    /// All that it fails is a condition on time.
    timing: Option<Timing>,
}

impl<'w, 'u, 'a> Verdicts<'w, 'u, 'a> {
    /// Why a list, or what is taken of one, is empty. `name`: the definition that gives it.
    pub(super) fn empty(
        &mut self,
        place: ExpressionView<'u>,
        scope: Scope<'w, 'a>,
        name: Option<&str>,
    ) -> Vec<Cause> {
        let place = place.unconverted();
        self.further(place, |own| own.nothing(place, scope, name))
    }

    fn nothing(
        &mut self,
        place: ExpressionView<'u>,
        scope: Scope<'w, 'a>,
        name: Option<&str>,
    ) -> Vec<Cause> {
        match place.kind() {
            ExpressionKind::Definition(expression) => {
                let Some(statement) = self.libraries.statement(expression) else {
                    return vec![];
                };
                let own = Some(statement.name);
                within(
                    self.empty(statement.body, Scope::default(), own),
                    statement.name,
                )
            }
            ExpressionKind::Query => match place.extension() {
                Some((owner, url)) => {
                    let text = extension(&self.text(owner), url);
                    vec![self.cause(place, text)]
                }
                None => self.no_rows(place, scope, name),
            },
            ExpressionKind::Call(_) => self.nothing_of_a_call(place, scope, name),
            ExpressionKind::Retrieve(_) => vec![self.no_such(place, name)],
            _ => match (place.operator(), &*place.parts()) {
                ("Union", parts) => self.none_of_several(place, parts, scope, name),
                ("Intersect" | "Except", _) => vec![self.plainly_empty(place, name)],
                (_, [(_, one)]) => self.empty(*one, scope, name),
                // `Last(X)`, `X.value`: the first operand is the list.
                ("First" | "Last" | "Slice" | "Flatten", [(_, first), ..]) => {
                    self.empty(*first, scope, name)
                }
                _ => vec![self.plainly_empty(place, name)],
            },
        }
    }

    fn no_such(&mut self, place: ExpressionView<'u>, name: Option<&str>) -> Cause {
        let noun = self.named_noun(place, name);
        self.cause(place, format!("no {noun}"))
    }

    fn plainly_empty(&mut self, place: ExpressionView<'u>, name: Option<&str>) -> Cause {
        let text = match name {
            Some(name) => format!("nothing in \"{name}\""),
            None => format!("nothing in {}", self.text(place)),
        };
        self.cause(place, text)
    }

    /// Of several lists all are empty. What one of them would have found is nearer than nothing.
    fn none_of_several(
        &mut self,
        place: ExpressionView<'u>,
        parts: &[(Role<'u>, ExpressionView<'u>)],
        scope: Scope<'w, 'a>,
        name: Option<&str>,
    ) -> Vec<Cause> {
        let mut near = vec![];
        for (_, part) in parts {
            let found = self.empty(*part, scope, None);
            near.extend(
                found
                    .into_iter()
                    .filter(|cause| cause.near != Near::Nothing),
            );
        }
        match near.is_empty() {
            true => vec![self.no_such(place, name)],
            false => near,
        }
    }

    /// A function of a list: it was given none, or its query left nothing of it.
    fn nothing_of_a_call(
        &mut self,
        place: ExpressionView<'u>,
        scope: Scope<'w, 'a>,
        name: Option<&str>,
    ) -> Vec<Cause> {
        let parts = place.parts();
        let Some((_, first)) = parts.first() else {
            return vec![self.plainly_empty(place, name)];
        };
        if scope.among.is_none() && self.is_empty(*first, scope) {
            return self.empty(*first, scope, name);
        }
        let among = self.trace.of(place).map(|t| t.executions);
        if let (Some(among), None) = (among, scope.among) {
            for function in place.functions() {
                let Some(statement) = self.libraries.function_statement(function) else {
                    continue;
                };
                let body = statement.body.unconverted();
                self.decided.insert(body.address());
                if let Some(rows) = self.trace.rows(body, among) {
                    let noun = self.named_noun(*first, name);
                    return self.missed(body, rows, &noun);
                }
            }
        }
        vec![self.plainly_empty(place, name)]
    }

    fn is_empty(&self, place: ExpressionView<'u>, scope: Scope<'w, 'a>) -> bool {
        match self.value(place.unconverted(), scope) {
            Some(Val::List(items)) => items.is_empty(),
            Some(Val::Null) => true,
            _ => false,
        }
    }

    fn no_rows(
        &mut self,
        place: ExpressionView<'u>,
        scope: Scope<'w, 'a>,
        name: Option<&str>,
    ) -> Vec<Cause> {
        let parts = place.parts();
        let sources = parts.iter().filter(|(r, _)| matches!(r, Role::Source(_)));
        let sources: Vec<ExpressionView<'u>> = sources.map(|(_, part)| *part).collect();
        if scope.among.is_none() {
            for source in &sources {
                if self.is_empty(*source, scope) {
                    return self.empty(*source, scope, name);
                }
            }
        }
        let own = self.trace.of(place).map(|t| t.executions);
        // Its own evaluation is the one before its operands'.
        let rows = scope.among.or(own).and_then(|a| self.trace.rows(place, a));
        let Some(rows) = rows else {
            return vec![self.plainly_empty(place, name)];
        };
        let noun = match sources.first() {
            Some(source) => self.named_noun(*source, name),
            None => self.text(place),
        };
        self.missed(place, rows, &noun)
    }

    /// What was left out of a list that is not empty: the episodes that do not count.
    pub fn left_out(&mut self, expression: Expression) -> Vec<Cause> {
        let Some(statement) = self.libraries.statement(expression) else {
            return vec![];
        };
        let query = statement.body.unconverted();
        let own = self.trace.of(query).map(|t| t.executions);
        let Some(rows) = own.and_then(|own| self.trace.rows(query, own)) else {
            return vec![];
        };
        let noun = format!("\"{}\"", statement.name);
        match rows.rows.iter().any(|row| row.met != Some(true)) {
            true => within(self.missed(query, rows, &noun), statement.name),
            false => vec![],
        }
    }

    /// What the rows of a query failed.
    fn missed(
        &mut self,
        query: ExpressionView<'u>,
        rows: &'w Execution<'a>,
        noun: &str,
    ) -> Vec<Cause> {
        let mut misses: Vec<Miss<'w, 'u, 'a>> = vec![];
        for row in rows.rows.iter().filter(|row| row.met != Some(true)) {
            let failed = self.failed(query, row);
            let scope = Scope {
                row: Some(row),
                among: None,
            };
            let times: Vec<Option<Timing>> =
                failed.iter().map(|f| self.timing(*f, scope)).collect();
            let all: Option<Vec<Timing>> = times.into_iter().collect();
            misses.push(Miss {
                row,
                failed,
                fact: row.items.first().and_then(resource_fact),
                timing: all.and_then(|t| t.into_iter().next()),
            });
        }
        let on_time: Vec<&Miss<'w, 'u, 'a>> =
            misses.iter().filter(|m| m.timing.is_some()).collect();
        if let Some(cause) = self.outside(query, &on_time, noun) {
            return vec![cause];
        }
        let nearest = misses.iter().min_by(|a, b| {
            let dates = |m: &Miss<'w, 'u, 'a>| m.fact.as_ref().and_then(|f| f.date.clone());
            let fewer = a.failed.len().cmp(&b.failed.len());
            fewer.then_with(|| dates(b).cmp(&dates(a)))
        });
        match nearest {
            Some(miss) => vec![self.near(query, miss, noun, misses.len())],
            None => vec![self.no_such(query, None)],
        }
    }

    /// The conditions that a row fails.
    fn failed(&self, query: ExpressionView<'u>, row: &'w RowTrace<'a>) -> Vec<ExpressionView<'u>> {
        let mut out = vec![];
        for (role, part) in query.parts() {
            if role != Role::Where {
                continue;
            }
            for term in terms(part, |kind| matches!(kind, ExpressionKind::And)) {
                // One that was not evaluated for a row decided nothing of it.
                if let Some(value) = row.value_of(term)
                    && holds(&value) != Some(true)
                {
                    out.push(term);
                }
            }
        }
        out
    }

    /// What fails nothing but a time: `no X in 2020; last 2019-04-28`.
    fn outside(
        &mut self,
        query: ExpressionView<'u>,
        misses: &[&Miss<'w, 'u, 'a>],
        noun: &str,
    ) -> Option<Cause> {
        let timed = misses.iter().filter_map(|m| Some((*m, m.timing.as_ref()?)));
        let timed: Vec<(&Miss<'w, 'u, 'a>, &Timing)> = timed.collect();
        let unknown = timed.iter().find(|(_, t)| t.unknown);
        let before = timed.iter().filter(|(_, t)| t.day < t.from);
        let after = timed.iter().filter(|(_, t)| t.day >= t.from);
        let last = before.max_by(|(_, a), (_, b)| a.day.cmp(&b.day));
        let next = after.min_by(|(_, a), (_, b)| a.day.cmp(&b.day));
        let (word, (miss, timing)) = match (unknown, last, next) {
            (Some(unknown), ..) => ("", unknown),
            (None, Some(last), _) => ("last", last),
            (None, None, Some(next)) => ("next", next),
            (None, None, None) => return None,
        };
        let (words, day) = (&timing.words, &timing.day);
        let of = miss.fact.as_ref().map(Fact::short_without_date);
        let of = of.map_or_else(String::new, |of| format!(" ({of})"));
        let text = match timing.unknown {
            true => format!("{noun} {words} cannot be told: {day}{of}"),
            false => format!("no {noun} {words}; {word} {day}{of}"),
        };
        for failed in &miss.failed {
            self.decided.insert(failed.address());
        }
        let place = miss.failed.first().copied().unwrap_or(query);
        let mut cause = self.cause(place, text);
        cause.facts = miss.fact.clone().into_iter().collect();
        cause.near = Near::Miss;
        Some(cause)
    }

    /// What fails something else: what that is, of the nearest.
    fn near(
        &mut self,
        query: ExpressionView<'u>,
        miss: &Miss<'w, 'u, 'a>,
        noun: &str,
        of: usize,
    ) -> Cause {
        let scope = Scope {
            row: Some(miss.row),
            among: None,
        };
        let reasons: Vec<String> = match miss.failed.is_empty() {
            true => vec![self.partner(query)],
            false => {
                let failed = miss.failed.iter();
                let causes = failed.flat_map(|f| self.why_not(*f, scope));
                causes.map(|c| c.text).collect()
            }
        };
        let reasons = reasons.join(" and ");
        let nearest = match of {
            1 => String::new(),
            n => format!("nearest of {n}, "),
        };
        let code = miss.fact.as_ref().and_then(|fact| fact.code.as_deref());
        let about = match (&miss.fact, code) {
            // The reason begins with it.
            (_, Some(code)) if reasons.starts_with(code) => String::new(),
            (Some(fact), _) => format!("{}: ", fact.short()),
            (None, _) => String::new(),
        };
        let text = format!("no {noun}; {nearest}{about}{reasons}");
        let place = miss.failed.first().copied().unwrap_or(query);
        let mut cause = self.cause(place, text);
        cause.facts = miss.fact.clone().into_iter().collect();
        cause.near = match miss.failed.is_empty() {
            true => Near::Partner,
            false => Near::Miss,
        };
        cause
    }

    /// What a `with` did not find, or a `without` did.
    fn partner(&mut self, query: ExpressionView<'u>) -> String {
        for (role, part) in query.parts() {
            match role {
                Role::With(_) => {
                    self.decided.insert(part.address());
                    let noun = self.partner_noun(part);
                    return format!("no {noun} with it");
                }
                Role::Without(_) => {
                    self.decided.insert(part.address());
                    let noun = self.partner_noun(part);
                    return format!("it has {noun} with it");
                }
                _ => {}
            }
        }
        "its conditions do not hold".to_owned()
    }

    fn partner_noun(&self, place: ExpressionView<'u>) -> String {
        let named = place.unconverted().referred().map(|s| s.name);
        match named {
            Some(name) => format!("\"{name}\""),
            None => self.noun(place),
        }
    }
}
