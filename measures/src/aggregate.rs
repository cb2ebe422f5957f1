//! Observations, aggregated exactly: a value and how often it came up, for each.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::package::AggregateMethod;

/// Observed values. Zeros count, nulls are counted apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    values: BTreeMap<Decimal, u64>,
    /// Observations without a value.
    pub missing: u64,
}

impl Values {
    /// One observation.
    pub fn add(&mut self, value: Option<Decimal>) {
        match value {
            Some(value) => *self.values.entry(value).or_default() += 1,
            None => self.missing += 1,
        }
    }

    /// How many have a value.
    pub fn count(&self) -> u64 {
        self.values.values().sum()
    }

    /// `None` where there is no value, or no such number within 28 digits. A count of nothing is 0.
    pub fn aggregate(&self, method: AggregateMethod) -> Option<Decimal> {
        let count = self.count();
        let value = match method {
            AggregateMethod::Count => Some(Decimal::from(count)),
            AggregateMethod::Minimum => self.values.keys().next().copied(),
            AggregateMethod::Maximum => self.values.keys().next_back().copied(),
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
        let mut terms = self.values.iter();
        let (value, n) = terms.next()?;
        let mut sum = value.checked_mul(Decimal::from(*n))?;
        for (value, n) in terms {
            sum = sum.checked_add(value.checked_mul(Decimal::from(*n))?)?;
        }
        Some(sum)
    }

    /// The value at a position of all in order.
    fn at(&self, position: u64) -> Option<Decimal> {
        let mut before = 0u64;
        let found = self.values.iter().find(|(_, n)| {
            before = before.saturating_add(**n);
            before > position
        });
        found.map(|(value, _)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Values {
        let mut out = Values::default();
        for text in values {
            out.add(Decimal::from_str_exact(text).ok());
        }
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
        let mut values = Values::default();
        for _ in 0..100_000 {
            values.add(Decimal::from_str_exact("0.1").ok());
        }
        assert_eq!(
            values.aggregate(AggregateMethod::Sum),
            Some(Decimal::from(10_000))
        );
    }
}
