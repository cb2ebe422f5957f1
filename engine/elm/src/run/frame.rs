//! The frame of a definition or function: slots for aliases, lets and operands.

use crate::context::cx::{Fault, Out};
use crate::context::doubt::Doubt;
use crate::run::eval::Evaluator;
use crate::values::value::Val;

const NO_SLOT: &str = "a slot that the frame does not have";

impl<'a> Evaluator<'a> {
    /// Evaluates with a fresh frame of so many slots.
    pub(crate) fn framed(
        &mut self,
        slots: u32,
        work: impl FnOnce(&mut Self) -> Out<'a>,
    ) -> Out<'a> {
        let (base, length) = (self.base, self.locals.len());
        // A recursion over a function with very many names must not fill the memory.
        self.cx.charge(slots as usize / 16)?;
        self.cx.room(length + slots as usize)?;
        self.base = length;
        self.locals.resize(length + slots as usize, Val::Null);
        let out = stacker::maybe_grow(128 << 10, 2 << 20, || work(self));
        self.locals.truncate(length);
        if !self.doubted.is_empty() {
            self.doubted.retain(|(slot, _)| *slot < length);
        }
        self.base = base;
        out
    }

    /// A slot of the frame.
    #[inline]
    pub(crate) fn get(&self, slot: u32) -> Out<'a> {
        match self.locals.get(self.base + slot as usize) {
            Some(value) => Ok(*value),
            None => Err(Fault::bug(NO_SLOT)),
        }
    }

    /// Sets a slot to a value without doubt.
    #[inline]
    pub(crate) fn set(&mut self, slot: u32, value: Val<'a>) -> Result<(), Fault> {
        let at = self.base + slot as usize;
        match self.locals.get_mut(at) {
            Some(place) => *place = value,
            None => return Err(Fault::bug(NO_SLOT)),
        }
        if !self.doubted.is_empty() {
            self.doubted.retain(|(slot, _)| *slot != at);
        }
        Ok(())
    }

    /// Sets a slot to a value that may be in doubt: whoever reads it is told.
    pub(crate) fn set_doubtful(
        &mut self,
        slot: u32,
        value: Val<'a>,
        doubt: Doubt,
    ) -> Result<(), Fault> {
        self.set(slot, value)?;
        if doubt.is_some() {
            self.doubted.push((self.base + slot as usize, doubt));
        }
        Ok(())
    }

    /// The value of an alias, let or operand, and its mark.
    pub(super) fn local(&self, slot: u32) -> Out<'a> {
        if !self.doubted.is_empty() {
            let at = self.base + slot as usize;
            let found = self.doubted.iter().find(|(slot, _)| *slot == at);
            self.cx
                .add_doubt(found.map_or(Doubt::NONE, |(_, doubt)| *doubt));
        }
        self.get(slot)
    }
}
