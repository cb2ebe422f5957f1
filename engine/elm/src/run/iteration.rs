//! `Filter`, `ForEach`, `Repeat`, `Aggregate`: over the items of a list, and those that may be missing
//! in it.

use crate::context::cx::{Fault, Out};
use crate::context::doubt::Doubt;
use crate::context::known::{Known, doubt_of_item, values};
use crate::context::row_doubts::RowDoubts;
use crate::operators::list::push_distinct;
use crate::run::eval::Evaluator;
use crate::tree::node::Node;
use crate::values::value::Val;
use engine_patient::record::PatientRecord;

impl<'a> Evaluator<'a> {
    /// The items of a source, and what is in doubt about them.
    pub(crate) fn source(&mut self, node: &'a Node) -> Result<Items<'a>, Fault> {
        let before = self.cx.take_doubt();
        let items = self.items(node)?;
        let doubt = self.cx.take_doubt();
        self.cx.set_doubt(before);
        let known = match doubt.is_none() {
            true => Known::default(),
            false => self.cx.known(&Val::List(items), doubt),
        };
        Ok(Items {
            items,
            known,
            doubt,
        })
    }

    /// `Filter`
    pub(crate) fn filter(&mut self, source: &'a Node, slot: u32, condition: &'a Node) -> Out<'a> {
        let source = self.source(source)?;
        let before = self.cx.take_doubt();
        let (mut out, mut rows) = (vec![], RowDoubts::default());
        for item in source.items {
            self.set(slot, *item)?;
            let (holds, own) = self.side(condition)?;
            match (holds, source.mark_of(item).or(own)) {
                (Some(true), doubt) => {
                    rows.keep(out.len(), doubt);
                    out.push(*item);
                }
                (Some(false), _) if own.is_none() => {}
                (_, doubt) => rows.drop_row(doubt, Some(item)),
            }
        }
        for item in source.perhaps(self.record, &mut rows) {
            self.set(slot, item)?;
            if self.look(condition)? != Some((Some(false), Doubt::NONE)) {
                rows.drop_row(source.doubt, Some(&item));
            }
        }
        self.listed(&out, &rows, before)
    }

    /// `ForEach`
    pub(crate) fn for_each(&mut self, source: &'a Node, slot: u32, element: &'a Node) -> Out<'a> {
        let source = self.source(source)?;
        let before = self.cx.take_doubt();
        let (mut out, mut rows) = (vec![], RowDoubts::default());
        rows.drop_any(source.doubt);
        for item in source.items {
            self.set(slot, *item)?;
            let value = self.eval(element)?;
            let own = self.cx.take_doubt();
            rows.keep(out.len(), own.or(source.mark_of(item)));
            out.push(value);
        }
        self.listed(&out, &rows, before)
    }

    /// A list of rows, with its mark.
    fn listed(&self, kept: &[Val<'a>], rows: &RowDoubts, before: Doubt) -> Out<'a> {
        let made = self.cx.list(kept)?;
        self.cx.set_doubt(before.or(rows.all()));
        match rows.all().is_some() {
            true => self.cx.noted(made, rows.known(kept)),
            false => Ok(made),
        }
    }

    /// `Repeat`: what is found of the items, and of what is found, until nothing new is.
    pub(super) fn repeat(&mut self, source: &'a Node, slot: u32, element: &'a Node) -> Out<'a> {
        let mut out = vec![];
        let mut next: Vec<Val<'a>> = self.items(source)?.to_vec();
        while !next.is_empty() {
            let mut found = vec![];
            for item in &next {
                self.set(slot, *item)?;
                match self.eval(element)? {
                    Val::List(items) => found.extend_from_slice(items),
                    Val::Null => {}
                    one => found.push(one),
                }
            }
            let from = out.len();
            push_distinct(&self.cx, &mut out, &found)?;
            next = out.get(from..).unwrap_or_default().to_vec();
        }
        self.cx.list(&out)
    }

    /// `Aggregate`
    pub(super) fn aggregate(
        &mut self,
        source: &'a Node,
        slots: (u32, u32),
        iteration: &'a Node,
        initial: Option<&'a Node>,
    ) -> Out<'a> {
        let (item, total) = slots;
        // Without a start the total begins as null.
        let mut value = match initial {
            Some(initial) => self.eval(initial)?,
            None => Val::Null,
        };
        for element in self.items(source)? {
            self.set(item, *element)?;
            self.set(total, value)?;
            value = self.eval(iteration)?;
        }
        Ok(value)
    }
}

/// The items of a source, and what is in doubt about them.
pub(crate) struct Items<'a> {
    pub items: &'a [Val<'a>],
    /// Where it is in doubt.
    pub known: Known,
    pub doubt: Doubt,
}

impl<'a> Items<'a> {
    /// The mark of an item.
    #[inline]
    pub fn mark_of(&self, item: &Val<'a>) -> Doubt {
        match self.doubt.is_none() {
            true => Doubt::NONE,
            false => doubt_of_item(item, &self.known.certain, self.doubt),
        }
    }

    /// What may be missing in it; where it could be anything, that is noted.
    pub fn perhaps(&self, record: &'a PatientRecord, rows: &mut RowDoubts) -> Vec<Val<'a>> {
        match &self.known.perhaps {
            Some(perhaps) => values(perhaps, record),
            None => {
                rows.drop_any(self.doubt);
                vec![]
            }
        }
    }
}
