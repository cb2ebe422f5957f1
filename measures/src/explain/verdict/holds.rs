//! Why a criterion holds: the parts that hold, and the resources that they rest on.

use engine_elm::expressions::{ExpressionKind, ExpressionView};
use engine_elm::value::Val;

use super::super::resource_facts::{facts, resource_fact, value_text};
use super::super::{Fact, Outcome};
use super::{Cause, Near, Scope, Verdicts, terms, within};

/// Most resources that are kept of one part.
const FACTS: usize = 5;

impl<'w, 'u, 'a> Verdicts<'w, 'u, 'a> {
    pub(super) fn why(&mut self, place: ExpressionView<'u>, scope: Scope<'w, 'a>) -> Vec<Cause> {
        let place = place.unconverted();
        self.further(place, |own| own.holding(place, scope))
    }

    fn holding(&mut self, place: ExpressionView<'u>, scope: Scope<'w, 'a>) -> Vec<Cause> {
        match place.kind() {
            ExpressionKind::Definition(expression) => {
                let Some(statement) = self.libraries.statement(expression) else {
                    return vec![];
                };
                let causes = match self.value(place, scope) {
                    Some(Val::List(items)) => {
                        self.decided.insert(statement.body.address());
                        let noun = format!("\"{}\"", statement.name);
                        vec![self.listed(place, &noun, &Val::List(items))]
                    }
                    _ => self.why(statement.body, Scope::default()),
                };
                within(causes, statement.name)
            }
            ExpressionKind::And => {
                let all = terms(place, |kind| matches!(kind, ExpressionKind::And));
                let all = all.into_iter();
                all.flat_map(|term| self.why(term, scope)).collect()
            }
            ExpressionKind::Or => {
                let all = terms(place, |kind| matches!(kind, ExpressionKind::Or));
                let first = all
                    .into_iter()
                    .find(|t| self.outcome(t.unconverted(), scope) == Outcome::True);
                first.map_or_else(Vec::new, |term| self.why(term, scope))
            }
            _ => match (place.operator(), &*place.parts()) {
                ("Not", [(_, inner)]) => self.why_not(*inner, scope),
                ("Exists", [(_, list)]) => self.existing(*list, scope),
                ("IsNull", [(_, inner)]) => self.absent(place, *inner, scope),
                _ => match self.value(place, scope) {
                    Some(value @ Val::List(_)) => {
                        let noun = self.noun(place);
                        vec![self.listed(place, &noun, &value)]
                    }
                    _ => match self.compared(place, scope, true) {
                        Some(cause) => vec![cause],
                        None => vec![self.plainly(place, scope)],
                    },
                },
            },
        }
    }

    fn existing(&mut self, list: ExpressionView<'u>, scope: Scope<'w, 'a>) -> Vec<Cause> {
        let list = list.unconverted();
        self.decided.insert(list.address());
        let noun = match list.referred() {
            Some(statement) => {
                self.decided.insert(statement.body.address());
                format!("\"{}\"", statement.name)
            }
            None => self.noun(list),
        };
        match self.value(list, scope) {
            Some(value) => vec![self.listed(list, &noun, &value)],
            None => vec![self.plainly(list, scope)],
        }
    }

    /// `"Qualifying Encounters": Encounter/1, … and 2 more`
    fn listed(&mut self, place: ExpressionView<'u>, noun: &str, value: &Val<'a>) -> Cause {
        let (items, found) = facts(value);
        let count = items.unwrap_or(found.len());
        self.listed_facts(place, noun, found, count)
    }

    pub(super) fn listed_facts(
        &mut self,
        place: ExpressionView<'u>,
        noun: &str,
        mut found: Vec<Fact>,
        count: usize,
    ) -> Cause {
        // What came last says most.
        found.sort_by(|a, b| b.date.cmp(&a.date));
        let first = found.first().map_or_else(String::new, Fact::short);
        let more = match count.saturating_sub(1) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let mut cause = self.cause(place, format!("{noun}: {first}{more}"));
        found.truncate(FACTS);
        cause.facts = found;
        cause.near = Near::Present;
        cause
    }

