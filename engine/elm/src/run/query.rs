//! Queries (CQL Author's Guide, "Queries"; ELM "Query"): sources, let, with, without, where, return,
//! aggregate, sort.

use crate::context::doubt::Doubt;
use crate::context::fault::{Fault, Out};
use crate::context::known::Known;
use crate::context::row_doubts::RowDoubts;
use crate::operators::list::{distinct_of, same};
use crate::run::evaluator::Evaluator;
use crate::run::iteration::Items;
use crate::tree::query::{Let, Query, Relationship};
use crate::values::value::{Tuple, Val};

/// The rows of a query, as they are made.
struct Rows<'a> {
    out: Vec<Val<'a>>,
    /// Running total of an aggregate.
    total: Val<'a>,
    /// Combinations that a distinct aggregate has had.
    seen: Vec<Vec<Val<'a>>>,
    /// What is in doubt about them.
    doubts: RowDoubts,
    /// Which evaluation of a query it is in the trace.
    execution: usize,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn query(&mut self, query: &'a Query) -> Out<'a> {
        // A query over single values gives a single value; a null source gives null.
        let before = self.cx.take_doubt();
        let mut lists = Vec::with_capacity(query.sources.len());
        let mut single = true;
        let mut rows = Rows {
            out: vec![],
            total: Val::Null,
            seen: vec![],
            doubts: RowDoubts::default(),
            execution: 0,
        };
        for source in &query.sources {
            let value = self.eval(&source.expression)?;
            let doubt = self.cx.take_doubt();
            let known = match doubt.is_none() {
                true => Known::default(),
                false => self.cx.known(&value, doubt),
            };
            let items = match value {
                Val::Null => {
                    self.cx.set_doubt(before.or(rows.doubts.all()).or(doubt));
                    return Ok(Val::Null);
                }
                Val::List(items) => {
                    single = false;
                    items
                }
                one => self.cx.slice(&[one])?,
            };
            lists.push(Items {
                items,
                known,
                doubt,
            });
        }
        // What is missing in the only source can be asked; of several it could be anything.
        let asks = lists.len() == 1 && !single && query.aggregate.is_none();
        if !asks {
            for list in &lists {
                rows.doubts.drop_any(list.doubt);
            }
        }
        if let Some(starting) = query.aggregate.as_ref().and_then(|a| a.starting.as_ref()) {
            rows.total = self.eval(starting)?;
            rows.doubts.drop_any(self.cx.take_doubt());
        }
        if let Some(trace) = &mut self.trace {
            rows.execution = trace.query(query);
        }
        self.rows(query, &lists, 0, Doubt::NONE, &mut rows)?;
        if let (true, [list], [source]) = (asks, &*lists, &*query.sources)
            && list.doubt.is_some()
        {
            for item in list.perhaps(self.record, &mut rows.doubts) {
                self.set(source.slot, item)?;
                self.perhaps(query, list.doubt, &mut rows)?;
            }
        }
        let before = before.or(rows.doubts.all());
        if query.aggregate.is_some() {
            self.cx.set_doubt(before);
            return Ok(rows.total);
        }
        let mut items = rows.out;
        let in_doubt = rows.doubts.all().is_some();
        let mut known = match in_doubt {
            true => rows.doubts.known(&items),
            false => Known::default(),
        };
        if let Some((_, true)) = query.result
            && items.len() > 1
        {
            let kept = self.cx.slice(&items)?;
            if let Val::List(distinct) = distinct_of(&self.cx, kept)? {
                items = distinct.to_vec();
            }
        }
        if single {
            // Of a single row that is left out, nothing is left.
            let one = items.first().copied().unwrap_or(Val::Null);
            self.cx.add_doubt(before);
            return self.chosen(one, rows.doubts.all());
        }
        if !query.sort.is_empty() {
            self.sort(&mut items, &query.sort)?;
        }
        let made = self.cx.list(&items)?;
        // What order they are in may be in doubt, not what is in the list.
        let order = self.cx.take_doubt();
        if in_doubt || order.is_some() {
            if !in_doubt {
                known = self.cx.known(&made, Doubt::NONE);
            }
            // Nothing that is asked of the items later on takes this back.
            if order.is_some() {
                known.perhaps = None;
            }
            self.cx.set_doubt(before.or(order));
            return self.cx.noted(made, known);
        }
        self.cx.set_doubt(before);
        Ok(made)
    }

    /// All combinations of the sources from `depth` on.
    fn rows(
        &mut self,
        query: &'a Query,
        lists: &[Items<'a>],
        depth: usize,
        doubt: Doubt,
        rows: &mut Rows<'a>,
    ) -> Result<(), Fault> {
        let (source, list) = match (query.sources.get(depth), lists.get(depth)) {
            (Some(source), Some(list)) => (source, list),
            (None, None) => {
                self.cx.set_doubt(doubt);
                return self.row(query, rows);
            }
            _ => return Err(Fault::bug("a query has not as many lists as sources")),
        };
        for item in list.items {
            self.cx.charge(1)?;
            self.set(source.slot, *item)?;
            let own = doubt.or(list.mark_of(item));
            self.rows(query, lists, depth + 1, own, rows)?;
        }
        Ok(())
    }

    /// Whether the items of a row meet the query's conditions: true, false for sure, or `None` with
    /// the mark where it is dropped and may belong into the result.
    fn meets(&mut self, query: &'a Query) -> Result<(Option<bool>, Doubt), Fault> {
        let mut doubt = self.cx.take_doubt();
        for Let {
            slot, expression, ..
        } in &query.lets
        {
            let value = self.eval(expression)?;
            let own = self.cx.take_doubt();
            self.set_doubtful(*slot, value, own)?;
        }
        // Dropped, but not for sure: another condition may drop it for sure.
        let mut dropped = false;
        for relationship in &query.relationships {
            let (holds, own) = match self.related(relationship) {
                Ok(told) => told,
                Err(fault) if dropped && !fault.is_bug() => break,
                Err(fault) => return Err(fault),
            };
            if !holds && own.is_none() {
                return Ok((Some(false), Doubt::NONE));
            }
            dropped |= !holds;
            doubt = doubt.or(own);
        }
        if let Some(condition) = &query.condition {
            match self.side(condition) {
                Ok((Some(true), own)) => doubt = doubt.or(own),
                Ok((Some(false), own)) if own.is_none() => {
                    return Ok((Some(false), Doubt::NONE));
                }
                Ok((_, own)) => {
                    dropped = true;
                    doubt = doubt.or(own);
                }
                Err(fault) if dropped && !fault.is_bug() => {
                    self.cx.take_doubt();
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(((!dropped).then_some(true), doubt))
    }

    /// [`Self::meets`], with the row in the trace.
    fn judged(
        &mut self,
        query: &'a Query,
        execution: usize,
    ) -> Result<(Option<bool>, Doubt), Fault> {
        if self.trace.is_none() {
            return self.meets(query);
        }
        let items = query.sources.iter().map(|s| self.get(s.slot));
        let items = items.collect::<Result<Vec<Val<'a>>, Fault>>()?;
        if let Some(trace) = &mut self.trace {
            trace.row_begins(execution, items);
        }
        let told = self.meets(query);
        if let Some(trace) = &mut self.trace {
            let (met, doubt) = told
                .as_ref()
                .map_or((None, false), |(m, d)| (*m, d.is_some()));
            trace.row_ends(met, doubt);
        }
        told
    }

    /// What may be missing in the source: whether it would be in the result.
    fn perhaps(
        &mut self,
        query: &'a Query,
        doubt: Doubt,
        rows: &mut Rows<'a>,
    ) -> Result<(), Fault> {
        let depth = self.depth;
        self.cx.set_doubt(doubt);
        let met = self.meets(query);
        self.depth = depth;
        match met {
            Ok((Some(false), _)) => return Ok(()),
            Err(fault) if fault.is_bug() => return Err(fault),
            _ => {}
        }
        self.cx.take_doubt();
        let item = self.item_of(query)?;
        rows.doubts.drop_row(doubt, item.as_ref());
        Ok(())
    }

    /// What a row of a query over one source without `return` gives: the item.
    fn item_of(&self, query: &Query) -> Result<Option<Val<'a>>, Fault> {
        match (&query.result, &*query.sources) {
            (None, [source]) => self.get(source.slot).map(Some),
            _ => Ok(None),
        }
    }

    /// A row: the mark that stands is that of its items.
    fn row(&mut self, query: &'a Query, rows: &mut Rows<'a>) -> Result<(), Fault> {
        let doubt = match self.judged(query, rows.execution)? {
            (Some(true), doubt) => doubt,
            (Some(false), _) => return Ok(()),
            (None, doubt) => {
                let item = self.item_of(query)?;
                rows.doubts.drop_row(doubt, item.as_ref());
                return Ok(());
            }
        };
        if let Some(aggregate) = &query.aggregate {
            if aggregate.distinct && self.is_repeated(query, rows)? {
                return Ok(());
            }
            self.set(aggregate.slot, rows.total)?;
            rows.total = self.eval(&aggregate.expression)?;
            rows.doubts.drop_any(doubt.or(self.cx.take_doubt()));
            return Ok(());
        }
        let value = match (&query.result, &*query.sources) {
            (Some((result, _)), _) => self.eval(result)?,
            (None, [source]) => self.get(source.slot)?,
            (None, several) => {
                let mut names = vec![];
                let mut values = vec![];
                for source in several {
                    names.push(&*source.alias);
                    values.push(self.get(source.slot)?);
                }
                let tuple = Tuple {
                    type_name: None,
                    names: self.cx.slice(&names)?,
                    values: self.cx.slice(&values)?,
                };
                Val::Tuple(self.cx.keep(tuple)?)
            }
        };
        self.cx.room(rows.out.len())?;
        let own = self.cx.take_doubt();
        rows.doubts.keep(rows.out.len(), doubt.or(own));
        rows.out.push(value);
        Ok(())
    }

    /// Whether a row of the same items has been; notes it otherwise.
    fn is_repeated(&mut self, query: &'a Query, rows: &mut Rows<'a>) -> Result<bool, Fault> {
        let items = query.sources.iter().map(|s| self.get(s.slot));
        let own = items.collect::<Result<Vec<Val<'a>>, Fault>>()?;
        for before in &rows.seen {
            let mut equal = true;
            for (a, b) in before.iter().zip(&own) {
                equal = equal && same(&self.cx, *a, *b)?;
            }
            if equal {
                return Ok(true);
            }
        }
        self.cx.charge(rows.seen.len())?;
        rows.seen.push(own);
        Ok(false)
    }

    /// Whether a `with` finds a partner, or a `without` finds none; and what is in doubt about that.
    fn related(&mut self, relationship: &'a Relationship) -> Result<(bool, Doubt), Fault> {
        let before = self.cx.take_doubt();
        let source = self.source(&relationship.expression)?;
        let mut found = false;
        let mut all = Doubt::NONE;
        let execution = self.trace.as_mut().map(|t| t.relationship(relationship));
        for item in source.items {
            self.cx.charge(1)?;
            self.set(relationship.slot, *item)?;
            if let (Some(trace), Some(execution)) = (&mut self.trace, execution) {
                trace.row_begins(execution, vec![*item]);
            }
            let told = self.side(&relationship.such_that);
            if let Some(trace) = &mut self.trace {
                let (met, doubt) = told
                    .as_ref()
                    .map_or((None, false), |(m, d)| (*m, d.is_some()));
                trace.row_ends(met, doubt);
            }
            let (holds, own) = match told {
                Ok(told) => told,
                // Only looked at for a partner that is one in any case.
                Err(fault) if found && !fault.is_bug() => break,
                Err(fault) => return Err(fault),
            };
            // One that is no partner for sure says nothing, whether or not it is in the source.
            let own = match (holds, own.is_none()) {
                (Some(false), true) => Doubt::NONE,
                _ => own.or(source.mark_of(item)),
            };
            if holds == Some(true) {
                if own.is_none() {
                    (found, all) = (true, Doubt::NONE);
                    break;
                }
                found = true;
            }
            all = all.or(own);
        }
        let sure = found && all.is_none();
        if source.doubt.is_some() && !sure {
            let mut missing = RowDoubts::default();
            for item in source.perhaps(self.record, &mut missing) {
                self.set(relationship.slot, item)?;
                if self.look(&relationship.such_that)? != Some((Some(false), Doubt::NONE)) {
                    missing.drop_any(source.doubt);
                }
            }
            all = all.or(missing.all());
        }
        self.cx.set_doubt(before);
        Ok((found != relationship.without, all))
    }
}
