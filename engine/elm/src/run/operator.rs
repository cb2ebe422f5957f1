//! Applying an operator, and what is certain of the outcome where operands are in doubt.

use std::rc::Rc;

use rustc_hash::FxHashSet;

use crate::context::doubt::Doubt;
use crate::context::fault::{Fault, Out};
use crate::context::known::{Certain, Known, common, doubt_of_item, joined, within};
use crate::operators::operator::Attributes;
use crate::operators::operator::{CertainItems, Operator};
use crate::run::evaluator::Evaluator;
use crate::values::value::{Interval, PointType, Val};

const IMPRECISE: &str = "a date is too imprecise to compare";
const UNITS: &str = "quantities of different units cannot be compared";
const BOUNDS: &str = "an interval with an unknown bound cannot be compared";

impl<'a> Evaluator<'a> {
    /// Applies an operator. `marks` are those of its operands, each apart where there are one or two;
    /// `before` is what stood before them.
    #[inline]
    pub(crate) fn operate(
        &mut self,
        operator: &'static Operator,
        args: &[Val<'a>],
        marks: &[Doubt],
        extra: &Attributes,
        before: Doubt,
    ) -> Out<'a> {
        if !operator.takes(args.len()) {
            return Err(Fault::bug(
                "an operator is given another number of operands",
            ));
        }
        let value = (operator.run)(&self.cx, args, extra)?;
        let own = marks
            .iter()
            .fold(self.cx.doubt(), |all, mark| all.or(*mark));
        // An interval may carry a mark itself, or a comparison be undecided.
        let look = match value {
            Val::Null => args.iter().any(is_compared),
            Val::Interval(_) | Val::List(_) | Val::Boolean(_) => self.cx.any_doubtful_interval(),
            _ => false,
        };
        if own.is_none() && !look {
            self.cx.set_doubt(before);
            return Ok(value);
        }
        let (own, known) = self.settle(operator, args, marks, &value, own)?;
        let value = match known {
            Some(mut known) => {
                self.cx.charge(known.size())?;
                // What an operand has in any case and the result does not is not certain of it.
                if let Val::List(items) = &value {
                    known.certain = within(&known.certain, items);
                }
                self.cx.noted(value, known)?
            }
            None if own.is_none() => value,
            None => self.cx.apart_from(value)?,
        };
        self.cx.set_doubt(before.or(own));
        Ok(value)
    }

