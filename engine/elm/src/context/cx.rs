//! What operators are told beside their operands: the arena, the clock and zone of the run, units;
//! and what they note for the ledger.

use std::cell::Cell;

use bumpalo::Bump;

use crate::context::doubts::Doubts;
pub use crate::context::fault::{Fault, Out};
pub use crate::context::notes::Notes;
use crate::values::value::{Interval, PointType, Quantity, Val};
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::units::Units;
use engine_patient::system::zone::Zone;

/// Most bytes an evaluation of one patient may put into its arena, unless the settings say otherwise.
pub const MEMORY: usize = 256 << 20;
/// Part of that which may be collected outside of the arena at a time: operators stand in each other,
/// and each may hold so much.
const COLLECTED: usize = 4;

/// Of [`Fault::Budget`].
pub(crate) const FULL: &str = "the budget of memory for one patient is used up";
/// Of [`Fault::Budget`].
const SPENT: &str = "the budget of steps for one patient is used up";

/// The context of one patient's evaluation.
pub struct Cx<'a> {
    pub arena: &'a Bump,
    /// CQL `Now()`, with the offset of the run.
    pub now: DateTime,
    /// Where date-times without an offset are taken to be.
    pub zone: &'a Zone,
    pub units: &'a Units,
    pub notes: Notes,
    pub doubts: Doubts,
    /// Steps left of this patient's budget.
    pub steps: Cell<u64>,
    /// Bytes of this patient's budget.
    pub memory: usize,
    /// What of the budget was used up since it was last renewed: steps or memory. Other faults cost
    /// little.
    pub(crate) exhausted: Cell<Option<&'static str>>,
    /// How many lists, tuples and intervals an operator stands in.
    pub nested: Cell<u32>,
}

/// Deepest nesting of lists, tuples and intervals that operators go into. Logic can nest them as deep
/// as its steps allow, and no stack is that deep.
const NESTED: u32 = 500;
/// Longest text: memory that is not the arena's must be bounded too, and operators make several
/// texts, or a value of each character, of one.
pub const TEXT: usize = 16 << 20;

impl<'a> Cx<'a> {
    /// Counts work that does not go through nodes, such as the items of a list operator.
    pub fn charge(&self, steps: usize) -> Result<(), Fault> {
        let left = self.steps.get().checked_sub(steps as u64);
        match left {
            Some(left) => {
                self.steps.set(left);
                Ok(())
            }
            None => Err(self.used_up(SPENT)),
        }
    }

    fn used_up(&self, what: &'static str) -> Fault {
        self.exhausted.set(Some(what));
        Fault::Budget(what)
    }

    /// Begins a part of the work that has a budget of steps of its own.
    pub fn renew(&self, steps: u64) {
        self.steps.set(steps);
        self.exhausted.set(None);
    }

    /// What was used up since the budget was renewed, if anything was.
    pub fn exhausted(&self) -> Option<&'static str> {
        self.exhausted.get()
    }

    /// Work on what a value holds, which may hold others.
    pub fn nest<T>(&self, work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
        let depth = self.nested.get();
        if depth >= NESTED {
            return Err(Fault::Budget("a value is nested too deep"));
        }
        self.nested.set(depth + 1);
        let done = stacker::maybe_grow(128 << 10, 2 << 20, work);
        self.nested.set(depth);
        done
    }

    /// Refuses to collect more values than the memory of a patient holds, before they are collected.
    pub fn room(&self, items: usize) -> Result<(), Fault> {
        if items > self.memory / COLLECTED / size_of::<Val<'a>>() {
            return Err(self.used_up(FULL));
        }
        Ok(())
    }

    /// Refuses a text that is too long, before it is made.
    pub fn room_for_text(&self, bytes: usize) -> Result<(), Fault> {
        if bytes > TEXT {
            return Err(Fault::Budget("a text is longer than 16 MiB"));
        }
        Ok(())
    }

    /// Counts the comparison of texts, where they are long.
    pub fn charge_text(&self, bytes: usize) -> Result<(), Fault> {
        if bytes < 1024 {
            return Ok(());
        }
        self.charge(bytes / 64)
    }

    fn memory<T>(&self, got: Result<T, bumpalo::AllocErr>) -> Result<T, Fault> {
        got.map_err(|_| self.used_up(FULL))
    }

    /// A list in the arena.
    pub fn list(&self, items: &[Val<'a>]) -> Out<'a> {
        self.charge(items.len())?;
        Ok(Val::List(
            self.memory(self.arena.try_alloc_slice_copy(items))?,
        ))
    }

    /// Copied into the arena.
    pub fn slice<T: Copy>(&self, items: &[T]) -> Result<&'a [T], Fault> {
        self.charge(items.len())?;
        Ok(self.memory(self.arena.try_alloc_slice_copy(items))?)
    }

    /// Into the arena.
    pub fn keep<T: Copy>(&self, value: T) -> Result<&'a T, Fault> {
        Ok(self.memory(self.arena.try_alloc(value))?)
    }

    /// A text in the arena.
    pub fn text(&self, text: &str) -> Result<&'a str, Fault> {
        self.room_for_text(text.len())?;
        self.charge(text.len() / 16)?;
        Ok(self.memory(self.arena.try_alloc_str(text))?)
    }

    /// A string value.
    pub fn string(&self, text: &str) -> Out<'a> {
        self.text(text).map(Val::String)
    }

    /// A quantity value.
    pub fn quantity(&self, value: rust_decimal::Decimal, unit: &'a str) -> Out<'a> {
        self.keep(Quantity { value, unit }).map(Val::Quantity)
    }

    /// An interval; its point type is taken from its bounds.
    pub fn interval(
        &self,
        low: Val<'a>,
        high: Val<'a>,
        low_closed: bool,
        high_closed: bool,
    ) -> Out<'a> {
        let point = match PointType::of(&low) {
            PointType::Unknown => PointType::of(&high),
            known => known,
        };
        let interval = Interval {
            low,
            high,
            low_closed,
            high_closed,
            point,
        };
        self.keep(interval).map(Val::Interval)
    }

    /// An integer between two bounds: a plain one where they meet.
    pub fn uncertain(&self, low: Val<'a>, high: Val<'a>) -> Out<'a> {
        self.keep((low, high)).map(Val::Uncertain)
    }
}

/// What stands beside the operands in the ELM: `precision`, `valueType` and the like.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extra {
    /// The `precision` attribute; `Week` apart, since it is no precision of a value.
    pub precision: Option<Precision>,
    /// `precision` is `Week`.
    pub week: bool,
    /// The signature says the operands are lists (where an operator is on lists and intervals).
    pub on_lists: bool,
    /// `valueType` of `MinValue` and `MaxValue`.
    pub point: PointType,
}
