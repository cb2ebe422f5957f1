//! Observations, aggregated exactly: a value and how often it came up, for each, in one unit.
//!
//! Values are collected by their units; once all are there, [`ObservationValues::settle`] brings them to
//! one. Only then is there an aggregate.

use std::collections::BTreeMap;

use engine_patient::system::units::Units;
use rust_decimal::Decimal;

use crate::observation_quantity::{ObservationQuantity, Unit, convert, is_proportional};
use crate::package::AggregateMethod;

/// Values and how often each came up.
type Counted = BTreeMap<Decimal, u64>;

/// Observed values. Zeros count, nulls are counted apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservationValues {
    /// As they came.
    by_unit: BTreeMap<Unit, Counted>,
    /// All of them in `unit`.
    settled: Counted,
    unit: Unit,
    /// Per unit: the exact sum of its values in `unit`.
    sums: Option<Vec<Decimal>>,
    /// Observations without a value, or with one that cannot be converted.
    pub missing: u64,
}

impl ObservationValues {
    /// One observation.
    pub fn add(&mut self, quantity: Option<&ObservationQuantity>) {
        let Some(quantity) = quantity else {
            self.missing += 1;
            return;
        };
        let values = match self.by_unit.get_mut(&quantity.unit) {
            Some(values) => values,
            None => self.by_unit.entry(quantity.unit.clone()).or_default(),
        };
        *values.entry(quantity.value).or_default() += 1;
    }

    /// How many have which unit.
    pub fn units(&self) -> BTreeMap<Unit, u64> {
        let units = self.by_unit.iter();
        let counts = units.map(|(unit, values)| (unit.clone(), values.values().sum()));
        counts.collect()
    }

    /// Brings all values to one unit. Gives how many cannot be: they are missing.
    pub fn settle(&mut self, units: &Units, unit: &Unit) -> u64 {
        self.settled.clear();
        self.unit.clone_from(unit);
        let mut sums = Some(vec![]);
        let (mut kept, mut lost) = (BTreeMap::new(), 0);
        for (own, values) in std::mem::take(&mut self.by_unit) {
            let mut left = Counted::new();
            let mut converted = Counted::new();
            for (value, n) in values {
                match convert(units, value, &own, unit) {
                    Some(there) => {
                        *converted.entry(there).or_default() += n;
                        left.insert(value, n);
                    }
                    None => lost += n,
                }
            }
            if left.is_empty() {
                continue;
            }
            // Twenty minutes thrice are one hour, exactly; a third of an hour thrice is not.
            let part = match is_proportional(units, &own, unit) {
                true => sum(&left).and_then(|sum| convert(units, sum, &own, unit)),
                false => sum(&converted),
            };
            sums = sums.and_then(|mut all| {
                all.push(part?);
                Some(all)
            });
            for (value, n) in converted {
                *self.settled.entry(value).or_default() += n;
            }
            kept.insert(own, left);
        }
        self.by_unit = kept;
        self.sums = sums;
        self.missing += lost;
        lost
    }

    /// The unit of the aggregates; a count has none.
    pub fn unit(&self, method: AggregateMethod) -> Unit {
        match method {
            AggregateMethod::Count => None,
            _ => self.unit.clone(),
        }
    }

    /// How many have a value in the unit.
    pub fn count(&self) -> u64 {
        self.settled.values().sum()
    }

    /// `None` where there is no value, or no such number within 28 digits. A count of nothing is 0.
    pub fn aggregate(&self, method: AggregateMethod) -> Option<Decimal> {
        let count = self.count();
        let value = match method {
            AggregateMethod::Count => Some(Decimal::from(count)),
            AggregateMethod::Minimum => self.settled.keys().next().copied(),
            AggregateMethod::Maximum => self.settled.keys().next_back().copied(),
            AggregateMethod::Sum => self.sum(),
            AggregateMethod::Average => self.sum()?.checked_div(Decimal::from(count)),
            AggregateMethod::Median => {
                let last = count.checked_sub(1)?;
                let (low, high) = (self.at(last / 2)?, self.at(count / 2)?);
                match low == high {
                    true => Some(low),
                    false => low.checked_add(high)?.checked_div(Decimal::TWO),
                }
            }
        };
        value.map(|v| v.normalize())
    }

    fn sum(&self) -> Option<Decimal> {
        let mut parts = self.sums.as_ref()?.iter();
        let first = *parts.next()?;
        parts.try_fold(first, |all, part| all.checked_add(*part))
    }

    /// The value at a position of all in order.
    fn at(&self, position: u64) -> Option<Decimal> {
        let mut before = 0u64;
        let found = self.settled.iter().find(|(_, n)| {
            before = before.saturating_add(**n);
            before > position
        });
        found.map(|(value, _)| *value)
    }
}

