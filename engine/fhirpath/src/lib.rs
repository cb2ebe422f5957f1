//! FHIRPath, the subset that SQL on FHIR v2 asks of a view runner, compiled once and then run on
//! [`Element`](engine_patient::record::Element)s without looking anything up by name.
//!
//! Text → `lexer` → `parser` (a syntax tree with positions) → `compile` (types from the R4 model,
//! names interned) → `eval`, which hands each value to a sink, so that `first()` and
//! `exists()` stop early and a path allocates nothing. `functions`, `members`, `operators` and
//! `of_type` are parts of the compiler: they import it, and it calls their methods, as an argument of
//! a function is an expression too.
//!
//! *Invariants:* an expression tree is at most [`MAX_DEPTH`] deep, so no recursion over it can
//! overflow; what is not supported is refused when it is compiled, never when it is run; no message
//! contains data.
//!
//! Where this differs from the specification, on purpose:
//! - Dates and times without an offset are compared as if in UTC.
//! - A primitive's `extension` is read directly after its element only: `birthDate.extension('…')`.
//! - Quantities are not values: compare `value` and `code` instead.
//! - Ordering values of different kinds (a number and a text) gives nothing where the kinds are
//!   only known from the data, so that one odd resource does not end a run.
//!
//! To add a function: a row in the `TABLE` of `functions`, an arm in its `call`, a variant of `Expr`
//! with its arm in `eval`, a case in `tests.rs`.
#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]

mod arithmetic;
mod ast;
mod boundary;
mod compare;
mod compile;
mod error;
mod eval;
mod expr;
mod field;
mod focus;
mod functions;
mod item;
mod keys;
mod lexer;
mod literal;
mod members;
mod of_type;
mod operators;
mod parser;
mod path;
mod scope;
#[cfg(test)]
mod tests;
mod types;

pub use ast::MAX_DEPTH;
pub use error::PathRunError;
pub use focus::Focus;
pub use item::{Flow, Item, Stop};
pub(crate) use keys::is_of_type;
pub use literal::Literal;
pub use path::Path;
pub use scope::{Constant, Scope};
pub use types::{Class, Kind, Type};

pub mod views;
