//! Measures that are run for another period than they are made for: another time, or another length.

use engine_patient::finding::{Code, Finding};
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::zone::UTC;

use crate::package::MeasureDefinition;

/// What a measure is made for, where that does not meet the period of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherPeriod {
    /// `url|version` of the measure.
    pub measure: String,
    /// Its years or days: `2026`, `2025-07-01 to 2026-06-30`.
    pub made_for: String,
    /// The warning.
    pub finding: Finding,
}

/// The measures whose `effectivePeriod`, or else the year that their version begins with, does not meet
/// the period.
pub fn made_for_other(
    measures: &[&MeasureDefinition],
    period: (DateTime, DateTime),
) -> Vec<OtherPeriod> {
    let (from, to) = (period.0.earliest(&UTC), period.1.latest(&UTC));
    let run = shown(&period.0.to_string(), &period.1.to_string());
    let of_a_year = is_year(from, to);
    let other = measures.iter().filter_map(|measure| {
        let (start, end, by) = stated(measure)?;
        let begins = start.as_deref().and_then(DateTime::parse);
        let ends = end.as_deref().and_then(DateTime::parse);
        let after = begins.is_some_and(|begins| begins.earliest(&UTC) > to);
        let before = ends.is_some_and(|ends| ends.latest(&UTC) < from);
        let made_for_a_year = matches!((begins, ends), (Some(b), Some(e)) if is_year(b.earliest(&UTC), e.latest(&UTC)));
        let other_time = after || before;
        let other_length = made_for_a_year && !of_a_year;
        if !other_time && !other_length {
            return None;
        }
        let made_for = match (&start, &end) {
            (Some(start), Some(end)) => shown(start, end),
            (Some(start), None) => format!("{start} on"),
            (None, end) => format!("the time to {}", end.as_deref().unwrap_or_default()),
        };
        // A publisher may count versions by years of another kind.
        let perhaps = match by {
            VERSION => "perhaps ",
            _ => "",
        };
        let mut wrong = vec![];
        let mut help = "run it for one year, such as --period 2025-01-01..2025-12-31";
        if other_length {
            wrong.push("it is made for one year, and this period is none");
        }
        if other_time {
            wrong.push("criteria and value sets are of another year");
            help = "for numbers of that year take the package of that year";
        }
        let message = format!(
            "{perhaps}made for {made_for} (by {by}) and run for {run}: {}",
            wrong.join("; ")
        );
        let mut finding = Finding::warning(Code::OtherPeriod, message).help(help);
        finding.measures = vec![measure.label().to_owned()];
        Some(OtherPeriod {
            measure: measure.key(),
            made_for,
            finding,
        })
    });
    other.collect()
}

/// Where the year is known from, if that is a guess.
const VERSION: &str = "its version";

/// Whether that is one year, whatever day it begins: 365 or 366 days.
fn is_year(from: i64, to: i64) -> bool {
    const DAY: i64 = 86_400_000;
    matches!((to - from + 1) / DAY, 365 | 366)
}

type Stated = (Option<String>, Option<String>, &'static str);

/// First and last day, and where that is said.
fn stated(measure: &MeasureDefinition) -> Option<Stated> {
    if let Some(period) = &measure.period {
        let (start, end) = (period.start.clone(), period.end.clone());
        return Some((start, end, "its effectivePeriod"));
    }
    // A version such as 2026.1.0; a date, such as 2024-05-15, is when somebody wrote it.
    let version = measure.version.as_deref()?;
    let (year, rest) = version.split_at_checked(4)?;
    let is_year = DateTime::parse(year).is_some_and(|d| d.precision() == Precision::Year);
    let plausible = year.starts_with("20") && (rest.is_empty() || is_counted(rest));
    let year = || Some(year.to_owned());
    (is_year && plausible).then(|| (year(), year(), VERSION))
}

/// Whether what follows the year counts versions of it: `.1.0`, and not the month and day `.05.15`.
fn is_counted(rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix('.') else {
        return false;
    };
    let two = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    let date = rest.split('.').count() < 3 && rest.split('.').all(two);
    !date
}

/// A whole year as the year.
fn shown(start: &str, end: &str) -> String {
    let day = |text: &str| text.get(..10).unwrap_or(text).to_owned();
    let (start, end) = (day(start), day(end));
    let year = start.get(..4).unwrap_or(&start);
    let whole = |text: &str, rest: &str| text == year || text == format!("{year}{rest}");
    match whole(&start, "-01-01") && whole(&end, "-12-31") {
        true => year.to_owned(),
        false => format!("{start} to {end}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_no_year_of_a_measure() {
        for counted in [".1.0", ".0.0", ".10.0", ".1", ".01.01.1"] {
            assert!(is_counted(counted), "{counted}");
        }
        for date in ["-05-15", "-05", ".05.15", ".05", "0515", "-beta"] {
            assert!(!is_counted(date), "{date}");
        }
    }
}
