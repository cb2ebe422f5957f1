//! Why a list is empty: nothing of the kind is there, or what is there fails a condition. Of what
//! fails, that is told which is nearest: it fails the fewest conditions, and came last.

use engine_elm::Expression;
use engine_elm::expressions::{ExpressionKind, ExpressionView, Role};
use engine_elm::trace::{Execution, RowTrace, holds};
use engine_elm::value::Val;

use super::super::Fact;
use super::super::resource_facts::resource_fact;
use super::when::{Side, Timing};
use super::{Cause, Near, SAID, Scope, Verdicts, terms, within};
use crate::official::null_reason::extension;

/// A row, and the conditions that it fails.
struct Miss<'w, 'u, 'a> {
    row: &'w RowTrace<'a>,
    failed: Vec<ExpressionView<'u>>,
    fact: Option<Fact>,
    /// All that it fails is a condition on time.
    timing: Option<Timing>,
    /// It fails no condition on time.
    on_time: bool,
}

/// What the rows of a query are called, and how many there are.
struct Looked<'n> {
    noun: &'n str,
    /// How many failed.
    of: usize,
    /// How many were kept, where there were more.
    cut: Option<usize>,
}

impl Looked<'_> {
    /// That there is none, and no more than what was looked at says.
    fn none(&self, words: &str, in_doubt: bool) -> String {
        let noun = self.noun;
        let gap = if words.is_empty() { "" } else { " " };
        match (self.cut, in_doubt) {
            (Some(kept), _) => {
                format!("{noun}: of the first {kept} looked at none{gap}{words} counts")
            }
            (None, true) => format!("{noun}{gap}{words} cannot be told"),
            // All of a kind are there: it is not true that there is none.
            (None, false) if words.is_empty() && !noun.contains('"') => match self.of {
                1 => format!("no {noun} counts"),
                n => format!("none of {n} {noun} counts"),
            },
            (None, false) => format!("no {noun}{gap}{words}"),
        }
    }
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
                let told = self.missed_of(query, &missed, kept(rows), &noun);
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

    fn missed_of(
        &mut self,
        query: ExpressionView<'u>,
        rows: &[&'w RowTrace<'a>],
        cut: Option<usize>,
        noun: &str,
    ) -> Vec<Cause> {
        // Where one cannot be told, those that fail for sure decide nothing.
        let doubtful = |row: &RowTrace<'a>| row.met.is_none() && row.in_doubt;
        let in_doubt = rows.iter().any(|row| doubtful(row));
        let looked = Looked {
            noun,
            of: rows.len(),
            cut,
        };
        let mut misses: Vec<Miss<'w, 'u, 'a>> = vec![];
        for row in rows.iter().copied().filter(|r| !in_doubt || doubtful(r)) {
            let failed = self.failed(query, row);
            let scope = Scope {
                row: Some(row),
                among: None,
            };
            let times: Vec<Option<Timing>> =
                failed.iter().map(|f| self.timing(*f, scope)).collect();
            let on_time = times.iter().all(Option::is_none);
            let all: Option<Vec<Timing>> = times.into_iter().collect();
            misses.push(Miss {
                on_time,
                row,
                failed,
                fact: row.items.first().and_then(resource_fact),
                timing: all.and_then(|t| t.into_iter().next()),
            });
        }
        // What is there at the time that was asked for is nearer than what is not.
        let timed = misses.iter().any(|m| m.timing.is_some());
        let at_the_time = timed && misses.iter().any(|m| m.on_time);
        if !at_the_time {
            let off: Vec<&Miss<'w, 'u, 'a>> =
                misses.iter().filter(|m| m.timing.is_some()).collect();
            if let Some(cause) = self.outside(query, &off, &looked) {
                let asked = off.iter().find_map(|m| m.timing.as_ref());
                let dropped = asked.filter(|_| !cause.unsure).and_then(|asked| {
                    let parts = query.parts();
                    let sources = parts.iter().filter(|(r, _)| matches!(r, Role::Source(_)));
                    let mut sources = sources.map(|(_, part)| *part);
                    sources.find_map(|source| self.dropped(source, asked, noun))
                });
                return dropped.unwrap_or_else(|| vec![cause]);
            }
        }
        let candidates = misses.iter().filter(|m| !at_the_time || m.on_time);
        let nearest = candidates.min_by(|a, b| {
            let dates = |m: &Miss<'w, 'u, 'a>| m.fact.as_ref().and_then(|f| f.date.clone());
            let fewer = a.failed.len().cmp(&b.failed.len());
            fewer.then_with(|| dates(b).cmp(&dates(a)))
        });
        match nearest {
            Some(miss) => vec![self.near(query, miss, &looked)],
            None if cut.is_some() => vec![self.cause(query, looked.none("", false))],
            None => vec![self.no_such(query, None)],
        }
    }

    /// What a query within a source left out though it is of the time that was asked for.
    fn dropped(
        &mut self,
        source: ExpressionView<'u>,
        asked: &Timing,
        noun: &str,
    ) -> Option<Vec<Cause>> {
        let mut stack = vec![source];
        while let Some(place) = stack.pop() {
            let place = place.unconverted();
            let among = self.trace.of(place).map(|t| t.executions);
            let query = match (place.kind(), place.operator()) {
                (ExpressionKind::Query, _) => Some(place),
                (ExpressionKind::Call(_), _) => {
                    let functions = place.functions();
                    let mut bodies = functions.filter_map(|f| self.libraries.function_statement(f));
                    bodies.find_map(|s| {
                        let body = s.body.unconverted();
                        self.trace.rows(body, among?).map(|_| body)
                    })
                }
                (_, "Union") => {
                    stack.extend(place.parts().into_iter().rev().map(|(_, part)| part));
                    None
                }
                _ => None,
            };
            let Some((query, rows)) = query.and_then(|q| Some((q, self.trace.rows(q, among?)?)))
            else {
                continue;
            };
            let of_the_time = |row: &&RowTrace<'a>| {
                let fact = row.items.first().and_then(resource_fact);
                let date = fact.and_then(|f| f.date);
                row.met != Some(true) && date.is_some_and(|date| asked.is_in(&date))
            };
            let left_out: Vec<&'w RowTrace<'a>> = rows.rows.iter().filter(of_the_time).collect();
            if !left_out.is_empty() {
                return Some(self.missed_of(query, &left_out, kept(rows), noun));
            }
        }
        None
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
        looked: &Looked<'_>,
    ) -> Option<Cause> {
        let timed = misses.iter().filter_map(|m| Some((*m, m.timing.as_ref()?)));
        let timed: Vec<(&Miss<'w, 'u, 'a>, &Timing)> = timed.collect();
        let unknown = timed.iter().find(|(_, t)| t.unknown);
        let on = |side: Side| timed.iter().filter(move |(_, t)| t.side == side);
        let across = on(Side::Across).next_back();
        let last = on(Side::Before).max_by(|(_, a), (_, b)| a.end.cmp(&b.end));
        let next = on(Side::After).min_by(|(_, a), (_, b)| a.start.cmp(&b.start));
        let (word, (miss, timing)) = match (unknown, across, last, next) {
            (Some(unknown), ..) => ("", unknown),
            (None, Some(across), ..) => ("nearest", across),
            (None, None, Some(last), _) => ("last", last),
            (None, None, None, Some(next)) => ("next", next),
            (None, None, None, None) => return None,
        };
        let (mut words, said) = (timing.words.clone(), &timing.said);
        if word == "nearest" && timing.wholly && timing.start != timing.end {
            words = format!("wholly {words}");
        }
        let of = miss.fact.as_ref().map(Fact::short_without_date);
        let of = of.map_or_else(String::new, |of| format!(" ({of})"));
        let head = looked.none(&words, timing.unknown);
        let text = match timing.unknown {
            true => format!("{head}: {said}{of}"),
            false => format!("{head}; {word} {said}{of}"),
        };
        for failed in &miss.failed {
            self.decided.insert(failed.address());
        }
        let place = miss.failed.first().copied().unwrap_or(query);
        let mut cause = self.cause(place, text);
        cause.facts = miss.fact.clone().into_iter().collect();
        cause.near = Near::Miss;
        cause.unsure = timing.unknown;
        Some(cause)
    }

    /// What fails something else: what that is, of the nearest.
    fn near(
        &mut self,
        query: ExpressionView<'u>,
        miss: &Miss<'w, 'u, 'a>,
        looked: &Looked<'_>,
    ) -> Cause {
        let scope = Scope {
            row: Some(miss.row),
            among: None,
        };
        let in_doubt = miss.row.met.is_none() && miss.row.in_doubt;
        let reasons: Vec<String> = match miss.failed.is_empty() {
            true if looked.cut.is_some() => vec!["its conditions do not hold".to_owned()],
            true => self.partner(query, miss.row),
            false => {
                let failed = miss.failed.iter();
                let causes = failed.flat_map(|f| self.why_not(*f, scope));
                let causes = causes.filter(|cause| !cause.aside);
                causes
                    .map(
                        |c| match (in_doubt, c.text.strip_suffix(" does not hold")) {
                            (true, Some(what)) => format!("{what} cannot be told"),
                            _ => c.text,
                        },
                    )
                    .collect()
            }
        };
        let reasons = both(&reasons);
        let nearest = match looked.of {
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
        let none = looked.none("", in_doubt);
        let text = format!("{none}; {nearest}{about}{reasons}");
        let place = miss.failed.first().copied().unwrap_or(query);
        let mut cause = self.cause(place, text);
        cause.facts = miss.fact.clone().into_iter().collect();
        cause.unsure = in_doubt;
        cause.near = match miss.failed.is_empty() {
            true => Near::Partner,
            false => Near::Miss,
        };
        cause
    }

    /// What a `with` did not find, or a `without` did.
    fn partner(&mut self, query: ExpressionView<'u>, row: &'w RowTrace<'a>) -> Vec<String> {
        let parts = query.parts();
        for pair in parts.windows(2) {
            let [(role, source), (Role::SuchThat, such_that)] = pair else {
                continue;
            };
            // One that was not looked at decided nothing.
            let Some(partners) = self.trace.partners(*such_that, row) else {
                continue;
            };
            let noun = self.partner_noun(*source);
            let found = partners.rows.iter().find(|p| p.met == Some(true));
            let unsure = partners.rows.iter().any(|p| p.in_doubt);
            match (role, found) {
                (Role::With(_), None) if partners.rows.is_empty() && !partners.cut => {
                    self.decided.insert(source.address());
                    return vec![format!("no {noun} with it")];
                }
                (Role::With(alias), None) => return self.unfit(alias, *such_that, partners, &noun),
                (Role::With(_), Some(_)) if unsure => {
                    self.decided.insert(such_that.address());
                    return vec![format!("whether {noun} goes with it cannot be told")];
                }
                (Role::Without(_), Some(partner)) => {
                    self.decided.insert(such_that.address());
                    let fact = partner.items.first().and_then(resource_fact);
                    let fact = fact.map_or_else(String::new, |f| format!(": {}", f.short()));
                    return vec![format!("it has {noun} with it{fact}")];
                }
                (Role::Without(_), None) if unsure => {
                    self.decided.insert(such_that.address());
                    return vec![format!("whether {noun} goes with it cannot be told")];
                }
                _ => {}
            }
        }
        vec!["its conditions do not hold".to_owned()]
    }

    /// Partners are there, and fail what they must fulfil: what, of the nearest.
    fn unfit(
        &mut self,
        alias: &str,
        such_that: ExpressionView<'u>,
        partners: &'w Execution<'a>,
        noun: &str,
    ) -> Vec<String> {
        let failing = |partner: &RowTrace<'a>| -> Vec<ExpressionView<'u>> {
            let all = terms(such_that, |kind| matches!(kind, ExpressionKind::And));
            let failed = all.into_iter().filter(|term| {
                let value = partner.value_of(*term);
                value.is_some_and(|value| holds(&value) != Some(true))
            });
            failed.collect()
        };
        let all = partners.rows.iter().map(|p| (p, failing(p)));
        let all = all.filter(|(_, failed)| !failed.is_empty());
        let date = |p: &RowTrace<'a>| {
            let fact = p.items.first().and_then(resource_fact);
            fact.and_then(|f| f.date)
        };
        let nearest = all.min_by(|(a, fewer), (b, more)| {
            let fewer = fewer.len().cmp(&more.len());
            fewer.then_with(|| date(b).cmp(&date(a)))
        });
        let Some((partner, failed)) = nearest else {
            self.decided.insert(such_that.address());
            return vec![format!("no {noun} that fits it")];
        };
        let scope = Scope {
            row: Some(partner),
            among: None,
        };
        let own = failed.iter().any(|f| self.text(*f).contains(alias));
        let causes = failed.iter().flat_map(|f| self.why_not(*f, scope));
        let causes: Vec<Cause> = causes.filter(|cause| !cause.aside).collect();
        let reasons: Vec<String> = causes.into_iter().map(|c| c.text).collect();
        if !own {
            // It fails by itself, whatever the partner.
            return reasons;
        }
        let nearest = match partners.rows.len() {
            1 => String::new(),
            n => format!("nearest of {n}, "),
        };
        let fact = partner.items.first().and_then(resource_fact);
        let fact = fact.map_or_else(String::new, |f| format!("{}: ", f.short()));
        let reasons = both(&reasons);
        vec![format!("no {noun} that fits it ({nearest}{fact}{reasons})")]
    }

    fn partner_noun(&self, place: ExpressionView<'u>) -> String {
        let named = place.unconverted().referred().map(|s| s.name);
        match named {
            Some(name) => format!("\"{name}\""),
            None => self.noun(place),
        }
    }
}

