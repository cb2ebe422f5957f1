//! The compiled tree as others than the evaluation need it: its expressions and their CQL text for
//! explanations, the terms of a criterion, and the retrieves without which it cannot hold.

pub mod cql_text;
mod cql_words;
pub mod expressions;
mod made;
pub mod null_cause;
pub mod prefilter;
pub mod terms;
