//! What an evaluation carries beside its values: the arena, the clock, the budget, notes for the ledger
//! of a run, and doubts.

pub mod cx;
pub mod doubt;
pub mod doubts;
pub mod fault;
pub mod known;
pub mod marks;
pub mod notes;
pub mod row_doubts;