/// How many rows there are, where more were looked at than were kept.
fn kept(rows: &Execution<'_>) -> Option<usize> {
    rows.cut.then_some(rows.rows.len())
}

/// Reasons that hold together, each once.
fn both(reasons: &[String]) -> String {
    let mut said: Vec<&str> = vec![];
    for reason in reasons {
        if !said.contains(&reason.as_str()) {
            said.push(reason);
        }
    }
    let more = said.len().saturating_sub(SAID);
    said.truncate(SAID);
    let line = said.join(" and ");
    match more {
        0 => line,
        n => format!("{line} and {n} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_said_than_was_looked_at() {
        let looked = |noun, of, cut| Looked { noun, of, cut };
        let some = looked("\"Visits\"", 2, None);
        assert_eq!(some.none("in 2026", false), "no \"Visits\" in 2026");
        assert_eq!(some.none("", true), "\"Visits\" cannot be told");
        let all = looked("Observation", 4, None);
        assert_eq!(all.none("", false), "none of 4 Observation counts");
        let cut = looked("\"Visits\"", 9, Some(9));
        assert_eq!(
            cut.none("in 2026", false),
            "\"Visits\": of the first 9 looked at none in 2026 counts"
        );
    }

    #[test]
    fn reasons_are_said_once_and_counted() {
        let all = ["a", "a", "b", "c", "d", "e"].map(str::to_owned);
        assert_eq!(both(&all), "a and b and c and 2 more");
    }
}
