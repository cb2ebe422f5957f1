//! Values during the evaluation, and their types.

pub mod types;
pub mod value;
