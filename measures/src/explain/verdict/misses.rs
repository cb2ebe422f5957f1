//! What the rows of a query fail. Of those that fail, that is told which is nearest: it fails the
//! fewest conditions, and came last.

use engine_elm::expressions::{ExpressionKind, ExpressionView, Role};
use engine_elm::trace::{Execution, RowTrace, holds};

use super::super::Fact;
use super::super::resource_facts::resource_fact;
use super::when::{Side, Timing};
use super::{Cause, Near, SAID, Scope, Verdicts, terms};

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
    pub(super) fn missed_of(
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
}

/// How many rows there are, where more were looked at than were kept.
pub(super) fn kept(rows: &Execution<'_>) -> Option<usize> {
    rows.cut.then_some(rows.rows.len())
}

/// Reasons that hold together, each once.
pub(super) fn both(reasons: &[String]) -> String {
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
