//! The functions of rules: a file for each topic, in it a row for each function with its code; `table`
//! names the topics.

mod call;
mod codes;
mod conditions;
mod dates;
mod deceased;
mod drugs;
mod drugs_known;
mod drugs_taken;
mod filters;
mod formulas;
mod hook;
mod latest;
mod lists;
mod measured;
mod moments;
mod numbers;
mod observations;
mod params;
mod patient;
mod quantity;
mod reference;
mod row;
mod status;
mod table;
mod texts;
mod unknown;
mod windows;

pub use reference::page;
pub use row::{FunctionInfo, Param, Returns, Role};
pub use status::is_done;
pub use table::{TOPICS, Topic, all, find};

pub(crate) use call::Scene;
pub(crate) use codes::is_without_code;
pub(crate) use drugs::held;
pub(crate) use drugs_known::Drugs;
pub(crate) use hook::DRAFTS;
pub(crate) use lists::item_at;
