//! Units: UCUM conversion with exact factors, and CQL's calendar units.

/// Conversions of one run, cached by pair of units.
#[derive(Debug, Default)]
pub struct Units {}
