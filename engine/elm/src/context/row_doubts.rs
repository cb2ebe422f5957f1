//! What is in doubt about the rows of a query, a filter or a retrieve.

use std::rc::Rc;

use crate::context::doubt::Doubt;
use crate::context::known::{Known, Place, identity};
use crate::values::value::Val;

/// The marks of the rows of a query: kept only once there is one.
pub struct RowDoubts {
    /// Of the rows that were kept, in their order.
    each: Vec<Doubt>,
    /// Of all rows, also of those that were dropped.
    all: Doubt,
    /// Rows that were dropped and may belong into the result; `None` where it could be anything.
    perhaps: Option<Vec<Place>>,
}

impl Default for RowDoubts {
    fn default() -> Self {
        RowDoubts {
            each: vec![],
            all: Doubt::NONE,
            perhaps: Some(vec![]),
        }
    }
}

impl RowDoubts {
    /// A row that was kept, after so many others.
    #[inline]
    pub fn keep(&mut self, before: usize, doubt: Doubt) {
        if doubt.is_some() || self.all.is_some() {
            self.each.resize(before, Doubt::NONE);
            self.each.push(doubt);
            self.all = self.all.or(doubt);
        }
    }

    /// A row that was dropped: what it would have given, where that is known.
    #[inline]
    pub fn drop_row(&mut self, doubt: Doubt, item: Option<&Val<'_>>) {
        if doubt.is_some() {
            self.all = self.all.or(doubt);
            match (item, &mut self.perhaps) {
                (Some(Val::Fhir(f)), Some(perhaps)) => perhaps.push((f.index, f.shadow, f.ty)),
                _ => self.perhaps = None,
            }
        }
    }

    /// A source of which anything may be missing.
    #[inline]
    pub fn drop_any(&mut self, doubt: Doubt) {
        self.drop_row(doubt, None);
    }

    /// The mark of the list.
    pub fn all(&self) -> Doubt {
        self.all
    }

    /// What is known of the list, of the rows that were kept.
    pub fn known(&self, kept: &[Val<'_>]) -> Known {
        let marks = self
            .each
            .iter()
            .copied()
            .chain(std::iter::repeat(Doubt::NONE));
        let sure = kept.iter().zip(marks).filter(|(_, doubt)| doubt.is_none());
        Known {
            certain: Rc::new(sure.filter_map(|(value, _)| identity(value)).collect()),
            perhaps: self.perhaps.clone().map(Rc::new),
        }
    }
}
