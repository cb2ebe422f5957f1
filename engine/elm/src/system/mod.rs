//! Numbers, units and the time line of CQL, as arithmetic: what operators compute with.

pub mod series;
pub mod text_values;
