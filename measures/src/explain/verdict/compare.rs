//! Comparisons in plain words: `age 12, not in 18 to 75`.

use engine_elm::expressions::ExpressionView;
use engine_elm::value::Val;

use super::super::resource_facts::{resource_fact, value_text};
use super::super::{Fact, Outcome, days};
use super::holds::is_age;
use super::when::span;
use super::{Cause, Near, Scope, Verdicts};

impl<'w, 'u, 'a> Verdicts<'w, 'u, 'a> {
    /// A comparison; `None` where it is none.
    pub(super) fn compared(
        &mut self,
        place: ExpressionView<'u>,
        scope: Scope<'w, 'a>,
        held: bool,
    ) -> Option<Cause> {
        let place = place.unconverted();
        let (word, left, right) = place.infix()?;
        let (a, b) = (self.value(left, scope), self.value(right, scope));
        let wanted = self.wanted(right, b.as_ref());
        let shown = a.as_ref().and_then(|value| match resource_fact(value) {
            Some(fact) => Some(fact.short()),
            None => span(value, &self.period).or_else(|| value_text(value)),
        });
        let mut facts = self.facts_of(left, scope);
        if facts.is_empty() {
            facts = self.facts_of(right, scope);
        }
        let (name, verb) = self.what(left);
        let mut head = format!("{name}{verb}");
        // `Hemoglobin A1c 9.6 % (2020-06-03)` where it is the value of the resource.
        let mut beside = facts
            .first()
            .filter(|_| scope.row.is_none())
            .map(Fact::short);
        if let (Some(fact), Some(shown)) = (facts.first(), &shown)
            && fact.value.as_ref().is_some_and(|v| is_value(v, shown))
            && let Some(code) = &fact.code
        {
            code.clone_into(&mut head);
            beside = fact.date.as_deref().map(days);
        }
        let beside = beside.map_or_else(String::new, |beside| format!(" ({beside})"));
        let told = self.outcome(place, scope);
        let mut unsure = false;
        let text = match (shown, a, b) {
            (_, Some(Val::Null), _) => match self.unread(left, &facts) {
                Some(unread) => {
                    unsure = true;
                    unread
                }
                None => format!("{}{beside}", self.missing(left, scope)),
            },
            (_, _, Some(Val::Null)) => format!("{}{beside}", self.missing(right, scope)),
            (Some(shown), ..) if told == Outcome::Unknown => {
                unsure = true;
                format!("{head} {shown}{beside}, cannot be compared with {word} {wanted}")
            }
            (Some(shown), ..) => {
                let head = format!("{head} {shown}{beside}");
                match (word, held) {
                    ("=" | "~" | "same as", true) | ("!=", false) => head,
                    ("=" | "~" | "same as", false) => format!("{head}, not {wanted}"),
                    (word, true) => format!("{head}, {word} {wanted}"),
                    (word, false) => format!("{head}, not {word} {wanted}"),
                }
            }
            _ => {
                let outcome = match (told, held) {
                    (Outcome::Unknown, _) => {
                        unsure = true;
                        "cannot be told"
                    }
                    (_, true) => "holds",
                    (_, false) => "does not hold",
                };
                format!("{} {outcome}{beside}", self.text(place))
            }
        };
        let mut cause = self.cause(place, text);
        if !facts.is_empty() {
            cause.near = Near::Value;
        }
        cause.facts = facts;
        cause.unsure = unsure;
        Some(cause)
    }

    /// A value that is there and no value to compare: `< 9.1 %`.
    pub(super) fn unread(&self, place: ExpressionView<'u>, facts: &[Fact]) -> Option<String> {
        let fact = facts.first()?;
        let value = fact.value.as_ref()?;
        let compared = self.text(place).ends_with(".value");
        compared.then(|| {
            format!(
                "{}: the value {value} cannot be read",
                fact.short_without_value()
            )
        })
    }

    /// What is compared, and a verb where it takes one.
    fn what(&self, place: ExpressionView<'u>) -> (String, &'static str) {
        let text = self.text(place);
        match is_age(&text) {
            true => ("age".to_owned(), ""),
            false => (text, " is"),
        }
    }

    /// What it is compared with: its value, and where that is none, its text.
    fn wanted(&self, place: ExpressionView<'u>, value: Option<&Val<'a>>) -> String {
        let Some(value) = value else {
            return self.text(place);
        };
        if let Some(span) = span(value, &self.period) {
            return span;
        }
        match value {
            Val::Interval(interval) => match (&interval.low, &interval.high) {
                (Val::Integer(low), Val::Integer(high))
                    if interval.low_closed && interval.high_closed =>
                {
                    format!("{low} to {high}")
                }
                _ => value_text(value).unwrap_or_default(),
            },
            Val::Code(_) | Val::Concept(_) => {
                value_text(value).map_or_else(String::new, |text| format!("\"{text}\""))
            }
            Val::List(_) | Val::Null => self.text(place),
            other => value_text(other).unwrap_or_else(|| self.text(place)),
        }
    }
}

/// Whether a text is the value of a resource, with its unit or without.
fn is_value(value: &str, shown: &str) -> bool {
    let rest = value.strip_prefix(shown);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}