fn sum(values: &Counted) -> Option<Decimal> {
    let mut sum = Decimal::ZERO;
    for (value, n) in values {
        sum = sum.checked_add(value.checked_mul(Decimal::from(*n))?)?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> ObservationValues {
        let mut out = ObservationValues::default();
        for text in values {
            let value = Decimal::from_str_exact(text).ok();
            out.add(value.map(ObservationQuantity::from).as_ref());
        }
        out.settle(&Units::default(), &None);
        out
    }

    #[test]
    fn by_hand() {
        use AggregateMethod::{Average, Count, Maximum, Median, Minimum, Sum};
        // 0 counts; "-" is null.
        let some = of(&["0", "0.1", "0.2", "-", "7", "0.2"]);
        let text = |m| some.aggregate(m).map(|d| d.normalize().to_string());
        assert_eq!(text(Sum).as_deref(), Some("7.5"));
        assert_eq!(text(Average).as_deref(), Some("1.5"));
        assert_eq!(text(Median).as_deref(), Some("0.2"));
        assert_eq!(text(Minimum).as_deref(), Some("0"));
        assert_eq!(text(Maximum).as_deref(), Some("7"));
        assert_eq!(text(Count).as_deref(), Some("5"));
        assert_eq!(some.missing, 1);
        // Of an even number, between the two in the middle: (2 + 5) / 2.
        let even = of(&["9", "5", "2", "1"]);
        assert_eq!(
            even.aggregate(Median).map(|d| d.to_string()).as_deref(),
            Some("3.5")
        );
        let none = of(&[]);
        for method in [Sum, Average, Median, Minimum, Maximum] {
            assert_eq!(none.aggregate(method), None);
        }
        assert_eq!(none.aggregate(Count), Some(Decimal::ZERO));
    }

    /// A tenth, a hundred thousand times, is ten thousand and not 10000.000000018848.
    #[test]
    fn sums_are_exact() {
        let mut values = ObservationValues::default();
        for _ in 0..100_000 {
            let value = Decimal::from_str_exact("0.1").ok();
            values.add(value.map(ObservationQuantity::from).as_ref());
        }
        values.settle(&Units::default(), &None);
        assert_eq!(
            values.aggregate(AggregateMethod::Sum),
            Some(Decimal::from(10_000))
        );
    }

    /// CQL 1.5, "Quantities": quantities of comparable units are converted, never added as they are.
    #[test]
    fn units_are_converted() {
        use AggregateMethod::{Average, Count, Maximum, Median, Minimum, Sum};
        let units = Units::default();
        let of = |all: &[(&str, &str)], unit: &str| {
            let mut values = ObservationValues::default();
            for (value, unit) in all {
                let value = Decimal::from_str_exact(value).unwrap_or_default();
                values.add(Some(&ObservationQuantity::of(value, unit)));
            }
            let lost = values.settle(&units, &ObservationQuantity::of(Decimal::ONE, unit).unit);
            (values, lost)
        };
        let (stays, lost) = of(&[("2", "hours"), ("90", "min"), ("1", "day")], "h");
        let text = |m| stays.aggregate(m).map(|d| d.to_string());
        assert_eq!(lost, 0);
        assert_eq!(text(Sum).as_deref(), Some("27.5"));
        assert_eq!(text(Median).as_deref(), Some("2"));
        assert_eq!(text(Minimum).as_deref(), Some("1.5"));
        assert_eq!(text(Maximum).as_deref(), Some("24"));
        assert_eq!(text(Count).as_deref(), Some("3"));
        assert_eq!(stays.unit(Sum).as_deref(), Some("h"));
        assert_eq!(stays.unit(Count), None);
        // 20 min three times is an hour, and not 0.9999.
        let (thirds, _) = of(&[("20", "min"), ("20", "min"), ("20", "min")], "h");
        assert_eq!(thirds.aggregate(Sum), Some(Decimal::ONE));
        // Degrees have another zero: 0 °C and 32 °F are the same, and so is their mean.
        let (degrees, _) = of(&[("0", "Cel"), ("32", "[degF]")], "Cel");
        assert_eq!(degrees.aggregate(Average), Some(Decimal::ZERO));
        // A calendar month has no definite length in days.
        let (odd, lost) = of(&[("1", "month"), ("3", "d"), ("5", "mg"), ("4", "")], "d");
        assert_eq!((odd.count(), odd.missing, lost), (1, 3, 3));
        assert_eq!(
            odd.aggregate(Sum).map(|d| d.to_string()).as_deref(),
            Some("3")
        );
    }
}
