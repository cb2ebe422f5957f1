//! Times in words: `2020`, `2020-03-01..2020-06-30`.

use engine_elm::expressions::ExpressionView;
use engine_elm::value::Val;

use super::super::Period;
use super::super::resource_facts::value_text;
use super::{Scope, Verdicts};

/// A comparison of a time of the patient with a time that was asked for.
pub struct Timing {
    /// `in 2020`, `before 2020-06-30`
    pub words: String,
    /// The day of what was compared.
    pub day: String,
    /// First day of what was asked for; empty where there is none.
    pub from: String,
    /// Whether it is so cannot be told: a date is too imprecise.
    pub unknown: bool,
}

impl<'w, 'u, 'a> Verdicts<'w, 'u, 'a> {
    /// A condition as one on time, where it is one that did not hold.
    pub(super) fn timing(&self, place: ExpressionView<'u>, scope: Scope<'w, 'a>) -> Option<Timing> {
        let (word, left, right) = place.unconverted().infix()?;
        let (left, right) = (self.value(left, scope)?, self.value(right, scope)?);
        let day = day_of(&left)?;
        let (from, _) = ends(&right)?;
        let span = span(&right, &self.period)?;
        let words = match (word, &right) {
            ("in" | "during" | "properly in" | "properly included in", _)
            | ("overlaps", Val::Interval(_)) => format!("in {span}"),
            ("same as", _) => format!("on {span}"),
            ("same or before", _) => format!("until {span}"),
            ("same or after", _) => format!("since {span}"),
            ("before" | "after", _) => format!("{word} {span}"),
            _ => return None,
        };
        let told = self.value(place.unconverted(), scope);
        Some(Timing {
            words,
            day,
            from,
            unknown: matches!(told, Some(Val::Null)),
        })
    }
}

/// The day of a date, or the first of an interval of dates.
fn day_of(value: &Val<'_>) -> Option<String> {
    let (start, end) = ends(value)?;
    let day = if start.is_empty() { end } else { start };
    (!day.is_empty()).then_some(day)
}

fn ends(value: &Val<'_>) -> Option<(String, String)> {
    let day = |value: &Val<'_>| match value {
        Val::Date(_) | Val::DateTime(_) => {
            value_text(value).map(|t| t.chars().take(10).collect::<String>())
        }
        Val::Fhir(fhir) => {
            let text = fhir.element()?.as_str()?.into_owned();
            let is_date = text.len() >= 4 && text.bytes().take(4).all(|b| b.is_ascii_digit());
            is_date.then(|| text.chars().take(10).collect())
        }
        _ => None,
    };
    match value {
        Val::Interval(interval) => {
            let (low, high) = (day(&interval.low), day(&interval.high));
            let known = low.is_some() || high.is_some();
            known.then(|| (low.unwrap_or_default(), high.unwrap_or_default()))
        }
        Val::Fhir(fhir) => {
            if let Some(day) = day(value) {
                return Some((day.clone(), day));
            }
            let element = fhir.element()?;
            let bound = |name: &str| {
                let text = element.get_str(name).unwrap_or_default();
                text.chars().take(10).collect::<String>()
            };
            let (low, high) = (bound("start"), bound("end"));
            (!low.is_empty() || !high.is_empty()).then_some((low, high))
        }
        other => day(other).map(|d| (d.clone(), d)),
    }
}

/// A date or an interval of dates in words.
pub fn span(value: &Val<'_>, period: &Period) -> Option<String> {
    let (from, to) = ends(value)?;
    if !matches!(value, Val::Interval(_)) {
        return Some(from);
    }
    if from == period.start && to == period.end {
        return Some(period.words());
    }
    Some(match (from.is_empty(), to.is_empty()) {
        (_, true) => format!("{from} or later"),
        (true, false) => format!("{to} or earlier"),
        (false, false) => format!("{from}..{to}"),
    })
}
