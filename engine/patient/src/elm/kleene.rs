//! What is certain of an operation some of whose operands are in doubt (see `doubt`): `and`, `or`,
//! `implies`, `exists`, set operators, filters.

use std::rc::Rc;

use super::cx::{Extra, Fault, Out};
use super::doubt::{Certain, Doubt, RowDoubts, common, doubt_of_item, joined};
use super::eval::Evaluator;
use super::node::{Node, OpFn};
use super::value::{PointType, Val, truth};
use super::{compare, interval, list};

/// A side of a connective, and its mark.
pub(super) type Side = (Option<bool>, Doubt);

/// Comparisons, which are null where precision, units or an unknown bound do not tell.
const COMPARISONS: &[OpFn] = &[
    compare::op_equal,
    compare::op_not_equal,
    compare::less,
    compare::less_or_equal,
    compare::greater,
    compare::greater_or_equal,
    interval::after,
    interval::before,
    interval::contains,
    interval::ends,
    interval::in_,
    interval::included_in,
    interval::includes,
    interval::meets,
    interval::meets_after,
    interval::meets_before,
    interval::overlaps,
    interval::overlaps_after,
    interval::overlaps_before,
    interval::proper_contains,
    interval::proper_in,
    interval::proper_included_in,
    interval::proper_includes,
    interval::same_as,
    interval::same_or_after,
    interval::same_or_before,
    interval::starts,
];

const IMPRECISE: &str = "a date is too imprecise to compare";
const UNITS: &str = "quantities of different units cannot be compared";
const BOUNDS: &str = "an interval with an unknown bound cannot be compared";

impl<'a> Evaluator<'a> {
    /// Applies an operator. `marks` are those of its operands, each apart where there are one or two;
    /// `before` is what stood before them.
    #[inline]
    pub(super) fn operate(
        &mut self,
        operator: OpFn,
        args: &[Val<'a>],
        marks: &[Doubt],
        extra: &Extra,
        before: Doubt,
    ) -> Out<'a> {
        let value = operator(&self.cx, args, extra)?;
        let own = marks
            .iter()
            .fold(self.cx.doubt(), |all, mark| all.or(*mark));
        // An interval may carry a mark itself, or a comparison be undecided.
        let look = match value {
            Val::Null => args.iter().any(is_compared),
            Val::Interval(_) | Val::List(_) => self.cx.any_doubtful_interval(),
            _ => false,
        };
        if own.is_none() && !look {
            self.cx.set_doubt(before);
            return Ok(value);
        }
        let own = self.settle(operator, args, marks, &value, own);
        self.cx.set_doubt(before.or(own));
        Ok(value)
    }

