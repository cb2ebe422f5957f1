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
    /// First and last day of what was compared; empty where there is none.
    pub start: String,
    pub end: String,
    /// First and last day of what was asked for.
    asked: (String, String),
    /// Both as they are said: with the time where the day is that of the bound.
    pub said: String,
    /// Where it lies, seen from what was asked for.
    pub side: Side,
    /// It must be in a span, wholly.
    pub wholly: bool,
    /// Whether it is so cannot be told: a date is too imprecise.
    pub unknown: bool,
}

impl Timing {
    /// Whether a date, or a period as a resource tells it, lies in the span that was asked for.
    pub fn is_in(&self, date: &str) -> bool {
        let day = |text: &str| text.trim().chars().take(10).collect::<String>();
        let (start, end) = match date.split_once('–') {
            Some((start, end)) => (day(start), day(end)),
            None => (day(date), String::new()),
        };
        let inside = side((&start, &end), (&self.asked.0, &self.asked.1)) == Side::Across;
        self.words.starts_with("in ") && inside
    }
}

/// Where a time lies, seen from the one that was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    Before,
    After,
    /// In part in it, or within what the days tell apart.
    Across,
}

impl<'w, 'u, 'a> Verdicts<'w, 'u, 'a> {
    /// A condition as one on time, where it is one that did not hold.
    pub(super) fn timing(&self, place: ExpressionView<'u>, scope: Scope<'w, 'a>) -> Option<Timing> {
        let (word, left, right) = place.unconverted().infix()?;
        let (left, right) = (self.value(left, scope)?, self.value(right, scope)?);
        let (start, end) = ends(&left)?;
        let (from, to) = ends(&right)?;
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
        let side = side((&start, &end), (&from, &to));
        let wholly = words.starts_with("in ") && word != "overlaps";
        let mut words = words;
        let mut said = match (start.is_empty(), end.is_empty()) {
            (false, false) if start != end => format!("{start} – {end}"),
            (true, _) => end.clone(),
            (false, _) => start.clone(),
        };
        // On the same day the times decide.
        let one_day = start == end && side == Side::Across;
        if let (true, Some(bound), Some(own)) = (one_day, precise(&right), precise(&left)) {
            if !matches!(right, Val::Interval(_)) {
                words = words.replace(&span, &bound);
            }
            said = own;
        }
        Some(Timing {
            words,
            start,
            end,
            said,
            asked: (from, to),
            side,
            wholly,
            unknown: matches!(told, Some(Val::Null)),
        })
    }
}

/// Which side of a span a time lies on, by the digits that both have. A bound that is not there is open.
fn side((start, end): (&str, &str), (from, to): (&str, &str)) -> Side {
    let (start, end) = match (start.is_empty(), end.is_empty()) {
        (true, _) => (end, end),
        (_, true) => (start, start),
        _ => (start, end),
    };
    if is_before(end, from) {
        Side::Before
    } else if is_before(to, start) {
        Side::After
    } else {
        Side::Across
    }
}

/// Whether a date is before another for certain: `2026` and `2026-03-01` cannot be told apart.
fn is_before(a: &str, b: &str) -> bool {
    let both = a.len().min(b.len());
    both > 0 && a.get(..both) < b.get(..both)
}

/// A time with all that is known of it; of an interval its first.
fn precise(value: &Val<'_>) -> Option<String> {
    match value {
        Val::Interval(interval) => precise(&interval.low).or_else(|| precise(&interval.high)),
        Val::Date(_) | Val::DateTime(_) => value_text(value),
        Val::Fhir(fhir) => fhir.element()?.as_str().map(|text| text.into_owned()),
        _ => None,
    }
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

#[cfg(test)]
mod tests {
    use super::{Side, side};

    #[test]
    fn both_ends_decide_on_which_side_a_time_lies() {
        let year = ("2026-01-01", "2026-12-31");
        for (start, end, expected) in [
            ("2025-12-30", "2025-12-31", Side::Before),
            ("2025-12-30", "2026-01-02", Side::Across),
            ("2026-12-30", "2027-01-02", Side::Across),
            ("2027-01-01", "2027-01-02", Side::After),
            ("2025-12-30", "", Side::Before),
            ("2026", "2026", Side::Across),
            ("2025", "2025", Side::Before),
        ] {
            assert_eq!(side((start, end), year), expected, "{start} {end}");
        }
    }
}
