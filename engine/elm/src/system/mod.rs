//! Numbers, units and the time line of CQL, as arithmetic: what operators compute with.

pub mod date_arithmetic;
pub mod date_compare;
pub mod exact;
pub mod series;
pub mod text_values;
pub mod units;