    /// The mark of what an operator gave.
    fn settle(
        &self,
        operator: OpFn,
        args: &[Val<'a>],
        marks: &[Doubt],
        value: &Val<'a>,
        mut own: Doubt,
    ) -> Doubt {
        let is = |other: OpFn| std::ptr::fn_addr_eq(operator, other);
        if matches!(value, Val::Null | Val::Interval(_) | Val::List(_)) {
            for interval in args.iter().flat_map(intervals) {
                own = own.or(self.cx.doubt_of_interval(interval));
            }
        }
        let undecided = value.is_null()
            && own.is_none()
            && !args.iter().any(Val::is_null)
            && args
                .iter()
                .any(|arg| is_compared(arg) && !matches!(arg, Val::List(_)))
            && COMPARISONS
                .iter()
                .any(|c| std::ptr::fn_addr_eq(operator, *c));
        if undecided {
            return self.cx.reason(undecided_by(args));
        }
        if own.is_none() {
            return own;
        }
        let certain = |at: usize| {
            let mark = marks.get(at).copied().unwrap_or(own);
            args.get(at)
                .map(|arg| self.cx.certain(arg, mark))
                .unwrap_or_default()
        };
        let second = marks.get(1).copied().unwrap_or(own);
        if is(list::exists) {
            let witness = value.truth() == Some(true) && !certain(0).is_empty();
            return if witness { Doubt::NONE } else { own };
        }
        let kept: Certain = if is(list::union) {
            joined(&certain(0), &certain(1))
        } else if is(list::intersect) {
            common(&certain(0), &certain(1))
        } else if is(list::except) && second.is_none() || is(list::distinct) {
            certain(0)
        } else if is(list::flatten) {
            self.flattened(args, &certain(0))
        } else {
            return own;
        };
        self.cx.note_certain(value, kept);
        own
    }

    /// What is in the lists of a list in any case.
    fn flattened(&self, args: &[Val<'a>], sure: &Certain) -> Certain {
        let Some(Val::List(outer)) = args.first() else {
            return Certain::default();
        };
        let mut all = Rc::clone(sure);
        for inner in *outer {
            // A list that is there in any case, and of which nothing is in doubt, or some is.
            let doubt = doubt_of_item(inner, sure, self.cx.reason(IMPRECISE));
            all = joined(&all, &self.cx.certain(inner, doubt));
        }
        all
    }

    pub(super) fn side(&mut self, node: &'a Node) -> Result<Side, Fault> {
        let value = self.eval(node)?;
        let told = match value {
            // Notes what is no boolean.
            Val::Fhir(_) => super::fhir_value::system_value(&self.cx, value)?.truth(),
            other => other.truth(),
        };
        Ok((told, self.cx.take_doubt()))
    }

    /// A side that decides nothing of what is counted: it may still decide what is certain.
    fn look(&mut self, node: &'a Node) -> Option<Side> {
        let depth = self.depth;
        let side = self.side(node);
        self.depth = depth;
        if side.is_err() {
            self.cx.take_doubt();
        }
        side.ok()
    }

    /// A connective that one side decides by `decisive`: `and` by false, `or` by true.
    fn connective(&mut self, both: &'a [Node; 2], decisive: bool) -> Out<'a> {
        let [a, b] = both;
        let before = self.cx.take_doubt();
        let (first, mark) = self.side(a)?;
        if first == Some(decisive) {
            // With a trace, the side that decides nothing any more is shown too.
            let other = match self.trace.is_some() || mark.is_some() {
                true => self.look(b),
                false => None,
            };
            let sure = mark.is_none() || other == Some((Some(decisive), Doubt::NONE));
            self.cx
                .set_doubt(if sure { before } else { before.or(mark) });
            return Ok(Val::Boolean(decisive));
        }
        let (second, other) = self.side(b)?;
        let sure = second == Some(decisive) && other.is_none();
        let own = if sure { Doubt::NONE } else { mark.or(other) };
        self.cx.set_doubt(before.or(own));
        Ok(match (first, second) {
            (_, Some(told)) if told == decisive => Val::Boolean(decisive),
            (Some(_), Some(_)) => Val::Boolean(!decisive),
            _ => Val::Null,
        })
    }

    pub(super) fn and(&mut self, both: &'a [Node; 2]) -> Out<'a> {
        self.connective(both, false)
    }

    pub(super) fn or(&mut self, both: &'a [Node; 2]) -> Out<'a> {
        self.connective(both, true)
    }

    pub(super) fn implies(&mut self, both: &'a [Node; 2]) -> Out<'a> {
        let [a, b] = both;
        let before = self.cx.take_doubt();
        let (first, mark) = self.side(a)?;
        if first == Some(false) {
            let other = if mark.is_some() { self.look(b) } else { None };
            let sure = mark.is_none() || other == Some((Some(true), Doubt::NONE));
            self.cx
                .set_doubt(if sure { before } else { before.or(mark) });
            return Ok(Val::Boolean(true));
        }
        let (second, other) = self.side(b)?;
        let sure = second == Some(true) && other.is_none();
        let own = if sure { Doubt::NONE } else { mark.or(other) };
        self.cx.set_doubt(before.or(own));
        Ok(match (first, second) {
            (Some(true), told) => truth(told),
            (_, Some(true)) => Val::Boolean(true),
            _ => Val::Null,
        })
    }

    /// The items of a source, what is in it in any case, and its mark.
    pub(super) fn source(
        &mut self,
        node: &'a Node,
    ) -> Result<(&'a [Val<'a>], Certain, Doubt), Fault> {
        let before = self.cx.take_doubt();
        let items = self.items(node)?;
        let doubt = self.cx.take_doubt();
        self.cx.set_doubt(before);
        let certain = match doubt.is_none() {
            true => Certain::default(),
            false => self.cx.certain(&Val::List(items), doubt),
        };
        Ok((items, certain, doubt))
    }

    pub(super) fn filter(&mut self, source: &'a Node, slot: u32, condition: &'a Node) -> Out<'a> {
        let (items, certain, doubt) = self.source(source)?;
        let before = self.cx.take_doubt();
        let (mut out, mut rows) = (vec![], RowDoubts::default());
        rows.drop(doubt);
        for item in items {
            self.set(slot, *item);
            let (holds, own) = self.side(condition)?;
            let own = own.or(doubt_of_item(item, &certain, doubt));
            if holds == Some(true) {
                rows.keep(out.len(), own);
                out.push(*item);
            } else {
                rows.drop(own);
            }
        }
        self.listed(&out, &rows, before)
    }

    pub(super) fn for_each(&mut self, source: &'a Node, slot: u32, element: &'a Node) -> Out<'a> {
        let (items, certain, doubt) = self.source(source)?;
        let before = self.cx.take_doubt();
        let (mut out, mut rows) = (vec![], RowDoubts::default());
        rows.drop(doubt);
        for item in items {
            self.set(slot, *item);
            let value = self.eval(element)?;
            let own = self.cx.take_doubt();
            rows.keep(out.len(), own.or(doubt_of_item(item, &certain, doubt)));
            out.push(value);
        }
        self.listed(&out, &rows, before)
    }

    /// A list of rows, with its mark.
    pub(super) fn listed(&self, kept: &[Val<'a>], rows: &RowDoubts, before: Doubt) -> Out<'a> {
        let made = self.cx.list(kept)?;
        if rows.all().is_some() {
            self.cx.note_certain(&made, rows.certain(kept));
        }
        self.cx.set_doubt(before.or(rows.all()));
        Ok(made)
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
    )
}

/// The intervals of an operand.
fn intervals<'v, 'a>(
    value: &'v Val<'a>,
) -> impl Iterator<Item = &'a super::value::Interval<'a>> + use<'v, 'a> {
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
