//! Numbers with units, as observations have them, and the one unit that many are told in.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use engine_patient::system::units::{CalendarUnit, Units};
use rust_decimal::Decimal;

/// A unit: a UCUM code, `year` or `month` of the calendar, or whatever the data has. `None`: a number
/// without one.
pub type Unit = Option<Arc<str>>;

/// A number and its unit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ObservationQuantity {
    /// The number.
    pub value: Decimal,
    /// Its unit.
    pub unit: Unit,
    /// Why it is not certain, where it rests on what could not be told; counted all the same.
    pub doubt: Option<Arc<str>>,
}

impl ObservationQuantity {
    /// With a unit of UCUM or of CQL; `1` and none are the same.
    pub fn of(value: Decimal, unit: &str) -> Self {
        let unit = plain(unit.trim());
        let unit = (!unit.is_empty() && unit != "1").then(|| Arc::from(unit));
        ObservationQuantity {
            value,
            unit,
            doubt: None,
        }
    }
}

impl From<Decimal> for ObservationQuantity {
    fn from(value: Decimal) -> Self {
        ObservationQuantity {
            value,
            unit: None,
            doubt: None,
        }
    }
}

/// One word for a unit: of the calendar's, those of a definite length have their UCUM code.
fn plain(unit: &str) -> &str {
    match CalendarUnit::word(unit) {
        Some(CalendarUnit::Year) => "year",
        Some(CalendarUnit::Month) => "month",
        Some(CalendarUnit::Week) => "wk",
        Some(CalendarUnit::Day) => "d",
        Some(CalendarUnit::Hour) => "h",
        Some(CalendarUnit::Minute) => "min",
        Some(CalendarUnit::Second) => "s",
        Some(CalendarUnit::Millisecond) => "ms",
        None => unit,
    }
}

/// How units are written for [`Units`].
fn text(unit: &Unit) -> &str {
    unit.as_deref().unwrap_or("1")
}

/// The UCUM code of a unit; `None` where UCUM has none.
pub fn ucum<'u>(units: &Units, unit: &'u str) -> Option<&'u str> {
    match unit {
        "year" => Some("a"),
        "month" => Some("mo"),
        other => units.is_known(other).then_some(other),
    }
}

/// A value in another unit; `None` where there is no such number.
pub fn convert(units: &Units, value: Decimal, from: &Unit, to: &Unit) -> Option<Decimal> {
    units.convert(value, text(from), text(to)).ok()
}

/// Whether sums may be converted instead of their terms.
pub(crate) fn is_proportional(units: &Units, from: &Unit, to: &Unit) -> bool {
    units.is_proportional(text(from), text(to))
}

/// The unit of a quotient of two that are not converted into each other.
pub(crate) fn quotient(units: &Units, over: &Unit, under: &Unit) -> Unit {
    let (over, under) = (text(over), text(under));
    let unit = units
        .product(over, under, true)
        .unwrap_or_else(|| format!("{over}/{under}"));
    (unit != "1").then(|| unit.into())
}

/// The unit that values are told in, by how many have each: of those that go together the largest
/// number decides which; within them it is the unit that most have, of several the middle one by size,
/// the larger of two. It depends on nothing but the counts.
pub fn choose(units: &Units, counts: &BTreeMap<Unit, u64>) -> Unit {
    let mut kinds: Vec<Vec<(&Unit, u64)>> = vec![];
    for (unit, n) in counts {
        let goes = |kind: &&mut Vec<(&Unit, u64)>| {
            let first = kind.first().map(|(u, _)| *u);
            first.is_some_and(|first| convert(units, Decimal::ONE, unit, first).is_some())
        };
        match kinds.iter_mut().find(goes) {
            Some(kind) => kind.push((unit, *n)),
            None => kinds.push(vec![(unit, *n)]),
        }
    }
    let total = |kind: &[(&Unit, u64)]| kind.iter().map(|(_, n)| n).sum::<u64>();
    // The first of equals: counts are in the order of their units.
    let mut best: Option<Vec<(&Unit, u64)>> = None;
    for kind in kinds {
        if best.as_ref().is_none_or(|b| total(&kind) > total(b)) {
            best = Some(kind);
        }
    }
    let kind = best.unwrap_or_default();
    let most = kind.iter().map(|(_, n)| *n).max().unwrap_or(0);
    let mut usual: Vec<&Unit> = kind
        .iter()
        .filter(|(_, n)| *n == most)
        .map(|(u, _)| *u)
        .collect();
    usual.sort_by(|a, b| by_size(units, a, b));
    usual.get(usual.len() / 2).and_then(|unit| (*unit).clone())
}

fn by_size(units: &Units, a: &Unit, b: &Unit) -> Ordering {
    // The one that is asked about comes second there.
    let finer = |a: &Unit, b: &Unit| units.is_finer(text(b), text(a)) == Ok(true);
    match (finer(a, b), finer(b, a)) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        _ => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(counts: &[(&str, u64)]) -> String {
        let counts = counts.iter().map(|(unit, n)| {
            let unit = ObservationQuantity::of(Decimal::ONE, unit).unit;
            (unit, *n)
        });
        let unit = choose(&Units::default(), &counts.collect());
        text(&unit).to_owned()
    }

    #[test]
    fn one_unit_is_chosen_by_the_counts_alone() {
        assert_eq!(chosen(&[]), "1");
        assert_eq!(chosen(&[("hour", 1), ("minutes", 1), ("d", 1)]), "h");
        assert_eq!(chosen(&[("h", 1), ("min", 5), ("d", 1)]), "min");
        assert_eq!(chosen(&[("mg", 1), ("g", 1)]), "g");
        // More go together than have the most frequent unit.
        assert_eq!(chosen(&[("mg", 3), ("h", 2), ("min", 2)]), "h");
        assert_eq!(chosen(&[("year", 1), ("month", 1), ("a", 1)]), "year");
        // Of a unit that UCUM does not have only its own go together.
        assert_eq!(chosen(&[("boxes", 2), ("1", 1)]), "boxes");
    }

    #[test]
    fn quotients() {
        let units = Units::default();
        let of = |over: &str, under: &str| {
            let unit = |u| ObservationQuantity::of(Decimal::ONE, u).unit;
            text(&quotient(&units, &unit(over), &unit(under))).to_owned()
        };
        assert_eq!(of("mg", "mL"), "mg/mL");
        assert_eq!(of("mg", ""), "mg");
        assert_eq!(of("1", "h"), "1/h");
        assert_eq!(of("boxes", "year"), "boxes/year");
    }
}
