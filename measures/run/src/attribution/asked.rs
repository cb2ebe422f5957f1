//! What is asked of attribution.

use std::collections::HashSet;
use std::sync::Arc;

use engine_patient::system::zone::Zone;
use engine_population::lake::Lake;
use serde_json::Value;

use super::by::Attribution;

/// What is asked.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub lake: &'a Lake,
    pub threads: usize,
    /// Where dates without an offset are.
    pub zone: &'a Zone,
    /// First and last instant of the period.
    pub period: (i64, i64),
    /// When names and the like hold.
    pub at: i64,
    /// To what.
    pub kinds: &'a [Attribution],
    /// Whom.
    pub patients: &'a Arc<HashSet<String>>,
}

/// Makes a text of a Patient resource.
pub(crate) type OfPatient = Arc<dyn Fn(&Value) -> Box<str> + Send + Sync>;
