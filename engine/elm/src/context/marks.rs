//! Raising, taking and asking the marks of doubt of one patient's evaluation.

use std::sync::Arc;

use crate::context::cx::Cx;
use crate::context::doubt::{Doubt, about_set};
use crate::context::doubts::InDoubt;
use crate::context::fault::{Fault, Out};
use crate::context::known::{Known, place_of, values};
use crate::values::value::{Interval, Val};
use engine_patient::fhir::reading::path_of;
use engine_patient::record::{Element, PatientRecord};

impl<'a> Cx<'a> {
    /// The mark, taken away.
    #[inline]
    pub fn take_doubt(&self) -> Doubt {
        self.doubts.now.replace(Doubt::NONE)
    }

    /// The mark as it stands.
    #[inline]
    pub fn doubt(&self) -> Doubt {
        self.doubts.now.get()
    }

    /// Sets the mark.
    #[inline]
    pub fn set_doubt(&self, doubt: Doubt) {
        self.doubts.now.set(doubt);
    }

    /// Adds a mark to that which stands.
    #[inline]
    pub fn add_doubt(&self, doubt: Doubt) {
        if doubt.is_some() {
            self.doubts.now.set(self.doubts.now.get().or(doubt));
        }
    }

    /// A value and its own mark, which is not added to that which stands.
    pub fn apart(&self, work: impl FnOnce() -> Out<'a>) -> Result<(Val<'a>, Doubt), Fault> {
        let before = self.take_doubt();
        let value = work();
        let own = self.take_doubt();
        self.set_doubt(before);
        Ok((value?, own))
    }

    /// The mark with this reason. Reasons are texts of the library and ours, never data.
    pub fn reason(&self, reason: &str) -> Doubt {
        let mut reasons = self.doubts.reasons.borrow_mut();
        let found = reasons.iter().position(|r| **r == *reason);
        let at = found.unwrap_or_else(|| {
            reasons.push(reason.into());
            reasons.len() - 1
        });
        Doubt(u32::try_from(at + 1).unwrap_or(1))
    }

    /// Why there is doubt.
    pub fn why(&self, doubt: Doubt) -> Option<Arc<str>> {
        let at = (doubt.0 & !Doubt::THERE).checked_sub(1)?;
        self.doubts
            .reasons
            .borrow()
            .get(at as usize)
            .map(Arc::clone)
    }

    /// Notes that an element is there and cannot be read; raises the mark.
    pub fn unreadable(&self, element: Element<'_>) {
        let seen = self.doubts.seen.borrow().get(&element.index).copied();
        let doubt = seen.unwrap_or_else(|| {
            let path = path_of(element);
            self.notes.unreadable(&path);
            let Doubt(reason) = self.reason(&format!("`{path}` cannot be read"));
            let doubt = Doubt(reason | Doubt::THERE);
            self.doubts.seen.borrow_mut().insert(element.index, doubt);
            doubt
        });
        self.add_doubt(doubt);
    }

    /// Counts a message of severity Error, a run-time error (CQL 1.5 §24), and raises the mark: what
    /// rests on it is unknown, with the code for a reason.
    pub fn error(&self, code: &str) {
        self.notes.message(code);
        let Doubt(reason) = self.reason(&format!("the logic gives the error `{code}`"));
        self.add_doubt(Doubt(reason | Doubt::THERE));
    }

    /// Raises the mark of a value set that is not here, or not all of it.
    pub fn doubtful_set(&self, name: &str, loaded: bool) {
        self.add_doubt(self.reason(&about_set(name, loaded)));
    }

    /// The mark that an interval carries.
    #[inline]
    pub fn doubt_of_interval(&self, interval: &Interval<'_>) -> Doubt {
        if !self.doubts.any_interval.get() {
            return Doubt::NONE;
        }
        let intervals = self.doubts.intervals.borrow();
        let found = intervals.get(&std::ptr::from_ref(interval).addr());
        found.copied().unwrap_or_default()
    }

    /// Whether some interval carries a mark.
    pub fn any_doubtful_interval(&self) -> bool {
        self.doubts.any_interval.get()
    }

    /// Gives an interval of the arena a mark.
    pub fn doubt_interval(&self, interval: &'a Interval<'a>, doubt: Doubt) {
        if doubt.is_some() {
            self.doubts.any_interval.set(true);
            let mut intervals = self.doubts.intervals.borrow_mut();
            intervals.insert(std::ptr::from_ref(interval).addr(), doubt);
        }
    }

    /// What is known of the items of a value; all of what is not in doubt.
    pub fn known(&self, value: &Val<'a>, doubt: Doubt) -> Known {
        match value {
            Val::List(items) if doubt.is_none() => Known::whole(items),
            Val::List(items) => {
                let lists = self.doubts.lists.borrow();
                lists.get(&place_of(items)).cloned().unwrap_or_default()
            }
            Val::Null if doubt.is_none() => Known::whole(&[]),
            one if doubt.is_none() => Known::whole(&[*one]),
            _ => Known::default(),
        }
    }

    /// The value, with what is known of it noted where it is a list.
    pub fn noted(&self, value: Val<'a>, known: Known) -> Out<'a> {
        let Val::List(mut items) = value else {
            return Ok(value);
        };
        if items.is_empty() {
            // An empty list has no place of its own.
            items = self.slice(&[Val::Null])?.get(..0).unwrap_or(items);
        }
        self.doubts
            .lists
            .borrow_mut()
            .insert(place_of(items), known);
        Ok(Val::List(items))
    }

    /// The value with a doubt more than those it was noted with: a list is copied, so that what is
    /// known of the old one is not taken for known of the new one.
    pub fn apart_from(&self, value: Val<'a>) -> Out<'a> {
        match value {
            Val::List(items) => self.list(items),
            other => Ok(other),
        }
    }

    /// What is in doubt about a value with this mark.
    pub(crate) fn in_doubt(
        &self,
        value: &Val<'a>,
        doubt: Doubt,
        record: &'a PatientRecord,
    ) -> Option<InDoubt<'a>> {
        let own = match value {
            Val::Interval(interval) => doubt.or(self.doubt_of_interval(interval)),
            _ => doubt,
        };
        let why = self.why(own)?;
        let known = self.known(value, own);
        Some(InDoubt {
            why,
            perhaps: known.perhaps.map(|perhaps| values(&perhaps, record)),
            certain: known.certain,
        })
    }
}
