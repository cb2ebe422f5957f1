//! What an evaluation carries beside its values: the arena, the clock, the budget, notes for the ledger
//! of a run, and doubts.

pub mod cx;
pub mod doubt;
