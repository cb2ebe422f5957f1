//! Where the workers put what they read.

use std::sync::atomic::AtomicU64;

use super::rejects::Rejects;
use super::unreadable::Unreadable;
use crate::import::ids::IdShards;
use crate::import::limits::Limits;
use crate::import::progress::Progress;
use crate::import::spill::Spill;

/// What all workers share.
#[derive(Clone, Copy)]
pub struct Sinks<'a> {
    pub buckets: u32,
    /// Servers whose resources these are.
    pub bases: &'a [String],
    pub limits: Limits,
    /// Per file: resources that came of it.
    pub kept: &'a [AtomicU64],
    pub spill: &'a Spill,
    pub ids: &'a IdShards,
    pub rejects: &'a Rejects,
    pub unreadable: &'a Unreadable,
    pub progress: &'a Progress,
}
