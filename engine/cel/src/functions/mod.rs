//! The functions of rules: `table` names them, `call` finds what runs, one file for each kind of
//! data that they look at.

mod call;
mod codes;
mod condition;
mod dates;
mod deceased;
mod lists;
mod params;
mod patient;
mod quantity;
mod row;
mod table;

pub use row::{Function, FunctionInfo, Param, Returns};
pub use table::{FUNCTIONS, find};

pub(crate) use call::{Scene, call};
pub(crate) use codes::with_value_set;
pub(crate) use lists::at;
