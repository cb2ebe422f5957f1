//! What a condition says of a value: that it lies in a range, or is one of some texts.
//!
//! A range may be wider than what the condition says, never narrower: that two ranges do not meet is
//! certain. `exact` is told where it is not wider.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::nodes::Span;
use crate::operators::Order;

/// What a value may be where a condition holds.
#[derive(Clone, Debug)]
pub struct Fact {
    /// The value, written the same wherever it stands.
    pub subject: String,
    pub allowed: Allowed,
    /// The condition as it is written.
    pub text: String,
    pub span: Span,
}

/// What a condition says.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub all: Vec<Fact>,
    /// Whether it says nothing else.
    pub complete: bool,
}

/// Numbers of a range, or texts.
#[derive(Clone, Debug)]
pub enum Allowed {
    Range(Range),
    OneOf(BTreeSet<String>),
    NoneOf(BTreeSet<String>),
}

/// Numbers between bounds, each with whether it is one of them.
#[derive(Clone, Debug, Default)]
pub struct Range {
    low: Option<(Decimal, bool)>,
    high: Option<(Decimal, bool)>,
    exact: bool,
    /// Whether there are whole numbers from 0 on only.
    count: bool,
}

impl Range {
    /// The numbers that are so to a limit.
    pub fn of(order: Order, limit: Decimal, exact: bool, count: bool) -> Range {
        let (low, high) = match order {
            Order::Less => (None, Some((limit, false))),
            Order::LessOrEqual => (None, Some((limit, true))),
            Order::Greater => (Some((limit, false)), None),
            Order::GreaterOrEqual => (Some((limit, true)), None),
        };
        let mut range = Range {
            low,
            high,
            exact,
            count,
        };
        range.tighten();
        range
    }

    /// One number.
    pub fn only(number: Decimal, count: bool) -> Range {
        let bound = Some((number, true));
        let mut range = Range {
            low: bound,
            high: bound,
            exact: true,
            count,
        };
        range.tighten();
        range
    }

    /// Among whole numbers `> 3` is `>= 4`.
    fn tighten(&mut self) {
        if !self.count {
            return;
        }
        let up = |(n, closed): (Decimal, bool)| match closed || n != n.floor() {
            true => (n.ceil(), true),
            false => (n + Decimal::ONE, true),
        };
        let down = |(n, closed): (Decimal, bool)| match closed || n != n.floor() {
            true => (n.floor(), true),
            false => (n - Decimal::ONE, true),
        };
        self.low = self.low.map(up);
        self.high = self.high.map(down);
        let zero = (Decimal::ZERO, true);
        self.low = Some(self.low.map_or(zero, |low| low.max(zero)));
    }

    fn meet(&self, other: &Range) -> Range {
        // Of equal bounds the open one is the narrower.
        let low = match (self.low, other.low) {
            (Some(a), Some(b)) => Some(match a.0.cmp(&b.0) {
                std::cmp::Ordering::Equal => (a.0, a.1 && b.1),
                order if order.is_gt() => a,
                _ => b,
            }),
            (a, b) => a.or(b),
        };
        let high = match (self.high, other.high) {
            (Some(a), Some(b)) => Some(match a.0.cmp(&b.0) {
                std::cmp::Ordering::Equal => (a.0, a.1 && b.1),
                order if order.is_lt() => a,
                _ => b,
            }),
            (a, b) => a.or(b),
        };
        Range {
            low,
            high,
            exact: self.exact && other.exact,
            count: self.count,
        }
    }

    fn is_empty(&self) -> bool {
        match (self.low, self.high) {
            (Some((low, a)), Some((high, b))) => low > high || low == high && !(a && b),
            _ => false,
        }
    }

    /// Whether there is no other number.
    fn is_all(&self) -> bool {
        let low = match self.low {
            None => true,
            Some((low, closed)) => self.count && closed && low <= Decimal::ZERO,
        };
        self.exact && low && self.high.is_none()
    }

    /// The numbers outside, where they are one range.
    fn negated(&self) -> Option<Range> {
        let (order, limit) = match (self.low, self.high) {
            (Some((low, true)), None) => (Order::Less, low),
            (Some((low, false)), None) => (Order::LessOrEqual, low),
            (low, Some((high, closed))) => {
                let from_zero = self.count && low == Some((Decimal::ZERO, true));
                if low.is_some() && !from_zero {
                    return None;
                }
                match closed {
                    true => (Order::Greater, high),
                    false => (Order::GreaterOrEqual, high),
                }
            }
            (None, None) => return None,
        };
        let range = Range::of(order, limit, true, self.count);
        self.exact.then_some(range)
    }
}

impl Allowed {
    pub fn is_range(&self) -> bool {
        matches!(self, Allowed::Range(_))
    }

    /// Leaves what both allow; a range and texts say nothing of each other. In place, and in the time that
    /// `other` takes: of one value there may be any number of texts.
    pub fn narrow(&mut self, other: &Allowed) {
        use Allowed::{NoneOf, OneOf, Range};
        match (&mut *self, other) {
            (Range(a), Range(b)) => *a = a.meet(b),
            (OneOf(a), OneOf(b)) => {
                let both = b.iter().filter(|text| a.contains(*text));
                *a = both.cloned().collect();
            }
            (OneOf(a), NoneOf(b)) => b.iter().for_each(|text| {
                a.remove(text);
            }),
            (NoneOf(a), OneOf(b)) => {
                let left = b.iter().filter(|text| !a.contains(*text));
                *self = OneOf(left.cloned().collect());
            }
            (NoneOf(a), NoneOf(b)) => a.extend(b.iter().cloned()),
            _ => {}
        }
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        match self {
            Allowed::Range(range) => range.is_empty(),
            Allowed::OneOf(texts) => texts.is_empty(),
            Allowed::NoneOf(_) => false,
        }
    }

    fn negated(&self) -> Option<Allowed> {
        Some(match self {
            Allowed::Range(range) => Allowed::Range(range.negated()?),
            Allowed::OneOf(texts) => Allowed::NoneOf(texts.clone()),
            Allowed::NoneOf(texts) => Allowed::OneOf(texts.clone()),
        })
    }
}

impl Fact {
    /// Whether no value is as it says.
    pub fn is_never(&self) -> bool {
        self.allowed.is_empty()
    }

    /// Whether every value is as it says.
    pub fn is_always(&self) -> bool {
        matches!(&self.allowed, Allowed::Range(range) if range.is_all())
    }

    /// What it says of its value where it does not hold.
    pub fn negated(&self) -> Option<Fact> {
        let allowed = self.allowed.negated()?;
        Some(Fact {
            allowed,
            ..self.clone()
        })
    }
}
