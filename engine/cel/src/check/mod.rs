//! From the parsed expression to a checked one: names, types, functions, value sets. All problems are
//! collected, each with its place.
//!
//! ```text
//! checker ─▶ expression ─▶ call ─▶ operator, retrieve
//!                       ├▶ habits
//!                       └▶ name, select, comprehension ─▶ pass ─▶ place, symbols
//!         ─▶ sense: what can mean nothing
//! ```

mod call;
mod checker;
mod comprehension;
mod drugs;
mod expression;
mod habits;
mod name;
mod operator;
mod pass;
mod place;
mod retrieve;
mod select;
mod sense;
mod symbols;

pub use checker::Checker;
