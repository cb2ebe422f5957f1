//! What expressions refer to.

use std::sync::Arc;

use engine_patient::requirements::DataRequirement;
use engine_patient::terminology::ValueSet;

use super::fact::Facts;
use super::origin::{Origin, Units};

/// What origins are made of: the retrieves, value sets and definitions of an artifact.
pub trait Known {
    fn requirement(&self, index: usize) -> Option<&DataRequirement>;
    /// The name that the artifact gives a value set, and the set.
    fn value_set(&self, index: usize) -> Option<(&str, &Arc<ValueSet>)>;
    fn name_of(&self, set: &Arc<ValueSet>) -> Option<&str>;
    fn definition(&self, index: usize) -> Option<(&str, &Origin)>;
    /// What a definition says where it holds.
    fn facts(&self, index: usize) -> Option<&Facts>;
    /// The units that a definition takes values in.
    fn units(&self, index: usize) -> Option<&Units>;
}
