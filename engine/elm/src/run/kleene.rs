//! What is certain of an operation some of whose operands are in doubt (see `doubt`): `and`, `or`,
//! `implies`, `exists`, set operators, filters.

use std::rc::Rc;

use rustc_hash::FxHashSet;

use crate::context::cx::{Extra, Fault, Out};
use crate::context::doubt::{
    Certain, Doubt, Known, RowDoubts, common, doubt_of_item, joined, values, within,
};
use crate::operators::{compare, interval, list};
use crate::run::eval::Evaluator;
use crate::tree::node::{Node, OpFn};
use crate::values::value::{PointType, Val, truth};
use engine_patient::record::PatientRecord;

/// A side of a connective, and its mark.
pub(crate) type Side = (Option<bool>, Doubt);

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
    list::contains,
    list::in_,
    list::included_in,
    list::includes,
    list::proper_contains,
    list::proper_in,
    list::proper_included_in,
    list::proper_includes,
];

const IMPRECISE: &str = "a date is too imprecise to compare";
const UNITS: &str = "quantities of different units cannot be compared";
const BOUNDS: &str = "an interval with an unknown bound cannot be compared";

impl<'a> Evaluator<'a> {
    /// Applies an operator. `marks` are those of its operands, each apart where there are one or two;
    /// `before` is what stood before them.
    #[inline]
    pub(crate) fn operate(
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
        operator: OpFn,
        args: &[Val<'a>],
        marks: &[Doubt],
        value: &Val<'a>,
        mut own: Doubt,
    ) -> Result<(Doubt, Option<Known>), Fault> {
        let is = |other: OpFn| std::ptr::fn_addr_eq(operator, other);
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
        let undecided = value.is_null()
            && own.is_none()
            && can_be_undecided(args)
            && COMPARISONS
                .iter()
                .any(|c| std::ptr::fn_addr_eq(operator, *c));
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
        if is(list::exists) {
            let witness = value.truth() == Some(true) && !known(0).certain.is_empty();
            return Ok((if witness { Doubt::NONE } else { own }, None));
        }
        let sure = |certain| Known {
            certain,
            perhaps: None,
        };
        let found = if is(list::union) {
            let (a, b) = (known(0), known(1));
            self.cx.charge(a.size() + b.size())?;
            joined(&a, &b)
        } else if is(list::intersect) {
            sure(common(&known(0).certain, &known(1).certain))
        } else if is(list::except) && second.is_none() || is(list::distinct) {
            known(0)
        } else if is(list::flatten) {
            sure(self.flattened(args, &known(0).certain))
        } else {
            return Ok((own, None));
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

    /// Raises the mark of two values that are there and whose comparison came to nothing.
    pub(crate) fn undecided(&self, pair: &[Val<'a>; 2]) {
        if can_be_undecided(pair) {
            self.cx.add_doubt(self.cx.reason(undecided_by(pair)));
        }
    }

    /// The value of one branch, chosen by what has this mark.
    pub(crate) fn chosen(&self, value: Val<'a>, doubt: Doubt) -> Out<'a> {
        self.cx.add_doubt(doubt);
        match doubt.is_some() {
            true => self.cx.apart_from(value),
            false => Ok(value),
        }
    }

    pub(crate) fn side(&mut self, node: &'a Node) -> Result<Side, Fault> {
        let value = self.eval(node)?;
        let told = match value {
            // Notes what is no boolean.
            Val::Fhir(_) => crate::fhir::fhir_value::system_value(&self.cx, value)?.truth(),
            other => other.truth(),
        };
        Ok((told, self.cx.take_doubt()))
    }

    /// A side that decides nothing of what is counted: it may still decide what is certain.
    pub(crate) fn look(&mut self, node: &'a Node) -> Option<Side> {
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

    pub(crate) fn and(&mut self, both: &'a [Node; 2]) -> Out<'a> {
        self.connective(both, false)
    }

    pub(crate) fn or(&mut self, both: &'a [Node; 2]) -> Out<'a> {
        self.connective(both, true)
    }

    pub(crate) fn implies(&mut self, both: &'a [Node; 2]) -> Out<'a> {
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

    /// The items of a source, and what is in doubt about them.
    pub(crate) fn source(&mut self, node: &'a Node) -> Result<Items<'a>, Fault> {
        let before = self.cx.take_doubt();
        let items = self.items(node)?;
        let doubt = self.cx.take_doubt();
        self.cx.set_doubt(before);
        let known = match doubt.is_none() {
            true => Known::default(),
            false => self.cx.known(&Val::List(items), doubt),
        };
        Ok(Items {
            items,
            known,
            doubt,
        })
    }

    pub(crate) fn filter(&mut self, source: &'a Node, slot: u32, condition: &'a Node) -> Out<'a> {
        let source = self.source(source)?;
        let before = self.cx.take_doubt();
        let (mut out, mut rows) = (vec![], RowDoubts::default());
        for item in source.items {
            self.set(slot, *item);
            let (holds, own) = self.side(condition)?;
            match (holds, source.mark_of(item).or(own)) {
                (Some(true), doubt) => {
                    rows.keep(out.len(), doubt);
                    out.push(*item);
                }
                (Some(false), _) if own.is_none() => {}
                (_, doubt) => rows.drop_row(doubt, Some(item)),
            }
        }
        for item in source.perhaps(self.record, &mut rows) {
            self.set(slot, item);
            if self.look(condition) != Some((Some(false), Doubt::NONE)) {
                rows.drop_row(source.doubt, Some(&item));
            }
        }
        self.listed(&out, &rows, before)
    }

    pub(crate) fn for_each(&mut self, source: &'a Node, slot: u32, element: &'a Node) -> Out<'a> {
        let source = self.source(source)?;
        let before = self.cx.take_doubt();
        let (mut out, mut rows) = (vec![], RowDoubts::default());
        rows.drop_any(source.doubt);
        for item in source.items {
            self.set(slot, *item);
            let value = self.eval(element)?;
            let own = self.cx.take_doubt();
            rows.keep(out.len(), own.or(source.mark_of(item)));
            out.push(value);
        }
        self.listed(&out, &rows, before)
    }

    /// A list of rows, with its mark.
    fn listed(&self, kept: &[Val<'a>], rows: &RowDoubts, before: Doubt) -> Out<'a> {
        let made = self.cx.list(kept)?;
        self.cx.set_doubt(before.or(rows.all()));
        match rows.all().is_some() {
            true => self.cx.noted(made, rows.known(kept)),
            false => Ok(made),
        }
    }
}

/// The items of a source, and what is in doubt about them.
pub(crate) struct Items<'a> {
    pub items: &'a [Val<'a>],
    /// Where it is in doubt.
    pub known: Known,
    pub doubt: Doubt,
}

impl<'a> Items<'a> {
    /// The mark of an item.
    #[inline]
    pub fn mark_of(&self, item: &Val<'a>) -> Doubt {
        match self.doubt.is_none() {
            true => Doubt::NONE,
            false => doubt_of_item(item, &self.known.certain, self.doubt),
        }
    }

    /// What may be missing in it; where it could be anything, that is noted.
    pub fn perhaps(&self, record: &'a PatientRecord, rows: &mut RowDoubts) -> Vec<Val<'a>> {
        match &self.known.perhaps {
            Some(perhaps) => values(perhaps, record),
            None => {
                rows.drop_any(self.doubt);
                vec![]
            }
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

/// Whether a comparison that came to nothing is one of values that are there and do not tell.
fn can_be_undecided(args: &[Val<'_>]) -> bool {
    let compared = |arg: &Val<'_>| is_compared(arg) && !matches!(arg, Val::List(_));
    !args.iter().any(Val::is_null) && args.iter().any(compared)
}

/// The intervals of an operand.
fn intervals<'v, 'a>(
    value: &'v Val<'a>,
) -> impl Iterator<Item = &'a crate::values::value::Interval<'a>> + use<'v, 'a> {
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
    use super::*;
    use crate::operators::table::{How, NODES};

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
            let found = NODES.iter().find(|(n, _)| *n == name);
            let known = found.is_some_and(|(_, how)| match how {
                How::Op(operator, _) => COMPARISONS
                    .iter()
                    .any(|c| std::ptr::fn_addr_eq(*c, *operator)),
                _ => false,
            });
            assert!(known, "{name}");
        }
    }
}
