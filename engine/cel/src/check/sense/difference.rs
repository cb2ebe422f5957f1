//! Two values that are compared with each other, mostly dates: how far they are apart.

use rust_decimal::Decimal;

use super::fact::Range;
use super::known::Known;
use super::origin::Origin;
use super::trace::origin;
use crate::functions::Role;
use crate::nodes::{Node, NodeKind};
use crate::operators::{Arithmetic, Order};

/// Two values that are compared with each other: how far they are apart.
pub struct Difference {
    pub subject: String,
    /// Whether it is the second less the first.
    pub turned: bool,
    /// Whether both are the same but for what is added.
    pub same: bool,
    /// What must be added to the limit, in days, and by how much that may be off.
    days: Decimal,
    off: Decimal,
}

impl Difference {
    /// How far they may be apart.
    pub fn range(&self, order: Order) -> Range {
        let exact = self.off.is_zero();
        let limit = match order {
            Order::Less | Order::LessOrEqual => self.days + self.off,
            Order::Greater | Order::GreaterOrEqual => self.days - self.off,
        };
        Range::of(order, limit, exact, false)
    }

    /// Of one value and itself: whether the first is surely before the second, or surely after it.
    pub fn order(&self) -> Option<std::cmp::Ordering> {
        let sure = self.off.is_zero() || self.days.abs() > self.off;
        (self.same && sure).then(|| Decimal::ZERO.cmp(&self.days))
    }
}

/// `a - b`, with what is added to both.
pub fn difference(a: &Node, b: &Node, known: &dyn Known, scope: &[Origin]) -> Option<Difference> {
    let (a, b) = (moved(a, known, scope, 0)?, moved(b, known, scope, 0)?);
    // a + x < b + y is a - b < y - x.
    let (days, off) = (b.days - a.days, a.off + b.off);
    let turned = a.base > b.base;
    let (first, second) = match turned {
        true => (&b.base, &a.base),
        false => (&a.base, &b.base),
    };
    Some(Difference {
        subject: format!("{first} - {second}"),
        turned,
        same: a.base == b.base,
        days: if turned { -days } else { days },
        off,
    })
}

/// A value, and about how many days are added to it.
struct Moved {
    base: String,
    days: Decimal,
    off: Decimal,
}

fn moved(node: &Node, known: &dyn Known, scope: &[Origin], depth: usize) -> Option<Moved> {
    if let NodeKind::Arithmetic(operation, _, pair) = &node.kind
        && let [a, b] = &**pair
        && let Some((days, off)) = duration(b)
        && depth < 8
    {
        let moved = moved(a, known, scope, depth + 1)?;
        let days = match operation {
            Arithmetic::Add => moved.days + days,
            Arithmetic::Subtract => moved.days - days,
            _ => return None,
        };
        return Some(Moved {
            base: moved.base,
            days,
            off: moved.off + off,
        });
    }
    let base = origin(node, known, scope).same?;
    Some(Moved {
        base,
        days: Decimal::ZERO,
        off: Decimal::ZERO,
    })
}

/// `months(12)`: about how many days, and by how much that may be off: months differ, and a date may be
/// known to the month or year only.
pub fn duration(node: &Node) -> Option<(Decimal, Decimal)> {
    let NodeKind::Call(function, args) = &node.kind else {
        return None;
    };
    let NodeKind::Constant(count) = &args.first()?.kind else {
        return None;
    };
    let count = count.number()?;
    if count.abs() > Decimal::from(100_000) {
        return None;
    }
    let days = match function.role {
        Role::Years => Decimal::new(36525, 2),
        Role::Months => Decimal::new(304375, 4),
        Role::Weeks => Decimal::from(7),
        Role::Days => Decimal::ONE,
        _ => return None,
    };
    let off = match function.role {
        Role::Years | Role::Months => Decimal::from(5),
        _ => Decimal::ONE,
    };
    Some((days * count, off))
}
