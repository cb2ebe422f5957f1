//! Writing: one file a resource type over [`entry::Entry`] (the elements every type shares) and
//! [`chart::Chart`] (ids, defects, sink).

pub(super) mod allergy;
pub(super) mod chart;
pub(super) mod condition;
pub(super) mod coverage;
pub(super) mod defect;
pub(super) mod encounter;
pub(super) mod entry;
pub(super) mod immunization;
pub(super) mod medication;
pub(super) mod observation;
pub(super) mod order;
pub(super) mod patient;
pub(super) mod procedure;
pub(super) mod report;
