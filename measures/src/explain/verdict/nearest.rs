//! Why a list is empty: nothing of the kind is there, or what is there fails a condition.

use engine_elm::Expression;
use engine_elm::expressions::{ExpressionKind, ExpressionView, Role};
use engine_elm::trace::{Execution, RowTrace};
use engine_elm::value::Val;

use super::super::Fact;
use super::super::resource_facts::resource_fact;
use super::misses::kept;
use super::{Cause, Near, Scope, Verdicts, within};
use crate::official::null_reason::extension;

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

    pub(super) fn no_such(&mut self, place: ExpressionView<'u>, name: Option<&str>) -> Cause {
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

    /// Why these resources are not in a list that has others, or would.
    pub fn left_out(&mut self, expression: Expression, open: &[Fact]) -> Vec<Cause> {
        let Some(statement) = self.libraries.statement(expression) else {
            return vec![];
        };
        let query = statement.body.unconverted();
        let noun = format!("\"{}\"", statement.name);
        let is_open = |row: &RowTrace<'a>| {
            let fact = row.items.first().and_then(resource_fact);
            let id = fact.and_then(|f| f.resource);
            id.is_some() && open.iter().any(|o| o.resource == id)
        };
        let own = self.trace.of(query).map(|t| t.executions);
        if let Some(rows) = own.and_then(|own| self.trace.rows(query, own)) {
            let missed: Vec<&'w RowTrace<'a>> = rows
                .rows
                .iter()
                .filter(|row| row.met != Some(true) && is_open(row))
                .collect();
            if !missed.is_empty() {
                let mut told = self.missed_of(query, &missed, kept(rows), &noun);
                for cause in &mut told {
                    // Others may be in it.
                    if let Some(rest) = cause.text.strip_prefix("no ") {
                        cause.text = format!("not in {rest}");
                    }
                }
                return within(told, statement.name);
            }
        }
        // Which of its conditions they fail is not known: only that they are not in it.
        let first = open.iter().max_by(|a, b| a.date.cmp(&b.date));
        let first = first.map_or_else(String::new, Fact::short);
        let more = match open.len().saturating_sub(1) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let mut cause = self.cause(query, format!("not in {noun}: {first}{more}"));
        cause.facts = open.to_vec();
        within(vec![cause], statement.name)
    }

    /// What the rows of a query failed.
    fn missed(
        &mut self,
        query: ExpressionView<'u>,
        rows: &'w Execution<'a>,
        noun: &str,
    ) -> Vec<Cause> {
        let failed = rows.rows.iter().filter(|row| row.met != Some(true));
        let failed: Vec<&'w RowTrace<'a>> = failed.collect();
        self.missed_of(query, &failed, kept(rows), noun)
    }
}
