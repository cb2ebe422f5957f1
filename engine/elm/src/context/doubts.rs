//! All marks of doubt of one patient's evaluation, and what of them is told with a result.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::context::doubt::Doubt;
use crate::context::known::{Certain, Known, identity};
use crate::values::value::Val;

/// The marks of one patient's evaluation.
#[derive(Default)]
pub struct Doubts {
    pub(super) now: Cell<Doubt>,
    pub(super) reasons: RefCell<Vec<Arc<str>>>,
    /// Elements that were counted as unreadable, by place in the record, and their mark: where an
    /// element stands is found once.
    pub(super) seen: RefCell<FxHashMap<u32, Doubt>>,
    /// Of lists in doubt, by place in the arena and length.
    pub(super) lists: RefCell<FxHashMap<(usize, usize), Known>>,
    /// Of intervals with an unknown bound, by place in the arena.
    pub(super) intervals: RefCell<FxHashMap<usize, Doubt>>,
    pub(super) any_interval: Cell<bool>,
}

/// What is in doubt about a value.
#[derive(Clone, Debug)]
pub struct InDoubt<'a> {
    /// Names elements and value sets, holds no patient data.
    pub why: Arc<str>,
    /// Elements that are not in the list and may belong into it; `None` where it could be anything.
    pub perhaps: Option<Vec<Val<'a>>>,
    pub(super) certain: Certain,
}

impl InDoubt<'_> {
    /// Whether an item of the list is in it in any case.
    pub fn is_certain(&self, item: &Val<'_>) -> bool {
        identity(item).is_some_and(|identity| self.certain.contains(&identity))
    }
}
