//! SQL on FHIR v2 ViewDefinitions: flat rows from one resource.
//!
//! JSON → [`ViewDefinition::from_json`] (all mistakes at once, each with its place) → [`View`] (a
//! plan of compiled paths) → [`View::rows`], which hands each row to a callback and keeps none.
//!
//! A value of a resource that is of another JSON type than R4 has it costs its cell, not the view: the
//! cell is null and a [`ViewNote`] is handed out. What is wrong in the definition is an error.
//!
//! *Invariants:* a view that loads has only columns of FHIR primitives, no two of one name, and
//! branches of every `unionAll` with the same columns; run-time errors name the view and the place
//! in it, never data.
//!
//! Columns of a FHIR datatype (`HumanName`) are refused: one of its elements is asked for instead.
//! A property the specification does not have is refused too, so that a misspelt `where` filters.

mod column;
mod constant;
#[cfg(test)]
mod content_tests;
mod definition;
mod error;
mod plan;
mod read_column;
mod reader;
mod run;
mod select;
#[cfg(test)]
mod tests;
mod union;
mod value;
mod view;

pub use column::{ColumnInfo, ColumnType, Storage};
pub use definition::ViewDefinition;
pub use error::{ViewNote, ViewRunError};
pub use value::ViewValue;
pub use view::View;