    /// That something is not there.
    fn absent(
        &mut self,
        place: ExpressionView<'u>,
        inner: ExpressionView<'u>,
        scope: Scope<'w, 'a>,
    ) -> Vec<Cause> {
        let of = inner.unconverted();
        if self.is_list(of) && scope.row.is_none() {
            let found = self.further(place, |own| own.empty(of, scope, None));
            if !found.is_empty() {
                return found;
            }
        }
        if let (Some(statement), None) = (of.referred(), scope.row) {
            let found = self.further(place, |own| {
                own.decided.insert(of.address());
                own.empty(statement.body, Scope::default(), Some(statement.name))
            });
            if !found.is_empty() {
                return within(found, statement.name);
            }
        }
        let facts = self.facts_of(of, scope);
        let unread = self.unread(of, &facts);
        let unsure = unread.is_some();
        let text = unread.unwrap_or_else(|| format!("{} is not there", self.text(of)));
        let mut cause = self.cause(place, text);
        cause.facts = facts;
        cause.unsure = unsure;
        vec![cause]
    }

    /// That something is there: what it is.
    pub(super) fn present(&self, inner: ExpressionView<'u>, scope: Scope<'w, 'a>) -> String {
        let of = inner.unconverted();
        let text = self.text(of);
        let value = self.value(of, scope);
        if let Some(fact) = value.as_ref().and_then(resource_fact) {
            return format!("{text} is {}", fact.short());
        }
        match value.as_ref().and_then(value_text) {
            Some(value) => format!("{text} is {value}"),
            None => format!("{text} is there"),
        }
    }

    /// The resource that an expression is about: the first below it that is one. What a query looked at
    /// is not what it gave, so none is searched.
    pub(super) fn facts_of(&self, place: ExpressionView<'u>, scope: Scope<'w, 'a>) -> Vec<Fact> {
        let mut stack = vec![(place.unconverted(), 0)];
        while let Some((place, depth)) = stack.pop() {
            let value = self.value(place, scope);
            if let Some(fact) = value.as_ref().and_then(resource_fact)
                && fact.is_clinical()
            {
                return vec![fact];
            }
            let opaque = matches!(
                place.kind(),
                ExpressionKind::Query | ExpressionKind::Retrieve(_) | ExpressionKind::Definition(_)
            );
            if depth < 12 && !opaque {
                let below = place.parts().into_iter().rev();
                stack.extend(below.map(|(_, part)| (part.unconverted(), depth + 1)));
            }
        }
        let item = scope.row.and_then(|row| row.items.first());
        item.and_then(resource_fact).into_iter().collect()
    }

    /// Why there is nothing to compare: the list that an operand is taken of is empty.
    pub(super) fn nothing_to_compare(
        &mut self,
        place: ExpressionView<'u>,
        scope: Scope<'w, 'a>,
    ) -> Vec<Cause> {
        let place = place.unconverted();
        let Some((_, left, right)) = place.infix() else {
            return vec![];
        };
        if scope.row.is_some() || scope.among.is_some() {
            return vec![];
        }
        for side in [left, right] {
            let mut at = side.unconverted();
            for _ in 0..12 {
                if !matches!(self.value(at, scope), Some(Val::Null)) {
                    break;
                }
                let taken = match at.referred() {
                    Some(statement) => self.is_list(statement.body),
                    None => self.is_list(at),
                };
                if taken {
                    return self.further(place, |own| own.empty(at, scope, None));
                }
                match self.null_part(at, scope) {
                    Some(inner) => at = inner,
                    None => break,
                }
            }
        }
        vec![]
    }

    /// The part that makes an expression null: the age is there where the birth date is, and not where
    /// the date is missing at which it was asked for.
    fn null_part(
        &self,
        place: ExpressionView<'u>,
        scope: Scope<'w, 'a>,
    ) -> Option<ExpressionView<'u>> {
        let parts = place.parts().into_iter();
        let mut parts = parts.map(|(_, part)| part.unconverted());
        parts.find(|part| matches!(self.value(*part, scope), Some(Val::Null)))
    }

    /// That an expression is null, by the innermost part of it that is.
    pub(super) fn missing(&self, place: ExpressionView<'u>, scope: Scope<'w, 'a>) -> String {
        let mut at = place.unconverted();
        for _ in 0..12 {
            match self.null_part(at, scope) {
                Some(inner) => at = inner,
                None => break,
            }
        }
        let text = self.text(at);
        if is_age(&text) || text.ends_with(".birthDate") {
            return match at.address() == place.unconverted().address() && is_age(&text) {
                true => "the age cannot be told".to_owned(),
                false => "age is not there".to_owned(),
            };
        }
        let is_taken = at.name() == "Property" || at.local().is_some() || at.referred().is_some();
        match is_taken {
            true => format!("{text} is not there"),
            false => format!("{text} is null"),
        }
    }
}

pub(super) fn is_age(text: &str) -> bool {
    text.starts_with("AgeInYears") || text.starts_with("CalculateAgeInYears")
}
