//! Selectors: constants, tuples, instances, intervals.

use rust_decimal::Decimal;

use crate::context::cx::Out;
use crate::context::doubt::Doubt;
use crate::run::eval::Evaluator;
use crate::tree::node::{IntervalNode, Node, Owned, OwnedCode};
use crate::values::value::{
    Code, CodeSystemVal, Concept, Interval, PointType, Quantity, Ratio, Tuple, Val, ValueSetVal,
};

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

    /// A constant, brought into the arena where it is no plain value.
    pub(crate) fn owned(&mut self, value: &'a Owned) -> Out<'a> {
        let cx = &self.cx;
        let code = |c: &'a OwnedCode| Code {
            code: c.code.as_deref(),
            system: c.system.as_deref(),
            version: c.version.as_deref(),
            display: c.display.as_deref(),
            key: c.key,
        };
        Ok(match value {
            Owned::Null => Val::Null,
            Owned::Boolean(b) => Val::Boolean(*b),
            Owned::Integer(i) => Val::Integer(*i),
            Owned::Long(l) => Val::Long(*l),
            Owned::Decimal(d) => Val::Decimal(*d),
            Owned::String(text) => Val::String(text),
            Owned::Date(d) => Val::Date(*d),
            Owned::DateTime(d) => Val::DateTime(crate::fhir::fhir_value::with_zone(*d, cx.zone)),
            Owned::Time(t) => Val::Time(*t),
            Owned::Quantity(value, unit) => Val::Quantity(cx.keep(Quantity {
                value: *value,
                unit,
            })?),
            Owned::Ratio(parts) => {
                let [(n, nu), (d, du)] = &**parts;
                let part = |value: Decimal, unit: &'a str| Quantity { value, unit };
                Val::Ratio(cx.keep(Ratio {
                    numerator: part(*n, nu),
                    denominator: part(*d, du),
                })?)
            }
            Owned::Code(c) => Val::Code(cx.keep(code(c))?),
            Owned::Concept(codes, display) => {
                let codes: Vec<Code<'a>> = codes.iter().map(code).collect();
                Val::Concept(cx.keep(Concept {
                    codes: cx.slice(&codes)?,
                    display: display.as_deref(),
                })?)
            }
            Owned::ValueSet(set) => Val::ValueSet(cx.keep(ValueSetVal {
                id: &set.id,
                version: set.version.as_deref(),
                name: &set.name,
                set: set.set.as_deref(),
            })?),
            Owned::CodeSystem(system) => Val::CodeSystem(cx.keep(CodeSystemVal {
                id: &system.id,
                version: system.version.as_deref(),
                name: &system.name,
            })?),
            Owned::List(items) => {
                let mut out = Vec::with_capacity(items.len());
                for item in items {
                    out.push(self.owned(item)?);
                }
                self.cx.list(&out)?
            }
        })
    }
}
