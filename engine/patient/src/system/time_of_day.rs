//! Times of day: CQL `Time`, FHIR `time`.

use std::cmp::Ordering;

use super::compare::decided;
use super::date_time::{DAY, Precision, cut_millis, last_milli};

/// A time of day.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Time {
    /// Milliseconds from midnight; unknown fields are 0.
    pub millis: u32,
    /// `Hour` to `Millisecond`.
    pub precision: Precision,
}

impl Time {
    /// Which comes first, to `precision` or else to the finest precision of the two. See
    /// [`super::compare::compare`].
    pub fn compare(self, other: Self, precision: Option<Precision>) -> Option<Ordering> {
        let lift = |t: Time| match (precision, t.precision) {
            (None, Precision::Second) => Time {
                precision: Precision::Millisecond,
                ..t
            },
            _ => t,
        };
        let (a, b) = (lift(self), lift(other));
        let target = precision.unwrap_or(a.precision.max(b.precision));
        let common = target.min(a.precision).min(b.precision);
        let unit = common.millis();
        let ordering = (i64::from(a.millis) / unit).cmp(&(i64::from(b.millis) / unit));
        decided(ordering, common, target)
    }

    /// Known only to `precision`; itself where it is not known further.
    #[must_use]
    pub fn cut(self, precision: Precision) -> Self {
        if self.precision <= precision {
            return self;
        }
        Time {
            millis: cut_millis(self.millis, precision),
            precision,
        }
    }

    /// So many units of `precision` later on the same day; `None` past its ends.
    pub fn step(self, count: i64, precision: Precision) -> Option<Self> {
        let step = count.checked_mul(precision.millis())?;
        let millis = i64::from(self.millis).checked_add(step)?;
        let millis = u32::try_from(millis).ok().filter(|m| i64::from(*m) < DAY)?;
        Some(Time { millis, ..self })
    }

    /// So many milliseconds later, round the clock; cut to what its precision can take.
    #[must_use]
    pub fn plus(self, millis: i64) -> Self {
        let unit = self.precision.millis();
        let sum = (i64::from(self.millis) + millis / unit * unit % DAY).rem_euclid(DAY);
        Time {
            millis: u32::try_from(sum).unwrap_or(self.millis),
            ..self
        }
    }

    /// The first or last moment of a precision that it can be.
    #[must_use]
    pub fn boundary(self, precision: Precision, high: bool) -> Self {
        let millis = match high {
            true => last_milli(self.millis, self.precision),
            false => self.millis,
        };
        let whole = Time {
            millis,
            precision: Precision::Millisecond,
        };
        whole.cut(precision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Ordering::{Equal, Less};
    use Precision::{Hour, Millisecond, Second};

    #[test]
    fn order_and_cuts() {
        let time = |millis, precision| Time { millis, precision };
        let noon = 43_200_000;
        let (a, b) = (time(noon, Second), time(noon + 1, Millisecond));
        assert_eq!(a.compare(b, None), Some(Less));
        assert_eq!(a.compare(b, Some(Second)), Some(Equal));
        assert_eq!(a.compare(b, Some(Hour)), Some(Equal));
        assert_eq!(b.cut(Hour), time(noon, Hour));
        assert_eq!(
            time(noon, Hour).boundary(Second, true),
            time(noon + 3_599_000, Second)
        );
        assert_eq!(b.step(1, Hour).map(|t| t.millis), Some(noon + 3_600_001));
        assert_eq!(b.step(12, Hour), None);
        assert_eq!(b.plus(DAY / 2).millis, 1);
    }
}