    /// The mark of what an operator gave, and what is known of a list.
    fn settle(
        &self,
        operator: &'static Operator,
        args: &[Val<'a>],
        marks: &[Doubt],
        value: &Val<'a>,
        mut own: Doubt,
    ) -> Result<(Doubt, Option<Known>), Fault> {
        if matches!(value, Val::Null | Val::Interval(_) | Val::List(_)) {
            for interval in args.iter().flat_map(intervals) {
                own = own.or(self.cx.doubt_of_interval(interval));
            }
        }
        // Of an interval of which nothing is known, no comparison is decided by a bound.
        if matches!(value, Val::Boolean(_)) {
            let empty = args.iter().flat_map(intervals);
            for interval in empty.filter(|i| i.low.is_null() && i.high.is_null()) {
                own = own.or(self.cx.doubt_of_interval(interval));
            }
        }
        let undecided =
            value.is_null() && own.is_none() && can_be_undecided(args) && operator.is_comparison;
        if undecided {
            return Ok((self.cx.reason(undecided_by(args)), None));
        }
        if own.is_none() {
            return Ok((own, None));
        }
        let known = |at: usize| {
            let mark = marks.get(at).copied().unwrap_or(own);
            let of = args.get(at).map(|arg| self.cx.known(arg, mark));
            of.unwrap_or_default()
        };
        let second = marks.get(1).copied().unwrap_or(own);
        let sure = |certain| Known {
            certain,
            perhaps: None,
        };
        let found = match operator.certain {
            CertainItems::AnyDecides => {
                let witness = value.truth() == Some(true) && !known(0).certain.is_empty();
                return Ok((if witness { Doubt::NONE } else { own }, None));
            }
            CertainItems::OfEither => {
                let (a, b) = (known(0), known(1));
                self.cx.charge(a.size() + b.size())?;
                joined(&a, &b)
            }
            CertainItems::OfBoth => sure(common(&known(0).certain, &known(1).certain)),
            CertainItems::OfFirst => known(0),
            CertainItems::OfFirstIfSecondIsSure if second.is_none() => known(0),
            CertainItems::OfLists => sure(self.flattened(args, &known(0).certain)),
            CertainItems::OfFirstIfSecondIsSure | CertainItems::None => return Ok((own, None)),
        };
        Ok((own, Some(found)))
    }

    /// What is in the lists of a list in any case.
    fn flattened(&self, args: &[Val<'a>], sure: &Certain) -> Certain {
        let Some(Val::List(outer)) = args.first() else {
            return Certain::default();
        };
        // The lists themselves are not in it.
        let mut all = FxHashSet::default();
        for inner in *outer {
            // A list that is there in any case, and of which nothing is in doubt, or some is.
            let doubt = doubt_of_item(inner, sure, self.cx.reason(IMPRECISE));
            all.extend(self.cx.known(inner, doubt).certain.iter().copied());
        }
        Rc::new(all)
    }

    /// Raises the mark of two values that are there and whose comparison is null.
    pub(crate) fn undecided(&self, pair: &[Val<'a>; 2]) {
        if can_be_undecided(pair) {
            self.cx.add_doubt(self.cx.reason(undecided_by(pair)));
        }
    }
}

/// Whether its comparison can be undecided although it is there.
fn is_compared(value: &Val<'_>) -> bool {
    matches!(
        value,
        Val::Date(_)
            | Val::DateTime(_)
            | Val::Time(_)
            | Val::Quantity(_)
            | Val::Interval(_)
            | Val::List(_)
            | Val::Uncertain(_)
    )
}

/// Whether a comparison that is null is one of values that are there and do not tell.
fn can_be_undecided(args: &[Val<'_>]) -> bool {
    let compared = |arg: &Val<'_>| is_compared(arg) && !matches!(arg, Val::List(_));
    !args.iter().any(Val::is_null) && args.iter().any(compared)
}

/// The intervals of an operand.
fn intervals<'v, 'a>(value: &'v Val<'a>) -> impl Iterator<Item = &'a Interval<'a>> + use<'v, 'a> {
    let items: &[Val<'a>] = match value {
        Val::List(items) => items,
        one => std::slice::from_ref(one),
    };
    items.iter().filter_map(|item| match item {
        Val::Interval(interval) => Some(*interval),
        _ => None,
    })
}

fn undecided_by(args: &[Val<'_>]) -> &'static str {
    let quantity = |v: &Val<'_>| match v {
        Val::Quantity(_) => true,
        Val::Interval(i) => i.point == PointType::Quantity,
        _ => false,
    };
    let open = |v: &Val<'_>| match v {
        Val::Interval(i) => i.low.is_null() && !i.low_closed || i.high.is_null() && !i.high_closed,
        _ => false,
    };
    if args.iter().any(quantity) {
        UNITS
    } else if args.iter().any(open) {
        BOUNDS
    } else {
        IMPRECISE
    }
}

#[cfg(test)]
mod tests {
    use crate::operators::table::operator;

    #[test]
    fn every_comparison_of_the_table_can_be_undecided() {
        let names = [
            "Equal",
            "NotEqual",
            "Less",
            "LessOrEqual",
            "Greater",
            "GreaterOrEqual",
            "SameAs",
            "SameOrBefore",
            "SameOrAfter",
            "Before",
            "After",
            "Meets",
            "MeetsBefore",
            "MeetsAfter",
            "Overlaps",
            "OverlapsBefore",
            "OverlapsAfter",
            "Starts",
            "Ends",
            "Contains",
            "In",
            "ProperContains",
            "ProperIn",
            "Includes",
            "IncludedIn",
            "ProperIncludes",
            "ProperIncludedIn",
        ];
        for name in names {
            assert!(
                operator(name).is_some_and(|row| row.is_comparison),
                "{name}"
            );
        }
    }
}
