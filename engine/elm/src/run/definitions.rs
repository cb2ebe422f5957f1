//! Definitions and what else is evaluated once a patient.

use crate::context::cx::{Fault, Out};
use crate::context::doubts::InDoubt;
use crate::run::eval::{Evaluator, Memo};
use crate::tree::node::Node;
use crate::tree::unit::Expression;

const NO_DEFINITION: &str = "a definition that is not there";

impl<'a> Evaluator<'a> {
    /// The value of a definition.
    pub fn expression(&mut self, expression: Expression) -> Out<'a> {
        self.definition(expression.0)
    }

    /// What is in doubt about the value of a definition that was evaluated: what is counted is its
    /// value, but the outcome is not certain.
    pub fn in_doubt(&self, expression: Expression) -> Option<InDoubt<'a>> {
        match self.definitions.get(expression.0 as usize) {
            Some(Memo::Done(value, doubt)) => self.cx.in_doubt(value, *doubt, self.record),
            _ => None,
        }
    }

    pub(super) fn definition(&mut self, index: u32) -> Out<'a> {
        let at = index as usize;
        match self.definitions.get(at) {
            Some(Memo::Done(value, doubt)) => {
                self.cx.add_doubt(*doubt);
                return Ok(*value);
            }
            // The compiler refuses those.
            Some(Memo::Open) => return Err(Fault::bug("a definition refers to itself")),
            Some(Memo::Empty) => {}
            None => return Err(Fault::bug(NO_DEFINITION)),
        }
        let unit = self.unit;
        let Some(definition) = unit.definitions.get(at) else {
            return Err(Fault::bug(NO_DEFINITION));
        };
        self.set_definition(at, Memo::Open)?;
        let depth = self.depth;
        let before = self.cx.take_doubt();
        let value = self.framed(definition.frame, |e| e.eval(&definition.node));
        self.depth = depth;
        let doubt = self.cx.doubt();
        self.cx.set_doubt(before.or(doubt));
        let memo = match &value {
            Ok(value) => Memo::Done(*value, doubt),
            Err(_) => Memo::Empty,
        };
        self.set_definition(at, memo)?;
        if let (Some(trace), Ok(value)) = (&mut self.trace, &value) {
            trace.definition(index, *value);
        }
        value
    }

    fn set_definition(&mut self, at: usize, memo: Memo<'a>) -> Result<(), Fault> {
        match self.definitions.get_mut(at) {
            Some(slot) => *slot = memo,
            None => return Err(Fault::bug(NO_DEFINITION)),
        }
        Ok(())
    }

    /// The value of an expression that depends on nothing but the patient.
    pub(super) fn once(&mut self, index: u32, node: &'a Node) -> Out<'a> {
        let at = index as usize;
        if let Some(Memo::Done(value, doubt)) = self.once.get(at) {
            self.cx.add_doubt(*doubt);
            return Ok(*value);
        }
        let before = self.cx.take_doubt();
        let value = self.eval(node)?;
        let doubt = self.cx.doubt();
        self.cx.set_doubt(before.or(doubt));
        match self.once.get_mut(at) {
            Some(slot) => *slot = Memo::Done(value, doubt),
            None => return Err(Fault::bug("an expression without a place for its value")),
        }
        Ok(value)
    }
}
