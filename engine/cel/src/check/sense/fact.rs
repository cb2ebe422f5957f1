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
    fn meet(&self, other: &Allowed) -> Option<Allowed> {
        use Allowed::{NoneOf, OneOf, Range};
        Some(match (self, other) {
            (Range(a), Range(b)) => Range(a.meet(b)),
            (OneOf(a), OneOf(b)) => OneOf(a & b),
            (OneOf(a), NoneOf(b)) | (NoneOf(b), OneOf(a)) => OneOf(a - b),
            (NoneOf(a), NoneOf(b)) => NoneOf(a | b),
            _ => return None,
        })
    }

    fn is_empty(&self) -> bool {
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

    /// Both at once, where they are about one value.
    pub fn meet(&self, other: &Fact) -> Option<Fact> {
        let one = self.subject == other.subject;
        let allowed = one.then(|| self.allowed.meet(&other.allowed))??;
        Some(Fact {
            allowed,
            ..other.clone()
        })
    }
}
