//! Selectors: tuples, instances, intervals.

use crate::context::cx::Out;
use crate::context::doubt::Doubt;
use crate::run::eval::Evaluator;
use crate::tree::node::{IntervalNode, Node};
use crate::values::value::{Interval, PointType, Tuple, Val};

impl<'a> Evaluator<'a> {
    pub(super) fn tuple(
        &mut self,
        class: Option<&'a str>,
        names: &'a [Box<str>],
        values: &'a [Node],
    ) -> Out<'a> {
        let values = self.all(values)?;
        let names: Vec<&str> = names.iter().map(|n| &**n).collect();
        let tuple = Tuple {
            type_name: class,
            names: self.cx.slice(&names)?,
            values: self.cx.slice(&values)?,
        };
        let Some(class) = class else {
            return Ok(Val::Tuple(self.cx.keep(tuple)?));
        };
        crate::run::instance::of(&self.cx, class, tuple)
    }

    pub(super) fn interval(&mut self, node: &'a IntervalNode) -> Out<'a> {
        let before = self.cx.take_doubt();
        let (low, no_low) = (self.eval(&node.low)?, self.cx.take_doubt());
        let (high, no_high) = (self.eval(&node.high)?, self.cx.take_doubt());
        self.cx.set_doubt(before);
        let low_closed = self.eval(&node.low_closed)?.truth().unwrap_or(false);
        let high_closed = self.eval(&node.high_closed)?.truth().unwrap_or(false);
        // A bound that is null because what is there cannot be read is unknown, not open-ended. The
        // interval carries the mark: the other bound may decide.
        let unknown = |bound: &Val<'_>, mark: Doubt| bound.is_null() && mark.is_there();
        let (open_low, open_high) = (unknown(&low, no_low), unknown(&high, no_high));
        let (low_closed, high_closed) = (low_closed && !open_low, high_closed && !open_high);
        let mut carried = Doubt::NONE;
        for (open, mark) in [(open_low, no_low), (open_high, no_high)] {
            match open {
                true => carried = carried.or(mark),
                false => self.cx.add_doubt(mark),
            }
        }
        let made = crate::operators::interval::make(&self.cx, low, high, low_closed, high_closed)?;
        let Val::Interval(mut interval) = made else {
            return Ok(made);
        };
        // Both bounds null: the type of the points is known from the text only.
        if interval.point == PointType::Unknown && node.point != PointType::Unknown {
            interval = self.cx.keep(Interval {
                point: node.point,
                ..*interval
            })?;
        }
        self.cx.doubt_interval(interval, carried);
        Ok(Val::Interval(interval))
    }
}
