//! §13 Logical operators that need not evaluate both sides: `and`, `or`, `implies`.

use crate::context::doubt::Doubt;
use crate::context::fault::{Fault, Out};
use crate::fhir::values::system_value;
use crate::run::evaluator::Evaluator;
use crate::tree::node::Node;
use crate::values::value::{Val, truth};

/// A side of a logical operator, and its mark.
pub(crate) type Side = (Option<bool>, Doubt);

impl<'a> Evaluator<'a> {
    /// The value of one branch, chosen by what has this mark.
    pub(crate) fn chosen(&self, value: Val<'a>, doubt: Doubt) -> Out<'a> {
        self.cx.add_doubt(doubt);
        match doubt.is_some() {
            true => self.cx.apart_from(value),
            false => Ok(value),
        }
    }

    /// Whether a condition holds, and its mark.
    pub(crate) fn side(&mut self, node: &'a Node) -> Result<Side, Fault> {
        let value = self.eval(node)?;
        let told = match value {
            // Notes what is no boolean.
            Val::Fhir(_) => system_value(&self.cx, value)?.truth(),
            other => other.truth(),
        };
        Ok((told, self.cx.take_doubt()))
    }

    /// A side that decides nothing of what is counted: it may still decide what is certain.
    /// `None` where it cannot be evaluated.
    pub(crate) fn look(&mut self, node: &'a Node) -> Result<Option<Side>, Fault> {
        let depth = self.depth;
        let side = self.side(node);
        self.depth = depth;
        match side {
            Ok(side) => Ok(Some(side)),
            Err(fault) if fault.is_bug() => Err(fault),
            Err(_) => {
                self.cx.take_doubt();
                Ok(None)
            }
        }
    }

    /// A logical operator and its absorbing value, which one side alone decides by: of `and` false, of
    /// `or` true.
    fn decided_by_a_side(&mut self, both: &'a [Node; 2], absorbing: bool) -> Out<'a> {
        let [a, b] = both;
        let before = self.cx.take_doubt();
        let (first, mark) = self.side(a)?;
        if first == Some(absorbing) {
            // With a trace, the side that decides nothing any more is shown too.
            let other = match self.trace.is_some() || mark.is_some() {
                true => self.look(b)?,
                false => None,
            };
            let sure = mark.is_none() || other == Some((Some(absorbing), Doubt::NONE));
            self.cx
                .set_doubt(if sure { before } else { before.or(mark) });
            return Ok(Val::Boolean(absorbing));
        }
        let (second, other) = self.side(b)?;
        let sure = second == Some(absorbing) && other.is_none();
        let own = if sure { Doubt::NONE } else { mark.or(other) };
        self.cx.set_doubt(before.or(own));
        Ok(match (first, second) {
            (_, Some(told)) if told == absorbing => Val::Boolean(absorbing),
            (Some(_), Some(_)) => Val::Boolean(!absorbing),
            _ => Val::Null,
        })
    }

    /// `And`
    pub(crate) fn and(&mut self, both: &'a [Node; 2]) -> Out<'a> {
        self.decided_by_a_side(both, false)
    }

    /// `Or`
    pub(crate) fn or(&mut self, both: &'a [Node; 2]) -> Out<'a> {
        self.decided_by_a_side(both, true)
    }

    /// `Implies`
    pub(crate) fn implies(&mut self, both: &'a [Node; 2]) -> Out<'a> {
        let [a, b] = both;
        let before = self.cx.take_doubt();
        let (first, mark) = self.side(a)?;
        if first == Some(false) {
            let other = if mark.is_some() { self.look(b)? } else { None };
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
}
